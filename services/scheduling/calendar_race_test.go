package scheduling_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/placetest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
)

// A booking that is given back just before a cancellation gets to it is none that the cancellation deals with. Both wait for somebody who has the hold;
// after that PostgreSQL shows the cancellation the hold of now beside the occupancy of before.
func TestASessionIsCancelledWhileABookingInItEnds(t *testing.T) {
	t.Parallel()
	f := openFire(t, sqldb.Postgres, 1)
	f.calm()
	c, g, patient := &client{fire: f, random: rand.New(rand.NewPCG(3, 3))}, f.groups[0], id.New()
	out := c.take(g, 0, id.New(), patient)
	h := &held{client: c, group: g, hold: out.Hold, tie: app.Tie{HoldID: out.Hold, ReferralID: id.New(), PatientID: patient}}
	h.confirm()
	var both sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := f.own.Update(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE hold SET update_time = update_time WHERE id = $1", h.hold); err != nil {
			return err
		}
		both.Go(h.free)
		if err := waitFor(ctx, tx, 1); err != nil {
			return err
		}
		both.Go(func() { c.end(g, 0) })
		return waitFor(ctx, tx, 2)
	})
	both.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if !g.over[0] || len(f.living(h.hold)) > 0 || f.displaced(g) > 0 {
		t.Errorf("cancelled %v, living %v, displaced %d", g.over[0], f.living(h.hold), f.displaced(g))
	}
	if c.take(g, 0, id.New(), id.New()).Outcome != placetest.Taken {
		t.Error("a slot of the cancelled session was taken")
	}
	for _, fault := range f.faults() {
		t.Error(fault)
	}
}

// waitFor waits until so many others wait for the transaction, or for one that does.
func waitFor(ctx context.Context, tx *sqldb.Tx, others int) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var n int
		err := tx.QueryRow(ctx, `SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND (pg_backend_pid() = ANY(pg_blocking_pids(pid))
			OR EXISTS (SELECT 1 FROM unnest(pg_blocking_pids(pid)) other WHERE pg_backend_pid() = ANY(pg_blocking_pids(other))))`).Scan(&n)
		if err != nil || n >= others {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
