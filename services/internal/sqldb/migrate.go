package sqldb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"regexp"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// MigrationSet is the schema of one package: goose files NNNN_name.sql in the folders postgres and sqlite, at the root
// of FS or below "migrations", with the same numbers and names. A file never changes once it has landed. The set's
// versions are kept in a table of its own, goose_<Name>.
type MigrationSet struct {
	Name string
	FS   fs.FS
}

// SetStatus tells how far a set is.
type SetStatus struct {
	Set             string
	Current, Latest int64
}

// UpToDate tells whether nothing is left to migrate. A newer schema than the program knows is current.
func (s SetStatus) UpToDate() bool { return s.Current >= s.Latest }

//go:embed migrations
var files embed.FS

// Migrations are the tables that every service needs: lease and request_log.
var Migrations = MigrationSet{Name: "platform", FS: files}

var setName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Migrate brings every set to its latest version, in the order given. On PostgreSQL several processes may call it at
// once: one works while the others wait, five minutes at most. An SQLite file belongs to one process.
func Migrate(ctx context.Context, db *DB, sets ...MigrationSet) (err error) {
	if db.engine == Postgres {
		unlock, lockErr := db.lockMigrations(ctx)
		if lockErr != nil {
			return public(lockErr)
		}
		defer func() { err = errors.Join(err, unlock()) }()
	}
	for _, set := range sets {
		provider, err := db.provider(set)
		if err != nil {
			return err
		}
		if _, err := provider.Up(ctx); err != nil {
			return public(fmt.Errorf("migrate %s: %w", set.Name, err))
		}
	}
	return nil
}

// MigrationStatus tells how far each set is; it changes nothing.
func MigrationStatus(ctx context.Context, db *DB, sets ...MigrationSet) ([]SetStatus, error) {
	out := make([]SetStatus, 0, len(sets))
	for _, set := range sets {
		provider, err := db.provider(set)
		if err != nil {
			return nil, err
		}
		sources := provider.ListSources()
		current, err := db.appliedVersion(ctx, set)
		if err != nil {
			return nil, public(fmt.Errorf("read version of %s: %w", set.Name, clean(err)))
		}
		out = append(out, SetStatus{Set: set.Name, Current: current, Latest: sources[len(sources)-1].Version})
	}
	return out, nil
}

func (set MigrationSet) table() string { return "goose_" + set.Name }

func (db *DB) provider(set MigrationSet) (*goose.Provider, error) {
	if !setName.MatchString(set.Name) {
		return nil, fmt.Errorf("migration set %q: the name must be lower case letters, digits and underscores", set.Name)
	}
	folder := string(db.engine)
	if _, err := fs.Stat(set.FS, folder); err != nil {
		folder = "migrations/" + folder
	}
	sub, err := fs.Sub(set.FS, folder)
	if err != nil {
		return nil, fmt.Errorf("migrations of %s: %w", set.Name, err)
	}
	dialect := goose.DialectSQLite3
	if db.engine == Postgres {
		dialect = goose.DialectPostgres
	}
	p, err := goose.NewProvider(dialect, db.writer, sub,
		goose.WithTableName(set.table()), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return nil, fmt.Errorf("migrations of %s: %w", set.Name, err)
	}
	return p, nil
}

func (db *DB) appliedVersion(ctx context.Context, set MigrationSet) (int64, error) {
	exists := "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = $1"
	if db.engine == Postgres {
		exists = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1"
	}
	var n, version int64
	if err := db.reader.QueryRowContext(ctx, exists, set.table()).Scan(&n); err != nil || n == 0 {
		return 0, err
	}
	// The name was checked by provider.
	err := db.reader.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM "+set.table()+" WHERE is_applied").Scan(&version)
	return version, err
}

// lockMigrations creates the schema and holds an advisory lock on a connection of its own. goose's own use of its
// session locker begins after it looked for pending work and made its version table, which is too late when two
// processes start on an empty database.
func (db *DB) lockMigrations(ctx context.Context) (unlock func() error, err error) {
	conn, err := db.writer.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock migrations: %w", clean(err))
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(advisoryKey("migrate", db.schema)), lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if err := locker.SessionLock(ctx, conn); err != nil {
		return nil, errors.Join(fmt.Errorf("lock migrations: %w", clean(err)), conn.Close())
	}
	unlock = func() error {
		return errors.Join(locker.SessionUnlock(context.WithoutCancel(ctx), conn), conn.Close())
	}
	if err := createSchema(ctx, conn, db.schema); err != nil {
		return nil, errors.Join(err, unlock())
	}
	return unlock, nil
}

func createSchema(ctx context.Context, conn *sql.Conn, schema string) error {
	if schema == "" {
		return nil
	}
	// The name was checked by Open.
	if _, err := conn.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS "+schema); err != nil {
		return fmt.Errorf("create schema: %w", clean(err))
	}
	return nil
}

// advisoryKey is a key for PostgreSQL's advisory locks, which know numbers only. Two names with one key would only
// wait for each other.
func advisoryKey(parts ...string) int64 {
	h := fnv.New64a()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return int64(h.Sum64())
}
