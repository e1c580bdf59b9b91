package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/events"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/store"
)

const (
	benchDays        = 90
	benchDepartments = 20
	benchSessions    = 10 // a department and day: 200 a day in all
	benchSlots       = 10
	benchFind        = 10
)

// BenchmarkFindSlots makes 90 days of 200 sessions a day, ten slots each, of which somebody has seven of ten, in the first two weeks 19 of 20, and finds the
// ten earliest free ones of ten sessions. It takes turns with the plain query along the same index, which reads ten rows and knows neither who has a slot
// nor sessions, devices or pools, and reports the 50th and 99th percentile of both and their ratio.
//
//	TEST_POSTGRES_URL=… go test ./services/scheduling/internal/store -run '^$' -bench FindSlots -benchtime 1x
func BenchmarkFindSlots(b *testing.B) {
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		b.Run(string(engine), func(b *testing.B) {
			sets := []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations, audit.Migrations, store.Migrations}
			db := dbtest.OpenClock(b, engine, clock.System(), sets)
			first := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
			fillSlots(b, db, first)
			s := store.New(db, events.Encode, func() {})
			for _, search := range []struct {
				name        string
				departments int
			}{{"one-department", 1}, {"five-departments", 5}, {"all-of-the-hospital", 0}} {
				b.Run(search.name, func(b *testing.B) { findTurns(b, db, s, first, search.departments) })
			}
		})
	}
}

func department(i int) string { return fmt.Sprintf("%02d", i+1) }

// findTurns measures both queries in turns.
func findTurns(b *testing.B, db *sqldb.DB, s *store.Store, first time.Time, departments int) {
	const turns = 300
	random := rand.New(rand.NewPCG(1, 2))
	last := first.AddDate(0, 0, benchDays)
	var plain, found []time.Duration
	for range b.N {
		plain, found = plain[:0], found[:0]
		for range turns {
			pick := random.Perm(benchDepartments)
			begin := time.Now()
			if n := plainQuery(b, db, department(pick[0]), first, last); n != benchFind {
				b.Fatalf("%d slots by the plain query", n)
			}
			plain = append(plain, time.Since(begin))
			q := app.FindQuery{County: "450321", OrganizationIDs: []string{"hospital"}, From: first, To: last, Limit: benchFind,
				Before: func(string) app.Bounds { return app.Bounds{Common: last, Reserved: last, Expert: last} }}
			for _, d := range pick[:departments] {
				q.Departments = append(q.Departments, department(d))
			}
			begin = time.Now()
			slots, err := s.FindSlots(b.Context(), q)
			found = append(found, time.Since(begin))
			if err != nil || len(slots) != benchFind {
				b.Fatalf("%d slots, %v", len(slots), err)
			}
		}
	}
	at := func(spans []time.Duration, percent int) float64 {
		slices.Sort(spans)
		return float64(spans[len(spans)*percent/100]) / float64(time.Microsecond)
	}
	b.ReportMetric(0, "ns/op") // what counts is below
	b.ReportMetric(at(plain, 50), "plain-p50-µs")
	b.ReportMetric(at(plain, 99), "plain-p99-µs")
	b.ReportMetric(at(found, 50), "find-p50-µs")
	b.ReportMetric(at(found, 99), "find-p99-µs")
	b.ReportMetric(at(found, 99)/at(plain, 99), "p99-ratio")
}

func plainQuery(b *testing.B, db *sqldb.DB, department string, from, to time.Time) (n int) {
	b.Helper()
	err := db.Read(b.Context(), func(tx *sqldb.Tx) error {
		rows, err := tx.Query(b.Context(), `SELECT id, session_id, start_time, end_time FROM slot WHERE county_code = $1 AND organization_id = $2
			AND department_code = $3 AND closed_by = '' AND start_time >= $4 AND start_time < $5 ORDER BY start_time, id LIMIT $6`,
			"450321", "hospital", department, from, to, benchFind)
		if err != nil {
			return err
		}
		defer rows.Close()
		for n = 0; rows.Next(); n++ {
			var id, session string
			var start, end time.Time
			if err := rows.Scan(&id, &session, &start, &end); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// inserts collects rows for one table as statements of a few rows each.
type inserts struct {
	into  string
	width int
	args  []any
	stmts []sqldb.Stmt
}

func (i *inserts) add(row ...any) {
	if i.args = append(i.args, row...); len(i.args) >= 50*i.width {
		i.end()
	}
}

func (i *inserts) end() {
	var rows []string
	for at := 0; at < len(i.args); at += i.width {
		numbers := make([]string, i.width)
		for c := range numbers {
			numbers[c] = fmt.Sprintf("$%d", at+c+1)
		}
		rows = append(rows, "("+strings.Join(numbers, ", ")+")")
	}
	if len(rows) > 0 {
		i.stmts = append(i.stmts, sqldb.Stmt{SQL: "INSERT INTO " + i.into + " VALUES " + strings.Join(rows, ", "), Args: i.args, Want: int64(len(rows))})
		i.args = nil
	}
}

// write writes the rows of all tables in one transaction, in the order given.
func write(b *testing.B, db *sqldb.DB, tables ...*inserts) {
	b.Helper()
	var stmts []sqldb.Stmt
	for _, t := range tables {
		t.end()
		stmts, t.stmts = append(stmts, t.stmts...), nil
	}
	if err := db.Update(b.Context(), func(tx *sqldb.Tx) error { return tx.Batch(b.Context(), stmts...) }); err != nil {
		b.Fatal(err)
	}
}

func fillSlots(b *testing.B, db *sqldb.DB, first time.Time) {
	b.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	sessions := &inserts{width: 12, into: `session (county_code, id, organization_id, department_code, kind, practitioner_id, practitioner_name,
		location, start_time, end_time, slot_minutes, create_time)`}
	slots := &inserts{width: 8, into: "slot (county_code, id, session_id, organization_id, department_code, start_time, end_time, pool)"}
	taken := &inserts{width: 3, into: "occupancy (county_code, place_id, hold_id)"}
	for day := range benchDays {
		// Half of them in the morning, half in the afternoon.
		start := func(n int) time.Time {
			return first.AddDate(0, 0, day).Add(time.Duration(6*(n/benchDepartments%2)) * time.Hour)
		}
		name := func(n int) string { return fmt.Sprintf("s-%02d-%03d", day, n) }
		for n := range benchDepartments * benchSessions {
			sessions.add("450321", name(n), "hospital", department(n%benchDepartments), "CLINIC", "p", "甲", "2F", start(n), start(n).Add(benchSlots*15*time.Minute),
				15, first)
		}
		for n := range benchDepartments * benchSessions * benchSlots {
			session, i := n/benchSlots, n%benchSlots
			at := start(session).Add(time.Duration(i) * 15 * time.Minute)
			slot, pool, full := fmt.Sprintf("%08x-%s-%d", random.Uint32(), name(session), i), "COMMON", 14
			if i < 3 {
				pool = "RESERVED"
			}
			if day < 14 {
				full = 19
			}
			slots.add("450321", slot, name(session), "hospital", department(session%benchDepartments), at, at.Add(15*time.Minute), pool)
			if random.IntN(20) < full {
				taken.add("450321", slot, "h-"+slot)
			}
		}
		write(b, db, sessions, slots, taken)
	}
	err := db.Update(b.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(b.Context(), "ANALYZE")
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}
