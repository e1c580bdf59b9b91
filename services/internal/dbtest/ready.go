package dbtest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// Migrating takes ten times as long as the test that needs the tables, so it is done once for the same migrations. Of
// SQLite the finished file is kept in the machine's temporary folder and copied. Of PostgreSQL the finished schemas stay
// in the server: a test takes one that nobody holds, empties it, and holds it by an advisory lock until it ends. What was
// not used for a day is dropped when something new is made.
const keep = 24 * time.Hour

// readySQLite is a place for one migrated, empty database.
func readySQLite(t testing.TB, sets []sqldb.MigrationSet) sqldb.Config {
	t.Helper()
	folder := filepath.Join(os.TempDir(), fmt.Sprintf("tongzhen-dbtest-%d", os.Getuid()))
	master := filepath.Join(folder, fingerprint(t, sqldb.SQLite, sets)+".db")
	content, err := os.ReadFile(master)
	if err != nil {
		content = makeSQLite(t, sets)
		must(t, "keep the migrated file", os.MkdirAll(folder, 0o700))
		forgetFiles(folder)
		// Renaming is all or nothing for whoever reads at the same moment.
		part := filepath.Join(folder, random(t))
		must(t, "keep the migrated file", os.WriteFile(part, content, 0o600))
		must(t, "keep the migrated file", os.Rename(part, master))
	}
	path := filepath.Join(t.TempDir(), "test.db")
	must(t, "copy the migrated file", os.WriteFile(path, content, 0o600))
	return sqldb.Config{URL: "sqlite:" + path}
}

func makeSQLite(t testing.TB, sets []sqldb.MigrationSet) []byte {
	t.Helper()
	cfg := Config(t, sqldb.SQLite)
	db, err := sqldb.Open(t.Context(), cfg, clock.System())
	must(t, "open database", err)
	must(t, "migrate", sqldb.Migrate(t.Context(), db, sets...))
	// Closing the last connection moves the write-ahead log into the file.
	must(t, "close database", db.Close())
	content, err := os.ReadFile(strings.TrimPrefix(cfg.URL, "sqlite:"))
	must(t, "read the migrated file", err)
	return content
}

func forgetFiles(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && clock.System().Now().Sub(info.ModTime()) > keep {
			_ = os.Remove(filepath.Join(folder, e.Name())) // somebody else may have been quicker
		}
	}
}

// pool is the connection by which a test holds its schema.
type pool struct {
	*pgx.Conn
	t testing.TB
}

// readyPostgres is a migrated, empty schema, held until the test ends.
func readyPostgres(t testing.TB, sets []sqldb.MigrationSet) sqldb.Config {
	t.Helper()
	cfg := sqldb.Config{URL: server(t), MaxOpen: 4}
	conn, err := pgx.Connect(t.Context(), cfg.URL)
	must(t, "connect", err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	p := pool{conn, t}
	family := "ready_" + fingerprint(t, sqldb.Postgres, sets)
	for n := 0; ; n++ {
		cfg.Schema = fmt.Sprintf("%s_%d", family, n)
		if p.hold(cfg.Schema) {
			break
		}
	}
	if !p.whole(cfg.Schema) {
		p.make(cfg, sets)
	}
	p.empty(cfg.Schema)
	return cfg
}

func (p pool) hold(schema string) (held bool) {
	p.t.Helper()
	sum := sha256.Sum256([]byte(schema))
	err := p.QueryRow(p.t.Context(), "SELECT pg_try_advisory_lock($1)", int64(binary.BigEndian.Uint64(sum[:]))).Scan(&held)
	must(p.t, "hold a schema", err)
	return held
}

// shape tells two schemas apart whose tables, columns or indexes differ. The comment on a schema is the shape that it
// had when it was finished, and the day of its last use.
const shape = `SELECT coalesce(md5(string_agg(c.relname::text || c.relkind::text || coalesce(a.attname::text, '') || coalesce(a.atttypid, 0)::text, ' '
 ORDER BY c.relname, a.attnum)), '') FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
 WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)`

// whole tells whether the schema is finished, and as it was left: a process may have been killed in it, or a test may
// have changed its tables.
func (p pool) whole(schema string) (ok bool) {
	p.t.Helper()
	const query = `SELECT coalesce((SELECT split_part(obj_description(oid, 'pg_namespace'), ' ', 1) FROM pg_namespace WHERE nspname = $1), '-') = (` + shape + `)`
	must(p.t, "look at a schema", p.QueryRow(p.t.Context(), query, schema).Scan(&ok))
	return ok
}

func (p pool) make(cfg sqldb.Config, sets []sqldb.MigrationSet) {
	p.t.Helper()
	p.forget()
	p.exec("DROP SCHEMA IF EXISTS " + cfg.Schema + " CASCADE")
	db, err := sqldb.Open(p.t.Context(), cfg, clock.System())
	must(p.t, "open database", err)
	defer db.Close()
	must(p.t, "migrate", sqldb.Migrate(p.t.Context(), db, sets...))
	p.mark(cfg.Schema)
}

func (p pool) mark(schema string) {
	p.t.Helper()
	var now string
	must(p.t, "look at a schema", p.QueryRow(p.t.Context(), shape, schema).Scan(&now))
	p.exec("COMMENT ON SCHEMA " + schema + " IS '" + now + " " + clock.System().Now().UTC().Format(time.DateOnly) + "'")
}

// forget drops the schemas of other migrations that were not used since the day before yesterday and that nobody holds.
func (p pool) forget() {
	p.t.Helper()
	rows, err := p.Query(p.t.Context(), `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'ready\_%'
 AND split_part(coalesce(obj_description(oid, 'pg_namespace'), ''), ' ', 2) < $1`, clock.System().Now().UTC().Add(-keep).Format(time.DateOnly))
	must(p.t, "look for old schemas", err)
	old, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(p.t, "look for old schemas", err)
	for _, schema := range old {
		if p.hold(schema) {
			p.exec("DROP SCHEMA IF EXISTS " + schema + " CASCADE")
		}
	}
}

// empty takes away the rows of the test before, except what tells how far the schema is migrated.
func (p pool) empty(schema string) {
	p.t.Helper()
	p.exec(`DO $$
DECLARE name text; used boolean; names text := '';
BEGIN
 FOR name IN SELECT oid::regclass::text FROM pg_class
  WHERE relnamespace = '` + schema + `'::regnamespace AND relkind = 'r' AND relname NOT LIKE 'goose\_%' LOOP
  EXECUTE 'SELECT EXISTS (SELECT 1 FROM ' || name || ')' INTO used;
  IF used THEN names := names || ', ' || name; END IF;
 END LOOP;
 IF names <> '' THEN EXECUTE 'TRUNCATE ' || substr(names, 3) || ' RESTART IDENTITY CASCADE'; END IF;
END $$`)
	p.mark(schema)
}

func (p pool) exec(text string) {
	p.t.Helper()
	_, err := p.Exec(p.t.Context(), text)
	must(p.t, "prepare a schema", err)
}

// fingerprint is the same for the same migrations of the engine, in the same order.
func fingerprint(t testing.TB, engine sqldb.Engine, sets []sqldb.MigrationSet) string {
	t.Helper()
	h := sha256.New()
	for _, set := range sets {
		fmt.Fprintf(h, "%s\n", set.Name)
		err := fs.WalkDir(set.FS, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.Contains("/"+path, "/"+string(engine)+"/") {
				return err
			}
			content, err := fs.ReadFile(set.FS, path)
			fmt.Fprintf(h, "%s %d\n%s\n", path, len(content), content)
			return err
		})
		must(t, "read migrations", err)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func must(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
