package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Department of an organisation of a county.
type Department struct{ County, OrganizationID, Code string }

// SessionView is a session with what is known of it and of its slots.
type SessionView struct {
	domain.Session
	Version          int32
	Cancelled        bool
	ReasonCode, Note string // of a cancelled one
	// ByHand: practitioner and room were changed for this day alone.
	ByHand bool
	// Rebooking: it is cancelled, and some of its holds have not been dealt with yet.
	Rebooking bool
	Equipment domain.Equipment // zero unless it has one
	// Slots of it: all, reserved, taken by a live hold, blocked, free; and bookings that a cancellation left without a place.
	Slots, Reserved, Taken, Blocked, Free, Displaced int
}

// SlotUse is a slot and the live hold that has it; HoldData is zero if nobody has. Number is its referral's, as far as it is known.
type SlotUse struct {
	Slot   domain.Slot
	Hold   domain.HoldData
	Number string
}

// Rebooked is what became of a hold of a cancelled session.
type Rebooked struct {
	HoldID, BookingID, ReferralID string
	Number                        string // of the referral, when it was read
	Outcome                       string // OutcomeMoved …
	SlotID                        string // the new one
	Slot                          domain.Slot
}

// What becomes of the holds of a cancelled session.
const (
	OutcomeMoved     = "MOVED"
	OutcomeDisplaced = "DISPLACED"
	OutcomeEnded     = "ENDED" // a hold of no referral
)

// BookingPolicy is how slots open, as it is kept: for an organisation, or for the county where OrganizationID is empty. Version 0 is the default.
type BookingPolicy struct {
	domain.Policy
	OrganizationID string
	Version        int32
	Inherited      bool // the organisation has none of its own; the numbers are those that held for it when that was written down
}

// SessionQuery selects sessions; empty texts select all. From and To are local dates, half-open.
type SessionQuery struct {
	County, OrganizationID, Department, Kind string
	From, To                                 string
	AfterStart                               time.Time // with AfterID: the last session of the page before
	AfterID                                  string
	Limit                                    int
}

// ComingQuery asks for what is to come at an organisation (empty: in the county), at one of its departments, or with a practitioner.
type ComingQuery struct {
	County, OrganizationID, Department string
	// IDs by which the practitioner may be known, and the name.
	IDs  []string
	Name string
}

// ComingPart is what is to come of one practitioner by one template at one place: sessions that take place, and places that are taken.
type ComingPart struct {
	OrganizationID, DepartmentCode, Kind, TemplateID string
	PractitionerID, PractitionerName                 string
	Sessions, Taken                                  int
	FirstDay, LastDay                                string
}

// Between is a span of instants, half-open.
type Between struct{ After, Before time.Time }

// Like is what FreeLike looks for.
type Like struct {
	Between
	Bounds Bounds
	Limit  int
}

// Planned names a template whose sessions are to be made.
type Planned struct{ County, TemplateID string }

