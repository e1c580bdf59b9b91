package stats_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
)

func TestAnExactAnswerByEveryGrainAndFilter(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := clinic(t)
		for i, d := range []stats.Date{"2026-01-15", "2026-01-16", "2026-02-01", "2026-03-01"} {
			write(t, db, s, cell("submitted", d, "wl", "ADVICE"), cell("submitted", d, "xa", "EXAM"), cell("arrived", d, "xa", "EXAM"))
			if i%2 == 0 {
				fold(t, db, s)
			}
		}
		for name, c := range map[string]struct {
			change func(*stats.Query)
			want   []string
		}{
			"whole": {func(q *stats.Query) { q.Grain = stats.Whole }, []string{"2026-01-01  arrived 4", "2026-01-01  submitted 8"}},
			"half open": {
				func(q *stats.Query) { q.From, q.To, q.Grain = "2026-01-16", "2026-03-01", stats.Whole },
				[]string{"2026-01-16  arrived 2", "2026-01-16  submitted 4"},
			},
			"days": {
				func(q *stats.Query) { q.Grain, q.To, q.Counters = stats.Day, "2026-02-01", []string{"submitted"} },
				[]string{"2026-01-15  submitted 2", "2026-01-16  submitted 2"},
			},
			"months of days": {
				func(q *stats.Query) { q.From, q.Counters = "2026-01-16", []string{"submitted"} },
				[]string{"2026-01-01  submitted 2", "2026-02-01  submitted 2", "2026-03-01  submitted 2"},
			},
			"filter": {
				func(q *stats.Query) {
					q.Grain, q.GroupBy = stats.Whole, []string{"kind", "organization"}
					q.Where = map[string][]string{"kind": {"EXAM", "OUTPATIENT"}}
				},
				[]string{"2026-01-01 EXAM/xa arrived 4", "2026-01-01 EXAM/xa submitted 4"},
			},
			"a filter that is not a group": {
				func(q *stats.Query) {
					q.Grain, q.Where = stats.Whole, map[string][]string{"doctor": {"dr-wl"}}
				},
				[]string{"2026-01-01  submitted 4"},
			},
			"an empty filter":  {func(q *stats.Query) { q.Where = map[string][]string{"doctor": {}} }, nil},
			"an empty period":  {func(q *stats.Query) { q.To = q.From }, nil},
			"no counter":       {func(q *stats.Query) { q.Counters = nil }, nil},
			"nothing happened": {func(q *stats.Query) { q.From, q.To = "2025-01-01", "2026-01-01" }, nil},
		} {
			q := year()
			c.change(&q)
			t.Run(name, func(t *testing.T) { same(t, lines(read(t, db, s, q)), c.want...) })
		}
	})
}

