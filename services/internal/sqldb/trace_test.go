package sqldb_test

import (
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// Not parallel: the instrumentation takes the process's tracer provider.
func TestSpansShowStatementsButNeverArgumentsOrTheDriversWords(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	before := otel.GetTracerProvider()
	otel.SetTracerProvider(provider)
	t.Cleanup(func() { otel.SetTracerProvider(before) })

	const mark = "王小明450321"
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			db := dbtest.OpenClock(t, engine, dbtest.Clock(t), notes())
			spans.Reset()
			if n := count(t, db); n != 0 || len(spans.GetSpans()) != 0 {
				t.Errorf("a statement outside of a trace made %d spans", len(spans.GetSpans()))
			}
			ctx, root := provider.Tracer("test").Start(t.Context(), "root")
			for range 2 {
				// The second time the key is there already.
				_ = db.Update(ctx, func(tx *sqldb.Tx) error { return tx.Batch(ctx, add(mark, mark)) })
			}
			_ = db.Update(ctx, func(tx *sqldb.Tx) error {
				_, err := tx.Exec(ctx, "UPDATE note SET at = CAST(CAST($1 AS text) AS timestamp), n = $2", mark, mark)
				return err
			})
			root.End()
			var statement bool
			for _, s := range spans.GetSpans() {
				text := s.Name + s.Status.Description
				for _, a := range s.Attributes {
					text += " " + a.Value.String()
				}
				for _, e := range s.Events {
					text += " event " + e.Name
					for _, a := range e.Attributes {
						text += " " + a.Value.String()
					}
				}
				statement = statement || strings.Contains(text, "UPDATE note SET at")
				if strings.Contains(text, mark) {
					t.Errorf("a span quotes a value: %s", text)
				}
			}
			if !statement {
				t.Errorf("no span shows the statement, of %d", len(spans.GetSpans()))
			}
		})
	}
}
