package app

import (
	"context"
	"errors"
	"time"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// ErrOnList is what a change answers that puts a referral on the fallback list when another did so at the same moment. Nothing was written.
var ErrOnList = errors.New("the referral is on the fallback list")

// SlotView is a slot with what its session says besides. As the store answers it, Free tells that nobody has it; for a caller, that it may be taken.
type SlotView struct {
	domain.Slot
	SessionState string
	Device       domain.Device
	Opens        time.Time // from when on the caller may take it; zero: now
}

// Bounds say which slots may be taken: those that start before the instants, of the common pool, of the reserved one, and of the reserved one in an
// expert session.
type Bounds struct{ Common, Reserved, Expert time.Time }

// Last is where nothing is open any more.
func (b Bounds) Last() time.Time {
	last := b.Common
	for _, t := range []time.Time{b.Reserved, b.Expert} {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// FindQuery selects free slots over organisations and departments; empty texts and lists select all.
type FindQuery struct {
	County                                string
	OrganizationIDs, Departments          []string
	Kind, Modality, PractitionerID, Grade string
	From, To                              time.Time // half-open
	// Before are the bounds of an organisation.
	Before func(organizationID string) Bounds
	// Fits narrows by what a database does not know, local hours and weekdays; nil takes all.
	Fits  func(start time.Time) bool
	Limit int
}

// EntryQuery selects entries of the fallback list that wait for an organisation or that it put there.
type EntryQuery struct {
	County, OrganizationID, EntryID, ReferralID, Department string
	Ended                                                   bool // those that are over too
	After                                                   EntryKey
	Limit                                                   int
}

// EntryKey is where a page of entries ended: the list's order. The zero key is its beginning.
type EntryKey struct {
	Rank       int
	CreateTime time.Time
	ID         string
}

// DaySession is a session of a day with who has its slots.
type DaySession struct {
	Session     domain.Session
	State       string
	Device      domain.Device
	Slots, Free int
	Patients    []DayPatient
}

// DayPatient has a slot of the day, or had it and did not come.
type DayPatient struct {
	Hold domain.HoldData
	Case domain.Case
}

// BoardWard is a ward with its beds.
type BoardWard struct {
	domain.WardData
	Beds []domain.BedData
}

// CapacityChange is a department whose capacity changed, with the rows that say so.
type CapacityChange struct {
	Department
	Rows []string
}

// EndedOffer is an entry whose time is over, or the hold of whose offer is.
type EndedOffer struct {
	Entry domain.EntryData
	Hold  domain.State // of the offer; empty: the last day has passed
}

// AllocationStore is what finding and giving places needs of the store.
type AllocationStore interface {
	// Policies of the county, and of its organisations that have their own.
	Policies(ctx context.Context, county string) (domain.Policies, error)
	// FindSlots answers the earliest free slots, one a session, in order of start and id.
	FindSlots(ctx context.Context, q FindQuery) ([]SlotView, error)
	// Case is the zero Case for a referral of which no fact has come.
	Case(ctx context.Context, county, referralID string) (domain.Case, error)
	// WaitingTimes by organisation, department, kind and modality; empty texts select all.
	WaitingTimes(ctx context.Context, d Department) ([]domain.WaitingTime, error)
	// Day lists the sessions that start in the span, by start; two queries.
	Day(ctx context.Context, d Department, from, to time.Time) ([]DaySession, error)
	// Board lists the wards by department and name, with their beds by label.
	Board(ctx context.Context, d Department) ([]BoardWard, error)
	// Entries in the order in which the list is worked.
	Entries(ctx context.Context, q EntryQuery) ([]domain.EntryData, error)
	// WaitingFor lists the entries of a department that are to be offered a place, in order, after one, without the displaced and without positions.
	WaitingFor(ctx context.Context, d Department, after EntryKey, limit int) ([]domain.EntryData, error)
	// ToEnd lists entries of all counties whose last day is before today, or the hold of whose offer takes no place.
	ToEnd(ctx context.Context, today string, limit int) ([]EndedOffer, error)
	// DisplacedUnlisted lists displaced bookings, and displaced holds that are tied to a referral, of all counties that are on no fallback list.
	DisplacedUnlisted(ctx context.Context, limit int) ([]HoldView, error)
	// Replaced lists the entries of displaced bookings that are displaced no more.
	Replaced(ctx context.Context, limit int) ([]EndedOffer, error)
	// Changed lists departments of all counties whose capacity changed since somebody looked.
	Changed(ctx context.Context, limit int) ([]CapacityChange, error)
	// Expecting lists the departments of all counties for which somebody waits.
	Expecting(ctx context.Context) ([]Department, error)
	// Stale lists departments of all counties whose waiting times were computed before then.
	Stale(ctx context.Context, before time.Time, limit int) ([]Department, error)
}

// AllocationUnit is what a change of the fallback list or of the beds sees. Entries that it answers are locked until the change ends.
type AllocationUnit interface {
	Policies(ctx context.Context) (domain.Policies, error)
	// Taken is the hold that Take made in this unit.
	Taken(id string) *domain.Hold
	// NoteCase keeps what a fact says of its referral, at once, unless something newer is known.
	NoteCase(ctx context.Context, c domain.Case) error
	// Case is the zero Case for a referral of which no fact has come.
	Case(ctx context.Context, referralID string) (domain.Case, error)
	// HasPlace tells whether the referral has a live hold or booking at its receiver. One that it had before it was redirected is freed by that fact.
	HasPlace(ctx context.Context, c domain.Case) (bool, error)
	// Entry answers NotFound for an unknown id; EntryOf nil if the referral is not on the list.
	Entry(ctx context.Context, id string) (*domain.Entry, error)
	EntryOf(ctx context.Context, referralID string) (*domain.Entry, error)
	AddEntry(e *domain.Entry)
	// Clean lets a bed be cleaned from now on, as long as its ward says.
	Clean(ctx context.Context, bedID string) error
	// Ward and Bed answer NotFound for an unknown id, and lock it. SetWard and SetBed write what differs, at once, with an audit entry.
	Ward(ctx context.Context, id string) (domain.WardData, error)
	Bed(ctx context.Context, id string) (domain.BedData, error)
	SetWard(ctx context.Context, w domain.WardData) error
	SetBed(ctx context.Context, b domain.BedData) error
	// LockBeds locks all beds of a ward, by id. BedsOf are all of them, those that are closed too, each with the id of the hold that takes it: what is so
	// stays so where they, or the bed that is asked about, were locked before. AddBeds adds some.
	LockBeds(ctx context.Context, wardID string) error
	BedsOf(ctx context.Context, wardID string) ([]domain.BedData, error)
	AddBeds(beds []domain.Bed)
	// ComputeWaiting writes the waiting times of a department anew and takes the changes off that led to it.
	ComputeWaiting(ctx context.Context, d Department, b WaitingBounds, changes []string) error
}

// WaitingBounds say which slots count, and until when free ones are counted.
type WaitingBounds struct {
	Bounds
	Until time.Time
}
