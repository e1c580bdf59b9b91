package domain

import "time"

// ByRegistration is the note in the history of an arrival that nobody at the desk made.
const ByRegistration = "由医院登记自动确认"

// Expects tells whether a registration at the receiver that began at an instant is the arrival that the referral waits for: sent before, and
// accepted, or an emergency that needs no answer. An ADVICE waits for nobody.
func (s Snapshot) Expects(registered time.Time) bool {
	open := s.State == StateAccepted || s.State == StateNoShow || s.State == StateSubmitted && s.Kind == KindEmergency
	// Hospitals' systems tell minutes.
	return open && s.Kind != KindAdvice && !registered.Before(s.SubmitTime.Truncate(time.Minute))
}
