package domain_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/lunar"
)

func date(t testing.TB, text string) time.Time {
	t.Helper()
	day, ok := domain.ReadDate(text)
	if !ok {
		t.Fatalf("%q is no date", text)
	}
	return day
}

// on lists the days of a pattern within a month.
func on(t testing.TB, p domain.Pattern, month string) []int {
	t.Helper()
	var out []int
	first := date(t, month+"-01")
	for d := first; d.Month() == first.Month(); d = d.AddDate(0, 0, 1) {
		if p.On(d, domain.Weekday(d), lunar.Day) {
			out = append(out, d.Day())
		}
	}
	return out
}

func TestThePatternHasItsDays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, month string
		pattern     domain.Pattern
		want        []int
	}{
		{"Monday and Thursday", "2026-06", domain.Pattern{Code: domain.Weekly, Weekdays: []int{1, 4}}, []int{1, 4, 8, 11, 15, 18, 22, 25, 29}},
		{"every second Sunday: the week of the anchor counts, not its day", "2026-06",
			domain.Pattern{Code: domain.Weekly, Weekdays: []int{7}, Every: 2, Anchor: date(t, "2026-06-03")}, []int{7, 21}},
		{"every second Monday, from an anchor to come", "2026-06",
			domain.Pattern{Code: domain.Weekly, Weekdays: []int{1}, Every: 2, Anchor: date(t, "2026-07-06")}, []int{8, 22}},
		{"market every fifth day", "2026-02", domain.Pattern{Code: domain.Interval, Every: 5, Anchor: date(t, "2026-01-30")}, []int{4, 9, 14, 19, 24}},
		{"market every third day, over the end of a month", "2026-03",
			domain.Pattern{Code: domain.Interval, Every: 3, Anchor: date(t, "2026-02-27")}, []int{2, 5, 8, 11, 14, 17, 20, 23, 26, 29}},
		{"days before the anchor", "2026-01", domain.Pattern{Code: domain.Interval, Every: 10, Anchor: date(t, "2026-02-04")}, []int{5, 15, 25}},
		{"逢三六九, solar", "2026-02", domain.Pattern{Code: domain.SolarDigits, Digits: []int{3, 6, 9}}, []int{3, 6, 9, 13, 16, 19, 23, 26}},
		{"a tenth day: 10, 20, 30", "2026-03", domain.Pattern{Code: domain.SolarDigits, Digits: []int{0}}, []int{10, 20, 30}},
		// 2026-02-17 is the first day of the first month, 10 February the 23rd of the last (小年).
		{"逢三, lunar", "2026-02", domain.Pattern{Code: domain.LunarDigits, Digits: []int{3}}, []int{10, 19}},
		{"逢一, lunar: new year's day", "2026-02", domain.Pattern{Code: domain.LunarDigits, Digits: []int{1}}, []int{8, 17, 27}},
		// 2025 had a leap sixth month from 25 July to 22 August: its days count as those of any other.
		{"逢五, in a leap month", "2025-08", domain.Pattern{Code: domain.LunarDigits, Digits: []int{5}}, []int{8, 18, 27}},
	} {
		if bad := c.pattern.Faults(); len(bad) > 0 {
			t.Errorf("%s: refused %v", c.name, bad)
		}
		if got := on(t, c.pattern, c.month); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestTheLunarDaysArePeoples(t *testing.T) {
	t.Parallel()
	for day, want := range map[string]string{
		"2026-02-17": "正月初一", "2026-02-16": "腊月廿九", "2026-09-25": "八月十五", "2025-07-25": "闰六月初一", "2025-08-22": "闰六月廿九", "2026-10-13": "九月初四",
	} {
		if got := lunar.Name(date(t, day)); got != want {
			t.Errorf("%s is %s, want %s", day, got, want)
		}
	}
}

func TestAPatternWithAGapIsRefused(t *testing.T) {
	t.Parallel()
	anchor := date(t, "2026-01-01")
	for name, p := range map[string]domain.Pattern{
		"pattern":  {Code: "MONTHLY"},
		"weekdays": {Code: domain.Weekly},
		"anchor":   {Code: domain.Weekly, Weekdays: []int{1}, Every: 2},
		"every":    {Code: domain.Interval, Anchor: anchor},
		"digits":   {Code: domain.LunarDigits},
	} {
		if bad := p.Faults(); len(bad) != 1 || bad[0].Field != name {
			t.Errorf("%s: %v", name, bad)
		}
	}
	for name, p := range map[string]domain.Pattern{
		"weekdays": {Code: domain.Weekly, Weekdays: []int{8}},
		"every":    {Code: domain.Interval, Anchor: anchor, Every: 61},
		"digits":   {Code: domain.SolarDigits, Digits: []int{10}},
	} {
		if bad := p.Faults(); len(bad) != 1 || bad[0] != (domain.Fault{Field: name, Reason: domain.FaultRange}) {
			t.Errorf("%s out of range: %v", name, bad)
		}
	}
}
