package stats_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
)

// told is a history that was written down beforehand.
func told(cells ...stats.Cell) stats.History {
	return func(context.Context, *sqldb.Tx, string) iter.Seq2[stats.Cell, error] {
		return func(yield func(stats.Cell, error) bool) {
			for _, c := range cells {
				if !yield(c, nil) {
					return
				}
			}
		}
	}
}

func compare(t testing.TB, db *sqldb.DB, s *stats.Schema, history stats.History) (found []string) {
	t.Helper()
	err := db.View(t.Context(), func(tx *sqldb.Tx) error {
		differences, err := s.Compare(t.Context(), tx, county, history)
		found = texts(differences)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func texts(differences []stats.Difference) (out []string) {
	for _, d := range differences {
		out = append(out, fmt.Sprintf("%s: %s %s %s [%d] want %d got %d", d.Cube, d.Counter, d.Period, strings.Join(d.Key, "/"), d.Bucket, d.Want, d.Got))
	}
	return out
}

func exec(t testing.TB, db *sqldb.DB, query string) {
	t.Helper()
	err := db.Update(t.Context(), func(tx *sqldb.Tx) error { _, err := tx.Exec(t.Context(), query); return err })
	if err != nil {
		t.Fatal(err)
	}
}

// answered is a case that was answered after a while.
func answered(took time.Duration) stats.Cell {
	c := cell("time_to_answer", "2026-03-18", "wl", "EXAM")
	c.Bucket = stats.Bucket(took)
	return c
}

func TestFiguresThatEqualTheHistoryDoNotDiffer(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := clinic(t)
		first, second := cell("submitted", "2026-03-18", "wl", "EXAM"), cell("arrived", "2026-03-19", "xa", "ADVICE")
		other := first
		other.County = "330521"
		write(t, db, s, first, other, second)
		write(t, db, s, stats.Diff([]stats.Cell{second}, nil)...)
		fold(t, db, s)
		write(t, db, s, first, answered(time.Hour))
		same(t, compare(t, db, s, told(first, first, answered(time.Hour))))
	})
}

func TestADifferenceIsFoundInEachCubeThatHasItAndRebuildMendsIt(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := clinic(t)
		first, late := cell("submitted", "2026-03-18", "wl", "EXAM"), cell("arrived", "2026-03-19", "xa", "ADVICE")
		write(t, db, s, first, answered(time.Hour))
		fold(t, db, s)
		write(t, db, s, late, late)
		exec(t, db, "UPDATE statistics_total SET n = 5 WHERE cube = 'M1' AND counter = 'submitted'")
		exec(t, db, "DELETE FROM statistics_total WHERE cube = 'D1.2' AND counter = 'time_to_answer'")
		want := []string{
			"DAY by organization, kind: arrived 2026-03-19 xa/ADVICE [0] want 1 got 2",
			"DAY by organization, kind: time_to_answer 2026-03-18 wl/EXAM [9] want 1 got 0",
			"MONTH by organization: arrived 2026-03-01 xa [0] want 1 got 2",
			"MONTH by organization: submitted 2026-03-01 wl [0] want 1 got 5",
			"MONTH by doctor: arrived 2026-03-01 dr-xa [0] want 1 got 2",
		}
		history := told(first, late, answered(time.Hour))
		same(t, compare(t, db, s, history), want...)
		mended, err := s.Rebuild(t.Context(), db, county, history)
		if err != nil {
			t.Fatal(err)
		}
		same(t, texts(mended), want...)
		same(t, compare(t, db, s, history))
		fold(t, db, s)
		same(t, compare(t, db, s, history))
		same(t, lines(read(t, db, s, year("organization"))), "2026-03-01 wl submitted 1", "2026-03-01 xa arrived 1")
		mended, err = s.Rebuild(t.Context(), db, county, history)
		if err != nil || len(mended) != 0 {
			t.Errorf("a second time mended %v, %v", texts(mended), err)
		}
	})
}

func TestRebuildFillsFiguresThatWereNeverKept(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := clinic(t)
		var cells []stats.Cell
		for i := range 500 {
			cells = append(cells, cell("submitted", "2026-03-18", fmt.Sprint(i), "EXAM"))
		}
		if _, err := s.Rebuild(t.Context(), db, county, told(cells...)); err != nil {
			t.Fatal(err)
		}
		same(t, compare(t, db, s, told(cells...)))
		same(t, lines(read(t, db, s, year())), "2026-03-01  submitted 500")
	})
}

