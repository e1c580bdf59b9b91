package sqldb_test

import (
	"errors"
	"io/fs"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

func TestOfConcurrentEqualRequestsOneWorksAndAllGetItsAnswer(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, notes(), func(t *testing.T, db *sqldb.DB) {
		request := sqldb.Request{County: "450321", Account: "doctor", Method: "Submit", ID: "r1", BodyHash: []byte("h")}
		var worked atomic.Int32
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				var answer []byte
				err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
					response, found, err := tx.FindRequest(t.Context(), request)
					answer = response
					if err != nil || found {
						return err
					}
					answer = []byte(strconv.Itoa(i))
					tx.OnCommit(func() { worked.Add(1) })
					return tx.Batch(t.Context(), add("n"+strconv.Itoa(i), "same"), sqldb.RequestStmt(request, answer, tx.Now()))
				})
				if err != nil || len(answer) == 0 {
					t.Errorf("request %d: answer %q, %v", i, answer, err)
				}
			})
		}
		wg.Wait()
		if worked.Load() != 1 || count(t, db) != 1 {
			t.Errorf("%d requests worked, %d rows", worked.Load(), count(t, db))
		}
		other := request
		other.BodyHash = []byte("other")
		err := db.Update(t.Context(), func(tx *sqldb.Tx) error { _, _, err := tx.FindRequest(t.Context(), other); return err })
		if errs.ReasonOf(err) != errs.ReasonRequestIDReused {
			t.Errorf("another body: %v", err)
		}
		otherCounty := request
		otherCounty.County = "450322"
		update(t, db, func(tx *sqldb.Tx) error {
			if _, found, err := tx.FindRequest(t.Context(), otherCounty); found || err != nil {
				t.Errorf("another county's request was found: %v", err)
			}
			return nil
		})
	})
}

func TestARequestWithoutAnIDIsNotLogged(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, notes(), func(t *testing.T, db *sqldb.DB) {
		for i := range 2 {
			update(t, db, func(tx *sqldb.Tx) error {
				if _, found, err := tx.FindRequest(t.Context(), sqldb.Request{}); found || err != nil {
					t.Errorf("found %v, %v", found, err)
				}
				return tx.Batch(t.Context(), add(strconv.Itoa(i), strconv.Itoa(i)), sqldb.RequestStmt(sqldb.Request{}, nil, tx.Now()))
			})
		}
	})
}

func TestRequestsAreKeptForThirtyFiveDays(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, notes(), func(t *testing.T, db *sqldb.DB) {
		update(t, db, func(tx *sqldb.Tx) error {
			r := sqldb.Request{County: "450321", Account: "a", Method: "m", BodyHash: []byte{1}}
			for id, days := range map[string]int{"old1": 36, "old2": 40, "young": 34} {
				r.ID = id
				if err := tx.Batch(t.Context(), sqldb.RequestStmt(r, []byte{2}, tx.Now().AddDate(0, 0, -days))); err != nil {
					return err
				}
			}
			return nil
		})
		for _, want := range []int64{1, 1, 0} {
			if n, err := sqldb.PruneRequests(t.Context(), db, 1); err != nil || n != want {
				t.Errorf("pruned %d, %v, want %d", n, err, want)
			}
		}
	})
}

func TestALeaseHasOneHolderAndAFenceThatGrowsWithEveryTakeOver(t *testing.T) {
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			clk := dbtest.Clock(t)
			db := dbtest.OpenClock(t, engine, clk, notes())
			acquire := func(holder string, wantFence int64, wantOK bool) {
				t.Helper()
				fence, ok, err := sqldb.AcquireLease(t.Context(), db, "sealer", holder, 10*time.Second)
				if err != nil || ok != wantOK || fence != wantFence {
					t.Errorf("%s: fence %d, %v, %v; want %d, %v", holder, fence, ok, err, wantFence, wantOK)
				}
			}
			fenced := func(fence int64) error {
				return db.Update(t.Context(), func(tx *sqldb.Tx) error { return tx.Batch(t.Context(), sqldb.FenceStmt("sealer", fence)) })
			}
			acquire("a", 1, true)
			acquire("b", 0, false)
			clk.Advance(9 * time.Second)
			acquire("a", 1, true)
			clk.Advance(9 * time.Second)
			acquire("b", 0, false)
			if err := fenced(1); err != nil {
				t.Errorf("the holder was fenced off: %v", err)
			}
			clk.Advance(time.Second)
			acquire("b", 2, true)
			if err := fenced(1); !errors.Is(err, sqldb.ErrConditionFailed) {
				t.Errorf("the former holder wrote: %v", err)
			}
			clk.Advance(time.Minute)
			acquire("b", 3, true)
			if err := sqldb.ReleaseLease(t.Context(), db, "sealer", 2); err != nil {
				t.Error(err)
			}
			acquire("a", 0, false)
			if err := sqldb.ReleaseLease(t.Context(), db, "sealer", 3); err != nil {
				t.Error(err)
			}
			acquire("a", 4, true)
		})
	}
}

