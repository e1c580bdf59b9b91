package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func (f *fixture) ward(department string, beds int) app.BoardWard {
	f.t.Helper()
	w := domain.Ward{ID: id.New(), OrganizationID: f.org, DepartmentCode: department, Name: "病区", Beds: beds}
	if _, made, err := f.CreateSchedules(f.t.Context(), f.caller("manager"), nil, []domain.Ward{w}); err != nil || made != beds {
		f.t.Fatalf("%d beds, %v", made, err)
	}
	return f.board(department)
}

func (f *fixture) manager() app.Keeper {
	return app.Keeper{Caller: f.caller("manager"), Clinician: true}
}

func (f *fixture) board(department string) app.BoardWard {
	f.t.Helper()
	wards, err := f.ListBoard(f.t.Context(), f.manager(), app.Department{County: county, OrganizationID: f.org, Code: department})
	if err != nil || len(wards) != 1 {
		f.t.Fatalf("%v, %v", wards, err)
	}
	return wards[0]
}

func (f *fixture) lie(r app.HoldRequest) (app.HoldView, error) {
	r.PatientID = f.patient
	if r.BedID == "" {
		r.BedOrganizationID, r.BedDepartment = f.org, "0304"
	}
	return f.CreateHold(f.t.Context(), f.caller("desk"), r)
}

func (f *fixture) wantBed(i int, want domain.BedState) domain.BedData {
	f.t.Helper()
	b := f.board("0304").Beds[i]
	if got := b.State(f.clk.Now()); got != want {
		f.t.Errorf("bed %d is %s, want %s", i, got, want)
	}
	return b
}

func TestABedIsGivenToWhomItSuits(t *testing.T) {
	each(t, func(f *fixture) {
		ward := f.ward("0304", 2)
		set := func(sex, class string) {
			f.t.Helper()
			changed, err := f.SetWard(f.t.Context(), f.manager(), app.WardChange{ID: ward.ID, Version: f.board("0304").Version, Class: class, Sex: sex, CleaningMinutes: 30})
			if err != nil || changed.Sex != sex || changed.Class != class || changed.CleaningMinutes != 30 {
				f.t.Fatalf("%+v, %v", changed.WardData, err)
			}
		}
		set("FEMALE", "ISOLATION")
		for name, r := range map[string]app.HoldRequest{
			"a man": {BedSex: "MALE"}, "nobody knows": {}, "intensive care": {BedSex: "FEMALE", BedClass: "ICU"}, "a man, by the bed": {BedID: ward.Beds[0].ID, BedSex: "MALE"},
		} {
			if _, err := f.lie(r); errs.ReasonOf(err) != errs.ReasonSlotTaken {
				f.t.Errorf("%s in isolation for women: %v", name, err)
			}
		}
		if v, err := f.lie(app.HoldRequest{BedSex: "FEMALE", BedClass: "ISOLATION", BedID: ward.Beds[1].ID}); err != nil || v.Place.BedID != ward.Beds[1].ID {
			f.t.Errorf("a woman: %v", err)
		}
		set("", "GENERAL")
		bed := f.board("0304").Beds[0]
		if _, err := f.SetBed(f.t.Context(), f.manager(), app.BedChange{ID: bed.ID, Version: bed.Version, InService: true, Sex: "MALE"}); err != nil {
			f.t.Fatal(err)
		}
		if _, err := f.lie(app.HoldRequest{BedSex: "FEMALE"}); errs.ReasonOf(err) != errs.ReasonSlotTaken {
			f.t.Errorf("a woman in a room of men: %v", err)
		}
		if v, err := f.lie(app.HoldRequest{BedSex: "MALE", BedWard: ward.ID}); err != nil || v.Place.BedID != bed.ID {
			f.t.Errorf("a man, by the ward: %v", err)
		}
		if _, err := f.lie(app.HoldRequest{BedSex: "MALE", BedWard: id.New()}); errs.ReasonOf(err) != errs.ReasonSlotTaken {
			f.t.Errorf("a man in another ward: %v", err)
		}
		for name, r := range map[string]app.HoldRequest{"ward": {BedWard: "w"}, "sex": {BedSex: "BOTH"}, "class": {BedClass: "FIRST"}, "bed": {BedID: "b"}} {
			if _, err := f.lie(r); errs.KindOf(err) != errs.KindInvalid {
				f.t.Errorf("an unknown %s: %v", name, err)
			}
		}
	})
}

