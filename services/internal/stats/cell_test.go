package stats_test

import (
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
)

func TestWhatWasWrittenIsReadBeforeAndAfterFoldingAlike(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := clinic(t)
		write(t, db, s, cell("submitted", "2026-01-31", "wl", "ADVICE"), cell("submitted", "2026-02-01", "wl", "ADVICE"))
		write(t, db, s, cell("submitted", "2026-02-28", "xa", "EXAM"), cell("arrived", "2026-02-28", "xa", "EXAM"))
		want := []string{
			"2026-01-01 wl submitted 1", "2026-02-01 wl submitted 1", "2026-02-01 xa arrived 1", "2026-02-01 xa submitted 1",
		}
		same(t, lines(read(t, db, s, year("organization"))), want...)
		fold(t, db, s)
		if n := count(t, db, "SELECT count(*) FROM statistics_delta"); n != 0 {
			t.Errorf("%d deltas are left after folding", n)
		}
		same(t, lines(read(t, db, s, year("organization"))), want...)
		write(t, db, s, cell("submitted", "2026-02-02", "wl", "EXAM"))
		same(t, lines(read(t, db, s, year("organization")))[1:2], "2026-02-01 wl submitted 2")
	})
}

func TestACorrectionTakesTheOldCellsAwayAndAddsTheNew(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := clinic(t)
		before := []stats.Cell{cell("submitted", "2026-03-18", "wl", "ADVICE"), cell("arrived", "2026-03-18", "wl", "ADVICE")}
		after := []stats.Cell{cell("submitted", "2026-03-18", "xa", "ADVICE"), cell("arrived", "2026-03-18", "wl", "ADVICE")}
		write(t, db, s, before...)
		fold(t, db, s)
		correction := stats.Diff(before, after)
		write(t, db, s, correction...)
		if n := count(t, db, "SELECT count(*) FROM statistics_delta"); n != 2 {
			t.Errorf("the correction wrote %d deltas: what did not change was not left out", n)
		}
		want := []string{"2026-03-01 wl arrived 1", "2026-03-01 xa submitted 1"}
		same(t, lines(read(t, db, s, year("organization"))), want...)
		fold(t, db, s)
		same(t, lines(read(t, db, s, year("organization"))), want...)
	})
}

func TestEqualCellsAreOneDeltaAndCellsThatCancelOutAreNone(t *testing.T) {
	t.Parallel()
	s := clinic(t)
	one := cell("submitted", "2026-03-18", "wl", "ADVICE")
	stmts, err := s.Stmts(one, one, cell("arrived", "2026-03-18", "wl", "ADVICE"))
	if err != nil || len(stmts) != 1 || strings.Count(stmts[0].SQL, "(")-1 != 2 {
		t.Errorf("got %v, %v", stmts, err)
	}
	stmts, err = s.Stmts(stats.Diff([]stats.Cell{one}, []stats.Cell{one})...)
	if err != nil || len(stmts) != 0 {
		t.Errorf("got %v, %v", stmts, err)
	}
}

func TestACellThatTheSchemaDoesNotKnowIsRefused(t *testing.T) {
	t.Parallel()
	s := clinic(t)
	for name, change := range map[string]func(*stats.Cell){
		"counter":         func(c *stats.Cell) { c.Counter = "gone" },
		"dimension":       func(c *stats.Cell) { c.Dimensions = map[string]string{"ward": "7"} },
		"day":             func(c *stats.Cell) { c.Day = "2026-02-30" },
		"untimed bucket":  func(c *stats.Cell) { c.Bucket = 1 },
		"bucket too high": func(c *stats.Cell) { c.Counter, c.Bucket = "time_to_answer", len(stats.Bounds())+1 },
		"long value":      func(c *stats.Cell) { c.Dimensions = map[string]string{"kind": strings.Repeat("x", 101)} },
		"bucket too low":  func(c *stats.Cell) { c.Counter, c.Bucket = "time_to_answer", -1 },
	} {
		c := cell("submitted", "2026-03-18", "wl", "ADVICE")
		change(&c)
		if stmts, err := s.Stmts(c); err == nil || stmts != nil {
			t.Errorf("%s: got %v, %v", name, stmts, err)
		}
	}
}

func TestCountiesDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := clinic(t)
		mine, theirs := cell("submitted", "2026-03-18", "wl", "ADVICE"), cell("submitted", "2026-03-18", "wl", "ADVICE")
		theirs.County, theirs.N = "330521", 5
		for range 2 {
			write(t, db, s, mine, theirs)
			fold(t, db, s)
			write(t, db, s, mine, theirs)
		}
		same(t, lines(read(t, db, s, year())), "2026-03-01  submitted 4")
	})
}
