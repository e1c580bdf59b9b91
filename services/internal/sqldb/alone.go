package sqldb

import (
	"context"
	"database/sql/driver"
	"fmt"
)

// Alone runs fn unless somebody else runs something under this name on this database (on SQLite: through this DB); then
// alone is false. No transaction is open meanwhile, and the lock goes when the process does. It is a lock to save work,
// not to keep data right: when its connection breaks, the next holder may come in before fn has ended.
func (db *DB) Alone(ctx context.Context, name string, fn func() error) (alone bool, err error) {
	if db.engine == SQLite {
		if _, held := db.held.LoadOrStore(name, nil); held {
			return false, nil
		}
		defer db.held.Delete(name)
		return true, fn()
	}
	conn, err := db.writer.Conn(ctx)
	if err != nil {
		return false, public(fmt.Errorf("connect to the database: %w", clean(err)))
	}
	defer func() { _ = conn.Close() }()
	key := advisoryKey("alone", db.schema, name)
	if err := conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", key).Scan(&alone); err != nil || !alone {
		return false, public(clean(err))
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
		defer cancel()
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", key); err != nil {
			// A connection that keeps the lock must not go back to the pool.
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
	}()
	return true, fn()
}
