package app_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func (f *fixture) freeBeds(department string) (free, total int) {
	f.t.Helper()
	counts, err := f.ListBeds(f.t.Context(), county, f.org, department)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, c := range counts {
		free, total = free+c.Free, total+c.Total
	}
	return free, total
}

func TestBedsAreAddedToAWardAndNumberedOn(t *testing.T) {
	each(t, func(f *fixture) {
		ward := f.ward("0304", 2)
		more := app.MoreBeds{RequestID: id.New(), ID: ward.ID, Version: ward.Version, Beds: 3}
		for range 2 { // a double click
			after, err := f.AddBeds(f.t.Context(), f.manager(), more)
			if err != nil || len(after.Beds) != 5 || after.Beds[4].Label != "05" || after.Version != ward.Version+1 {
				f.t.Fatalf("%+v, %v", after, err)
			}
		}
		if free, total := f.freeBeds("0304"); free != 5 || total != 5 {
			f.t.Errorf("%d of %d are free", free, total)
		}
		_, err := f.AddBeds(f.t.Context(), f.manager(), app.MoreBeds{ID: ward.ID, Version: ward.Version, Beds: 1})
		if errs.KindOf(err) != errs.KindStale {
			f.t.Errorf("on an old version: %v", err)
		}
		_, err = f.AddBeds(f.t.Context(), f.manager(), app.MoreBeds{ID: ward.ID, Version: ward.Version + 1, Beds: domain.MaxBeds})
		if errs.KindOf(err) != errs.KindInvalid {
			f.t.Errorf("too many: %v", err)
		}
		stranger := f.manager()
		stranger.OrganizationID = id.New()
		if _, err = f.AddBeds(f.t.Context(), stranger, app.MoreBeds{ID: ward.ID, Version: ward.Version + 1, Beds: 1}); errs.ReasonOf(err) != errs.ReasonRole {
			f.t.Errorf("by another organisation: %v", err)
		}
		f.wantWardBeds(ward.ID, 2, 5)
	})
}

// wantWardBeds is how many beds a ward had after each change, the oldest first.
func (f *fixture) wantWardBeds(ward string, want ...int) {
	f.t.Helper()
	c := &calendar{fixture: f, Planner: app.NewPlanner(f.App, app.Calendar{})}
	changes := c.changes(app.SubjectWard, ward)
	if len(changes) != len(want) {
		f.t.Fatalf("%d changes", len(changes))
	}
	for i, n := range want {
		if got := changes[len(changes)-1-i].Ward.Beds; got != n {
			f.t.Errorf("change %d left %d beds, want %d", i, got, n)
		}
	}
}

// A bed that is closed is given to nobody and counts in no total; what it was used for stays, and it can be opened again.
func TestAWardIsClosedOnlyWithoutPatients(t *testing.T) {
	each(t, func(f *fixture) {
		ward := f.ward("0304", 3)
		had, err := f.lie(app.HoldRequest{BedID: ward.Beds[0].ID})
		if err != nil {
			f.t.Fatal(err)
		}
		closing := app.Closing{ID: ward.ID, Version: ward.Version}
		_, err = f.CloseWard(f.t.Context(), f.manager(), closing)
		if e, ok := errs.As(err); !ok || len(e.Fields) != 1 || e.Fields[0].Name != "closed" {
			f.t.Fatalf("with a patient: %v", err)
		}
		bed := ward.Beds[0]
		if _, err = f.SetBed(f.t.Context(), f.manager(), app.BedChange{ID: bed.ID, Version: bed.Version, OutReason: domain.OutClosed}); errs.KindOf(err) != errs.KindInvalid {
			f.t.Errorf("the bed of a patient: %v", err)
		}
		bed = ward.Beds[1]
		if _, err = f.SetBed(f.t.Context(), f.manager(), app.BedChange{ID: bed.ID, Version: bed.Version, OutReason: domain.OutClosed}); err != nil {
			f.t.Fatal(err)
		}
		if free, total := f.freeBeds("0304"); free != 1 || total != 2 {
			f.t.Errorf("%d of %d are free", free, total)
		}
		if _, err = f.lie(app.HoldRequest{BedID: bed.ID}); errs.ReasonOf(err) != errs.ReasonSlotTaken {
			f.t.Errorf("a closed bed: %v", err)
		}
		if _, err = f.ReleaseHold(f.t.Context(), f.caller("desk"), had.ID); err != nil {
			f.t.Fatal(err)
		}
		after, err := f.CloseWard(f.t.Context(), f.manager(), closing)
		if err != nil || after.Beds[0].OutReason != domain.OutClosed || after.Beds[2].OutReason != domain.OutClosed {
			f.t.Fatalf("%+v, %v", after, err)
		}
		if _, total := f.freeBeds("0304"); total != 0 {
			f.t.Errorf("%d beds count", total)
		}
		if after, err = f.CloseWard(f.t.Context(), f.manager(), app.Closing{ID: ward.ID, Version: after.Version, Open: true}); err != nil || after.Beds[1].State(f.clk.Now()) != domain.BedFree {
			f.t.Fatalf("opened: %+v, %v", after, err)
		}
		f.wantWardBeds(ward.ID, 3, 2, 0, 3)
	})
}

// A bed that is out for an infection is so after its ward was closed and opened.
func TestAClosedWardKeepsWhyABedWasOut(t *testing.T) {
	each(t, func(f *fixture) {
		ward := f.ward("0304", 2)
		bed := ward.Beds[1]
		if _, err := f.SetBed(f.t.Context(), f.manager(), app.BedChange{ID: bed.ID, Version: bed.Version, OutReason: "INFECTION"}); err != nil {
			f.t.Fatal(err)
		}
		after, err := f.CloseWard(f.t.Context(), f.manager(), app.Closing{ID: ward.ID, Version: ward.Version})
		if err != nil || after.Beds[0].OutReason != domain.OutClosed || after.Beds[1].OutReason != "INFECTION" {
			f.t.Fatalf("closed: %+v, %v", after, err)
		}
		after, err = f.CloseWard(f.t.Context(), f.manager(), app.Closing{ID: ward.ID, Version: after.Version, Open: true})
		if err != nil || after.Beds[0].OutReason != "" || after.Beds[1].OutReason != "INFECTION" {
			f.t.Errorf("opened: %+v, %v", after, err)
		}
		f.wantWardBeds(ward.ID, 2, 1, 2)
	})
}
