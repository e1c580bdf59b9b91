package app

import (
	"context"
	"crypto/rand"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/run"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
	"github.com/tongzhen/tongzhen/services/notification/internal/words"
)

// Outside is what a message asks of the other services at the moment of sending. Errors are errs.NotFound or errs.Unavailable.
type Outside interface {
	// Contact is the number for SMS about a referral, or why there is none.
	Contact(ctx context.Context, county, patientID, referralID string) (phone, reason string, err error)
	// Booking is where and when.
	Booking(ctx context.Context, county, bookingID string) (Place, error)
	// Names of a county's organisations and departments.
	Names(ctx context.Context, county string) (Names, error)
	// SlipKey is a referral's number as printed and the key that verifies its slip.
	SlipKey(ctx context.Context, county, referralID string) (number, key string, err error)
}

// Place is where and when a patient goes. Gone: it was given back, or its session was cancelled.
type Place struct {
	OrganizationID, DepartmentCode string
	Location, Ward, Bed            string
	Start                          time.Time
	Bring, BringEnglish            string
	Gone                           bool
}

// Name is what a message says of an organisation or department.
type Name struct{ Name, NameEnglish, Phone, Location string }

// Names are a county's, by id; departments by organisation and code.
type Names struct {
	Organizations map[string]Name
	Departments   map[[2]string]Name
}

// SenderConfig is what can be set. All fields are needed.
type SenderConfig struct {
	Patience  map[string]domain.Patience // by urgency; "" for the rest
	Call      time.Duration              // a provider's time to answer
	Lease     time.Duration              // well above Call: what takes longer is taken for lost
	Poll      time.Duration
	Parallel  int            // calls at once of a provider that is the channel's only one; half as many besides for emergencies, and of each of several
	Rate      map[string]int // messages a minute that a channel's provider takes
	PerGroup  map[string]int // and that each address of it takes
	Trip      int            // failures in a row after which a provider rests
	Rest      time.Duration
	PublicURL string // where the gateway is reached from outside; empty: messages have no links
	LinkFor   time.Duration
	Zone      *time.Location
	Remind    domain.Hours // in which patients are reminded
}

// SenderDeps is what sending stands on. Counted may be nil.
type SenderDeps struct {
	Deliveries Deliveries
	Addresses  Addresses
	Links      Links
	Outside    Outside
	Adapters   map[string]channel.Adapter // of the channels that are configured
	Words      *words.Book
	Limiter    cache.Limiter
	Clock      clock.Clock
	Logger     *slog.Logger
	Counted    func(ctx context.Context, channel, outcome string)
	// Withdraw ends a message, held under a lease, whose recipient is not one any more.
	Withdraw func(ctx context.Context, lease string, d domain.Delivery) error
}

// Sender sends what leaves the house: one worker a channel, so that a dead provider delays only itself. Several may run on one database.
type Sender struct {
	SenderDeps
	cfg   SenderConfig
	lanes map[string]*lane
}

// NewSender makes the workers; they begin with Run.
func NewSender(cfg SenderConfig, deps SenderDeps) *Sender {
	if deps.Counted == nil {
		deps.Counted = func(context.Context, string, string) {}
	}
	deps.Outside = guard(deps.Outside, deps.Clock, cfg.Call/peerShare)
	s := &Sender{SenderDeps: deps, cfg: cfg, lanes: map[string]*lane{}}
	for _, name := range domain.Channels() {
		s.lanes[name] = newLane(s, name)
	}
	return s
}

// Wake tells that there is something to send.
func (s *Sender) Wake() {
	for _, l := range s.lanes {
		l.poke()
	}
}

const stopLanes = 15 * time.Second

// Run sends until ctx ends; what is under way then is brought to its end.
func (s *Sender) Run(ctx context.Context) error {
	parts := []run.Part{{Name: "lost leases", Runner: run.Func(func(ctx context.Context) error {
		run.Every(ctx, s.cfg.Lease/3, nil, s.Recover)
		return nil
	})}}
	// All lanes are told to stop at once: what is under way on one must not wait for another's.
	parts = append(parts, run.Part{Name: "lanes", Runner: run.Func(func(ctx context.Context) error {
		var lanes sync.WaitGroup
		for _, l := range s.lanes {
			lanes.Go(func() {
				run.Every(ctx, s.cfg.Poll, l.wake, l.work)
				l.flying.Wait()
			})
		}
		lanes.Wait()
		return nil
	})})
	return run.Group(ctx, stopLanes, parts...)
}

const (
	recoverAtOnce = 100
	forgetAtOnce  = 1000
)

// Recover takes up what somebody began and did not finish: nobody knows whether it was sent. It also forgets links that are over.
func (s *Sender) Recover(ctx context.Context) error {
	now := s.Clock.Now()
	lease := id.New()
	expired, begun, err := s.Deliveries.Expired(ctx, Claim{Lease: lease, Until: now.Add(s.cfg.Lease), Limit: recoverAtOnce})
	if err != nil {
		return err
	}
	var done []Done
	var aside []Aside
	for _, d := range expired {
		if begun[d.ID] {
			ended := domain.Ended{Outcome: domain.OutcomeUnknown, ProviderCode: "stopped"}
			done = append(done, Done{Delivery: d, Ended: ended, Step: d.Next(ended, s.patience(d), now, mathrand.Float64())})
			s.Counted(ctx, d.Channel, ended.Outcome)
			continue
		}
		aside = append(aside, Aside{County: d.County, ID: d.ID, State: domain.StatePending, Reason: d.Reason, Due: d.DueTime})
	}
	if len(done) > 0 {
		if err := s.Deliveries.Finish(ctx, lease, done); err != nil {
			return err
		}
	}
	if len(aside) > 0 {
		if err := s.Deliveries.SetAside(ctx, lease, aside); err != nil {
			return err
		}
	}
	return s.Links.ForgetLinks(ctx, now, forgetAtOnce)
}

// patience with a delivery. A test is tried once: somebody waits for what becomes of it.
func (s *Sender) patience(d domain.Delivery) domain.Patience {
	p, ok := s.cfg.Patience[d.Urgency]
	if !ok {
		p = s.cfg.Patience[""]
	}
	if d.Template == domain.TestTemplate {
		p.Most = 1
	}
	return p
}

// tokenBytes make a token that nobody guesses.
const tokenBytes = 16

func newToken() ([]byte, error) {
	token := make([]byte, tokenBytes)
	_, err := rand.Read(token)
	return token, err
}
