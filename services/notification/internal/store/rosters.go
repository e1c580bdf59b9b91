package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/duty"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// SaveRosters implements app.AlarmStore.
func (s *Store) SaveRosters(ctx context.Context, cmd app.Command, rosters []app.Roster) error {
	err := s.db.Update(ctx, func(tx *sqldb.Tx) error {
		if already, err := seen(ctx, tx, cmd); err != nil || already {
			return err
		}
		stmts := make([]sqldb.Stmt, len(rosters))
		for i, r := range rosters {
			plan, err := json.Marshal(r.Plan)
			if err != nil {
				return err
			}
			stmts[i] = sqldb.Stmt{
				SQL: `INSERT INTO roster_copy (county_code, organization_id, department_code, version, plan) VALUES ($1, $2, $3, $4, $5)
					ON CONFLICT (county_code, organization_id, department_code) DO UPDATE SET version = excluded.version, plan = excluded.plan
					WHERE roster_copy.version < excluded.version`,
				Args: []any{cmd.Caller.County, r.Post.OrganizationID, r.Post.DepartmentCode, r.Version, string(plan)}, Want: -1,
			}
		}
		return tx.Last(ctx, stmts...)
	})
	if err != nil {
		return fmt.Errorf("save rosters: %w", err)
	}
	return nil
}

// Plan implements app.AlarmUnit.
func (u *unit) Plan(ctx context.Context, p domain.Post) (plan duty.Plan, known bool, err error) {
	var text string
	err = u.tx.QueryRow(ctx, "SELECT plan FROM roster_copy WHERE county_code = $1 AND organization_id = $2 AND department_code = $3",
		u.county, p.OrganizationID, p.DepartmentCode).Scan(&text)
	if sqldb.NoRows(err) {
		return duty.Plan{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &plan)
	}
	if err != nil {
		return duty.Plan{}, false, fmt.Errorf("load roster: %w", err)
	}
	return plan, true, nil
}

