package app_test

import (
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func clinic() domain.Wish { return domain.Wish{Kind: domain.KindClinic} }

func TestAFreePlaceIsOfferedByUrgencyThenByTimeOfJoining(t *testing.T) {
	each(t, func(f *fixture) {
		sender := id.New()
		var entries []domain.EntryData
		for _, urgency := range []string{"ROUTINE", "URGENT", "ROUTINE", "EMERGENCY"} {
			entries = append(entries, f.join(f.submitted(sender, "0304", urgency), clinic()))
			f.clk.Advance(time.Second)
		}
		f.allocate()
		for i, position := range []int{3, 2, 4, 1} {
			if e := f.wantEntry(entries[i].ID, domain.Waiting); e.Position != position {
				f.t.Errorf("entry %d is at %d, want %d", i, e.Position, position)
			}
		}
		slots := f.session("0304", "CLINIC", 2, 8, 3)
		f.allocate()
		for i, slot := range []int{2, 1, -1, 0} {
			if slot < 0 {
				f.wantEntry(entries[i].ID, domain.Waiting)
				continue
			}
			e := f.wantEntry(entries[i].ID, domain.Offered)
			v, err := f.GetHold(f.t.Context(), f.township(sender), e.HoldID)
			if err != nil || v.Place.SlotID != slots[slot].ID || v.State != domain.Attached || v.ReferralID != e.ReferralID || v.PatientID != f.patient ||
				!v.KeepUntil.Equal(e.OfferUntil) || !e.OfferStart.Equal(slots[slot].Start) {
				f.t.Errorf("entry %d has %+v, %v", i, v, err)
			}
		}
		f.wantFacts("waitlist_offered", 3)
		f.wantFacts("hold_attached", 3)
		// The referral does not know of an offer and is not asked about it.
		f.clk.Advance(time.Hour)
		f.sweep()
		if len(f.referral.asked) != 0 {
			f.t.Errorf("the referral service was asked about %v", f.referral.asked)
		}
	})
}

func TestAnOfferIsMadeOnceByAllInstancesTogether(t *testing.T) {
	each(t, func(f *fixture) {
		for range 10 {
			f.join(f.submitted(id.New(), "0304", "ROUTINE"), clinic())
		}
		f.session("0304", "CLINIC", 2, 8, 6)
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				if err := f.Allocate(f.t.Context(), f.clk.Now(), true); err != nil {
					f.t.Error(err)
				}
			})
		}
		all.Wait()
		f.allocate()
		f.wantFacts("waitlist_offered", 6)
		if n := f.count("SELECT count(DISTINCT slot_id) FROM hold WHERE state = 'ATTACHED'"); n != 6 {
			f.t.Errorf("%d slots are offered", n)
		}
		if n := f.count("SELECT count(*) FROM waitlist_entry WHERE state = 'OFFERED'"); n != 6 {
			f.t.Errorf("%d entries have an offer", n)
		}
	})
}

func TestAnAcceptedReferralIsPlacedAndEveryOtherEndFreesTheOffer(t *testing.T) {
	each(t, func(f *fixture) {
		sender := id.New()
		for event, state := range map[string]string{"declined": "DECLINED", "cancelled": "CANCELLED", "redirected": "SUBMITTED", "arrived": "ARRIVED"} {
			slot := f.session("0304", "CLINIC", 2, 8, 1)[0]
			c := f.submitted(sender, "0304", "ROUTINE")
			e := f.join(c, clinic())
			f.allocate()
			e = f.wantEntry(e.ID, domain.Offered)
			if event == "redirected" {
				c.ReceiverDepartment = "0501"
			}
			factID := id.New()
			for range 2 {
				f.tell(event, state, c, app.ReferralFact{FactID: factID})
			}
			f.wantEntry(e.ID, domain.Ended)
			f.wantState(e.HoldID, domain.Released)
			if err := f.take(f.caller("desk"), slot.ID, ""); err != nil {
				f.t.Errorf("%s: the place is not free: %v", event, err)
			}
		}
		f.session("0304", "CLINIC", 3, 8, 1)
		c := f.submitted(sender, "0304", "ROUTINE")
		e := f.join(c, clinic())
		f.allocate()
		e = f.wantEntry(e.ID, domain.Offered)
		v := f.confirm(e.HoldID, c.ReferralID)
		f.tell("accepted", "ACCEPTED", c, app.ReferralFact{BookingID: v.BookingID})
		f.wantEntry(e.ID, domain.Placed)
		f.wantState(e.HoldID, domain.Live)
	})
}

