package domain_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func TestTheStagesSayWhereMostAreLost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sent    int64
		reached []int64
		want    string
	}{
		"nothing sent":                {0, []int64{0, 0, 0}, ""},
		"some are lost on the way":    {100, []int64{90, 60, 55}, "100 100% -0; 90 90% -10; 60 60% -30 worst; 55 55% -5; "},
		"nobody is lost":              {4, []int64{4, 4, 4}, "4 100% -0; 4 100% -0; 4 100% -0; 4 100% -0; "},
		"a later stage may have more": {4, []int64{1, 2, 2}, "4 100% -0; 1 25% -3 worst; 2 50% -0; 2 50% -0; "},
		"of two the earlier":          {10, []int64{7, 4, 4}, "10 100% -0; 7 70% -3 worst; 4 40% -3; 4 40% -0; "},
		"all are lost at once":        {2, []int64{0, 0}, "2 100% -0; 0 0% -2 worst; 0 0% -0; "},
	} {
		got := ""
		for _, s := range domain.Stages(c.sent, c.reached) {
			got += fmt.Sprintf("%d %.0f%% -%d", s.N, s.Share, s.Lost)
			if s.Worst {
				got += " worst"
			}
			got += "; "
		}
		if got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}

func TestTheMostParticularTargetHolds(t *testing.T) {
	t.Parallel()
	target := func(organization, department, from, to string, value float64) domain.Target {
		return domain.Target{Measure: "RATE", OrganizationID: organization, DepartmentCode: department, FromMonth: from, ToMonth: to, Value: value}
	}
	all := domain.Targets{Targets: []domain.Target{target("", "", "", "", 20), target("h", "", "2026-01", "2026-06", 25), target("h", "0304", "2026-03", "", 30)}}
	for _, c := range []struct {
		organization, department, month string
		want                            float64
	}{
		{"", "", "2026-02", 20}, {"h", "", "2026-02", 25}, {"h", "", "2026-07", 20}, {"h", "0304", "2026-02", 25}, {"h", "0304", "2026-03", 30},
		{"h", "0304", "2027-03", 30}, {"other", "0304", "2026-03", 20},
	} {
		if got, ok := all.Holding("RATE", c.organization, c.department, c.month); !ok || got != c.want {
			t.Errorf("%v: %v %v", c, got, ok)
		}
	}
	if _, ok := all.Holding("OTHER", "", "", "2026-02"); ok {
		t.Error("another measure has a target")
	}
}

func TestATargetIsReachedFromTheSideThatIsBetter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value        float64
		known, lower bool
		reached      bool
		apart        float64
		what         string
	}{
		{32.5, true, false, true, 2.5, "more of what is better high"},
		{32.5, true, true, false, 2.5, "more of what is better low"},
		{27.5, true, true, true, -2.5, "less of what is better low"},
		{29.96, true, false, true, 0, "what is shown as the target reaches it"},
		{29.94, true, false, false, -0.1, "what is shown as less misses it"},
		{0, false, true, false, 0, "without a value nothing is reached"},
	} {
		if got := domain.Against(30, c.value, c.known, c.lower); got.Reached != c.reached || got.Apart != c.apart || got.Target != 30 {
			t.Errorf("%s: %+v", c.what, got)
		}
	}
}

func TestCountsAreAimedAtByTheMonth(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		unit     domain.Unit
		from, to string
		want     string
	}{
		{domain.Percentage, "2026-01-01", "2026-03-01", "2026-02"}, {domain.Amount, "2026-02-01", "2026-03-01", "2026-02"},
		{domain.Amount, "2026-01-01", "2026-03-01", ""}, {domain.Amount, "2026-02-02", "2026-03-02", ""}, {"", "2026-02-01", "2026-03-01", ""},
		{domain.Percentage, "2026-02-01", "2026-02-01", ""}, {domain.Percentage, "x", "2026-02-01", ""},
	} {
		month, ok := domain.AimedMonth(c.unit, c.from, c.to)
		if ok != (c.want != "") || ok && month != c.want {
			t.Errorf("%v: %q %v", c, month, ok)
		}
	}
}

func TestACentreIsQuietByItsOwnHabit(t *testing.T) {
	t.Parallel()
	today := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	sent := func(id string, days ...int) (out []domain.SentOn) {
		for _, d := range days {
			out = append(out, domain.SentOn{Centre: id, Day: today.AddDate(0, 0, -d).Format(time.DateOnly), N: 1})
		}
		return out
	}
	for name, c := range map[string]struct {
		sent []domain.SentOn
		want string
	}{
		"one that never sent":                          {nil, "a 120 ; "},
		"one that sends every ten days":                {sent("a", 10, 20, 30, 40), ""},
		"one that stopped after many":                  {sent("a", 31, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44), "a 31 2026-10-30; "},
		"one that always sent seldom":                  {sent("a", 30, 70, 110), ""},
		"one of which no habit is known":               {sent("a", 100, 110), ""},
		"not before two weeks":                         {sent("a", 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29), ""},
		"what another centre sent is no it":            {sent("b", 1, 2, 3), "a 120 ; "},
		"what was taken back is nothing that was sent": {[]domain.SentOn{{Centre: "a", Day: "2026-11-29"}}, "a 120 ; "},
	} {
		got := ""
		for _, q := range domain.QuietCentres([]string{"a"}, c.sent, today.Format(time.DateOnly)) {
			got += fmt.Sprintf("%s %d %s; ", q.ID, q.Days, q.Last)
		}
		if got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
	many := slices.Concat(sent("busy", 60, 60, 60, 60, 60, 60, 60, 60, 61, 62, 63), sent("busier", 60, 60, 60, 60, 60, 60, 60, 60, 60, 61, 62, 63))
	got := domain.QuietCentres([]string{"busy", "busier", "never"}, many, today.Format(time.DateOnly))
	if len(got) != 3 || got[0].ID != "never" || got[1].ID != "busier" || got[2].ID != "busy" {
		t.Errorf("the longest silence is not first, then the busiest: %+v", got)
	}
}