func TestAQueryThatNoCubeServesIsRefusedNamingTheField(t *testing.T) {
	t.Parallel()
	db := dbtest.SQLite(t, sets())
	s := clinic(t)
	for name, c := range map[string]struct {
		change        func(*stats.Query)
		field, reason string
	}{
		"groups": {func(q *stats.Query) { q.GroupBy = []string{"kind", "doctor"} }, "groupBy[1]", errs.ReasonFieldCombination},
		"filter": {
			func(q *stats.Query) {
				q.GroupBy, q.Where = []string{"organization"}, map[string][]string{"doctor": {"dr-wl"}}
			},
			"where.doctor", errs.ReasonFieldCombination,
		},
		"days of a month cube": {
			func(q *stats.Query) { q.GroupBy, q.Grain = []string{"doctor"}, stats.Day }, "grain", errs.ReasonFieldCombination,
		},
		"from": {func(q *stats.Query) { q.GroupBy, q.From = []string{"doctor"}, "2026-01-02" }, "from", errs.ReasonFieldCombination},
		"to":   {func(q *stats.Query) { q.GroupBy, q.To = []string{"doctor"}, "2026-01-02" }, "to", errs.ReasonFieldCombination},

		"unknown counter":      {func(q *stats.Query) { q.Counters = []string{"arrived", "gone"} }, "counters[1]", errs.ReasonFieldUnknown},
		"unknown group":        {func(q *stats.Query) { q.GroupBy = []string{"ward"} }, "groupBy[0]", errs.ReasonFieldUnknown},
		"group twice":          {func(q *stats.Query) { q.GroupBy = []string{"kind", "kind"} }, "groupBy[1]", errs.ReasonFieldInvalid},
		"unknown filter":       {func(q *stats.Query) { q.Where = map[string][]string{"ward": {"7"}} }, "where.ward", errs.ReasonFieldUnknown},
		"unknown grain":        {func(q *stats.Query) { q.Grain = "WEEK" }, "grain", errs.ReasonFieldUnknown},
		"no such day":          {func(q *stats.Query) { q.From = "2026-02-30" }, "from", errs.ReasonFieldInvalid},
		"no day":               {func(q *stats.Query) { q.To = "" }, "to", errs.ReasonFieldInvalid},
		"ends before it began": {func(q *stats.Query) { q.To = "2025-12-31" }, "to", errs.ReasonFieldOutOfRange},
	} {
		q := year()
		c.change(&q)
		_, err := tryRead(t.Context(), db, s, q)
		t.Run(name, func(t *testing.T) { refused(t, err, c.field, c.reason) })
	}
}

func TestReadingTakesTheFirstCubeThatServes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := clinic(t)
		write(t, db, s, cell("submitted", "2026-03-18", "wl", "ADVICE"))
		fold(t, db, s)
		// Each cube is given a number of its own, by which an answer tells where it comes from.
		for cube, n := range map[string]int{"M1": 1, "M3": 3, "D1.2": 12} {
			err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
				return tx.Batch(t.Context(), sqldb.Stmt{SQL: "UPDATE statistics_total SET n = $1 WHERE cube = $2", Args: []any{n, cube}, Want: 1})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for name, c := range map[string]struct {
			change func(*stats.Query)
			from   int64
		}{
			"no dimension":  {func(*stats.Query) {}, 1},
			"its dimension": {func(q *stats.Query) { q.GroupBy = []string{"organization"} }, 1},
			"another":       {func(q *stats.Query) { q.GroupBy = []string{"doctor"} }, 3},
			"both of the larger": {func(q *stats.Query) {
				q.GroupBy, q.Where = []string{"kind"}, map[string][]string{"organization": {"wl"}}
			}, 12},
			"days":                {func(q *stats.Query) { q.Grain = stats.Day }, 12},
			"no whole months":     {func(q *stats.Query) { q.From = "2026-01-02" }, 12},
			"the whole in months": {func(q *stats.Query) { q.Grain = stats.Whole }, 1},
		} {
			q := year()
			c.change(&q)
			t.Run(name, func(t *testing.T) {
				if rows := read(t, db, s, q); len(rows) != 1 || rows[0].N != c.from {
					t.Errorf("got %v, want the number of the cube %d", rows, c.from)
				}
			})
		}
	})
}

func TestATimedCounterIsReadAsAHistogram(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := clinic(t)
		for i, took := range []time.Duration{time.Minute, 90 * time.Second, 110 * time.Second, 100 * 24 * time.Hour} {
			c := cell("time_to_answer", "2026-03-18", "wl", "ADVICE")
			c.Bucket = stats.Bucket(took)
			write(t, db, s, c)
			if i == 1 {
				fold(t, db, s)
			}
		}
		q := year("organization")
		q.Counters = []string{"submitted", "time_to_answer"}
		rows := read(t, db, s, q)
		if len(rows) != 1 || rows[0].N != 4 || len(rows[0].Buckets) != len(stats.Bounds())+1 {
			t.Fatalf("got %v", rows)
		}
		b := rows[0].Buckets
		if b[0] != 1 || b[1] != 2 || b[len(b)-1] != 1 {
			t.Errorf("got %v", b)
		}
	})
}