func TestAnAcceptWithAnotherPlaceFreesTheOffer(t *testing.T) {
	each(t, func(f *fixture) {
		slots := f.session("0304", "CLINIC", 2, 8, 2)
		c := f.submitted(id.New(), "0304", "ROUTINE")
		e := f.join(c, clinic())
		f.allocate()
		e = f.wantEntry(e.ID, domain.Offered)
		v := f.hold(slots[1].ID)
		v = f.confirm(v.ID, c.ReferralID)
		f.tell("accepted", "ACCEPTED", c, app.ReferralFact{BookingID: v.BookingID})
		f.wantEntry(e.ID, domain.Placed)
		f.wantState(e.HoldID, domain.Released)
	})
}

func TestAnOfferThatNobodyTakesUpGoesToTheNext(t *testing.T) {
	each(t, func(f *fixture) {
		f.session("0304", "CLINIC", 9, 8, 1)
		first := f.join(f.submitted(id.New(), "0304", "ROUTINE"), clinic())
		f.clk.Advance(time.Second)
		second := f.join(f.submitted(id.New(), "0304", "ROUTINE"), clinic())
		f.allocate()
		offered := f.wantEntry(first.ID, domain.Offered)
		if until := f.clk.Now().Add(48 * time.Hour); offered.OfferUntil.After(until) || offered.OfferUntil.Before(until.Add(-time.Minute)) {
			f.t.Errorf("kept until %s: a day after the answer is due, which is in a day", offered.OfferUntil)
		}
		f.wantEntry(second.ID, domain.Waiting)
		f.clk.Advance(offered.OfferUntil.Sub(f.clk.Now()))
		f.sweep()
		f.allocate()
		f.wantEntry(first.ID, domain.Ended)
		f.wantEntry(second.ID, domain.Offered)
		f.wantFacts("waitlist_ended", 1)
		f.wantFacts("waitlist_offered", 2)
	})
}

func TestAPlaceThatOpensByTimeAloneIsOffered(t *testing.T) {
	each(t, func(f *fixture) {
		f.session("0304", "CLINIC", 15, 8, 1)
		e := f.join(f.submitted(id.New(), "0304", "ROUTINE"), clinic())
		f.allocate()
		f.wantEntry(e.ID, domain.Waiting)
		f.clk.Advance(24 * time.Hour)
		f.allocate()
		f.wantEntry(e.ID, domain.Offered)
	})
}

func TestAnEntryEndsAfterItsLastDay(t *testing.T) {
	each(t, func(f *fixture) {
		e := f.join(f.submitted(id.New(), "0304", "ROUTINE"), domain.Wish{Kind: domain.KindClinic, LastDay: "2026-03-19"})
		// A place after the last day is none.
		f.session("0304", "CLINIC", 2, 8, 1)
		f.clk.Advance(38 * time.Hour) // 23:30 on the last day
		f.allocate()
		f.wantEntry(e.ID, domain.Waiting)
		f.clk.Advance(time.Hour)
		f.allocate()
		f.wantEntry(e.ID, domain.Ended)
		f.allocate()
		f.wantFacts("waitlist_ended", 1)
	})
}

func TestAWishIsHeldAgainstThePlace(t *testing.T) {
	each(t, func(f *fixture) {
		f.exec(`INSERT INTO equipment (county_code, id, version, organization_id, department_code, modality, name, location, preparation, preparation_english,
			in_service, update_time) VALUES ($1, 'mri', 1, $2, '32', 'MRI', 'MRI', '', '', '', true, $3)`, county, f.org, f.clk.Now())
		f.session("32", "EXAM", 1, 8, 1)
		mri := f.session("32", "EXAM", 2, 8, 1)
		f.exec("UPDATE session SET equipment_id = 'mri' WHERE id = $1", mri[0].Session.ID)
		exam := f.join(f.submitted(id.New(), "32", "ROUTINE"), domain.Wish{Kind: domain.KindExam, Modality: "MRI"})
		f.ward("0304", 1)
		bed := f.join(f.submitted(id.New(), "0304", "ROUTINE"), domain.Wish{Kind: domain.KindBed, Sex: "MALE"})
		expert := f.join(f.submitted(id.New(), "32", "ROUTINE"), domain.Wish{Kind: domain.KindExpert})
		f.allocate()
		if v, err := f.GetHold(f.t.Context(), f.caller("desk"), f.wantEntry(exam.ID, domain.Offered).HoldID); err != nil || v.Place.SlotID != mri[0].ID {
			f.t.Errorf("an MRI: %+v, %v", v, err)
		}
		if v, err := f.GetHold(f.t.Context(), f.caller("desk"), f.wantEntry(bed.ID, domain.Offered).HoldID); err != nil || v.Place.BedID == "" {
			f.t.Errorf("a bed: %+v, %v", v, err)
		}
		f.wantEntry(expert.ID, domain.Waiting)
	})
}

