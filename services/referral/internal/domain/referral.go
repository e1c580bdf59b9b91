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

	Diagnoses []Diagnosis
	// ExamItems are what an EXAM asks for.
	ExamItems []Diagnosis
	// Modality is the kind of device that an EXAM needs; empty: not said.
	Modality        string
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
	// Supplemented names what the sender changed since the receiver last asked for more.
	Supplemented []string

	// ReplyTo is the referral that this one follows, in the way of LinkKind. Escalated, DownReferral, BounceBackOf and BouncedBy name
	// others that follow this one or that it was found to belong to.
	ReplyTo   string
	LinkKind  LinkKind
	Escalated string
	// DownReferral is the sent down-referral that answers this one; DownArrived is when its patient came.
	DownReferral string
	DownArrived  time.Time
	BounceBackOf string
	BouncedBy    string
	// Retrospective: recorded after the patient had come without a referral (体系外).
	Retrospective bool
	Destination   string

	// Values are what the doctor found, for the criteria.
	Values []ClinicalValue
	// MatchedCriteria are the codes of the rules that were met when it was last sent.
	MatchedCriteria []string
	// Completeness of what was handed over when it was last sent; of its statuses only what is missing is kept.
	Completeness Completeness
	Medicines    []Medicine
	Plan         FollowUpPlan
	FamilyDoctor string

	// Verdict of the county on the referral, the latest one.
	Verdict     Verdict
	VerdictNote string
	// DepartTime and ExpectedArrival: the patient is on the way.
	DepartTime      time.Time
	ExpectedArrival time.Time
	// Corrections counts the versions of sealed content beside the first.
	Corrections int

	// FirstDue is the limit of the first answer, AnswerTime and FirstAnswer what came of it.
	FirstDue    time.Time
	AnswerTime  time.Time
	FirstAnswer Action
	// MissedSteps are the main steps whose limit passed since each of them last began: what no history tells in the open.
	MissedSteps []Step
	// FirstReason is the reason that came with the first answer, if that was a negative one.
	FirstReason string

	// AcceptTime and NoShowTime are when it was first accepted and when the patient first did not come, FollowUpTime when the follow-up began.
	AcceptTime   time.Time
	NoShowTime   time.Time
	FollowUpTime time.Time

	// ArrivedFrom is the state that an undone arrival goes back to.
	ArrivedFrom State
	SubmitTime  time.Time
	// WrittenTime is when it was written on a blank form while the system was away; SubmitTime is then when it was entered.
	WrittenTime time.Time
	ArriveTime  time.Time
	AdmitTime   time.Time
	// ConcludeTime ends the county's part, CloseTime the referral.
	ConcludeTime time.Time
	CloseTime    time.Time
	DueTime      time.Time
	CreateTime   time.Time
	UpdateTime   time.Time
}

// Missed tells whether the limit of a main step passed since it last began.
func (s Snapshot) Missed(step Step) bool { return slices.Contains(s.MissedSteps, step) }

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

// LinkKind is how a referral follows another.
type LinkKind string

// The links: a down-referral answers an up-referral, a patient got worse during follow-up, an ADVICE was converted.
const (
	LinkAnswers   LinkKind = "ANSWERS"
	LinkWorsened  LinkKind = "WORSENED"
	LinkConverted LinkKind = "CONVERTED"
)

// Change is one row of the table applied, or a mark: what history, deadlines, audit and facts are derived from.
type Change struct {
	Action Action
	// Mark: no transition; state and version stay.
	Mark     bool
	From     State
	By       Actor
	At       time.Time
	Reason   string
	Note     string
	Detail   map[string]string
	Deadline Deadline
	// KeepDeadline: the open step, if any, goes on.
	KeepDeadline bool
	// Aside are steps that run beside the main one: those to start, or with no Due those to stop.
	Aside []Deadline
	// Norms are the checks that national norms ask of the township from now on.
	Norms []NormCheck
	// NormsMade are the codes of open checks that the change makes, with the result in its detail if it has one.
	NormsMade []string
	// Today is the county's local day of At.
	Today string
	// Hold and Booking are what the change attaches, settles or frees.
	HoldID, BookingID string
	// FormerBookingID is the booking that BookingID took the place of.
	FormerBookingID string
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
