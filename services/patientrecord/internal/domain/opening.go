package domain

import "time"

// Purpose is why somebody looks at what is sensitive.
type Purpose string

// Purposes that may be stated.
const (
	PurposeTreatment    Purpose = "TREATMENT"
	PurposeEmergency    Purpose = "EMERGENCY"
	PurposeFollowUp     Purpose = "FOLLOW_UP"
	PurposeConsultation Purpose = "CONSULTATION"
	PurposePublicHealth Purpose = "PUBLIC_HEALTH"
)

// Known reports whether the purpose is one that may be stated.
func (p Purpose) Known() bool {
	switch p {
	case PurposeTreatment, PurposeEmergency, PurposeFollowUp, PurposeConsultation, PurposePublicHealth:
		return true
	}
	return false
}

// NeedsConsent reports whether the purpose stands on the patient's consent: an emergency and a duty by law do not (个人信息保护法 art. 13).
func (p Purpose) NeedsConsent() bool { return p != PurposeEmergency && p != PurposePublicHealth }

// Opening shows one account what is sensitive about one patient, from From until To (exclusive). It adds nothing to what the account's
// organisation may see otherwise.
type Opening struct {
	ID           string
	Account      string
	Organization string
	PatientID    string
	Purpose      Purpose
	From, To     time.Time
}

// Holds reports whether the opening counts at the given moment.
func (o Opening) Holds(at time.Time) bool { return !o.From.After(at) && o.To.After(at) }
