package directory

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"google.golang.org/grpc"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/rpc"
	"github.com/tongzhen/tongzhen/services/directory/internal/store"
	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/auditrpc"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/run"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
)

// Deps is what the service stands on. All of it belongs to the caller.
type Deps struct {
	DB         *sqldb.DB
	Bus        bus.Bus
	Cache      cache.Store    // counts tries to sign in
	Signer     *authn.Signer  // signs call tokens and the heads of the audit chain
	AuditHeads audit.HeadFile // beside the database, or none
	Clock      clock.Clock
	Telemetry  *telemetry.Telemetry
}

// Service is directory, whole.
type Service struct {
	deps   Deps
	app    *app.App
	relay  *outbox.Relay
	sealer *audit.Sealer
}

const (
	purgeEvery  = time.Hour
	stopTimeout = 10 * time.Second
)

// New makes the service; it begins to work with Run.
func New(_ context.Context, cfg Config, deps Deps) (*Service, error) {
	zone, err := cfg.zone()
	if err != nil {
		return nil, err
	}
	limits, err := cfg.limits()
	if err != nil {
		return nil, err
	}
	if deps.DB == nil || deps.Bus == nil || deps.Cache == nil || deps.Signer == nil || deps.Clock == nil || deps.Telemetry == nil {
		return nil, errors.New("make directory: a dependency is missing")
	}
	logger := deps.Telemetry.Logger
	relay := outbox.NewRelay(deps.DB, deps.Bus, deps.Clock, logger)
	return &Service{
		deps: deps, relay: relay,
		app: app.New(app.Deps{
			Store: store.New(deps.DB, relay.Wake), Limiter: deps.Cache, Signer: deps.Signer, Clock: deps.Clock, Zone: zone, Entropy: rand.Reader,
		}, limits),
		sealer: audit.NewSealer(deps.DB, audit.Signing{Signer: deps.Signer, Heads: deps.AuditHeads}, id.New(), logger, deps.Clock),
	}, nil
}

// Migrations are the schemas the service needs.
func Migrations() []sqldb.MigrationSet {
	return []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations, audit.Migrations, store.Migrations}
}

// Register adds the service's methods.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	rpc.NewServer(s.app, s.deps.Signer).Register(r)
	auditrpc.Register(r, s.deps.DB, s.deps.Signer)
}

// Policy is who may call what.
func Policy() authz.Table { return auditrpc.With(rpc.Policy()) }

// Policy is the package's.
func (s *Service) Policy() authz.Table { return Policy() }

// Run publishes, seals and forgets what is over until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	return run.Group(ctx, stopTimeout,
		run.Part{Name: "relay", Runner: s.relay},
		run.Part{Name: "sealer", Runner: s.sealer},
		run.Part{Name: "purge", Runner: run.Func(func(ctx context.Context) error {
			run.Every(ctx, purgeEvery, nil, s.app.Purge)
			return nil
		})},
	)
}

// Health answers nil when the service can do its work. The bus is not asked: facts wait for it.
func (s *Service) Health(ctx context.Context) error {
	return s.deps.DB.Healthy(ctx)
}
