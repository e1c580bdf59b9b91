package app_test

import (
	"sync"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// A bed is closed while somebody takes it: one of both comes first, and the other is told so in words.
func TestNobodysBedIsClosedHoweverFast(t *testing.T) {
	each(t, func(f *fixture) {
		f.ward("0304", 1)
		for i := range 60 {
			ward := f.board("0304")
			bed := ward.Beds[0]
			var both sync.WaitGroup
			both.Go(func() {
				var err error
				if i%2 == 0 {
					_, err = f.CloseWard(f.t.Context(), f.manager(), app.Closing{RequestID: id.New(), ID: ward.ID, Version: ward.Version})
				} else {
					_, err = f.SetBed(f.t.Context(), f.manager(), app.BedChange{RequestID: id.New(), ID: bed.ID, Version: bed.Version, OutReason: domain.OutClosed})
				}
				if err != nil && errs.KindOf(err) != errs.KindInvalid {
					f.t.Errorf("round %d: closing: %v", i, err)
				}
			})
			both.Go(func() {
				if _, err := f.lie(app.HoldRequest{RequestID: id.New(), BedID: bed.ID}); err != nil && errs.ReasonOf(err) != errs.ReasonSlotTaken {
					f.t.Errorf("round %d: taking: %v", i, err)
				}
			})
			both.Wait()
			after := f.board("0304")
			bed = after.Beds[0]
			closed, taken := bed.OutReason == domain.OutClosed, bed.Hold.ID != ""
			if closed == taken {
				f.t.Fatalf("round %d: closed %v, somebody's %v", i, closed, taken)
			}
			var err error
			if taken {
				_, err = f.ReleaseHold(f.t.Context(), f.caller("desk"), bed.Hold.ID)
			} else {
				_, err = f.CloseWard(f.t.Context(), f.manager(), app.Closing{RequestID: id.New(), ID: ward.ID, Version: after.Version, Open: true})
			}
			if err != nil {
				f.t.Fatal(err)
			}
		}
	})
}
