// Package app holds the use cases of scheduling, one file each, and the ports they need. It owns the order of checks
// and what a referral's facts mean for capacity. It refuses SQL, gRPC and protobuf.
package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Self is the actor of what the service does for its own account.
const Self = "service:scheduling"

// Caller is who asks. The county comes from the call token.
type Caller struct {
	County, AccountID, OrganizationID string
	// Township tells that the caller sends patients up: a village or township doctor, or the head of a centre.
	Township bool
	// Service tells that a service asks whose calls the policy admits: every booking of the county concerns it.
	Service bool
	Name    string // the person's; never in logs
}

// Request makes a write repeatable; the zero Request is not remembered.
type Request struct {
	Method, ID string
	BodyHash   []byte
}

// Command says for whom and why a change is made.
type Command struct {
	Caller  Caller
	Request Request
	// Consumer and FactID name the fact that is acted on. A fact handled before changes nothing.
	Consumer, FactID string
}

// Happened is an event of a hold with what a fact and an audit entry need besides.
type Happened struct {
	FactID string
	Event  domain.Event // its hold has the version after the change
	// Entry is set for what happened to an entry of the fallback list; Event then has the hold of its offer, if there is one.
	Entry   domain.EntryEvent
	Time    time.Time
	By      Caller
	CauseID string // the request or fact behind it, if any
	// Cancelled is set when what happened is the end of a session; Event is empty then.
	Cancelled *SessionView
}

// Store keeps capacity, holds and bookings. Implementations are safe for concurrent use.
type Store interface {
	// Change runs fn in one write transaction and commits what fn did to the holds it loaded, together with the
	// facts, the audit entries and the request record that follow from it. An error of fn leaves no trace. fn may
	// run again when the database asks for it.
	Change(ctx context.Context, cmd Command, fn func(Unit) error) error
	// AddCapacity writes sessions and wards that are not known yet and answers how much is new.
	AddCapacity(ctx context.Context, cmd Command, c Capacity) (slots, beds int, err error)

	// Slots that begin after the store's present instant, in order of start and id.
	Slots(ctx context.Context, q SlotQuery) ([]SlotView, error)
	// FreeStarts counts the free slots of a query by their start, in order, whatever its page and limit.
	FreeStarts(ctx context.Context, q SlotQuery) ([]FreeStart, error)
	// Wards of an organisation with their beds, department "" for all.
	Wards(ctx context.Context, county, organizationID, department string) ([]domain.WardCount, error)
	// Hold answers NotFound for an unknown id. So does Booking.
	Hold(ctx context.Context, county, id string) (HoldView, error)
	Booking(ctx context.Context, county, bookingID string) (HoldView, error)
	// Holds are those of the ids that there are, in no order.
	Holds(ctx context.Context, county string, ids []string) ([]HoldView, error)
	// Live lists holds that take a place now, by id, after an id.
	Live(ctx context.Context, county, after string, limit int) ([]HoldView, error)
	// Overdue lists holds of all counties whose time is over and that still take their place.
	Overdue(ctx context.Context, limit int) ([]domain.HoldData, error)
	// ToSettle lists holds of all counties whose CheckTime has come, the longest waiting first.
	ToSettle(ctx context.Context, limit int) ([]domain.HoldData, error)

	CalendarStore
	AllocationStore
}

// Unit is what one change sees. Holds it answers are locked until the change ends.
type Unit interface {
	// Now is the instant of the transaction.
	Now() time.Time
	// Answered is the hold that the same request made before; it is asked first, so that of two at the same moment the
	// second sees the first one's answer. The same id with another body is REQUEST_ID_REUSED.
	Answered(ctx context.Context) (holdID string, ok bool, err error)
	// Answer remembers the hold for the request.
	Answer(holdID string)
	// Hold, HoldOfBooking and Slot answer NotFound for an unknown id.
	Hold(ctx context.Context, id string) (*domain.Hold, error)
	HoldOfBooking(ctx context.Context, bookingID string) (*domain.Hold, error)
	Slot(ctx context.Context, id string) (SlotView, error)
	// AttachedTo lists the holds ATTACHED to a referral, by id.
	AttachedTo(ctx context.Context, referralID string) ([]*domain.Hold, error)
	// Held counts the live holds of the account that no referral has yet.
	Held(ctx context.Context, accountID string) (int, error)
	// FreeBeds lists the beds that suit and that nobody has, beginning after the id pivot, so that callers with different pivots do not meet at the
	// same bed.
	FreeBeds(ctx context.Context, w domain.BedWish, pivot string) ([]domain.Bed, error)
	// Take makes the hold and occupies its place; false if somebody has it. A hold on the place whose time is over
	// ends first.
	Take(ctx context.Context, claim domain.Claim) (bool, error)
	// SamePerson tells whether two patients are one person by the links that hold, over any number of them.
	SamePerson(ctx context.Context, one, other string) (bool, error)
	// LinkPatients notes a link, at once; an older one than the last of its merged patient changes nothing.
	LinkPatients(ctx context.Context, l PatientLink) error

	CalendarUnit
	AllocationUnit
}

// Capacity is what CreateSchedules adds.
type Capacity struct {
	Sessions [][]domain.Slot // one entry a session, never empty
	Wards    []Furnished
}

// Furnished is a ward with its beds.
type Furnished struct {
	Ward domain.Ward
	Beds []domain.Bed
}

// SlotQuery selects slots; empty texts select all.
type SlotQuery struct {
	County, OrganizationID, Department, Kind string
	Modality, SlotID                         string
	From, To                                 time.Time // half-open
	FreeOnly                                 bool      // leaves out what is taken, closed, or opens later by Before
	Before                                   Bounds
	AfterStart                               time.Time // with AfterID: the last slot of the page before
	AfterID                                  string
	Limit                                    int
}

// FreeStart is how many slots begin at an instant.
type FreeStart struct {
	At   time.Time
	Free int
}

// HoldView is a hold with the names that people know its place by.
type HoldView struct {
	domain.HoldData
	PractitionerName, Location, Ward, Bed string
	Device                                domain.Device
	SessionKind, SessionState             string // of a slot's session
}

// Verdict is the referral's answer about a hold.
type Verdict struct {
	Keep    bool
	Settled bool // a booking of the hold is named by the referral
}

// Referral is the referral service. Settle answers Unavailable when it cannot be reached; a verdict that is not Keep
// is given only after every attempt to book the hold was ended over there. Case is a referral as it is now; NotFound for an unknown one and a draft.
type Referral interface {
	Settle(ctx context.Context, county, holdID, referralID string) (Verdict, error)
	Case(ctx context.Context, county, referralID string) (domain.Case, error)
}

// App is the service's use cases.
type App struct {
	store    Store
	referral Referral
	zone     *time.Location
	logger   *slog.Logger
}

// New makes the use cases. The zone is the county's: local dates are read in it.
func New(store Store, referral Referral, zone *time.Location, logger *slog.Logger) *App {
	return &App{store: store, referral: referral, zone: zone, logger: logger}
}
