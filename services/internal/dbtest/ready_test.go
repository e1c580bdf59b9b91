package dbtest_test

import (
	"fmt"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// The next test finds the tables empty, though the one before left rows in them, and as they were migrated, though the one before
// changed them.
func TestWhatATestLeavesIsGoneBeforeTheNext(t *testing.T) {
	t.Parallel()
	file := &fstest.MapFile{Data: fmt.Appendf(nil, "-- +goose Up\n-- %d\nCREATE TABLE note (id text PRIMARY KEY);\n", time.Now().UnixNano())}
	sets := []sqldb.MigrationSet{{Name: "note", FS: fstest.MapFS{"sqlite/0001_note.sql": file, "postgres/0001_note.sql": file}}}
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			for _, change := range []string{"INSERT INTO note (id) VALUES ('a')", "ALTER TABLE note ADD COLUMN body text", "DROP TABLE note", "SELECT 1"} {
				t.Run(change, func(t *testing.T) {
					db := dbtest.OpenClock(t, engine, clock.System(), sets)
					err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
						var rows int
						if err := tx.QueryRow(t.Context(), "SELECT count(*) FROM note").Scan(&rows); err != nil {
							return err
						}
						if rows != 0 {
							t.Errorf("%d rows are left of the test before", rows)
						}
						if _, err := tx.Exec(t.Context(), change); err != nil {
							return err
						}
						return nil
					})
					if err != nil {
						t.Fatal(err)
					}
				})
			}
		})
	}
}
