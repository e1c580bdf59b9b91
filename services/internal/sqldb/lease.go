package sqldb

import (
	"context"
	"fmt"
	"time"
)

// AcquireLease takes or renews the lease of this name for ttl. ok is false while somebody else holds it. fence grows
// by one whenever the lease is taken over, also by the same holder after it ran out; work done under the lease
// carries FenceStmt, so that a holder that was overtaken without noticing writes nothing. holder must be one
// process's own (not a host name that its successor shares). Clocks of holders may differ by less than ttl.
func AcquireLease(ctx context.Context, db *DB, name, holder string, ttl time.Duration) (fence int64, ok bool, err error) {
	err = db.Update(ctx, func(tx *Tx) error {
		fence, ok = 0, false
		err := tx.QueryRow(ctx, `INSERT INTO lease (name, holder, fence, until_time) VALUES ($1, $2, 1, $3)
			ON CONFLICT (name) DO UPDATE SET
				fence = lease.fence + CASE WHEN lease.holder = excluded.holder AND lease.until_time > $4 THEN 0 ELSE 1 END,
				holder = excluded.holder, until_time = excluded.until_time
			WHERE lease.holder = excluded.holder OR lease.until_time <= $4
			RETURNING fence`, name, holder, tx.Now().Add(ttl), tx.Now()).Scan(&fence)
		if NoRows(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("acquire lease %s: %w", name, clean(err))
		}
		ok = true
		return nil
	})
	if err != nil {
		return 0, false, err
	}
	return fence, ok, nil
}

// ReleaseLease lets the next holder in at once. It does nothing when the fence is no longer the holder's.
func ReleaseLease(ctx context.Context, db *DB, name string, fence int64) error {
	return db.Update(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE lease SET until_time = $1 WHERE name = $2 AND fence = $3", tx.Now(), name, fence); err != nil {
			return fmt.Errorf("release lease %s: %w", name, err)
		}
		return nil
	})
}

// FenceStmt fails a batch with ErrConditionFailed unless the lease is still the one with this fence, and keeps it so
// until the transaction ends. Put it first.
func FenceStmt(name string, fence int64) Stmt {
	return Stmt{SQL: "UPDATE lease SET fence = fence WHERE name = $1 AND fence = $2", Args: []any{name, fence}, Want: 1}
}
