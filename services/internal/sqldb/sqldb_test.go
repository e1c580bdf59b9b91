package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// notes is a schema for these tests: a plain unique index, a partial one, constraints inside the table.
func notes() []sqldb.MigrationSet {
	text := func(instant, bytes string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(`-- +goose Up
CREATE TABLE note (county_code text NOT NULL, id text NOT NULL, body text, n bigint NOT NULL DEFAULT 0,
  data ` + bytes + `, at ` + instant + `, closed boolean NOT NULL DEFAULT false, code text, PRIMARY KEY (county_code, id), UNIQUE (code));
CREATE UNIQUE INDEX note_open_guard ON note (county_code, body) WHERE NOT closed;
`)}
	}
	return []sqldb.MigrationSet{sqldb.Migrations, {Name: "notes", FS: fstest.MapFS{
		"postgres/0001_note.sql": text("timestamptz", "bytea"),
		"sqlite/0001_note.sql":   text("TIMESTAMP", "BLOB"),
	}}}
}

const insertNote = "INSERT INTO note (county_code, id, body, n) VALUES ($1, $2, $3, $4)"

func add(id, body string) sqldb.Stmt {
	return sqldb.Stmt{SQL: insertNote, Args: []any{"450321", id, body, 0}, Want: 1}
}

func count(t *testing.T, db *sqldb.DB) (n int) {
	t.Helper()
	view(t, db, func(tx *sqldb.Tx) error {
		return tx.QueryRow(t.Context(), "SELECT count(*) FROM note").Scan(&n)
	})
	return n
}

func view(t *testing.T, db *sqldb.DB, fn func(*sqldb.Tx) error) {
	t.Helper()
	if err := db.View(t.Context(), fn); err != nil {
		t.Fatalf("view: %v", err)
	}
}

func update(t *testing.T, db *sqldb.DB, fn func(*sqldb.Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), fn); err != nil {
		t.Fatalf("update: %v", err)
	}
}

func TestOfTwoHundredConcurrentReadModifyWritesNoneIsLost(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, notes(), func(t *testing.T, db *sqldb.DB) {
		update(t, db, func(tx *sqldb.Tx) error { return tx.Batch(t.Context(), add("a", "x")) })
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
					var n int64
					if err := tx.QueryRow(t.Context(), "SELECT n FROM note WHERE id = $1"+tx.ForUpdate(), "a").Scan(&n); err != nil {
						return err
					}
					_, err := tx.Exec(t.Context(), "UPDATE note SET n = $1 WHERE id = $2", n+1, "a")
					return err
				})
				if err != nil {
					t.Errorf("update: %v", err)
				}
			})
		}
		wg.Wait()
		view(t, db, func(tx *sqldb.Tx) error {
			var n int64
			if err := tx.QueryRow(t.Context(), "SELECT n FROM note").Scan(&n); err != nil || n != 200 {
				t.Errorf("n = %d (%v), want 200", n, err)
			}
			return nil
		})
	})
}

func TestABatchIsWrittenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, notes(), func(t *testing.T, db *sqldb.DB) {
		err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
			return tx.Batch(t.Context(), add("a", "x"), sqldb.Stmt{}, add("b", "y"),
				sqldb.Stmt{SQL: "UPDATE note SET n = n + 1 WHERE id = $1", Args: []any{"none"}, Want: 1}, add("a", "z"))
		})
		var failed *sqldb.ConditionError
		if !errors.Is(err, sqldb.ErrConditionFailed) || !errors.As(err, &failed) || failed.Index != 3 || failed.Got != 0 {
			t.Errorf("error = %v, want that statement 3 touched 0 rows", err)
		}
		if n := count(t, db); n != 0 {
			t.Errorf("%d rows were written by a failed batch", n)
		}
		update(t, db, func(tx *sqldb.Tx) error { return tx.Batch(t.Context(), add("a", "x"), add("b", "y")) })
		if n := count(t, db); n != 2 {
			t.Errorf("%d rows, want 2", n)
		}
	})
}

func TestAfterAFailureTheTransactionIsOverEvenIfTheFunctionGoesOn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, notes(), func(t *testing.T, db *sqldb.DB) {
		err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
			if err := tx.Batch(t.Context(), add("a", "x")); err != nil {
				return err
			}
			_ = tx.Batch(t.Context(), add("a", "y"))
			if _, err := tx.Exec(t.Context(), insertNote, "450321", "b", "z", 0); err == nil {
				t.Error("a statement ran after a failure")
			}
			return nil
		})
		if !sqldb.ViolatesUnique(err, "note_pkey") {
			t.Errorf("error = %v, want the violation", err)
		}
		if n := count(t, db); n != 0 {
			t.Errorf("%d rows were committed after a failure", n)
		}
	})
}

