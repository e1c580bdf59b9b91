package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Deliveries is what is kept of messages that leave the house. Implementations are safe for concurrent use, by several processes.
//
// A delivery under way has a lease: nobody else touches it until the lease is over. What is done in the name of a lease that was lost changes nothing.
type Deliveries interface {
	// Delivery answers one with its attempts; NotFound for an unknown one.
	Delivery(ctx context.Context, county, id string) (domain.Delivery, error)
	// List answers a page without attempts, newest first.
	List(ctx context.Context, q DeliveryQuery) ([]domain.Delivery, error)
	// CountDead of those that the query's county and scope show, whatever else it asks.
	CountDead(ctx context.Context, q DeliveryQuery) (int, error)
	// Load answers how each channel is in a county.
	Load(ctx context.Context, county string) (map[string]ChannelLoad, error)

	// Due tells whether anything, or an emergency, is due on a channel, cheaply.
	Due(ctx context.Context, channel string, emergency bool) (bool, error)
	// Claim takes what is due under a new lease: emergencies first, as far as Urgent goes above Limit, then the longest due; with a row that may go with others, up to with others of the same
	// recipient. Nobody else gets them until the lease is over.
	Claim(ctx context.Context, c Claim) ([]domain.Delivery, error)
	// SetAside ends the lease without an attempt.
	SetAside(ctx context.Context, lease string, aside []Aside) error
	// Begin commits one more attempt of each, with the links of their messages, and answers those that are still held and needed, as they are now; the
	// others are let go. Gone are those whose recipient is not one any more, as far as is known: they are not begun, and stay held.
	Begin(ctx context.Context, b Begin) (begun, gone []domain.Delivery, err error)
	// Finish writes how an attempt ended and what follows, and ends the lease; one that is given up is published as delivery_failed.
	Finish(ctx context.Context, lease string, done []Done) error
	// Expired are up to limit deliveries whose lease is over, under a new one; begun says of which an attempt was written: nobody knows what became of it.
	Expired(ctx context.Context, c Claim) (expired []domain.Delivery, begun map[string]bool, err error)

	// Replay puts a delivery back that was given up and is still needed; false if it is in another state. It leaves an audit entry.
	Replay(ctx context.Context, caller Caller, id string) (bool, error)
}

// Claim asks for work.
type Claim struct {
	Channel string
	Lease   string // a name that no other has
	Until   time.Time
	Limit   int
	Urgent  int     // so many emergencies besides
	Except  []Owner // groups whose messages are left
	With    int
}

// Aside is a delivery that is not tried now.
type Aside struct {
	County, ID    string
	State, Reason string // PENDING with the time from which on, SKIPPED or CANCELLED
	Due           time.Time
}

// Begin is what is tried together.
type Begin struct {
	Lease string
	Until time.Time
	Tries []Try
}

// Try is one delivery that is about to be sent.
type Try struct {
	County, ID    string
	AddressMasked string
	Link          *Link // nil without one
}

// Link is an acknowledgement without signing in, by whoever holds its token.
type Link struct {
	Hash                         []byte
	DeliveryID, EntryID, AlarmID string
	AccountID                    string
	Until                        time.Time
}

// Done is an attempt that ended.
type Done struct {
	Delivery domain.Delivery // as Begin answered it
	Ended    domain.Ended
	Step     domain.Step
}

// DeliveryQuery selects deliveries of a county.
type DeliveryQuery struct {
	County         string
	OrganizationID string // only those to it and its people; empty: all
	ID             string // one only
	State, Channel string
	ReferralID     string
	Needed         bool // without what was acknowledged meanwhile
	Since          time.Time
	BeforeTime     time.Time // with BeforeID: the last of the page before
	BeforeID       string
	Limit          int
}

// ChannelLoad is how a channel is in a county.
type ChannelLoad struct {
	Pending, Dead int
	LastSent      time.Time
}
