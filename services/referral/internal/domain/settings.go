package domain

import (
	"fmt"
	"slices"
	"time"
)

// Settings are what a county may set of the life of a referral. The zero value leaves everything as it is shipped.
type Settings struct {
	// Version is 0 until a county has set something.
	Version int32
	Limits  []Limit
	// Opens and Closes are the working hours, local "HH:MM"; "" as shipped.
	Opens, Closes string
	// Holidays are free although they are weekdays, Workdays are worked although they are not, "2006-01-02"; both go before the shipped
	// calendar.
	Holidays, Workdays []string
	// BounceBackDays: a patient back within so many days of a down-referral is a bounce-back; 0 as shipped.
	BounceBackDays int
}

// Limit is how long a step may take in a direction and urgency. A step has minutes, or working days, or neither where its end is given by
// the case; which, the shipped limits say. 0 is as shipped.
type Limit struct {
	Step        Step
	Direction   Direction
	Urgency     Urgency
	Minutes     int
	WorkingDays int
	// RepeatMinutes lie between the rungs of the ladder; shipped as 0 it is the same clock time on the next working day.
	RepeatMinutes int
}

const (
	minutesOfDay    = 24 * 60
	maxMinutes      = 90 * minutesOfDay
	maxWorkingDays  = 30
	minRepeat       = 5
	maxRepeat       = 30 * minutesOfDay
	maxBounceBack   = 90
	clockLayout     = "15:04"
	shippedOpens    = "08:00"
	shippedCloses   = "18:00"
	shippedBounce   = 14
	slowRepeat      = 3 * minutesOfDay
	urgentRepeat    = 60
	emergencyRepeat = 10
)

// shipped is built once and never written.
var shipped = shippedLimits()

// DefaultSettings are what is shipped. The limits are those of the life-cycle's design; no national document sets any.
func DefaultSettings() Settings {
	return Settings{Limits: slices.Clone(shipped), Opens: shippedOpens, Closes: shippedCloses, BounceBackDays: shippedBounce}
}

// shippedLimits has a row for everything that can be set. What is noticed late but harms nobody soon repeats every three days.
func shippedLimits() []Limit {
	var out []Limit
	add := func(step Step, d Direction, row Limit, urgencies ...Urgency) {
		for _, u := range urgencies {
			row.Step, row.Direction, row.Urgency = step, d, u
			out = append(out, row)
		}
	}
	anyUp := []Urgency{UrgencyEmergency, UrgencyUrgent, UrgencyRoutine}
	anyDown := anyUp[1:]
	const week = 7 * minutesOfDay
	add(StepAnswer, Up, Limit{Minutes: 10, RepeatMinutes: emergencyRepeat}, UrgencyEmergency)
	add(StepAnswer, Up, Limit{Minutes: 2 * 60, RepeatMinutes: urgentRepeat}, UrgencyUrgent)
	add(StepAnswer, Up, Limit{WorkingDays: 1}, UrgencyRoutine)
	add(StepAnswer, Down, Limit{Minutes: 4 * 60, RepeatMinutes: urgentRepeat}, UrgencyUrgent)
	add(StepAnswer, Down, Limit{WorkingDays: 1}, UrgencyRoutine)
	add(StepMissingInformation, Up, Limit{Minutes: 10, RepeatMinutes: emergencyRepeat}, UrgencyEmergency)
	for _, d := range []Direction{Up, Down} {
		add(StepMissingInformation, d, Limit{Minutes: 4 * 60, RepeatMinutes: urgentRepeat}, UrgencyUrgent)
		add(StepMissingInformation, d, Limit{WorkingDays: 3}, UrgencyRoutine)
	}
	add(StepArrival, Up, Limit{Minutes: 4 * 60}, UrgencyEmergency)
	// After the end of the visit. The patient was seen, so the case's urgency does not press any more.
	add(StepReply, Up, Limit{Minutes: minutesOfDay}, anyUp...)
	add(StepAcknowledge, Up, Limit{Minutes: week}, anyUp...)
	add(StepFirstContact, Down, Limit{Minutes: week, RepeatMinutes: slowRepeat}, anyDown...)
	add(StepVisit, Down, Limit{RepeatMinutes: slowRepeat}, anyDown...)
	add(StepConsent, Up, Limit{Minutes: minutesOfDay, RepeatMinutes: minutesOfDay}, UrgencyEmergency)
	add(StepDownDecision, Up, Limit{Minutes: 3 * minutesOfDay, RepeatMinutes: slowRepeat}, anyUp...)
	add(StepNormCheck, Up, Limit{RepeatMinutes: slowRepeat}, anyUp...)
	add(StepNormCheck, Down, Limit{RepeatMinutes: slowRepeat}, anyDown...)
	add(StepStay, Up, Limit{RepeatMinutes: slowRepeat}, anyUp...)
	return out
}

