package store

import (
	"context"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

func bookingLost(context.Context) error {
	return errs.Conflict(errs.ReasonBookingLost, "the hold can no longer be booked for this referral")
}

// StartAttempt implements [app.Unit].
func (u *unit) StartAttempt(holdID, referralID string, version int32) {
	u.plan(1, `INSERT INTO booking_attempt (county_code, hold_id, referral_id, referral_version, state, booking_id, start_time)
		VALUES ($1, $2, $3, $4, 'PENDING', '', $5)
		ON CONFLICT (county_code, hold_id, referral_id) DO UPDATE SET referral_version = $4, start_time = $5
		WHERE booking_attempt.state = 'PENDING'`,
		u.cmd.Caller.County, holdID, referralID, version, u.Now()).lost = bookingLost
}

// FinishAttempt implements [app.Unit].
func (u *unit) FinishAttempt(holdID, referralID, bookingID string) {
	u.plan(1, `UPDATE booking_attempt SET state = 'DONE', booking_id = $4
		WHERE county_code = $1 AND hold_id = $2 AND referral_id = $3 AND state = 'PENDING'`,
		u.cmd.Caller.County, holdID, referralID, bookingID).lost = bookingLost
}

// AbandonAttempt implements [app.Unit].
func (u *unit) AbandonAttempt(holdID, referralID string) {
	u.plan(-1, `INSERT INTO booking_attempt (county_code, hold_id, referral_id, referral_version, state, booking_id, start_time)
		VALUES ($1, $2, $3, 0, 'ABANDONED', '', $4)
		ON CONFLICT (county_code, hold_id, referral_id) DO UPDATE SET state = 'ABANDONED' WHERE booking_attempt.state = 'PENDING'`,
		u.cmd.Caller.County, holdID, referralID, u.Now())
}

// ReserveNumbers implements [app.Numbers]. With its first number a county begins to have figures, whole from the start.
func (s *Store) ReserveNumbers(ctx context.Context, county string, year int, n int64) (first int64, err error) {
	err = s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		var known bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM number_block WHERE county_code = $1)", county).Scan(&known); err != nil {
			return fmt.Errorf("look for numbers of county %s: %w", county, err)
		}
		var next int64
		err := tx.QueryRow(ctx, `INSERT INTO number_block (county_code, year, next) VALUES ($1, $2, $3)
			ON CONFLICT (county_code, year) DO UPDATE SET next = number_block.next + $4 RETURNING next`, county, year, n+1, n).Scan(&next)
		if err != nil {
			return fmt.Errorf("reserve %d numbers: %w", n, err)
		}
		first = next - n
		if known {
			return nil
		}
		return tx.Last(ctx, builtStmt(tx, county, "DO NOTHING"))
	})
	return first, err
}
