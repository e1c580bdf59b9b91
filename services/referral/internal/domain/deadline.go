package domain

import "time"

// Step is what a referral waits for.
type Step string

// The steps that have a limit.
const (
	StepNone               Step = ""
	StepAnswer             Step = "ANSWER"
	StepMissingInformation Step = "MISSING_INFORMATION"
	StepArrival            Step = "ARRIVAL"
	StepReply              Step = "REPLY"
)

// Shown tells whether the step's end is the referral's due time: the reply is owed after the visit, its limit is watched but no
// clock runs on the lists.
func (s Step) Shown() bool { return s != StepNone && s != StepReply }

const (
	openHour, closeHour = 8, 18
	// stayReminder stands in for a discharge fact where the hospital has no feed.
	stayReminder = 14 * 24 * time.Hour
	day          = 24 * time.Hour
)

// Calendar computes limits in a county's local time. Working hours are Monday to Friday, 08:00 to 18:00; public holidays count as
// working days, so a limit may fall early, never late.
type Calendar struct {
	zone *time.Location
}

// NewCalendar is the calendar of a county in a time zone.
func NewCalendar(zone *time.Location) Calendar { return Calendar{zone} }

// Year is the local year of an instant.
func (c Calendar) Year(at time.Time) int { return at.In(c.zone).Year() }

// Day is the local day [start, end) that an ISO date names.
func (c Calendar) Day(date string) (Window, bool) {
	t, err := time.ParseInLocation(time.DateOnly, date, c.zone)
	if err != nil {
		return Window{}, false
	}
	return Window{t.UTC(), t.AddDate(0, 0, 1).UTC()}, true
}

// due is when a step that begins at an instant runs out.
func (c Calendar) due(step Step, s *Snapshot, at time.Time) time.Time {
	switch step {
	case StepAnswer:
		urgent := 2 * time.Hour
		if s.Direction == Down {
			urgent = 4 * time.Hour
		}
		return c.limit(limits{10 * time.Minute, urgent, 1}, s.Urgency, at)
	case StepMissingInformation:
		return c.limit(limits{10 * time.Minute, 4 * time.Hour, 3}, s.Urgency, at)
	case StepArrival:
		if s.Urgency == UrgencyEmergency {
			return at.Add(4 * time.Hour)
		}
		// The window is half-open: one that ends at midnight ends with the day before.
		return c.endOfDay(s.Expected.To.Add(-time.Microsecond))
	case StepReply:
		if s.State == StateAdmitted {
			return s.AdmitTime.Add(stayReminder)
		}
		return c.endOfDay(s.ArriveTime).Add(day)
	case StepNone:
	}
	return time.Time{}
}

type limits struct {
	emergency, urgent time.Duration
	workingDays       int
}

// limit applies the urgency's limit; emergency and urgent limits run at all hours, the routine one counts working days.
func (c Calendar) limit(l limits, u Urgency, at time.Time) time.Time {
	switch u {
	case UrgencyEmergency:
		return at.Add(l.emergency)
	case UrgencyUrgent:
		return at.Add(l.urgent)
	case UrgencyRoutine:
	}
	return c.workingDaysLater(at, l.workingDays)
}

// workingDaysLater is the same clock time n working days on; outside working hours the clock starts at the next opening.
func (c Calendar) workingDaysLater(at time.Time, n int) time.Time {
	t := c.opening(at.In(c.zone))
	for ; n > 0; n-- {
		t = t.AddDate(0, 0, 1)
		for weekend(t) {
			t = t.AddDate(0, 0, 1)
		}
	}
	return t.UTC()
}

// opening is t itself within working hours, else the next opening.
func (c Calendar) opening(t time.Time) time.Time {
	if !weekend(t) && t.Hour() >= openHour && t.Hour() < closeHour {
		return t
	}
	if weekend(t) || t.Hour() >= closeHour {
		t = t.AddDate(0, 0, 1)
		for weekend(t) {
			t = t.AddDate(0, 0, 1)
		}
	}
	return time.Date(t.Year(), t.Month(), t.Day(), openHour, 0, 0, 0, c.zone)
}

// endOfDay is the local midnight that ends the day of t.
func (c Calendar) endOfDay(t time.Time) time.Time {
	l := t.In(c.zone)
	return time.Date(l.Year(), l.Month(), l.Day()+1, 0, 0, 0, 0, c.zone).UTC()
}

func weekend(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }

// AnswerDue is when the answer to a referral submitted at an instant is due.
func (c Calendar) AnswerDue(d Direction, u Urgency, at time.Time) time.Time {
	return c.due(StepAnswer, &Snapshot{Direction: d, Urgency: u}, at)
}
