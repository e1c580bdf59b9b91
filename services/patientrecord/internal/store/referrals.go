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
			first.Attachments, err = c.carried(ctx, referral, first.ReferralVersion)
			return first, all, err == nil, err
		default:
			p, err := c.beside(ctx, referral, v)
			p.Resubmitted = true
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
		WHERE county_code = $1 AND referral_id = $2 AND NOT reply ORDER BY referral_version`, c.county, referral)
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

// Reply implements app.Store.
func (s *Store) Reply(ctx context.Context, county, referral string) (p domain.Package, ok bool, err error) {
	err = s.view(ctx, county, func(c scope) error {
		var v domain.PackageVersion
		row := c.tx.QueryRow(ctx, `SELECT referral_version, assembled_time FROM handover_version WHERE county_code = $1 AND referral_id = $2 AND reply`,
			county, referral)
		ok = false
		if err := row.Scan(&v.ReferralVersion, &v.Assembled); sqldb.NoRows(err) {
			return nil
		} else if err != nil {
			return fmt.Errorf("look for the reply of referral %s: %w", referral, err)
		}
		v.Assembled = v.Assembled.UTC()
		p, err = c.beside(ctx, referral, v)
		p.Reply, ok = true, err == nil
		return err
	})
	return p, ok, err
}

// carried are the documents of a package as they are now, newest first.
func (c scope) carried(ctx context.Context, referral string, version int32) (out []domain.PackageAttachment, err error) {
	rows, err := c.tx.Query(ctx, "SELECT "+attachmentColumns+`, h.attachment_version FROM handover_attachment h
		JOIN attachment a ON a.county_code = h.county_code AND a.id = h.attachment_id AND a.is_current
		WHERE h.county_code = $1 AND h.referral_id = $2 AND h.referral_version = $3 ORDER BY a.id DESC`, c.county, referral, version)
	if err != nil {
		return nil, fmt.Errorf("list the documents of referral %s: %w", referral, err)
	}
	defer rows.Close()
	for rows.Next() {
		var one domain.PackageAttachment
		if one.Attachment, err = c.scanAttachment(rows.Scan, &one.Version); err != nil {
			return nil, fmt.Errorf("list the documents of referral %s: %w", referral, err)
		}
		out = append(out, one)
	}
	return out, rows.Err()
}

// beside is a package of handover_version.
func (c scope) beside(ctx context.Context, referral string, v domain.PackageVersion) (domain.Package, error) {
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
	p.ReferralID, p.Assembled = referral, v.Assembled
	p.Attachments, err = c.carried(ctx, referral, v.ReferralVersion)
	return p, err
}
