package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
)

// Breaker and Permits are inner rules of which a message shows one at a time.
type Breaker struct{ b *breaker }

func NewBreaker(clk clock.Clock, trip int, rest time.Duration) Breaker {
	return Breaker{&breaker{clk: clk, trip: trip, rest: rest}}
}

// Enter answers how the call ends; nil if it may not be made.
func (b Breaker) Enter() (ends func(verdict int)) {
	leave, _ := b.b.enter(0)
	if leave == nil {
		return nil
	}
	return func(v int) { leave(verdict(v), "503") }
}

func (b Breaker) State() string {
	state, _, _ := b.b.state()
	return state
}

const (
	Silent = int(silent)
	Works  = int(works)
	Fails  = int(fails)
)

// Asks are what goes to one guarded peer.
type Asks struct{ g *guarded }

func NewAsks(clk clock.Clock, patience time.Duration) Asks { return Asks{guard(nil, clk, patience)} }

func (a Asks) Ask(ctx context.Context, answer func(context.Context) error) error {
	return a.g.ask(ctx, a.g.contacts, "peer", answer)
}

func (a Asks) Rests() bool {
	state, _, _ := a.g.contacts.state()
	return state == breakerOpen
}

type Permits struct{ p *permits }

func NewPermits(l cache.Limiter) Permits {
	return Permits{&permits{limiter: l, unused: map[string][]time.Time{}}}
}

func (p Permits) Take(ctx context.Context, n int, now time.Time) time.Duration {
	return p.p.take(ctx, "k", n, now)
}

func (p Permits) Keep(n int, now time.Time) { p.p.keep("k", n, now) }
