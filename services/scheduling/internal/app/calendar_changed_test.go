package app_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
)

// Invariant 14: whoever waits is looked for after everything that the calendar does to places.
func TestWhatTheCalendarDoesToPlacesIsAChangeOfCapacity(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		changed := func(what string, do func() error) {
			c.t.Helper()
			before := c.count("SELECT count(*) FROM capacity_change")
			if err := do(); err != nil {
				c.t.Fatalf("%s: %v", what, err)
			}
			if after := c.count("SELECT count(*) FROM capacity_change"); after == before {
				c.t.Errorf("%s: nobody is told that the places changed", what)
			}
		}
		template := c.template()
		changed("sessions are made", func() error { template, _ = c.save(template); return nil })
		sessions := c.sessions()
		_, uses := c.session(sessions[1].ID)
		slot := []string{freeCommon(uses)}
		changed("a slot is blocked", func() error {
			_, err := c.BlockSlots(c.t.Context(), c.desk(), app.Blocking{SlotIDs: slot, ReasonCode: "BREAK"})
			return err
		})
		changed("a slot is given back", func() error {
			_, err := c.UnblockSlots(c.t.Context(), c.desk(), slot)
			return err
		})
		changed("a session is cancelled", func() error {
			_, _, err := c.CancelSession(c.t.Context(), c.desk(), app.Cancellation{SessionID: sessions[0].ID, Version: sessions[0].Version, ReasonCode: "LEAVE"})
			return err
		})
		template.LastDay = c.day(1)
		changed("sessions are taken back", func() error { _, _ = c.save(template); return nil })
	})
}