func TestRebuildIsExactWhileOthersWriteAndFold(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, append(sets(), caseMigrations()), func(t *testing.T, db *sqldb.DB) {
		s := clinic(t)
		// What happened before figures were kept.
		exec(t, db, "INSERT INTO happened (county_code, organization) VALUES ('450321', 'wl'), ('450321', 'wl'), ('450321', 'xa')")
		var written atomic.Int64
		ctx, stop := context.WithCancel(t.Context())
		var background sync.WaitGroup
		background.Go(func() {
			for ctx.Err() == nil {
				stmts, err := s.Stmts(cell("submitted", "2026-03-18", "wl", ""))
				if err != nil {
					t.Error(err)
					return
				}
				stmts = append(stmts, sqldb.Stmt{SQL: "INSERT INTO happened (county_code, organization) VALUES ('450321', 'wl')", Want: 1})
				if err := db.Update(t.Context(), func(tx *sqldb.Tx) error { return tx.Last(t.Context(), stmts...) }); err != nil {
					t.Error(err)
					return
				}
				written.Add(1)
			}
		})
		background.Go(func() {
			for ctx.Err() == nil {
				if err := stats.NewFolder(db, s).Fold(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		})
		for range 10 {
			if _, err := s.Rebuild(t.Context(), db, county, happened); err != nil {
				t.Fatal(err)
			}
			same(t, compare(t, db, s, happened))
		}
		stop()
		background.Wait()
		same(t, compare(t, db, s, happened))
		same(t, lines(read(t, db, s, year("organization"))),
			fmt.Sprintf("2026-03-01 wl submitted %d", written.Load()+2), "2026-03-01 xa submitted 1")
	})
}

// happened is the history as a service reads it.
func happened(ctx context.Context, tx *sqldb.Tx, county string) iter.Seq2[stats.Cell, error] {
	return func(yield func(stats.Cell, error) bool) {
		rows, err := tx.Query(ctx, "SELECT organization FROM happened WHERE county_code = $1", county)
		if err != nil {
			yield(stats.Cell{}, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var organization string
			if err := rows.Scan(&organization); !yield(cell("submitted", "2026-03-18", organization, ""), err) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(stats.Cell{}, err)
		}
	}
}

func TestTwoRebuildsAtOnceMendOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := clinic(t)
		first := cell("submitted", "2026-03-18", "wl", "EXAM")
		during := func(do func()) stats.History {
			return func(ctx context.Context, tx *sqldb.Tx, county string) iter.Seq2[stats.Cell, error] {
				do()
				return told(first)(ctx, tx, county)
			}
		}
		_, err := s.Rebuild(t.Context(), db, county, during(func() {
			if _, err := s.Rebuild(t.Context(), db, county, told(first)); errs.KindOf(err) != errs.KindConflict {
				t.Errorf("the second one: got %v", err)
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
		exec(t, db, "UPDATE statistics_total SET n = 7")
		_, err = s.Rebuild(t.Context(), db, county, during(func() { exec(t, db, "UPDATE lease SET fence = fence + 1") }))
		if !errors.Is(err, sqldb.ErrConditionFailed) {
			t.Errorf("the one that was overtaken: got %v", err)
		}
		same(t, lines(read(t, db, s, year())), "2026-03-01  submitted 7")
	})
}

func TestAHistoryThatFailsOrTellsWhatTheSchemaDoesNotKnowChangesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := clinic(t)
		first := cell("submitted", "2026-03-18", "wl", "EXAM")
		write(t, db, s, first)
		broken := errors.New("broken")
		unknown, elsewhere := first, first
		unknown.Counter, elsewhere.County = "gone", "330521"
		for name, history := range map[string]stats.History{
			"fails": func(context.Context, *sqldb.Tx, string) iter.Seq2[stats.Cell, error] {
				return func(yield func(stats.Cell, error) bool) { yield(stats.Cell{}, broken) }
			},
			"unknown counter": told(unknown),
			"another county":  told(elsewhere),
		} {
			mended, err := s.Rebuild(t.Context(), db, county, history)
			if err == nil || mended != nil || name == "fails" && !errors.Is(err, broken) {
				t.Errorf("%s: got %v, %v", name, mended, err)
			}
			same(t, lines(read(t, db, s, year())), "2026-03-01  submitted 1")
		}
	})
}
