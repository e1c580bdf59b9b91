package store_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/tongzhen/tongzhen/services/directory/internal/store"
	"github.com/tongzhen/tongzhen/services/directory/internal/store/storetest"
	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

func TestTheStoreKeepsItsContractOnEveryEngine(t *testing.T) {
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			storetest.Suite(t, func(t *testing.T) storetest.Fixture { return fixture(t, engine) })
		})
	}
}

func fixture(t *testing.T, engine sqldb.Engine) storetest.Fixture {
	t.Helper()
	clk := dbtest.Clock(t)
	db := dbtest.OpenClock(t, engine, clk, []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations, audit.Migrations, store.Migrations})
	var woken atomic.Int64
	return storetest.Fixture{
		Store: store.New(db, func() { woken.Add(1) }), Clock: clk, Woken: func() int { return int(woken.Load()) },
		Facts: func(t *testing.T) []string {
			return column(t, db, "SELECT type FROM outbox ORDER BY occur_time, fact_id")
		},
		Entries: func(t *testing.T) []string {
			return column(t, db, "SELECT action FROM audit_entry ORDER BY entry_time, id")
		},
		Forget: func(t *testing.T) {
			t.Helper()
			err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
				_, err := tx.Exec(t.Context(), "DELETE FROM place_version")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		},
	}
}

func column(t *testing.T, db *sqldb.DB, query string) (out []string) {
	t.Helper()
	err := db.View(t.Context(), func(tx *sqldb.Tx) error { return read(t.Context(), tx, query, &out) })
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(ctx context.Context, tx *sqldb.Tx, query string, out *[]string) error {
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return err
		}
		*out = append(*out, s)
	}
	return rows.Err()
}
