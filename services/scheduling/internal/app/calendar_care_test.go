package app_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/events"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/store"
)

// An exception that names a template alone is its department's. To look the template up must not wait for the change that asks.
func TestTheHeadOfADepartmentChangesAndEndsWhatWasSetForATemplate(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		saved, _ := c.save(c.template())
		ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
		defer cancel()
		e := domain.Exception{ID: id.New(), OrganizationID: c.org, TemplateID: saved.ID, FirstDay: c.day(1), LastDay: c.day(2), Effect: domain.Closed, ReasonCode: "LEAVE"}
		if _, out, err := c.SaveException(ctx, c.head("0304"), e); err != nil || out.Removed != 2 {
			c.t.Fatalf("%+v, %v", out, err)
		}
		e.Version, e.LastDay = 1, c.day(1)
		if _, out, err := c.SaveException(ctx, c.head("0304"), e); err != nil || out.Made != 1 {
			c.t.Fatalf("%+v, %v", out, err)
		}
		_, _, err := c.RemoveException(ctx, c.head("03"), e.ID, 2)
		c.wantReason(err, errs.ReasonRole, "the head of another department")
		if _, out, err := c.RemoveException(ctx, c.head("0304"), e.ID, 2); err != nil || out.Made != 1 {
			c.t.Errorf("%+v, %v", out, err)
		}
	})
}

// come tells that a referral's patient has arrived.
func (c *calendar) come(referral, booking string) {
	c.t.Helper()
	c.fact("arrived", app.ReferralFact{ReferralID: referral, BookingID: booking, Case: domain.Case{County: county, ReferralID: referral, Version: 9,
		PatientID: c.patient, State: "ARRIVED", Direction: "UP", SenderOrganizationID: c.township(), ReceiverOrganizationID: c.org, ReceiverDepartment: "0304"}})
}

func TestWhoHasComeIsNotMoved(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		s, uses := c.single(0, 3, nil)
		seen, referral := c.book(uses[0].Slot.ID)
		waits, _ := c.book(uses[1].Slot.ID)
		_, other := c.single(1, 3, nil)
		c.clk.Advance(45 * time.Minute) // a quarter of an hour into the session
		c.come(referral, seen.BookingID)
		_, err := c.MoveBooking(c.t.Context(), c.desk(), app.Relocation{ID: seen.BookingID, SlotID: other[0].Slot.ID})
		c.wantReason(err, errs.ReasonActionNotAvailable, "the booking of a patient who has come")
		v, moved := c.cancel(s)
		if len(moved) != 1 || moved[0].HoldID != waits.ID || moved[0].Outcome != app.OutcomeMoved || v.Rebooking {
			c.t.Errorf("%+v, %+v", v, moved)
		}
		if c.place(seen.ID) != uses[0].Slot.ID || c.displaced(seen.ID) {
			c.t.Error("a patient who has been seen has another appointment")
		}
		c.wantFacts("booking_moved", 1)
		c.oneEach()
	})
}

func TestWhoComesWithoutAPlaceWaitsForNoneAnyMore(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		s, uses := c.single(1, 1, nil)
		hold, referral := c.book(uses[0].Slot.ID)
		c.cancel(s)
		c.allocate()
		entries, err := c.ListWaitlist(c.t.Context(), c.caller("desk"), app.EntryQuery{Limit: 10})
		if err != nil || len(entries) != 1 || !c.displaced(hold.ID) {
			c.t.Fatalf("%+v, %v", entries, err)
		}
		c.come(referral, hold.BookingID)
		c.allocate()
		c.wantEntry(entries[0].ID, domain.Placed)
		c.single(3, 2, nil)
		c.work()
		c.allocate()
		if c.place(hold.ID) != uses[0].Slot.ID {
			c.t.Error("a patient who has come got another appointment")
		}
		c.wantFacts("booking_moved", 0)
	})
}

// at begins a session later on its day.
func at(hours int) func(*domain.Session) {
	later := time.Duration(hours) * time.Hour
	return func(s *domain.Session) { s.Start, s.End = s.Start.Add(later), s.End.Add(later) }
}

