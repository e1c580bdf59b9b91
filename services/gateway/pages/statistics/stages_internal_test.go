package statistics

import (
	"fmt"
	"testing"
	"time"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

func counted(code string, n, of int64, key ...string) *referralv1.Figure {
	return &referralv1.Figure{Measure: code, Numerator: n, Denominator: of, Key: key}
}

func TestTheStagesSayWhereMostAreLost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		figures []*referralv1.Figure
		want    string
	}{
		"nothing sent": {nil, ""},
		"some are lost on the way": {
			[]*referralv1.Figure{counted("A", 90, 100), counted("B", 60, 100), counted("C", 55, 100)},
			"100 100% -0; 90 90% -10; 60 60% -30 worst; 55 55% -5; ",
		},
		"nobody is lost":              {[]*referralv1.Figure{counted("A", 4, 4), counted("B", 4, 4), counted("C", 4, 4)}, "4 100% -0; 4 100% -0; 4 100% -0; 4 100% -0; "},
		"a later stage may have more": {[]*referralv1.Figure{counted("A", 1, 4), counted("B", 2, 4), counted("C", 2, 4)}, "4 100% -0; 1 25% -3 worst; 2 50% -0; 2 50% -0; "},
	} {
		got := ""
		for _, s := range stagesOf([]string{"A", "B", "C"}, c.figures) {
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
	target := func(organization, department, from, to string, value float64) *referralv1.Target {
		return &referralv1.Target{Measure: "RATE", OrganizationId: organization, DepartmentCode: department, FromMonth: from, ToMonth: to, Value: value}
	}
	all := []*referralv1.Target{target("", "", "", "", 20), target("h", "", "2026-01", "2026-06", 25), target("h", "0304", "2026-03", "", 30)}
	for _, c := range []struct {
		organization, department, month string
		want                            float64
	}{
		{"", "", "2026-02", 20}, {"h", "", "2026-02", 25}, {"h", "", "2026-07", 20}, {"h", "0304", "2026-02", 25}, {"h", "0304", "2026-03", 30},
		{"h", "0304", "2027-03", 30}, {"other", "0304", "2026-03", 20},
	} {
		if got, ok := targetFor(all, "RATE", c.organization, c.department, c.month); !ok || got != c.want {
			t.Errorf("%v: %v %v", c, got, ok)
		}
	}
	if _, ok := targetFor(all, "OTHER", "", "", "2026-02"); ok {
		t.Error("another measure has a target")
	}
}

func TestATargetIsReachedFromTheSideThatIsBetter(t *testing.T) {
	t.Parallel()
	for direction, want := range map[string]bool{"HIGHER_BETTER": true, "LOWER_BETTER": false} {
		if got := aimOf(&referralv1.Measure{Direction: direction}, 30, 32.5, true); got.Reached != want || got.Apart != 2.5 {
			t.Errorf("%s: %+v", direction, got)
		}
	}
	if got := aimOf(&referralv1.Measure{Direction: "HIGHER_BETTER"}, 30, 0, false); got.Reached || !got.Set {
		t.Errorf("without a value: %+v", got)
	}
}

func TestAChangeIsOfThePeriodBefore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		got, want change
	}{
		"more":            {changeOf(110, 100, true, true, false), change{true, 10}},
		"fewer":           {changeOf(1, 3, true, true, false), change{true, -66.7}},
		"from nought":     {changeOf(5, 0, true, true, false), change{}},
		"points":          {changeOf(31.25, 30, true, true, true), change{true, 1.3}},
		"no share before": {changeOf(31, 0, true, false, true), change{}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, not %+v", name, c.got, c.want)
		}
	}
}

func TestACentreIsQuietByItsOwnHabit(t *testing.T) {
	t.Parallel()
	today := time.Date(2026, 11, 30, 10, 0, 0, 0, time.FixedZone("CST", 8*3600))
	sent := func(id string, days ...int) (out []*referralv1.Figure) {
		for _, d := range days {
			f := counted("UP-N", 1, 0, id)
			f.Period = today.AddDate(0, 0, -d).Format(time.DateOnly)
			out = append(out, f)
		}
		return out
	}
	for name, c := range map[string]struct {
		figures []*referralv1.Figure
		want    string
	}{
		"one that never sent":               {nil, "a 120 ; "},
		"one that sends every ten days":     {sent("a", 10, 20, 30, 40), ""},
		"one that stopped after many":       {sent("a", 31, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44), "a 31 2026-10-30; "},
		"one that always sent seldom":       {sent("a", 30, 70, 110), ""},
		"one of which no habit is known":    {sent("a", 100, 110), ""},
		"not before two weeks":              {sent("a", 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29), ""},
		"what another centre sent is no it": {sent("b", 1, 2, 3), "a 120 ; "},
	} {
		got := ""
		for _, q := range quietCentres([]string{"a"}, c.figures, today) {
			got += fmt.Sprintf("%s %d %s; ", q.ID, q.Days, q.Last)
		}
		if got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}
