package run

import (
	"context"
	"log/slog"
	"time"
)

// Every calls fn at once, and again d after it returned or as soon as wake can be received from, until ctx ends.
// wake may be nil; one with a buffer of 1 loses no wake-up. An error of fn is logged by slog's default logger, when
// it is the first, the second, the fourth … in a row, and does not end the loop. Under a Pace d is time of its clock.
func Every(ctx context.Context, d time.Duration, wake <-chan struct{}, fn func(ctx context.Context) error) {
	if p := paceOf(ctx); p != nil {
		p.follow(ctx, d, wake, fn)
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	failures := 0
	for ctx.Err() == nil {
		failures = note(ctx, failures, fn(ctx))
		timer.Reset(d)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-wake:
		}
	}
}

// note returns how many failures in a row there are by now.
func note(ctx context.Context, failures int, err error) int {
	if err == nil {
		if failures > 0 {
			slog.InfoContext(ctx, "repeated work succeeds again", "attempts", failures)
		}
		return 0
	}
	if ctx.Err() != nil {
		return failures // the end of the loop, not a failure
	}
	failures++
	if failures&(failures-1) == 0 {
		slog.WarnContext(ctx, "repeated work failed", "attempts", failures, "error", err)
	}
	return failures
}
