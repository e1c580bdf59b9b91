// Package rekey brings what is sealed in a database under the current data key, while the system serves, and knows what needs which index key.
//
// It owns the walk over the sealed columns and its progress, and since when each index key is used. It refuses to know what is sealed; each service names its columns.
//
// Invariants:
//  1. A value changes only from what it was read as: whoever writes it meanwhile wins.
//  2. A walk that was killed goes on where its last committed batch ended; a value that is under the current key is left alone.
//  3. A column is done when a walk over it ended and no value under another key was left but damaged ones: they are counted and hold up
//     nothing.
//
// Several processes may run on one database: one of them works, by a lease.
package rekey

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/run"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

//go:embed migrations
var files embed.FS

// Migrations are the tables rekey_progress and index_key_use.
var Migrations = sqldb.MigrationSet{Name: "rekey", FS: files}

// Column is one sealed column of a table.
type Column struct {
	Table, Name string
	// Key are the columns of the table's primary key, in its order.
	Key []string
	// With are SQL expressions over the row of which Row needs the values besides those of Key. They may change only together with the value.
	With []string
	// Row is the row's id as the value was sealed for, from the values of Key, then those of With.
	Row func(key []string) string
}

const (
	lease     = "rekey"
	leaseTime = 30 * time.Second
	lookEvery = 2 * time.Second
	batchRows = 100
	// restAfterBatch keeps the walk from taking the database from the people who work.
	restAfterBatch = 20 * time.Millisecond
)

// Deps is what a Walker stands on. Holder names this process and no other, ever.
type Deps struct {
	DB      *sqldb.DB
	Ring    *crypt.Ring
	Columns []Column
	// Hashed are the tables whose hashes no walk can make anew. Terms tells how far search terms are; nil for a service without.
	Hashed []Hashed
	Terms  func(context.Context) (Terms, error)
	Holder string
	Logger *slog.Logger
}

// Walker seals anew. Safe for concurrent use.
type Walker struct{ Deps }

// New makes a Walker that Run starts.
func New(d Deps) *Walker { return &Walker{d} }

// Run looks every two seconds whether a column has values under another key than the current one and seals them anew, a batch to a
// transaction with a rest after each. It ends with ctx and answers nil.
func (w *Walker) Run(ctx context.Context) error {
	run.Every(ctx, lookEvery, nil, w.Walk)
	return nil
}

// Walk seals anew whatever needs it, unless another process is at it.
func (w *Walker) Walk(ctx context.Context) error {
	if err := w.note(ctx); err != nil {
		return err
	}
	open, err := w.unfinished(ctx)
	if err != nil || len(open) == 0 {
		return err
	}
	fence, ours, err := sqldb.AcquireLease(ctx, w.DB, lease, w.Holder, leaseTime)
	if err != nil || !ours {
		return err
	}
	var failed error // of one column: it holds up no other
	for _, c := range open {
		err := w.column(ctx, c)
		switch {
		case errors.Is(err, sqldb.ErrConditionFailed):
			return failed // another process took over
		case ctx.Err() != nil:
			return err
		}
		failed = errors.Join(failed, err)
	}
	if failed != nil {
		return failed // the lease runs out, and the walk is tried again
	}
	return sqldb.ReleaseLease(context.WithoutCancel(ctx), w.DB, lease, fence)
}

// unfinished are the columns that are not done under the current key.
func (w *Walker) unfinished(ctx context.Context) (open []Column, err error) {
	current := w.Ring.Keys().Data
	err = w.DB.View(ctx, func(tx *sqldb.Tx) error {
		open = nil
		for _, c := range w.Columns {
			p, err := c.progress(ctx, tx)
			if err != nil {
				return err
			}
			if p.key != current || !p.done {
				open = append(open, c)
			}
		}
		return nil
	})
	return open, err
}

// column walks until the column is done. The lease is renewed before every batch, and a batch is far shorter than the lease.
func (w *Walker) column(ctx context.Context, c Column) error {
	rest := time.NewTimer(0)
	defer rest.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-rest.C:
		}
		fence, ours, err := sqldb.AcquireLease(ctx, w.DB, lease, w.Holder, leaseTime)
		if err != nil {
			return err
		}
		if !ours {
			return sqldb.ErrConditionFailed
		}
		done := false
		err = w.DB.Update(ctx, func(tx *sqldb.Tx) error {
			done, err = w.batch(ctx, tx, c, fence)
			return err
		})
		if err != nil || done {
			return err
		}
		rest.Reset(restAfterBatch)
	}
}

// batch seals the next rows anew; done says that the column is: a walk from its beginning to its end found nothing to do.
func (w *Walker) batch(ctx context.Context, tx *sqldb.Tx, c Column, fence int64) (done bool, err error) {
	p, err := c.progress(ctx, tx)
	if err != nil {
		return false, err
	}
	if current := w.Ring.Keys().Data; p.key != current {
		p = progress{key: current}
	}
	rows, err := w.stale(ctx, tx, c, p.position)
	if err != nil {
		return false, err
	}
	fromStart := len(p.position) == 0
	if fromStart {
		p.unreadable = 0
	}
	stmts := []sqldb.Stmt{sqldb.FenceStmt(lease, fence)}
	for _, r := range rows {
		p.position = r.key
		s, err := w.anew(c, r)
		if errors.Is(err, crypt.ErrTampered) {
			p.unreadable++
			w.Logger.ErrorContext(ctx, "a sealed value cannot be opened; it is left as it is", "table", c.Table, "column", c.Name, "id", c.Row(r.texts()), "error", err)
			continue
		}
		if err != nil {
			return false, err
		}
		stmts = append(stmts, s)
		p.resealed++
	}
	if len(rows) < batchRows {
		// A batch from the beginning to the end that found nothing to seal: the column is done.
		p.position, p.done = nil, fromStart && p.unreadable == int64(len(rows))
	}
	stmts = append(stmts, c.keep(p, tx.Now()))
	return p.done, tx.Batch(ctx, stmts...)
}

// anew is the statement that replaces a value by the same under the current key.
func (w *Walker) anew(c Column, r row) (sqldb.Stmt, error) {
	id := c.Row(r.texts())
	plain, err := w.Ring.Open(c.Table, c.Name, id, r.sealed)
	if err != nil {
		return sqldb.Stmt{}, err
	}
	sealed, err := w.Ring.Seal(c.Table, c.Name, id, plain)
	if err != nil {
		return sqldb.Stmt{}, err
	}
	args := []any{sealed, r.sealed}
	where := make([]string, len(c.Key))
	for i, column := range c.Key {
		args = append(args, r.key[i])
		where[i] = fmt.Sprintf("%s = $%d", column, len(args))
	}
	return sqldb.Stmt{
		SQL:  "UPDATE " + c.Table + " SET " + c.Name + " = $1 WHERE " + c.Name + " = $2 AND " + strings.Join(where, " AND "),
		Args: args, Want: -1,
	}, nil
}
