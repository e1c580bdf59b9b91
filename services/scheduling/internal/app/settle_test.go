package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Invariant 3.
func TestNothingTiedToAReferralIsFreedWhileReferralIsAway(t *testing.T) {
	each(t, func(f *fixture) {
		r := id.New()
		v := f.attached(r)
		f.confirm(v.ID, r)
		f.clk.Advance(24 * time.Hour)
		f.referral.away = true
		if err := f.Sweep(f.t.Context()); errs.KindOf(err) != errs.KindUnavailable {
			f.t.Errorf("the sweep hides that referral is away: %v", err)
		}
		f.wantState(v.ID, domain.Unsettled)
		f.referral.away = false
		f.sweep()
		f.wantState(v.ID, domain.Released)
		f.wantFacts("booking_released", 1)
	})
}

// Invariant 3.
func TestTheVerdictDecidesAboutAnUnsettledBooking(t *testing.T) {
	for name, c := range map[string]struct {
		verdict app.Verdict
		want    domain.State
	}{
		"named":      {app.Verdict{Keep: true, Settled: true}, domain.Live},
		"still open": {app.Verdict{Keep: true}, domain.Unsettled},
		"abandoned":  {app.Verdict{}, domain.Released},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(f *fixture) {
				r := id.New()
				v := f.hold(f.slots(1)[0].ID)
				f.confirm(v.ID, r)
				f.referral.verdict = c.verdict
				f.sweep()
				if len(f.referral.asked) != 0 {
					f.t.Error("asked before a minute had passed")
				}
				f.clk.Advance(domain.SettleAfter)
				f.sweep()
				f.wantState(v.ID, c.want)
				f.sweep()
				if len(f.referral.asked) != 1 {
					f.t.Errorf("asked %d times", len(f.referral.asked))
				}
			})
		})
	}
}

func TestAnAttachedHoldIsAskedAboutAndKeptOrFreed(t *testing.T) {
	each(t, func(f *fixture) {
		v := f.attached(id.New())
		f.referral.verdict = app.Verdict{Keep: true}
		f.clk.Advance(domain.SettleAfter)
		f.sweep()
		f.sweep()
		if len(f.referral.asked) != 1 {
			f.t.Errorf("asked %d times within a moment", len(f.referral.asked))
		}
		f.wantState(v.ID, domain.Attached)
		f.clk.Advance(10 * time.Minute)
		f.referral.verdict = app.Verdict{}
		f.sweep()
		f.wantState(v.ID, domain.Released)
	})
}

func TestAHoldThatCannotBeDealtWithDoesNotStopTheOthers(t *testing.T) {
	each(t, func(f *fixture) {
		slots := f.slots(2)
		broken, good := f.hold(slots[0].ID), f.hold(slots[1].ID)
		f.attach(broken.ID, id.New())
		f.attach(good.ID, id.New())
		err := f.db.Update(f.t.Context(), func(tx *sqldb.Tx) error {
			if _, err := tx.Exec(f.t.Context(), "DELETE FROM occupancy WHERE hold_id = $1", broken.ID); err != nil {
				return err
			}
			_, err := tx.Exec(f.t.Context(), "UPDATE hold SET state = 'UNSETTLED', check_time = create_time WHERE id = $1", broken.ID)
			return err
		})
		if err != nil {
			f.t.Fatal(err)
		}
		f.clk.Advance(domain.SettleAfter)
		f.referral.verdicts = map[string]app.Verdict{broken.ID: {Keep: true}}
		if err := f.Sweep(f.t.Context()); err == nil {
			f.t.Error("the sweep hides a hold without its place")
		}
		f.wantState(good.ID, domain.Released)
	})
}

// Invariant 2: the slot begins an hour after it was made.
func TestAnAttachedHoldEndsWhenItsSlotBegins(t *testing.T) {
	each(t, func(f *fixture) {
		v := f.attached(id.New())
		f.referral.away = true
		f.clk.Advance(time.Hour)
		f.sweep()
		f.wantState(v.ID, domain.Expired)
		f.wantFacts("booking_released", 1)
	})
}

// Invariant 3: the referral confirmed again while the question was under way.
func TestAVerdictAboutThePastFreesNothing(t *testing.T) {
	each(t, func(f *fixture) {
		r := id.New()
		v := f.hold(f.slots(1)[0].ID)
		f.confirm(v.ID, r)
		f.clk.Advance(domain.SettleAfter)
		f.referral.before = func() { f.confirm(v.ID, r) }
		f.sweep()
		f.wantState(v.ID, domain.Unsettled)
	})
}

