package referral

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
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/rekey"
	"github.com/tongzhen/tongzhen/services/internal/rekeyrpc"
	"github.com/tongzhen/tongzhen/services/internal/run"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
	"github.com/tongzhen/tongzhen/services/internal/workdays"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/completeness"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/events"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
	"github.com/tongzhen/tongzhen/services/referral/internal/followup"
	"github.com/tongzhen/tongzhen/services/referral/internal/icd10"
	"github.com/tongzhen/tongzhen/services/referral/internal/rpc"
	"github.com/tongzhen/tongzhen/services/referral/internal/store"
)

// Deps is what the service stands on. All of it belongs to the caller.
type Deps struct {
	DB         *sqldb.DB
	Bus        bus.Bus
	Peers      Peers
	Ring       *crypt.Ring
	Signer     *authn.Signer  // signs the heads of the audit chain
	AuditHeads audit.HeadFile // beside the database, or none
	Clock      clock.Clock
	Telemetry  *telemetry.Telemetry
}

// Peers are connections to the services that this one calls.
type Peers struct {
	Directory, PatientRecord, Scheduling grpc.ClientConnInterface
}

// Service is referral, whole.
type Service struct {
	deps   Deps
	app    *app.Service
	store  *store.Store
	relay  *outbox.Relay
	sealer *audit.Sealer
	rekey  *rekey.Walker
}

const (
	stopTimeout = 10 * time.Second
	// retryReading is the pause between tries while directory is away at the start.
	retryReading = time.Second
	// retryTakingOver is the pause while another instance builds figures.
	retryTakingOver = 5 * time.Second
	// lookForDeadlines is how late a limit may be told.
	lookForDeadlines = 5 * time.Second
)

// New makes the service; it begins to work with Run.
func New(_ context.Context, cfg Config, deps Deps) (*Service, error) {
	zone, err := cfg.zone()
	if err != nil {
		return nil, err
	}
	if deps.DB == nil || deps.Bus == nil || deps.Ring == nil || deps.Signer == nil || deps.Clock == nil || deps.Telemetry == nil ||
		deps.Peers.Directory == nil || deps.Peers.PatientRecord == nil || deps.Peers.Scheduling == nil {
		return nil, errors.New("make referral: a dependency is missing")
	}
	diagnoses, err := icd10.New()
	if err != nil {
		return nil, err
	}
	days, err := workdays.China()
	if err != nil {
		return nil, err
	}
	templates, err := followup.New()
	if err != nil {
		return nil, err
	}
	book, err := cfg.criteria()
	if err != nil {
		return nil, err
	}
	published, err := figures.Load()
	if err != nil {
		return nil, err
	}
	items, err := completeness.New()
	if err != nil {
		return nil, err
	}
	logger, peers := deps.Telemetry.Logger, rpc.Peers(deps.Peers)
	relay := outbox.NewRelay(deps.DB, deps.Bus, deps.Clock, logger)
	st := store.New(store.Deps{DB: deps.DB, Ring: deps.Ring, Wire: wire{}, Wake: relay.Wake, Zone: zone})
	return &Service{
		deps: deps, store: st, relay: relay,
		app: app.New(app.Ports{
			Referrals: st, Reader: st, Numbers: st, Organizations: st,
			Directory: rpc.Directory{Peers: peers}, Patients: rpc.Patients{Peers: peers}, Capacity: rpc.Capacity{Peers: peers},
			Diagnoses: diagnoses, Clock: deps.Clock, Deadlines: st, Settings: st, Versions: st, FollowUps: st, Templates: templates,
			Calendars:   app.NewCalendars(zone, domain.Days(days), st, deps.Clock),
			Formularies: st, Lists: rpc.Directory{Peers: peers}, Criteria: book, Records: rpc.Records{Peers: peers}, Candidates: st,
			Registrations: st,
			Completeness:  items, Slips: st, Blanks: st, People: st, Moves: st, Kept: cfg.Kept,
			Statistics: st, Published: published,
		}),
		sealer: audit.NewSealer(deps.DB, audit.Signing{Signer: deps.Signer, Heads: deps.AuditHeads}, id.New(), logger, deps.Clock),
		rekey:  rekey.New(rekey.Deps{DB: deps.DB, Ring: deps.Ring, Columns: store.Sealed(), Hashed: store.Hashed(), Holder: id.New(), Logger: logger}),
	}, nil
}

