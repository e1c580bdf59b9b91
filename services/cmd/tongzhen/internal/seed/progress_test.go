package seed_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/seed"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

func TestProgressGoesFromNothingToEverything(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	next, all := 0, 0
	_, err := seed.County(t.Context(), r.clients(), options(demo), func(done, total int, what string) {
		if done != next || all != 0 && total != all || (what == "") != (done == 0) {
			t.Errorf("%d of %d: %s", done, total, what)
		}
		next, all = done+1, total
	})
	if err != nil || next != all+1 || r.calls != all {
		t.Errorf("%d steps of %d, %d calls, %v", next-1, all, r.calls, err)
	}
}

func TestTheFirstCallThatFailsEndsItAndIsNamed(t *testing.T) {
	t.Parallel()
	r := &recorder{failAt: 3}
	_, err := seed.County(t.Context(), r.clients(), options(demo), func(int, int, string) {})
	if !errors.Is(err, errAway) || !strings.Contains(err.Error(), "seed accounts") || r.calls != 3 {
		t.Errorf("got %v after %d calls", err, r.calls)
	}
}

func TestACallThatFailsIsMadeAgainAndTheCountyBecomesWhole(t *testing.T) {
	t.Parallel()
	whole, _ := built(t, options(demo))
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{failAt: 3}
		var told []string
		begin := time.Now()
		report, err := seed.Whole(t.Context(), r.clients(), options(demo), seed.Watch{
			Progress: func(int, int, string) {},
			Again: func(err error, after time.Duration) bool {
				told = append(told, fmt.Sprintf("%v in %s", err, after))
				return true
			},
		})
		if err != nil || report.Patients != 12 || r.calls != whole.calls+1 {
			t.Errorf("%d patients after %d calls, %v", report.Patients, r.calls, err)
		}
		if want := "seed accounts: away in 1s"; len(told) != 1 || told[0] != want || time.Since(begin) != time.Second {
			t.Errorf("told %q after %s", told, time.Since(begin))
		}
	})
}

func TestBuildingACountyEndsWithTheProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		r := &recorder{failAt: 1}
		_, err := seed.Whole(ctx, r.clients(), options(demo), seed.Watch{
			Progress: func(int, int, string) {}, Again: func(error, time.Duration) bool { stop(); return true },
		})
		if !errors.Is(err, errAway) || r.calls != 1 {
			t.Errorf("got %v after %d calls", err, r.calls)
		}
	})
}

func TestWhoWaitsForASystemThatStartsIsToldAndGivesUpInTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		away := errs.Unavailable("directory", errAway)
		var told []time.Duration
		again := seed.Patient(10*time.Second, func(err error, after time.Duration) {
			if !errors.Is(err, errAway) {
				t.Errorf("told %v", err)
			}
			told = append(told, after)
		})
		begin, calls := time.Now(), 0
		err := seed.Insist(t.Context(), func(context.Context) error { calls++; return away }, again)
		if !errors.Is(err, errAway) || calls != 4 || time.Since(begin) != 7*time.Second || len(told) != 3 {
			t.Errorf("%v after %d calls and %s: %v", err, calls, time.Since(begin), told)
		}
		// What is wrong, and does not become right by waiting, is told at once.
		calls = 0
		wrong := errs.Invalid(errs.Required("county"))
		if err := seed.Insist(t.Context(), func(context.Context) error { calls++; return wrong }, again); !errors.Is(err, wrong) || calls != 1 {
			t.Errorf("%v after %d calls", err, calls)
		}
	})
}
