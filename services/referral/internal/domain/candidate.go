package domain

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// What happens to a candidate. Dismissing needs a reason.
const (
	FindCandidate    Action = "find_candidate"
	MergeCandidate   Action = "merge_candidate"
	ReferCandidate   Action = "refer_candidate"
	DismissCandidate Action = "dismiss_candidate"
	CloseCandidate   Action = "close_candidate"
	ReopenCandidate  Action = "reopen_candidate"
	RestCandidate    Action = "rest_candidate"
	ResumeCandidate  Action = "resume_candidate"
)

// CandidateState is how far a candidate is.
type CandidateState string

// The states: waiting for the department; a draft was made; it will not be; a down-referral was sent.
const (
	CandidateOpen      CandidateState = "OPEN"
	CandidateReferred  CandidateState = "REFERRED"
	CandidateDismissed CandidateState = "DISMISSED"
	CandidateClosed    CandidateState = "CLOSED"
)

// Origin is how a candidate was found.
type Origin string

// The origins: an up-referral was concluded, the hospital reported a discharge, a stay is longer than usual.
const (
	OriginConcluded    Origin = "CONCLUDED"
	OriginDischarged   Origin = "DISCHARGED"
	OriginLengthOfStay Origin = "LENGTH_OF_STAY"
)

// Stay is a stay or visit at a county hospital as one source knows it: an up-referral, or the hospital's own system.
type Stay struct {
	County, PatientID              string
	Patient                        Patient
	OrganizationID, DepartmentCode string
	// ReferralID with Number, or EncounterID, names the source.
	ReferralID  string
	Number      Number
	EncounterID string
	// End is zero while the patient is there; Way is how it ended, of one that a hospital's system reported.
	Start, End time.Time
	Way        string
	Diagnoses  []Diagnosis
	// CentreID is where the patient would go, FamilyDoctor the account of who would follow up; empty if not known.
	CentreID, FamilyDoctor string
	Medicines              []Medicine
}

// Match is why a stay makes a candidate: codes of criteria, how it was found, and until when the department is to decide.
type Match struct {
	Stay
	Origin  Origin
	Reasons []string
	Due     time.Time
}

// CandidateSnapshot is a candidate as plain data. It prints as its id.
type CandidateSnapshot struct {
	ID      string
	Version int32
	State   CandidateState
	Match
	DownReferral string
	// UpAgainBy is another up-referral with which the patient comes to the hospital again, or is there; "" for none.
	UpAgainBy             string
	ReasonCode, Note      string
	FoundTime, UpdateTime time.Time
}

// Format prints the id alone: names and clinical text stay out of logs.
func (c CandidateSnapshot) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("candidate " + c.ID)) }

// Waits tells whether the department has still to decide.
func (c CandidateSnapshot) Waits() bool {
	return c.State == CandidateOpen || c.State == CandidateReferred
}

// Urges tells whether the department is urged to decide: nobody goes down who is being sent up again.
func (c CandidateSnapshot) Urges() bool { return c.Waits() && c.UpAgainBy == "" }

// CandidateChange is one thing that happened, for audit and facts.
type CandidateChange struct {
	Action Action
	By     Actor
	At     time.Time
	From   CandidateState
	After  CandidateSnapshot
}

// Opens tells whether the department has the candidate on its list from now on and had not before.
func (c CandidateChange) Opens() bool {
	return c.After.State == CandidateOpen && c.From != CandidateOpen && c.From != CandidateReferred
}

// Told tells whether it is a fact for others: the candidate is on the list or is not any more, rests or waits anew.
func (c CandidateChange) Told() bool {
	return c.Opens() || slices.Contains([]Action{DismissCandidate, RestCandidate, ResumeCandidate}, c.Action)
}

// Candidate is a patient who could go down and has not (应转未转); one stay has at most one. It is the aggregate: only its methods change it.
type Candidate struct {
	s       CandidateSnapshot
	loaded  CandidateSnapshot
	changes []CandidateChange
}

// NewCandidate makes an open one; or, when a down-referral was sent before, one that is closed and that nobody is told of. It refuses a stay
// without patient, hospital, source or beginning, and a match without a reason.
func NewCandidate(id string, m Match, down string, at time.Time) (*Candidate, error) {
	switch {
	case id == "" || m.PatientID == "" || m.OrganizationID == "" || m.Start.IsZero() || m.ReferralID == "" && m.EncounterID == "":
		return nil, &Refusal{Why: Content, Action: FindCandidate, Fields: []Field{required("stay")}}
	case len(m.Reasons) == 0:
		return nil, &Refusal{Why: Content, Action: FindCandidate, Fields: []Field{required("reasons")}}
	}
	c := &Candidate{s: CandidateSnapshot{ID: id, State: CandidateOpen, Match: m, DownReferral: down, FoundTime: at}}
	if down != "" {
		c.s.State = CandidateClosed
	}
	c.note(FindCandidate, "", Actor{}, at)
	return c, nil
}

// RestoreCandidate makes the aggregate of a stored snapshot.
func RestoreCandidate(s CandidateSnapshot) *Candidate { return &Candidate{s: s, loaded: s} }

