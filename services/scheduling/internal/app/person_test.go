package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
)

// A hold that was taken for one record of a person is good for a referral of the other, as long as they are one person.
func TestAHoldGoesToThePersonUnderAnyOfTheRecords(t *testing.T) {
	each(t, func(f *fixture) {
		slots := f.slots(3)
		first, second, third := id.New(), id.New(), id.New()
		link := func(merged, survivor, fact string, version int32, holds bool) {
			err := f.OnPerson(f.t.Context(), app.PatientLink{
				Consumer: "scheduling-person", FactID: fact, County: county, Merged: merged, Survivor: survivor, Version: version, Holds: holds,
			})
			if err != nil {
				f.t.Fatal(err)
			}
		}
		attach := func(slot int, taken, wanted string) error {
			hold, err := f.CreateHold(f.t.Context(), f.caller(id.New()), app.HoldRequest{PatientID: taken, SlotID: slots[slot].ID})
			if err != nil {
				f.t.Fatal(err)
			}
			_, err = f.AttachHold(f.t.Context(), f.caller(id.New()), app.Tie{HoldID: hold.ID, ReferralID: id.New(), PatientID: wanted}, f.clk.Now().Add(time.Hour))
			return err
		}
		if err := attach(0, first, second); err == nil {
			f.t.Error("a hold goes to another patient")
		}
		merge := id.New()
		link(second, first, merge, 2, true)
		link(third, second, id.New(), 2, true)
		link(second, first, merge, 2, true) // again
		link(second, first, id.New(), 1, false)
		if err := attach(1, first, third); err != nil {
			f.t.Errorf("of one person: %v", err)
		}
		link(second, first, id.New(), 3, false)
		if err := attach(2, first, third); err == nil {
			f.t.Error("apart again, a hold goes to another patient")
		}
	})
}
