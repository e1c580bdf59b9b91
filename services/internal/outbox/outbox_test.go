package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

func sets() []sqldb.MigrationSet { return []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations} }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func fact(i int) outbox.Fact {
	return outbox.Fact{
		ID: fmt.Sprintf("fact-%05d", i), County: "45032" + strconv.Itoa(i%2), Subject: "referral.v1.450321.submitted",
		Type: "tongzhen.referral.v1.Submitted", Payload: []byte{byte(i)}, OccurTime: time.Date(2026, 3, 18, 1, 30, 0, i*1000, time.UTC),
	}
}

func write(t *testing.T, db *sqldb.DB, wake func(), from, to int) {
	t.Helper()
	err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
		tx.OnCommit(wake)
		for i := from; i < to; i++ {
			if err := outbox.Append(t.Context(), tx, fact(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// start runs relays and gives a function that stops them and waits.
func start(t *testing.T, relays ...*outbox.Relay) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, r := range relays {
		wg.Go(func() {
			if err := r.Run(ctx); err != nil {
				t.Errorf("relay: %v", err)
			}
		})
	}
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(stop)
	return stop
}

func waitingRows(t *testing.T, db *sqldb.DB) (n int) {
	t.Helper()
	err := db.View(t.Context(), func(tx *sqldb.Tx) error {
		return tx.QueryRow(t.Context(), "SELECT count(*) FROM outbox WHERE published_time IS NULL").Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTwoRelaysPublishEachRowOnceWhenNothingFails(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		b := newFakeBus()
		one, two := outbox.NewRelay(db, b, clock.System(), quiet()), outbox.NewRelay(db, b, clock.System(), quiet())
		stop := start(t, one, two)
		for i := range 10 {
			write(t, db, func() { one.Wake(); two.Wake() }, i*100, (i+1)*100)
		}
		b.until(t, func() bool { return len(b.stored) == 1000 })
		stop()
		for id, n := range b.stored {
			if n != 1 {
				t.Errorf("%s was published %d times", id, n)
			}
		}
		if n := waitingRows(t, db); n != 0 {
			t.Errorf("%d rows are not marked", n)
		}
		if n, err := outbox.Waiting(t.Context(), db); n != 0 || err != nil {
			t.Errorf("%d rows wait: %v", n, err)
		}
	})
}

func TestRelaysSurviveABusThatFailsHalfTheTime(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		b := newFakeBus()
		b.fault = func(call int, m bus.Msg) error {
			if (call+int(m.Payload[0]))%2 == 0 {
				return errs.Unavailable("bus", nil)
			}
			return nil
		}
		one, two := outbox.NewRelay(db, b, clock.System(), quiet()), outbox.NewRelay(db, b, clock.System(), quiet())
		stop := start(t, one, two)
		write(t, db, one.Wake, 0, 300)
		b.until(t, func() bool { return len(b.stored) == 300 })
		stop()
		for id, n := range b.stored {
			if n != 1 {
				t.Errorf("%s was stored %d times", id, n)
			}
		}
		if n := waitingRows(t, db); n != 0 {
			t.Errorf("%d rows are not marked", n)
		}
	})
}

func TestWhileTheBusIsAwayRowsWaitAndTheRelayDoesNotSpin(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		b := newFakeBus()
		away := errs.Unavailable("bus", nil)
		asked := 0
		b.fault = func(int, bus.Msg) error { return away }
		b.ready = func() error { asked++; return away }
		r := outbox.NewRelay(db, b, clock.System(), quiet())
		stop := start(t, r)
		begun := clock.System().Now()
		write(t, db, r.Wake, 0, 3)
		b.until(t, func() bool {
			r.Wake() // a busy producer
			return asked >= 2
		})
		if took := clock.System().Now().Sub(begun); took < 100*time.Millisecond {
			t.Errorf("two repeats took %v: the relay spins", took)
		}
		if n, err := outbox.Waiting(t.Context(), db); n != 3 || err != nil {
			t.Errorf("%d rows wait: %v", n, err)
		}
		if b.calls != 1 || waitingRows(t, db) != 3 {
			t.Errorf("%d calls, %d rows wait", b.calls, waitingRows(t, db))
		}
		b.mu.Lock()
		b.fault = func(int, bus.Msg) error { return nil }
		b.ready = func() error { return nil }
		b.mu.Unlock()
		b.until(t, func() bool { return len(b.stored) == 3 })
		stop()
	})
}

func TestARowThatTheBusRefusesForGoodDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		b := newFakeBus()
		b.fault = func(_ int, m bus.Msg) error {
			if m.ID == fact(0).ID {
				return errs.Invalid(errs.Bad("subject", errs.ReasonFieldInvalid))
			}
			return nil
		}
		r := outbox.NewRelay(db, b, clock.System(), quiet())
		stop := start(t, r)
		write(t, db, r.Wake, 0, 5)
		b.until(t, func() bool { return len(b.stored) == 4 })
		write(t, db, r.Wake, 5, 10)
		b.until(t, func() bool { return len(b.stored) == 9 })
		stop()
		if n := waitingRows(t, db); n != 1 {
			t.Errorf("%d rows wait, want the refused one", n)
		}
	})
}

func TestARelayWaitsForTheOneThatPublishes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		first, second := newFakeBus(), newFakeBus()
		entered, leave := make(chan struct{}), make(chan struct{})
		first.fault = func(call int, _ bus.Msg) error {
			if call == 1 {
				close(entered)
				<-leave
			}
			return nil
		}
		write(t, db, func() {}, 0, 1)
		stopFirst := start(t, outbox.NewRelay(db, first, clock.System(), quiet()))
		<-entered
		two := outbox.NewRelay(db, second, clock.System(), quiet())
		stopSecond := start(t, two)
		write(t, db, two.Wake, 1, 2)
		if alone, err := db.Alone(t.Context(), "outbox-relay", func() error { return nil }); alone || err != nil {
			t.Errorf("the lock of a relay that publishes was free: %v", err)
		}
		close(leave)
		stopFirst()
		second.until(t, func() bool { return second.stored[fact(1).ID]+first.stored[fact(1).ID] == 1 })
		stopSecond()
		if first.stored[fact(0).ID] != 1 || second.stored[fact(0).ID] != 0 {
			t.Errorf("the row under way was published %d and %d times", first.stored[fact(0).ID], second.stored[fact(0).ID])
		}
	})
}

func TestARowIsPublishedAgainWhenTheMarkWasLost(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		b := newFakeBus()
		write(t, db, func() {}, 0, 1)
		publish := func() {
			before := b.stored[fact(0).ID]
			stop := start(t, outbox.NewRelay(db, b, clock.System(), quiet()))
			b.until(t, func() bool { return b.stored[fact(0).ID] > before })
			stop()
		}
		publish()
		err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
			_, err := tx.Exec(t.Context(), "UPDATE outbox SET published_time = NULL")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		publish()
		if n := waitingRows(t, db); n != 0 || b.stored[fact(0).ID] != 2 {
			t.Errorf("published %d times, %d rows wait", b.stored[fact(0).ID], n)
		}
	})
}

func TestAFactOfARolledBackTransactionIsNeverPublished(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		undone := errors.New("undone")
		err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
			if err := outbox.Append(t.Context(), tx, fact(1)); err != nil {
				return err
			}
			return undone
		})
		if !errors.Is(err, undone) || waitingRows(t, db) != 0 {
			t.Errorf("%v, %d rows", err, waitingRows(t, db))
		}
	})
}

