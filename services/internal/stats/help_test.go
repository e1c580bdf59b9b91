package stats_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const county = "450321"

func sets() []sqldb.MigrationSet { return []sqldb.MigrationSet{sqldb.Migrations, stats.Migrations} }

// clinic is a small schema: two dimensions that are kept together by day, one that is kept apart.
func clinic(t testing.TB) *stats.Schema {
	t.Helper()
	s, err := stats.NewSchema(
		[]string{"organization", "kind", "doctor"},
		[]stats.Counter{{Name: "submitted"}, {Name: "arrived"}, {Name: "time_to_answer", Timed: true}},
		[]stats.Cube{
			{Grain: stats.Month, Dimensions: []string{"organization"}},
			{Grain: stats.Month, Dimensions: []string{"doctor"}},
			{Grain: stats.Day, Dimensions: []string{"kind", "organization"}},
		})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func cell(counter string, day stats.Date, organization, kind string) stats.Cell {
	return stats.Cell{
		County: county, Counter: counter, Day: day, N: 1,
		Dimensions: map[string]string{"organization": organization, "kind": kind, "doctor": "dr-" + organization},
	}
}

func write(t testing.TB, db *sqldb.DB, s *stats.Schema, cells ...stats.Cell) {
	t.Helper()
	stmts, err := s.Stmts(cells...)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(t.Context(), func(tx *sqldb.Tx) error { return tx.Last(t.Context(), stmts...) }); err != nil {
		t.Fatal(err)
	}
}

func fold(t testing.TB, db *sqldb.DB, s *stats.Schema) {
	t.Helper()
	if err := stats.NewFolder(db, s).Fold(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, db *sqldb.DB, s *stats.Schema, q stats.Query) []stats.Row {
	t.Helper()
	rows, err := tryRead(t.Context(), db, s, q)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func tryRead(ctx context.Context, db *sqldb.DB, s *stats.Schema, q stats.Query) (rows []stats.Row, err error) {
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err = s.Read(ctx, tx, q)
		return err
	})
	return rows, err
}

// year asks for a year of counters by month.
func year(groupBy ...string) stats.Query {
	return stats.Query{
		County: county, Counters: []string{"submitted", "arrived"}, From: "2026-01-01", To: "2027-01-01",
		Grain: stats.Month, GroupBy: groupBy,
	}
}

// lines make rows comparable: "2026-01-01 wl/ADVICE submitted 3".
func lines(rows []stats.Row) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = fmt.Sprintf("%s %s %s %d", r.Period, strings.Join(r.Key, "/"), r.Counter, r.N)
	}
	return out
}

func same(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// count asks the database itself.
func count(t testing.TB, db *sqldb.DB, query string, args ...any) (n int) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *sqldb.Tx) error { return tx.QueryRow(t.Context(), query, args...).Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func refused(t testing.TB, err error, field, reason string) {
	t.Helper()
	e, ok := errs.As(err)
	if !ok || e.Kind != errs.KindInvalid || len(e.Fields) == 0 || e.Fields[0].Name != field || e.Fields[0].Reason != reason {
		t.Errorf("got %v, want %s refused with %s", err, field, reason)
	}
}

// caseMigrations are a table of what happened, as a service has one.
func caseMigrations() sqldb.MigrationSet {
	file := &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE happened (county_code text NOT NULL, organization text NOT NULL);\n")}
	return sqldb.MigrationSet{Name: "cases", FS: fstest.MapFS{"postgres/0001_cases.sql": file, "sqlite/0001_cases.sql": file}}
}
