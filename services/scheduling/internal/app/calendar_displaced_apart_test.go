package app_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// One whose old slot is not known any more gets no place by itself, and keeps none from those who were displaced after it.
func TestADisplacedBookingThatFailsDoesNotStopTheOthers(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		s, uses := c.single(1, 2, nil)
		for _, use := range uses {
			c.book(use.Slot.ID)
		}
		c.cancel(s)
		err := c.db.Update(c.t.Context(), func(tx *sqldb.Tx) error {
			_, err := tx.Exec(c.t.Context(), `UPDATE hold SET slot_id = 'unknown' WHERE id = (SELECT h.id FROM hold h WHERE h.displaced_time IS NOT NULL
				ORDER BY h.displaced_time, h.id LIMIT 1)`)
			return err
		})
		if err != nil {
			c.t.Fatal(err)
		}
		c.single(2, 5, nil)
		if err := c.PlaceDisplaced(c.t.Context(), county, c.org, "0304"); err == nil {
			c.t.Error("nobody hears of the one that failed")
		}
		if n := c.count("SELECT count(*) FROM hold WHERE displaced_time IS NOT NULL"); n != 1 {
			c.t.Errorf("%d displaced, want the one that failed", n)
		}
	})
}
