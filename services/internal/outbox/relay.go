package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

const (
	lockName       = "outbox-relay"
	batchSize      = 256             // rows read and published at a time
	publishTimeout = 3 * time.Second // for one batch; what is not acknowledged in time goes again
	busyPause      = 20 * time.Millisecond
	parkTime       = time.Hour   // a row that the bus will never take is tried again after this
	pollEvery      = time.Second // when nobody wakes the relay: rows of other processes that died
	backoffMin     = 100 * time.Millisecond
	backoffMax     = 5 * time.Second
	pruneEvery     = time.Hour
)

// Relay publishes what the outbox holds. Make one for each process and database; Wake may be called by anybody.
type Relay struct {
	db     *sqldb.DB
	bus    bus.Bus
	clk    clock.Clock
	logger *slog.Logger
	wake   chan struct{}
	root   atomic.Value // string: what the subjects begin with, for the metric
}

// NewRelay gives a relay that Run starts.
func NewRelay(db *sqldb.DB, b bus.Bus, clk clock.Clock, logger *slog.Logger) *Relay {
	return &Relay{db: db, bus: b, clk: clk, logger: logger, wake: make(chan struct{}, 1)}
}

// Wake tells the relay that rows were committed: tx.OnCommit(relay.Wake). It never blocks.
func (r *Relay) Wake() {
	select {
	case r.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Run publishes until ctx ends, and then returns nil once the batch under way is done. Errors of the database and of
// the bus are logged and tried again; meanwhile the rows wait. It also deletes, at first and then once an hour, what outbox, inbox and
// request log need not keep any longer.
func (r *Relay) Run(ctx context.Context) error {
	stopMetric := r.measure()
	defer stopMetric()
	failures := 0
	var pruned time.Time
	for ctx.Err() == nil {
		if now := r.clk.Now(); now.Sub(pruned) >= pruneEvery {
			pruned = now
			r.prune(ctx)
		}
		n, busy, err := r.pass(ctx, failures > 0)
		failures = r.note(ctx, failures, err)
		wake, wait := r.wake, pollEvery
		switch {
		case failures > 0:
			// Waking must not turn into a busy loop against a bus that is away.
			wake, wait = nil, backoff(failures)
		case n == batchSize:
			continue
		case busy:
			// The other may have read before our rows were there.
			wake, wait = nil, busyPause
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-wake:
		}
		timer.Stop()
	}
	return nil
}

func backoff(failures int) time.Duration {
	d := min(backoffMin<<min(failures-1, 10), backoffMax)
	return d/2 + rand.N(d/2)
}

func (r *Relay) note(ctx context.Context, failures int, err error) int {
	switch {
	case err == nil && failures > 0:
		r.logger.InfoContext(ctx, "outbox is published again", "attempts", failures)
	case err != nil && ctx.Err() != nil:
		return failures
	case err != nil && failures&(failures-1) == 0:
		// The first, second, third, fifth, ninth … in a row.
		r.logger.WarnContext(ctx, "outbox rows wait", "attempts", failures+1, "error", err)
	}
	if err != nil {
		return failures + 1
	}
	return 0
}

// pass publishes one batch and tells how many rows it held; busy means that another relay is at it.
func (r *Relay) pass(ctx context.Context, failedBefore bool) (n int, busy bool, err error) {
	if failedBefore {
		// Cheaper than reading rows in vain.
		if err := r.ready(ctx); err != nil {
			return 0, false, err
		}
	}
	alone, err := r.db.Alone(ctx, lockName, func() error {
		rows, err := r.waiting(ctx)
		n = len(rows)
		if err != nil || n == 0 {
			return err
		}
		// A batch that was begun is brought to its end, bounded, also when the relay is being stopped.
		ctx := context.WithoutCancel(ctx)
		failed, publishErr := r.publish(ctx, rows)
		if publishErr != nil && failed == nil {
			return publishErr
		}
		return errors.Join(publishErr, r.settle(ctx, rows, failed))
	})
	return n, err == nil && !alone, err
}

func (r *Relay) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	return r.bus.Ready(ctx)
}

// row is a fact that waits.
type row struct {
	county string
	msg    bus.Msg
}

func (r *Relay) waiting(ctx context.Context) (rows []row, err error) {
	err = r.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err = read(ctx, tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read outbox rows: %w", err)
	}
	return rows, nil
}

func read(ctx context.Context, tx *sqldb.Tx) ([]row, error) {
	found, err := tx.Query(ctx, `SELECT county_code, fact_id, subject, type, payload, traceparent, occur_time FROM outbox
		WHERE published_time IS NULL AND (parked_until IS NULL OR parked_until <= $1)
		ORDER BY occur_time, fact_id LIMIT $2`, tx.Now(), batchSize)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var rows []row
	for found.Next() {
		var x row
		var parent string
		if err := found.Scan(&x.county, &x.msg.ID, &x.msg.Subject, &x.msg.Type, &x.msg.Payload, &parent, &x.msg.Time); err != nil {
			return nil, err
		}
		if parent != "" {
			x.msg.Header = map[string]string{traceHeader: parent}
		}
		rows = append(rows, x)
	}
	return rows, found.Err()
}

func (r *Relay) publish(ctx context.Context, rows []row) (failed map[string]error, err error) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	msgs := make([]bus.Msg, len(rows))
	for i, x := range rows {
		msgs[i] = x.msg
	}
	failed, err = r.bus.Publish(ctx, msgs...)
	if err == nil {
		return nil, nil
	}
	if len(failed) == 0 {
		return nil, fmt.Errorf("publish outbox rows: %w", err)
	}
	// Rows that will never be taken are parked; only the others say that the bus is away.
	var away error
	for id, e := range failed {
		if errs.KindOf(e) == errs.KindInvalid {
			r.logger.ErrorContext(ctx, "the bus refuses an outbox row", "fact_id", id, "error", e)
		} else {
			away = fmt.Errorf("publish outbox rows: %w", err)
		}
	}
	return failed, away
}

