package audit

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// Status is where a county's chain stands; nothing of it is checked.
type Status struct {
	Sealed   int64
	Signed   int64
	SignTime time.Time // zero: never
	Unsealed int64
	// OldestUnsealed is the zero time if there is none.
	OldestUnsealed time.Time
}

// StatusOf answers where a county's chain stands.
func StatusOf(ctx context.Context, db *sqldb.DB, county string) (s Status, err error) {
	err = db.View(ctx, func(tx *sqldb.Tx) error {
		var signed, oldest sql.NullTime
		err := tx.QueryRow(ctx, "SELECT seq FROM audit_chain WHERE county_code = $1", county).Scan(&s.Sealed)
		if err != nil && !sqldb.NoRows(err) {
			return err
		}
		err = tx.QueryRow(ctx, "SELECT seq, sign_time FROM audit_head WHERE county_code = $1 ORDER BY seq DESC LIMIT 1", county).Scan(&s.Signed, &signed)
		if err != nil && !sqldb.NoRows(err) {
			return err
		}
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM audit_entry WHERE county_code = $1 AND seq IS NULL", county).Scan(&s.Unsealed); err != nil {
			return err
		}
		err = tx.QueryRow(ctx, "SELECT entry_time FROM audit_entry WHERE county_code = $1 AND seq IS NULL ORDER BY entry_time LIMIT 1", county).Scan(&oldest)
		if err != nil && !sqldb.NoRows(err) {
			return err
		}
		s.SignTime, s.OldestUnsealed = signed.Time, oldest.Time
		return nil
	})
	if err != nil {
		return Status{}, fmt.Errorf("read state of the audit chain: %w", err)
	}
	return s, nil
}
