package domain_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/workdays"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func china(t testing.TB) domain.Days {
	t.Helper()
	days, err := workdays.China()
	if err != nil {
		t.Fatal(err)
	}
	return domain.Days(days)
}

// county is a calendar with the shipped holidays and what a county has set.
func county(t testing.TB, s domain.Settings) domain.Calendar {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return domain.NewCalendar(zone, s, china(t))
}

func TestARoutineAnswerSkipsHolidaysAndCountsTheDaysWorkedForThem(t *testing.T) {
	t.Parallel()
	cal := county(t, domain.Settings{})
	for _, c := range []struct{ at, due string }{
		{"2026-09-30 09:30", "2026-10-08 09:30"}, // Wednesday before National Day → Thursday after it
		{"2026-09-30 18:30", "2026-10-09 08:00"}, // the clock starts on Thursday the 8th
		{"2026-10-03 12:00", "2026-10-09 08:00"}, // within the holiday
		{"2026-10-07 23:59", "2026-10-09 08:00"}, // just before midnight
		{"2026-10-08 00:00", "2026-10-09 08:00"}, // at midnight
		{"2026-10-09 17:59", "2026-10-10 17:59"}, // Friday → the Saturday that is worked
		{"2026-10-10 10:00", "2026-10-12 10:00"}, // that Saturday → Monday
		{"2026-09-18 09:00", "2026-09-20 09:00"}, // Friday → the Sunday that is worked; Saturday is free
		{"2026-02-13 09:00", "2026-02-14 09:00"}, // before the Spring Festival, a worked Saturday
		{"2026-02-14 09:00", "2026-02-24 09:00"},
		{"2026-12-31 09:00", "2027-01-01 09:00"}, // nobody has announced 2027: weekends only, early and never late
	} {
		if got := cal.AnswerDue(domain.Up, domain.UrgencyRoutine, inZone(t, c.at)); !got.Equal(inZone(t, c.due)) {
			t.Errorf("%s: due %s, want %s", c.at, got.In(inZone(t, c.due).Location()).Format(local), c.due)
		}
	}
}

func TestNoHolidayHoldsAnUrgentLimitBack(t *testing.T) {
	t.Parallel()
	cal := county(t, domain.Settings{})
	at := inZone(t, "2026-10-01 23:50")
	if got := cal.AnswerDue(domain.Up, domain.UrgencyEmergency, at); !got.Equal(at.Add(10 * time.Minute)) {
		t.Errorf("emergency: %v", got)
	}
	if got := cal.AnswerDue(domain.Down, domain.UrgencyUrgent, at); !got.Equal(at.Add(4 * time.Hour)) {
		t.Errorf("urgent, down: %v", got)
	}
}

func TestACountysOwnDaysAndHoursGoBeforeTheShippedOnes(t *testing.T) {
	t.Parallel()
	cal := county(t, domain.Settings{
		Opens: "09:00", Closes: "16:30", Holidays: []string{"2026-10-08", "2026-10-10"}, Workdays: []string{"2026-10-05"},
		Limits: []domain.Limit{{Step: domain.StepAnswer, Direction: domain.Up, Urgency: domain.UrgencyUrgent, Minutes: 45}},
	})
	for _, c := range []struct {
		urgency domain.Urgency
		at, due string
	}{
		{domain.UrgencyRoutine, "2026-09-30 10:00", "2026-10-05 10:00"},
		{domain.UrgencyRoutine, "2026-09-30 16:30", "2026-10-09 09:00"}, // closed: the clock starts on the 5th
		{domain.UrgencyRoutine, "2026-10-05 16:29", "2026-10-09 16:29"},
		{domain.UrgencyRoutine, "2026-10-09 08:59", "2026-10-12 09:00"}, // the worked Saturday is free here
		{domain.UrgencyUrgent, "2026-10-02 02:00", "2026-10-02 02:45"},
	} {
		if got := cal.AnswerDue(domain.Up, c.urgency, inZone(t, c.at)); !got.Equal(inZone(t, c.due)) {
			t.Errorf("%s at %s: due %s, want %s", c.urgency, c.at, got.In(inZone(t, c.due).Location()).Format(local), c.due)
		}
	}
	if got := cal.AnswerDue(domain.Down, domain.UrgencyUrgent, inZone(t, "2026-10-02 02:00")); !got.Equal(inZone(t, "2026-10-02 06:00")) {
		t.Errorf("the other direction moved: %v", got)
	}
}

// Whatever a county sets and whenever it begins: a limit never ends before it began, a routine one ends within working hours, and it
// never shrinks when it begins later.
func TestALimitEndsAfterItsBeginningAndARoutineOneWithinWorkingHours(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	begin, days := inZone(t, "2025-01-01 00:00"), china(t)
	for range 100 {
		s := randomSettings(random)
		if bad := s.Check(); len(bad) > 0 {
			t.Fatalf("the test made settings that no county can have: %v", bad)
		}
		cal := domain.NewCalendar(begin.Location(), s, days)
		at := begin
		var last time.Time
		for range 50 {
			at = at.Add(time.Duration(random.IntN(30*24*60)) * time.Minute)
			for _, d := range []domain.Direction{domain.Up, domain.Down} {
				for _, u := range []domain.Urgency{domain.UrgencyEmergency, domain.UrgencyUrgent, domain.UrgencyRoutine} {
					if due := cal.AnswerDue(d, u, at); !due.After(at) {
						t.Fatalf("%s %s at %v: due %v", d, u, at, due)
					}
				}
			}
			due := cal.AnswerDue(domain.Up, domain.UrgencyRoutine, at)
			if !within(days, s, due.In(begin.Location())) {
				t.Fatalf("at %v: due %v, which nobody works (%+v)", at, due, s)
			}
			if due.Before(last) {
				t.Fatalf("at %v: due %v, before %v of an earlier one", at, due, last)
			}
			last = due
		}
	}
}

func randomSettings(random *rand.Rand) domain.Settings {
	opens := random.IntN(12)
	s := domain.Settings{
		Opens: fmt.Sprintf("%02d:%02d", opens, random.IntN(60)), Closes: fmt.Sprintf("%02d:00", opens+1+random.IntN(23-opens)),
		Limits: []domain.Limit{{Step: domain.StepAnswer, Direction: domain.Up, Urgency: domain.UrgencyRoutine, WorkingDays: random.IntN(6)}},
	}
	first := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, day := range random.Perm(1500)[:random.IntN(100)] {
		date := first.AddDate(0, 0, day).Format(time.DateOnly)
		if i%2 == 0 {
			s.Holidays = append(s.Holidays, date)
		} else {
			s.Workdays = append(s.Workdays, date)
		}
	}
	return s
}

// within tells by other means than the calendar whether a county works at an instant.
func within(days domain.Days, s domain.Settings, l time.Time) bool {
	date, clock := l.Format(time.DateOnly), l.Format("15:04")
	works := !strings.HasPrefix(l.Weekday().String(), "S")
	if worked, named := days[date]; named {
		works = worked
	}
	works = works && !slices.Contains(s.Holidays, date) || slices.Contains(s.Workdays, date)
	return works && clock >= s.Opens && clock < s.Closes
}
