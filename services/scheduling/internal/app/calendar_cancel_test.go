package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func (c *calendar) cancel(s app.SessionView) (app.SessionView, []app.Rebooked) {
	c.t.Helper()
	v, moved, err := c.CancelSession(c.t.Context(), c.desk(), app.Cancellation{SessionID: s.ID, Version: s.Version, ReasonCode: "LEAVE"})
	if err != nil {
		c.t.Fatal(err)
	}
	return v, moved
}

func outcomes(moved []app.Rebooked) map[string]int {
	out := map[string]int{}
	for _, m := range moved {
		out[m.Outcome]++
	}
	return out
}

func TestWhoeverIsInACancelledSessionGetsTheBestFreeSlot(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		s, uses := c.single(1, 4, nil)
		early, earlyReferral := c.book(uses[0].Slot.ID)
		late, _ := c.book(uses[2].Slot.ID)
		attached := c.hold(uses[3].Slot.ID)
		c.attach(attached.ID, id.New())
		open := c.hold(uses[1].Slot.ID)
		// The same grade by another doctor tomorrow, the same doctor later; an expert, another kind and another department do not suit.
		_, other := c.single(2, 1, func(s *domain.Session) { s.PractitionerID = "q" })
		_, same := c.single(5, 1, nil)
		c.single(2, 1, func(s *domain.Session) { s.PractitionerID, s.Grade = "q", domain.Expert })
		c.single(2, 1, func(s *domain.Session) { s.Kind = domain.KindExpert })
		c.single(2, 1, func(s *domain.Session) { s.DepartmentCode = "03" })
		c.single(30, 5, nil) // further than two weeks
		v, moved := c.cancel(s)
		if !v.Cancelled || v.Version != 2 || v.ReasonCode != "LEAVE" || v.Free != 0 || v.Displaced != 1 || v.Rebooking {
			c.t.Errorf("%+v", v)
		}
		if got := outcomes(moved); got[app.OutcomeMoved] != 2 || got[app.OutcomeDisplaced] != 1 || got[app.OutcomeEnded] != 1 {
			c.t.Fatalf("%+v", moved)
		}
		if c.place(early.ID) != same[0].Slot.ID || c.place(late.ID) != other[0].Slot.ID {
			c.t.Error("the earliest appointment did not choose first, or not the same doctor")
		}
		c.wantState(early.ID, domain.Live)
		c.wantState(open.ID, domain.Released)
		c.wantState(attached.ID, domain.Attached)
		if !c.displaced(attached.ID) || c.displaced(early.ID) {
			c.t.Error("who has a place and who has none is mixed up")
		}
		c.wantFacts("booking_moved", 2)
		c.wantFacts("session_cancelled", 2)
		c.wantAudit("session.cancel", 1)
		c.wantAudit("hold.move", 2)
		c.wantAudit("hold.displace", 1)
		c.oneEach()
		// A fact that is about the booking still finds it.
		c.fact("cancelled", app.ReferralFact{ReferralID: earlyReferral, BookingID: early.BookingID})
		c.wantState(early.ID, domain.Released)
		// And its place is the displaced one's.
		c.work()
		if c.displaced(attached.ID) || c.place(attached.ID) != same[0].Slot.ID {
			c.t.Error("the freed slot was not given to the displaced")
		}
		c.wantFacts("booking_moved", 3)
		c.oneEach()
	})
}

