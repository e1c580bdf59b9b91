package scheduling

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/auditrpc"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/run"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
	"github.com/tongzhen/tongzhen/services/internal/workdays"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/events"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/lunar"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/rpc"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/store"
)

// Deps is what the service stands on. All of it belongs to the caller.
type Deps struct {
	DB         *sqldb.DB
	Bus        bus.Bus
	Peers      Peers
	Signer     *authn.Signer  // signs the heads of the audit chain
	AuditHeads audit.HeadFile // beside the database, or none
	Clock      clock.Clock
	Telemetry  *telemetry.Telemetry
}

// Peers are connections to the services that this one calls.
type Peers struct{ Referral grpc.ClientConnInterface }

// Service is scheduling, whole.
type Service struct {
	cfg    Config
	deps   Deps
	app    *app.App
	plans  *app.Planner
	relay  *outbox.Relay
	sealer *audit.Sealer
	holder string // this process, for leases
}

const (
	sweepLease    = "scheduling-sweep"
	planLease     = "scheduling-calendar"
	allocateLease = "scheduling-allocate"
	leaseTime     = 30 * time.Second
	// sweepTime ends a look before the lease does.
	sweepTime = 25 * time.Second
	// allocateEvery is the longest pause between two looks for departments that changed, allocateAll between two for what time alone opened or ended.
	allocateEvery = 2 * time.Second
	allocateAll   = time.Minute
	stopTimeout   = 10 * time.Second
)

// New makes the service; it begins to work with Run.
func New(_ context.Context, cfg Config, deps Deps) (*Service, error) {
	cfg, zone, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if deps.DB == nil || deps.Bus == nil || deps.Peers.Referral == nil || deps.Signer == nil || deps.Clock == nil || deps.Telemetry == nil {
		return nil, errors.New("make scheduling: a dependency is missing")
	}
	logger, holder := deps.Telemetry.Logger, id.New()
	relay := outbox.NewRelay(deps.DB, deps.Bus, deps.Clock, logger)
	holidays, err := workdays.China()
	if err != nil {
		return nil, err
	}
	st := store.New(deps.DB, events.Encode, relay.Wake)
	capacity := app.New(st, rpc.NewReferral(deps.Peers.Referral), zone, logger)
	return &Service{
		cfg: cfg, deps: deps, relay: relay, holder: holder, app: capacity,
		plans: app.NewPlanner(capacity, app.Calendar{
			Holiday: func(day time.Time) bool { return holidays.Free(day.Format(time.DateOnly)) }, Lunar: lunar.Day, HorizonDays: cfg.HorizonDays,
		}),
		sealer: audit.NewSealer(deps.DB, audit.Signing{Signer: deps.Signer, Heads: deps.AuditHeads}, holder, logger, deps.Clock),
	}, nil
}

// Migrations are the schemas the service needs.
func Migrations() []sqldb.MigrationSet {
	return []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations, audit.Migrations, store.Migrations}
}

// Register adds the service's methods.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	rpc.NewServer(s.app, s.deps.Clock).Register(r)
	rpc.NewCalendarServer(s.app, s.plans, s.deps.Clock).Register(r)
	auditrpc.Register(r, s.deps.DB, s.deps.Signer)
}

// Policy is who may call what.
func Policy() authz.Table { return auditrpc.With(rpc.Policy()) }

// Policy is the package's.
func (s *Service) Policy() authz.Table { return Policy() }

// Run publishes, seals, consumes and sweeps until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	return run.Group(ctx, stopTimeout,
		run.Part{Name: "relay", Runner: s.relay},
		run.Part{Name: "sealer", Runner: s.sealer},
		run.Part{Name: "referral facts", Runner: run.Func(func(ctx context.Context) error {
			return s.deps.Bus.Consume(ctx, events.ReferralConsumer(), events.OnReferral(s.app))
		})},
		run.Part{Name: "facts of persons", Runner: run.Func(func(ctx context.Context) error {
			return s.deps.Bus.Consume(ctx, events.PersonConsumer(), events.OnPerson(s.app))
		})},
		run.Part{Name: "sweep", Runner: run.Func(s.sweepUntil)},
		run.Part{Name: "calendar", Runner: run.Func(s.planUntil)},
		run.Part{Name: "allocate", Runner: run.Func(s.allocateUntil)},
	)
}

func (s *Service) sweepUntil(ctx context.Context) error {
	return s.leased(ctx, sweepLease, s.cfg.SweepEvery, s.app.Sweep)
}

// planUntil makes sessions of templates, and gives those who lost theirs another place.
func (s *Service) planUntil(ctx context.Context) error {
	return s.leased(ctx, planLease, s.cfg.PlanEvery, func(ctx context.Context) error { return s.plans.Work(ctx, s.deps.Clock.Now()) })
}

// allocateUntil gives free places to those who wait, soon after a change and every minute or as configured.
func (s *Service) allocateUntil(ctx context.Context) error {
	var last time.Time
	return s.leased(ctx, allocateLease, min(allocateEvery, s.cfg.SweepEvery), func(ctx context.Context) error {
		now := s.deps.Clock.Now()
		all := now.Sub(last) >= s.cfg.AllocateAll
		err := s.app.Allocate(ctx, now, all)
		if all && err == nil {
			last = now
		}
		return err
	})
}

// leased does the work again and again until ctx ends, at any moment in one process only.
func (s *Service) leased(ctx context.Context, lease string, every time.Duration, work func(context.Context) error) error {
	var fence int64
	run.Every(ctx, every, nil, func(ctx context.Context) error {
		got, ok, err := sqldb.AcquireLease(ctx, s.deps.DB, lease, s.holder, leaseTime)
		if err != nil || !ok {
			return err
		}
		fence = got
		ctx, cancel := context.WithTimeout(ctx, sweepTime)
		defer cancel()
		return work(ctx)
	})
	if fence == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout/2)
	defer cancel()
	return sqldb.ReleaseLease(ctx, s.deps.DB, lease, fence)
}

// Health answers nil when the service can do its work. The bus is not asked: facts wait for it.
func (s *Service) Health(ctx context.Context) error {
	return s.deps.DB.Healthy(ctx)
}
