package domain

import (
	"fmt"
	"slices"
	"time"
)

// ByRegistration is the note in the history of an arrival that nobody at the desk made.
const ByRegistration = "由医院登记自动确认"

// Expects tells whether a registration at the receiver that began at an instant is the arrival that the referral waits for: sent before, and
// accepted, or an emergency that needs no answer. An ADVICE waits for nobody.
func (s Snapshot) Expects(registered time.Time) bool {
	open := s.State == StateAccepted || s.State == StateNoShow || s.State == StateSubmitted && s.Kind == KindEmergency
	// Hospitals' systems tell minutes.
	return open && s.Kind != KindAdvice && !registered.Before(s.SubmitTime.Truncate(time.Minute))
}

// DismissRegistration is the action that takes a registration off the desk's list.
const DismissRegistration Action = "dismiss_registration"

// RegistrationState is what became of a registration that was offered.
type RegistrationState string

// States of a registration.
const (
	RegistrationOpen      RegistrationState = "OPEN"
	RegistrationRecorded  RegistrationState = "RECORDED"
	RegistrationDismissed RegistrationState = "DISMISSED"
)

// Registration is a resident whom a county hospital's system registered and who has no referral there.
type Registration struct {
	// ID is the encounter's, Version that of the fact that told it.
	County, ID string
	Version    int32
	State      RegistrationState
	PatientID  string
	Patient    Patient
	// CentreID is the patient's home.
	OrganizationID, DepartmentCode, CentreID string
	// Class is a code of FHIR v3-ActCode.
	Class string
	Start time.Time
	// ReferralID is the arrival that was recorded, Reason and Note why it was dismissed.
	ReferralID, Reason, Note string
	SettleTime               time.Time
}

// Format prints the id in every verb.
func (r Registration) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "registration %s", r.ID) }

// Dismiss is the registration after a person said for a coded reason that it is no referral.
func (r Registration) Dismiss(reason, note string, at time.Time) (Registration, error) {
	if r.State != RegistrationOpen {
		return r, &Refusal{Why: NotAvailable, Action: DismissRegistration, State: State(r.State)}
	}
	if bad := checkReason(DismissRegistration, reason, note); len(bad) > 0 {
		return r, &Refusal{Why: Content, Action: DismissRegistration, State: State(r.State), Fields: bad}
	}
	r.State, r.Reason, r.Note, r.SettleTime = RegistrationDismissed, reason, note, at
	return r, nil
}

// Here tells whether the referral is under way at its receiver, so that a visit there is part of it.
func Here(s State) bool {
	return slices.Contains([]State{StateSubmitted, StateReturned, StateAccepted, StateNoShow, StateArrived, StateAdmitted}, s)
}
