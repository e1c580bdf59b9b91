// Package app holds the use cases of referrals, one file each, over small ports.
//
// Every use case checks in the order: request id, relation, version, state, content; who may call at all was checked before. No peer
// is called inside a transaction. A [Service] is safe for concurrent use.
package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

// Command is one write as it was asked for. An empty RequestID means that the caller does not repeat.
type Command struct {
	Caller    authn.Identity
	Method    string
	RequestID string
	BodyHash  []byte
}

// unlogged is the command without its request id, for a transaction that is not the answer.
func (c Command) unlogged() Command {
	c.RequestID = ""
	return c
}

// View is a referral as one account sees it.
type View struct {
	domain.Snapshot
	// Unread: the account has not marked it seen.
	Unread bool
}

// Referrals is the only way by which referrals are written.
type Referrals interface {
	// Change runs decide in one transaction and commits what it put into the unit together with everything that follows from it:
	// history, deadlines, audit, request log and facts. A request id that was answered before gets that answer and decide does not run;
	// with another body it is REQUEST_ID_REUSED. decide may run more than once and must do nothing outside the unit. The answer is the
	// referral that decide saved or marked last. Errors: those of decide; OPEN_REFERRAL_EXISTS; STALE_VERSION; BOOKING_LOST.
	Change(ctx context.Context, cmd Command, decide func(Unit) error) (View, error)
	// Replay is the answer that the request got before, if it did, with the errors of Change.
	Replay(ctx context.Context, cmd Command) (View, bool, error)
	// NameVillages looks at no more than n open referrals behind a place, by county and id, that name no village, and writes the one that their patient
	// has; it answers the last and whether more may follow.
	NameVillages(ctx context.Context, after WithoutVillage, n int) (last WithoutVillage, more bool, err error)
}

// Unit is one transaction of [Referrals.Change]. It ends with the function that it was given to.
type Unit interface {
	// Now is the transaction's instant.
	Now() time.Time
	// Referral loads one by id and keeps others from changing it until the end. NOT_FOUND if there is none in the county.
	Referral(ctx context.Context, id string) (*domain.Referral, error)
	// Save writes the referral's changes and marks at the end; a new one is inserted. The one saved last is the answer.
	Save(r *domain.Referral)
	// Seen notes that the caller has seen a referral that was loaded; again it changes nothing and tells nobody.
	Seen(ctx context.Context, r *domain.Referral) error
	// UseBlank enters a referral under the number of a blank form of an organisation; if that is not outstanding any more the unit ends in
	// FIELD_COMBINATION of blankNumber.
	UseBlank(n domain.Number, organizationID, referralID string)
	// StartAttempt notes that the hold is about to be confirmed for a version of a referral: PENDING. Again is harmless while it is
	// PENDING; otherwise the unit ends in BOOKING_LOST.
	StartAttempt(holdID, referralID string, version int32)
	// FinishAttempt turns PENDING into DONE; if it is not PENDING any more the unit ends in BOOKING_LOST.
	FinishAttempt(holdID, referralID, bookingID string)
	// AbandonAttempt makes sure that the hold can never be accepted for the referral any more: PENDING, and no attempt, become ABANDONED.
	AbandonAttempt(holdID, referralID string)
	// Answering is the down-referral, besides one, that answers an up-referral: of those that were sent and stand the one whose patient
	// came first, else the one sent last. Empty if there is none.
	Answering(ctx context.Context, upID, besides string) (Answering, error)
	// Checks are the norms' checks of a referral that are open.
	Checks(ctx context.Context, referralID string) ([]domain.NormCheck, error)
	// FinishTask notes at the end what a check of the work list found. The unit ends in ACTION_NOT_AVAILABLE if it was made before.
	FinishTask(t Task)
	CandidateUnit
	RegistrationUnit
	MoveUnit
}

// Answering is a down-referral that answers an up-referral, and when its patient came, if that is so.
type Answering struct {
	DownID  string
	Arrived time.Time
}

// Fact is a change or a mark of a referral, ready to be told.
type Fact struct {
	ID      string
	Change  domain.Change
	CauseID string
}

