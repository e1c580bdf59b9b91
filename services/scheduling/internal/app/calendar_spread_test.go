package app_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/events"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/store"
)

// reserved counts the slots of the reserve on a day.
func (c *calendar) reserved(day string) int {
	c.t.Helper()
	return c.count(`SELECT count(*) FROM slot sl JOIN session s ON s.county_code = sl.county_code AND s.id = sl.session_id
		WHERE sl.pool = 'RESERVED' AND s.local_date = $1`, day)
}

func TestTheNightlyPlanSpreadsTheReserveOfANewDayOnceForAllTemplates(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		for hour := range 3 {
			x := c.template() // four slots each
			x.PractitionerID, x.Starts, x.Ends = string(rune('p'+hour)), (13+hour)*60, (14+hour)*60
			c.save(x)
		}
		if n := c.reserved("2026-03-19"); n != 4 {
			c.t.Errorf("%d of twelve are reserved", n)
		}
		if n := c.count("SELECT count(*) FROM spread_due"); n != 0 {
			c.t.Errorf("%d reserves are left to spread", n)
		}
		// What is changed by hand on a day that the night does not touch stays.
		c.exec("UPDATE slot SET pool = 'COMMON' WHERE session_id IN (SELECT id FROM session WHERE local_date = '2026-03-19')")
		c.clk.Advance(24 * time.Hour)
		c.work()
		if n := c.reserved("2026-04-08"); n != 4 {
			c.t.Errorf("%d of the new day's twelve are reserved", n)
		}
		if n := c.reserved("2026-03-19"); n != 0 {
			c.t.Errorf("the night spread a day again that had no new session: %d", n)
		}
		if n := c.count("SELECT count(*) FROM spread_due"); n != 0 {
			c.t.Errorf("%d reserves are left to spread", n)
		}
	})
}

func TestSessionsOfBeforeTheUpgradeGetTheirReserveAndTheCountysDay(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		// At 06:00 on the 20th in Shanghai it is the 19th in the zone of this county.
		start := c.day(2).Add(-2 * time.Hour)
		s, _ := c.single(2, 10, func(s *domain.Session) { s.Start, s.End = start, start.Add(100*time.Minute) })
		if s.Day != "2026-03-20" {
			c.t.Fatal(s.Day)
		}
		// As the migration leaves them.
		c.exec("UPDATE slot SET pool = 'COMMON'")
		c.exec("INSERT INTO spread_due (county_code, id, organization_id, department_code) VALUES ($1, 'before', $2, '0304')", county, c.org)
		c.exec("INSERT INTO local_day_due (county_code, id) VALUES ($1, $2)", county, s.ID)
		a := app.New(store.New(c.db, events.Encode, func() {}), c.referral, time.UTC, slog.New(slog.NewTextHandler(c.logs, nil)))
		planner := app.NewPlanner(a, app.Calendar{Holiday: func(time.Time) bool { return false }, HorizonDays: horizon})
		for range 2 {
			if err := planner.Work(c.t.Context(), c.clk.Now()); err != nil {
				c.t.Fatal(err)
			}
		}
		if s, _ = c.session(s.ID); s.Day != "2026-03-19" || s.Reserved != 3 {
			c.t.Errorf("on %s, %d of ten are reserved", s.Day, s.Reserved)
		}
		if n := c.count("SELECT (SELECT count(*) FROM spread_due) + (SELECT count(*) FROM local_day_due)"); n != 0 {
			c.t.Errorf("%d things are left to do", n)
		}
	})
}
