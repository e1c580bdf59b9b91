package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
)

// Store keeps the directory. Change is the only way to write.
type Store interface {
	// Change runs fn in one transaction and commits what the Unit collected: rows, audit entries and facts together,
	// or nothing when fn or the commit fails. fn may run more than once and must start from nothing each time.
	// Two imports that make the same code, login or medicine at once: one of them is answered Stale.
	Change(ctx context.Context, by Command, fn func(Unit) error) error

	// SignInState is what signing in with a normalised login needs; Found is false for an unknown login.
	SignInState(ctx context.Context, login, guardKey string) (SignInState, error)
	// SessionState is a session, live or not, with its account; not found is errs.NotFound.
	SessionState(ctx context.Context, sessionID string) (SessionState, error)
	// Logins tells the organisations of those of the normalised logins that exist.
	Logins(ctx context.Context, logins []string) (map[string]string, error)

	// Organizations in the order of county and code. An empty county is all of them.
	Organizations(ctx context.Context, q OrganizationQuery) ([]domain.Organization, error)
	// CountyName is what a county is called; "" for one that is unknown or has no name.
	CountyName(ctx context.Context, county string) (string, error)
	// Organization of a county; not found is errs.NotFound.
	Organization(ctx context.Context, county, id string) (domain.Organization, error)
	// Accounts in the order of county and login. An empty county is all of them.
	Accounts(ctx context.Context, q AccountQuery) ([]AccountView, error)
	// FindAccounts in the order of login, for who looks after them.
	FindAccounts(ctx context.Context, q AccountSearch) ([]KeptAccount, error)
	// KeptAccount of a county; not found is errs.NotFound.
	KeptAccount(ctx context.Context, county, id string) (KeptAccount, error)
	// AccountByLogin of a county; not found is errs.NotFound.
	AccountByLogin(ctx context.Context, county, login string) (AccountView, error)
	// AccountChanges are the last of an account, the newest first, with names as they are now.
	AccountChanges(ctx context.Context, county, id string, limit int) ([]AccountChange, error)
	// PostsOf an account: where it stands in the week, or in a hand-over that ends after since.
	PostsOf(ctx context.Context, county, accountID string, since time.Time) ([]domain.Post, error)

	// Formulary of one organisation in the order of name and specification, without what left the list; with no
	// organisation, of the whole county (or of all of them) in the order of county and id, with it.
	Formulary(ctx context.Context, q FormularyQuery) ([]domain.FormularyItem, error)
	// Capabilities in the order of county and organisation's id. An empty county is all of them.
	Capabilities(ctx context.Context, q CapabilityQuery) ([]domain.Capabilities, error)

	// Hanging is what hangs on each organisation of a county, by id; one on which nothing hangs may be missing.
	Hanging(ctx context.Context, county string) (map[string]Hanging, error)
	// Medicines of an organisation in the order of name and specification.
	Medicines(ctx context.Context, q MedicineQuery) ([]MedicineLine, error)
	// Medicine by id, on the list or not; not found is errs.NotFound.
	Medicine(ctx context.Context, county, id string) (domain.FormularyItem, error)
	// PlaceVersions of a subject, the newest first. What was changed before versions were kept begins with its first change since.
	PlaceVersions(ctx context.Context, county string, s Subject, id string, limit int) ([]PlaceVersion, error)

	// Rosters in the order of county, organisation and department.
	Rosters(ctx context.Context, q RosterQuery) ([]domain.Roster, error)
	// RosterVersions of a post, the newest first.
	RosterVersions(ctx context.Context, p domain.Post, limit int) ([]RosterVersion, error)
	// PostOfHandOver is where a hand-over is; not found is errs.NotFound.
	PostOfHandOver(ctx context.Context, county, id string) (domain.Post, error)

	// Purge forgets sessions made before one instant and wrong passwords, none of them locking, before the other.
	Purge(ctx context.Context, sessionsBefore, failuresBefore time.Time) error
}

// Command says who changes something, for facts and audit. AccountID is "service:<name>" for a service, and "" when
// nobody has proved who it is.
type Command struct {
	County         string
	AccountID      string
	OrganizationID string
	AccountName    string // the person's; never in logs
	// Request makes a repeat harmless: Change does nothing when it was made before, and is REQUEST_ID_REUSED when it said something else.
	Request Request
}

