package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func (c scope) standing(ctx context.Context, referral, lock string) (s domain.Standing, ok bool, err error) {
	row := c.tx.QueryRow(ctx, `SELECT referral_id, version, `+rootOf("patient_id")+`, state, previous, originator_id, receiver_id, written, occur_time
		FROM referral_standing WHERE county_code = $1 AND referral_id = $2`+lock, c.county, referral)
	err = row.Scan(&s.ReferralID, &s.Version, &s.PatientID, &s.State, &s.Previous, &s.Originator, &s.Receiver, &s.Written, &s.At)
	if sqldb.NoRows(err) {
		return domain.Standing{}, false, nil
	}
	if err != nil {
		return domain.Standing{}, false, fmt.Errorf("load standing of referral %s: %w", referral, err)
	}
	s.At = s.At.UTC()
	return s, true, nil
}

// Standing implements app.Store.
func (s *Store) Standing(ctx context.Context, county, referral string) (out domain.Standing, ok bool, err error) {
	err = s.read(ctx, county, func(c scope) error {
		out, ok, err = c.standing(ctx, referral, "")
		return err
	})
	return out, ok, err
}

// Package implements app.Store. The package of the first submission is a row of handover_package, those of resubmissions are rows of
// handover_version in the order of the referral's versions.
func (s *Store) Package(ctx context.Context, county, referral string, version int32) (p domain.Package, all []domain.PackageVersion, ok bool, err error) {
	err = s.view(ctx, county, func(c scope) error {
		p, all, ok, err = c.handover(ctx, referral, version)
		return err
	})
	return p, all, ok, err
}

func (c scope) handover(ctx context.Context, referral string, version int32) (domain.Package, []domain.PackageVersion, bool, error) {
	first, there, err := c.firstPackage(ctx, referral)
	if err != nil {
		return domain.Package{}, nil, false, err
	}
	all, err := c.resubmissions(ctx, referral)
	if err != nil {
		return domain.Package{}, nil, false, err
	}
	if there {
		all = append([]domain.PackageVersion{{Version: 1, ReferralVersion: first.ReferralVersion, Assembled: first.Assembled}}, all...)
	}
	if version == 0 && len(all) > 0 {
		version = all[len(all)-1].Version
	}
	for _, v := range all {
		switch {
		case v.Version != version:
		case v.Version == 1:
			return first, all, true, nil
		default:
			p, err := c.resubmitted(ctx, referral, v)
			return p, all, err == nil, err
		}
	}
	return domain.Package{}, all, false, nil
}

func (c scope) firstPackage(ctx context.Context, referral string) (domain.Package, bool, error) {
	var sealed []byte
	var assembled time.Time
	row := c.tx.QueryRow(ctx, `SELECT content, assembled_time FROM handover_package WHERE county_code = $1 AND referral_id = $2`, c.county, referral)
	err := row.Scan(&sealed, &assembled)
	if sqldb.NoRows(err) {
		return domain.Package{}, false, nil
	}
	var j packageJSON
	if err == nil {
		err = c.open("handover_package", "content", referral, sealed, &j)
	}
	if err != nil {
		return domain.Package{}, false, fmt.Errorf("load package of referral %s: %w", referral, err)
	}
	p := j.domain()
	p.ReferralID, p.Assembled = referral, assembled.UTC()
	return p, true, nil
}

// resubmissions are numbered from 2, also while the package of the first submission is still to come.
func (c scope) resubmissions(ctx context.Context, referral string) ([]domain.PackageVersion, error) {
	rows, err := c.tx.Query(ctx, `SELECT referral_version, assembled_time FROM handover_version
		WHERE county_code = $1 AND referral_id = $2 ORDER BY referral_version`, c.county, referral)
	if err != nil {
		return nil, fmt.Errorf("list packages of referral %s: %w", referral, err)
	}
	defer rows.Close()
	var all []domain.PackageVersion
	for rows.Next() {
		v := domain.PackageVersion{Version: int32(len(all) + 2)}
		if err := rows.Scan(&v.ReferralVersion, &v.Assembled); err != nil {
			return nil, fmt.Errorf("list packages of referral %s: %w", referral, err)
		}
		v.Assembled = v.Assembled.UTC()
		all = append(all, v)
	}
	return all, rows.Err()
}

func (c scope) resubmitted(ctx context.Context, referral string, v domain.PackageVersion) (domain.Package, error) {
	var sealed []byte
	err := c.tx.QueryRow(ctx, `SELECT content FROM handover_version WHERE county_code = $1 AND referral_id = $2 AND referral_version = $3`,
		c.county, referral, v.ReferralVersion).Scan(&sealed)
	var j packageJSON
	if err == nil {
		err = c.open("handover_version", "content", versioned(referral, v.ReferralVersion), sealed, &j)
	}
	if err != nil {
		return domain.Package{}, fmt.Errorf("load package %d of referral %s: %w", v.Version, referral, err)
	}
	p := j.domain()
	p.ReferralID, p.Assembled, p.Resubmitted = referral, v.Assembled, true
	return p, nil
}
