package outbox

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

const (
	pruneRows   = 2000 // one statement, so that no transaction lasts long
	pruneRounds = 50
)

// prune deletes what is older than its time, in short transactions. What is left over goes the next hour.
func (r *Relay) prune(ctx context.Context) {
	for name, step := range map[string]func(context.Context) (int64, error){
		"outbox":      r.pruneOutbox,
		"inbox":       r.pruneInbox,
		"request_log": func(ctx context.Context) (int64, error) { return sqldb.PruneRequests(ctx, r.db, pruneRows) },
	} {
		for range pruneRounds {
			n, err := step(ctx)
			if err != nil && ctx.Err() == nil {
				r.logger.WarnContext(ctx, "old rows stay", "table", name, "error", err)
			}
			if err != nil || n < pruneRows {
				break
			}
		}
	}
}

func (r *Relay) pruneOutbox(ctx context.Context) (int64, error) {
	return r.delete(ctx, `DELETE FROM outbox WHERE (county_code, fact_id) IN
		(SELECT county_code, fact_id FROM outbox WHERE published_time < $1 ORDER BY published_time LIMIT $2)`, Kept)
}

func (r *Relay) pruneInbox(ctx context.Context) (int64, error) {
	return r.delete(ctx, `DELETE FROM inbox WHERE (consumer, fact_id) IN
		(SELECT consumer, fact_id FROM inbox WHERE handled_time < $1 ORDER BY handled_time LIMIT $2)`, InboxKept)
}

func (r *Relay) delete(ctx context.Context, query string, kept time.Duration) (n int64, err error) {
	err = r.db.Update(ctx, func(tx *sqldb.Tx) error {
		n, err = tx.Exec(ctx, query, tx.Now().Add(-kept), pruneRows)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("prune: %w", err)
	}
	return n, nil
}

// measure offers tongzhen_outbox_lag_seconds: the age of the oldest row that waits, by the root of the subjects
// (one service each). It appears with the first published row.
func (r *Relay) measure() (stop func()) {
	meter := otel.Meter("github.com/tongzhen/tongzhen/services/internal/outbox")
	lag, err := meter.Float64ObservableGauge("tongzhen.outbox.lag", metric.WithUnit("s"),
		metric.WithDescription("Age of the oldest fact that waits to be published."))
	if err != nil {
		return func() {}
	}
	registration, err := meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		root, known := r.root.Load().(string)
		if !known {
			return nil
		}
		age, err := r.lag(ctx)
		if err != nil {
			return err
		}
		o.ObserveFloat64(lag, age.Seconds(), metric.WithAttributes(attribute.String("root", root)))
		return nil
	}, lag)
	if err != nil {
		return func() {}
	}
	return func() { _ = registration.Unregister() }
}

func (r *Relay) lag(ctx context.Context) (age time.Duration, err error) {
	err = r.db.Read(ctx, func(tx *sqldb.Tx) error {
		var oldest time.Time
		err := tx.QueryRow(ctx, `SELECT occur_time FROM outbox WHERE published_time IS NULL
			ORDER BY occur_time, fact_id LIMIT 1`).Scan(&oldest)
		if sqldb.NoRows(err) {
			age = 0
			return nil
		}
		age = max(0, tx.Now().Sub(oldest))
		return err
	})
	return age, err
}

func (r *Relay) remember(subject string) {
	root, _, _ := strings.Cut(subject, ".")
	r.root.Store(root)
}

// Waiting tells how many facts of the database the bus has not taken yet, those that it refuses left out.
func Waiting(ctx context.Context, db *sqldb.DB) (n int, err error) {
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM outbox WHERE published_time IS NULL AND parked_until IS NULL`).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("count outbox rows that wait: %w", err)
	}
	return n, nil
}