// Whole is the settings with everything that is not set as it is shipped: a row for every limit, in the order of the shipped ones.
func (s Settings) Whole() Settings {
	d := DefaultSettings()
	d.Version, d.Holidays, d.Workdays = s.Version, slices.Clone(s.Holidays), slices.Clone(s.Workdays)
	for _, l := range s.Limits {
		if i := slices.IndexFunc(d.Limits, l.same); i >= 0 {
			row := &d.Limits[i]
			override(&row.Minutes, l.Minutes)
			override(&row.WorkingDays, l.WorkingDays)
			override(&row.RepeatMinutes, l.RepeatMinutes)
		}
	}
	if s.Opens != "" {
		d.Opens = s.Opens
	}
	if s.Closes != "" {
		d.Closes = s.Closes
	}
	override(&d.BounceBackDays, s.BounceBackDays)
	return d
}

// Own is the settings without what is as it is shipped anyway.
func (s Settings) Own() Settings {
	own, d := s, DefaultSettings()
	own.Limits = nil
	for _, l := range s.Limits {
		i := slices.IndexFunc(d.Limits, l.same)
		if i < 0 {
			continue
		}
		forget(&l.Minutes, d.Limits[i].Minutes)
		forget(&l.WorkingDays, d.Limits[i].WorkingDays)
		forget(&l.RepeatMinutes, d.Limits[i].RepeatMinutes)
		if l.Minutes != 0 || l.WorkingDays != 0 || l.RepeatMinutes != 0 {
			own.Limits = append(own.Limits, l)
		}
	}
	forget(&own.Opens, d.Opens)
	forget(&own.Closes, d.Closes)
	forget(&own.BounceBackDays, d.BounceBackDays)
	return own
}

func forget[T comparable](value *T, shipped T) {
	if *value == shipped {
		*value = *new(T)
	}
}

func override(to *int, n int) {
	if n != 0 {
		*to = n
	}
}

// same tells whether two rows are of the same step, direction and urgency.
func (l Limit) same(o Limit) bool {
	return l.Step == o.Step && l.Direction == o.Direction && l.Urgency == o.Urgency
}

// Check refuses settings that no county can have; the names are those of the fields below "settings".
func (s Settings) Check() []Field {
	bad := s.checkLimits()
	whole := s.Whole()
	opens, okOpens := minuteOf(whole.Opens)
	closes, okCloses := minuteOf(whole.Closes)
	switch {
	case !okOpens:
		bad = append(bad, invalid("settings.opens"))
	case !okCloses:
		bad = append(bad, invalid("settings.closes"))
	case closes <= opens:
		bad = append(bad, combination("settings.closes"))
	}
	seen := map[string]bool{}
	bad = append(bad, checkDays(s.Holidays, "holidays", seen)...)
	bad = append(bad, checkDays(s.Workdays, "workdays", seen)...)
	if s.BounceBackDays < 0 || s.BounceBackDays > maxBounceBack {
		bad = append(bad, outOfRange("settings.bounceBackDays"))
	}
	return bad
}

func (s Settings) checkLimits() []Field {
	var bad []Field
	for i, l := range s.Limits {
		at := func(name string) string { return fmt.Sprintf("settings.limits[%d].%s", i, name) }
		known := slices.IndexFunc(shipped, l.same)
		if known < 0 {
			bad = append(bad, unknown(at("step")))
			continue
		}
		if slices.ContainsFunc(s.Limits[:i], l.same) {
			bad = append(bad, combination(at("step")))
		}
		check := func(name string, n, least, most int, settable bool) {
			switch {
			case n == 0:
			case !settable:
				bad = append(bad, combination(at(name)))
			case n < least || n > most:
				bad = append(bad, outOfRange(at(name)))
			}
		}
		row := shipped[known]
		check("minutes", l.Minutes, 1, maxMinutes, row.Minutes > 0)
		check("workingDays", l.WorkingDays, 1, maxWorkingDays, row.WorkingDays > 0)
		check("repeatMinutes", l.RepeatMinutes, minRepeat, maxRepeat, l.Step.Expires() == "")
	}
	return bad
}

// checkDays refuses what is no date, and a day that was said before.
func checkDays(days []string, name string, seen map[string]bool) []Field {
	var bad []Field
	for i, day := range days {
		at := fmt.Sprintf("settings.%s[%d]", name, i)
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			bad = append(bad, invalid(at))
		} else if seen[day] {
			bad = append(bad, combination(at))
		}
		seen[day] = true
	}
	return bad
}

// minuteOf is the minute of the day that "HH:MM" names.
func minuteOf(text string) (int, bool) {
	t, err := time.Parse(clockLayout, text)
	// Parse lets a single digit through.
	if err != nil || len(text) != len(clockLayout) {
		return 0, false
	}
	return t.Hour()*60 + t.Minute(), true
}
