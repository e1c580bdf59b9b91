package store_test

import (
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/directory/internal/store"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// A table that a migration makes anew loses its indexes: both engines have the same after all of them.
func TestBothEnginesHaveTheSameIndexes(t *testing.T) {
	t.Parallel()
	names := func(engine sqldb.Engine, query string) []string {
		return column(t, dbtest.OpenClock(t, engine, dbtest.Clock(t), []sqldb.MigrationSet{sqldb.Migrations, store.Migrations}), query)
	}
	lite := names(sqldb.SQLite, "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name")
	if !slices.Contains(lite, "roster_shift_account") {
		t.Errorf("%v", lite)
	}
	all := names(sqldb.Postgres, `SELECT c.relname FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = current_schema() AND NOT EXISTS (SELECT 1 FROM pg_constraint x WHERE x.conindid = c.oid) ORDER BY c.relname COLLATE "C"`)
	if !slices.Equal(lite, all) {
		t.Errorf("SQLite has %v,\nPostgreSQL %v", lite, all)
	}
}
