package app

import (
	"context"
	"sync"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/cache"
)

// permits are the rights to send one more message in this minute. One that was taken and not used goes to the next: a message that in the end is not
// sent costs the limit nothing. Safe for concurrent use.
type permits struct {
	limiter cache.Limiter
	mu      sync.Mutex
	unused  map[string][]time.Time // when each was taken
}

const limitWindow = time.Minute

// take takes one of the n a minute under the key, or tells how long to wait. While the cache is away, the provider's own limit is met instead.
func (p *permits) take(ctx context.Context, key string, n int, now time.Time) (wait time.Duration) {
	if n <= 0 || p.reuse(key, now) {
		return 0
	}
	if ok, wait, err := p.limiter.Allow(ctx, key, n, limitWindow); err == nil && !ok {
		return wait
	}
	return 0
}

// reuse takes an unused one that is not older than its window.
func (p *permits) reuse(key string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.unused[key]) > 0 {
		last := len(p.unused[key]) - 1
		taken := p.unused[key][last]
		if p.unused[key] = p.unused[key][:last]; last == 0 {
			delete(p.unused, key)
		}
		if now.Sub(taken) < limitWindow {
			return true
		}
	}
	return false
}

// keep gives one back.
func (p *permits) keep(key string, n int, now time.Time) {
	if n <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.unused) >= maxKnown {
		clear(p.unused) // they are worth a minute
	}
	p.unused[key] = append(p.unused[key], now)
}