// CalendarStore reads what sessions come from.
type CalendarStore interface {
	// Equipment of an organisation, by department and name.
	Equipment(ctx context.Context, county, organizationID string) ([]domain.Equipment, error)
	// Templates of an organisation by department, kind and practitioner; department "" for all, and only those that go on after a day.
	Templates(ctx context.Context, d Department, endAfter time.Time) ([]domain.Template, error)
	// Exceptions of the county and of the organisation that touch the days, half-open.
	Exceptions(ctx context.Context, d Department, from, to time.Time) ([]domain.Exception, error)
	// Sessions in order of start and id, of all states.
	Sessions(ctx context.Context, q SessionQuery) ([]SessionView, error)
	// Coming counts sessions that are not over, by organisation, department and first day.
	Coming(ctx context.Context, q ComingQuery) ([]ComingPart, error)
	// Session answers NotFound for an unknown id.
	Session(ctx context.Context, county, id string) (SessionView, error)
	// Uses of the slots of a session, in time order.
	Uses(ctx context.Context, county, sessionID string) ([]SlotUse, error)
	// Rebooked lists what became of the holds of a cancelled session, by hold.
	Rebooked(ctx context.Context, county, sessionID string) ([]Rebooked, error)
	// CalendarChanges are the newest first.
	CalendarChanges(ctx context.Context, q ChangeQuery) ([]CalendarChange, error)
	// Policy of an organisation: its own, else the county's, else the default.
	Policy(ctx context.Context, county, organizationID string) (BookingPolicy, error)

	// ToPlan lists templates of all counties whose sessions are not made up to the day through, of those that have not ended before it.
	ToPlan(ctx context.Context, through string, limit int) ([]Planned, error)
	// ToSpread lists departments of all counties whose reserve is to be spread anew.
	ToSpread(ctx context.Context, limit int) ([]Department, error)
	// ToRebook lists cancelled sessions of all counties that still have holds to be dealt with.
	ToRebook(ctx context.Context, limit int) ([]Planned, error)
	// Displaced lists departments of all counties that have displaced bookings, in order of county, organisation and code, after one.
	Displaced(ctx context.Context, after Department, limit int) ([]Department, error)
	// DisplacedIn lists displaced bookings of a department whose patient has not come, the longest displaced first, after the last of before.
	DisplacedIn(ctx context.Context, d Department, after domain.HoldData, limit int) ([]domain.HoldData, error)
	// SetDays gives sessions of which only a guess was kept their local day, and notes where the reserve is to be spread anew because of it. It answers how
	// many it looked at.
	SetDays(ctx context.Context, limit int, day func(start time.Time) string) (int, error)
}

