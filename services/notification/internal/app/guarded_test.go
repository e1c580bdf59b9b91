package app_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
)

// Invariant 10: a peer that answers is at work. What it refuses for one message must not hold up those of all others.
func TestAPeerThatRefusesOneMessageDoesNotRest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		rests bool
	}{
		"taken":           {nil, false},
		"unknown":         {errs.NotFound("booking"), false},
		"refused":         {errs.Denied(errs.ReasonRole), false},
		"not valid":       {errs.Invalid(errs.Bad("id", errs.ReasonFieldInvalid)), false},
		"away":            {errs.Unavailable("scheduling", nil), true},
		"out of its mind": {errs.New(errs.KindInternal, errs.ReasonInternal, "", nil), true},
	} {
		asks := app.NewAsks(clock.NewFixed(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)), time.Minute)
		for range 5 {
			_ = asks.Ask(t.Context(), func(context.Context) error { return c.err })
		}
		if rests := asks.Rests(); rests != c.rests {
			t.Errorf("%s: the peer rests: %v", name, rests)
		}
	}
}

// Invariant 10: a peer rests that does not answer in its time; one that was not given it, since the asker's own ran out, has not failed.
func TestAPeerWithoutItsTimeHasNotFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			given time.Duration
			rests bool
		}{"its time and more": {2 * time.Second, true}, "less than its time": {time.Second / 2, false}} {
			asks := app.NewAsks(clock.System(), time.Second)
			for range 5 {
				ctx, stop := context.WithTimeout(t.Context(), c.given)
				err := asks.Ask(ctx, func(ctx context.Context) error {
					<-ctx.Done()
					return errs.Unavailable("peer", ctx.Err())
				})
				if stop(); errs.KindOf(err) != errs.KindUnavailable {
					t.Errorf("%s: %v", name, err)
				}
			}
			if rests := asks.Rests(); rests != c.rests {
				t.Errorf("%s: the peer rests: %v", name, rests)
			}
		}
	})
}