// Invariants 3 and 4.
func TestAcceptedSettlesItsBookingAndFreesTheOtherHold(t *testing.T) {
	each(t, func(f *fixture) {
		r := id.New()
		attached, chosen := f.attached(r), f.hold(f.slotsLater())
		booking := f.confirm(chosen.ID, r).BookingID
		fact := app.ReferralFact{FactID: id.New(), ReferralID: r, HoldID: chosen.ID, BookingID: booking}
		f.fact("accepted", fact)
		f.fact("accepted", fact)
		f.wantState(chosen.ID, domain.Live)
		f.wantState(attached.ID, domain.Released)
		f.wantFacts("booking_released", 1)
		f.clk.Advance(24 * time.Hour)
		f.sweep()
		f.wantState(chosen.ID, domain.Live)
	})
}

// slotsLater is the id of a slot of another session than slots makes.
func (f *fixture) slotsLater() string {
	f.t.Helper()
	start := f.clk.Now().Add(5 * time.Hour)
	s := domain.Session{ID: id.New(), OrganizationID: f.org, DepartmentCode: "0399", Kind: "EXPERT", Start: start, End: start.Add(time.Hour), SlotMinutes: 60}
	if _, _, err := f.CreateSchedules(f.t.Context(), f.caller("manager"), []domain.Session{s}, nil); err != nil {
		f.t.Fatal(err)
	}
	slots, err := f.ListSlots(f.t.Context(), app.Asker{Caller: f.caller("desk")}, app.SlotQuery{County: county, OrganizationID: f.org, Department: "0399", Limit: 9}, "", "", f.clk.Now())
	if err != nil || len(slots) != 1 {
		f.t.Fatalf("%d slots, %v", len(slots), err)
	}
	return slots[0].ID
}

// Invariant 4.
func TestAnAnswerFreesTheHoldItNames(t *testing.T) {
	for _, event := range []string{"declined", "edited", "cancelled", "redirected", "arrived"} {
		t.Run(event, func(t *testing.T) {
			each(t, func(f *fixture) {
				r := id.New()
				v := f.attached(r)
				f.fact(event, app.ReferralFact{ReferralID: id.New(), HoldID: v.ID})
				f.fact(event, app.ReferralFact{ReferralID: r, HoldID: id.New()})
				f.fact(event, app.ReferralFact{ReferralID: r})
				f.wantState(v.ID, domain.Attached)
				f.fact(event, app.ReferralFact{ReferralID: r, HoldID: v.ID})
				f.wantState(v.ID, domain.Released)
			})
		})
	}
}

// Invariant 4.
func TestNoShowAndCancelledFreeTheBookingTheyName(t *testing.T) {
	for _, event := range []string{"no_show", "cancelled"} {
		t.Run(event, func(t *testing.T) {
			each(t, func(f *fixture) {
				r := id.New()
				v := f.attached(r)
				booking := f.confirm(v.ID, r).BookingID
				f.fact("accepted", app.ReferralFact{ReferralID: r, BookingID: booking})
				f.fact(event, app.ReferralFact{ReferralID: r, BookingID: id.New()})
				f.fact(event, app.ReferralFact{ReferralID: id.New(), BookingID: booking})
				f.fact("arrived", app.ReferralFact{ReferralID: r, BookingID: booking})
				f.wantState(v.ID, domain.Live)
				f.fact(event, app.ReferralFact{ReferralID: r, BookingID: booking})
				f.wantState(v.ID, domain.Released)
				// The fact that named it comes late: what is free stays free, and nobody is alarmed.
				f.fact("accepted", app.ReferralFact{ReferralID: r, BookingID: booking})
				f.wantState(v.ID, domain.Released)
				if logs := f.logs.String(); strings.Count(logs, "not live") != 1 || strings.Contains(logs, "level=WARN") {
					f.t.Errorf("logged %q", logs)
				}
				f.fact("accepted", app.ReferralFact{ReferralID: r, BookingID: id.New()})
				if logs := f.logs.String(); strings.Count(logs, "level=WARN") != 1 {
					f.t.Errorf("a booking that never was: logged %q", logs)
				}
			})
		})
	}
}