func TestUniquenessViolationsHaveTheSameNameOnBothEngines(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, notes(), func(t *testing.T, db *sqldb.DB) {
		update(t, db, func(tx *sqldb.Tx) error {
			return tx.Batch(t.Context(), add("a", "x"), sqldb.Stmt{SQL: "UPDATE note SET code = 'c'", Want: 1})
		})
		for name, s := range map[string]sqldb.Stmt{
			"note_pkey":       add("a", "y"),
			"note_open_guard": add("b", "x"),
			"note_code_key":   {SQL: "INSERT INTO note (county_code, id, code) VALUES ('450321', 'c', 'c')", Want: 1},
			"lease_pkey":      {SQL: "INSERT INTO lease (name, holder, fence, until_time) VALUES ('l', 'h', 1, $1), ('l', 'h', 1, $1)", Args: []any{time.Unix(0, 0)}, Want: 2},
		} {
			batched := db.Update(t.Context(), func(tx *sqldb.Tx) error { return tx.Batch(t.Context(), s) })
			single := db.Update(t.Context(), func(tx *sqldb.Tx) error { _, err := tx.Exec(t.Context(), s.SQL, s.Args...); return err })
			for _, err := range []error{batched, single} {
				if got, ok := sqldb.IsUnique(err); !ok || got != name || !sqldb.ViolatesUnique(err, name) {
					t.Errorf("violation of %s is seen as %q, %v: %v", name, got, ok, err)
				}
			}
		}
		if _, ok := sqldb.IsUnique(errors.New("other")); ok || sqldb.ViolatesUnique(nil, "") {
			t.Error("another error is seen as a uniqueness violation")
		}
	})
}

func TestErrorTextsQuoteNoValue(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, notes(), func(t *testing.T, db *sqldb.DB) {
		const mark = "王小明450321"
		for _, s := range []sqldb.Stmt{
			{SQL: "UPDATE note SET n = $1", Args: []any{mark}, Want: 1},
			{SQL: "UPDATE note SET at = CAST(CAST($1 AS text) AS timestamp)", Args: []any{mark}, Want: 1},
			{SQL: "SELECT CAST(CAST($1 AS text) AS integer)", Args: []any{mark}, Want: -1},
			{SQL: "INSERT INTO note (county_code, id, body) VALUES ('450321', $1, 'p'), ('450321', $1, 'q')", Args: []any{mark}, Want: 2},
		} {
			err := db.Update(t.Context(), func(tx *sqldb.Tx) error { return tx.Batch(t.Context(), s) })
			single := db.Update(t.Context(), func(tx *sqldb.Tx) error { _, err := tx.Exec(t.Context(), s.SQL, s.Args...); return err })
			for _, err := range []error{err, single} {
				if err != nil && strings.Contains(err.Error(), mark) {
					t.Errorf("the text quotes the value: %v", err)
				}
			}
		}
	})
}

func TestAViewCannotWriteAndSeesOneState(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, notes(), func(t *testing.T, db *sqldb.DB) {
		if err := db.View(t.Context(), func(tx *sqldb.Tx) error { return tx.Batch(t.Context(), add("a", "x")) }); err == nil {
			t.Error("a view wrote")
		}
		view(t, db, func(tx *sqldb.Tx) error {
			var before, after int
			if err := tx.QueryRow(t.Context(), "SELECT count(*) FROM note").Scan(&before); err != nil {
				return err
			}
			update(t, db, func(tx *sqldb.Tx) error { return tx.Batch(t.Context(), add("a", "x")) })
			if err := tx.QueryRow(t.Context(), "SELECT count(*) FROM note").Scan(&after); err != nil {
				return err
			}
			if before != 0 || after != 0 {
				t.Errorf("the view saw %d rows, then %d", before, after)
			}
			return nil
		})
	})
}

func TestInstantsAndBytesComeBackAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	clk := dbtest.Clock(t)
	clk.Advance(123456789 * time.Nanosecond)
	dbtest.EachClock(t, clk, notes(), func(t *testing.T, db *sqldb.DB) {
		china := time.FixedZone("CST", 8*3600)
		var now, at time.Time
		update(t, db, func(tx *sqldb.Tx) error {
			now = tx.Now()
			return tx.Batch(t.Context(), add("a", "x"), add("b", "y"),
				sqldb.Stmt{SQL: "UPDATE note SET at = $1, data = $2 WHERE id = 'a'", Args: []any{now.In(china).Add(999), []byte{0, 1, 255}}, Want: 1})
		})
		if now != clk.Now() || now.Nanosecond()%1000 != 0 {
			t.Errorf("Tx.Now = %v, want the clock's %v", now, clk.Now())
		}
		view(t, db, func(tx *sqldb.Tx) error {
			var data []byte
			if err := tx.QueryRow(t.Context(), "SELECT at, data FROM note WHERE at <= $1", now).Scan(&at, &data); err != nil {
				return err
			}
			if at != now || string(data) != "\x00\x01\xff" {
				t.Errorf("read %v %v, want %v", at, data, now)
			}
			return nil
		})
		for _, arg := range []any{now.Add(999), sql.NullTime{Time: now.Add(999), Valid: true}, sql.Null[time.Time]{V: now.Add(999), Valid: true}} {
			var same int
			update(t, db, func(tx *sqldb.Tx) error {
				if _, err := tx.Exec(t.Context(), "UPDATE note SET at = $1 WHERE id = 'b'", arg); err != nil {
					return err
				}
				return tx.QueryRow(t.Context(), "SELECT count(*) FROM note WHERE id = 'b' AND at = $1", now).Scan(&same)
			})
			if same != 1 {
				t.Errorf("%T keeps less than a microsecond", arg)
			}
		}
	})
}

