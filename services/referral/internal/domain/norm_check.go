package domain

import "slices"

// NormCheck is a check that a norm asks of the township for a referral, on the work list until it is made.
type NormCheck struct {
	Code string
	// Due is the local day.
	Due string
}

// The results of a check: the patient went, did not go, could not be reached, or died.
func CheckResults() []string { return []string{"WENT", "NOT_GONE", "NOT_REACHED", "DIED"} }

// MadeCheck is what a norm's check found. Open are the referral's open checks, itself among them.
type MadeCheck struct {
	Code, Result string
	Open         []NormCheck
}

// Checked notes on the timeline that a norm's check was made. The reminder runs to the next open check, or stops with the last.
func (r *Referral) Checked(made MadeCheck, c Command, cal Calendar) error {
	if !slices.Contains(CheckResults(), made.Result) {
		field := unknown("result")
		if made.Result == "" {
			field = required("result")
		}
		return &Refusal{Why: Content, Action: MarkNormCheck, State: r.s.State, Version: r.s.Version, Fields: []Field{field}}
	}
	change := Change{
		Action: MarkNormCheck, Mark: true, From: r.s.State, By: c.By, At: c.At, Note: c.Carry.Note, KeepDeadline: true,
		Detail: detail("code", made.Code, "result", made.Result),
	}
	change.made(made.Open, cal, func(n NormCheck) bool { return n.Code == made.Code })
	r.note(r.s, change)
	return nil
}

// made takes checks off the open ones: the reminder of the earliest goes on, runs anew to what is the earliest now, or stops.
func (change *Change) made(open []NormCheck, cal Calendar, is func(NormCheck) bool) {
	left := slices.DeleteFunc(slices.Clone(open), is)
	was, now := earliest(open), earliest(left)
	if was == now {
		return
	}
	reminder := Deadline{Step: StepNormCheck}
	if day, ok := cal.Day(now); ok {
		reminder.Due = day.To
	}
	change.Aside = append(change.Aside, reminder)
}

// earliest is the day of the check that is due first; "" for none. ISO dates sort as text.
func earliest(checks []NormCheck) string {
	var day string
	for _, n := range checks {
		if day == "" || n.Due < day {
			day = n.Due
		}
	}
	return day
}
