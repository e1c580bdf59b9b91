package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// lost is a submitted referral with a hold in a session that is cancelled, and no other place.
func (c *calendar) lost() (domain.Case, app.HoldView) {
	c.t.Helper()
	s, uses := c.single(1, 2, nil)
	ref := c.submitted(c.township(), "0304", "URGENT")
	c.tell("submitted", "SUBMITTED", ref, app.ReferralFact{})
	h := c.hold(uses[1].Slot.ID)
	c.attach(h.ID, ref.ReferralID)
	if _, moved := c.cancel(s); outcomes(moved)[app.OutcomeDisplaced] != 1 {
		c.t.Fatalf("%+v", moved)
	}
	c.allocate()
	return ref, h
}

func (c *calendar) entryOf(ref domain.Case) domain.EntryData {
	c.t.Helper()
	list, err := c.ListWaitlist(c.t.Context(), c.caller("desk"), app.EntryQuery{ReferralID: ref.ReferralID, Ended: true, Limit: 10})
	if err != nil || len(list) != 1 {
		c.t.Fatalf("%d entries, %v", len(list), err)
	}
	return list[0]
}

func TestAHoldWithoutAnAnswerThatLosesItsSessionStandsFirstOnTheList(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		ref, h := c.lost()
		e := c.entryOf(ref)
		if e.State != domain.Waiting || e.DisplacedBookingID != h.ID || e.Rank() != 0 {
			c.t.Fatalf("%+v", e)
		}
		_, later := c.single(5, 1, nil)
		c.allocate()
		if c.place(h.ID) != later[0].Slot.ID || c.displaced(h.ID) {
			c.t.Error("it did not get the next free place")
		}
		c.wantState(h.ID, domain.Attached)
		if e := c.entryOf(ref); e.State != domain.Placed {
			c.t.Errorf("the entry is %s", e.State)
		}
		c.oneEach()
	})
}

func TestAHoldThatEndsBeforeAnotherPlaceIsFoundLeavesItsReferralWaiting(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		ref, h := c.lost()
		c.clk.Advance(28 * time.Hour)
		c.sweep()
		c.wantState(h.ID, domain.Expired)
		c.allocate()
		if e := c.entryOf(ref); e.State != domain.Waiting || e.DisplacedBookingID != "" || e.Rank() != 2 {
			c.t.Fatalf("%+v", e)
		}
		c.single(6, 1, nil)
		c.allocate()
		if e := c.entryOf(ref); e.State != domain.Offered {
			c.t.Errorf("the entry is %s", e.State)
		}
	})
}

func TestAnOfferWhoseSessionIsCancelledIsMadeAgain(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		s, _ := c.single(3, 1, nil)
		ref := c.submitted(c.township(), "0304", "ROUTINE")
		c.join(ref, clinic())
		c.allocate()
		first := c.entryOf(ref)
		if first.State != domain.Offered {
			c.t.Fatalf("%+v", first)
		}
		c.cancel(s)
		c.wantState(first.HoldID, domain.Released)
		c.allocate()
		if e := c.entryOf(ref); e.State != domain.Waiting || e.DisplacedBookingID != "" {
			c.t.Errorf("%+v", e)
		}
		c.single(4, 1, nil)
		c.allocate()
		if e := c.entryOf(ref); e.State != domain.Offered || e.HoldID == first.HoldID {
			c.t.Errorf("%+v", e)
		}
	})
}

// Whom no township sends gets no place of the reserve, when a session is cancelled no more than by a search.
func TestACancellationGivesPlacesByTheRuleOfTheSearch(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		s, uses := c.single(1, 3, nil)
		c.exec("UPDATE slot SET pool = 'COMMON'")
		own := c.fixture.hold(uses[0].Slot.ID)
		c.attach(own.ID, id.New())
		sent, _ := c.book(uses[1].Slot.ID)
		_, reserved := c.single(3, 2, nil)
		c.exec("UPDATE slot SET pool = 'RESERVED' WHERE session_id = $1", reserved[0].Slot.Session.ID)
		c.cancel(s)
		if !c.displaced(own.ID) {
			c.t.Error("the house's own patient got a slot of the reserve")
		}
		if c.place(sent.ID) != reserved[0].Slot.ID {
			c.t.Error("the township's patient did not get it")
		}
		c.clk.Advance(reserved[1].Slot.Start.Add(-24 * time.Hour).Sub(c.clk.Now())) // it has fallen back
		c.exec("UPDATE hold SET keep_until_time = $1, start_time = $1 WHERE id = $2", c.clk.Now().Add(time.Hour), own.ID)
		c.exec("UPDATE occupancy SET until_time = $1 WHERE hold_id = $2", c.clk.Now().Add(time.Hour), own.ID)
		c.work()
		if c.displaced(own.ID) || c.place(own.ID) != reserved[1].Slot.ID {
			c.t.Error("the house's own patient did not get a slot that fell back")
		}
		c.oneEach()
	})
}

func TestWhoPlansTheCountySeesHowManyWereMovedAndNotWho(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		s, uses := c.single(1, 3, nil)
		_, referral := c.book(uses[0].Slot.ID)
		c.book(uses[1].Slot.ID)
		ref := c.submitted(c.township(), "0304", "URGENT")
		ref.ReferralID = referral
		c.tell("submitted", "SUBMITTED", ref, app.ReferralFact{})
		if _, seen := c.session(s.ID); seen[0].Number != ref.Number || seen[0].Hold.ReferralID != referral || seen[2].Number != "" {
			c.t.Errorf("the desk sees %+v", seen[0])
		}
		c.single(3, 1, nil)
		_, moved, err := c.CancelSession(c.t.Context(), c.admin(), app.Cancellation{SessionID: s.ID, Version: s.Version, ReasonCode: "LEAVE"})
		if err != nil || outcomes(moved)[app.OutcomeMoved] != 1 || outcomes(moved)[app.OutcomeDisplaced] != 1 {
			c.t.Fatalf("%+v, %v", moved, err)
		}
		for _, m := range moved {
			if m.ReferralID != "" || m.BookingID != "" || m.HoldID != "" || m.Number != "" || m.Outcome == app.OutcomeMoved && m.Slot.Start.IsZero() {
				c.t.Errorf("the administrator sees %+v", m)
			}
		}
		by := c.desk()
		by.RequestID = id.New()
		if _, uses, err := c.Session(c.t.Context(), c.admin(), s.ID, c.clk.Now()); err != nil || uses[0].Number != "" || uses[0].Hold.ReferralID != "" {
			c.t.Errorf("%+v, %v", uses, err)
		}
	})
}
