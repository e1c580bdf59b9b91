package app_test

import (
	"testing"
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
		asks := app.NewAsks(clock.NewFixed(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)))
		for range 5 {
			_ = asks.Ask(c.err)
		}
		if rests := asks.Rests(); rests != c.rests {
			t.Errorf("%s: the peer rests: %v", name, rests)
		}
	}
}
