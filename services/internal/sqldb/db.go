package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/tongzhen/tongzhen/services/internal/clock"
)

// DB is one database. Safe for concurrent use.
type DB struct {
	engine  Engine
	schema  string
	clk     clock.Clock
	writer  *sql.DB
	reader  *sql.DB // the same pool on PostgreSQL
	metrics []metric.Registration
	held    sync.Map // names of Alone on SQLite
}

// Engine tells which database this is.
func (db *DB) Engine() Engine { return db.engine }

// Close ends all connections. It may be called twice.
func (db *DB) Close() error {
	var all []error
	for _, m := range db.metrics {
		all = append(all, m.Unregister())
	}
	db.metrics = nil
	if db.reader != db.writer {
		all = append(all, db.reader.Close())
	}
	return errors.Join(append(all, db.writer.Close())...)
}

// Ping answers nil when the database answers.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.writer.PingContext(ctx); err != nil {
		return public(clean(err))
	}
	if db.reader == db.writer {
		return nil
	}
	return public(clean(db.reader.PingContext(ctx)))
}

// ClockSkew is how far the process's clock is ahead of the database's (negative: behind), by half a round trip at
// worst wrong. SQLite has no clock of its own: 0. A replica more than 2 s off is not ready.
func (db *DB) ClockSkew(ctx context.Context) (time.Duration, error) {
	if db.engine == SQLite {
		return 0, nil
	}
	var theirs time.Time
	if err := db.writer.QueryRowContext(ctx, "SELECT clock_timestamp()").Scan(&theirs); err != nil {
		return 0, public(clean(err))
	}
	return db.clk.Now().Sub(theirs), nil
}

// maxRetries bounds how often Update repeats what PostgreSQL refused for concurrency alone.
const maxRetries = 3

// Update runs fn in a write transaction and commits it. SQLite: the one writer, locked from the beginning. PostgreSQL:
// read committed; rows that decide something are read with ForUpdate. fn runs again, at most three times, after a
// deadlock or a serialisation failure, so it must start from nothing each time. A commit whose outcome is unknown
// (the connection broke) is not repeated: the answer is Unavailable, and a request id makes the caller's repeat
// harmless. An error of fn rolls back and is answered as it is.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	for attempt := 0; ; attempt++ {
		err := db.once(ctx, db.writer, update, fn)
		if err == nil || attempt == maxRetries || !refusedForConcurrency(err) {
			return public(err)
		}
		select {
		case <-ctx.Done():
			return public(err)
		case <-time.After(time.Duration(1+rand.IntN(10<<attempt)) * time.Millisecond):
		}
	}
}

// View runs fn in a read-only transaction that sees one state of the database throughout.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	return public(db.once(ctx, db.reader, view, fn))
}

// Read runs fn, which makes exactly one query: a View without the round trips of a transaction around it. A second
// statement and one that writes are refused.
func (db *DB) Read(ctx context.Context, fn func(*Tx) error) error {
	return public(db.once(ctx, db.reader, single, fn))
}

func (db *DB) once(ctx context.Context, pool *sql.DB, m mode, fn func(*Tx) error) error {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", clean(err))
	}
	defer func() { _ = conn.Close() }()
	tx := &Tx{engine: db.engine, mode: m, ctx: ctx, conn: conn, now: db.clk.Now().UTC().Truncate(time.Microsecond)}
	// After the commit this does nothing; before, it also covers a panic in fn. It must precede conn.Close.
	defer tx.rollback()
	if err := tx.open(); err != nil {
		return err
	}
	err = fn(tx)
	if err == nil {
		err = tx.failed
	}
	if err == nil {
		err = tx.commit()
	}
	if tx.state == committed {
		for _, f := range tx.onCommit {
			f()
		}
	}
	return err
}