// The hospital's system tells the discharge, then the reply comes, or the reverse: the bed is given back once, and is cleaned once. So is that of an admission
// that was undone, unless it was a mistake: nobody lay in it.
func TestABedIsGivenBackByWhateverTellsItFirst(t *testing.T) {
	each(t, func(f *fixture) {
		f.ward("0304", 1)
		for _, order := range [][2]string{
			{"discharged", "concluded"}, {"concluded", "discharged"}, {"admission_undone", "ENTERED_IN_ERROR"}, {"admission_undone", "WRONG_PATIENT.1"}, {"admission_undone", "PATIENT_LEFT"},
			{"admission_undone", "OTHER"},
		} {
			c := f.submitted(id.New(), "0304", "ROUTINE")
			v, err := f.lie(app.HoldRequest{})
			if err != nil {
				f.t.Fatal(order, err)
			}
			v = f.confirm(v.ID, c.ReferralID)
			c = f.tell("admitted", "ADMITTED", c, app.ReferralFact{BookingID: v.BookingID})
			f.wantBed(0, domain.BedOccupied)
			if order[1] == "ENTERED_IN_ERROR" || order[1] == "WRONG_PATIENT.1" {
				f.tell(order[0], "ARRIVED", c, app.ReferralFact{BookingID: v.BookingID, ReasonCode: order[1]})
				f.wantBed(0, domain.BedFree)
				continue
			}
			c = f.tell(order[0], "ADMITTED", c, app.ReferralFact{BookingID: v.BookingID, ReasonCode: order[1]})
			b := f.wantBed(0, domain.BedCleaning)
			change := app.BedChange{RequestID: id.New(), ID: b.ID, Version: b.Version, InService: true, Cleaned: true}
			if _, err := f.SetBed(f.t.Context(), f.manager(), change); err != nil {
				f.t.Fatal(err)
			}
			if order[0] != "admission_undone" {
				f.tell(order[1], "CONCLUDED", c, app.ReferralFact{BookingID: v.BookingID})
			}
			f.wantBed(0, domain.BedFree)
		}
	})
}

func TestABedIsCleanedAfterItsPatientLeft(t *testing.T) {
	each(t, func(f *fixture) {
		f.ward("0304", 1)
		sender := id.New()
		c := f.submitted(sender, "0304", "ROUTINE")
		v, err := f.lie(app.HoldRequest{})
		if err != nil {
			f.t.Fatal(err)
		}
		f.wantBed(0, domain.BedHeld)
		v = f.confirm(v.ID, c.ReferralID)
		c = f.tell("accepted", "ACCEPTED", c, app.ReferralFact{BookingID: v.BookingID})
		f.wantBed(0, domain.BedBooked)
		c = f.tell("arrived", "ARRIVED", c, app.ReferralFact{})
		if b := f.wantBed(0, domain.BedOccupied); b.Case.Number != c.Number || b.Hold.ReferralID != c.ReferralID {
			f.t.Errorf("%+v", b)
		}
		c = f.tell("admitted", "ADMITTED", c, app.ReferralFact{})
		f.wantBed(0, domain.BedOccupied)
		f.tell("concluded", "CONCLUDED", c, app.ReferralFact{BookingID: v.BookingID})
		b := f.wantBed(0, domain.BedCleaning)
		if until := f.clk.Now().Add(domain.DefaultCleaning * time.Minute); !b.Until(f.clk.Now()).Equal(until) {
			f.t.Errorf("cleaned until %s, want %s", b.Until(f.clk.Now()), until)
		}
		if _, err := f.lie(app.HoldRequest{}); errs.ReasonOf(err) != errs.ReasonSlotTaken {
			f.t.Errorf("a bed that is being cleaned: %v", err)
		}
		if counts, err := f.ListBeds(f.t.Context(), county, f.org, "0304"); err != nil || counts[0].Free != 0 {
			f.t.Errorf("%+v, %v", counts, err)
		}
		change := app.BedChange{RequestID: id.New(), ID: b.ID, Version: b.Version, InService: true, Cleaned: true}
		for range 2 {
			if after, err := f.SetBed(f.t.Context(), f.manager(), change); err != nil || after.State(f.clk.Now()) != domain.BedFree || after.Version != b.Version+1 {
				f.t.Errorf("cleaned early: %s, %v", after.State(f.clk.Now()), err)
			}
		}
		if _, err := f.lie(app.HoldRequest{}); err != nil {
			f.t.Error(err)
		}
		if n := f.count("SELECT count(*) FROM audit_entry WHERE action = 'bed.set'"); n != 1 {
			f.t.Errorf("%d audit entries", n)
		}
	})
}

