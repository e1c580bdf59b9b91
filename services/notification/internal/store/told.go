package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Settle implements app.Unit. The upsert locks the row, whether or not it changes it.
func (u *unit) Settle(ctx context.Context, referralID string, wait domain.Wait, at time.Time) (latest time.Time, err error) {
	// Of the first asking there must be a row to lock, too.
	never := time.Unix(0, 0).UTC()
	if at.IsZero() {
		at = never
	}
	_, err = u.tx.Exec(ctx, `INSERT INTO settled (county_code, referral_id, wait, settle_time) VALUES ($1, $2, $3, $4)
		ON CONFLICT (county_code, referral_id, wait) DO UPDATE SET settle_time = excluded.settle_time
		WHERE settled.settle_time < excluded.settle_time`, u.county, referralID, string(wait), at)
	if err == nil {
		err = u.tx.QueryRow(ctx, "SELECT settle_time FROM settled WHERE county_code = $1 AND referral_id = $2 AND wait = $3",
			u.county, referralID, string(wait)).Scan(&latest)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("settle what a referral waits for: %w", err)
	}
	if latest.Equal(never) {
		return time.Time{}, nil
	}
	return latest, nil
}

// Told implements app.Store.
func (s *Store) Told(ctx context.Context, q app.ToldQuery) (told []app.Told, err error) {
	columns := "e." + strings.Join(strings.Fields(entryColumns), " e.")
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, "SELECT COALESCE(a.name, ''), "+columns+` FROM entry e
			LEFT JOIN account a ON a.county_code = e.county_code AND a.id = e.account_id
			WHERE e.county_code = $1 AND e.referral_id = $2 AND ($3 = '' OR a.organization_id = $3)
			AND ($6 = '' OR (e.create_time, e.id) > ($5, $6)) ORDER BY e.create_time, e.id LIMIT $4`,
			q.County, q.ReferralID, q.OrganizationID, q.Limit, q.AfterTime, q.AfterID)
		if err != nil {
			return err
		}
		told, err = collect(rows, scanTold)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list who was told: %w", err)
	}
	return told, nil
}

// named puts the name in front of what an entry is scanned into.
type named struct {
	row  scanner
	name *string
}

func (n named) Scan(dest ...any) error { return n.row.Scan(append([]any{n.name}, dest...)...) }

func scanTold(row scanner) (t app.Told, err error) {
	t.Entry, err = scanEntry(named{row, &t.Name})
	return t, err
}
