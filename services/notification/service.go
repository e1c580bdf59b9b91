package notification

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/auditrpc"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/rekey"
	"github.com/tongzhen/tongzhen/services/internal/rekeyrpc"
	"github.com/tongzhen/tongzhen/services/internal/run"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
	"github.com/tongzhen/tongzhen/services/notification/internal/events"
	"github.com/tongzhen/tongzhen/services/notification/internal/rpc"
	"github.com/tongzhen/tongzhen/services/notification/internal/store"
	"github.com/tongzhen/tongzhen/services/notification/internal/words"
)

// Deps is what the service stands on. All of it belongs to the caller.
type Deps struct {
	DB         *sqldb.DB
	Bus        bus.Bus
	Cache      cache.Limiter
	Peers      Peers
	Ring       *crypt.Ring    // seals addresses
	Signer     *authn.Signer  // signs the heads of the audit chain
	AuditHeads audit.HeadFile // beside the database, or none
	Clock      clock.Clock
	Telemetry  *telemetry.Telemetry
}

// Peers are connections to the services that this one calls.
type Peers struct {
	Directory, PatientRecord, Referral, Scheduling grpc.ClientConnInterface
}

func (p Peers) whole() bool {
	return p.Directory != nil && p.PatientRecord != nil && p.Referral != nil && p.Scheduling != nil
}

// Service is notification, whole.
type Service struct {
	cfg    Config
	deps   Deps
	app    *app.App
	sender *app.Sender
	server *rpc.Server
	relay  *outbox.Relay
	sealer *audit.Sealer
	table  domain.Table
	holder string
	rekey  *rekey.Walker
	store  *store.Store
	kept   time.Duration // of what is over
	read   chan struct{} // closed when every county known at the start was read
}

const (
	// stopTimeout is longer than a provider may take to answer, unless it was set longer, and shorter than the process waits: what is under way is brought
	// to its end, so that its outcome is known.
	stopTimeout = 14 * time.Second
	// retryReading is the pause between tries while the directory is away at the start.
	retryReading = time.Second
	// ringEvery is short beside a minute; remindEvery beside an evening.
	ringEvery   = time.Second
	remindEvery = 30 * time.Second
)

// New makes the service; it begins to work with Run.
func New(_ context.Context, cfg Config, deps Deps) (*Service, error) {
	if deps.DB == nil || deps.Bus == nil || deps.Cache == nil || !deps.Peers.whole() || deps.Ring == nil || deps.Signer == nil || deps.Clock == nil || deps.Telemetry == nil {
		return nil, errors.New("make notification: a dependency is missing")
	}
	table, err := cfg.table()
	if err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	zone, err := cfg.zone()
	if err != nil {
		return nil, err
	}
	book, err := cfg.Delivery.words()
	if err != nil {
		return nil, fmt.Errorf("make notification: %w", err)
	}
	logger, holder := deps.Telemetry.Logger, id.New()
	relay := outbox.NewRelay(deps.DB, deps.Bus, deps.Clock, logger)
	s := &Service{
		cfg: cfg, deps: deps, relay: relay, table: table, holder: holder, read: make(chan struct{}),
		sealer: audit.NewSealer(deps.DB, audit.Signing{Signer: deps.Signer, Heads: deps.AuditHeads}, holder, logger, deps.Clock),
		rekey:  rekey.New(rekey.Deps{DB: deps.DB, Ring: deps.Ring, Columns: store.Sealed(), Holder: holder, Logger: logger}),
	}
	st := store.New(deps.DB, deps.Ring, events.Encode, store.Wakes{Facts: relay.Wake, Deliveries: func() { s.sender.Wake() }})
	s.store = st
	if s.kept, err = cfg.Delivery.kept(); err != nil {
		return nil, fmt.Errorf("make notification: %w", err)
	}
	if s.sender, err = s.newSender(st, book); err != nil {
		return nil, fmt.Errorf("make notification: %w", err)
	}
	s.app = app.New(app.Deps{
		Store: st, Directory: rpc.NewDirectory(deps.Peers.Directory, rpc.Readings{Account: events.Account, Roster: events.Roster}),
		Clock: deps.Clock, Logger: logger, Table: table, Zone: zone, Texts: book,
	})
	s.server = rpc.NewServer(s.app, app.NewOutgoing(st, s.sender, s.app.StopByLink))
	return s, nil
}

// newSender makes the workers of what leaves the house.
func (s *Service) newSender(st *store.Store, book *words.Book) (*app.Sender, error) {
	cfg, deps := s.cfg, s.deps
	zone, err := time.LoadLocation(cfg.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("time-zone: %w", err)
	}
	adapters, err := cfg.Delivery.adapters(deps.Clock, book.Templates())
	if err != nil {
		return nil, err
	}
	attempts, err := deps.Telemetry.Meter.Int64Counter("tongzhen.delivery.attempts", metric.WithDescription("Calls of providers of messages, by channel and outcome."))
	if err != nil {
		return nil, fmt.Errorf("make counter of attempts: %w", err)
	}
	settings, err := cfg.Delivery.sender(zone)
	if err != nil {
		return nil, err
	}
	kept := store.NewBook(deps.DB, deps.Ring)
	return app.NewSender(settings, app.SenderDeps{
		Deliveries: st, Addresses: kept, Links: kept, Adapters: adapters, Words: book, Limiter: deps.Cache, Clock: deps.Clock, Logger: deps.Telemetry.Logger,
		Withdraw: func(ctx context.Context, lease string, d domain.Delivery) error { return s.app.Withdraw(ctx, lease, d) },
		Outside:  rpc.NewOutside(rpc.OutsidePeers(deps.Peers), deps.Clock),
		Counted: func(ctx context.Context, channel, outcome string) {
			attempts.Add(ctx, 1, metric.WithAttributes(attribute.String("channel", channel), attribute.String("outcome", outcome)))
		},
	}), nil
}