// Unit is one change in the making. What it reads stays as read until the end of the change.
type Unit interface {
	// Now is the instant of the change.
	Now() time.Time

	OrganizationsByCode(ctx context.Context, county string, codes []string) (map[string]domain.Organization, error)
	OrganizationsByID(ctx context.Context, county string, ids []string) (map[string]domain.Organization, error)
	// AccountsByLogin finds accounts of every county: a login is unique in the deployment.
	AccountsByLogin(ctx context.Context, logins []string) (map[string]domain.Account, error)
	// Account of a county by id; not found is errs.NotFound.
	Account(ctx context.Context, county, id string) (AccountView, error)
	// Credential of an account that was read by Account before, which every change of a password waits for; the zero Credential when there is none.
	Credential(ctx context.Context, county, accountID string) (Credential, error)
	// Administrators of the county. Who takes a role away asks first, so that two who do so at once wait for each other.
	Administrators(ctx context.Context, county string) (domain.Administrators, error)
	// Guard is that of the key, the zero Guard when there is none. Guards that are to count a failure are read by
	// OpenGuard, which makes the row first, so that failures at the same moment wait for each other.
	Guard(ctx context.Context, key string) (domain.Guard, error)
	OpenGuard(ctx context.Context, key string) (domain.Guard, error)
	// Session of the id; not found is errs.NotFound.
	Session(ctx context.Context, id string) (domain.Session, error)

	// FormularyItems by id.
	FormularyItems(ctx context.Context, county string, ids []string) (map[string]domain.FormularyItem, error)
	// Capabilities by organisation, of every one that is named; version 0 where nothing was said yet.
	Capabilities(ctx context.Context, county string, organizationIDs []string) (map[string]domain.Capabilities, error)

	// Hanging is what hangs on one organisation.
	Hanging(ctx context.Context, county, organizationID string) (Hanging, error)

	// Roster of a post with the hand-overs that have not ended; version 0 where nothing was said yet.
	Roster(ctx context.Context, p domain.Post) (domain.Roster, error)
	// AccountsOf an organisation by id.
	AccountsOf(ctx context.Context, county, organizationID string) ([]AccountView, error)
	// PostOfHandOver is as in Store.
	PostOfHandOver(ctx context.Context, county, id string) (domain.Post, error)

	// SaveRoster keeps the week, the hand-overs and the version; was is the roster before.
	SaveRoster(was, is domain.Roster, c RosterAction)
	NameCounty(county, name string)
	CreateOrganization(o domain.Organization)
	UpdateOrganization(o domain.Organization)
	// CreateAccount keeps the credential; without a hash the account cannot sign in.
	CreateAccount(v AccountView, c Credential)
	// UpdateAccount ends the sessions of an account that is disabled; action is the word of the audit entry.
	UpdateAccount(v AccountView, action string)
	// SetPassword keeps the credential with the account's next version, and ends its sessions but for the one that is named; "" names none.
	SetPassword(v AccountView, c Credential, but, action string)
	// ForgetFailures of a guard's key.
	ForgetFailures(guardKey string)
	// ImportFormulary keeps medicines of one organisation, new ones and changed ones.
	ImportFormulary(organizationID string, items []domain.FormularyItem)
	// SaveMedicine keeps one medicine, new or changed; action is the word of the audit entry.
	SaveMedicine(item domain.FormularyItem, action string)
	// ReplaceCapabilities keeps all that an organisation can do; action is the word of the audit entry.
	ReplaceCapabilities(c domain.Capabilities, action string)
	// FailSignIn keeps the guard.
	FailSignIn(f Failure)
	// StartSession forgets wrong passwords under the guard's key.
	StartSession(s domain.Session, v AccountView, guardKey string)
	TouchSession(s domain.Session)
	EndSession(s domain.Session)
}

// Failure is one wrong password. Locks tells that it closed the lock. Account is nil for an unknown login.
type Failure struct {
	GuardKey string
	Guard    domain.Guard
	Locks    bool
	Account  *AccountView
}

// Limiter is cache.Limiter.
type Limiter interface {
	Allow(ctx context.Context, key string, n int, per time.Duration) (ok bool, retryAfter time.Duration, err error)
}

// Signer signs call tokens; authn.Signer is one.
type Signer interface {
	Sign(id authn.Identity, ttl time.Duration, now time.Time) (string, error)
}

// AccountView is an account with the name of its organisation.
type AccountView struct {
	Account          domain.Account
	OrganizationName string
}

// Credential is a password as it is kept. OneTime has to be changed before anything else; Set is when it was given, which the store knows.
type Credential struct {
	Hash    string
	OneTime bool
	Set     time.Time
}

// SignInState is what signing in needs to know.
type SignInState struct {
	Found      bool
	View       AccountView
	Credential Credential
	Guard      domain.Guard
}

// SessionState is a session with whose it is. OneTime is its credential's.
type SessionState struct {
	Session domain.Session
	View    AccountView
	OneTime bool
}

// KeptAccount is an account as whoever looks after it sees it. New is one whose person has not chosen a password yet, Issued when the one-time
// password was given; zero without one.
type KeptAccount struct {
	AccountView
	New    bool
	Issued time.Time
}

// AccountChange is what an account said after a change. Action is the word of the audit entry; By is empty for what was before changes were
// recorded.
type AccountChange struct {
	AccountView
	Action string
	By     string
	ByName string
	Time   time.Time
}

// AccountSearch asks for one page; what is empty is not asked. Text is a part of the name or the beginning of the login, in any case.
type AccountSearch struct {
	County         string
	Text           string
	OrganizationID string
	Role           domain.Role
	State          AccountState
	After          Position
	Limit          int
}

// AccountState is "" for every one.
type AccountState string

// The states of an account; New is that of KeptAccount.
const (
	StateActive   AccountState = "ACTIVE"
	StateNew      AccountState = "NEW"
	StateDisabled AccountState = "DISABLED"
)

// State of the account.
func (k KeptAccount) State() AccountState {
	switch {
	case k.Account.Data().Disabled:
		return StateDisabled
	case k.New:
		return StateNew
	}
	return StateActive
}

// Position is the last row of a page; the zero Position is before the first.
type Position struct{ County, Key string }

// OrganizationQuery asks for one page. Type "" is every type.
type OrganizationQuery struct {
	County string
	Type   domain.OrganizationType
	After  Position
	Limit  int
}

// AccountQuery asks for one page. OrganizationID "" is all of the county.
type AccountQuery struct {
	County         string
	OrganizationID string
	After          Position
	Limit          int
}

// FormularyQuery asks for one page. OrganizationID "" is all of the county. Text is a part of the name, a part of its
// pinyin initials, or the beginning of the ATC class, in any case; "" matches everything. After.Key is an id.
type FormularyQuery struct {
	County         string
	OrganizationID string
	Text           string
	After          Position
	Limit          int
}

// CapabilityQuery asks for all at once: organisations are few. OrganizationID "" is all of the county.
type CapabilityQuery struct {
	County         string
	OrganizationID string
}
