package stats_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
)

// all is the answer of a model that adds up every cell: by day, organisation and kind.
func all(cells []stats.Cell) []string {
	sums := map[string]int64{}
	for _, c := range cells {
		sums[fmt.Sprintf("%s %s/%s %s", c.Day, c.Dimensions["organization"], c.Dimensions["kind"], c.Counter)] += c.N
	}
	var out []string
	for place, n := range sums {
		if n != 0 {
			out = append(out, fmt.Sprintf("%s %d", place, n))
		}
	}
	slices.Sort(out)
	return out
}

func days(c string) stats.Query {
	q := year("organization", "kind")
	q.County, q.Grain = c, stats.Day
	return q
}

func TestReadingEqualsAModelWhateverIsWrittenAndWheneverItIsFolded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s, run := clinic(t), 0
		folder := stats.NewFolder(db, s)
		rapid.Check(t, func(rt *rapid.T) {
			run++
			here := fmt.Sprintf("c%d", run)
			draw := rapid.Custom(func(rt *rapid.T) stats.Cell {
				c := cell(rapid.SampledFrom([]string{"submitted", "arrived"}).Draw(rt, "counter"),
					rapid.SampledFrom([]stats.Date{"2026-01-31", "2026-02-01", "2026-12-31"}).Draw(rt, "day"),
					rapid.SampledFrom([]string{"wl", "xa"}).Draw(rt, "organization"),
					rapid.SampledFrom([]string{"ADVICE", "EXAM", ""}).Draw(rt, "kind"))
				c.County, c.N = here, rapid.Int64Range(1, 3).Draw(rt, "n")
				return c
			})
			var cells []stats.Cell
			for range rapid.IntRange(1, 5).Draw(rt, "steps") {
				switch rapid.IntRange(0, 3).Draw(rt, "step") {
				case 0:
					if _, err := folder.FoldBatch(t.Context()); err != nil {
						rt.Fatal(err)
					}
				case 1: // a case that was there is corrected
					if len(cells) == 0 {
						continue
					}
					i := rapid.IntRange(0, len(cells)-1).Draw(rt, "which")
					now := draw.Draw(rt, "instead")
					write(t, db, s, stats.Diff(cells[i:i+1], []stats.Cell{now})...)
					cells[i] = now
				default:
					more := rapid.SliceOfN(draw, 1, 60).Draw(rt, "cells")
					write(t, db, s, more...)
					cells = append(cells, more...)
				}
				got := lines(read(t, db, s, days(here)))
				slices.Sort(got)
				if want := all(cells); !slices.Equal(got, want) {
					rt.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
		})
	})
}