// HistoryRow is a transition or a mark.
type HistoryRow struct {
	// ID of a mark that has one of its own: messages and corrections are referred to by it.
	ID       string
	Mark     bool
	Action   domain.Action
	From, To domain.State
	By       domain.Actor
	At       time.Time
	Reason   string
	Note     string
	Version  int32
	Detail   map[string]string
}

// Query selects a page of referrals. Inbox and Outbox may both be set: either. Drafts are in the outbox only.
type Query struct {
	Caller        authn.Identity
	Inbox, Outbox bool
	// Village selects those of patients of the village of the caller's clinic that were sent, whoever's they are; then neither of the sides is read.
	Village   bool
	Direction domain.Direction
	States    []domain.State
	Urgency   domain.Urgency
	Kinds     []domain.Kind
	PatientID string
	// PatientIDs, if any, selects those of one of these patients, Number those whose number has these digits.
	PatientIDs []string
	Number     string
	// Sent, if set, selects those submitted in it; an end may be open.
	Sent domain.Window
	// Department is the receiving one, Sender the originating organisation.
	Department, Sender string
	// Expected, if set, selects those whose expected window meets it.
	Expected domain.Window
	// OnTheWay selects those whose patient has set out and is not known to have come, WithoutHold those for which no place is held.
	OnTheWay, WithoutHold bool
	// ByDue sorts by urgency, then the soonest due, then id; else the newest comes first.
	ByDue bool
	// Late selects those whose due time has passed.
	Late bool
	// ClosedFrom, if set, selects those that ended since.
	ClosedFrom time.Time
	// After is the last row of the page before.
	After *Cursor
	Limit int
}

// StateCount is how many are in a state, and how many of those are late.
type StateCount struct{ N, Late int }

// Cursor is the place of a row in its order.
type Cursor struct {
	Rank int
	Time time.Time
	ID   string
}

// Standing is what a patient's referral says about an organisation's relation to the patient.
type Standing struct {
	ReferralID string
	Kind       domain.Kind
	State      domain.State
	Side       domain.Side
	UpdateTime time.Time
}

// Reader reads referrals of the caller's county. It checks no relation.
type Reader interface {
	// Get is NOT_FOUND for an unknown id.
	Get(ctx context.Context, caller authn.Identity, id string) (View, error)
	// ByNumber is NOT_FOUND for an unknown number.
	ByNumber(ctx context.Context, caller authn.Identity, n domain.Number) (View, error)
	// Batch answers those that exist, in any order.
	Batch(ctx context.Context, caller authn.Identity, ids []string) ([]View, error)
	List(ctx context.Context, q Query) ([]View, error)
	// Count counts by state what a list of the same filters but Late has in the states that it names, of one side; a state with none is left out.
	Count(ctx context.Context, q Query) (map[domain.State]StateCount, error)
	// History is oldest first.
	History(ctx context.Context, county, id string) ([]HistoryRow, error)
	// WasReceiver tells whether the organisation had the referral and gave it on.
	WasReceiver(ctx context.Context, county, id, organizationID string) (bool, error)
	// Standings lists the referrals of a patient in which an organisation is a side, drafts left out.
	Standings(ctx context.Context, county, patientID, organizationID string) ([]Standing, error)
	// Notes are the marks of a name but seen, oldest first.
	Notes(ctx context.Context, county, id string, mark domain.Action) ([]HistoryRow, error)
	// Followers are the referrals that name this one in ReplyTo, oldest first.
	Followers(ctx context.Context, county, id string) ([]View, error)
	// LatestDown is the latest down-referral of the patient and condition of an up-referral that was sent within a window, is not
	// taken back or refused, does not answer that up-referral itself and has not bounced yet; "" if there is none.
	LatestDown(ctx context.Context, up domain.Snapshot, sent domain.Window) (string, error)
	// NoteRead puts an audit entry: the caller opened the referral. It is called before the answer.
	NoteRead(ctx context.Context, caller authn.Identity, s domain.Snapshot) error
	// NoteListed puts an audit entry for each referral of which the caller, who is on no side, is shown the follow-ups. It is called before
	// the answer.
	NoteListed(ctx context.Context, caller authn.Identity, list []domain.Snapshot) error
}