func TestOneTraceGoesFromTheChangeToTheMessage(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		ctx, span := sdktrace.NewTracerProvider().Tracer("test").Start(t.Context(), "change")
		defer span.End()
		b := newFakeBus()
		r := outbox.NewRelay(db, b, clock.System(), quiet())
		stop := start(t, r)
		err := db.Update(ctx, func(tx *sqldb.Tx) error {
			tx.OnCommit(r.Wake)
			return outbox.Append(ctx, tx, fact(1))
		})
		if err != nil {
			t.Fatal(err)
		}
		b.until(t, func() bool { return len(b.messages) == 1 })
		stop()
		want := propagation.MapCarrier{}
		propagation.TraceContext{}.Inject(ctx, want)
		m, f := b.messages[0], fact(1)
		if m.Header["traceparent"] != want["traceparent"] || m.Header["traceparent"] == "" {
			t.Errorf("traceparent %q, want %q", m.Header["traceparent"], want["traceparent"])
		}
		if m.ID != f.ID || m.Subject != f.Subject || m.Type != f.Type || string(m.Payload) != string(f.Payload) || m.Time != f.OccurTime {
			t.Errorf("message %+v", m)
		}
	})
}

func TestAFactHasItsEffectOncePerConsumer(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		var mu sync.Mutex
		effects := map[string]int{}
		var wg sync.WaitGroup
		for i := range 20 {
			consumer := "notification-rules-" + strconv.Itoa(i%2)
			wg.Go(func() {
				err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
					already, err := outbox.Seen(t.Context(), tx, consumer, "f1")
					if err != nil || already {
						return err
					}
					tx.OnCommit(func() { mu.Lock(); effects[consumer]++; mu.Unlock() })
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(effects) != 2 || effects["notification-rules-0"] != 1 || effects["notification-rules-1"] != 1 {
			t.Errorf("effects %v", effects)
		}
		undone := errors.New("undone")
		_ = db.Update(t.Context(), func(tx *sqldb.Tx) error {
			if _, err := outbox.Seen(t.Context(), tx, "c", "f2"); err != nil {
				return err
			}
			return undone
		})
		err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
			already, err := outbox.Seen(t.Context(), tx, "c", "f2")
			if already {
				t.Error("an effect that was rolled back counts as seen")
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestPublishedRowsAreKeptThirtyDaysAndHandledOnesNinety(t *testing.T) {
	t.Parallel()
	if outbox.InboxKept <= outbox.Kept {
		t.Error("the inbox must keep longer than the outbox")
	}
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			clk := dbtest.Clock(t)
			db := dbtest.OpenClock(t, engine, clk, sets())
			b := newFakeBus()
			r := outbox.NewRelay(db, b, clk, quiet())
			stop := start(t, r)
			write(t, db, r.Wake, 0, 10)
			b.until(t, func() bool { return len(b.stored) == 10 })
			stop()
			see := func(id string, want bool) {
				err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
					already, err := outbox.Seen(t.Context(), tx, "c", id)
					if already != want {
						t.Errorf("%s seen = %v, want %v", id, already, want)
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			see("old", false)
			rows := func() (n int) {
				// The relay prunes before it publishes, so one round shows both.
				again := start(t, outbox.NewRelay(db, b, clk, quiet()))
				write(t, db, func() {}, 1000+b.calls, 1001+b.calls)
				seen := len(b.stored)
				b.until(t, func() bool { return len(b.stored) > seen })
				again()
				err := db.View(t.Context(), func(tx *sqldb.Tx) error {
					return tx.QueryRow(t.Context(), "SELECT count(*) FROM outbox WHERE fact_id < 'fact-00010'").Scan(&n)
				})
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			clk.Advance(29 * 24 * time.Hour)
			if n := rows(); n != 10 {
				t.Errorf("after 29 days %d rows, want 10", n)
			}
			clk.Advance(2 * 24 * time.Hour)
			if n := rows(); n != 0 {
				t.Errorf("after 31 days %d rows, want 0", n)
			}
			see("old", true)
			clk.Advance(60 * 24 * time.Hour)
			rows()
			see("old", false)
		})
	}
}
