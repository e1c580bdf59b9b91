package app

import (
	"sync"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
)

// States of a breaker.
const (
	breakerClosed   = "CLOSED"    // works
	breakerOpen     = "OPEN"      // rests
	breakerHalfOpen = "HALF_OPEN" // the next call, or the one under way, decides
)

// verdict is what a call tells of a peer.
type verdict int

const (
	silent verdict = iota // nothing: it was not made, or failed for another's reason
	works
	fails
)

// breaker lets a peer rest that fails: after trip failures in a row it is left alone for rest; then exactly one call decides whether it works again.
// Safe for concurrent use.
type breaker struct {
	clk     clock.Clock
	trip    int
	rest    time.Duration
	changed func(from, to string) // may be nil
	of      Owner                 // of a group's address; zero: of a provider

	mu       sync.Mutex
	failures int
	until    time.Time // rests so long; zero: it works
	probing  bool
	era      int    // what began before the state changed tells nothing of the state after
	fault    string // of the failure that opened it
	busy     int    // calls under way
}

// exit ends a call; fault says why it failed. It is called once.
type exit func(v verdict, fault string)

// enter begins a call, unless the peer rests or has most calls under way (0: any number); then leave is nil and wait is how long to stay away.
func (b *breaker) enter(most int) (leave exit, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch now := b.clk.Now(); {
	case most > 0 && b.busy >= most, b.probing:
		return nil, time.Second
	case b.resting(now):
		return nil, max(b.until.Sub(now), time.Second)
	}
	probe := !b.until.IsZero()
	b.probing = probe
	b.busy++
	era := b.era
	return func(v verdict, fault string) { b.leave(v, fault, era, probe) }, 0
}

func (b *breaker) leave(v verdict, fault string, era int, probe bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy--
	if era != b.era {
		return
	}
	if probe {
		b.probing = false
	}
	switch v {
	case works:
		b.failures = 0
		if probe {
			b.turn(time.Time{}, "", breakerHalfOpen, breakerClosed)
		}
	case fails:
		if b.failures++; probe {
			b.turn(b.clk.Now().Add(b.rest), fault, breakerHalfOpen, breakerOpen)
		} else if b.failures >= b.trip {
			b.turn(b.clk.Now().Add(b.rest), fault, breakerClosed, breakerOpen)
		}
	}
}

// turn changes the state, with the lock held.
func (b *breaker) turn(until time.Time, fault, from, to string) {
	b.era++
	b.failures, b.until, b.fault = 0, until, fault
	if b.changed != nil {
		b.changed(from, to)
	}
}

// resting with the lock held. Where it would rest longer than it ever does, the clock was set back: then it has rested.
func (b *breaker) resting(now time.Time) bool {
	return now.Before(b.until) && b.until.Sub(now) <= b.rest
}

// state answers how it is, until when it rests, and why.
func (b *breaker) state() (state string, until time.Time, fault string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.until.IsZero():
		return breakerClosed, time.Time{}, ""
	case b.resting(b.clk.Now()):
		return breakerOpen, b.until, b.fault
	}
	return breakerHalfOpen, time.Time{}, b.fault
}

// probed tells whether the one call that decides is under way.
func (b *breaker) probed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.probing
}

// free tells that no call is under way.
func (b *breaker) free() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.busy == 0
}

// idle tells that nothing is remembered of it.
func (b *breaker) idle() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.busy == 0 && b.failures == 0 && b.until.IsZero()
}
