package sqldb_test

import (
	"errors"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

func TestAReadIsOneQueryAndCannotWrite(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, notes(), func(t *testing.T, db *sqldb.DB) {
		update(t, db, func(tx *sqldb.Tx) error { return tx.Batch(t.Context(), add("a", "x")) })
		var n int
		one := func(tx *sqldb.Tx) error { return tx.QueryRow(t.Context(), "SELECT count(*) FROM note").Scan(&n) }
		if err := db.Read(t.Context(), one); err != nil || n != 1 {
			t.Errorf("read %d, %v", n, err)
		}
		var id string
		for name, fn := range map[string]func(*sqldb.Tx) error{
			"two queries": func(tx *sqldb.Tx) error { return errors.Join(one(tx), one(tx)) },
			"a batch":     func(tx *sqldb.Tx) error { return tx.Batch(t.Context(), add("b", "y")) },
			"a last one":  func(tx *sqldb.Tx) error { return tx.Last(t.Context(), add("b", "y")) },
			"a statement": func(tx *sqldb.Tx) error { _, err := tx.Exec(t.Context(), "DELETE FROM note"); return err },
			"an insert that answers": func(tx *sqldb.Tx) error {
				return tx.QueryRow(t.Context(), "INSERT INTO note (county_code, id, code) VALUES ('c', 'b', 'y') RETURNING id").Scan(&id)
			},
		} {
			if err := db.Read(t.Context(), fn); err == nil {
				t.Errorf("a read made %s", name)
			}
		}
		if n := count(t, db); n != 1 {
			t.Errorf("%d rows after reads", n)
		}
	})
}

func TestTheLastBatchCommitsOrLeavesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, notes(), func(t *testing.T, db *sqldb.DB) {
		woken := 0
		last := func(before bool, stmts ...sqldb.Stmt) error {
			return db.Update(t.Context(), func(tx *sqldb.Tx) error {
				if before {
					if _, err := tx.Exec(t.Context(), "UPDATE note SET n = n + 1"); err != nil {
						return err
					}
				}
				tx.OnCommit(func() { woken++ })
				return tx.Last(t.Context(), stmts...)
			})
		}
		miss := sqldb.Stmt{SQL: "UPDATE note SET n = 7 WHERE id = 'none'", Want: 1}
		for _, before := range []bool{false, true} {
			if err := last(before, add("a", "x"), add("a", "y")); !sqldb.ViolatesUnique(err, "note_pkey") {
				t.Errorf("error = %v, want the violation", err)
			}
			if err := last(before, add("b", "x"), miss); !errors.Is(err, sqldb.ErrConditionFailed) {
				t.Errorf("error = %v, want the missed condition", err)
			}
		}
		if n := count(t, db); n != 0 || woken != 0 {
			t.Errorf("%d rows, woken %d times, after failures", n, woken)
		}
		for i, before := range []bool{false, true} {
			if err := last(before, add(string(rune('a'+i)), string(rune('a'+i)))); err != nil {
				t.Error(err)
			}
		}
		if err := last(false); err != nil {
			t.Error(err)
		}
		if n := count(t, db); n != 2 || woken != 3 {
			t.Errorf("%d rows, woken %d times", n, woken)
		}
		err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
			if err := tx.Last(t.Context(), add("c", "z")); err != nil {
				return err
			}
			_, err := tx.Exec(t.Context(), "DELETE FROM note")
			return err
		})
		if n := count(t, db); err == nil || n == 0 {
			t.Errorf("after the last batch something else was done: %v, %d rows", err, n)
		}
	})
}