// Migrations are the schemas the service needs.
func Migrations() []sqldb.MigrationSet {
	return []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations, audit.Migrations, rekey.Migrations, store.Migrations}
}

// Register adds the service's methods.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	s.server.Register(r)
	auditrpc.Register(r, s.deps.DB, s.deps.Signer)
	rekeyrpc.Register(r, s.rekey)
}

// Policy is who may call what.
func Policy() authz.Table { return rekeyrpc.With(auditrpc.With(rpc.Policy())) }

// Policy is the package's.
func (s *Service) Policy() authz.Table { return Policy() }

// Run publishes, seals, reads accounts and consumes until ctx ends. Facts of referrals wait for the first reading.
// It is called once.
func (s *Service) Run(ctx context.Context) error {
	return run.Group(ctx, stopTimeout,
		run.Part{Name: "relay", Runner: s.relay},
		run.Part{Name: "sealer", Runner: s.sealer},
		run.Part{Name: "sealed values", Runner: s.rekey},
		run.Part{Name: "deliveries", Runner: s.sender},
		run.Part{Name: "accounts", Runner: run.Func(s.readUntil)},
		run.Part{Name: "account facts", Runner: run.Func(func(ctx context.Context) error {
			return s.deps.Bus.Consume(ctx, events.AccountConsumer(), events.OnAccount(s.app))
		})},
		run.Part{Name: "referral facts", Runner: s.following(events.ReferralConsumer(s.table), events.OnReferral(s.app))},
		run.Part{Name: "record facts", Runner: s.following(events.RecordConsumer(), events.OnGlass(s.app))},
		run.Part{Name: "consent facts", Runner: s.following(events.ConsentConsumer(), events.OnConsent(s.app))},
		run.Part{Name: "roster facts", Runner: run.Func(func(ctx context.Context) error {
			return s.deps.Bus.Consume(ctx, events.RosterConsumer(), events.OnRoster(s.app))
		})},
		run.Part{Name: "capacity facts", Runner: s.following(events.CapacityConsumer(), events.OnCapacity(s.app))},
		run.Part{Name: "rings", Runner: s.working(ringEvery, s.app.RingDue)},
		run.Part{Name: "reminders", Runner: s.working(remindEvery, s.app.RemindDue)},
		run.Part{Name: "retention", Runner: run.Func(s.prune)},
		run.Part{Name: "stay facts", Runner: s.following(events.StayConsumer(), events.OnStay(s.app))},
	)
}

// following consumes once the people are known who are to be told.
func (s *Service) following(c bus.Consumer, handle func(context.Context, bus.Msg) error) run.Runner {
	return run.Func(func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return nil
		case <-s.read:
		}
		return s.deps.Bus.Consume(ctx, c, handle)
	})
}

// working looks again and again for what is due, once the people are known.
func (s *Service) working(every time.Duration, work func(context.Context, string) error) run.Runner {
	return run.Func(func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return nil
		case <-s.read:
		}
		run.Every(ctx, every, nil, func(ctx context.Context) error { return work(ctx, s.holder) })
		return nil
	})
}

// pruneEvery is how often it is looked for what is over and old.
const pruneEvery = time.Hour

// prune deletes what is over and old, one instance at a time.
func (s *Service) prune(ctx context.Context) error {
	run.Every(ctx, pruneEvery, nil, func(ctx context.Context) error {
		_, err := s.deps.DB.Alone(ctx, "notification-prune", func() error {
			pruned, err := app.Prune(ctx, s.store, s.deps.Clock.Now().Add(-s.kept))
			if pruned {
				s.deps.Telemetry.Logger.InfoContext(ctx, "old messages, reminders and telephone tasks were deleted")
			}
			return err
		})
		return err
	})
	return nil
}

func (s *Service) readUntil(ctx context.Context) error {
	first, stop := context.WithCancel(ctx)
	defer stop()
	run.Every(first, retryReading, nil, func(ctx context.Context) error {
		if err := s.app.ReadKnown(ctx); err != nil {
			return err
		}
		close(s.read)
		stop()
		return nil
	})
	if ctx.Err() != nil {
		return nil
	}
	pause := time.NewTimer(s.cfg.ReadAccountsEvery)
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return nil
	case <-pause.C:
	}
	run.Every(ctx, s.cfg.ReadAccountsEvery, nil, s.app.ReadKnown)
	return nil
}

// Health answers nil when the service can do its work. The bus is not asked: facts wait for it.
func (s *Service) Health(ctx context.Context) error {
	if err := s.deps.DB.Healthy(ctx); err != nil {
		return err
	}
	select {
	case <-s.read:
		return nil
	default:
		return errors.New("the directory's accounts were not read yet")
	}
}
