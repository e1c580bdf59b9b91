package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// mode is what a transaction was made for.
type mode uint8

const (
	update mode = iota
	view
	single // one query, which is a transaction of its own
)

// state is how far a transaction is.
type state uint8

const (
	fresh state = iota // PostgreSQL was not told yet: BEGIN goes with the first statement
	begun
	committed
)

var (
	errTxOver   = errors.New("the transaction is over")
	errReadOnly = errors.New("a read writes, or makes more than one query")
)

// beginText begins an update or a view.
func (tx *Tx) beginText() string {
	if tx.mode == update {
		return "BEGIN ISOLATION LEVEL READ COMMITTED"
	}
	return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
}

// open begins on SQLite, where it decides who writes next. On PostgreSQL the first statement does.
func (tx *Tx) open() error {
	if tx.engine == Postgres || tx.mode == single {
		return nil
	}
	t, err := tx.conn.BeginTx(tx.ctx, &sql.TxOptions{ReadOnly: tx.mode == view})
	if err != nil {
		return fmt.Errorf("begin transaction: %w", clean(err))
	}
	tx.tx, tx.state = t, begun
	return nil
}

// querier is what a statement runs on.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (tx *Tx) on() querier {
	if tx.tx != nil {
		return tx.tx
	}
	return tx.conn
}

// usable refuses what comes after a failure, after Last and after the end of the context.
func (tx *Tx) usable() error {
	if tx.failed != nil {
		return tx.failed
	}
	if tx.over {
		return tx.fail(errTxOver)
	}
	if err := tx.ctx.Err(); err != nil {
		return tx.fail(err)
	}
	return nil
}

func (tx *Tx) writable() error {
	if err := tx.usable(); err != nil {
		return err
	}
	if tx.mode == single {
		return tx.fail(errReadOnly)
	}
	return nil
}

// begin prepares for a query.
func (tx *Tx) begin(ctx context.Context, query string) error {
	if err := tx.usable(); err != nil {
		return err
	}
	switch {
	case tx.mode == single && (tx.state == begun || !strings.HasPrefix(query, "SELECT ")):
		return tx.fail(errReadOnly)
	case tx.engine == Postgres && tx.mode != single && tx.state == fresh:
		if _, err := tx.conn.ExecContext(ctx, tx.beginText()); err != nil {
			return tx.fail(fmt.Errorf("begin transaction: %w", clean(err)))
		}
	}
	tx.state = begun
	return nil
}

// queueBegin puts BEGIN before the first statements, so that it costs no round trip.
func (tx *Tx) queueBegin(batch *pgx.Batch) (queued bool) {
	if tx.state != fresh {
		return false
	}
	tx.state = begun
	batch.Queue(tx.beginText())
	return true
}

// beginWith begins together with one statement, on PostgreSQL.
func (tx *Tx) beginWith(ctx context.Context, query string, args []any) (n int64, err error) {
	ctx, end := span(ctx, "sql.exec", query, 1)
	err = tx.raw(func(pg *pgx.Conn) error {
		var batch pgx.Batch
		tx.queueBegin(&batch)
		batch.Queue(query, args...)
		results := pg.SendBatch(ctx, &batch)
		_, err := results.Exec()
		if err == nil {
			tag, failure := results.Exec()
			n, err = tag.RowsAffected(), failure
		}
		return clean(errors.Join(err, results.Close()))
	})
	end(err)
	return n, err
}

// commit ends well. A context that ended before is a roll-back.
func (tx *Tx) commit() error {
	if tx.state == committed || tx.state == fresh || tx.mode == single {
		tx.state = committed
		return nil
	}
	if err := tx.ctx.Err(); err != nil {
		return fmt.Errorf("commit: %w", clean(err))
	}
	var err error
	if tx.tx != nil {
		err = tx.tx.Commit()
	} else {
		err = tx.end()
	}
	if err != nil {
		return fmt.Errorf("commit: %w", clean(err))
	}
	tx.state = committed
	return nil
}

// end sends COMMIT, not interrupted by the end of the context: what became of it is better known.
func (tx *Tx) end() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tx.ctx), endTimeout)
	defer cancel()
	return tx.raw(func(pg *pgx.Conn) error {
		tag, err := pg.Exec(ctx, "COMMIT")
		if err == nil && tag.String() != "COMMIT" {
			return errRolledBack
		}
		return err
	})
}

const endTimeout = 10 * time.Second

var errRolledBack = errors.New("the database rolled the transaction back")

// rollback ends a transaction that was not committed.
func (tx *Tx) rollback() {
	switch {
	case tx.tx != nil:
		_ = tx.tx.Rollback()
	case tx.engine == Postgres && tx.mode != single && tx.state == begun:
		tx.abandon()
	}
}
