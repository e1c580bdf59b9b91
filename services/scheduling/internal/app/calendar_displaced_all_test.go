package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/events"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/store"
)

// displacedIn leaves a displaced booking in a department.
func (c *calendar) displacedIn(department string) app.HoldView {
	c.t.Helper()
	s, uses := c.single(1, 1, func(s *domain.Session) { s.DepartmentCode = department })
	booking, _ := c.book(uses[0].Slot.ID)
	c.cancel(s)
	return booking
}

func TestDisplacedBookingsOfEveryDepartmentAreWorked(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		const departments = 55
		var last app.HoldView
		for i := range departments {
			last = c.displacedIn(fmt.Sprintf("%04d", 1000+i))
		}
		_, free := c.single(2, 1, func(s *domain.Session) { s.DepartmentCode = last.Place.DepartmentCode })
		c.work()
		if c.place(last.ID) != free[0].Slot.ID {
			c.t.Error("the last department's booking has no place")
		}
		c.oneEach()
	})
}

// stopping is a store that ends the context of its caller after some changes.
type stopping struct {
	app.Store
	left int
	stop context.CancelFunc
}

func (s *stopping) Change(ctx context.Context, cmd app.Command, fn func(app.Unit) error) error {
	err := s.Store.Change(ctx, cmd, fn)
	if s.left--; s.left == 0 {
		s.stop()
	}
	return err
}

func TestDisplacedBookingsAreGoneOnWithWhereTimeRanOut(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		var last app.HoldView
		for i := range 5 {
			last = c.displacedIn(fmt.Sprintf("%04d", 1000+i))
		}
		_, free := c.single(2, 1, func(s *domain.Session) { s.DepartmentCode = last.Place.DepartmentCode })
		st := &stopping{Store: store.New(c.db, events.Encode, func() {})}
		planner := app.NewPlanner(app.New(st, c.referral, time.UTC, slog.New(slog.DiscardHandler)), app.Calendar{})
		for range 2 {
			ctx, cancel := context.WithCancel(c.t.Context())
			st.left, st.stop = 3, cancel
			err := planner.Work(ctx, c.clk.Now())
			cancel()
			if c.place(last.ID) == free[0].Slot.ID {
				return
			}
			if err == nil {
				c.t.Error("nobody hears that time ran out")
			}
		}
		c.t.Error("the departments at the end are never worked")
	})
}

// The list of what has another place is read before the change: whoever lost it again meanwhile waits on.
func TestABookingThatLosesItsPlaceAgainStaysOnTheList(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		ref, h := c.lost()
		again, later := c.single(5, 1, nil)
		if err := c.PlaceDisplaced(c.t.Context(), county, c.org, "0304"); err != nil || c.place(h.ID) != later[0].Slot.ID {
			c.t.Fatalf("at %s, %v", c.place(h.ID), err)
		}
		a := app.New(&lateList{Store: store.New(c.db, events.Encode, func() {}), meanwhile: func() { c.cancel(again) }}, c.referral, time.UTC, slog.New(slog.DiscardHandler))
		if err := a.Allocate(c.t.Context(), c.clk.Now(), true); err != nil {
			c.t.Fatal(err)
		}
		if e := c.entryOf(ref); e.State != domain.Waiting || e.DisplacedBookingID != h.ID {
			c.t.Errorf("%+v", e)
		}
		c.oneEach()
	})
}

// An entry that another instance changed since it was listed is left to the next look.
func TestAnEntryThatChangedSinceItWasListedIsLeft(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		ref, h := c.lost()
		c.clk.Advance(28 * time.Hour)
		c.sweep()
		c.wantState(h.ID, domain.Expired)
		// Another instance lets it wait as the others do, and offers it a place.
		other := func() {
			c.single(6, 1, nil)
			c.allocate()
		}
		a := app.New(&lateList{Store: store.New(c.db, events.Encode, func() {}), meanwhile: other}, c.referral, time.UTC, slog.New(slog.DiscardHandler))
		if err := a.Allocate(c.t.Context(), c.clk.Now(), true); err != nil {
			c.t.Fatal(err)
		}
		if e := c.entryOf(ref); e.State != domain.Offered {
			c.t.Errorf("the offer was lost: %+v", e)
		}
	})
}

// lateList is a store in which something happens after it listed what has a place again.
type lateList struct {
	app.Store
	meanwhile func()
}

func (s *lateList) Replaced(ctx context.Context, limit int) ([]app.EndedOffer, error) {
	out, err := s.Store.Replaced(ctx, limit)
	s.meanwhile()
	return out, err
}

func TestAReferralThatLostItsPlaceJoinsTheListOfWhoHasItNow(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		ref, h := c.lost()
		old := c.entryOf(ref)
		// It is redirected, and the fact is on its way.
		ref.Version, ref.ReceiverDepartment = ref.Version+2, "0501"
		c.referral.cases[ref.ReferralID] = ref
		e := c.join(ref, clinic())
		if e.ID == old.ID || e.DepartmentCode != "0501" || e.State != domain.Waiting || e.DisplacedBookingID != "" {
			c.t.Fatalf("%+v", e)
		}
		c.wantEntry(old.ID, domain.Ended)
		// The fact frees the hold that nobody waits for any more, and leaves the new entry.
		c.fact("redirected", app.ReferralFact{ReferralID: ref.ReferralID, HoldID: h.ID, Case: ref})
		c.wantState(h.ID, domain.Released)
		c.allocate()
		c.wantEntry(e.ID, domain.Waiting)
		_, uses := c.single(3, 1, func(s *domain.Session) { s.DepartmentCode = "0501" })
		c.allocate()
		if got := c.wantEntry(e.ID, domain.Offered); !got.OfferStart.Equal(uses[0].Slot.Start) {
			c.t.Errorf("offered %s", got.OfferStart)
		}
		c.oneEach()
		// In its own department it is the old one that stands.
		other, _ := c.lost()
		if again := c.join(other, clinic()); again.ID != c.entryOf(other).ID || again.DisplacedBookingID == "" {
			c.t.Errorf("%+v", again)
		}
	})
}
