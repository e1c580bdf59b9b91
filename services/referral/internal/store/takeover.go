package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

// asLeft is the shape of a limit that an earlier release began.
const asLeft = "state = 'OPEN' AND next_time IS NULL AND level = 0"

// Left implements [app.Deadlines].
func (s *Store) Left(ctx context.Context, after app.LeftLimit, n int) (out []app.LeftLimit, err error) {
	err = s.DB.View(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, "SELECT county_code, referral_id, step, due_time FROM deadline WHERE "+asLeft+
			" AND (county_code, referral_id, step) > ($1, $2, $3) ORDER BY county_code, referral_id, step LIMIT $4",
			after.County, after.ReferralID, string(after.Step), n)
		if err != nil {
			return err
		}
		defer rows.Close()
		out = nil
		for rows.Next() {
			var l app.LeftLimit
			if err := rows.Scan(&l.County, &l.ReferralID, &l.Step, &l.Due); err != nil {
				return err
			}
			l.Due = l.Due.UTC()
			out = append(out, l)
		}
		return rows.Err()
	})
	return out, err
}

// Begin implements [app.Deadlines].
func (s *Store) Begin(ctx context.Context, l app.LeftLimit, decide func(r domain.Snapshot, now time.Time) (due, next time.Time)) error {
	const ofLimit = " WHERE county_code = $1 AND referral_id = $2 AND step = $3 AND " + asLeft
	return s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		u := &unit{s: s, tx: tx, cmd: app.Command{Caller: authn.Identity{Subject: app.Self, County: l.County}}}
		r, err := u.Referral(ctx, l.ReferralID)
		if err != nil {
			return err
		}
		due, next := decide(r.Snapshot(), u.Now())
		if due.IsZero() {
			u.plan(-1, "DELETE FROM deadline"+ofLimit, l.County, l.ReferralID, string(l.Step))
		} else {
			u.plan(-1, "UPDATE deadline SET due_time = $4, next_time = $5"+ofLimit, l.County, l.ReferralID, string(l.Step), due, next)
		}
		return u.write(ctx)
	})
}

// NameVillages implements [app.Referrals].
func (s *Store) NameVillages(ctx context.Context, after app.WithoutVillage, n int) (last app.WithoutVillage, more bool, err error) {
	err = s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		named, read, err := s.villagesOf(ctx, tx, after, n)
		if err != nil {
			return err
		}
		last, more = after, len(read) == n
		for i, at := range read {
			last = at
			if named[i] == "" {
				continue
			}
			if _, err := tx.Exec(ctx, "UPDATE referral SET village_id = $3 WHERE county_code = $1 AND id = $2 AND village_id = ''", at.County, at.ReferralID, named[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return last, more, err
}

// villagesOf are at most n open referrals whose column names no village, with the village that their sealed patient names.
func (s *Store) villagesOf(ctx context.Context, tx *sqldb.Tx, after app.WithoutVillage, n int) (named []string, read []app.WithoutVillage, err error) {
	rows, err := tx.Query(ctx, `SELECT county_code, id, patient FROM referral WHERE (county_code, id) > ($1, $2) AND village_id = '' AND number <> ''
		AND state IN ('SUBMITTED', 'RETURNED', 'ACCEPTED', 'NO_SHOW', 'ARRIVED', 'ADMITTED') ORDER BY county_code, id LIMIT $3`, after.County, after.ReferralID, n)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var at app.WithoutVillage
		var sealed []byte
		var patient sealedPatient
		if err := rows.Scan(&at.County, &at.ReferralID, &sealed); err != nil {
			return nil, nil, err
		}
		if err := s.open("patient", at.ReferralID, sealed, &patient); err != nil {
			return nil, nil, fmt.Errorf("open the patient of referral %s: %w", at.ReferralID, err)
		}
		named, read = append(named, patient.VillageClinicID), append(read, at)
	}
	return named, read, rows.Err()
}

// UnbuiltCounties implements [app.Statistics]. Every county that has referrals took numbers; one that has only candidates or discharges has
// organisations.
func (s *Store) UnbuiltCounties(ctx context.Context) (out []string, err error) {
	err = s.DB.View(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT county_code FROM number_block UNION SELECT county_code FROM organization
			EXCEPT SELECT county_code FROM figures_built WHERE fingerprint = $1 ORDER BY county_code`, figures.Schema().Fingerprint())
		if err != nil {
			return err
		}
		defer rows.Close()
		out = nil
		for rows.Next() {
			var county string
			if err := rows.Scan(&county); err != nil {
				return err
			}
			out = append(out, county)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("look for counties without figures: %w", err)
	}
	return out, nil
}

// FiguresBuilt implements [app.Statistics]. Before its first number a county has no referrals, and so nothing that could be missing.
func (s *Store) FiguresBuilt(ctx context.Context, county string) (built bool, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM figures_built WHERE county_code = $1 AND fingerprint = $2)
			OR NOT EXISTS (SELECT 1 FROM number_block WHERE county_code = $1)`, county, figures.Schema().Fingerprint()).Scan(&built)
	})
	if err != nil {
		return false, fmt.Errorf("look whether the figures of county %s are built: %w", county, err)
	}
	return built, nil
}

// BuildFigures implements [app.Statistics]. Cut off between the two, it is done again and finds nothing to mend.
func (s *Store) BuildFigures(ctx context.Context, county string) error {
	if _, err := s.RebuildFigures(ctx, county); err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		return tx.Last(ctx, builtStmt(tx, county, "DO UPDATE SET fingerprint = $2, build_time = $3"))
	})
}

// builtStmt notes that a county's figures hold everything.
func builtStmt(tx *sqldb.Tx, county, otherwise string) sqldb.Stmt {
	return sqldb.Stmt{
		SQL:  "INSERT INTO figures_built (county_code, fingerprint, build_time) VALUES ($1, $2, $3) ON CONFLICT (county_code) " + otherwise,
		Args: []any{county, figures.Schema().Fingerprint(), tx.Now()}, Want: -1,
	}
}
