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
	// Logins tells which of the normalised logins exist.
	Logins(ctx context.Context, logins []string) (map[string]bool, error)

	// Organizations in the order of county and code. An empty county is all of them.
	Organizations(ctx context.Context, q OrganizationQuery) ([]domain.Organization, error)
	// Organization of a county; not found is errs.NotFound.
	Organization(ctx context.Context, county, id string) (domain.Organization, error)
	// Accounts in the order of county and login. An empty county is all of them.
	Accounts(ctx context.Context, q AccountQuery) ([]AccountView, error)

	// Formulary of one organisation in the order of name and specification, without what left the list; with no
	// organisation, of the whole county (or of all of them) in the order of county and id, with it.
	Formulary(ctx context.Context, q FormularyQuery) ([]domain.FormularyItem, error)
	// Capabilities in the order of county and organisation's id. An empty county is all of them.
	Capabilities(ctx context.Context, q CapabilityQuery) ([]domain.Capabilities, error)

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
	// CreateAccount keeps the hash of the password; "" is an account that cannot sign in.
	CreateAccount(v AccountView, passwordHash string)
	UpdateAccount(v AccountView)
	// ImportFormulary keeps medicines of one organisation, new ones and changed ones.
	ImportFormulary(organizationID string, items []domain.FormularyItem)
	SetStock(item domain.FormularyItem)
	ReplaceCapabilities(c domain.Capabilities)
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

// SignInState is what signing in needs to know.
type SignInState struct {
	Found        bool
	View         AccountView
	PasswordHash string
	Guard        domain.Guard
}

// SessionState is a session with whose it is.
type SessionState struct {
	Session domain.Session
	View    AccountView
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
