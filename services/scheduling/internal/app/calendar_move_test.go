package app_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func TestABookingMovesForBothSidesAndKeepsItsID(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		_, uses := c.single(1, 4, nil)
		booking, referral := c.book(uses[0].Slot.ID)
		sender := app.Planning{Caller: app.Caller{County: county, AccountID: "doctor", OrganizationID: c.township()}, RequestID: id.New()}
		in := app.Relocation{ID: booking.BookingID, SlotID: uses[2].Slot.ID, FromSlotID: uses[0].Slot.ID}
		for range 2 {
			v, err := c.MoveBooking(c.t.Context(), sender, in)
			if err != nil || v.BookingID != booking.BookingID || v.Place.SlotID != in.SlotID || v.State != domain.Live || v.Version != booking.Version+2 {
				c.t.Fatalf("%+v, %v", v, err)
			}
		}
		c.wantFacts("booking_moved", 1)
		c.wantAudit("hold.move", 1)
		_, err := c.MoveBooking(c.t.Context(), c.desk(), in)
		c.wantReason(err, errs.ReasonStaleVersion, "from where it is no more")
		in.FromSlotID = ""
		if _, err = c.MoveBooking(c.t.Context(), c.desk(), in); err != nil {
			c.t.Errorf("to where it is: %v", err)
		}
		c.wantFacts("booking_moved", 1)
		for _, stranger := range []app.Planning{c.admin(), {Caller: app.Caller{County: county, AccountID: "x", OrganizationID: id.New()}}} {
			_, err = c.MoveBooking(c.t.Context(), stranger, in)
			c.wantReason(err, errs.ReasonNotFound, "a stranger")
		}
		other, _ := c.book(uses[0].Slot.ID) // the old slot is free
		in.SlotID = uses[0].Slot.ID
		_, err = c.MoveBooking(c.t.Context(), c.desk(), in)
		c.wantReason(err, errs.ReasonSlotTaken, "another's slot")
		c.fact("cancelled", app.ReferralFact{ReferralID: referral, BookingID: booking.BookingID})
		_, err = c.MoveBooking(c.t.Context(), c.desk(), app.Relocation{ID: booking.BookingID, SlotID: uses[1].Slot.ID})
		c.wantReason(err, errs.ReasonHoldExpired, "a freed one")
		_, err = c.MoveBooking(c.t.Context(), c.desk(), app.Relocation{ID: booking.BookingID, SlotID: uses[2].Slot.ID})
		c.wantReason(err, errs.ReasonHoldExpired, "a freed one, to where it was")
		if _, err = c.MoveBooking(c.t.Context(), c.desk(), app.Relocation{ID: other.BookingID, SlotID: in.ID}); err == nil {
			c.t.Error("moved to a slot that is none")
		}
		c.oneEach()
	})
}

func TestABookingMovesOnlyToWhatIsLikeIt(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		_, uses := c.single(1, 2, nil)
		booking, _ := c.book(uses[0].Slot.ID)
		_, department := c.single(2, 1, func(s *domain.Session) { s.DepartmentCode = "03" })
		_, kind := c.single(2, 1, func(s *domain.Session) { s.Kind = domain.KindExpert })
		_, far := c.single(40, 1, nil)
		_, begun := c.single(0, 1, nil)
		c.clk.Advance(45 * time.Minute)
		move := func(slot string) error {
			_, err := c.MoveBooking(c.t.Context(), c.desk(), app.Relocation{ID: booking.BookingID, SlotID: slot})
			return err
		}
		wantField(c.t, move(department[0].Slot.ID), "slotId")
		wantField(c.t, move(kind[0].Slot.ID), "slotId")
		wantField(c.t, move("x"), "slotId")
		c.wantReason(move(far[0].Slot.ID), errs.ReasonActionNotAvailable, "one that does not open yet")
		c.wantReason(move(begun[0].Slot.ID), errs.ReasonActionNotAvailable, "one that has begun")
		c.wantReason(move(id.New()), errs.ReasonNotFound, "an unknown one")
		held := c.hold(uses[1].Slot.ID)
		_, err := c.MoveBooking(c.t.Context(), c.desk(), app.Relocation{ID: held.ID, SlotID: uses[0].Slot.ID})
		c.wantReason(err, errs.ReasonSlotTaken, "a hold to another's slot")
		c.oneEach()
	})
}

