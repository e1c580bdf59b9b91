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

// Checked notes on the timeline that a norm's check was made. Last: no other check of the referral is open, so the reminder stops.
func (r *Referral) Checked(code, result string, last bool, c Command) error {
	if !slices.Contains(CheckResults(), result) {
		field := unknown("result")
		if result == "" {
			field = required("result")
		}
		return &Refusal{Why: Content, Action: MarkNormCheck, State: r.s.State, Version: r.s.Version, Fields: []Field{field}}
	}
	change := Change{
		Action: MarkNormCheck, Mark: true, From: r.s.State, By: c.By, At: c.At, Note: c.Carry.Note, KeepDeadline: true,
		Detail: detail("code", code, "result", result),
	}
	if last {
		change.Aside = []Deadline{{Step: StepNormCheck}}
	}
	r.note(r.s, change)
	return nil
}
