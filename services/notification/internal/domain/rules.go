// Package domain holds who is told of what, and the entry in a person's inbox.
//
// Owns: what a rule and a ladder mean (the tables themselves are data, in internal/rules); which wait a fact ends; the life of an entry (open,
// then acknowledged, never back); on which channels a person is told, and when; the alarm that rings until somebody acknowledges.
// Refuses: an entry without a fact, a person, and a referral, a candidate, a glass (a use of break-glass), a stay or a clinic session.
package domain

import "slices"

// To says whom a rule means. What is said of a receiver or an originator holds in both directions: a department of the county hospital
// on the one side, a township centre on the other.
type To string

// The people a rule may mean.
const (
	Nobody              To = ""
	Intake              To = "INTAKE"               // who takes in what comes: the desk of a hospital; a centre has none, so its doctors and head
	Receiver            To = "RECEIVER"             // who has the case: desk, specialists and head of the department; the doctors of a centre
	ReceiverDoctors     To = "RECEIVER_DOCTORS"     // specialists of the department; the doctors of a centre
	ReceiverHead        To = "RECEIVER_HEAD"        // head of the department; of a centre
	ReceiverDepartment  To = "RECEIVER_DEPARTMENT"  // specialists and head of the department
	FamilyDoctor        To = "FAMILY_DOCTOR"        // who follows the patient up, or the centre's doctors when there is none
	Originator          To = "ORIGINATOR"           // who wrote the referral, or the centre's doctors, or the department, when that account is gone
	OriginatorHead      To = "ORIGINATOR_HEAD"      // head of the centre; of the department
	CandidateDepartment To = "CANDIDATE_DEPARTMENT" // specialists and head of the department that a candidate is with
	CountyAdmin         To = "COUNTY_ADMIN"         // the administrators of the county, wherever they work
	HomeCentre          To = "HOME_CENTRE"          // head and doctors of the patient's home centre, unless it was they
	Auditors            To = "AUDITORS"             // the auditors of the county, wherever they work
	Sides               To = "SIDES"                // desk, doctors and head of both organisations, but of the one that did it
	HomeHead            To = "HOME_HEAD"            // head of the patient's home centre, unless it was they
	Holders             To = "HOLDERS"              // desk, doctors and head of whoever has a care relation, but of the one that did it and of the home centre
	OnDutyIntake        To = "ON_DUTY_INTAKE"       // who is on duty at the desk, at a centre; all that Intake means when nobody is planned
	OnDutyDepartment    To = "ON_DUTY_DEPARTMENT"   // who is on duty in the department; all that ReceiverDepartment means when nobody is planned
	SecondLine          To = "SECOND_LINE"          // who is behind those on duty, at either post; nobody when nobody is planned
	IntakeGroup         To = "INTAKE_GROUP"         // the receiving organisation's group
	DepartmentGroup     To = "DEPARTMENT_GROUP"     // the receiving department's group
	OriginatorGroup     To = "ORIGINATOR_GROUP"     // the sending organisation's group
	Patient             To = "PATIENT"              // the patient, by the number and with the consent that the record has
)

// Recipients there are, for who reads the tables.
func recipients() []To {
	return []To{
		Intake, Receiver, ReceiverDoctors, ReceiverHead, ReceiverDepartment, FamilyDoctor, Originator, OriginatorHead, CandidateDepartment, CountyAdmin,
		HomeCentre, HomeHead, Holders, Auditors, Sides, OnDutyIntake, OnDutyDepartment, SecondLine, IntakeGroup, DepartmentGroup, OriginatorGroup, Patient,
	}
}

// Valid tells whether it is one of the words.
func (t To) Valid() bool { return slices.Contains(recipients(), t) }

// Group tells that a group is meant, and no person.
func (t To) Group() bool { return t == IntakeGroup || t == DepartmentGroup || t == OriginatorGroup }

// When narrows a rule.
type When string

// The conditions.
const (
	Always          When = ""
	Emergency       When = "EMERGENCY"        // the referral is an emergency
	Sent            When = "SENT"             // the referral was sent before: nobody has seen a draft
	ByOriginator    When = "BY_ORIGINATOR"    // somebody of the originating organisation did it
	ByReceiver      When = "BY_RECEIVER"      // somebody else did
	Booked          When = "BOOKED"           // a booking goes with it
	WithReferral    When = "WITH_REFERRAL"    // it is about a referral
	WithoutReferral When = "WITHOUT_REFERRAL" // it is about none
	FirstRing       When = "FIRST_RING"       // of an alarm
	ThirdRing       When = "THIRD_RING"       // from the third on
	SecondLevel     When = "SECOND_LEVEL"     // from the second rung of the ladder on
)