func TestACancellationAnswersTheSameAgainAndCannotBeUndone(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		s, uses := c.single(1, 2, nil)
		c.book(uses[0].Slot.ID)
		c.single(2, 2, nil)
		by := c.desk()
		by.RequestID = id.New()
		in := app.Cancellation{SessionID: s.ID, Version: s.Version, ReasonCode: "TRAINING"}
		for range 2 {
			v, moved, err := c.CancelSession(c.t.Context(), by, in)
			if err != nil || !v.Cancelled || len(moved) != 1 || moved[0].Outcome != app.OutcomeMoved || moved[0].Slot.Start.IsZero() {
				c.t.Fatalf("%+v, %+v, %v", v, moved, err)
			}
		}
		c.wantFacts("booking_moved", 1)
		in.Version = 2
		_, _, err := c.CancelSession(c.t.Context(), c.desk(), in)
		c.wantReason(err, errs.ReasonActionNotAvailable, "cancelled again")
		in.ReasonCode = "RAIN"
		_, _, err = c.CancelSession(c.t.Context(), c.desk(), in)
		wantField(c.t, err, "reasonCode")
		past, _ := c.single(0, 1, nil)
		c.clk.Advance(2 * time.Hour)
		_, _, err = c.CancelSession(c.t.Context(), c.desk(), app.Cancellation{SessionID: past.ID, Version: 1, ReasonCode: "LEAVE"})
		c.wantReason(err, errs.ReasonActionNotAvailable, "one that is over")
		_, _, err = c.CancelSession(c.t.Context(), c.head("03"), app.Cancellation{SessionID: s.ID, Version: 1, ReasonCode: "LEAVE"})
		c.wantReason(err, errs.ReasonRole, "another department")
		_, _, err = c.CancelSession(c.t.Context(), c.desk(), app.Cancellation{SessionID: id.New(), Version: 1, ReasonCode: "LEAVE"})
		c.wantReason(err, errs.ReasonNotFound, "an unknown session")
	})
}

func TestACrowdedSessionIsRebookedInBatches(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		s, uses := c.single(1, 45, nil)
		for _, use := range uses {
			c.book(use.Slot.ID)
		}
		c.single(2, 30, nil)
		c.single(3, 10, nil)
		v, moved := c.cancel(s)
		if got := outcomes(moved); got[app.OutcomeMoved] != 40 || got[app.OutcomeDisplaced] != 5 || v.Rebooking {
			c.t.Errorf("%v, %+v", got, v)
		}
		c.wantFacts("booking_moved", 40)
		c.wantFacts("session_cancelled", 6)
		c.oneEach()
		// The day's earliest patients have the earliest slots.
		if n := c.count("SELECT count(*) FROM hold WHERE displaced_time IS NOT NULL"); n != 5 {
			c.t.Errorf("%d displaced", n)
		}
		c.single(4, 5, nil)
		if err := c.PlaceDisplaced(c.t.Context(), county, c.org, "0304"); err != nil {
			c.t.Fatal(err)
		}
		if n := c.count("SELECT count(*) FROM hold WHERE displaced_time IS NOT NULL"); n != 0 {
			c.t.Errorf("%d displaced though slots are free", n)
		}
		if _, after := c.cancelAgain(s.ID); outcomes(after)[app.OutcomeMoved] != 45 {
			c.t.Errorf("what became of them is not noted: %v", outcomes(after))
		}
		c.oneEach()
	})
}

// cancelAgain reads what became of a cancelled session.
func (c *calendar) cancelAgain(sessionID string) (app.SessionView, []app.Rebooked) {
	c.t.Helper()
	v, uses := c.session(sessionID)
	for _, use := range uses {
		if use.Hold.ID != "" {
			c.t.Errorf("slot %s of a cancelled session is taken", use.Slot.ID)
		}
	}
	var out []app.Rebooked
	for range c.count("SELECT count(*) FROM session_move WHERE outcome = 'MOVED'") {
		out = append(out, app.Rebooked{Outcome: app.OutcomeMoved})
	}
	return v, out
}

