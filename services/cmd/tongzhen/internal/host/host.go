package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"google.golang.org/grpc"

	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/internal/run"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
)

// stopTimeout bounds the stop of each part of the process.
const stopTimeout = 15 * time.Second

// cliName is the service name under which commands of this machine call.
const cliName = "cli"

// Options say what this process runs.
type Options struct {
	// Services to run; nil = all, empty = none (a command whose services all run elsewhere).
	Services []string
	Demo     bool
	Version  string
	// Quiet logs warnings only (commands that start services for themselves).
	Quiet bool
	// Clock of every service; nil = the machine's.
	Clock clock.Clock
}

// service is what every backend offers.
type service interface {
	Register(r grpc.ServiceRegistrar)
	Policy() authz.Table
	Run(ctx context.Context) error
	Health(ctx context.Context) error
}

// Host is a process with some or all services, opened and not yet running.
type Host struct {
	settings  Settings
	options   Options
	clock     clock.Clock
	telemetry *telemetry.Telemetry
	keys      *keys
	bus       bus.Bus
	cache     cache.Store
	network   *rpc.Network
	conns     map[string]*grpc.ClientConn // as cli
	local     []string
	services  map[string]service
	databases map[string]*sqldb.DB
	gateway   *gatewayPart
	// closers run in reverse order.
	closers []func() error
}

// Open opens everything that the services of this process need and builds them. On an error nothing stays open.
func Open(ctx context.Context, settings Settings, options Options) (_ *Host, err error) {
	if err := settings.check(options.Services); err != nil {
		return nil, err
	}
	h := &Host{settings: settings, options: options, clock: options.Clock, services: map[string]service{}, databases: map[string]*sqldb.DB{}, conns: map[string]*grpc.ClientConn{}}
	if h.clock == nil {
		h.clock = clock.System()
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Close())
		}
	}()
	h.local = options.Services
	if h.local == nil {
		h.local = append(Backends(), Gateway)
	}
	if h.controls() {
		if err := settings.checkControl(); err != nil {
			return nil, err
		}
	}
	if err := h.openParts(ctx); err != nil {
		return nil, err
	}
	for _, name := range Backends() {
		if h.runs(name) {
			if err := h.openService(ctx, name); err != nil {
				return nil, fmt.Errorf("open %s: %w", name, err)
			}
		}
	}
	if h.runs(Gateway) {
		if h.gateway, err = h.openGateway(ctx); err != nil {
			return nil, fmt.Errorf("open gateway: %w", err)
		}
	}
	return h, nil
}

func (h *Host) runs(name string) bool { return slices.Contains(h.local, name) }

func (h *Host) closeLater(f func() error) { h.closers = append(h.closers, f) }

// Close closes what Open opened, in reverse order.
func (h *Host) Close() error {
	var problems []error
	for _, f := range slices.Backward(h.closers) {
		if err := f(); err != nil {
			problems = append(problems, err)
		}
	}
	h.closers = nil
	return errors.Join(problems...)
}

// embedded tells whether this process keeps anything in the data folder that no second process may touch.
func (h *Host) embedded() bool {
	if h.settings.NATSURL == "" {
		return true
	}
	return slices.ContainsFunc(Backends(), func(name string) bool { return h.runs(name) && h.settings.Embedded(name) })
}

func (h *Host) openParts(ctx context.Context) error {
	if err := os.MkdirAll(h.settings.DataDir, 0o700); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	if h.embedded() {
		lock, err := lockDataDir(h.settings.DataDir)
		if err != nil {
			return err
		}
		h.closeLater(lock.Close)
	}
	level := h.settings.LogLevel
	if h.options.Quiet {
		level = "warn"
	}
	if h.options.Clock != nil {
		level = "error" // what people of a made-up history left undone is no news of this machine
	}
	var err error
	h.telemetry, err = telemetry.New(ctx, telemetry.Config{
		Service: "tongzhen", Version: h.options.Version, OTLPEndpoint: h.settings.OTLPEndpoint, LogLevel: level, Output: os.Stderr,
	})
	if err != nil {
		return err
	}
	h.closeLater(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		return h.telemetry.Shutdown(ctx)
	})
	if h.keys, err = openKeys(h.settings, h.clock); err != nil {
		return err
	}
	if err := h.openBus(ctx); err != nil {
		return err
	}
	if err := h.openCache(ctx); err != nil {
		return err
	}
	return h.openNetwork(ctx)
}

func (h *Host) openBus(ctx context.Context) (err error) {
	if h.settings.NATSURL == "" {
		h.bus, err = bus.OpenEmbedded(filepath.Join(h.settings.DataDir, "events"), h.telemetry.Logger)
	} else {
		h.bus, err = bus.Connect(ctx, h.settings.NATSURL, h.telemetry.Logger)
	}
	if err != nil {
		return fmt.Errorf("open event bus: %w", err)
	}
	h.closeLater(h.bus.Close)
	return nil
}

func (h *Host) openCache(ctx context.Context) (err error) {
	if h.settings.RedisURL == "" {
		h.cache = cache.Memory(h.clock)
	} else if h.cache, err = cache.Redis(ctx, h.settings.RedisURL, h.clock); err != nil {
		return fmt.Errorf("open cache: %w", err)
	}
	h.closeLater(h.cache.Close)
	return nil
}

