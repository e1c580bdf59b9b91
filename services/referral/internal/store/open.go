package store

import (
	"context"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Open implements [app.Statistics].
func (s *Store) Open(ctx context.Context, county, organization, department string) (out app.OpenWork, err error) {
	err = s.DB.View(ctx, func(tx *sqldb.Tx) error {
		out = app.OpenWork{}
		among, list := tx.List("state", 4, unended())
		row := tx.QueryRow(ctx, `SELECT count(CASE WHEN originator_org = $2 AND ($3 = '' OR originator_department = $3) THEN 1 END),
			count(CASE WHEN receiver_org = $2 AND ($3 = '' OR receiver_department = $3) THEN 1 END)
			FROM referral WHERE county_code = $1 AND (originator_org = $2 OR receiver_org = $2) AND `+among, county, organization, department, list)
		if err := row.Scan(&out.Sent, &out.Received); err != nil {
			return err
		}
		row = tx.QueryRow(ctx, `SELECT count(*) FROM candidate WHERE county_code = $1 AND (organization_id = $2 OR centre_id = $2)
			AND ($3 = '' OR department_code = $3) AND state IN ('OPEN', 'REFERRED')`, county, organization, department)
		return row.Scan(&out.Candidates)
	})
	if err != nil {
		return app.OpenWork{}, fmt.Errorf("count what is open at a place: %w", err)
	}
	return out, nil
}

// OpenInName implements [app.Statistics].
func (s *Store) OpenInName(ctx context.Context, county, account string) (out app.OpenWork, err error) {
	err = s.DB.View(ctx, func(tx *sqldb.Tx) error {
		among, list := tx.List("state", 3, unended())
		return tx.QueryRow(ctx, `SELECT count(CASE WHEN account_id = $2 THEN 1 END), count(CASE WHEN receiver_practitioner = $2 THEN 1 END),
			count(CASE WHEN family_doctor = $2 AND state = $4 THEN 1 END)
			FROM referral WHERE county_code = $1 AND (account_id = $2 OR receiver_practitioner = $2 OR family_doctor = $2) AND `+among,
			county, account, list, string(domain.StateFollowUp)).Scan(&out.Sent, &out.Received, &out.FollowedUp)
	})
	if err != nil {
		return app.OpenWork{}, fmt.Errorf("count what is open in the name of an account: %w", err)
	}
	return out, nil
}

// unended are the states in which something is still to happen, drafts too.
func unended() (out []string) {
	for _, state := range domain.Open() {
		out = append(out, string(state))
	}
	return out
}