// settle marks what the bus has acknowledged and parks what it has refused for good. The rest simply waits.
func (r *Relay) settle(ctx context.Context, rows []row, failed map[string]error) error {
	var published, parked []row
	for _, x := range rows {
		err, bad := failed[x.msg.ID]
		switch {
		case !bad:
			published = append(published, x)
		case errs.KindOf(err) == errs.KindInvalid:
			parked = append(parked, x)
		}
	}
	if len(published)+len(parked) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	err := r.db.Update(ctx, func(tx *sqldb.Tx) error {
		stmts := byCounty(tx, published, "published_time = COALESCE(published_time, $1), parked_until = NULL", tx.Now())
		return tx.Last(ctx, append(stmts, byCounty(tx, parked, "parked_until = $1", tx.Now().Add(parkTime))...)...)
	})
	if err != nil {
		return fmt.Errorf("mark outbox rows: %w", err)
	}
	if len(published) > 0 {
		r.remember(published[0].msg.Subject)
	}
	return nil
}

// byCounty sets something on rows, with one statement for each county, because the county leads the key. It asks for
// nothing beside the key: PostgreSQL would go by the index of the waiting rows, which is full of what is done.
func byCounty(tx *sqldb.Tx, rows []row, set string, value any) []sqldb.Stmt {
	ids := make(map[string][]string)
	var counties []string
	for _, x := range rows {
		if ids[x.county] == nil {
			counties = append(counties, x.county)
		}
		ids[x.county] = append(ids[x.county], x.msg.ID)
	}
	stmts := make([]sqldb.Stmt, 0, len(counties))
	for _, county := range counties {
		frag, arg := tx.List("fact_id", 3, ids[county])
		stmts = append(stmts, sqldb.Stmt{
			SQL:  "UPDATE outbox SET " + set + " WHERE county_code = $2 AND " + frag,
			Args: []any{value, county, arg},
			Want: -1,
		})
	}
	return stmts
}