// Valid tells whether it is one of the words.
func (w When) Valid() bool {
	return slices.Contains([]When{
		Always, Emergency, Sent, ByOriginator, ByReceiver, Booked, WithReferral, WithoutReferral, FirstRing, ThirdRing, SecondLevel,
	}, w)
}

// Offers are the channels beside the inbox that a rule offers, by urgency. Which of them a person is told on, Preferences say.
type Offers struct{ Emergency, Urgent, Routine []string }

// Of are those of an urgency.
func (c Offers) Of(urgency string) []string {
	switch urgency {
	case UrgencyEmergency:
		return c.Emergency
	case UrgencyUrgent:
		return c.Urgent
	}
	return c.Routine
}

// Urgencies.
const (
	UrgencyEmergency = "EMERGENCY"
	UrgencyUrgent    = "URGENT"
	UrgencyRoutine   = "ROUTINE"
)

// Rule is one row of the table: a fact, whom it reaches, on which channels beside the inbox and with which text. County tells that it is the
// county's own.
type Rule struct {
	Event    string
	To       To
	When     When
	Channels Offers
	Template string
	County   bool
}

// Table is which fact reaches whom. A fact that is not in it reaches nobody.
type Table struct {
	Rules   []Rule
	Ladders []Ladder
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
	Channels           Offers
	Template           string
	County             bool
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

// Events of the scheduling service.
const (
	BookingConfirmed = "booking_confirmed"
	BookingReleased  = "booking_released"
	BookingMoved     = "booking_moved"
	SessionCancelled = "session_cancelled"
	WaitlistOffered  = "waitlist_offered"
	WaitlistEnded    = "waitlist_ended"
)

// Events that the service makes itself: a ring of an alarm, the telephone as its last step, and the evening before a booked day.
const (
	AlarmRang = "alarm_rang"
	CallDue   = "call_due"
	Reminder  = "booking_reminder"
)

// notOfReferrals are the events of other services.
func notOfReferrals() []string {
	return []string{
		GlassBroken, VisitDeclared, ConsentWithdrawn, EncounterOpened, EncounterClosed, EncounterCancelled,
		BookingConfirmed, BookingReleased, BookingMoved, SessionCancelled, WaitlistOffered, WaitlistEnded, AlarmRang, CallDue, Reminder,
	}
}

// KnownEvent tells whether there is such a fact.
func KnownEvent(event string) bool {
	return slices.Contains(notOfReferrals(), event) || slices.Contains(referralEvents(), event)
}

// referralEvents are all that the referral service publishes.
func referralEvents() []string {
	return []string{
		"created", "edited", "submitted", "returned", "resubmitted", "redirected", "accepted", "declined", "answered", "cancelled", "arrived",
		"arrival_undone", "no_show", "rebooked", "admitted", "admission_undone", "concluded", "acknowledged", "follow_up_begun", "visit_recorded",
		"plan_revised", "escalated", "completed", "recorded_out", "seen", "departed", "message_posted", "assessed", "corrected", "consent_recorded",
		"person_merged", DeadlinePassed, "candidate_found", "candidate_dismissed", "candidate_rested", "candidate_resumed",
		"bounce_back_found",
	}
}

// Steps are the limits that a ladder may be of.
func Steps() []string {
	return []string{
		"ANSWER", "MISSING_INFORMATION", "ARRIVAL", "REPLY", "FIRST_CONTACT", "VISIT", "ACKNOWLEDGE", "CONSENT", "DOWN_DECISION", "NORM_CHECK", "STAY",
	}
}

// Events are the events of referrals that reach somebody, end a wait, or say how a referral stands, sorted.
func (t Table) Events() []string {
	events := []string{DeadlinePassed}
	for _, r := range t.Rules {
		if !slices.Contains(notOfReferrals(), r.Event) {
			events = append(events, r.Event)
		}
	}
	for _, e := range endings() {
		events = append(events, e.event)
	}
	slices.Sort(events)
	return slices.Compact(events)
}