// Numbers reserves blocks of sequences, in a transaction of its own.
type Numbers interface {
	// ReserveNumbers takes n sequences of a county and year that nobody else gets and answers the first.
	ReserveNumbers(ctx context.Context, county string, year int, n int64) (int64, error)
}

// Organization is an organisation with its departments, as referral needs it.
type Organization struct {
	County, ID  string
	Version     int32
	Name        string
	Type        string
	Disabled    bool
	Departments []Department
}

// Department of an organisation, by the national code.
type Department struct {
	Code, Name string
}

// Organizations is the projection of directory's organisations.
type Organizations interface {
	Organization(ctx context.Context, county, id string) (Organization, bool, error)
	// OrganizationsOf are the ids of a county's organisations of a type that are not disabled, in the order of their names.
	OrganizationsOf(ctx context.Context, county, kind string) ([]string, error)
	// PutOrganization stores an organisation unless a newer version is known. With a fact id the fact is taken once.
	PutOrganization(ctx context.Context, factID string, o Organization) error
}

// Directory answers who and where; PEER_AWAY when it cannot.
type Directory interface {
	// Organization is NOT_FOUND for an unknown id.
	Organization(ctx context.Context, county, id string) (Organization, error)
	// All lists the organisations of a county; of every county if it is empty.
	All(ctx context.Context, county string) ([]Organization, error)
}

// Patients is patient-record.
type Patients interface {
	// Snapshot of a patient that the organisation has a relation to. NOT_FOUND for an unknown patient and for none.
	Snapshot(ctx context.Context, patientID, organizationID string) (domain.Patient, error)
}

// Capacity is scheduling. Both calls are idempotent by hold and referral.
type Capacity interface {
	// AttachHold ties a hold to a referral. HOLD_EXPIRED if it is gone or for another patient; PEER_AWAY.
	AttachHold(ctx context.Context, a Attachment) (Reserved, error)
	// ConfirmHold makes the booking. HOLD_EXPIRED as before; PEER_AWAY.
	ConfirmHold(ctx context.Context, a Attachment) (Reserved, error)
}

// Attachment names a hold and the referral it is for. PatientID is whom the hold must be for; KeepUntil is for AttachHold alone,
// OriginatorOrganizationID, which may read the booking, for ConfirmHold.
type Attachment struct {
	County, HoldID, ReferralID string
	PatientID                  string
	OriginatorOrganizationID   string
	KeepUntil                  time.Time
}

// Reserved is the slot or bed of a hold or booking; Ward and Label name a bed.
type Reserved struct {
	BookingID   string
	Ward, Label string
	domain.Place
	Window domain.Window
}

// Diagnoses is the ICD-10 list.
type Diagnoses interface {
	// Search by code, words or pinyin initials; best first, at most n.
	Search(query string, n int) []domain.FoundDiagnosis
	// Name of a code's category; "" for an unknown one.
	Name(code string) string
	// All of it, the most common first; not to be changed.
	All() []domain.KnownDiagnosis
}

// Ports is what the use cases stand on.
type Ports struct {
	Referrals     Referrals
	Reader        Reader
	Numbers       Numbers
	Organizations Organizations
	Directory     Directory
	Patients      Patients
	Capacity      Capacity
	Diagnoses     Diagnoses
	Clock         clock.Clock
	Calendars     Calendars
	Deadlines     Deadlines
	Settings      Settings
	Versions      Versions
	FollowUps     FollowUps
	Templates     Templates
	Formularies   Formularies
	Lists         Lists
	Criteria      Criteria
	// Completeness is what a hand-over should carry.
	Completeness []domain.CompletenessItem
	// Slips makes the keys of printed slips.
	Slips Slips
	// Blanks keeps the forms that are printed beforehand.
	Blanks Blanks
	// People keeps which patients are one person.
	People     People
	Records    Records
	Candidates Candidates
	// Registrations are those that are offered to desks.
	Registrations Registrations
	Statistics    Statistics
	// Moves keeps where scheduling moved bookings.
	Moves     Moves
	Published *figures.Book
	// Kept is how long a finished referral still lets its two sides look; zero is DefaultKept.
	Kept time.Duration
}
