package domain

import "slices"

// Wait is what a limit runs for. A referral waits for one step at a time, which ends with its state, and beside it for some that do not.
type Wait string

// StateWait is the wait that every change of state ends. The others bear the name of their step.
const StateWait Wait = "STATE"

// WaitOf is the wait that a step is part of.
func WaitOf(step string) Wait {
	if slices.Contains([]string{"CONSENT", "DOWN_DECISION", "NORM_CHECK", "STAY"}, step) {
		return Wait(step)
	}
	return StateWait
}

// ending is a row of the table of what ends which wait.
type ending struct {
	event string
	waits []Wait
}

// endings: a passed limit is no longer true once somebody did what was waited for, or nobody is to do it now. edited is not among them: it is on the way
// there. A candidate that waits anew ends nothing: its limit is a new one.
func endings() []ending {
	const consent, decision, norm, stay Wait = "CONSENT", "DOWN_DECISION", "NORM_CHECK", "STAY"
	return []ending{
		{"returned", []Wait{StateWait}},
		{"resubmitted", []Wait{StateWait}},
		{"redirected", []Wait{StateWait}},
		{"accepted", []Wait{StateWait}},
		{"rebooked", []Wait{StateWait}},
		{"answered", []Wait{StateWait}},
		{"declined", []Wait{StateWait, consent, norm}},
		{"cancelled", []Wait{StateWait, consent, norm}},
		{"arrived", []Wait{StateWait}},
		{"arrival_undone", []Wait{StateWait, stay}},
		{"no_show", []Wait{StateWait}},
		{"admitted", []Wait{StateWait}},
		{"admission_undone", []Wait{StateWait, stay}},
		{"concluded", []Wait{StateWait, stay}},
		{"acknowledged", []Wait{StateWait}},
		{"follow_up_begun", []Wait{StateWait, norm}},
		{"visit_recorded", []Wait{StateWait, norm}},
		{"plan_revised", []Wait{StateWait}},
		{"escalated", []Wait{StateWait, norm}},
		{"completed", []Wait{StateWait, norm}},
		{"consent_recorded", []Wait{consent}},
		{"candidate_dismissed", []Wait{decision, stay}},
		{"candidate_rested", []Wait{decision, stay}},
	}
}

// Ends answers which waits of which referral a fact ends. A down-referral that was sent is the decision about the up-referral that it
// answers.
func Ends(f Fact) (referralID string, waits []Wait) {
	if f.Event == "submitted" && f.Direction == Down && f.ReplyTo != "" {
		return f.ReplyTo, []Wait{"DOWN_DECISION", "STAY"}
	}
	for _, e := range endings() {
		if e.event == f.Event && f.ReferralID != "" {
			return f.ReferralID, e.waits
		}
	}
	return "", nil
}
