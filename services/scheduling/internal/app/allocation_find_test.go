package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func (f *fixture) find(who app.Caller, q app.Find) []app.SlotView {
	f.t.Helper()
	found, err := f.FindSlots(f.t.Context(), app.Asker{Caller: who}, q, f.clk.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	return found
}

func (f *fixture) wantSlots(what string, got []app.SlotView, want ...domain.Slot) {
	f.t.Helper()
	if len(got) != len(want) {
		f.t.Errorf("%s: %d slots, want %d", what, len(got), len(want))
		return
	}
	for i, s := range want {
		if got[i].ID != s.ID || !got[i].Free {
			f.t.Errorf("%s: slot %d starts at %s (free %v), want %s", what, i, got[i].Start, got[i].Free, s.Start)
		}
	}
}

func TestTheEarliestSlotsAreFoundOneASession(t *testing.T) {
	each(t, func(f *fixture) {
		other := id.New()
		late := f.session("0304", "CLINIC", 3, 14, 10)
		early := f.session("0304", "CLINIC", 1, 8, 10)
		elsewhere := f.sessionOf(other, "0304", "CLINIC", 2, 8, 10)
		expert := f.session("0501", "EXPERT", 1, 8, 10)
		if err := f.take(f.caller("desk"), early[0].ID, ""); err != nil {
			f.t.Fatal(err)
		}
		me := f.township(id.New())
		query := func(change func(*app.Find)) []app.SlotView {
			q := app.Find{FindQuery: app.FindQuery{OrganizationIDs: []string{f.org, other}, Departments: []string{"0304"}}}
			change(&q)
			return f.find(me, q)
		}
		f.wantSlots("over organisations", query(func(*app.Find) {}), early[1], elsewhere[0], late[0])
		f.wantSlots("at most two", query(func(q *app.Find) { q.Limit = 2 }), early[1], elsewhere[0])
		f.wantSlots("one organisation", query(func(q *app.Find) { q.OrganizationIDs = []string{f.org} }), early[1], late[0])
		f.wantSlots("a kind", query(func(q *app.Find) { q.Departments, q.Kind = nil, "EXPERT" }), expert[0])
		f.wantSlots("afternoons", query(func(q *app.Find) { q.Half = "PM" }), late[0])
		// The 19th is a Thursday, the 20th a Friday.
		f.wantSlots("Fridays", query(func(q *app.Find) { q.Weekdays = []int{5, 7} }), elsewhere[0])
		f.wantSlots("days", query(func(q *app.Find) { q.FromDay, q.ToDay = "2026-03-20", "2026-03-21" }), elsewhere[0])
		all := f.find(me, app.Find{})
		if len(all) != 4 || all[2].ID != elsewhere[0].ID {
			f.t.Errorf("the whole county: %d slots", len(all))
		}
		for name, q := range map[string]app.Find{
			"kind": {FindQuery: app.FindQuery{Kind: "PARTY"}}, "grade": {FindQuery: app.FindQuery{Grade: "GOOD"}}, "day": {FromDay: "soon"},
			"modality": {FindQuery: app.FindQuery{Kind: "CLINIC", Modality: "CT"}},
		} {
			if _, err := f.FindSlots(f.t.Context(), app.Asker{Caller: me}, q, f.clk.Now()); errs.KindOf(err) != errs.KindInvalid {
				f.t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestASearchGoesOnOverAsManySlotsAsItMust(t *testing.T) {
	each(t, func(f *fixture) {
		var want []domain.Slot
		for day := range 12 {
			want = append(want, f.session("0304", "CLINIC", day+1, 8, 60)[0])
		}
		got := f.find(f.caller("desk"), app.Find{FindQuery: app.FindQuery{OrganizationIDs: []string{f.org}, Departments: []string{"0304"}, Limit: 12}})
		f.wantSlots("one a day", got, want...)
	})
}

func TestFreeSlotsAreCountedByLocalDay(t *testing.T) {
	each(t, func(f *fixture) {
		first, second := f.session("0304", "CLINIC", 1, 8, 3), f.session("0304", "CLINIC", 2, 8, 2)
		f.session("0501", "CLINIC", 2, 8, 4)
		if err := f.take(f.caller("desk"), first[0].ID, ""); err != nil {
			f.t.Fatal(err)
		}
		q := app.SlotQuery{County: county, OrganizationID: f.org, Department: "0304", Kind: "CLINIC", Limit: 1}
		days, err := f.ListFreeDays(f.t.Context(), app.Asker{Caller: f.caller("desk")}, q, "", "", f.clk.Now())
		want := []app.FreeDay{{Date: "2026-03-19", Free: 2}, {Date: "2026-03-20", Free: 2}}
		if err != nil || !slices.Equal(days, want) {
			f.t.Errorf("%v, %v", days, err)
		}
		// One slot is found whatever becomes of it.
		q = app.SlotQuery{County: county, OrganizationID: f.org, SlotID: first[0].ID, Limit: 9}
		if one, err := f.ListSlots(f.t.Context(), app.Asker{Caller: f.caller("desk")}, q, "", "", f.clk.Now()); err != nil || len(one) != 1 || one[0].Free {
			f.t.Errorf("%v, %v", one, err)
		}
		if q.SlotID = second[1].ID; len(second) != 2 {
			f.t.Fatal(len(second))
		}
		if one, err := f.ListSlots(f.t.Context(), app.Asker{Caller: f.caller("desk")}, q, "", "", f.clk.Now()); err != nil || len(one) != 1 || one[0].ID != second[1].ID {
			f.t.Errorf("%v, %v", one, err)
		}
	})
}

func TestAnExaminationIsFoundByWhatItIsMadeWith(t *testing.T) {
	each(t, func(f *fixture) {
		device := func(modality string) string {
			d := id.New()
			f.exec(`INSERT INTO equipment (county_code, id, version, organization_id, department_code, modality, name, location, preparation, preparation_english,
				in_service, update_time) VALUES ($1, $2, 1, $3, '32', $4, $5, '', '空腹', 'fasting', true, $6)`, county, d, f.org, modality, modality+" 1", f.clk.Now())
			return d
		}
		ct, mri := f.session("32", "EXAM", 1, 8, 2), f.session("32", "EXAM", 2, 8, 2)
		f.exec("UPDATE session SET equipment_id = $1 WHERE id = $2", device("CT"), ct[0].Session.ID)
		f.exec("UPDATE session SET equipment_id = $1 WHERE id = $2", device("MRI"), mri[0].Session.ID)
		got := f.find(f.caller("desk"), app.Find{FindQuery: app.FindQuery{OrganizationIDs: []string{f.org}, Kind: "EXAM", Modality: "MRI"}})
		f.wantSlots("MRI", got, mri[0])
		if d := got[0].Device; d.Name != "MRI 1" || d.Preparation != "空腹" || d.PreparationEnglish != "fasting" {
			f.t.Errorf("%+v", d)
		}
		listed := app.SlotQuery{County: county, OrganizationID: f.org, Kind: "EXAM", Modality: "MRI", FreeOnly: true, Limit: 9}
		slots, err := f.ListSlots(f.t.Context(), app.Asker{Caller: f.caller("desk")}, listed, "", "", f.clk.Now())
		if err != nil {
			f.t.Fatal(err)
		}
		f.wantSlots("listed", slots, mri...)
		v := f.hold(mri[0].ID)
		if v.Device.Name != "MRI 1" || v.Device.Preparation != "空腹" {
			f.t.Errorf("the hold says %+v", v.Device)
		}
	})
}

func TestWaitingTimesFollowWhatIsTakenAndFreed(t *testing.T) {
	each(t, func(f *fixture) {
		f.session("0304", "CLINIC", 1, 8, 2)
		third := f.session("0304", "CLINIC", 5, 8, 2)
		want := func(kind string, days, free, waiting int) {
			f.t.Helper()
			if err := f.Allocate(f.t.Context(), f.clk.Now(), false); err != nil {
				f.t.Fatal(err)
			}
			times, err := f.ListWaitingTimes(f.t.Context(), app.Department{County: county, OrganizationID: f.org})
			if err != nil {
				f.t.Fatal(err)
			}
			for _, w := range times {
				if w.Kind == kind {
					if got := f.Days(w, f.clk.Now()); got != days || w.Free != free || w.Waiting != waiting {
						f.t.Errorf("%s: %d days, %d free, %d wait; want %d, %d, %d", kind, got, w.Free, w.Waiting, days, free, waiting)
					}
					return
				}
			}
			f.t.Errorf("no waiting time for %s", kind)
		}
		want("CLINIC", 5, 4, 0)
		v := f.hold(third[0].ID)
		want("CLINIC", 5, 3, 0)
		other := f.hold(third[1].ID)
		want("CLINIC", -1, 2, 0)
		if _, err := f.ReleaseHold(f.t.Context(), f.caller("desk"), v.ID); err != nil {
			f.t.Fatal(err)
		}
		want("CLINIC", 5, 3, 0)
		f.clk.Advance(domain.HoldFor)
		f.sweep()
		f.wantState(other.ID, domain.Expired)
		want("CLINIC", 5, 4, 0)

		f.ward("0304", 1)
		want("BED", 0, 1, 0)
		if _, err := f.CreateHold(f.t.Context(), f.caller("desk"), app.HoldRequest{PatientID: f.patient, BedOrganizationID: f.org, BedDepartment: "0304"}); err != nil {
			f.t.Fatal(err)
		}
		want("BED", -1, 0, 0)
		f.join(f.submitted(id.New(), "0304", "ROUTINE"), domain.Wish{Kind: domain.KindBed})
		want("BED", -1, 0, 1)

		if n := f.count("SELECT count(*) FROM capacity_change"); n != 0 {
			f.t.Errorf("%d changes are left", n)
		}
	})
}

// What counts is what a township may take: a slot that opens later is no place yet.
func TestWaitingTimesAreComputedAnewEachNight(t *testing.T) {
	each(t, func(f *fixture) {
		f.session("0304", "CLINIC", 15, 8, 3)
		f.allocate()
		read := func() domain.WaitingTime {
			f.t.Helper()
			times, err := f.ListWaitingTimes(f.t.Context(), app.Department{County: county, OrganizationID: f.org, Code: "0304"})
			if err != nil || len(times) != 1 {
				f.t.Fatalf("%v, %v", times, err)
			}
			return times[0]
		}
		if w := read(); f.Days(w, f.clk.Now()) != -1 || !w.NextStart.IsZero() {
			f.t.Errorf("a slot that is not open counts: %+v", w)
		}
		f.clk.Advance(24 * time.Hour)
		f.allocate()
		if w := read(); f.Days(w, f.clk.Now()) != 14 || w.Free != 3 {
			f.t.Errorf("on the day after: %d days, %+v", f.Days(w, f.clk.Now()), w)
		}
	})
}

// Who is taken to a bed from the clinic was seen there: the day keeps the patient. Whose booking was freed for another reason is not on it.
func TestADayKeepsWhoWasAdmittedFromIt(t *testing.T) {
	each(t, func(f *fixture) {
		slots := f.session("0304", "CLINIC", 0, 14, 2)
		f.ward("0304", 1)
		c, out := f.submitted(id.New(), "0304", "ROUTINE"), f.submitted(id.New(), "0304", "ROUTINE")
		slot, gone := f.hold(slots[0].ID), f.hold(slots[1].ID)
		slot, gone = f.confirm(slot.ID, c.ReferralID), f.confirm(gone.ID, out.ReferralID)
		c = f.tell("accepted", "ACCEPTED", c, app.ReferralFact{BookingID: slot.BookingID})
		f.tell("cancelled", "CANCELLED", f.tell("accepted", "ACCEPTED", out, app.ReferralFact{BookingID: gone.BookingID}), app.ReferralFact{BookingID: gone.BookingID})
		bed, err := f.lie(app.HoldRequest{})
		if err != nil {
			f.t.Fatal(err)
		}
		bed = f.confirm(bed.ID, c.ReferralID)
		c = f.tell("admitted", "ADMITTED", f.tell("arrived", "ARRIVED", c, app.ReferralFact{}), app.ReferralFact{BookingID: bed.BookingID, FormerBookingID: slot.BookingID})
		for _, state := range []string{"ADMITTED", "CONCLUDED"} {
			day, err := f.ListDay(f.t.Context(), f.caller("desk"), app.Department{County: county, OrganizationID: f.org}, "", f.clk.Now())
			if err != nil || len(day) != 1 || len(day[0].Patients) != 1 {
				f.t.Fatalf("%+v, %v", day, err)
			}
			if p := day[0].Patients[0]; p.Case.State != state || p.Hold.State != domain.Released || p.Hold.Place.SlotID != slots[0].ID || day[0].Free != 2 {
				f.t.Errorf("%+v", p)
			}
			f.tell("concluded", "CONCLUDED", c, app.ReferralFact{BookingID: bed.BookingID})
		}
	})
}

func TestADayShowsItsSessionsAndWhoComes(t *testing.T) {
	each(t, func(f *fixture) {
		sender := id.New()
		slots := f.session("0304", "CLINIC", 0, 14, 4)
		f.session("0501", "CLINIC", 0, 10, 2)
		f.session("0304", "CLINIC", 1, 8, 2)
		booked := func(slot domain.Slot, event, state string) {
			c := f.submitted(sender, "0304", "ROUTINE")
			v := f.hold(slot.ID)
			v = f.confirm(v.ID, c.ReferralID)
			c = f.tell("accepted", "ACCEPTED", c, app.ReferralFact{BookingID: v.BookingID})
			if event != "" {
				f.tell(event, state, c, app.ReferralFact{BookingID: v.BookingID})
			}
		}
		booked(slots[0], "", "")
		booked(slots[1], "arrived", "ARRIVED")
		booked(slots[2], "no_show", "NO_SHOW")
		day, err := f.ListDay(f.t.Context(), f.caller("desk"), app.Department{County: county, OrganizationID: f.org}, "", f.clk.Now())
		if err != nil || len(day) != 2 {
			f.t.Fatalf("%d sessions, %v", len(day), err)
		}
		s := day[1]
		if s.Session.ID != slots[0].Session.ID || s.Slots != 4 || s.Free != 2 || len(s.Patients) != 3 {
			f.t.Fatalf("%+v", s)
		}
		for i, want := range []string{"ACCEPTED", "ARRIVED", "NO_SHOW"} {
			p := s.Patients[i]
			if p.Case.State != want || p.Hold.Place.SlotID != slots[i].ID || p.Case.Number == "" || p.Case.SenderOrganizationID != sender || p.Hold.BookingID == "" {
				f.t.Errorf("patient %d: %+v", i, p)
			}
		}
		if day, err = f.ListDay(f.t.Context(), f.caller("desk"), app.Department{County: county, OrganizationID: f.org, Code: "0501"}, "2026-03-18", f.clk.Now()); err != nil || len(day) != 1 {
			f.t.Errorf("a department: %d, %v", len(day), err)
		}
		if _, err := f.ListDay(f.t.Context(), f.township(sender), app.Department{County: county, OrganizationID: f.org}, "", f.clk.Now()); errs.KindOf(err) != errs.KindNotFound {
			f.t.Errorf("another organisation's day: %v", err)
		}
	})
}