func TestABedOutOfServiceIsNotGivenAndOneThatSomebodyHasStaysTheirs(t *testing.T) {
	each(t, func(f *fixture) {
		ward := f.ward("0304", 1)
		bed := ward.Beds[0]
		if _, err := f.lie(app.HoldRequest{}); err != nil {
			f.t.Fatal(err)
		}
		out := app.BedChange{ID: bed.ID, Version: bed.Version, OutReason: "REPAIR"}
		after, err := f.SetBed(f.t.Context(), f.manager(), out)
		if err != nil || after.State(f.clk.Now()) != domain.BedHeld || after.OutReason != "REPAIR" {
			f.t.Fatalf("%+v, %v", after, err)
		}
		if _, err := f.SetBed(f.t.Context(), f.manager(), out); errs.ReasonOf(err) != errs.ReasonStaleVersion {
			f.t.Errorf("an old version: %v", err)
		}
		f.clk.Advance(domain.HoldFor)
		f.wantBed(0, domain.BedOutOfService)
		if _, err := f.lie(app.HoldRequest{}); errs.ReasonOf(err) != errs.ReasonSlotTaken {
			f.t.Errorf("a bed out of service: %v", err)
		}
		elsewhere := app.Keeper{Caller: f.township(id.New()), Clinician: true}
		if _, err := f.SetBed(f.t.Context(), elsewhere, out); errs.ReasonOf(err) != errs.ReasonRole {
			f.t.Errorf("another organisation: %v", err)
		}
		if _, err := f.SetWard(f.t.Context(), elsewhere, app.WardChange{ID: ward.ID, Version: 1, Class: "ICU"}); errs.ReasonOf(err) != errs.ReasonRole {
			f.t.Errorf("another organisation's ward: %v", err)
		}
		if _, err := f.ListBoard(f.t.Context(), elsewhere, app.Department{County: county, OrganizationID: f.org}); errs.KindOf(err) != errs.KindNotFound {
			f.t.Errorf("another organisation's board: %v", err)
		}
		for _, c := range []app.BedChange{{ID: bed.ID}, {ID: bed.ID, InService: true, OutReason: "REPAIR"}, {ID: bed.ID, OutReason: "MOOD"}, {ID: bed.ID, InService: true, Sex: "X"}} {
			if _, err := f.SetBed(f.t.Context(), f.manager(), c); errs.KindOf(err) != errs.KindInvalid {
				f.t.Errorf("%+v: %v", c, err)
			}
		}
	})
}

func TestTheCountysAdministratorSeesBedsAndNoReferrals(t *testing.T) {
	each(t, func(f *fixture) {
		f.ward("0304", 1)
		c := f.submitted(id.New(), "0304", "ROUTINE")
		v, err := f.lie(app.HoldRequest{})
		if err != nil {
			f.t.Fatal(err)
		}
		v = f.confirm(v.ID, c.ReferralID)
		c = f.tell("accepted", "ACCEPTED", c, app.ReferralFact{BookingID: v.BookingID})
		f.tell("arrived", "ARRIVED", c, app.ReferralFact{})
		admin := app.Keeper{Caller: app.Caller{County: county, AccountID: "admin", OrganizationID: id.New()}, Everywhere: true}
		wards, err := f.ListBoard(f.t.Context(), admin, app.Department{County: county, OrganizationID: f.org})
		if err != nil || len(wards) != 1 {
			f.t.Fatal(err)
		}
		b := wards[0].Beds[0]
		if b.State(f.clk.Now()) != domain.BedOccupied || b.Hold.ReferralID != "" || b.Hold.PatientID != "" || b.Case.Number != "" || b.Case.SenderOrganizationID != "" {
			f.t.Errorf("%+v", b)
		}
	})
}
