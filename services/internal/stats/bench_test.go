package stats_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
)

// medium is a schema of the size that a service has.
func medium(t testing.TB) *stats.Schema {
	t.Helper()
	s, err := stats.NewSchema(
		[]string{"organization", "receiver", "condition", "doctor"},
		[]stats.Counter{{Name: "submitted"}, {Name: "arrived"}, {Name: "concluded"}, {Name: "returned"}, {Name: "time_to_answer", Timed: true}},
		[]stats.Cube{
			{Grain: stats.Month, Dimensions: []string{"organization"}},
			{Grain: stats.Month, Dimensions: []string{"organization", "receiver"}},
			{Grain: stats.Month, Dimensions: []string{"condition"}},
			{Grain: stats.Day, Dimensions: []string{"organization"}},
			{Grain: stats.Day, Dimensions: []string{"organization", "doctor"}},
		})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// seedCube are the totals of one cube for a number of cases in the years before 2027: every combination of its
// dimensions, or as many of them as there are cases. $1 cases, $2 years.
const seedCube = `SELECT '450321', '%[1]s', c.counter, to_char(p, 'YYYYMMDD')::integer AS period, %[3]s, c.bucket, 1 + $1::bigint / c.share / cells.n
	FROM generate_series(timestamp '2027-01-01' - make_interval(years => $2::integer), '2026-12-31', '1 %[2]s') AS p
	CROSS JOIN (SELECT unnest(array['submitted', 'arrived', 'concluded', 'returned']) AS counter, 0 AS bucket, 1 AS share
		UNION ALL SELECT 'time_to_answer', generate_series(4, 18, 2), 8) AS c
	CROSS JOIN generate_series(1, %[4]d) AS a CROSS JOIN generate_series(1, %[5]d) AS b
	CROSS JOIN LATERAL (SELECT %[6]d::bigint * $2::bigint * %[4]d * %[5]d AS n) AS cells
	WHERE random() < $1::float8 / c.share / cells.n`

// seed fills the totals in the order of time, as life does, so that the rows of one cube lie among those of the others.
func seed(b *testing.B, db *sqldb.DB, cases, years int) {
	organization := "'organization-' || a"
	cubes := []string{
		fmt.Sprintf(seedCube, "M1", "month", organization+", '', '', ''", 40, 1, 12),
		fmt.Sprintf(seedCube, "M1.2", "month", organization+", 'organization-' || b, '', ''", 40, 8, 12),
		fmt.Sprintf(seedCube, "M3", "month", "'', '', 'I' || a, ''", 200, 1, 12),
		fmt.Sprintf(seedCube, "D1", "day", organization+", '', '', ''", 40, 1, 365),
		fmt.Sprintf(seedCube, "D1.4", "day", organization+", '', '', 'doctor-' || a || '-' || b", 40, 2, 365),
	}
	text := "INSERT INTO statistics_total (county_code, cube, counter, period, d1, d2, d3, d4, bucket, n) SELECT * FROM (" +
		strings.Join(cubes, " UNION ALL ") + ") AS every_cube ORDER BY period, random()"
	err := db.Update(b.Context(), func(tx *sqldb.Tx) error {
		return tx.Batch(b.Context(), sqldb.Stmt{SQL: text, Args: []any{cases, years}, Want: -1}, sqldb.Stmt{SQL: "ANALYZE statistics_total"})
	})
	if err != nil {
		b.Fatal(err)
	}
	var fresh []stats.Cell
	for i := range 500 {
		c := cell("submitted", "2026-12-30", fmt.Sprintf("organization-%d", 1+i%40), "")
		delete(c.Dimensions, "kind")
		fresh = append(fresh, c)
	}
	write(b, db, medium(b), fresh...)
}

// BenchmarkReadYearByMonthAndOrganization holds the same question against ten thousand cases of one year and against ten
// million of ten years (or as many as STATISTICS_BENCH_CASES says; seeding ten million takes minutes), with 500 deltas that
// wait to be folded. The sizes take turns, because machines are noisy; the ratio is that of the medians. -v shows the
// query plans.
func BenchmarkReadYearByMonthAndOrganization(b *testing.B) {
	large := 10_000_000
	if text := os.Getenv("STATISTICS_BENCH_CASES"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatal(err)
		}
		large = n
	}
	s, q := medium(b), year("organization")
	q.Counters = []string{"submitted", "arrived", "concluded", "returned", "time_to_answer"}
	sizes := []struct{ cases, years int }{{10_000, 1}, {large, 10}}
	dbs, took := make([]*sqldb.DB, len(sizes)), make([][]time.Duration, len(sizes))
	for i, size := range sizes {
		dbs[i] = dbtest.Postgres(b, sets())
		seed(b, dbs[i], size.cases, size.years)
		b.Logf("%d cases: %d rows of totals\n%s", size.cases, count(b, dbs[i], "SELECT count(*) FROM statistics_total"), plan(b, dbs[i], s, q))
	}
	for range 5 {
		for i, size := range sizes {
			b.Run(strconv.Itoa(size.cases), func(b *testing.B) {
				rows := 0
				for b.Loop() {
					rows = len(read(b, dbs[i], s, q))
				}
				took[i] = append(took[i], b.Elapsed()/time.Duration(b.N))
				b.ReportMetric(float64(rows), "rows")
			})
		}
	}
	for i := range took {
		slices.Sort(took[i])
		b.Logf("%d cases: %s", sizes[i].cases, took[i])
	}
	middle := len(took[0]) / 2
	b.Logf("ratio %.2f", float64(took[1][middle])/float64(took[0][middle]))
}

// plan is how PostgreSQL answers the query.
func plan(b *testing.B, db *sqldb.DB, s *stats.Schema, q stats.Query) string {
	var lines []string
	err := db.View(b.Context(), func(tx *sqldb.Tx) error {
		text, args, err := s.SQL(tx, q)
		if err != nil {
			return err
		}
		rows, err := tx.Query(b.Context(), "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) "+text, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				return err
			}
			lines = append(lines, line)
		}
		return rows.Err()
	})
	if err != nil {
		b.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// BenchmarkStmts is what a change pays before the database: five cells, which become one INSERT.
func BenchmarkStmts(b *testing.B) {
	s := clinic(b)
	cells := []stats.Cell{answered(time.Hour)}
	for _, organization := range []string{"wl", "xa"} {
		cells = append(cells, cell("submitted", "2026-03-18", organization, "EXAM"), cell("arrived", "2026-03-18", organization, "EXAM"))
	}
	b.ReportAllocs()
	for b.Loop() {
		if stmts, err := s.Stmts(cells...); err != nil || len(stmts) != 1 {
			b.Fatal(stmts, err)
		}
	}
}

// BenchmarkFold folds a thousand deltas, each of a cell of its own and added to five cubes.
func BenchmarkFold(b *testing.B) {
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		b.Run(string(engine), func(b *testing.B) {
			db, s := dbtest.OpenClock(b, engine, dbtest.Clock(b), sets()), medium(b)
			var cells []stats.Cell
			for i := range 1000 {
				c := cell("submitted", "2026-03-18", fmt.Sprint(i%40), "")
				c.Dimensions["doctor"], c.Dimensions["condition"] = fmt.Sprint(i%300), fmt.Sprint(i)
				delete(c.Dimensions, "kind")
				cells = append(cells, c)
			}
			folder := stats.NewFolder(db, s)
			for b.Loop() {
				b.StopTimer()
				write(b, db, s, cells...)
				b.StartTimer()
				if err := folder.Fold(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
