// Package clock is where time comes from. It owns the one call of time.Now; everybody else is given a Clock
// or reads the time that a transaction carries.
//
// Invariant: every instant is UTC, without a monotonic reading, truncated to microseconds, so that it survives
// a round trip through either database unchanged. All types are safe for concurrent use.
package clock

import (
	"sync"
	"time"
)

// Clock tells the present instant: UTC, truncated to microseconds.
type Clock interface{ Now() time.Time }

// System is the clock of the machine.
func System() Clock { return system{} }

type system struct{}

func (system) Now() time.Time { return normal(time.Now()) }

// Fixed stands still until it is advanced. It is for tests.
type Fixed struct {
	mu  sync.Mutex
	now time.Time
}

// NewFixed stands at t.
func NewFixed(t time.Time) *Fixed { return &Fixed{now: normal(t)} }

// Now is the instant the clock stands at.
func (f *Fixed) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Advance moves the clock by d, which may be negative.
func (f *Fixed) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = normal(f.now.Add(d))
}

func normal(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