// Invariant 2: a bed is taken for two days; the referral waits three for what was missing.
func TestAHoldLastsForTheNewLimitOfAReferralThatWasReturned(t *testing.T) {
	for _, event := range []string{"returned", "resubmitted"} {
		t.Run(event, func(t *testing.T) {
			each(t, func(f *fixture) {
				r := id.New()
				bed := f.bed()
				f.attach(bed.ID, r)
				due := f.clk.Now().AddDate(0, 0, 3)
				f.fact(event, app.ReferralFact{ReferralID: r, DueTime: due})
				f.fact(event, app.ReferralFact{ReferralID: r, DueTime: f.clk.Now()}) // an older one, late
				f.referral.verdict = app.Verdict{Keep: true}
				f.clk.Advance(due.Add(domain.KeepAfterDue - time.Second).Sub(f.clk.Now()))
				f.sweep()
				f.wantState(bed.ID, domain.Attached)
				f.clk.Advance(time.Second)
				f.sweep()
				f.wantState(bed.ID, domain.Expired)
			})
		})
	}
}

// Invariant 4: given up by an edit or a redirection, then accepted with the same hold; the first fact comes last.
func TestALateReleaseOfAHoldDoesNotTouchTheBookingItBecame(t *testing.T) {
	each(t, func(f *fixture) {
		r := id.New()
		v := f.attached(r)
		f.confirm(v.ID, r)
		f.fact("edited", app.ReferralFact{ReferralID: r, HoldID: v.ID})
		f.fact("redirected", app.ReferralFact{ReferralID: r, HoldID: v.ID})
		f.wantState(v.ID, domain.Unsettled)
	})
}

func TestConcludedFreesABedAndLeavesASlot(t *testing.T) {
	each(t, func(f *fixture) {
		r := id.New()
		slot := f.hold(f.slots(1)[0].ID)
		bed := f.bed()
		for _, v := range []app.HoldView{slot, bed} {
			f.fact("concluded", app.ReferralFact{ReferralID: r, BookingID: f.confirm(v.ID, r).BookingID})
		}
		f.wantState(slot.ID, domain.Unsettled)
		f.wantState(bed.ID, domain.Released)
	})
}

// A patient who was kept one bed, or had a slot, and lies in another: the fact names both.
func TestAnAdmissionSettlesItsBedAndFreesThePlaceBeforeIt(t *testing.T) {
	each(t, func(f *fixture) {
		r := id.New()
		slot, kept := f.confirm(f.hold(f.slots(1)[0].ID).ID, r), f.confirm(f.bed().ID, r)
		taken := f.confirm(f.bed().ID, r)
		for _, v := range []app.HoldView{slot, kept} {
			f.fact("accepted", app.ReferralFact{ReferralID: r, BookingID: v.BookingID})
		}
		f.fact("admitted", app.ReferralFact{ReferralID: r})
		f.fact("admitted", app.ReferralFact{ReferralID: id.New(), FormerBookingID: kept.BookingID})
		f.wantState(kept.ID, domain.Live)
		f.fact("admitted", app.ReferralFact{ReferralID: r, BookingID: kept.BookingID, FormerBookingID: slot.BookingID})
		f.wantState(slot.ID, domain.Released)
		f.fact("admitted", app.ReferralFact{ReferralID: r, BookingID: taken.BookingID, FormerBookingID: kept.BookingID})
		f.wantState(kept.ID, domain.Released)
		f.wantState(taken.ID, domain.Live)
		f.fact("concluded", app.ReferralFact{ReferralID: r, BookingID: taken.BookingID})
		f.wantState(taken.ID, domain.Released)
	})
}

// bed is a hold of the one bed of a new ward.
func (f *fixture) bed() app.HoldView {
	f.t.Helper()
	w := domain.Ward{ID: id.New(), OrganizationID: f.org, DepartmentCode: "0304", Name: "心内一病区", Beds: 1}
	if _, _, err := f.CreateSchedules(f.t.Context(), f.caller("manager"), nil, []domain.Ward{w}); err != nil {
		f.t.Fatal(err)
	}
	bed, err := f.CreateHold(f.t.Context(), f.caller("desk"), app.HoldRequest{PatientID: f.patient, BedOrganizationID: f.org, BedDepartment: "0304"})
	if err != nil {
		f.t.Fatal(err)
	}
	return bed
}