func TestWhoMayJoinAndWhen(t *testing.T) {
	each(t, func(f *fixture) {
		sender := id.New()
		c := f.submitted(sender, "0304", "ROUTINE")
		join := func(who app.Caller, c domain.Case, w domain.Wish) (domain.EntryData, error) {
			return f.JoinWaitlist(f.t.Context(), who, app.Join{ReferralID: c.ReferralID, Wish: w}, f.clk.Now())
		}
		if _, err := join(f.township(id.New()), c, clinic()); errs.KindOf(err) != errs.KindNotFound {
			f.t.Errorf("a stranger: %v", err)
		}
		first, err := join(f.township(sender), c, clinic())
		if err != nil || first.Wish.FirstDay != "2026-03-18" || first.Wish.LastDay != "2026-04-17" || first.Position != 1 {
			f.t.Fatalf("%+v, %v", first, err)
		}
		again, err := join(f.caller("desk"), c, domain.Wish{Kind: domain.KindExpert})
		if err != nil || again.ID != first.ID || again.Wish.Kind != domain.KindExpert {
			f.t.Errorf("the receiver changes the wish: %+v, %v", again, err)
		}
		draft := f.submitted(sender, "0304", "ROUTINE")
		draft.State = "RETURNED"
		f.referral.cases[draft.ReferralID] = draft
		if _, err := join(f.township(sender), draft, clinic()); errs.ReasonOf(err) != errs.ReasonActionNotAvailable {
			f.t.Errorf("a returned referral: %v", err)
		}
		// What is known may be behind: then the referral service is asked again.
		draft.State, draft.Version = "SUBMITTED", 3
		f.referral.cases[draft.ReferralID] = draft
		if _, err := join(f.township(sender), draft, clinic()); err != nil {
			f.t.Errorf("submitted since: %v", err)
		}
		placed := f.submitted(sender, "0304", "ROUTINE")
		f.attach(f.hold(f.session("0304", "CLINIC", 1, 8, 1)[0].ID).ID, placed.ReferralID)
		if _, err := join(f.township(sender), placed, clinic()); errs.ReasonOf(err) != errs.ReasonActionNotAvailable {
			f.t.Errorf("one with a place: %v", err)
		}
		for name, w := range map[string]domain.Wish{
			"kind": {Kind: "PARTY"}, "none": {}, "order": {Kind: "CLINIC", FirstDay: "2026-03-20", LastDay: "2026-03-19"}, "day": {Kind: "CLINIC", LastDay: "soon"},
			"a clinic's sex": {Kind: "CLINIC", Sex: "MALE"}, "a bed's modality": {Kind: "BED", Modality: "CT"}, "class": {Kind: "BED", Class: "FIRST"},
		} {
			if _, err := join(f.township(sender), f.submitted(sender, "0304", "ROUTINE"), w); errs.KindOf(err) != errs.KindInvalid {
				f.t.Errorf("%s: %v", name, err)
			}
		}
		f.referral.away = true
		if _, err := join(f.township(sender), f.submitted(sender, "0304", "ROUTINE"), clinic()); errs.KindOf(err) != errs.KindUnavailable {
			f.t.Errorf("the referral service is away: %v", err)
		}
		if _, err := join(f.township(sender), draft, domain.Wish{Kind: domain.KindExpert}); err != nil {
			f.t.Errorf("the referral service is away, and the referral is known: %v", err)
		}
	})
}

func TestAReferralIsOnTheListOnceHoweverManyPutItThere(t *testing.T) {
	each(t, func(f *fixture) {
		c := f.submitted(id.New(), "0304", "ROUTINE")
		ids := make([]string, 8)
		var all sync.WaitGroup
		for i := range ids {
			all.Go(func() {
				e, err := f.JoinWaitlist(f.t.Context(), f.township(c.SenderOrganizationID), app.Join{ReferralID: c.ReferralID, Wish: clinic()}, f.clk.Now())
				if err != nil {
					f.t.Error(err)
				}
				ids[i] = e.ID
			})
		}
		all.Wait()
		for _, other := range ids {
			if other != ids[0] {
				f.t.Errorf("entries %s and %s", ids[0], other)
			}
		}
	})
}

