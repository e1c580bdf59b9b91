package patientrecord

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/events"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/measure"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/rpc"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/scan"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/store"
)

// Deps is what the service stands on. All of it belongs to the caller.
type Deps struct {
	DB         *sqldb.DB
	Bus        bus.Bus
	Cache      cache.Store // counts look-ups by identity number
	Peers      Peers
	Ring       *crypt.Ring
	Signer     *authn.Signer  // signs the heads of the audit chain
	AuditHeads audit.HeadFile // beside the database, or none
	Clock      clock.Clock
	Telemetry  *telemetry.Telemetry
}

// Peers are connections to the services that this one calls.
type Peers struct{ Referral, Directory grpc.ClientConnInterface }

// Service is patient-record, whole.
type Service struct {
	deps   Deps
	app    *app.App
	record *app.Clinical
	store  *store.Store
	// attachments stand beside app: what they need beyond it is a scanner.
	attachments *app.Attachments
	recognition *app.Recognition
	feed        *app.Feed
	relay       *outbox.Relay
	sealer      *audit.Sealer
	rekey       *rekey.Walker
}

const (
	stopTimeout = 10 * time.Second
)

// New makes the service; it begins to work with Run.
func New(_ context.Context, cfg Config, deps Deps) (*Service, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("make patientrecord: %w", err)
	}
	zone, err := cfg.zone()
	if err != nil {
		return nil, err
	}
	classes, err := cfg.classes()
	if err != nil {
		return nil, err
	}
	scanner, err := scan.New(cfg.AttachmentScan)
	if err != nil {
		return nil, err
	}
	if deps.DB == nil || deps.Bus == nil || deps.Cache == nil || deps.Peers.Referral == nil || deps.Peers.Directory == nil || deps.Ring == nil || deps.Signer == nil || deps.Clock == nil || deps.Telemetry == nil {
		return nil, errors.New("make patientrecord: a dependency is missing")
	}
	logger := deps.Telemetry.Logger
	relay := outbox.NewRelay(deps.DB, deps.Bus, deps.Clock, logger)
	measures, err := measure.Shipped()
	if err != nil {
		return nil, fmt.Errorf("make patientrecord: %w", err)
	}
	st := store.New(deps.DB, deps.Ring, relay.Wake)
	stands := app.Deps{
		Store: st, Referrals: rpc.NewReferrals(deps.Peers.Referral), Limiter: deps.Cache,
		Clock: deps.Clock, Zone: zone, Classes: classes, Marks: rpc.Marks, Stopped: rpc.Stopped, Spans: cfg.spans(),
	}
	useCases := app.New(stands)
	recognised, err := newRecognition(useCases, st)
	if err != nil {
		return nil, err
	}
	return &Service{
		recognition: recognised, feed: app.NewFeed(stands),
		deps: deps, relay: relay, store: st, app: useCases, record: app.NewClinical(useCases, measures),
		attachments: app.NewAttachments(useCases, scanner),
		sealer:      audit.NewSealer(deps.DB, audit.Signing{Signer: deps.Signer, Heads: deps.AuditHeads}, id.New(), logger, deps.Clock),
		rekey: rekey.New(rekey.Deps{
			DB: deps.DB, Ring: deps.Ring, Columns: store.Sealed(), Hashed: store.Hashed(), Terms: st.Terms, Holder: id.New(), Logger: logger,
		}),
	}, nil
}

// Migrations are the schemas the service needs.
func Migrations() []sqldb.MigrationSet {
	return []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations, audit.Migrations, rekey.Migrations, stats.Migrations, store.Migrations()}
}

// Register adds the service's methods.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	rpc.NewServer(s.app).Register(r)
	rpc.RegisterRecognition(r, s.recognition)
	rpc.NewClinicalServer(s.record).Register(r)
	rpc.NewAttachments(s.attachments).Register(r)
	auditrpc.Register(r, s.deps.DB, s.deps.Signer)
	rpc.NewFeedServer(s.feed).Register(r)
	rekeyrpc.Register(r, s.rekey)
}

// Policy is who may call what.
func Policy() authz.Table { return rekeyrpc.With(auditrpc.With(rpc.Policy())) }

// Policy is the package's.
func (s *Service) Policy() authz.Table { return Policy() }

// Run publishes, seals and consumes until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	return run.Group(ctx, stopTimeout, append(s.recognitionParts(),
		run.Part{Name: "relay", Runner: s.relay},
		run.Part{Name: "sealer", Runner: s.sealer},
		run.Part{Name: "search terms", Runner: reindex(s, s.store)},
		run.Part{Name: "sealed values", Runner: s.rekey},
		run.Part{Name: "old messages", Runner: run.Func(s.pruneFeed)},
		run.Part{Name: "referral facts", Runner: run.Func(func(ctx context.Context) error {
			return s.deps.Bus.Consume(ctx, events.Relations(), events.Apply(s.app))
		})},
		run.Part{Name: "referral consents", Runner: run.Func(func(ctx context.Context) error {
			return s.deps.Bus.Consume(ctx, events.Consents(), events.TakeConsent(s.app))
		})},
		run.Part{Name: "referral replies", Runner: run.Func(func(ctx context.Context) error {
			return s.deps.Bus.Consume(ctx, events.Replies(), events.TakeBack(s.app))
		})},
	)...)
}

// Health answers nil when the service can do its work. Neither the bus nor the referral service is asked: facts wait, and most answers need
// neither.
func (s *Service) Health(ctx context.Context) error {
	return s.deps.DB.Healthy(ctx)
}

// pruneEvery is how often old messages of hospitals' systems are looked for.
const pruneEvery = time.Hour

// pruneFeed forgets old messages, one instance at a time.
func (s *Service) pruneFeed(ctx context.Context) error {
	run.Every(ctx, pruneEvery, nil, func(ctx context.Context) error {
		_, err := s.deps.DB.Alone(ctx, "patient-feed-prune", func() error {
			n, err := s.feed.Prune(ctx)
			if n > 0 {
				s.deps.Telemetry.Logger.InfoContext(ctx, "old messages forgotten", "count", n)
			}
			return err
		})
		return err
	})
	return nil
}
