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
	for name, c := range map[string]struct {
		entry      domain.Entry
		last, want string
	}{
		"under way":                  {here("in-progress", day(-3), time.Time{}), "", domain.EncounterOpened},
		"on leave":                   {here("onleave", day(-3), time.Time{}), "", domain.EncounterOpened},
		"under way, told before":     {here("in-progress", day(-3), time.Time{}), domain.EncounterOpened, ""},
		"over":                       {here("finished", day(-3), day(-1)), "", domain.EncounterClosed},
		"over, told while under way": {here("finished", day(-3), day(-1)), domain.EncounterOpened, domain.EncounterClosed},
		"over, told before":          {here("finished", day(-3), day(-1)), domain.EncounterClosed, ""},
		"taken up again":             {here("in-progress", day(-3), time.Time{}), domain.EncounterClosed, domain.EncounterOpened},
		"a long stay that ended":     {here("finished", day(-90), day(0)), domain.EncounterOpened, domain.EncounterClosed},
		"of thirty days ago":         {here("finished", day(-30), day(-30)), "", domain.EncounterClosed},
		"of longer ago":              {here("finished", day(-40), day(-31)), "", ""},
		"begun longer ago":           {here("in-progress", day(-31), time.Time{}), "", ""},
		"of no known time":           {here("in-progress", time.Time{}, time.Time{}), "", ""},
		"finished without an end":    {here("finished", day(-3), time.Time{}), "", ""},
		"planned":                    {here("planned", day(0), day(1)), "", ""},
		"cancelled":                  {here("cancelled", day(-3), day(-3)), "", ""},
		"entered in error":           {here("entered-in-error", day(-3), day(-3)), "", ""},
		"elsewhere":                  {elsewhere, "", ""},
		"no encounter":               {domain.Entry{Kind: domain.KindProblem, Status: "active"}, "", ""},
	} {
		if got := c.entry.News(moment, c.last); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
