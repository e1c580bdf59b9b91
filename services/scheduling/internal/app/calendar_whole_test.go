package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/events"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/store"
)

// counting counts the transactions of a store.
type counting struct {
	*store.Store
	changes int
}

func (s *counting) Change(ctx context.Context, cmd app.Command, fn func(app.Unit) error) error {
	s.changes++
	return s.Store.Change(ctx, cmd, fn)
}

// A holiday of the whole county concerns every template: they are planned many in a transaction, and none is left out.
func TestAHolidayOfTheCountyTakesFewTransactions(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		const templates, departments = 45, 3
		for i := range templates {
			one := c.template()
			one.DepartmentCode, one.PractitionerID = fmt.Sprintf("030%d", i%departments), fmt.Sprintf("p%d", i)
			c.save(one)
		}
		var booked app.SessionView
		for _, s := range c.sessions() {
			if s.Day == domain.Date(c.day(1)) {
				booked = s
			}
		}
		_, uses := c.session(booked.ID)
		c.book(freeCommon(uses))

		counted := &counting{Store: store.New(c.db, events.Encode, func() {})}
		zone, err := time.LoadLocation("Asia/Shanghai")
		if err != nil {
			c.t.Fatal(err)
		}
		planner := app.NewPlanner(app.New(counted, c.referral, zone, slog.New(slog.DiscardHandler)), c.rules)
		by := c.admin()
		by.RequestID = id.New()
		closed := domain.Exception{ID: id.New(), FirstDay: c.day(1), LastDay: c.day(1), Effect: domain.Closed, ReasonCode: "HOLIDAY"}
		saved, out, err := planner.SaveException(c.t.Context(), by, closed)
		if err != nil || saved.Version != 1 || out.Removed != templates-1 || len(out.Conflicts) != 1 || out.Conflicts[0].ID != booked.ID {
			c.t.Fatalf("%d taken back, %d conflicts, %v", out.Removed, len(out.Conflicts), err)
		}
		// The exception, what it concerns, the plans, the reserve of each department, and the answer.
		if most := 3 + 3 + departments; counted.changes > most {
			c.t.Errorf("%d transactions, at most %d", counted.changes, most)
		}
		if left := c.count("SELECT count(*) FROM session WHERE local_date = $1", domain.Date(c.day(1))); left != 1 {
			c.t.Errorf("%d sessions on the holiday", left)
		}
		if due := c.count("SELECT count(*) FROM schedule_template WHERE planned_through = ''"); due != 0 {
			c.t.Errorf("%d templates are left to be planned", due)
		}
		// Saved again, because the answer was lost: nothing is done twice, and the conflict is told again.
		saved, out, err = planner.SaveException(c.t.Context(), by, closed)
		if err != nil || saved.Version != 1 || out.Removed != 0 || len(out.Conflicts) != 1 {
			c.t.Errorf("again: version %d, %d taken back, %d conflicts, %v", saved.Version, out.Removed, len(out.Conflicts), err)
		}
	})
}
