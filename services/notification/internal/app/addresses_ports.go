package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Owner is whose address it is: a person's (AccountID), or a group's (OrganizationID, with or without DepartmentCode).
type Owner struct{ County, AccountID, OrganizationID, DepartmentCode string }

// Address is where an owner is reached on a channel, readable.
type Address struct {
	Owner
	Channel, Value, Secret string
	Masked                 string
	UpdateTime, TestTime   time.Time
	FromDirectory          bool // what the directory says of a person who set none; it has no times
}

// String tells nothing.
func (a Address) String() string { return "address" }

// Addresses keeps them sealed. Implementations are safe for concurrent use.
type Addresses interface {
	// Address answers the one that is in force; false if there is none.
	Address(ctx context.Context, o Owner, channel string) (Address, bool, error)
	// Addresses lists those in force of a person, or all of an organisation's groups, without values and secrets, HasSecret by a secret of "*".
	Addresses(ctx context.Context, o Owner) ([]Address, error)
	// SetAddress keeps it, or removes it if the value is empty; it leaves an audit entry.
	SetAddress(ctx context.Context, caller Caller, a Address) (Address, error)
	// Tested notes that a provider took a test.
	Tested(ctx context.Context, o Owner, channel string, at time.Time) error
}

// Links keeps the tokens of links, as hashes.
type Links interface {
	// Link answers the link of a token and its county; NotFound for one that is unknown or over.
	Link(ctx context.Context, hash []byte, now time.Time) (county string, l Link, err error)
	// EntryOf answers an entry, whoever's; NotFound.
	EntryOf(ctx context.Context, county, entryID string) (domain.EntryData, error)
	// ForgetLinks removes up to limit that are over.
	ForgetLinks(ctx context.Context, now time.Time, limit int) error
}