func TestWhoLeavesTheListGivesTheOfferBack(t *testing.T) {
	each(t, func(f *fixture) {
		sender := id.New()
		f.session("0304", "CLINIC", 2, 8, 1)
		e := f.join(f.submitted(sender, "0304", "ROUTINE"), clinic())
		f.allocate()
		e = f.wantEntry(e.ID, domain.Offered)
		if _, err := f.LeaveWaitlist(f.t.Context(), f.township(id.New()), e.ID, ""); errs.KindOf(err) != errs.KindNotFound {
			f.t.Errorf("a stranger: %v", err)
		}
		request := id.New()
		for range 2 {
			if got, err := f.LeaveWaitlist(f.t.Context(), f.township(sender), e.ID, request); err != nil || got.State != domain.Left {
				f.t.Errorf("%s, %v", got.State, err)
			}
		}
		f.wantState(e.HoldID, domain.Released)
		if got, err := f.LeaveWaitlist(f.t.Context(), f.caller("desk"), e.ID, id.New()); err != nil || got.State != domain.Left {
			f.t.Errorf("one that has ended: %s, %v", got.State, err)
		}
	})
}

func TestTheReceiverSeesWhoWaitsForItAndTheSenderItsOwn(t *testing.T) {
	each(t, func(f *fixture) {
		one, two := id.New(), id.New()
		for range 3 {
			f.join(f.submitted(one, "0304", "ROUTINE"), clinic())
			f.join(f.submitted(two, "0501", "URGENT"), clinic())
			f.clk.Advance(time.Second)
		}
		for who, want := range map[app.Caller]int{f.caller("desk"): 6, f.township(one): 3, f.township(two): 3, f.township(id.New()): 0, {County: county}: 0} {
			seen := 0
			q := app.EntryQuery{Limit: 2}
			for {
				page, err := f.ListWaitlist(f.t.Context(), who, q)
				if err != nil {
					f.t.Fatal(err)
				}
				seen += len(page)
				if len(page) < q.Limit {
					break
				}
				last := page[len(page)-1]
				q.After = app.EntryKey{Rank: last.Rank(), CreateTime: last.CreateTime, ID: last.ID}
			}
			if seen != want {
				f.t.Errorf("%+v sees %d, want %d", who, seen, want)
			}
		}
	})
}

func TestABookingOfACancelledSessionStandsBeforeAllOthersUntilItHasAPlace(t *testing.T) {
	each(t, func(f *fixture) {
		slots, new := f.session("0304", "CLINIC", 2, 8, 1), f.session("0304", "CLINIC", 20, 8, 1)
		c := f.submitted(id.New(), "0304", "ROUTINE")
		v := f.confirm(f.hold(slots[0].ID).ID, c.ReferralID)
		f.tell("accepted", "ACCEPTED", c, app.ReferralFact{BookingID: v.BookingID})
		emergency := f.join(f.submitted(id.New(), "0304", "EMERGENCY"), clinic())
		f.exec("UPDATE session SET state = 'CANCELLED' WHERE id = $1", slots[0].Session.ID)
		f.exec("UPDATE hold SET displaced_time = $1 WHERE id = $2", f.clk.Now(), v.ID)
		f.allocate()
		entries, err := f.ListWaitlist(f.t.Context(), f.caller("desk"), app.EntryQuery{Limit: 10})
		if err != nil || len(entries) != 2 || entries[0].DisplacedBookingID != v.BookingID || entries[0].Position != 1 || entries[1].ID != emergency.ID || entries[1].Position != 2 {
			f.t.Fatalf("%+v, %v", entries, err)
		}
		if got, err := f.GetBooking(f.t.Context(), f.caller("desk"), v.BookingID); err != nil || got.Displaced.IsZero() {
			f.t.Errorf("the booking is not displaced: %v", err)
		}
		if _, err := f.LeaveWaitlist(f.t.Context(), f.caller("desk"), entries[0].ID, ""); errs.ReasonOf(err) != errs.ReasonActionNotAvailable {
			f.t.Errorf("a displaced booking leaves: %v", err)
		}
		f.exec("UPDATE hold SET slot_id = $1, displaced_time = NULL WHERE id = $2", new[0].ID, v.ID)
		f.allocate()
		f.wantEntry(entries[0].ID, domain.Placed)
		f.wantFacts("waitlist_ended", 0)
	})
}

// What came late tells nothing new.
func TestAnOldFactNeverReplacesANewer(t *testing.T) {
	each(t, func(f *fixture) {
		c := f.submitted(id.New(), "0304", "ROUTINE")
		e := f.join(c, clinic())
		newer := f.tell("returned", "RETURNED", c, app.ReferralFact{})
		f.wantEntry(e.ID, domain.Waiting)
		older := c
		older.Version = newer.Version - 2
		f.tell("declined", "DECLINED", older, app.ReferralFact{})
		f.wantEntry(e.ID, domain.Waiting)
		if n := f.count("SELECT count(*) FROM referral_case WHERE referral_id = $1 AND state = 'RETURNED'", c.ReferralID); n != 1 {
			f.t.Error("the older fact replaced the newer")
		}
	})
}
