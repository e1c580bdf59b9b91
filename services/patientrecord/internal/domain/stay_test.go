package domain_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func TestAnEncounterIsNewsWhileItIsRecentHereAndUnderWayOrOver(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return moment.AddDate(0, 0, n) }
	here := func(status string, start, end time.Time) domain.Entry {
		return domain.Entry{Kind: domain.KindEncounter, Status: status, Stay: &domain.Stay{Organization: "hospital", Start: start, End: end}}
	}
	elsewhere := here("finished", day(-3), day(-1))
	elsewhere.Stay.Organization = ""
	corrected := func(change func(*domain.Stay)) domain.Entry {
		e := here("finished", day(-3), day(-1))
		change(e.Stay)
		return e
	}
	told := func(fact string, e domain.Entry) domain.Told { return domain.Told{Fact: fact, Stay: *e.Stay} }
	nothing := domain.Told{}
	opened := told(domain.EncounterOpened, here("in-progress", day(-3), time.Time{}))
	closed := told(domain.EncounterClosed, here("finished", day(-3), day(-1)))
	longAgo := told(domain.EncounterClosed, here("finished", day(-50), day(-40)))
	cancelled := told(domain.EncounterCancelled, here("cancelled", day(-3), day(-1)))
	for name, c := range map[string]struct {
		entry domain.Entry
		last  domain.Told
		want  string
	}{
		"under way":                  {here("in-progress", day(-3), time.Time{}), nothing, domain.EncounterOpened},
		"on leave":                   {here("onleave", day(-3), time.Time{}), nothing, domain.EncounterOpened},
		"under way, told before":     {here("in-progress", day(-3), time.Time{}), opened, ""},
		"over":                       {here("finished", day(-3), day(-1)), nothing, domain.EncounterClosed},
		"over, told while under way": {here("finished", day(-3), day(-1)), opened, domain.EncounterClosed},
		"over, told before":          {here("finished", day(-3), day(-1)), closed, ""},
		"taken up again":             {here("in-progress", day(-3), time.Time{}), closed, domain.EncounterOpened},
		"a long stay that ended":     {here("finished", day(-90), day(0)), opened, domain.EncounterClosed},
		"of thirty days ago":         {here("finished", day(-30), day(-30)), nothing, domain.EncounterClosed},
		"of longer ago":              {here("finished", day(-40), day(-31)), nothing, ""},
		"begun longer ago":           {here("in-progress", day(-31), time.Time{}), nothing, ""},
		"of no known time":           {here("in-progress", time.Time{}, time.Time{}), nothing, ""},
		"finished without an end":    {here("finished", day(-3), time.Time{}), nothing, ""},
		"planned":                    {here("planned", day(0), day(1)), nothing, ""},
		"cancelled":                  {here("cancelled", day(-3), day(-3)), nothing, ""},
		"entered in error":           {here("entered-in-error", day(-3), day(-3)), nothing, ""},
		"elsewhere":                  {elsewhere, nothing, ""},
		"coded later":                {corrected(func(s *domain.Stay) { s.Diagnoses = []string{"I63.9"} }), closed, domain.EncounterClosed},
		"another way of discharge":   {corrected(func(s *domain.Stay) { s.DischargeWay = "5" }), closed, domain.EncounterClosed},
		"another end":                {corrected(func(s *domain.Stay) { s.End = day(-2) }), closed, domain.EncounterClosed},
		"another organisation":       {corrected(func(s *domain.Stay) { s.Organization = "other" }), closed, domain.EncounterClosed},
		"another department":         {corrected(func(s *domain.Stay) { s.Department = "0304" }), closed, domain.EncounterClosed},
		"another class":              {corrected(func(s *domain.Stay) { s.Class = "AMB" }), closed, domain.EncounterClosed},
		"corrected long after":       {here("finished", day(-50), day(-41)), longAgo, domain.EncounterClosed},
		"its end taken back":         {here("finished", day(-3), time.Time{}), closed, domain.EncounterOpened},
		"cancelled after all":        {here("cancelled", day(-3), day(-1)), closed, domain.EncounterCancelled},
		"cancelled long after":       {here("cancelled", day(-50), day(-40)), longAgo, domain.EncounterCancelled},
		"never was, told under way":  {here("entered-in-error", day(-3), time.Time{}), opened, domain.EncounterCancelled},
		"cancelled, told before":     {here("entered-in-error", day(-3), day(-1)), cancelled, ""},
		"stands after all":           {here("finished", day(-3), day(-1)), cancelled, domain.EncounterClosed},
		"elsewhere after all":        {elsewhere, closed, domain.EncounterCancelled},
		"no encounter":               {domain.Entry{Kind: domain.KindProblem, Status: "active"}, nothing, ""},
	} {
		if got := c.entry.News(moment, c.last); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
