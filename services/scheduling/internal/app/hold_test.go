package app_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

const clients = 64

// Invariant 1.
func TestNoSlotIsTakenTwiceAndNoneIsLostWhenAllWantAll(t *testing.T) {
	each(t, func(f *fixture) {
		slots := f.slots(100)
		won := make([]int, clients)
		var lost atomic.Int32
		var all sync.WaitGroup
		for c := range clients {
			all.Go(func() {
				for {
					free, err := f.ListSlots(f.t.Context(), app.Asker{Caller: f.caller("desk")}, app.SlotQuery{County: county, OrganizationID: f.org, FreeOnly: true, Limit: 5}, "", "", f.clk.Now())
					if err != nil || len(free) == 0 {
						if err != nil {
							f.t.Errorf("client %d: %v", c, err)
						}
						return
					}
					// All look at the first few, so that most of them meet somebody who was faster.
					_, err = f.CreateHold(f.t.Context(), f.caller(id.New()), app.HoldRequest{PatientID: id.New(), SlotID: free[c%len(free)].ID})
					switch errs.ReasonOf(err) {
					case "":
						won[c]++
					case errs.ReasonSlotTaken:
						lost.Add(1)
					default:
						f.t.Errorf("client %d: %v", c, err)
						return
					}
				}
			})
		}
		all.Wait()
		if lost.Load() == 0 {
			f.t.Error("nobody met anybody: this proved nothing")
		}
		total := 0
		for _, n := range won {
			total += n
		}
		if total != len(slots) {
			f.t.Errorf("%d holds were given for %d slots", total, len(slots))
		}
		live := map[string]bool{}
		for after := ""; ; {
			page, err := f.ListLive(f.t.Context(), county, after, 30)
			if err != nil {
				f.t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, v := range page {
				if live[v.Place.ID()] {
					f.t.Errorf("slot %s is taken twice", v.Place.ID())
				}
				live[v.Place.ID()], after = true, v.ID
			}
		}
		if len(live) != len(slots) {
			f.t.Errorf("%d slots are taken, want %d", len(live), len(slots))
		}
		if n := f.count("SELECT count(*) FROM hold"); n != len(slots) {
			f.t.Errorf("%d holds are kept, want %d", n, len(slots))
		}
	})
}

// Invariant 1.
func TestEveryBedFindsOnePatientWhenAllWantAny(t *testing.T) {
	each(t, func(f *fixture) {
		const beds = 20
		w := domain.Ward{ID: id.New(), OrganizationID: f.org, DepartmentCode: "0304", Name: "心内一病区", Beds: beds}
		if _, n, err := f.CreateSchedules(f.t.Context(), f.caller("manager"), nil, []domain.Ward{w}); err != nil || n != beds {
			f.t.Fatalf("%d beds, %v", n, err)
		}
		var mu sync.Mutex
		given, refused := map[string]int{}, 0
		var all sync.WaitGroup
		for range clients {
			all.Go(func() {
				v, err := f.CreateHold(f.t.Context(), f.caller(id.New()),
					app.HoldRequest{RequestID: id.New(), PatientID: id.New(), BedOrganizationID: f.org, BedDepartment: "0304"})
				mu.Lock()
				defer mu.Unlock()
				switch errs.ReasonOf(err) {
				case "":
					given[v.Place.BedID]++
					if v.Ward != w.Name || v.Bed == "" {
						f.t.Errorf("the bed has no name: %q %q", v.Ward, v.Bed)
					}
				case errs.ReasonSlotTaken:
					refused++
				default:
					f.t.Error(err)
				}
			})
		}
		all.Wait()
		if len(given) != beds || refused != clients-beds {
			f.t.Errorf("%d beds given, %d refused", len(given), refused)
		}
	})
}

// Invariant 5.
func TestTheSameRequestGetsTheSameHoldAlsoAtTheSameMoment(t *testing.T) {
	each(t, func(f *fixture) {
		slots := f.slots(2)
		r := app.HoldRequest{RequestID: id.New(), PatientID: f.patient, SlotID: slots[0].ID}
		const repeats = 8
		got := make([]app.HoldView, repeats)
		var all sync.WaitGroup
		for i := range repeats {
			all.Go(func() {
				var err error
				if got[i], err = f.CreateHold(f.t.Context(), f.caller("desk"), r); err != nil {
					f.t.Error(err)
				}
			})
		}
		all.Wait()
		for _, v := range got {
			if v.ID != got[0].ID || v.State != domain.Held {
				f.t.Errorf("%s %s, want %s", v.ID, v.State, got[0].ID)
			}
		}
		f.attach(got[0].ID, id.New())
		if again, err := f.CreateHold(f.t.Context(), f.caller("desk"), r); err != nil || again.State != domain.Held || again.ReferralID != "" {
			f.t.Errorf("the first answer changed: %+v, %v", again.HoldData, err)
		}
		r.SlotID = slots[1].ID
		if _, err := f.CreateHold(f.t.Context(), f.caller("desk"), r); errs.ReasonOf(err) != errs.ReasonRequestIDReused {
			f.t.Errorf("another body: %v", err)
		}
		// Another account may use the same id.
		if _, err := f.CreateHold(f.t.Context(), f.caller("township"), r); err != nil {
			f.t.Error(err)
		}
	})
}

// Invariant 2.
func TestAHoldEndsAfterTenMinutesAndItsPlaceIsGivenAgain(t *testing.T) {
	each(t, func(f *fixture) {
		slot := f.slots(1)[0]
		first := f.hold(slot.ID)
		f.clk.Advance(domain.HoldFor)
		tie := app.Tie{HoldID: first.ID, ReferralID: id.New(), PatientID: f.patient}
		if _, err := f.AttachHold(f.t.Context(), f.caller("service:referral"), tie, time.Time{}); errs.ReasonOf(err) != errs.ReasonHoldExpired {
			f.t.Errorf("attach: %v", err)
		}
		if _, err := f.ConfirmHold(f.t.Context(), f.caller("service:referral"), tie); errs.ReasonOf(err) != errs.ReasonHoldExpired {
			f.t.Errorf("confirm: %v", err)
		}
		second := f.hold(slot.ID)
		f.wantState(first.ID, domain.Expired)
		f.clk.Advance(domain.HoldFor)
		f.sweep()
		f.wantState(second.ID, domain.Expired)
		if n := f.count("SELECT count(*) FROM occupancy"); n != 0 {
			f.t.Errorf("%d places stay taken", n)
		}
		f.wantFacts("booking_released", 0)
	})
}

func TestASlotThatHasBegunIsNotHeld(t *testing.T) {
	each(t, func(f *fixture) {
		slot := f.slots(1)[0]
		f.clk.Advance(time.Hour)
		_, err := f.CreateHold(f.t.Context(), f.caller("desk"), app.HoldRequest{PatientID: id.New(), SlotID: slot.ID})
		if errs.ReasonOf(err) != errs.ReasonActionNotAvailable {
			f.t.Error(err)
		}
	})
}

func TestAHoldRequestNamesAPatientAndOnePlace(t *testing.T) {
	each(t, func(f *fixture) {
		for field, r := range map[string]app.HoldRequest{
			"patientId":          {SlotID: id.New()},
			"slotId":             {PatientID: id.New()},
			"bed.organizationId": {PatientID: id.New(), BedDepartment: "0304"},
			"bed.departmentCode": {PatientID: id.New(), BedOrganizationID: id.New()},
			"requestId":          {PatientID: id.New(), SlotID: id.New(), RequestID: "x"},
		} {
			_, err := f.CreateHold(f.t.Context(), f.caller("desk"), r)
			e, ok := errs.As(err)
			if !ok || len(e.Fields) != 1 || e.Fields[0].Name != field {
				f.t.Errorf("%s: %v", field, err)
			}
		}
		_, err := f.CreateHold(f.t.Context(), f.caller("desk"), app.HoldRequest{PatientID: id.New(), SlotID: id.New()})
		if errs.KindOf(err) != errs.KindNotFound {
			f.t.Errorf("an unknown slot: %v", err)
		}
	})
}

func TestOnlyItsOwnerGivesAHoldBackAndOnlyBeforeItIsTied(t *testing.T) {
	each(t, func(f *fixture) {
		slots := f.slots(2)
		v := f.hold(slots[0].ID)
		if _, err := f.ReleaseHold(f.t.Context(), f.caller("somebody"), v.ID); errs.KindOf(err) != errs.KindNotFound {
			f.t.Errorf("another account: %v", err)
		}
		for range 2 {
			if got, err := f.ReleaseHold(f.t.Context(), f.caller("desk"), v.ID); err != nil || got.State != domain.Released {
				f.t.Errorf("%s, %v", got.State, err)
			}
		}
		f.hold(slots[0].ID)
		tied := f.hold(slots[1].ID)
		f.attach(tied.ID, id.New())
		if _, err := f.ReleaseHold(f.t.Context(), f.caller("desk"), tied.ID); errs.ReasonOf(err) != errs.ReasonActionNotAvailable {
			f.t.Errorf("an attached hold: %v", err)
		}
	})
}

// Invariants 5 and 6.
func TestAttachingAndConfirmingAgainChangeNothing(t *testing.T) {
	each(t, func(f *fixture) {
		r := id.New()
		v := f.attached(r)
		f.attach(v.ID, r)
		other := app.Tie{HoldID: v.ID, ReferralID: id.New(), PatientID: f.patient}
		if _, err := f.AttachHold(f.t.Context(), f.caller("service:referral"), other, time.Time{}); errs.KindOf(err) != errs.KindConflict {
			f.t.Errorf("another referral attaches: %v", err)
		}
		if _, err := f.ConfirmHold(f.t.Context(), f.caller("service:referral"), other); errs.KindOf(err) != errs.KindConflict {
			f.t.Errorf("another referral confirms: %v", err)
		}
		first, again := f.confirm(v.ID, r), f.confirm(v.ID, r)
		if first.BookingID == "" || first.BookingID != again.BookingID || again.State != domain.Unsettled {
			f.t.Errorf("%s then %s, %s", first.BookingID, again.BookingID, again.State)
		}
		f.wantFacts("hold_attached", 1)
		f.wantFacts("booking_confirmed", 1)
		if n := f.count("SELECT count(*) FROM audit_entry WHERE object_id = $1", v.ID); n != 3 {
			f.t.Errorf("%d audit entries for take, attach and confirm", n)
		}
	})
}

func TestAHoldGoesToNobodyButItsPatient(t *testing.T) {
	each(t, func(f *fixture) {
		v := f.hold(f.slots(1)[0].ID)
		for _, patient := range []string{id.New(), ""} {
			tie := app.Tie{HoldID: v.ID, ReferralID: id.New(), PatientID: patient}
			if _, err := f.AttachHold(f.t.Context(), f.caller("service:referral"), tie, time.Time{}); errs.ReasonOf(err) != errs.ReasonHoldExpired {
				f.t.Errorf("attach: %v", err)
			}
			if _, err := f.ConfirmHold(f.t.Context(), f.caller("service:referral"), tie); errs.ReasonOf(err) != errs.ReasonHoldExpired {
				f.t.Errorf("confirm: %v", err)
			}
		}
		f.wantState(v.ID, domain.Held)
	})
}

// A list goes by the county's days: the fixture's clock stands at 09:30 in Shanghai.
func TestSlotsAreListedByLocalDays(t *testing.T) {
	each(t, func(f *fixture) {
		day := func(d, hour int) domain.Session {
			zone := time.FixedZone("CST", 8*3600)
			start := time.Date(2026, time.March, d, hour, 0, 0, 0, zone)
			return domain.Session{ID: id.New(), OrganizationID: f.org, DepartmentCode: "0304", Kind: "CLINIC",
				Start: start.UTC(), End: start.Add(time.Hour).UTC(), SlotMinutes: 60}
		}
		// Today before now, today, tomorrow at one in the morning, in 14 days.
		_, _, err := f.CreateSchedules(f.t.Context(), f.caller("manager"), []domain.Session{day(18, 8), day(18, 23), day(19, 1), day(32, 8)}, nil)
		if err != nil {
			f.t.Fatal(err)
		}
		for _, c := range []struct {
			from, to string
			want     int
		}{{"", "", 2}, {"2026-03-18", "2026-03-19", 1}, {"2026-03-19", "2026-03-20", 1}, {"2026-03-18", "2026-04-02", 3}, {"2026-04-01", "", 1}} {
			got, err := f.ListSlots(f.t.Context(), app.Asker{Caller: f.caller("desk")}, app.SlotQuery{County: county, OrganizationID: f.org, Limit: 10}, c.from, c.to, f.clk.Now())
			if err != nil || len(got) != c.want {
				f.t.Errorf("%s to %s: %d slots, want %d, %v", c.from, c.to, len(got), c.want, err)
			}
		}
		if _, err := f.ListSlots(f.t.Context(), app.Asker{Caller: f.caller("desk")}, app.SlotQuery{County: county}, "soon", "", f.clk.Now()); errs.KindOf(err) != errs.KindInvalid {
			f.t.Error(err)
		}
	})
}
