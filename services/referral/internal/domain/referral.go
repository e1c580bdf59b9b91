// Package domain holds what a referral is and what may happen to it.
//
// Owns: the life-cycle table, the aggregate [Referral] with its content rules, numbers, limits and reason codes. Refuses: every
// transition that the table does not have, every content that the national form does not allow. It knows no clock, no storage and no
// wire; instants and identities are given. Values are not safe for concurrent use.
package domain

import (
	"fmt"
	"slices"
	"time"
)

// Snapshot is a referral as plain data, for storage and answers. It prints as its id.
type Snapshot struct {
	ID, County string
	Number     Number
	Version    int32
	State      State
	Direction  Direction
	Kind       Kind
	Urgency    Urgency

	PatientID  string
	Patient    Patient
	Originator Party
	// AccountID is the account that created it.
	AccountID string
	Receiver  Party

	Diagnoses       []Diagnosis
	Form            Form
	Consent         Consent
	TransferNote    string
	Transport       string
	OriginatorPhone string

	// HoldID is the hold attached at submission, until accepted, declined, redirected or cancelled; HoldLost says that one was asked for and could not be attached.
	HoldID   string
	HoldLost bool
	Booking  Booking
	// WalkIn says that Expected is a walk-in window, else it is that of the booking.
	WalkIn   bool
	Expected Window

	Ward, Bed string
	Outcome   string
	Reply     Reply
	// ReasonCode and Note of the last negative answer.
	ReasonCode, Note string

	// ArrivedFrom is the state that an undone arrival goes back to.
	ArrivedFrom State
	SubmitTime  time.Time
	ArriveTime  time.Time
	AdmitTime   time.Time
	DueTime     time.Time
	CreateTime  time.Time
	UpdateTime  time.Time
}

// Format prints the id alone: names and clinical text stay out of logs.
func (s Snapshot) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("referral " + s.ID)) }

// guarded states are those in which a patient has an open referral.
func guarded() []State {
	return []State{StateSubmitted, StateReturned, StateAccepted, StateNoShow, StateArrived, StateAdmitted}
}

// Guard is the key that at most one open referral may have: patient, kind and the two organisations. Empty when none is held.
func (s Snapshot) Guard() string {
	if s.Kind == KindAdvice || !slices.Contains(guarded(), s.State) {
		return ""
	}
	return s.PatientID + "|" + string(s.Kind) + "|" + s.Originator.OrganizationID + "|" + s.Receiver.OrganizationID
}

// Side is how an organisation stands to the referral: originator, receiver, or "" for neither. A draft is its originator's alone.
func (s Snapshot) Side(organizationID string) Side {
	switch {
	case organizationID == "":
		return ""
	case organizationID == s.Originator.OrganizationID:
		return Originator
	case organizationID == s.Receiver.OrganizationID && s.State != StateDraft && s.Number != "":
		return Receiver
	}
	return ""
}

// Holds tells whether the referral still names a hold: attached and not finally answered (open), or booked (settled).
func (s Snapshot) Holds(holdID string) (open, settled bool) {
	if holdID == "" {
		return false, false
	}
	return s.HoldID == holdID && slices.Contains([]State{StateSubmitted, StateReturned}, s.State), s.Booking.HoldID == holdID
}

// Deadline is a waiting step with its limit.
type Deadline struct {
	Step Step
	Due  time.Time
}

// Change is one row of the table applied: what history, deadlines, audit and facts are derived from.
type Change struct {
	Action   Action
	From     State
	By       Actor
	At       time.Time
	Reason   string
	Note     string
	Detail   map[string]string
	Deadline Deadline
	// KeepDeadline: the open step, if any, goes on.
	KeepDeadline bool
	// Hold and Booking are what the change attaches, settles or frees.
	HoldID, BookingID string
	// FormerReceiver is the organisation that gave the referral on.
	FormerReceiver string
	// After is the referral after the change.
	After Snapshot
}

// Referral is the aggregate. Only [Referral.Decide] changes it.
type Referral struct {
	s       Snapshot
	loaded  Snapshot
	changes []Change
}

// New makes a referral that does not exist yet; its first command is create.
func New(id, county string) *Referral {
	return &Referral{s: Snapshot{ID: id, County: county}}
}

// Restore makes the aggregate of a stored snapshot.
func Restore(s Snapshot) *Referral { return &Referral{s: s, loaded: s} }

// Snapshot is the referral as it is now.
func (r *Referral) Snapshot() Snapshot { return r.s }

// Loaded is the referral as it was read; its version is 0 for a new one.
func (r *Referral) Loaded() Snapshot { return r.loaded }

// Changes are the transitions since it was read, oldest first.
func (r *Referral) Changes() []Change { return slices.Clone(r.changes) }

// Format prints the id alone.
func (r *Referral) Format(f fmt.State, verb rune) { r.s.Format(f, verb) }