// Rosters implements app.AlarmStore.
func (s *Store) Rosters(ctx context.Context, county, organizationID string) (out []app.Roster, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT organization_id, department_code, version, plan FROM roster_copy
			WHERE county_code = $1 AND ($2 = '' OR organization_id = $2) ORDER BY organization_id, department_code`, county, organizationID)
		if err != nil {
			return err
		}
		out, err = collect(rows, func(row scanner) (r app.Roster, err error) {
			var text string
			if err = row.Scan(&r.Post.OrganizationID, &r.Post.DepartmentCode, &r.Version, &text); err == nil {
				err = json.Unmarshal([]byte(text), &r.Plan)
			}
			return r, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list rosters: %w", err)
	}
	return out, nil
}

// Active implements app.AlarmUnit.
func (u *unit) Active(ctx context.Context, organizationID string, ids []string) (map[string]bool, error) {
	out := map[string]bool{}
	if len(ids) == 0 {
		return out, nil
	}
	frag, arg := u.tx.List("id", 2, ids)
	rows, err := u.tx.Query(ctx, "SELECT id FROM account WHERE county_code = $1 AND organization_id = $3 AND NOT disabled AND "+frag, u.county, arg, organizationID)
	if err != nil {
		return nil, fmt.Errorf("find active accounts: %w", err)
	}
	found, err := collect(rows, scanText)
	for _, id := range found {
		out[id] = true
	}
	return out, err
}

// Works implements app.AlarmUnit.
func (u *unit) Works(ctx context.Context, accountID string) (organizationID string, err error) {
	err = u.tx.QueryRow(ctx, "SELECT organization_id FROM account WHERE county_code = $1 AND id = $2", u.county, accountID).Scan(&organizationID)
	if sqldb.NoRows(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look up account: %w", err)
	}
	return organizationID, nil
}

// Names implements app.AlarmStore.
func (s *Store) Names(ctx context.Context, county string, ids []string) (out map[string]string, err error) {
	out = map[string]string{}
	if len(ids) == 0 {
		return out, nil
	}
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		frag, arg := tx.List("id", 2, ids)
		rows, err := tx.Query(ctx, "SELECT id, name FROM account WHERE county_code = $1 AND "+frag, county, arg)
		if err != nil {
			return err
		}
		_, err = collect(rows, func(row scanner) (struct{}, error) {
			var id, name string
			err := row.Scan(&id, &name)
			out[id] = name
			return struct{}{}, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load names: %w", err)
	}
	return out, nil
}

// KnownReferral implements app.AlarmStore.
func (s *Store) KnownReferral(ctx context.Context, county, id string) (k domain.KnownReferral, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		k, err = knownReferral(ctx, tx, county, id)
		return err
	})
	return k, err
}

// KnownReferral implements app.AlarmUnit.
func (u *unit) KnownReferral(ctx context.Context, id string) (domain.KnownReferral, error) {
	return knownReferral(ctx, u.tx, u.county, id)
}

func knownReferral(ctx context.Context, tx *sqldb.Tx, county, id string) (k domain.KnownReferral, err error) {
	err = tx.QueryRow(ctx, `SELECT version, referral_number, direction, urgency, patient_id, family_doctor, originator_account_id, originator_organization_id,
			originator_department_code, receiver_organization_id, receiver_department_code FROM referral_known WHERE county_code = $1 AND referral_id = $2`, county, id).
		Scan(&k.Version, &k.ReferralNumber, &k.Direction, &k.Urgency, &k.PatientID, &k.Fact.FamilyDoctor, &k.OriginatorAccountID, &k.OriginatorOrganizationID,
			&k.OriginatorDepartmentCode, &k.ReceiverOrganizationID, &k.ReceiverDepartmentCode)
	if sqldb.NoRows(err) {
		return domain.KnownReferral{}, nil
	}
	k.ReferralID = id
	if err != nil {
		return k, fmt.Errorf("look up referral %s: %w", id, err)
	}
	return k, nil
}

// SaveReferral implements app.AlarmUnit.
func (u *unit) SaveReferral(k domain.KnownReferral) {
	u.plan(-1, `INSERT INTO referral_known (county_code, referral_id, version, referral_number, direction, urgency, patient_id, family_doctor, originator_account_id,
		originator_organization_id, originator_department_code, receiver_organization_id, receiver_department_code)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (county_code, referral_id) DO UPDATE SET version = excluded.version, urgency = excluded.urgency, patient_id = excluded.patient_id,
		family_doctor = excluded.family_doctor, receiver_organization_id = excluded.receiver_organization_id,
		receiver_department_code = excluded.receiver_department_code WHERE referral_known.version < excluded.version`,
		u.county, k.ReferralID, k.Version, k.ReferralNumber, k.Direction, k.Urgency, k.PatientID, k.Fact.FamilyDoctor, k.OriginatorAccountID,
		k.OriginatorOrganizationID, k.OriginatorDepartmentCode, k.ReceiverOrganizationID, k.ReceiverDepartmentCode)
}

// RemindOf implements app.AlarmUnit.
func (u *unit) RemindOf(b app.Booked) {
	if b.Start.IsZero() {
		b.Start = u.Now() // it is to be moved, and old only long after
	}
	state, due := "WAITING", b.Due
	if due.IsZero() {
		state, due = "NONE", b.Start
	}
	u.plan(-1, `INSERT INTO reminder (county_code, booking_id, referral_id, version, start_time, due_time, state) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (county_code, booking_id) DO UPDATE SET version = excluded.version, start_time = excluded.start_time, due_time = excluded.due_time,
		state = excluded.state, lease_until = NULL, fence = reminder.fence + 1 WHERE reminder.state <> 'ENDED' AND reminder.version < excluded.version`,
		u.county, b.ID, b.ReferralID, b.Version, b.Start, due, state)
}

// Forget implements app.AlarmUnit. A row stands for a booking that was freed before it was heard of.
func (u *unit) Forget(b app.Booked) {
	u.plan(-1, `INSERT INTO reminder (county_code, booking_id, referral_id, version, start_time, due_time, state) VALUES ($1, $2, $3, 0, $4, $4, 'ENDED')
		ON CONFLICT (county_code, booking_id) DO UPDATE SET state = 'ENDED', lease_until = NULL, fence = reminder.fence + 1`,
		u.county, b.ID, b.ReferralID, u.Now())
}

// Reminder implements app.AlarmUnit.
func (u *unit) Reminder(ctx context.Context, c app.DueClaim) (b app.Booked, waits bool, err error) {
	err = u.tx.QueryRow(ctx, `SELECT booking_id, referral_id, version, start_time, due_time FROM reminder
		WHERE county_code = $1 AND booking_id = $2 AND fence = $3 AND state = 'WAITING'`+u.tx.ForUpdate(), u.county, c.ID, c.Fence).
		Scan(&b.ID, &b.ReferralID, &b.Version, &b.Start, &b.Due)
	if sqldb.NoRows(err) {
		return b, false, nil
	}
	if err != nil {
		return b, false, fmt.Errorf("load reminder: %w", err)
	}
	return b, true, nil
}

// Reminded implements app.AlarmUnit.
func (u *unit) Reminded(bookingID string) {
	u.plan(1, "UPDATE reminder SET state = 'DONE', lease_until = NULL WHERE county_code = $1 AND booking_id = $2 AND state = 'WAITING'", u.county, bookingID)
}
