package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/duty"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Request is one write as its caller named it; with an empty ID every call counts. Hash is of what it says.
type Request struct {
	Method, ID string
	Hash       []byte
}

// Roster is what is known of a post's duty roster.
type Roster struct {
	Post    domain.Post
	Version int32
	Plan    duty.Plan
}

// DueClaim is a row that is due, held by one process until its lease runs out. Fence grows with every claim: an older one writes nothing.
type DueClaim struct {
	County, ID string
	Fence      int64
}

// AlarmView is an alarm with the accounts at which it rang.
type AlarmView struct {
	domain.AlarmData
	Accounts []string
}

// AlarmQuery selects the alarms of an account.
type AlarmQuery struct {
	County, AccountID string
	AfterTime         time.Time // with AfterID: the last alarm of the page before
	AfterID           string
	Limit             int
}

// CallQuery selects calls, newest first: those that one organisation is to make, as the one that does not answer or the one that sent the patient, or
// all of the county if it is empty; without Ended the open ones.
type CallQuery struct {
	County, OrganizationID string
	Ended                  bool
	BeforeTime             time.Time // with BeforeID: the last call of the page before
	BeforeID               string
	Limit                  int
}

// AlarmStore is what is kept of alarms, calls, rosters and what people want.
type AlarmStore interface {
	// SaveRosters brings rosters up to date; an older version than the one known is ignored. A fact handled before changes nothing.
	SaveRosters(ctx context.Context, cmd Command, rosters []Roster) error
	// Rosters are those of an organisation's posts, or of the county's if it is empty; Contacts the accounts, by id, that are known.
	Rosters(ctx context.Context, county, organizationID string) ([]Roster, error)
	Contacts(ctx context.Context, county string, ids []string) (map[string]Contact, error)
	// ClaimAlarms takes at most n alarms whose ring is due and that nobody holds, for owner, who is one process; ClaimReminders reminders.
	ClaimAlarms(ctx context.Context, owner string, lease time.Duration, n int) ([]DueClaim, error)
	ClaimReminders(ctx context.Context, owner string, lease time.Duration, n int) ([]DueClaim, error)
	// RingingAt lists the alarms that ring at an account, oldest first; none that it acknowledged itself.
	RingingAt(ctx context.Context, q AlarmQuery) ([]AlarmView, error)
	// Alarm that rang at the account, or that has an entry of it; NotFound for another.
	Alarm(ctx context.Context, county, accountID, id string) (AlarmView, error)
	// Rung is the newest alarm of a referral with the people of its receiver at whom it rang; NotFound for none. Call and names are not its business.
	Rung(ctx context.Context, county, referralID string) (RungView, error)
	// Calls lists, Call answers one, that the organisation is to make if it is set; NotFound for another. Records are in order.
	Calls(ctx context.Context, q CallQuery) ([]domain.CallData, error)
	OpenCalls(ctx context.Context, county, organizationID string) (int, error)
	Call(ctx context.Context, county, organizationID, id string) (domain.CallData, error)
	// Names of accounts by id.
	Names(ctx context.Context, county string, ids []string) (map[string]string, error)
	// KnownReferral is the zero value for one of which nothing was heard.
	KnownReferral(ctx context.Context, county, id string) (domain.KnownReferral, error)
	// Preferences of an account, and rules of a county; those of who has said nothing if there are none.
	Preferences(ctx context.Context, county, accountID string) (domain.Preferences, error)
	CountyRules(ctx context.Context, county string) (domain.CountyRules, error)
}

// AlarmUnit is the part of Unit about alarms. What it answers for a change is locked until that ends.
type AlarmUnit interface {
	// Plan of a post; false when nobody ever planned it. Active are those of the accounts that are of the organisation and not disabled.
	Plan(ctx context.Context, p domain.Post) (duty.Plan, bool, error)
	Active(ctx context.Context, organizationID string, ids []string) (map[string]bool, error)
	// Works is the organisation of an account; empty for one that is not known.
	Works(ctx context.Context, accountID string) (organizationID string, err error)
	// Preferences of accounts, CountyRules: as in Store, here and now.
	Preferences(ctx context.Context, ids []string) (map[string]domain.Preferences, error)
	CountyRules(ctx context.Context) (domain.CountyRules, error)
	SavePreferences(accountID string, p domain.Preferences)
	SaveCountyRules(r domain.CountyRules)

	// Alarm answers NotFound for an unknown id; RingingAlarms those of a referral that ring, by id.
	Alarm(ctx context.Context, id string) (*domain.Alarm, error)
	RingingAlarms(ctx context.Context, referralID string) ([]*domain.Alarm, error)
	AddAlarm(a *domain.Alarm)
	// AlarmAccounts are all at whom an alarm rang.
	AlarmAccounts(ctx context.Context, id string) ([]string, error)
	// RaiseEntries notes the ring on the open entries of the accounts; the facts of a ring and of an end are for these accounts.
	RaiseEntries(a *domain.Alarm, accounts []string)
	TellEnd(a *domain.Alarm, accounts []string)
	// OpenOf lists the open entries of a fact, everybody's, by id.
	OpenOf(ctx context.Context, factID string) ([]*domain.Entry, error)
	// Call answers NotFound for an unknown id.
	Call(ctx context.Context, id string) (*domain.Call, error)
	AddCall(c *domain.Call)

	// KnownReferral is as in Store, here and now. SaveReferral keeps what a fact said of a referral, unless a newer one is known.
	KnownReferral(ctx context.Context, id string) (domain.KnownReferral, error)
	SaveReferral(k domain.KnownReferral)
	// RemindOf keeps when a patient is reminded of a booking; a zero due, that nobody is. An older version than the one known, and a booking
	// that was freed, change nothing. Forget ends it for good.
	RemindOf(b Booked)
	Forget(b Booked)
	// Reminder is one that waits and is held under the fence; false otherwise. Reminded ends it.
	Reminder(ctx context.Context, c DueClaim) (Booked, bool, error)
	Reminded(bookingID string)
}

// Booked is a booking of which a patient is reminded.
type Booked struct {
	ID, ReferralID string
	Version        int32
	Start, Due     time.Time
}

// Told by the store's encoder: a ring, or the end of an alarm.
type AlarmHappened struct {
	Rang     bool // else acknowledged or ended
	Alarm    domain.AlarmData
	Accounts []string
}
