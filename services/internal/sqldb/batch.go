package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

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
func (tx *Tx) Batch(ctx context.Context, stmts ...Stmt) error {
	if tx.failed != nil {
		return tx.failed
	}
	var err error
	if tx.engine == Postgres {
		err = tx.pipeline(ctx, stmts)
	} else {
		err = tx.oneByOne(ctx, stmts)
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

func (tx *Tx) pipeline(ctx context.Context, stmts []Stmt) error {
	ctx, end := batchSpan(ctx, len(stmts))
	err := tx.raw(func(pg *pgx.Conn) error {
		var batch pgx.Batch
		for _, s := range stmts {
			if s.SQL != "" {
				batch.Queue(s.SQL, s.Args...)
			}
		}
		results := pg.SendBatch(ctx, &batch)
		failure := readResults(results, stmts)
		if err := results.Close(); failure == nil && err != nil {
			return clean(err)
		}
		return failure
	})
	end(err)
	return err
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

var errTxOver = errors.New("the transaction is over")

// raw hands out the driver's connection, inside the open transaction. database/sql ends a transaction by itself when
// the context of Update ends; what is sent after that would commit by itself, so the state is asked for first.
func (tx *Tx) raw(f func(*pgx.Conn) error) error {
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
		pg := std.Conn()
		if pg.PgConn().TxStatus() != 'T' {
			return errTxOver
		}
		failure = f(pg)
		return nil
	})
	if err != nil {
		return clean(err)
	}
	return failure
}

func insideTrace(ctx context.Context, _ otelsql.Method, _ string, _ []driver.NamedValue) bool {
	return trace.SpanContextFromContext(ctx).IsValid()
}

// batchSpan is the span that database/sql's instrumentation gives to single statements.
func batchSpan(ctx context.Context, statements int) (context.Context, func(error)) {
	if !insideTrace(ctx, "", "", nil) {
		return ctx, func(error) {}
	}
	ctx, span := otel.Tracer("github.com/tongzhen/tongzhen/services/internal/sqldb").Start(ctx, "sql.batch",
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String("db.system.name", string(Postgres)), attribute.Int("db.operation.batch.size", statements)))
	return ctx, func(err error) {
		if err != nil {
			span.SetAttributes(attribute.String("error.type", errorClass(err)))
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}