// Snapshot is the candidate as it is now.
func (c *Candidate) Snapshot() CandidateSnapshot { return c.s }

// Loaded is the candidate as it was read; its version is 0 for a new one.
func (c *Candidate) Loaded() CandidateSnapshot { return c.loaded }

// Changes are what happened since it was read, oldest first.
func (c *Candidate) Changes() []CandidateChange { return slices.Clone(c.changes) }

func (c *Candidate) note(a Action, from CandidateState, by Actor, at time.Time) {
	if len(c.changes) == 0 {
		c.s.Version++
	}
	c.s.UpdateTime = at
	c.changes = append(c.changes, CandidateChange{Action: a, By: by, At: at, From: from, After: c.s})
}

func (c *Candidate) refuse(why Why, a Action, bad ...Field) error {
	return &Refusal{Why: why, Action: a, State: State(c.s.State), Version: c.s.Version, Fields: bad}
}

// slack is how far the ends of one stay may lie apart in two systems: the desk registers an arrival, the ward an admission.
const slack = 24 * time.Hour

// Covers tells whether what another source says is of the same stay: the same source, or the same patient and hospital at the same time.
func (c CandidateSnapshot) Covers(s Stay) bool {
	if c.ReferralID != "" && c.ReferralID == s.ReferralID || c.EncounterID != "" && c.EncounterID == s.EncounterID {
		return true
	}
	// Two referrals, or two encounters, are two stays.
	if c.ReferralID != "" && s.ReferralID != "" || c.EncounterID != "" && s.EncounterID != "" {
		return false
	}
	begins := func(a, b Stay) bool { return b.End.IsZero() || !a.Start.After(b.End.Add(slack)) }
	return c.PatientID == s.PatientID && c.OrganizationID == s.OrganizationID && begins(c.Stay, s) && begins(s, c.Stay)
}

// Merge takes what another source, or the same one later, knows of the stay. A stay that was found too long and is over now is due anew;
// if it had been dismissed because the patient was not stable then, it is open again. So is one whose stay was taken back and is told anew.
func (c *Candidate) Merge(m Match, at time.Time) {
	before, from := c.s, c.s.State
	s := &c.s
	if s.ReferralID == "" && m.ReferralID != "" {
		// The referral knows who sent the patient and is answered in the department that took the patient.
		s.ReferralID, s.Number, s.Patient, s.DepartmentCode = m.ReferralID, m.Number, m.Patient, m.DepartmentCode
		take(&s.CentreID, m.CentreID)
		take(&s.FamilyDoctor, m.FamilyDoctor)
	}
	if before.ReferralID == "" && m.ReferralID == "" {
		// The hospital's system says where the stay was, and may correct it.
		s.OrganizationID, s.DepartmentCode = m.OrganizationID, m.DepartmentCode
	}
	if s.EncounterID == "" {
		s.EncounterID = m.EncounterID
	}
	if m.Start.Before(s.Start) {
		s.Start = m.Start
	}
	if m.End.After(s.End) {
		s.End = m.End
	}
	if s.CentreID == "" {
		s.CentreID = m.CentreID
	}
	if len(m.Medicines) > 0 {
		s.Medicines = m.Medicines
	}
	for _, d := range m.Diagnoses {
		if !slices.Contains(codesOf(s.Diagnoses), d.Code) {
			s.Diagnoses = append(slices.Clone(s.Diagnoses), d)
		}
	}
	for _, r := range m.Reasons {
		if !slices.Contains(s.Reasons, r) {
			s.Reasons = append(slices.Clone(s.Reasons), r)
		}
	}
	if s.Origin == OriginLengthOfStay && m.Origin != OriginLengthOfStay && len(m.Reasons) > 0 {
		s.Origin, s.Due = m.Origin, m.Due
		if s.State == CandidateDismissed && CountsAs(s.ReasonCode) == stillUnstable {
			s.State, s.ReasonCode, s.Note = CandidateOpen, "", ""
		}
	}
	if s.State == CandidateDismissed && CountsAs(s.ReasonCode) == noStay && len(m.Reasons) > 0 {
		s.State, s.ReasonCode, s.Note, s.Due = CandidateOpen, "", "", m.Due
	}
	if !same(before, c.s) {
		c.note(MergeCandidate, from, Actor{}, at)
	}
}

func take(to *string, from string) {
	if from != "" {
		*to = from
	}
}

// same tells whether merging left a candidate as it was.
func same(a, b CandidateSnapshot) bool {
	return a.ReferralID == b.ReferralID && a.EncounterID == b.EncounterID && a.Start.Equal(b.Start) && a.End.Equal(b.End) &&
		a.OrganizationID == b.OrganizationID && a.DepartmentCode == b.DepartmentCode && a.CentreID == b.CentreID && a.Origin == b.Origin &&
		a.State == b.State && slices.Equal(a.Medicines, b.Medicines) && len(a.Diagnoses) == len(b.Diagnoses) &&
		len(a.Reasons) == len(b.Reasons)
}