func TestAListIsOneArgument(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, notes(), func(t *testing.T, db *sqldb.DB) {
		update(t, db, func(tx *sqldb.Tx) error { return tx.Batch(t.Context(), add("a", "x"), add(`b"'`, "y"), add("c", "z")) })
		view(t, db, func(tx *sqldb.Tx) error {
			for want, list := range map[int][]string{0: nil, 2: {"a", `b"'`, "none"}} {
				frag, arg := tx.List("id", 2, list)
				var n int
				if err := tx.QueryRow(t.Context(), "SELECT count(*) FROM note WHERE county_code = $1 AND "+frag, "450321", arg).Scan(&n); err != nil || n != want {
					t.Errorf("List(%v) matches %d (%v), want %d", list, n, err, want)
				}
			}
			return nil
		})
	})
}

func TestOnCommitRunsAfterACommitOnly(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, notes(), func(t *testing.T, db *sqldb.DB) {
		var ran []int
		refused := errs.WrongState("submit", "CLOSED")
		err := db.Update(t.Context(), func(tx *sqldb.Tx) error { tx.OnCommit(func() { ran = append(ran, 0) }); return refused })
		if !errors.Is(err, refused) || len(ran) != 0 {
			t.Errorf("after a roll-back: %v, ran %v", err, ran)
		}
		update(t, db, func(tx *sqldb.Tx) error {
			tx.OnCommit(func() { ran = append(ran, count(t, db)) })
			return tx.Batch(t.Context(), add("a", "x"))
		})
		if len(ran) != 1 || ran[0] != 1 {
			t.Errorf("ran %v, want once, seeing the row", ran)
		}
	})
}

func TestUpdateRepeatsWhatPostgreSQLRefusedForConcurrencyAndNothingElse(t *testing.T) {
	t.Parallel()
	db := dbtest.Postgres(t, notes())
	update(t, db, func(tx *sqldb.Tx) error { return tx.Batch(t.Context(), add("a", "x"), add("b", "y")) })
	// Two transactions lock the same two rows in opposite order: PostgreSQL ends one, which then succeeds.
	var meet sync.WaitGroup
	meet.Add(2)
	var wg sync.WaitGroup
	for _, order := range [][]string{{"a", "b"}, {"b", "a"}} {
		wg.Go(func() {
			first := true
			err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
				for i, id := range order {
					if _, err := tx.Exec(t.Context(), "UPDATE note SET n = n + 1 WHERE id = $1", id); err != nil {
						return err
					}
					if i == 0 && first {
						first = false
						meet.Done()
						meet.Wait()
					}
				}
				return nil
			})
			if err != nil {
				t.Errorf("update: %v", err)
			}
		})
	}
	wg.Wait()
	runs := 0
	err := db.Update(t.Context(), func(tx *sqldb.Tx) error { runs++; return tx.Batch(t.Context(), add("a", "x")) })
	if _, unique := sqldb.IsUnique(err); !unique || runs != 1 {
		t.Errorf("a violation ran %d times: %v", runs, err)
	}
}

func TestABatchAfterTheContextOfItsTransactionEndedWritesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, notes(), func(t *testing.T, db *sqldb.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Update(ctx, func(tx *sqldb.Tx) error {
			if _, err := tx.Exec(ctx, "UPDATE note SET n = 1"); err != nil {
				return err
			}
			cancel()
			// database/sql rolls back in a goroutine of its own; the batch must fail before and after that.
			for range 100 {
				if err := tx.Batch(t.Context(), add("a", "x")); err != nil {
					return err
				}
				_, _ = tx.Exec(t.Context(), "DELETE FROM note")
			}
			return nil
		})
		if err == nil {
			t.Error("a transaction whose context ended committed")
		}
		if n := count(t, db); n != 0 {
			t.Errorf("%d rows were written outside of a transaction", n)
		}
	})
}

func TestADatabaseThatIsAwayIsUnavailable(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"postgres://postgres@127.0.0.1:1/none?sslmode=disable&connect_timeout=2", "sqlite:/nowhere/at/all.db"} {
		db, err := sqldb.Open(t.Context(), sqldb.Config{URL: url}, clock.System())
		if err == nil {
			t.Errorf("opened %s", url)
			_ = db.Close()
		}
	}
	dbtest.Each(t, notes(), func(t *testing.T, db *sqldb.DB) {
		if skew, err := db.ClockSkew(t.Context()); err != nil || skew.Abs() > 2*time.Second {
			t.Errorf("clock skew %v, %v", skew, err)
		}
		if err := db.Ping(t.Context()); err != nil {
			t.Errorf("ping: %v", err)
		}
	})
}
