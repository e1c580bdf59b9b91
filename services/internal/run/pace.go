package run

import (
	"context"
	"sync"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
)

// Pace lets whoever moves a clock say when repeated work is done. Under a pace Every does not wait for the machine's time: its work is done again
// at a beat by which the pace's clock has moved far enough, or when it is woken.
type Pace struct {
	clk clock.Clock

	mu    sync.Mutex
	loops map[*loop]struct{}
}

// loop is one Every under a pace.
type loop struct {
	every time.Duration
	beat  chan chan struct{} // takes what to close when the work is done
	ended chan struct{}

	mu   sync.Mutex
	last time.Time
}

// NewPace goes by a clock.
func NewPace(clk clock.Clock) *Pace { return &Pace{clk: clk, loops: map[*loop]struct{}{}} }

type paceKey struct{}

// WithPace puts every Every that begins under ctx under the pace.
func WithPace(ctx context.Context, p *Pace) context.Context {
	return context.WithValue(ctx, paceKey{}, p)
}

func paceOf(ctx context.Context) *Pace {
	p, _ := ctx.Value(paceKey{}).(*Pace)
	return p
}

// Beat does, once each, all work that is due by the clock, and returns when it is done or ctx ends. The clock must stand still meanwhile.
func (p *Pace) Beat(ctx context.Context) error {
	now := p.clk.Now()
	p.mu.Lock()
	var due []*loop
	for l := range p.loops {
		if l.due(now) {
			due = append(due, l)
		}
	}
	p.mu.Unlock()
	for _, l := range due {
		if err := l.once(ctx); err != nil {
			return err
		}
	}
	return nil
}

// once waits until the loop did its work, or is over.
func (l *loop) once(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case l.beat <- done:
	case <-l.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
	case <-l.ended:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (l *loop) due(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.Sub(l.last) >= l.every
}

// follow is Every under the pace.
func (p *Pace) follow(ctx context.Context, d time.Duration, wake <-chan struct{}, fn func(ctx context.Context) error) {
	l := &loop{every: d, beat: make(chan chan struct{}), ended: make(chan struct{})}
	p.mu.Lock()
	p.loops[l] = struct{}{}
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.loops, l)
		p.mu.Unlock()
		close(l.ended)
	}()
	failures := 0
	work := func() {
		l.mu.Lock()
		l.last = p.clk.Now()
		l.mu.Unlock()
		failures = note(ctx, failures, fn(ctx))
	}
	work()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-wake:
			work()
		case done := <-l.beat:
			work()
			close(done)
		}
	}
}
