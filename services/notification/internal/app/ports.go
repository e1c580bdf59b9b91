// Package app holds the use cases of notification, one file each, and the ports they need. It refuses SQL, gRPC and
// protobuf.
package app

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Self is the actor of what the service does for its own account.
const Self = "service:notification"

// Caller is who asks. The county comes from the call token.
type Caller struct{ County, AccountID, OrganizationID string }

// Command says for whom and why a change is made.
type Command struct {
	Caller Caller
	// Consumer and FactID name the fact that is acted on. A fact handled before changes nothing.
	Consumer, FactID string
	// Request makes a repeat harmless: Change does nothing when it was made before, and is REQUEST_ID_REUSED when it said something else.
	Request Request
	// ByLink: the caller is whoever has the link that went to the account.
	ByLink bool
}

// Happened is a change of an entry with what a fact and an audit entry need besides.
type Happened struct {
	FactID  string
	Created bool // else acknowledged
	// Failed is a message that was given up; then there is no entry.
	Failed  *domain.Delivery
	Entry   domain.EntryData
	Time    time.Time
	By      Caller
	CauseID string
	// Alarm is set instead of Entry when it rang or ended.
	Alarm *AlarmHappened
}

// Store keeps entries and the projection of accounts. Implementations are safe for concurrent use.
type Store interface {
	// Change runs fn in one write transaction and commits the entries it added or changed, together with the facts
	// and audit entries that follow. An error of fn leaves no trace, also not in the inbox. fn may run again.
	Change(ctx context.Context, cmd Command, fn func(Unit) error) error

	// Entries lists a person's entries, newest first, and counts the open ones.
	Entries(ctx context.Context, q EntryQuery) (entries []domain.EntryData, open int, err error)
	// Told lists entries about a referral, oldest first.
	Told(ctx context.Context, q ToldQuery) ([]Told, error)
	// Delivered lists the entries of a county by id, after an id, of one referral if it is set.
	Delivered(ctx context.Context, county, referralID string, p Page) ([]domain.EntryData, error)

	AlarmStore

	// SaveAccounts brings accounts up to date; an older version than the one known is ignored. A fact handled before
	// changes nothing.
	SaveAccounts(ctx context.Context, cmd Command, accounts []domain.Account) error
	// SaveRead notes that the directory was read completely; the reading began at the instant given.
	SaveRead(ctx context.Context, county string, began time.Time) error
	// ReadTime is the latest instant of SaveRead, zero if there was none.
	ReadTime(ctx context.Context, county string) (time.Time, error)
	// Counties are those of which anything is known.
	Counties(ctx context.Context) ([]string, error)
}

// Told is an entry with the name of the person who has it; empty for an account that is not known.
type Told struct {
	Entry domain.EntryData
	Name  string
}

// ToldQuery selects the entries about a referral, of accounts that work in the organisation now; all if it is empty.
type ToldQuery struct {
	County, ReferralID, OrganizationID string
	AfterTime                          time.Time // with AfterID: the last entry of the page before
	AfterID                            string
	Limit                              int
}

// Page is one page of a list that goes by id.
type Page struct {
	After string
	Limit int
}

// EntryQuery selects a person's entries.
type EntryQuery struct {
	County, AccountID string
	State             string    // OPEN, ACKNOWLEDGED or ALL
	BeforeTime        time.Time // with BeforeID: the last entry of the page before
	BeforeID          string
	Limit             int
}

// Unit is what one change sees. Entries it answers are locked until the change ends.
type Unit interface {
	// Now is the instant of the transaction.
	Now() time.Time
	// ReadTime is as in Store, here and now.
	ReadTime(ctx context.Context) (time.Time, error)
	// Resolve finds the accounts that a recipient means, by id. known is false if the projection has no account of
	// the organisation at all (of the county, for one who may be anywhere), or not the one that is named.
	Resolve(ctx context.Context, r domain.Recipient) (accounts []string, known bool, err error)
	// Add makes an entry part of the change.
	Add(e *domain.Entry)
	// Entry answers NotFound for an unknown id and for another account's entry.
	Entry(ctx context.Context, accountID, id string) (*domain.Entry, error)
	// Exists tells whether there is an entry with the id.
	Exists(ctx context.Context, id string) (bool, error)
	// Settle notes that a wait of a referral was over at an instant, unless a later one is known, and answers the latest. Until the change ends no other
	// settles the same wait. The zero instant only asks; the answer is zero if it was never over.
	Settle(ctx context.Context, referralID string, wait domain.Wait, at time.Time) (latest time.Time, err error)
	// StayTold is what was told of an encounter; the zero value for one that is not known. Until the change ends no other reads it.
	StayTold(ctx context.Context, encounterID string) (domain.StayTold, error)
	// SaveStayTold keeps what was told of an encounter that StayTold answered.
	SaveStayTold(ctx context.Context, encounterID string, told domain.StayTold) error
	// OpenDeadlines lists the open entries of passed limits of a referral, everybody's, by id.
	OpenDeadlines(ctx context.Context, referralID string) ([]*domain.Entry, error)
	// OpenEntries lists an account's open entries for a referral, by id.
	OpenEntries(ctx context.Context, accountID, referralID string) ([]*domain.Entry, error)
	AlarmUnit
	// Dispatch makes a message that is to leave the house part of the change. One with an id that is known changes nothing, whatever else it says.
	// domain.ErrDispatch for a gap, or for another county's.
	Dispatch(d domain.Dispatch) error
	// CancelDeliveries ends what has not left the house of an entry, of an alarm, or of both; an empty id means none. What is under way is not tried
	// again, and what was given up is not sent again by command. Those that the change itself adds are not meant.
	CancelDeliveries(entryID, alarmID string)
	// Withdraw ends a message under its lease, since its recipient is gone; Stale fails the change if the lease was lost.
	Withdraw(lease string, d domain.Delivery)
	// ToldOf are the accounts that have an entry of a fact.
	ToldOf(ctx context.Context, factID string) (accounts []string, err error)
	// CancelRings does so with the messages of an alarm to persons, before it rings again: groups are told once.
	CancelRings(alarmID string)
}

// Directory is the directory service; Unavailable when it is away.
type Directory interface {
	// Accounts and Rosters are all of a county.
	Accounts(ctx context.Context, county string) ([]domain.Account, error)
	Rosters(ctx context.Context, county string) ([]Roster, error)
	// Telephones of the accounts of an organisation by id, and under the empty id that of its switchboard.
	Telephones(ctx context.Context, county, organizationID string) (map[string]string, error)
}

// Texts are what is said outside the house, with its places unfilled; empty for a template that there is not.
type Texts interface {
	Plain(language, template string) string
}

// App is the service's use cases.
type App struct {
	store     Store
	directory Directory
	clk       clock.Clock
	logger    *slog.Logger
	table     domain.Table
	zone      *time.Location
	texts     Texts
	reading   sync.Mutex // one complete reading at a time
}

// Deps is what the use cases stand on. Zone is the county's.
type Deps struct {
	Store     Store
	Directory Directory
	Clock     clock.Clock
	Logger    *slog.Logger
	Table     domain.Table
	Zone      *time.Location
	Texts     Texts
}

// New makes the use cases.
func New(d Deps) *App {
	return &App{store: d.Store, directory: d.Directory, clk: d.Clock, logger: d.Logger, table: d.Table, zone: d.Zone, texts: d.Texts}
}
