package sqldb_test

import (
	"strconv"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// BenchmarkBatch compares one transaction of five inserts sent as one batch with the same sent one by one.
func BenchmarkBatch(b *testing.B) {
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		db := dbtest.OpenClock(b, engine, clock.System(), notes())
		n := 0
		run := func(name string, write func(*sqldb.Tx, []sqldb.Stmt) error) {
			b.Run(string(engine)+"/"+name, func(b *testing.B) {
				for b.Loop() {
					stmts := make([]sqldb.Stmt, 5)
					for i := range stmts {
						n++
						stmts[i] = add(strconv.Itoa(n), strconv.Itoa(n))
					}
					if err := db.Update(b.Context(), func(tx *sqldb.Tx) error { return write(tx, stmts) }); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		run("batch", func(tx *sqldb.Tx, stmts []sqldb.Stmt) error { return tx.Batch(b.Context(), stmts...) })
		run("single", func(tx *sqldb.Tx, stmts []sqldb.Stmt) error {
			for _, s := range stmts {
				if _, err := tx.Exec(b.Context(), s.SQL, s.Args...); err != nil {
					return err
				}
			}
			return nil
		})
	}
}
