// Package cache owns what may be lost: short-lived copies and counts for limits. It refuses to hold anything that a
// decision depends on for good: when it is away or was emptied, the system is slower, not wrong.
//
// Two implementations keep one contract, proved by cachetest.Suite: Memory for one process, Redis for many.
// Both are safe for concurrent use. A key must not tell anything about a person: callers pass ids, or a hash where
// the key is made of a name, a number, an account or an address. Values that hold patient data do not belong here.
package cache

import (
	"context"
	"errors"
	"time"
)

// Cache holds copies of bytes for a while.
//
// An entry is there until its ttl is over by the given clock, and may be gone at any moment before. What is passed in
// and what is given back may be changed by the caller.
type Cache interface {
	// Get answers the value and whether there was one. An error means that the cache could not be asked; the caller
	// goes on as if there were none.
	Get(ctx context.Context, key string) ([]byte, bool, error)
	// Set replaces what is there. ttl must be at least a millisecond.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// Delete removes the keys; one that is not there is no error.
	Delete(ctx context.Context, key ...string) error
	// Close releases what the store holds. Closing twice is harmless; after it the other methods may fail.
	Close() error
}

// Limiter counts.
type Limiter interface {
	// Allow counts one call under key, and says whether it is among the first n of its window. A window begins with
	// its first call and lasts for per; a refused call is not counted. retryAfter is zero when ok, else the rest of
	// the window, in (0, per]. Counting is atomic among all processes that share the store. n must be positive and per
	// at least a millisecond. Cache and Limiter do not share keys.
	//
	// When err is not nil, the store could not be asked: the caller decides whether to let the call pass.
	Allow(ctx context.Context, key string, n int, per time.Duration) (ok bool, retryAfter time.Duration, err error)
}

// Store is both.
type Store interface {
	Cache
	Limiter
}

// Misuse, in either implementation.
var (
	ErrTTL    = errors.New("cache: a ttl is at least a millisecond")
	ErrLimit  = errors.New("cache: a limit is at least one call in a millisecond")
	ErrClosed = errors.New("cache: closed")
)

func checkLimit(n int, per time.Duration) error {
	if n < 1 || per < time.Millisecond {
		return ErrLimit
	}
	return nil
}