func TestOneOfManyWhoMoveToASlotGetsIt(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		_, uses := c.single(1, 8, nil)
		_, goal := c.single(2, 1, nil)
		var all sync.WaitGroup
		results := make(chan error, len(uses))
		for _, use := range uses {
			booking, _ := c.book(use.Slot.ID)
			all.Go(func() {
				_, err := c.MoveBooking(c.t.Context(), c.desk(), app.Relocation{ID: booking.BookingID, SlotID: goal[0].Slot.ID})
				results <- err
			})
		}
		all.Wait()
		close(results)
		moved := 0
		for err := range results {
			switch {
			case err == nil:
				moved++
			case errs.ReasonOf(err) != errs.ReasonSlotTaken:
				c.t.Errorf("%v", err)
			}
		}
		if moved != 1 {
			c.t.Errorf("%d moved", moved)
		}
		c.wantFacts("booking_moved", 1)
		c.oneEach()
	})
}

// A slot that is being taken while its session is cancelled or made anew: whoever is first decides, and nobody has a slot that is gone.
func TestTakingASlotAndClosingItsSessionDoNotPassEachOther(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		x, _ := c.save(c.template())
		for round, v := range c.sessions()[:4] {
			_, uses := c.session(v.ID)
			var all sync.WaitGroup
			for _, use := range uses {
				all.Go(func() {
					_, err := c.CreateHold(c.t.Context(), c.sender(), app.HoldRequest{PatientID: c.patient, SlotID: use.Slot.ID})
					if err != nil && !errors.Is(err, c.t.Context().Err()) && errs.KindOf(err) != errs.KindNotFound && errs.KindOf(err) != errs.KindConflict {
						c.t.Errorf("hold: %v", err)
					}
				})
			}
			all.Go(func() {
				if round%2 == 0 {
					if _, _, err := c.CancelSession(c.t.Context(), c.desk(), app.Cancellation{SessionID: v.ID, Version: v.Version, ReasonCode: "LEAVE"}); err != nil {
						c.t.Errorf("cancel: %v", err)
					}
					return
				}
				changed := x
				changed.Location = v.Day
				var err error
				if x, _, err = c.SaveTemplate(c.t.Context(), c.desk(), changed); err != nil {
					c.t.Errorf("save: %v", err)
				}
			})
			all.Wait()
		}
		if n := c.count(`SELECT count(*) FROM occupancy o LEFT JOIN slot sl ON sl.county_code = o.county_code AND sl.id = o.place_id WHERE sl.id IS NULL`); n != 0 {
			c.t.Errorf("%d places are of slots that are gone", n)
		}
		c.oneEach()
	})
}

func TestAnOfferThatIsMovedByHandHasTimeToAnswerForItsNewPlace(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		c.single(3, 1, nil)
		ref := c.submitted(c.township(), "0304", "ROUTINE")
		e := c.join(ref, clinic())
		c.allocate()
		e = c.wantEntry(e.ID, domain.Offered)
		_, later := c.single(9, 1, nil)
		c.clk.Advance(20 * time.Hour)
		was := e.OfferUntil
		if _, err := c.MoveBooking(c.t.Context(), c.desk(), app.Relocation{ID: e.HoldID, SlotID: later[0].Slot.ID}); err != nil {
			c.t.Fatal(err)
		}
		got := c.wantEntry(e.ID, domain.Offered)
		if !got.OfferStart.Equal(later[0].Slot.Start) || got.OfferUntil.Before(was) || got.OfferUntil.Before(c.clk.Now().Add(24*time.Hour)) {
			c.t.Errorf("offered for %s until %s, was until %s", got.OfferStart, got.OfferUntil, was)
		}
		v, err := c.GetHold(c.t.Context(), c.caller("desk"), e.HoldID)
		if err != nil || !v.KeepUntil.Equal(got.OfferUntil) {
			c.t.Errorf("the place is kept until %s, %v", v.KeepUntil, err)
		}
		c.wantAudit("waitlist.move", 1)
		// To an earlier place: until that begins at most.
		_, soon := c.single(2, 1, nil)
		if _, err := c.MoveBooking(c.t.Context(), c.desk(), app.Relocation{ID: e.HoldID, SlotID: soon[0].Slot.ID}); err != nil {
			c.t.Fatal(err)
		}
		if got := c.wantEntry(e.ID, domain.Offered); got.OfferUntil.After(soon[0].Slot.Start) || !got.OfferStart.Equal(soon[0].Slot.Start) {
			c.t.Errorf("%+v", got)
		}
		c.oneEach()
	})
}
