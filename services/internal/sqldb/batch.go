package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/XSAM/otelsql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Stmt is one writing statement of a batch. One with empty SQL is left out.
type Stmt struct {
	SQL  string
	Args []any
	// Want is how many rows it must touch; -1 is any number. (The zero value demands that nothing was touched.)
	Want int64
}

// ErrConditionFailed is in the chain of the error of a statement that touched another number of rows than it wanted.
var ErrConditionFailed = errors.New("statement touched another number of rows than wanted")

// ConditionError tells which statement of a batch (counted from 0, as given) touched another number of rows than it
// wanted. The transaction is over.
type ConditionError struct {
	Index     int
	Want, Got int64
}

// Error names the statement.
func (e *ConditionError) Error() string {
	return fmt.Sprintf("statement %d touched %d rows, wanted %d", e.Index, e.Got, e.Want)
}

// Unwrap makes errors.Is(err, ErrConditionFailed) true.
func (e *ConditionError) Unwrap() error { return ErrConditionFailed }

// Batch runs the statements in their order: in one round trip on PostgreSQL, one by one on SQLite. The error is that
// of the first statement that failed or missed its Want, and ends the transaction.
func (tx *Tx) Batch(ctx context.Context, stmts ...Stmt) error { return tx.batch(ctx, stmts, false) }

// Last is the Batch with which an Update ends: PostgreSQL commits in the same round trip, unless a statement may miss
// its Want. Nothing can be done in the transaction after it; the function answers its error, and no other.
func (tx *Tx) Last(ctx context.Context, stmts ...Stmt) error {
	err := tx.batch(ctx, stmts, !slices.ContainsFunc(stmts, mayMiss))
	tx.over = true
	return err
}

// mayMiss tells whether a statement can succeed and still touch another number of rows than it wants. A plain INSERT
// cannot.
func mayMiss(s Stmt) bool {
	plain := strings.HasPrefix(s.SQL, "INSERT INTO ") && !strings.Contains(s.SQL, "ON CONFLICT") && !strings.Contains(s.SQL, "SELECT")
	return s.SQL != "" && s.Want >= 0 && !plain
}

func (tx *Tx) batch(ctx context.Context, stmts []Stmt, last bool) error {
	if err := tx.writable(); err != nil {
		return err
	}
	some := slices.ContainsFunc(stmts, func(s Stmt) bool { return s.SQL != "" })
	var err error
	switch {
	case tx.engine != Postgres:
		err = tx.oneByOne(ctx, stmts)
	case some:
		err = tx.pipeline(ctx, stmts, last)
	}
	if err != nil {
		return tx.fail(err)
	}
	return nil
}

func (tx *Tx) oneByOne(ctx context.Context, stmts []Stmt) error {
	for i, s := range stmts {
		if s.SQL == "" {
			continue
		}
		n, err := tx.Exec(ctx, s.SQL, s.Args...)
		if err != nil {
			return fmt.Errorf("statement %d: %w", i, err)
		}
		if s.Want >= 0 && n != s.Want {
			return &ConditionError{Index: i, Want: s.Want, Got: n}
		}
	}
	return nil
}

func (tx *Tx) pipeline(ctx context.Context, stmts []Stmt, last bool) error {
	ctx, end := span(ctx, "sql.batch", "", len(stmts))
	err := tx.raw(func(pg *pgx.Conn) error {
		var batch pgx.Batch
		began := tx.queueBegin(&batch)
		for _, s := range stmts {
			if s.SQL != "" {
				batch.Queue(s.SQL, s.Args...)
			}
		}
		if last {
			batch.Queue("COMMIT")
		}
		results := pg.SendBatch(ctx, &batch)
		var failure error
		if began {
			_, failure = results.Exec()
			failure = clean(failure)
		}
		if failure == nil {
			failure = readResults(results, stmts)
		}
		if failure == nil && last {
			failure = tx.readCommit(results)
		}
		if err := results.Close(); failure == nil && err != nil {
			return clean(err)
		}
		return failure
	})
	end(err)
	return err
}

func (tx *Tx) readCommit(results pgx.BatchResults) error {
	tag, err := results.Exec()
	switch {
	case err != nil:
		return fmt.Errorf("commit: %w", clean(err))
	case tag.String() != "COMMIT":
		return errRolledBack
	}
	tx.state = committed
	return nil
}

func readResults(results pgx.BatchResults, stmts []Stmt) error {
	for i, s := range stmts {
		if s.SQL == "" {
			continue
		}
		tag, err := results.Exec()
		if err != nil {
			return fmt.Errorf("statement %d: %w", i, clean(err))
		}
		if n := tag.RowsAffected(); s.Want >= 0 && n != s.Want {
			return &ConditionError{Index: i, Want: s.Want, Got: n}
		}
	}
	return nil
}

// raw hands out the driver's connection, inside the open transaction or before it. The transaction may be gone (the
// server ended it); what were sent then would commit by itself, so the state is asked for first.
func (tx *Tx) raw(f func(*pgx.Conn) error) error {
	want := byte('T')
	if tx.state == fresh {
		want = 'I'
	}
	return tx.connection(func(pg *pgx.Conn) error {
		if pg.PgConn().TxStatus() != want {
			return errTxOver
		}
		return f(pg)
	})
}

func (tx *Tx) connection(f func(*pgx.Conn) error) error {
	// The error of f, which may be a driver's bad connection, must not make database/sql think it may repeat.
	var failure error
	err := tx.conn.Raw(func(dc any) error {
		if wrapped, ok := dc.(interface{ Raw() driver.Conn }); ok {
			dc = wrapped.Raw()
		}
		std, ok := dc.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("unexpected driver connection %T", dc)
		}
		failure = f(std.Conn())
		return nil
	})
	if err != nil {
		return clean(err)
	}
	return failure
}

// abandon rolls back. A connection on which that fails is thrown away.
func (tx *Tx) abandon() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tx.ctx), endTimeout)
	defer cancel()
	_ = tx.connection(func(pg *pgx.Conn) error {
		if pg.IsClosed() || pg.PgConn().TxStatus() == 'I' {
			return nil
		}
		if _, err := pg.Exec(ctx, "ROLLBACK"); err != nil {
			return pg.Close(ctx)
		}
		return nil
	})
}

func insideTrace(ctx context.Context, _ otelsql.Method, _ string, _ []driver.NamedValue) bool {
	return trace.SpanFromContext(ctx).IsRecording()
}

// span is the span that database/sql's instrumentation gives to single statements, for those that go past it.
func span(ctx context.Context, name, query string, statements int) (context.Context, func(error)) {
	if !insideTrace(ctx, "", "", nil) {
		return ctx, func(error) {}
	}
	attrs := []attribute.KeyValue{attribute.String("db.system.name", string(Postgres)), attribute.Int("db.operation.batch.size", statements)}
	if query != "" {
		attrs = append(attrs, attribute.String("db.query.text", query))
	}
	ctx, span := otel.Tracer("github.com/tongzhen/tongzhen/services/internal/sqldb").Start(ctx, name,
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...))
	return ctx, func(err error) {
		if err != nil {
			span.SetAttributes(attribute.String("error.type", errorClass(err)))
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}
