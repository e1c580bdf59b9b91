package workdays_test

import (
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/workdays"
)

func TestTheShippedYearsHaveTheirHolidaysAndTheDaysWorkedForThem(t *testing.T) {
	t.Parallel()
	days, err := workdays.China()
	if err != nil {
		t.Fatal(err)
	}
	// By the notices: 28 days off and 5 worked in 2025, 33 and 6 in 2026.
	count := map[string][2]int{}
	for day, worked := range days {
		n := count[day[:4]]
		if worked {
			n[1]++
		} else {
			n[0]++
		}
		count[day[:4]] = n
	}
	if count["2025"] != [2]int{28, 5} || count["2026"] != [2]int{33, 6} || len(count) != 2 {
		t.Errorf("days off and worked: %v", count)
	}
	for day, want := range map[string]bool{"2025-10-08": false, "2025-10-11": true, "2026-02-15": false, "2026-09-20": true} {
		if worked, named := days[day]; !named || worked != want {
			t.Errorf("%s: worked %v, named %v", day, worked, named)
		}
	}
}

func TestACalendarThatContradictsItselfIsRefused(t *testing.T) {
	t.Parallel()
	year := func(breaks string) string {
		return "years: [{year: 2026, source: s, certainty: FOUND, breaks: [" + breaks + "]}]"
	}
	for _, c := range []struct{ name, text, want string }{
		{"an unknown key", "years: [{jahr: 2026}]", "jahr"},
		{"no source", "years: [{year: 2026, certainty: FOUND}]", "source"},
		{"no certainty", "years: [{year: 2026, source: s}]", "certainty"},
		{"another year", year("{name: a, from: 2025-01-01, to: 2026-01-01}"), "2025-01-01"},
		{"no date", year("{name: a, from: 2026-01-01, to: x}"), `"x"`},
		{"backwards", year("{name: a, from: 2026-01-02, to: 2026-01-01}"), "before it begins"},
		{"a worked weekday", year("{name: a, from: 2026-01-01, to: 2026-01-01, worked: [2026-01-05]}"), "anyway"},
		{"free and worked", year("{name: a, from: 2026-01-03, to: 2026-01-04, worked: [2026-01-04]}"), "twice"},
		{"no calendar", "years: 1", "cannot unmarshal"},
	} {
		if _, err := workdays.Read([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAHolidayIsADayThatANoticeFrees(t *testing.T) {
	t.Parallel()
	days, err := workdays.China()
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[string]bool{"2026-10-01": true, "2026-10-10": false, "2026-10-11": false, "2026-10-12": false} {
		if days.Free(day) != want {
			t.Errorf("%s: free %v", day, !want)
		}
	}
}