func TestReadingIsExactWhileWritersWriteAndFoldersFold(t *testing.T) {
	t.Parallel()
	const writers, each = 4, 25
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := clinic(t)
		var begun, done atomic.Int64
		var writing, background sync.WaitGroup
		for w := range writers {
			writing.Go(func() {
				for range each {
					begun.Add(1)
					write(t, db, s, cell("submitted", "2026-03-18", fmt.Sprint(w%2), "EXAM"), cell("arrived", "2026-03-18", fmt.Sprint(w%2), "EXAM"))
					done.Add(1)
				}
			})
		}
		ctx, stop := context.WithCancel(t.Context())
		for range 2 {
			background.Go(func() {
				for ctx.Err() == nil {
					if _, err := stats.NewFolder(db, s).FoldBatch(t.Context()); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		background.Go(func() {
			for ctx.Err() == nil {
				before := done.Load()
				rows, err := tryRead(t.Context(), db, s, year())
				after := begun.Load()
				var arrived, submitted int64
				if len(rows) == 2 {
					arrived, submitted = rows[0].N, rows[1].N
				}
				if err != nil || arrived != submitted || submitted < before || submitted > after {
					t.Errorf("between %d and %d were written, read %d and %d, %v", before, after, arrived, submitted, err)
					return
				}
			}
		})
		writing.Wait()
		stop()
		background.Wait()
		fold(t, db, s)
		same(t, lines(read(t, db, s, year())), "2026-03-01  arrived 100", "2026-03-01  submitted 100")
		if n := count(t, db, "SELECT count(*) FROM statistics_delta"); n != 0 {
			t.Errorf("%d deltas are left", n)
		}
	})
}

func TestFoldersThatCompeteCountEachDeltaOnce(t *testing.T) {
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			cfg := dbtest.Config(t, engine)
			dbs := []*sqldb.DB{dbtest.Reopen(t, cfg, clock.System())}
			if err := sqldb.Migrate(t.Context(), dbs[0], sets()...); err != nil {
				t.Fatal(err)
			}
			if engine == sqldb.Postgres { // a file belongs to one process
				dbs = append(dbs, dbtest.Reopen(t, cfg, clock.System()))
			}
			s := clinic(t)
			var cells []stats.Cell
			for i := range 2500 {
				cells = append(cells, cell("submitted", "2026-03-18", fmt.Sprint(i%7), fmt.Sprint(i)))
			}
			write(t, dbs[0], s, cells...)
			var folding sync.WaitGroup
			for i := range 4 {
				folding.Go(func() {
					folder := stats.NewFolder(dbs[i%len(dbs)], s)
					for n := 1; n > 0; {
						var err error
						if n, err = folder.FoldBatch(t.Context()); err != nil {
							t.Error(err)
						}
					}
				})
			}
			folding.Wait()
			same(t, lines(read(t, dbs[0], s, year())), "2026-03-01  submitted 2500")
			if n := count(t, dbs[0], "SELECT count(*) FROM statistics_delta"); n != 0 {
				t.Errorf("%d deltas are left", n)
			}
		})
	}
}

func TestAFolderThatIsCutOffLeavesTheDeltasToBeCountedOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := clinic(t)
		rename := func(from, to string) {
			err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
				_, err := tx.Exec(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		write(t, db, s, cell("submitted", "2026-03-18", "wl", "EXAM"))
		fold(t, db, s)
		write(t, db, s, cell("submitted", "2026-03-18", "wl", "EXAM"))
		rename("statistics_total", "elsewhere")
		if err := stats.NewFolder(db, s).Fold(t.Context()); err == nil {
			t.Error("folding into nothing succeeded")
		}
		rename("elsewhere", "statistics_total")
		same(t, lines(read(t, db, s, year())), "2026-03-01  submitted 2")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := stats.NewFolder(db, s).Fold(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		same(t, lines(read(t, db, s, year())), "2026-03-01  submitted 2")
		fold(t, db, s)
		same(t, lines(read(t, db, s, year())), "2026-03-01  submitted 2")
	})
}

func TestAWriteThatIsRolledBackCountsNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := clinic(t)
		stmts, err := s.Stmts(cell("submitted", "2026-03-18", "wl", "EXAM"))
		if err != nil {
			t.Fatal(err)
		}
		changedMind := errors.New("changed my mind")
		err = db.Update(t.Context(), func(tx *sqldb.Tx) error { return errors.Join(tx.Batch(t.Context(), stmts...), changedMind) })
		if !errors.Is(err, changedMind) {
			t.Fatal(err)
		}
		fold(t, db, s)
		same(t, lines(read(t, db, s, year())))
	})
}

func TestAFolderRunsUntilItIsStoppedAndCanRunAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		s := clinic(t)
		folder := stats.NewFolder(db, s)
		for range 2 {
			write(t, db, s, cell("submitted", "2026-03-18", "wl", "EXAM"))
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- folder.Run(ctx) }()
			for count(t, db, "SELECT count(*) FROM statistics_delta") > 0 {
				if t.Context().Err() != nil {
					t.Fatal("the delta is never folded")
				}
			}
			stop()
			stop() // twice is once
			if err := <-ended; err != nil {
				t.Errorf("got %v", err)
			}
		}
		same(t, lines(read(t, db, s, year())), "2026-03-01  submitted 2")
	})
}
