package duty_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/tongzhen/tongzhen/services/internal/duty"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// at is a time of the week of Monday, 16 March 2026.
func at(z *time.Location, day, hour, minute int) time.Time {
	return time.Date(2026, 3, 15+day, hour, minute, 0, 0, z)
}

func shift(day int, from, to, account string, line int) duty.Shift {
	minutes := func(s string) int {
		var h, m int
		_, _ = fmt.Sscanf(s, "%d:%d", &h, &m)
		return h*60 + m
	}
	return duty.Shift{Weekday: day, From: minutes(from), To: minutes(to), AccountID: account, Line: line}
}

func names(duties []duty.Duty) (out []string) {
	for _, d := range duties {
		out = append(out, d.AccountID)
	}
	return out
}

func TestAShiftOverMidnightGoesOnUntilTheMorning(t *testing.T) {
	t.Parallel()
	z := zone(t, "Asia/Shanghai")
	p := duty.Plan{Shifts: []duty.Shift{
		shift(7, "18:00", "08:00", "night", 0), shift(1, "08:00", "18:00", "day", 0), shift(1, "08:00", "08:00", "second", 1),
	}}
	for _, c := range []struct {
		at   time.Time
		want []string
	}{
		{at(z, 1, 7, 59), []string{"night"}},
		{at(z, 1, 8, 0), []string{"day", "second"}},
		{at(z, 1, 18, 0), []string{"second"}},
		{at(z, 2, 7, 59), []string{"second"}},
		{at(z, 2, 8, 0), nil},
		{at(z, 7, 17, 59), nil},
		{at(z, 7, 18, 0), []string{"night"}},
		{at(z, 7, 10, 0).UTC(), nil},
	} {
		if got := names(p.At(c.at, z, nil)); !slices.Equal(got, c.want) {
			t.Errorf("at %v: %v, want %v", c.at, got, c.want)
		}
	}
}

func TestAShiftFollowsTheClockOnTheWallWhenTheHourChanges(t *testing.T) {
	t.Parallel()
	z := zone(t, "Europe/Berlin")
	p := duty.Plan{Shifts: []duty.Shift{shift(6, "20:00", "08:00", "night", 0)}}
	// In the night to Sunday, 29 March 2026, two o'clock is three o'clock.
	from := time.Date(2026, 3, 28, 12, 0, 0, 0, z)
	on := p.On(from, from.AddDate(0, 0, 1), z, nil)
	if len(on) != 1 || on[0].End.Sub(on[0].Start) != 11*time.Hour || on[0].End.Hour() != 8 {
		t.Errorf("on duty: %+v", on)
	}
}

func TestAHandOverCutsTheDutyAndTheLaterOneHolds(t *testing.T) {
	t.Parallel()
	z := zone(t, "Asia/Shanghai")
	p := duty.Plan{
		Shifts: []duty.Shift{shift(1, "08:00", "18:00", "a", 0), shift(1, "08:00", "18:00", "x", 1)},
		HandOvers: []duty.HandOver{
			{From: "a", To: "c", Start: at(z, 1, 12, 0), End: at(z, 1, 14, 0), WriteTime: at(z, 1, 1, 0)},
			{From: "a", To: "b", Start: at(z, 1, 10, 0), End: at(z, 1, 16, 0), WriteTime: at(z, 1, 0, 0)},
		},
	}
	var got []string
	for _, d := range p.On(at(z, 1, 0, 0), at(z, 2, 0, 0), z, nil) {
		if d.Line == 0 {
			got = append(got, fmt.Sprintf("%s %d-%d %s", d.AccountID, d.Start.Hour(), d.End.Hour(), d.Instead))
		}
	}
	if want := []string{"a 8-10 ", "b 10-12 a", "c 12-14 a", "b 14-16 a", "a 16-18 "}; !slices.Equal(got, want) {
		t.Errorf("duties %q, want %q", got, want)
	}
	// What was handed on can be handed on, and back.
	p.HandOvers = append(p.HandOvers,
		duty.HandOver{From: "b", To: "d", Start: at(z, 1, 10, 0), End: at(z, 1, 11, 0), WriteTime: at(z, 1, 2, 0)},
		duty.HandOver{From: "b", To: "a", Start: at(z, 1, 15, 0), End: at(z, 1, 16, 0), WriteTime: at(z, 1, 3, 0)})
	for hour, want := range map[int]string{10: "d", 11: "b", 12: "c", 15: "a"} {
		if on := p.At(at(z, 1, hour, 30), z, nil); on[0].AccountID != want {
			t.Errorf("at %d: %+v, want %s", hour, on, want)
		}
	}
}

