package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Tx is one transaction. It carries its own time.
type Tx struct {
	engine   Engine
	mode     mode
	state    state
	ctx      context.Context // of Update, View or Read: its end is the end of the transaction
	conn     *sql.Conn
	tx       *sql.Tx // on SQLite; on PostgreSQL the connection itself is told to begin and to commit
	now      time.Time
	failed   error
	over     bool // Last was called
	onCommit []func()
}

// Now is the instant of the transaction: the process's clock when it began, UTC, whole microseconds, the same for its
// whole length. A repeated transaction has a new one.
func (tx *Tx) Now() time.Time { return tx.now }

// Engine tells which database this is.
func (tx *Tx) Engine() Engine { return tx.engine }

// Exec runs a statement and tells how many rows it touched.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := tx.writable(); err != nil {
		return 0, err
	}
	if tx.engine == Postgres && tx.state == fresh {
		n, err := tx.beginWith(ctx, query, args)
		if err != nil {
			return 0, tx.fail(err)
		}
		return n, nil
	}
	res, err := tx.on().ExecContext(ctx, query, tx.normal(args)...)
	if err != nil {
		return 0, tx.fail(tx.describe(ctx, err))
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, tx.fail(clean(err))
	}
	return n, nil
}

// Query runs a query. The caller closes the rows before the next statement and checks their Err.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := tx.begin(ctx, query); err != nil {
		return nil, err
	}
	rows, err := tx.on().QueryContext(ctx, query, tx.normal(args)...)
	if err != nil {
		return nil, tx.fail(tx.describe(ctx, err))
	}
	return rows, nil
}

// Row is the answer of QueryRow.
type Row struct {
	row *sql.Row
	err error
}

// Scan is that of sql.Row.
func (r *Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	return r.row.Scan(dest...)
}

// QueryRow runs a query for at most one row; no row is found out by NoRows on the error of Scan. That error is the
// driver's own, so IsUnique finds columns instead of a name on SQLite: insert through Exec or Batch where it matters.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) *Row {
	if err := tx.begin(ctx, query); err != nil {
		return &Row{err: err}
	}
	row := tx.on().QueryRowContext(ctx, query, tx.normal(args)...)
	if err := row.Err(); err != nil && tx.failed == nil {
		tx.failed = clean(err)
	}
	return &Row{row: row}
}

// OnCommit calls f after the commit, in the order given, and not at all after a roll-back. f must be quick and must
// not use the transaction.
func (tx *Tx) OnCommit(f func()) { tx.onCommit = append(tx.onCommit, f) }

// ForUpdate ends a SELECT whose rows stay as read until the transaction ends. On SQLite an Update is alone anyway.
func (tx *Tx) ForUpdate() string {
	if tx.engine == Postgres {
		return " FOR UPDATE"
	}
	return ""
}

// SkipLocked is ForUpdate that leaves out rows which another transaction holds.
func (tx *Tx) SkipLocked() string {
	if tx.engine == Postgres {
		return " FOR UPDATE SKIP LOCKED"
	}
	return ""
}

// List is the condition that column is one of ss, as one argument at position n. An empty list matches nothing.
func (tx *Tx) List(column string, n int, ss []string) (frag string, arg any) {
	if ss == nil {
		ss = []string{}
	}
	if tx.engine == Postgres {
		return fmt.Sprintf("%s = ANY($%d)", column, n), ss
	}
	// Strings always marshal.
	text, _ := json.Marshal(ss)
	return fmt.Sprintf("%s IN (SELECT value FROM json_each($%d))", column, n), string(text)
}

// normal cuts instants to microseconds, as PostgreSQL's driver does: SQLite would keep the rest.
func (tx *Tx) normal(args []any) []any {
	if tx.engine != SQLite {
		return args
	}
	var out []any
	for i, a := range args {
		var cut any
		switch v := a.(type) {
		case time.Time:
			cut = v.UTC().Truncate(time.Microsecond)
		case *time.Time:
			if v == nil {
				continue
			}
			cut = v.UTC().Truncate(time.Microsecond)
		case sql.NullTime:
			v.Time = v.Time.UTC().Truncate(time.Microsecond)
			cut = v
		case sql.Null[time.Time]:
			v.V = v.V.UTC().Truncate(time.Microsecond)
			cut = v
		default:
			continue
		}
		if out == nil {
			out = slices.Clone(args)
		}
		out[i] = cut
	}
	if out == nil {
		return args
	}
	return out
}

// fail makes err the answer of everything that follows in this transaction.
func (tx *Tx) fail(err error) error {
	tx.failed = err
	return err
}
