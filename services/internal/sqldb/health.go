package sqldb

import (
	"context"
	"fmt"
	"time"
)

// maxSkew is how far this process's clock may be off the database's: times in rows come from the process.
const maxSkew = 2 * time.Second

// Healthy answers nil when the database answers and its clock agrees with this process's.
func (db *DB) Healthy(ctx context.Context) error {
	if err := db.Ping(ctx); err != nil {
		return err
	}
	skew, err := db.ClockSkew(ctx)
	if err != nil {
		return err
	}
	if skew.Abs() > maxSkew {
		return fmt.Errorf("the clock is %s off the database's", skew)
	}
	return nil
}
