package store_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/store"
)

// upTo is the set without what came after a number.
func upTo(t *testing.T, number string) sqldb.MigrationSet {
	t.Helper()
	kept := fstest.MapFS{}
	err := fs.WalkDir(store.Migrations.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name()[:4] > number {
			return err
		}
		text, err := fs.ReadFile(store.Migrations.FS, path)
		kept[strings.TrimPrefix(path, "migrations/")] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sqldb.MigrationSet{Name: store.Migrations.Name, FS: kept}
}

func TestAnUpgradeNotesTheReserveAndTheDayOfSessionsOfBefore(t *testing.T) {
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			db := dbtest.Reopen(t, dbtest.Config(t, engine), dbtest.Clock(t))
			if err := sqldb.Migrate(t.Context(), db, upTo(t, "0005")); err != nil {
				t.Fatal(err)
			}
			at := time.Date(2026, time.March, 20, 0, 0, 0, 0, time.UTC)
			err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
				for id, template := range map[string]string{"of before": "", "another": "", "of a template": "t"} {
					if _, err := tx.Exec(t.Context(), `INSERT INTO session (county_code, id, organization_id, department_code, kind, practitioner_id, practitioner_name,
						location, start_time, end_time, slot_minutes, create_time, template_id) VALUES ('450321', $1, 'o', '0304', 'CLINIC', '', '', '', $2, $3, 10, $2, $4)`,
						id, at, at.Add(time.Hour), template); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := sqldb.Migrate(t.Context(), db, store.Migrations); err != nil {
				t.Fatal(err)
			}
			for query, want := range map[string]int{
				"SELECT count(*) FROM spread_due WHERE organization_id = 'o' AND department_code = '0304' AND first_day = '' AND last_day = ''": 1,
				"SELECT count(*) FROM local_day_due WHERE id <> 'of a template'":                                                                2,
				"SELECT count(*) FROM local_day_due": 2,
			} {
				var n int
				err := db.Read(t.Context(), func(tx *sqldb.Tx) error { return tx.QueryRow(t.Context(), query).Scan(&n) })
				if err != nil || n != want {
					t.Errorf("%s: %d, %v", query, n, err)
				}
			}
		})
	}
}