func TestWhoLeftHasNoDutyAndTakesNone(t *testing.T) {
	t.Parallel()
	z := zone(t, "Asia/Shanghai")
	p := duty.Plan{
		Shifts:    []duty.Shift{shift(1, "08:00", "18:00", "a", 0), shift(2, "08:00", "18:00", "left", 0)},
		HandOvers: []duty.HandOver{{From: "a", To: "left", Start: at(z, 1, 0, 0), End: at(z, 2, 0, 0)}},
	}
	active := func(account string) bool { return account != "left" }
	if got := names(p.At(at(z, 1, 9, 0), z, active)); !slices.Equal(got, []string{"a"}) {
		t.Errorf("a duty given to who left: %v", got)
	}
	if got := p.At(at(z, 2, 9, 0), z, active); len(got) > 0 {
		t.Errorf("a duty of who left: %v", got)
	}
}

// Whatever is handed over, and however often: at every moment as many are on duty as the week says.
func TestHandOversNeverMakeAGapNorASecondPerson(t *testing.T) {
	t.Parallel()
	z := zone(t, "Asia/Shanghai")
	random := rand.New(rand.NewPCG(1, 2))
	people := []string{"a", "b", "c", "d"}
	for range 200 {
		var p duty.Plan
		for range 1 + random.IntN(6) {
			p.Shifts = append(p.Shifts, duty.Shift{
				Weekday: 1 + random.IntN(7), From: random.IntN(1440), To: random.IntN(1440), AccountID: people[random.IntN(4)], Line: random.IntN(3),
			})
		}
		plain := duty.Plan{Shifts: p.Shifts}
		for n := range random.IntN(6) {
			start := at(z, 1, 0, random.IntN(7*1440))
			p.HandOvers = append(p.HandOvers, duty.HandOver{
				From: people[random.IntN(4)], To: people[random.IntN(4)], Start: start, End: start.Add(time.Duration(random.IntN(3000)) * time.Minute),
				WriteTime: at(z, 1, 0, n),
			})
		}
		for range 50 {
			when := at(z, 1, 0, random.IntN(7*1440))
			if was, is := plain.At(when, z, nil), p.At(when, z, nil); len(was) != len(is) {
				t.Fatalf("at %v: %d on duty, want %d (%+v)", when, len(is), len(was), p)
			}
		}
	}
}

func TestAShiftIsOfItsDays(t *testing.T) {
	t.Parallel()
	z := zone(t, "Asia/Shanghai")
	until, from := shift(1, "20:00", "08:00", "a", 0), shift(1, "20:00", "08:00", "b", 0)
	until.LastDay, from.FirstDay = "2026-03-16", "2026-03-17"
	p := duty.Plan{Shifts: []duty.Shift{until, from}}
	// The night of the last day goes on until the morning.
	for day, want := range map[int]string{1: "a", 8: "b"} {
		for _, at := range []time.Time{at(z, day, 23, 0), at(z, day+1, 7, 0)} {
			if got := names(p.At(at, z, nil)); !slices.Equal(got, []string{want}) {
				t.Errorf("at %v: %v, want %s", at, got, want)
			}
		}
	}
}
