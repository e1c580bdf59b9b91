package bench

import (
	"context"
	"time"
)

// more takes the right to start one more journey, and waits until it is its turn.
func (r *runner) more(ctx context.Context) (n int, ok bool) {
	if r.over(r.options.Clock.Now()) {
		return 0, false
	}
	started := r.started.Add(1)
	if r.options.Journeys > 0 && started > int64(r.options.Journeys) {
		r.started.Add(-1)
		return 0, false
	}
	n = int(started - 1)
	turn := r.begin.Add(turn(n, r.options.Rate))
	if r.over(turn) {
		return 0, false
	}
	return n, pause(ctx, turn.Sub(r.options.Clock.Now())) == nil
}

// over tells whether nothing begins any more at an instant.
func (r *runner) over(at time.Time) bool { return !r.end.IsZero() && !at.Before(r.end) }

// turn is how long after the beginning the n-th journey (from 0) begins at so many a second; at once without a rate.
func turn(n int, rate float64) time.Duration {
	if rate <= 0 {
		return 0
	}
	return time.Duration(float64(n) / rate * float64(time.Second))
}