// openNetwork connects the commands of this machine with every service; services get connections of their own names.
func (h *Host) openNetwork(ctx context.Context) error {
	addresses := map[string]string{}
	for _, name := range Backends() {
		addr := h.settings.addr(name)
		switch {
		case h.runs(name):
		case addr != "":
			addresses[name] = addr
		default:
			return fmt.Errorf("%s does not run here and TONGZHEN_%s_ADDR does not say where it does", name, upper(name))
		}
	}
	h.network = rpc.NewNetwork(addresses)
	for _, name := range Backends() {
		conn, err := h.dial(ctx, cliName, name)
		if err != nil {
			return err
		}
		h.conns[name] = conn
	}
	return nil
}

// dial connects self to target.
func (h *Host) dial(ctx context.Context, self, target string) (*grpc.ClientConn, error) {
	conn, err := h.network.Dial(ctx, self, target, rpc.ClientConfig{Signer: h.keys.signer, Clock: h.clock, TLS: h.keys.tls})
	if err != nil {
		return nil, fmt.Errorf("connect %s to %s: %w", self, target, err)
	}
	h.closeLater(conn.Close)
	return conn, nil
}

// database opens a service's database; embedded ones are migrated here, others must be up to date.
func (h *Host) database(ctx context.Context, name string, sets []sqldb.MigrationSet) (*sqldb.DB, error) {
	db, err := openDatabase(ctx, h.settings, name, h.clock)
	if err != nil {
		return nil, err
	}
	h.closeLater(db.Close)
	h.databases[name] = db
	if h.settings.Embedded(name) {
		return db, sqldb.Migrate(ctx, db, sets...)
	}
	return db, current(ctx, db, name, sets)
}

// Conn is a connection to a service in the name of this machine's commands.
func (h *Host) Conn(name string) *grpc.ClientConn { return h.conns[name] }

// Run runs until ctx ends or a part fails; then everything stops, bounded, in reverse order.
func (h *Host) Run(ctx context.Context, ready func()) error {
	parts := []run.Part{{Name: "key ring", Runner: run.Func(func(ctx context.Context) error { return crypt.Follow(ctx, h.keys.ring, h.keys.ringFile) })}}
	for _, name := range Backends() {
		if !h.runs(name) {
			continue
		}
		served, err := h.serve(ctx, name)
		if err != nil {
			return err
		}
		parts = append(parts, served, run.Part{Name: name, Runner: run.Func(h.services[name].Run)})
	}
	if h.options.Quiet {
		parts = append(parts, run.Part{Name: "ready", Runner: run.Func(func(ctx context.Context) error { return h.whenReady(ctx, ready) })})
		return run.Group(ctx, stopTimeout, parts...)
	}
	if h.controls() {
		control := newControl(h.conns)
		parts = append(parts, run.Part{Name: "control", Runner: run.Func(func(ctx context.Context) error { return control.run(ctx, h.settings.Control()) })})
	}
	if h.gateway != nil {
		parts = append(parts, run.Part{Name: "gateway", Runner: h.gateway})
	}
	if h.settings.AdminAddr != "" {
		parts = append(parts, run.Part{Name: "admin", Runner: run.Func(h.admin)})
	}
	parts = append(parts, run.Part{Name: "ready", Runner: run.Func(func(ctx context.Context) error { return h.whenReady(ctx, ready) })})
	return run.Group(ctx, stopTimeout, parts...)
}

// controls tells whether this process serves the control socket: the one that runs every service does.
func (h *Host) controls() bool {
	return !slices.ContainsFunc(Backends(), func(name string) bool { return !h.runs(name) })
}

func (h *Host) serve(ctx context.Context, name string) (run.Part, error) {
	s := h.services[name]
	server, err := rpc.NewServer(rpc.ServerConfig{
		Service: name, Table: s.Policy(), Verifier: h.keys.verifier, Logger: h.telemetry.Logger, Clock: h.clock, TLS: h.keys.tls,
	}, s.Register)
	if err != nil {
		return run.Part{}, fmt.Errorf("serve %s: %w", name, err)
	}
	listener := h.network.Listen(name)
	serve := func(ctx context.Context) error { return server.Serve(ctx, listener) }
	if h.settings.GRPCAddr == "" {
		return run.Part{Name: name + " gRPC", Runner: run.Func(serve)}, nil
	}
	// The services of this process find each other in memory, others find this one at the address.
	outside, err := h.listenOutside(ctx)
	if err != nil {
		return run.Part{}, err
	}
	second, err := rpc.NewServer(rpc.ServerConfig{
		Service: name, Table: s.Policy(), Verifier: h.keys.verifier, Logger: h.telemetry.Logger, Clock: h.clock, TLS: h.keys.tls,
	}, s.Register)
	if err != nil {
		return run.Part{}, fmt.Errorf("serve %s: %w", name, err)
	}
	return run.Part{Name: name + " gRPC", Runner: run.Func(func(ctx context.Context) error {
		return run.Group(ctx, stopTimeout,
			run.Part{Name: "memory", Runner: run.Func(serve)},
			run.Part{Name: h.settings.GRPCAddr, Runner: run.Func(func(ctx context.Context) error { return second.Serve(ctx, outside) })})
	})}, nil
}