func TestNobodyIsMovedToWhereTheyCannotBeInTime(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		// It is 09:30: who is expected next week does not learn in time of a place at eleven.
		c.single(0, 1, at(1))
		week, uses := c.single(7, 1, nil)
		next, _ := c.book(uses[0].Slot.ID)
		_, days := c.single(3, 1, nil)
		c.cancel(week)
		if c.place(next.ID) != days[0].Slot.ID {
			c.t.Error("moved forward to the same morning, or not to the earliest that is told in time")
		}
		// Who comes at two o'clock comes at three, and not at eleven.
		today, uses := c.single(0, 1, at(4))
		afternoon, _ := c.book(uses[0].Slot.ID)
		_, later := c.single(0, 1, at(5))
		c.cancel(today)
		if c.place(afternoon.ID) != later[0].Slot.ID {
			c.t.Error("moved forward on the same day, or not moved")
		}
		c.oneEach()
	})
}

// cutOff is a store whose process ends after some changes.
type cutOff struct {
	app.Store
	left int
}

func (s *cutOff) Change(ctx context.Context, cmd app.Command, fn func(app.Unit) error) error {
	if s.left--; s.left < 0 {
		return errs.Unavailable("database", nil)
	}
	return s.Store.Change(ctx, cmd, fn)
}

func TestASubstitutionTellsAllOrIsNone(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		s, uses := c.single(1, 25, nil)
		for _, use := range uses {
			c.book(use.Slot.ID)
		}
		a := app.New(&cutOff{store.New(c.db, events.Encode, func() {}), 1}, c.referral, time.UTC, slog.New(slog.DiscardHandler))
		v, err := app.NewPlanner(a, app.Calendar{}).Substitute(c.t.Context(), c.desk(), app.Substitution{SessionID: s.ID, Version: s.Version, Location: "5F"})
		if err != nil || v.Location != "5F" {
			c.t.Errorf("%+v, %v", v, err)
		}
		c.wantFacts("booking_moved", 25)
	})
}

func TestTheReserveIsNotReachedByWayOfACommonSlot(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		_, uses := c.single(1, 1, nil)
		booking, referral := c.book(uses[0].Slot.ID)
		slot := c.session10()
		c.reserve(slot)
		is := func(direction string, version int32) {
			c.fact("acknowledged", app.ReferralFact{ReferralID: referral, Case: domain.Case{County: county, ReferralID: referral, Version: version, PatientID: c.patient,
				State: "ACCEPTED", Direction: direction, SenderOrganizationID: c.township(), ReceiverOrganizationID: c.org, ReceiverDepartment: "0304"}})
		}
		move := app.Relocation{ID: booking.BookingID, SlotID: slot.ID}
		is("DOWN", 3)
		_, err := c.MoveBooking(c.t.Context(), c.desk(), move)
		c.wantReason(err, errs.ReasonActionNotAvailable, "no township sends the patient")
		is("UP", 4)
		if _, err := c.MoveBooking(c.t.Context(), c.desk(), move); err != nil {
			c.t.Errorf("a township sends the patient: %v", err)
		}
		c.oneEach()
	})
}

// session10 is the one slot of a session in ten days.
func (c *calendar) session10() domain.Slot { return c.fixture.session("0304", "CLINIC", 10, 8, 1)[0] }

func TestTheReserveIsOfferedToWhomATownshipSendsAlone(t *testing.T) {
	each(t, func(f *fixture) {
		down, up := f.submitted(id.New(), "0304", "URGENT"), f.submitted(id.New(), "0304", "ROUTINE")
		down.Direction = "DOWN"
		f.referral.cases[down.ReferralID] = down
		first := f.join(down, clinic())
		second := f.join(up, clinic())
		f.reserve(f.session("0304", "CLINIC", 10, 8, 1)...)
		f.allocate()
		f.wantEntry(first.ID, domain.Waiting)
		f.wantEntry(second.ID, domain.Offered)
	})
}

func TestAReferralIsNotAcceptedForASessionThatIsCancelled(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		s, uses := c.single(1, 1, nil)
		hold, referral := c.hold(uses[0].Slot.ID), id.New()
		c.attach(hold.ID, referral)
		c.cancel(s)
		tie := app.Tie{HoldID: hold.ID, ReferralID: referral, PatientID: c.patient}
		_, err := c.ConfirmHold(c.t.Context(), c.caller("service:referral"), tie)
		c.wantReason(err, errs.ReasonHoldExpired, "displaced")
		c.single(2, 1, nil)
		c.work()
		if _, err := c.ConfirmHold(c.t.Context(), c.caller("service:referral"), tie); err != nil {
			c.t.Errorf("it has a place again: %v", err)
		}
	})
}