// wire is how the store's answers and facts look outside.
type wire struct{}

func (wire) Fact(f app.Fact) (outbox.Fact, error)               { return events.Encode(f) }
func (wire) Told(a domain.Action) bool                          { return events.Told(a) }
func (wire) Deadline(d app.DeadlineFired) (outbox.Fact, error)  { return events.EncodeDeadline(d) }
func (wire) Candidate(c app.CandidateTold) (outbox.Fact, error) { return events.EncodeCandidate(c) }
func (wire) EncodeAnswer(v app.View) ([]byte, error)            { return rpc.EncodeAnswer(v) }
func (wire) DecodeAnswer(b []byte) (app.View, error)            { return rpc.DecodeAnswer(b) }

// Migrations are the schemas the service needs.
func Migrations() []sqldb.MigrationSet {
	return []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations, audit.Migrations, rekey.Migrations, stats.Migrations, store.Migrations}
}

// Register adds the service's methods.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	rpc.NewServer(s.app).Register(r)
	auditrpc.Register(r, s.deps.DB, s.deps.Signer)
	rekeyrpc.Register(r, s.rekey)
}

// Policy is who may call what.
func Policy() authz.Table { return rekeyrpc.With(auditrpc.With(rpc.Policy())) }

// Policy is the package's.
func (s *Service) Policy() authz.Table { return Policy() }

// Run publishes, seals, tells the limits that pass, and keeps the projection of organisations until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	return run.Group(ctx, stopTimeout, append(s.candidateParts(),
		run.Part{Name: "relay", Runner: s.relay},
		run.Part{Name: "sealer", Runner: s.sealer},
		run.Part{Name: "sealed values", Runner: s.rekey},
		run.Part{Name: "directory facts", Runner: run.Func(func(ctx context.Context) error {
			return s.deps.Bus.Consume(ctx, events.Directory(), events.OnDirectory(s.store))
		})},
		run.Part{Name: "figures", Runner: stats.NewFolder(s.deps.DB, figures.Schema())},
		run.Part{Name: "what an earlier release left", Runner: run.Func(s.takeOver)},
		run.Part{Name: "deadlines", Runner: run.Func(s.fireDeadlines)},
		run.Part{Name: "organisations", Runner: run.Func(s.readOrganizations)},
	)...)
}

// takeOver ends when everything that an earlier release left is done; until then it goes on trying.
func (s *Service) takeOver(ctx context.Context) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	run.Every(ctx, retryTakingOver, nil, func(ctx context.Context) error {
		done, err := s.app.TakeOver(ctx)
		if done {
			end()
		}
		return err
	})
	return nil
}

// fireDeadlines looks for limits that passed, as many instances as there are, each under a name of its own.
func (s *Service) fireDeadlines(ctx context.Context) error {
	owner := id.New()
	run.Every(ctx, lookForDeadlines, nil, func(ctx context.Context) error { return s.app.FireDeadlines(ctx, owner) })
	return nil
}

// readOrganizations reads all of them once; while directory is away it goes on trying, and a receiver that is missing is asked for one
// by one.
func (s *Service) readOrganizations(ctx context.Context) error {
	ctx, done := context.WithCancel(ctx)
	defer done()
	run.Every(ctx, retryReading, nil, func(ctx context.Context) error {
		err := errors.Join(s.app.RefreshOrganizations(ctx), s.app.RefreshFormularies(ctx))
		if err == nil {
			done()
		}
		return err
	})
	return nil
}

// Health answers nil when the service can do its work. The bus is not asked: facts wait for it.
func (s *Service) Health(ctx context.Context) error {
	return s.deps.DB.Healthy(ctx)
}
