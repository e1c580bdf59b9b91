package store

import (
	"context"
	"fmt"

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

// Package implements app.Store.
func (s *Store) Package(ctx context.Context, county, referral string) (p domain.Package, ok bool, err error) {
	err = s.read(ctx, county, func(c scope) error {
		p, ok, err = c.handover(ctx, referral)
		return err
	})
	return p, ok, err
}

func (c scope) handover(ctx context.Context, referral string) (domain.Package, bool, error) {
	var sealed []byte
	var p domain.Package
	row := c.tx.QueryRow(ctx, `SELECT content, assembled_time FROM handover_package WHERE county_code = $1 AND referral_id = $2`, c.county, referral)
	err := row.Scan(&sealed, &p.Assembled)
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
	assembled := p.Assembled.UTC()
	p = j.domain()
	p.ReferralID, p.Assembled = referral, assembled
	return p, true, nil
}
