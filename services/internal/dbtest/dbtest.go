// Package dbtest opens real databases for tests: an SQLite file in the test's folder, and a schema of its own on the
// PostgreSQL that TEST_POSTGRES_URL names. It owns their clean-up, and keeps finished schemas for the next test. Tests that use it may run in parallel.
package dbtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// Each runs fn as a subtest on every engine, in parallel, with the sets migrated and the machine's clock.
func Each(t *testing.T, sets []sqldb.MigrationSet, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	EachClock(t, clock.System(), sets, fn)
}

// EachClock is Each with transactions that take their time from clk.
func EachClock(t *testing.T, clk clock.Clock, sets []sqldb.MigrationSet, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			fn(t, OpenClock(t, engine, clk, sets))
		})
	}
}

// SQLite is a database in a file of the test's own.
func SQLite(t testing.TB, sets []sqldb.MigrationSet) *sqldb.DB {
	t.Helper()
	return OpenClock(t, sqldb.SQLite, clock.System(), sets)
}

// Postgres is a fresh schema. Without TEST_POSTGRES_URL the test is skipped, or fails if TEST_REQUIRE_SERVICES=1.
func Postgres(t testing.TB, sets []sqldb.MigrationSet) *sqldb.DB {
	t.Helper()
	return OpenClock(t, sqldb.Postgres, clock.System(), sets)
}

// Clock stands at one instant of a working morning until the test advances it.
func Clock(t testing.TB) *clock.Fixed {
	t.Helper()
	return clock.NewFixed(time.Date(2026, time.March, 18, 1, 30, 0, 0, time.UTC))
}

// OpenClock opens a fresh database of the engine with the sets migrated; transactions take their time from clk.
func OpenClock(t testing.TB, engine sqldb.Engine, clk clock.Clock, sets []sqldb.MigrationSet) *sqldb.DB {
	t.Helper()
	if engine == sqldb.SQLite {
		return Reopen(t, readySQLite(t, sets), clk)
	}
	return Reopen(t, readyPostgres(t, sets), clk)
}

// Config is a place for one fresh, empty database, removed when the test ends. Several DBs may be opened on it.
func Config(t testing.TB, engine sqldb.Engine) sqldb.Config {
	t.Helper()
	if engine == sqldb.SQLite {
		return sqldb.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db")}
	}
	cfg := sqldb.Config{URL: server(t), MaxOpen: 4, Schema: "t_" + random(t)}
	t.Cleanup(func() { drop(t, cfg) })
	return cfg
}

// server is the PostgreSQL of tests, whose commits do not wait for the disk: no test pulls its plug.
func server(t testing.TB) string {
	t.Helper()
	text := os.Getenv("TEST_POSTGRES_URL")
	if text == "" {
		if os.Getenv("TEST_REQUIRE_SERVICES") == "1" {
			t.Fatal("TEST_POSTGRES_URL is not set, and TEST_REQUIRE_SERVICES demands PostgreSQL")
		}
		t.Skip("TEST_POSTGRES_URL is not set")
	}
	u, err := url.Parse(text)
	must(t, "TEST_POSTGRES_URL", err)
	q := u.Query()
	q.Set("synchronous_commit", "off")
	u.RawQuery = q.Encode()
	return u.String()
}

// Reopen opens a database on cfg, as another process would, and closes it when the test ends.
func Reopen(t testing.TB, cfg sqldb.Config, clk clock.Clock) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), cfg, clk)
	if err != nil {
		t.Fatalf("open database: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close database: %v", err)
		}
	})
	return db
}

func drop(t testing.TB, cfg sqldb.Config) {
	// The context of the test has ended when its clean-up runs.
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	db, err := sqldb.Open(ctx, sqldb.Config{URL: cfg.URL, MaxOpen: 2}, clock.System())
	if err != nil {
		t.Errorf("drop schema: %v", err)
		return
	}
	defer db.Close()
	err = db.Update(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "DROP SCHEMA IF EXISTS "+cfg.Schema+" CASCADE")
		return err
	})
	if err != nil {
		t.Errorf("drop schema: %v", err)
	}
}

func random(t testing.TB) string {
	b := make([]byte, 8)
	if _, err := rand.Read(b); err != nil {
		t.Fatalf("random name: %v", err)
	}
	return hex.EncodeToString(b)
}