// Dismissal is why a candidate is taken off the list, by whom has seen Version.
type Dismissal struct {
	Version      int32
	Reason, Note string
}

// Dismiss takes a candidate off the list for a coded reason.
func (c *Candidate) Dismiss(d Dismissal, by Actor, at time.Time) error {
	switch {
	case d.Version == 0:
		return c.refuse(NoVersion, DismissCandidate)
	case d.Version != c.s.Version:
		return c.refuse(Stale, DismissCandidate)
	case !c.s.Waits():
		return c.refuse(NotAvailable, DismissCandidate)
	}
	if bad := checkReason(DismissCandidate, d.Reason, d.Note); len(bad) > 0 {
		return c.refuse(Content, DismissCandidate, bad...)
	}
	from := c.s.State
	c.s.State, c.s.ReasonCode, c.s.Note = CandidateDismissed, d.Reason, d.Note
	c.note(DismissCandidate, from, by, at)
	return nil
}

// Refer notes that a draft was made of an open candidate.
func (c *Candidate) Refer(draftID string, by Actor, at time.Time) error {
	if c.s.State != CandidateOpen {
		return c.refuse(NotAvailable, ReferCandidate)
	}
	c.s.State, c.s.DownReferral = CandidateReferred, draftID
	c.note(ReferCandidate, CandidateOpen, by, at)
	return nil
}

// SentDown closes it, if a down-referral of the patient answers this stay: sent by the same hospital, not before the stay began.
func (c *Candidate) SentDown(down Snapshot, by Actor, at time.Time) {
	if !c.s.Waits() || down.Originator.OrganizationID != c.s.OrganizationID || down.SubmitTime.Before(c.s.Start) {
		return
	}
	from := c.s.State
	c.s.State, c.s.DownReferral = CandidateClosed, down.ID
	c.note(CloseCandidate, from, by, at)
}

// TakenBack opens it again, if this is the down-referral, or the draft, that it waited for no more. The department has until due to decide.
func (c *Candidate) TakenBack(downID string, due time.Time, by Actor, at time.Time) {
	if c.s.DownReferral != downID || c.s.State == CandidateDismissed {
		return
	}
	from := c.s.State
	c.s.State, c.s.DownReferral, c.s.Due = CandidateOpen, "", due
	c.note(ReopenCandidate, from, by, at)
}

// Ended takes it off the list when the stay ended so that nobody can go down: the patient died or went to another hospital.
func (c *Candidate) Ended(died bool, by Actor, at time.Time) {
	if !c.s.Waits() {
		return
	}
	from := c.s.State
	c.s.State, c.s.ReasonCode = CandidateDismissed, needsSpecialist
	if died {
		c.s.ReasonCode = "DIED"
	}
	c.note(DismissCandidate, from, by, at)
}

// NoStay takes it off the list when the stay of an encounter never was. One that an up-referral knows of is a stay all the same, and one that
// somebody has answered, be it with a draft, is theirs to answer.
func (c *Candidate) NoStay(encounterID string, by Actor, at time.Time) {
	if c.s.State != CandidateOpen || c.s.EncounterID != encounterID || c.s.ReferralID != "" {
		return
	}
	c.s.State, c.s.ReasonCode = CandidateDismissed, noStay
	c.note(DismissCandidate, CandidateOpen, by, at)
}

// Draft is the down-referral that a candidate makes, with what the hospital wrote back.
func (c CandidateSnapshot) Draft(reply Reply, kind Kind) Draft {
	d := Draft{
		Direction: Down, Kind: kind, Urgency: UrgencyRoutine, PatientID: c.PatientID, Patient: c.Patient,
		Originator: Party{OrganizationID: c.OrganizationID, DepartmentCode: c.DepartmentCode},
		Receiver:   Party{OrganizationID: c.CentreID}, Diagnoses: c.Diagnoses, Medicines: c.Medicines, FamilyDoctor: c.FamilyDoctor,
		Form: Form{
			Diagnosis: reply.Diagnosis, ExaminationResults: reply.Findings, Treatment: reply.Treatment, NextPlan: reply.NextSteps,
		},
	}
	if d.Form.Diagnosis == "" {
		d.Form.Diagnosis = words(c.Diagnoses)
	}
	if c.ReferralID != "" {
		d.ReplyTo, d.LinkKind = c.ReferralID, LinkAnswers
	}
	return d
}

// DownKind is the likely kind of a down-referral of these conditions (codes of criteria); the doctor may change it.
func DownKind(conditions []string) Kind {
	for _, guess := range []struct {
		kind Kind
		of   string
	}{
		{KindPostoperative, "POSTOPERATIVE"},
		{KindPalliative, "TUMOUR"},
		{KindRehabilitation, "STROKE"},
		{KindChronic, "HYPERTENSION DIABETES CHD COPD CKD TB SMD"},
	} {
		if slices.ContainsFunc(conditions, func(c string) bool { return slices.Contains(strings.Fields(guess.of), c) }) {
			return guess.kind
		}
	}
	return KindRehabilitation
}
