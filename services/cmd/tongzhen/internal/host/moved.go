package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"google.golang.org/grpc"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/internal/run"
)

// Moved is every service in this process under one clock that the caller moves. The clock moves only while all is at rest, so that each fact has its
// effects at the instant at which it happened.
type Moved struct {
	host   *Host
	county string
	clock  *clock.Fixed
	pace   *run.Pace
	conns  map[string]grpc.ClientConnInterface
	stop   context.CancelFunc
	ended  chan error
	// rested is the last message that had its effects when all was at rest.
	rested uint64
}

// restTime bounds how long facts may take to have their effects; a message that is tried again waits for seconds.
const restTime = 2 * time.Minute

// movable refuses what cannot be lived through under a clock that is moved.
func (s Settings) movable(ctx context.Context) error {
	if err := s.checkControl(); err != nil {
		return err
	}
	if controlAnswers(ctx, s.Control()) {
		return errors.New("a system is running on this data folder, and its clock cannot be moved: stop it first, or name another TONGZHEN_DATA_DIR")
	}
	if s.NATSURL != "" || slices.ContainsFunc(Backends(), func(name string) bool { return !s.Embedded(name) || s.addr(name) != "" }) {
		return errors.New("a history is made on embedded parts in one process: leave TONGZHEN_DATABASE_URL, TONGZHEN_NATS_URL and the addresses of services empty")
	}
	if there(s.DataDir, unfinished) {
		return fmt.Errorf("a history on %s was interrupted: what is there is whole, but ends early; remove the folder to begin again, or go on with it as it is without a history", s.DataDir)
	}
	if slices.ContainsFunc(Backends(), func(name string) bool { return there(s.DataDir, name+".db") }) {
		return ErrUsed
	}
	return nil
}

func there(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// Finish says that the history is whole.
func (m *Moved) Finish(ctx context.Context) error {
	if err := m.Rest(ctx); err != nil {
		return err
	}
	return os.Remove(filepath.Join(m.host.settings.DataDir, unfinished))
}

// ErrUsed says that the data folder is no new one.
var ErrUsed = errors.New("the data folder has been used, and time does not go backwards: a history needs a new one (TONGZHEN_DATA_DIR)")

// unfinished is the file that stands in the data folder while a history is being made.
const unfinished = "history.unfinished"

// OpenMoved starts every service on a new data folder with the clock at an instant. Refused are a system that runs there, whose clock cannot be moved, a
// folder that has been used (ErrUsed), one on which a history was interrupted, and anything but embedded parts.
func OpenMoved(ctx context.Context, settings Settings, county string, at time.Time) (*Moved, error) {
	if err := settings.movable(ctx); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(settings.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	if err := os.WriteFile(filepath.Join(settings.DataDir, unfinished), []byte(county+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("mark the history as unfinished: %w", err)
	}
	clk := clock.NewFixed(at)
	h, err := Open(ctx, settings, Options{Services: Backends(), Quiet: true, Clock: clk})
	if err != nil {
		return nil, err
	}
	m := &Moved{host: h, county: county, clock: clk, pace: run.NewPace(clk), conns: map[string]grpc.ClientConnInterface{}, ended: make(chan error, 1)}
	for _, name := range Backends() {
		m.conns[name] = tracedConn{countyConn{h.Conn(name), county}}
	}
	running, stop := context.WithCancel(run.WithPace(context.WithoutCancel(ctx), m.pace))
	m.stop = stop
	ready := make(chan struct{})
	go func() { m.ended <- h.Run(running, func() { close(ready) }) }()
	select {
	case <-ready:
		return m, nil
	case err := <-m.ended:
		stop()
		return nil, errors.Join(err, h.Close())
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), m.Close())
	}
}

// Conn to a service in the name of this machine's commands.
func (m *Moved) Conn(name string) grpc.ClientConnInterface { return m.conns[name] }

// Close stops the services.
func (m *Moved) Close() error {
	m.stop()
	return errors.Join(<-m.ended, m.host.Close())
}

// Now is the instant the clock stands at.
func (m *Moved) Now() time.Time { return m.clock.Now() }

// MoveTo waits until all is at rest, moves the clock forwards to an instant, does what the services do by time, and waits again. An instant that is
// past moves nothing.
func (m *Moved) MoveTo(ctx context.Context, at time.Time) error {
	if err := m.Rest(ctx); err != nil {
		return err
	}
	if d := at.Sub(m.clock.Now()); d > 0 {
		m.clock.Advance(d)
	}
	if err := m.pace.Beat(ctx); err != nil {
		return err
	}
	return m.Rest(ctx)
}

// As is ctx in which calls are a person's, for as long as a call token is good for.
func (m *Moved) As(ctx context.Context, a *directoryv1.Account) (context.Context, error) {
	roles := make([]string, 0, len(a.GetRoles()))
	for _, r := range a.GetRoles() {
		roles = append(roles, r.String())
	}
	token, err := m.host.keys.signer.Sign(authn.Identity{
		Subject: a.GetId(), Organization: a.GetOrganizationId(), Department: a.GetDepartmentCode(), County: m.county, Name: a.GetName(), Roles: roles,
	}, 5*time.Minute, m.clock.Now())
	if err != nil {
		return nil, err
	}
	return rpc.WithToken(ctx, token), nil
}

// Rest returns when no fact waits to be published or to have its effect.
func (m *Moved) Rest(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, restTime)
	defer cancel()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for {
		rest, err := m.atRest(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if rest {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until all facts had their effect: %w", ctx.Err())
		case <-look.C:
		}
	}
}

// atRest: no row waits, nothing is under way, and meanwhile nothing was published.
func (m *Moved) atRest(ctx context.Context) (bool, error) {
	if rows, err := m.waiting(ctx); rows > 0 || err != nil {
		return false, err
	}
	before, err := m.host.bus.LastSequence(ctx)
	if err != nil || before == m.rested {
		return err == nil, err // what was published so far had its effect when it last rested
	}
	if n, err := bus.Behind(ctx, m.host.bus); n > 0 || err != nil {
		return false, err
	}
	if rows, err := m.waiting(ctx); rows > 0 || err != nil {
		return false, err
	}
	after, err := m.host.bus.LastSequence(ctx)
	if err != nil || before != after {
		return false, err
	}
	m.rested = after
	return true, nil
}

func (m *Moved) waiting(ctx context.Context) (int, error) {
	for _, db := range m.host.databases {
		if n, err := outbox.Waiting(ctx, db); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, nil
}

// tracedConn names the method in the error of a call.
type tracedConn struct{ countyConn }

// Invoke calls with the county.
func (c tracedConn) Invoke(ctx context.Context, method string, in, out any, opts ...grpc.CallOption) error {
	if err := c.countyConn.Invoke(ctx, method, in, out, opts...); err != nil {
		return fmt.Errorf("%s: %w", path.Base(method), err)
	}
	return nil
}
