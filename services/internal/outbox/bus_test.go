package outbox_test

import (
	"context"
	"sync"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

func TestThroughARealBusEveryFactHasItsEffectOnceInTheTraceOfItsChange(t *testing.T) {
	t.Parallel()
	const facts = 50
	db := dbtest.SQLite(t, sets())
	b, err := bus.OpenEmbedded(t.TempDir(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	change, span := sdktrace.NewTracerProvider().Tracer("test").Start(t.Context(), "change")
	defer span.End()

	r := outbox.NewRelay(db, b, clock.System(), quiet())
	start(t, r)
	ctx, cancel := context.WithCancel(t.Context())
	var consumer sync.WaitGroup
	effects := make(chan trace.TraceID, 2*facts)
	consumer.Go(func() {
		c := bus.Consumer{Name: "test-effects", Subjects: []string{"referral.v1.>"}, Workers: 4}
		err := b.Consume(ctx, c, func(ctx context.Context, m bus.Msg) error {
			return db.Update(ctx, func(tx *sqldb.Tx) error {
				already, err := outbox.Seen(ctx, tx, c.Name, m.ID)
				if err != nil || already {
					return err
				}
				id := trace.SpanContextFromContext(ctx).TraceID()
				tx.OnCommit(func() { effects <- id })
				return nil
			})
		})
		if err != nil {
			t.Errorf("consume: %v", err)
		}
	})
	for i := range facts {
		err := db.Update(change, func(tx *sqldb.Tx) error {
			tx.OnCommit(r.Wake)
			return outbox.Append(change, tx, fact(i))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for range facts {
		if id := <-effects; id != span.SpanContext().TraceID() {
			t.Errorf("trace %s, want %s", id, span.SpanContext().TraceID())
		}
	}
	cancel()
	consumer.Wait()
	if n := len(effects); n != 0 {
		t.Errorf("%d effects too many", n)
	}
}
