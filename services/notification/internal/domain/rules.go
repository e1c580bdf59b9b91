// Package domain holds who is told of what, and the entry in a person's inbox.
//
// Owns: the rules and the ladders, as two tables; which wait a fact ends; the life of an entry (open, then acknowledged, never back).
// Refuses: an entry without a fact, a person, and a referral, a candidate, a glass (a use of break-glass) or a stay.
package domain

import "slices"

// To says whom a rule means. What is said of a receiver or an originator holds in both directions: a department of the county hospital
// on the one side, a township centre on the other.
type To uint8

// The people a rule may mean.
const (
	Nobody              To = iota
	Intake                 // who takes in what comes: the desk of a hospital; a centre has none, so its doctors and head
	Receiver               // who has the case: desk, specialists and head of the department; the doctors of a centre
	ReceiverDoctors        // specialists of the department; the doctors of a centre
	ReceiverHead           // head of the department; of a centre
	ReceiverDepartment     // specialists and head of the department
	FamilyDoctor           // who follows the patient up, or the centre's doctors when there is none
	Originator             // who wrote the referral, or the centre's doctors, or the department, when that account is gone
	OriginatorHead         // head of the centre; of the department
	CandidateDepartment    // specialists and head of the department that a candidate is with
	CountyAdmin            // the administrators of the county, wherever they work
	HomeCentre             // head and doctors of the patient's home centre, unless it was they
	Auditors               // the auditors of the county, wherever they work
	Sides                  // desk, doctors and head of both organisations, but of the one that did it
	HomeHead               // head of the patient's home centre, unless it was they
	Holders                // desk, doctors and head of whoever has a care relation, but of the one that did it and of the home centre
)

// When narrows a rule.
type When uint8

// The conditions.
const (
	Always       When = iota
	Emergency         // the referral is an emergency
	Sent              // the referral was sent before: nobody has seen a draft
	ByOriginator      // somebody of the originating organisation did it
	ByReceiver        // somebody else did
	NoReferral        // it is about a patient, and no referral
)

// Rule is one row of the table: a fact, and whom it reaches.
type Rule struct {
	Event string
	To    To
	When  When
}

// Rules is the table of facts. One that is not in it reaches nobody.
func Rules() []Rule {
	return []Rule{
		{"submitted", Intake, Always},
		{"submitted", ReceiverDepartment, Emergency},
		{"resubmitted", Intake, Always},
		{"redirected", Intake, Always},
		{"redirected", Originator, Always},
		{"accepted", Originator, Always},
		{"rebooked", Originator, Always},
		{"returned", Originator, Always},
		{"declined", Originator, Always},
		{"answered", Originator, Always},
		{"cancelled", Intake, Sent},
		{"departed", Intake, Always},
		{"arrived", Originator, Always},
		{"admitted", Originator, Always},
		{"no_show", Originator, Always},
		{"concluded", Originator, Always},
		{"acknowledged", Intake, Always},
		{"follow_up_begun", Originator, Always},
		{"escalated", Originator, Always},
		{"completed", Originator, Always},
		{"message_posted", Receiver, ByOriginator},
		{"message_posted", Originator, ByReceiver},
		{"corrected", Receiver, ByOriginator},
		{"corrected", Originator, ByReceiver},
		{"assessed", Originator, Always},
		{"consent_recorded", Intake, Always},
		{"bounce_back_found", Originator, Always},
		{"bounce_back_found", ReceiverHead, Always},
		{"person_merged", Intake, Always},
		{"person_merged", Originator, Always},
		{"candidate_found", CandidateDepartment, Always},
		{GlassBroken, HomeCentre, Always},
		{GlassBroken, Auditors, Always},
		{VisitDeclared, HomeCentre, Always},
		{ConsentWithdrawn, Sides, Always},
		{ConsentWithdrawn, HomeHead, NoReferral},
		{ConsentWithdrawn, Holders, NoReferral},
		{EncounterOpened, HomeCentre, Always},
		{EncounterClosed, HomeCentre, Always},
		{EncounterCancelled, HomeCentre, Always},
	}
}

// Events of the patient-record service: somebody without a relation to a patient sees the record; the patient withdrew a consent.
const (
	GlassBroken   = "glass_broken"
	VisitDeclared = "visit_declared"
	// ConsentWithdrawn: the record goes no further with a referral (the sides); or what is sensitive is shown to nobody by that consent any
	// more (the home centre's head and whoever has a relation).
	ConsentWithdrawn = "consent_withdrawn"
)

// Events of the patient-record service about stays in wards, as they are told; see Stay.News.
const (
	EncounterOpened    = "encounter_opened"
	EncounterClosed    = "encounter_closed"
	EncounterCancelled = "encounter_cancelled"
)

// DeadlinePassed is the event that climbs the ladders.
const DeadlinePassed = "deadline_passed"

// Directions of a referral. Either is a ladder's for both.
const (
	Either = ""
	Up     = "UP"
	Down   = "DOWN"
)

// Ladder is who is told when a limit has passed and time goes on: First at level 1, Second at level 2, Top from level 3 on.
type Ladder struct {
	Step, Direction    string
	First, Second, Top To
}

// Ladders is the table of passed limits. ARRIVAL has none: no_show tells the originator to call the patient; nor has ACKNOWLEDGE.
func Ladders() []Ladder {
	return []Ladder{
		{"ANSWER", Up, Intake, ReceiverHead, CountyAdmin},
		{"ANSWER", Down, ReceiverDoctors, ReceiverHead, CountyAdmin},
		{"MISSING_INFORMATION", Either, Originator, OriginatorHead, CountyAdmin},
		{"REPLY", Either, ReceiverDoctors, ReceiverHead, CountyAdmin},
		{"FIRST_CONTACT", Either, FamilyDoctor, ReceiverHead, CountyAdmin},
		{"VISIT", Either, FamilyDoctor, ReceiverHead, CountyAdmin},
		{"DOWN_DECISION", Either, ReceiverDoctors, ReceiverHead, CountyAdmin},
		{"STAY", Either, ReceiverDoctors, Nobody, Nobody},
		{"CONSENT", Either, Originator, OriginatorHead, Nobody},
		// What a national norm asks for is the township's, wherever it stands.
		{"NORM_CHECK", Up, Originator, OriginatorHead, Nobody},
		{"NORM_CHECK", Down, FamilyDoctor, ReceiverHead, Nobody},
	}
}

func (l Ladder) rung(level int32) To {
	switch {
	case level <= 0:
		return Nobody
	case level == 1:
		return l.First
	case level == 2:
		return l.Second
	}
	return l.Top
}

// Events are the events of referrals that reach somebody or end a wait, sorted.
func Events() []string {
	events := []string{DeadlinePassed}
	for _, r := range Rules() {
		if !slices.Contains([]string{GlassBroken, VisitDeclared, ConsentWithdrawn, EncounterOpened, EncounterClosed, EncounterCancelled}, r.Event) {
			events = append(events, r.Event)
		}
	}
	for _, e := range endings() {
		events = append(events, e.event)
	}
	slices.Sort(events)
	return slices.Compact(events)
}
