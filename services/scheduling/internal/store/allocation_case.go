package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

const caseColumns = `referral_id, version, number, patient_id, state, direction, kind, urgency, sender_organization_id, receiver_organization_id,
	receiver_department_code, due_time`

const caseQuery = "SELECT " + caseColumns + " FROM referral_case WHERE county_code = $1 AND referral_id = $2"

func readCase(ctx context.Context, tx *sqldb.Tx, county, referralID string) (domain.Case, error) {
	c := domain.Case{County: county}
	var due sql.NullTime
	err := tx.QueryRow(ctx, caseQuery, county, referralID).Scan(&c.ReferralID, &c.Version, &c.Number, &c.PatientID, &c.State, &c.Direction, &c.Kind,
		&c.Urgency, &c.SenderOrganizationID, &c.ReceiverOrganizationID, &c.ReceiverDepartment, &due)
	if sqldb.NoRows(err) {
		return domain.Case{}, nil
	}
	if err != nil {
		return domain.Case{}, fmt.Errorf("read case of a referral: %w", err)
	}
	c.DueTime = due.Time
	return c, nil
}

// Case implements app.AllocationStore.
func (s *Store) Case(ctx context.Context, county, referralID string) (c domain.Case, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		c, err = readCase(ctx, tx, county, referralID)
		return err
	})
	return c, err
}

func (u *unit) Case(ctx context.Context, referralID string) (domain.Case, error) {
	return readCase(ctx, u.tx, u.county(), referralID)
}

func (u *unit) NoteCase(ctx context.Context, c domain.Case) error {
	_, err := u.tx.Exec(ctx, `INSERT INTO referral_case (county_code, `+caseColumns+`, update_time)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (county_code, referral_id) DO UPDATE SET version = excluded.version, number = excluded.number, patient_id = excluded.patient_id,
		state = excluded.state, direction = excluded.direction, kind = excluded.kind, urgency = excluded.urgency,
		sender_organization_id = excluded.sender_organization_id, receiver_organization_id = excluded.receiver_organization_id,
		receiver_department_code = excluded.receiver_department_code, due_time = excluded.due_time, update_time = excluded.update_time
		WHERE referral_case.version < excluded.version`,
		u.county(), c.ReferralID, c.Version, c.Number, c.PatientID, c.State, c.Direction, c.Kind, c.Urgency, c.SenderOrganizationID,
		c.ReceiverOrganizationID, c.ReceiverDepartment, instant(c.DueTime), u.Now())
	if err != nil {
		return fmt.Errorf("note case of referral %s: %w", c.ReferralID, err)
	}
	return nil
}

func (u *unit) HasPlace(ctx context.Context, c domain.Case) (bool, error) {
	var n int
	err := u.tx.QueryRow(ctx, `SELECT count(*) FROM hold h JOIN occupancy o ON o.county_code = h.county_code AND o.hold_id = h.id
		WHERE h.county_code = $1 AND h.referral_id = $2 AND (o.until_time IS NULL OR o.until_time > $3) AND h.organization_id = $4 AND h.department_code = $5`,
		u.county(), c.ReferralID, u.Now(), c.ReceiverOrganizationID, c.ReceiverDepartment).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look whether the referral has a place: %w", err)
	}
	return n > 0, nil
}