func TestOfConcurrentBiddersOneGetsTheLease(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, notes(), func(t *testing.T, db *sqldb.DB) {
		var got atomic.Int32
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				_, ok, err := sqldb.AcquireLease(t.Context(), db, "l", strconv.Itoa(i), time.Minute)
				if err != nil {
					t.Error(err)
				}
				if ok {
					got.Add(1)
				}
			})
		}
		wg.Wait()
		if got.Load() != 1 {
			t.Errorf("%d holders", got.Load())
		}
	})
}

func TestProcessesMayMigratePostgreSQLAtOnceAndTheStatusChangesNothing(t *testing.T) {
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			cfg := dbtest.Config(t, engine)
			dbs := []*sqldb.DB{dbtest.Reopen(t, cfg, clock.System())}
			if engine == sqldb.Postgres {
				dbs = append(dbs, dbtest.Reopen(t, cfg, clock.System()), dbtest.Reopen(t, cfg, clock.System()))
			}
			status := func() (out []int64) {
				list, err := sqldb.MigrationStatus(t.Context(), dbs[0], notes()...)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range list {
					if s.UpToDate() != (s.Current == s.Latest) {
						t.Errorf("status %+v", s)
					}
					out = append(out, s.Current)
				}
				return out
			}
			if got := status(); got[0] != 0 || got[1] != 0 {
				t.Errorf("versions before: %v", got)
			}
			var wg sync.WaitGroup
			for _, db := range dbs {
				wg.Go(func() {
					if err := sqldb.Migrate(t.Context(), db, notes()...); err != nil {
						t.Errorf("migrate: %v", err)
					}
				})
			}
			wg.Wait()
			if got := status(); got[0] != 1 || got[1] != 1 {
				t.Errorf("versions after: %v", got)
			}
		})
	}
}

func TestAMigrationThatFailsIsReported(t *testing.T) {
	t.Parallel()
	broken := sqldb.MigrationSet{Name: "broken", FS: fstest.MapFS{
		"sqlite/0001_x.sql": {Data: []byte("-- +goose Up\nCREATE TABLE x (;\n")}, "postgres/0001_x.sql": {Data: []byte("-- +goose Up\nCREATE TABLE x (;\n")},
	}}
	dbtest.Each(t, nil, func(t *testing.T, db *sqldb.DB) {
		if err := sqldb.Migrate(t.Context(), db, broken); err == nil {
			t.Error("a broken migration passed")
		}
		if err := sqldb.Migrate(t.Context(), db, sqldb.MigrationSet{Name: "Bad Name", FS: broken.FS}); err == nil {
			t.Error("a bad name passed")
		}
	})
}

func TestMigrationsOfBothEnginesHaveTheSameNumbersAndNames(t *testing.T) {
	t.Parallel()
	names := func(engine string) (out []string) {
		entries, err := fs.ReadDir(sqldb.Migrations.FS, "migrations/"+engine)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			out = append(out, e.Name())
		}
		return out
	}
	p, s := names("postgres"), names("sqlite")
	if len(p) != len(s) {
		t.Fatalf("%v and %v", p, s)
	}
	for i := range p {
		if p[i] != s[i] {
			t.Errorf("%s and %s", p[i], s[i])
		}
	}
}

func TestAloneIsOneAtATimeAndEndsWithItsFunction(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, nil, func(t *testing.T, db *sqldb.DB) {
		refused := errors.New("refused")
		alone, err := db.Alone(t.Context(), "work", func() error {
			if alone, err := db.Alone(t.Context(), "work", func() error { t.Error("ran beside the other"); return nil }); alone || err != nil {
				t.Errorf("alone %v, %v", alone, err)
			}
			if alone, err := db.Alone(t.Context(), "other work", func() error { return nil }); !alone || err != nil {
				t.Errorf("another name: alone %v, %v", alone, err)
			}
			return refused
		})
		if !alone || !errors.Is(err, refused) {
			t.Errorf("alone %v, %v", alone, err)
		}
		ran := false
		if alone, err := db.Alone(t.Context(), "work", func() error { ran = true; return nil }); !alone || !ran || err != nil {
			t.Errorf("after the end: alone %v, ran %v, %v", alone, ran, err)
		}
	})
}
