package app_test

import (
	"fmt"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// row is one row of a table by its id.
type row struct{ table, id string }

// waits lets act run while somebody has the row, and demands that act, when it waits for it, has none of the rows that come later in the order of locks.
func (c *calendar) waits(what string, has row, later []row, act func() error) {
	c.t.Helper()
	done := make(chan error, 1)
	err := c.db.Update(c.t.Context(), func(tx *sqldb.Tx) error {
		if err := lock(c, tx, has, ""); err != nil {
			return err
		}
		go func() { done <- act() }()
		for waiting := 0; waiting == 0; {
			err := tx.QueryRow(c.t.Context(), "SELECT count(*) FROM pg_locks l WHERE NOT l.granted AND pg_backend_pid() = ANY (pg_blocking_pids(l.pid))").Scan(&waiting)
			if err != nil {
				return err
			}
			select {
			case err := <-done:
				done <- err
				return fmt.Errorf("it did not wait: %w", err)
			default:
			}
		}
		for _, r := range later {
			if err := lock(c, tx, r, " NOWAIT"); err != nil {
				return fmt.Errorf("while it waits for a %s it has a %s: %w", has.table, r.table, err)
			}
		}
		return nil
	})
	if err != nil {
		c.t.Errorf("%s: %v", what, err)
	}
	if err := <-done; err != nil {
		c.t.Errorf("%s: %v", what, err)
	}
}

func lock(c *calendar, tx *sqldb.Tx, r row, nowait string) error {
	var got string
	return tx.QueryRow(c.t.Context(), "SELECT id FROM "+r.table+" WHERE county_code = $1 AND id = $2 FOR UPDATE"+nowait, county, r.id).Scan(&got)
}

// Who moves a booking and who cancels its session take sessions, slots and holds in one order, so that none waits for the other that waits for it.
func TestLocksAreTakenInOneOrder(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		if c.db.Engine() != sqldb.Postgres {
			return // it has one writer
		}
		s, uses := c.single(1, 3, nil)
		_, later := c.single(3, 6, nil)
		mover, _ := c.book(uses[0].Slot.ID)
		stayer, _ := c.book(uses[1].Slot.ID)
		moving := row{"hold", mover.ID}
		move := func(slot string) func() error {
			return func() error {
				_, err := c.MoveBooking(c.t.Context(), c.desk(), app.Relocation{ID: mover.BookingID, SlotID: slot})
				return err
			}
		}
		c.waits("a move, for where it goes", row{"slot", later[5].Slot.ID}, []row{moving}, move(later[5].Slot.ID))
		c.waits("a move, for where it was", row{"slot", later[5].Slot.ID}, []row{moving}, move(uses[0].Slot.ID))
		for _, use := range []app.SlotUse{uses[2], later[0]} {
			_, blocked := c.single(1, 1, nil)
			c.waits("a block", row{"slot", use.Slot.ID}, []row{moving, {"hold", stayer.ID}}, func() error {
				_, err := c.UnblockSlots(c.t.Context(), c.desk(), []string{use.Slot.ID, blocked[0].Slot.ID})
				return err
			})
		}
		c.waits("a cancellation", row{"slot", later[0].Slot.ID}, []row{moving, {"hold", stayer.ID}}, func() error {
			_, _, err := c.CancelSession(c.t.Context(), c.desk(), app.Cancellation{SessionID: s.ID, Version: s.Version, ReasonCode: "LEAVE"})
			return err
		})
		if c.displaced(mover.ID) || c.displaced(stayer.ID) {
			c.t.Error("somebody was displaced though places are free")
		}
		c.oneEach()
	})
}

func TestADisplacedBookingIsPlacedInTheOrderOfLocks(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		if c.db.Engine() != sqldb.Postgres {
			return
		}
		s, uses := c.single(1, 1, nil)
		h, _ := c.book(uses[0].Slot.ID)
		c.cancel(s)
		_, free := c.single(3, 1, nil)
		c.waits("a place for a displaced booking", row{"slot", free[0].Slot.ID}, []row{{"hold", h.ID}}, func() error {
			return c.PlaceDisplaced(c.t.Context(), county, c.org, "0304")
		})
		if c.displaced(h.ID) {
			c.t.Error("it is displaced still")
		}
	})
}

func TestATemplateThatChangesLocksSessionsBeforeTheirSlots(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		if c.db.Engine() != sqldb.Postgres {
			return
		}
		x, _ := c.save(c.template())
		last := c.sessions()[3]
		_, uses := c.session(last.ID)
		x.Location = "5F"
		c.waits("a change of a template", row{"session", last.ID}, []row{{"slot", uses[0].Slot.ID}}, func() error {
			_, _, err := c.SaveTemplate(c.t.Context(), c.desk(), x)
			return err
		})
	})
}

func TestAFactLocksTheHoldsOfItsReferralByID(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		if c.db.Engine() != sqldb.Postgres {
			return
		}
		// The booking has the greater id: it is named first, and locked last.
		_, uses := c.single(1, 2, nil)
		attached := c.hold(uses[0].Slot.ID)
		booking, referral := c.book(uses[1].Slot.ID)
		c.attach(attached.ID, referral)
		if attached.ID > booking.ID {
			c.t.Fatal("ids do not grow")
		}
		c.waits("a cancelled referral", row{"hold", attached.ID}, []row{{"hold", booking.ID}}, func() error {
			return c.OnReferral(c.t.Context(), app.ReferralFact{Consumer: "scheduling-referral", FactID: id.New(), County: county, Event: "cancelled", ReferralID: referral,
				HoldID: attached.ID, BookingID: booking.BookingID})
		})
		c.wantState(attached.ID, domain.Released)
		c.wantState(booking.ID, domain.Released)
	})
}
