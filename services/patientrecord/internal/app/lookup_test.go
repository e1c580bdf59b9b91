package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
)

func TestWhoTriesNumbersIsStoppedAndSeen(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		try := func() error {
			_, _, err := w.Search(t.Context(), stranger, app.Search{IdentityNumber: "990122198802290142"})
			return err
		}
		misses := 0
		for range app.LookupsPerHour / app.LookupsPerMinute {
			for range app.LookupsPerMinute {
				if err := try(); err != nil {
					t.Fatal(err)
				}
				misses++
			}
			w.reason(try(), errs.ReasonRateLimited)
			if e, _ := errs.As(try()); e == nil || e.RetryAfter <= 0 || e.RetryAfter > time.Minute {
				t.Errorf("when to try again: %v", e)
			}
			w.clk.Advance(time.Minute)
		}
		w.reason(try(), errs.ReasonRateLimited)
		if n := w.looks("patient.find_number", ""); n != misses {
			t.Errorf("%d of %d misses are in the audit", n, misses)
		}
		if _, _, err := w.Search(t.Context(), township, app.Search{IdentityNumber: "990122198802290142"}); err != nil {
			t.Errorf("another account: %v", err)
		}
		if _, _, err := w.Search(t.Context(), stranger, app.Search{Query: "曾"}); err != nil {
			t.Errorf("words: %v", err)
		}
		if err := w.limiter.Close(); err != nil {
			t.Fatal(err)
		}
		if err := try(); err != nil {
			t.Errorf("without the limiter: %v", err)
		}
	})
}