// CalendarUnit is what one change of the calendar sees and writes. Writes are done at once, in the transaction; rows that a decision rests on are
// locked by reading them. Every change locks in one order, so that none waits for another that waits for it: templates, sessions by id, entries of the
// fallback list, slots by id, holds by id.
type CalendarUnit interface {
	// Device, Template, Exception and LockSession answer NotFound for an unknown id.
	Device(ctx context.Context, id string) (domain.Equipment, error)
	Template(ctx context.Context, id string) (domain.Template, error)
	Exception(ctx context.Context, id string) (domain.Exception, error)
	LockSession(ctx context.Context, id string) (SessionView, error)
	// Put writes a new one (version 1) or one that was loaded (a version more than then).
	PutDevice(ctx context.Context, e domain.Equipment) error
	PutTemplate(ctx context.Context, t domain.Template) error
	PutException(ctx context.Context, e domain.Exception) error
	RemoveException(ctx context.Context, id string) error
	// PutPolicy writes the policy and notes that the reserve of the departments that it holds for is to be spread anew.
	PutPolicy(ctx context.Context, p BookingPolicy) error
	// RemovePolicy takes back an organisation's own, and notes the same.
	RemovePolicy(ctx context.Context, organizationID string) error
	// OwnPolicy is the one that is kept for the organisation, or for the county if it is empty; version 0 if there is none.
	OwnPolicy(ctx context.Context, organizationID string) (BookingPolicy, error)

	// Replan notes that the sessions of the templates that an exception concerns are to be made anew, and answers those.
	Replan(ctx context.Context, e domain.Exception) ([]string, error)
	// ExceptionsFor are those that may concern the template on a day from the first to the last.
	ExceptionsFor(ctx context.Context, t domain.Template, first, last time.Time) ([]domain.Exception, error)
	// SessionsOf lists the template's sessions that begin after the unit's present instant, in order of start.
	SessionsOf(ctx context.Context, templateID string) ([]SessionView, error)
	// RemoveSessions locks the sessions and their slots and takes back sessions that nobody has booked, held or blocked a slot of, and answers the others.
	RemoveSessions(ctx context.Context, ids []string) (used []string, err error)
	// AddSessions writes sessions that are not known yet and answers how many are new.
	AddSessions(ctx context.Context, sessions [][]domain.Slot) (int, error)
	// PlannedThrough notes how far the template's sessions are made.
	PlannedThrough(ctx context.Context, templateID, day string) error
	// PolicyFor an organisation: its own, else the county's, else the default.
	PolicyFor(ctx context.Context, organizationID string) (BookingPolicy, error)
	// SpreadLater notes that the reserve is to be spread over the days of the sessions, and answers their departments.
	SpreadLater(ctx context.Context, sessions []domain.Session) (map[Department]bool, error)
	// Spread lays the reserve over the free slots of the days of a department that were noted, of those from today on, and forgets that.
	Spread(ctx context.Context, organizationID, department, today string) error

	// Substitute gives a session another practitioner and room. Cancel closes it and its slots. Both expect it as it was locked.
	Substitute(ctx context.Context, s SessionView) error
	Cancel(ctx context.Context, s SessionView) error
	// RebookingDone notes that all holds of the session were dealt with.
	RebookingDone(ctx context.Context, sessionID string) error
	// HoldsIn loads at most limit live holds of the session's slots that are not displaced, by id, after one. Those whose patient has come are left out.
	HoldsIn(ctx context.Context, sessionID, after string, limit int) ([]*domain.Hold, error)
	// FreeLike lists slots that may be taken by the bounds and suit somebody from a session, best first, that begin between two instants.
	FreeLike(ctx context.Context, s SessionView, q Like) ([]domain.Slot, error)
	// SessionOfSlot is the session of a slot.
	SessionOfSlot(ctx context.Context, slotID string) (SessionView, domain.Slot, error)
	// LockPlaces locks the slots of a session, which may be none, and others, by id, against being taken, closed or taken back.
	LockPlaces(ctx context.Context, sessionID string, slotIDs []string) error
	// Peek is a booking, or a hold, that is not locked.
	Peek(ctx context.Context, id string) (domain.HoldData, error)
	// LockReferral locks what takes a place for a referral, by id, before anything of it is loaded.
	LockReferral(ctx context.Context, referralID string) error
	// Move gives the hold the slot and its occupancy; false if somebody has it or it is closed. The slots of both are locked before.
	Move(ctx context.Context, h *domain.Hold, to domain.Slot, reason string) (bool, error)
	// Rebooked notes what became of a hold.
	Rebooked(ctx context.Context, sessionID string, r Rebooked) error

	// LockSlots loads slots, locked against everybody, by id; an unknown one is left out.
	LockSlots(ctx context.Context, ids []string) ([]SlotUse, error)
	// Close blocks slots for a reason, or opens them again for none.
	Close(ctx context.Context, ids []string, reason string) error
	// Known tells which of the sessions there are.
	Known(ctx context.Context, ids []string) (map[string]bool, error)

	// Restore writes practitioner and room of a session again, and that it takes place. OpenSlots opens those that its cancellation closed.
	Restore(ctx context.Context, s SessionView) error
	OpenSlots(ctx context.Context, sessionID string) error
	// ClosedIn are the closed slots of a session, in time order.
	ClosedIn(ctx context.Context, sessionID string) ([]ClosedSlot, error)
	// RebookedIn is Rebooked of the store, without the slots.
	RebookedIn(ctx context.Context, sessionID string) ([]Rebooked, error)

	// Record keeps a change by the unit's caller. Where nothing is known of the subject yet, what stood before is kept too; its SubjectID is empty if
	// there was nothing.
	Record(ctx context.Context, was, is CalendarChange) error
	// ChangeOf is one change of a subject, LastChange the newest of an action; NotFound for none.
	ChangeOf(ctx context.Context, subject, subjectID, changeID string) (CalendarChange, error)
	LastChange(ctx context.Context, subject, subjectID, action string) (CalendarChange, error)
	// Note leaves an audit entry; detail is a kind, never a text.
	Note(action, objectType, objectID, detail string)
	// TellCancelled leaves the fact that a session was cancelled.
	TellCancelled(s SessionView)
}