func TestACancellationThatWasInterruptedGoesOn(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		s, uses := c.single(1, 3, nil)
		held, _ := c.book(uses[0].Slot.ID)
		c.single(2, 3, nil)
		// As a process leaves it that ended after the first of its transactions.
		c.exec("UPDATE session SET state = 'CANCELLED', reason_code = 'LEAVE', rebooking = $1 WHERE id = $2", true, s.ID)
		c.exec("UPDATE slot SET closed_by = 'CANCELLED' WHERE session_id = $1", s.ID)
		c.work()
		if v, _ := c.session(s.ID); v.Rebooking || v.Taken != 0 || c.displaced(held.ID) {
			c.t.Errorf("%+v", v)
		}
		c.wantFacts("booking_moved", 1)
		c.oneEach()
	})
}

func TestADisplacedBookingGetsABlockedSlotThatIsGivenBack(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		s, uses := c.single(1, 1, func(s *domain.Session) { s.Start, s.End = s.Start.Add(4*time.Hour), s.End.Add(4*time.Hour) })
		hold, _ := c.book(uses[0].Slot.ID)
		_, later := c.single(2, 2, nil)
		by := c.desk()
		by.RequestID = id.New()
		// One of the two is of the reserve, which is not the hospital's to block yet.
		_, err := c.BlockSlots(c.t.Context(), c.desk(), app.Blocking{SlotIDs: []string{later[0].Slot.ID, later[1].Slot.ID}, ReasonCode: "BREAK"})
		c.wantReason(err, errs.ReasonActionNotAvailable, "of the reserve")
		c.clk.Advance(10 * time.Hour)
		_, err = c.BlockSlots(c.t.Context(), c.desk(), app.Blocking{SlotIDs: []string{later[0].Slot.ID, uses[0].Slot.ID}, ReasonCode: "BREAK"})
		if err == nil {
			c.t.Errorf("a taken slot was blocked: %v", err)
		}
		c.clk.Advance(14 * time.Hour)
		if n := c.count("SELECT count(*) FROM slot WHERE closed_by <> ''"); n != 0 {
			c.t.Errorf("%d slots are blocked of a refused list", n)
		}
		both := []string{later[0].Slot.ID, later[1].Slot.ID}
		c.clk.Advance(time.Hour) // less than a day before the later session, which the first is not over by
		for range 2 {
			if n, err := c.BlockSlots(c.t.Context(), by, app.Blocking{SlotIDs: both, ReasonCode: "BREAK"}); err != nil || n != 2 {
				c.t.Fatalf("%d, %v", n, err)
			}
		}
		c.cancel(s)
		if !c.displaced(hold.ID) {
			c.t.Fatal("it got a blocked slot")
		}
		if n, err := c.UnblockSlots(c.t.Context(), c.desk(), both); err != nil || n != 2 {
			c.t.Errorf("%d, %v", n, err)
		}
		if c.displaced(hold.ID) || c.place(hold.ID) != later[0].Slot.ID {
			c.t.Error("it did not get the slot that was given back")
		}
		if n, err := c.UnblockSlots(c.t.Context(), c.desk(), both); err != nil || n != 0 {
			c.t.Errorf("given back again: %d, %v", n, err)
		}
		_, err = c.BlockSlots(c.t.Context(), c.desk(), app.Blocking{SlotIDs: []string{uses[0].Slot.ID}, ReasonCode: "BREAK"})
		c.wantReason(err, errs.ReasonActionNotAvailable, "of a cancelled session")
		_, err = c.BlockSlots(c.t.Context(), c.desk(), app.Blocking{SlotIDs: []string{later[0].Slot.ID}, ReasonCode: "BREAK"})
		c.wantReason(err, errs.ReasonSlotTaken, "a taken one")
		_, err = c.UnblockSlots(c.t.Context(), c.head("03"), both)
		c.wantReason(err, errs.ReasonRole, "another department")
		_, err = c.UnblockSlots(c.t.Context(), c.desk(), []string{id.New()})
		c.wantReason(err, errs.ReasonNotFound, "an unknown slot")
		c.wantAudit("slot.block", 2)
		c.wantAudit("slot.unblock", 2)
		c.oneEach()
	})
}
