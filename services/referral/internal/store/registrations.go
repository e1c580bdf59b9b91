package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

const registrationColumns = `id, version, state, patient_id, organization_id, department_code, class, centre_id, start_time, referral_id, reason_code,
	settle_time, patient, note`

const selectRegistrations = "SELECT " + registrationColumns + " FROM registration WHERE county_code = $1 AND "

func (s *Store) scanRegistration(row scanner, county string) (domain.Registration, error) {
	r := domain.Registration{County: county}
	var settled sql.Null[time.Time]
	var patient, note []byte
	err := row.Scan(&r.ID, &r.Version, &r.State, &r.PatientID, &r.OrganizationID, &r.DepartmentCode, &r.Class, &r.CentreID, &r.Start, &r.ReferralID,
		&r.Reason, &settled, &patient, &note)
	if err != nil {
		return r, err
	}
	r.Start, r.SettleTime = r.Start.UTC(), instant(settled)
	plain, err := s.Ring.Open("registration", "patient", r.ID, patient)
	if err != nil {
		return r, err
	}
	var p sealedPatient
	if err := decode(plain, &p); err != nil {
		return r, err
	}
	r.Patient = domain.Patient(p)
	if note != nil {
		plain, err = s.Ring.Open("registration", "note", r.ID, note)
		r.Note = string(plain)
	}
	return r, err
}

// OfferRegistration implements [app.RegistrationUnit].
func (u *unit) OfferRegistration(ctx context.Context, r domain.Registration) error {
	if err := u.gate(ctx, r.PatientID); err != nil {
		return err
	}
	u.plan(-1, `INSERT INTO registration (county_code, id, version, state, patient_id, organization_id, department_code, class, centre_id, start_time,
		referral_id, reason_code, patient) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', '', $11
		WHERE NOT EXISTS (SELECT 1 FROM stay_watch WHERE county_code = $1 AND encounter_id = $2 AND version > $3)
		ON CONFLICT (county_code, id) DO UPDATE SET version = $3, department_code = $7, class = $8
		WHERE registration.state = 'OPEN' AND registration.version < $3`,
		r.County, r.ID, r.Version, string(r.State), r.PatientID, r.OrganizationID, r.DepartmentCode, r.Class, r.CentreID, r.Start,
		u.seal("registration", "patient", r.ID, encode(sealedPatient(r.Patient))))
	return nil
}

// WithdrawRegistration implements [app.RegistrationUnit].
func (u *unit) WithdrawRegistration(encounterID string) {
	u.plan(-1, `UPDATE registration SET state = 'DISMISSED', reason_code = 'ENTERED_IN_ERROR', settle_time = $3
		WHERE county_code = $1 AND id = $2 AND state = 'OPEN'`, u.cmd.Caller.County, encounterID, u.Now())
}

// settleRegistrations takes those of patients who arrived off the list: a referral knows of them now.
func (u *unit) settleRegistrations() {
	for _, r := range u.saved {
		was, is := r.Loaded(), r.Snapshot()
		if is.Direction != domain.Up || !was.ArriveTime.IsZero() || is.ArriveTime.IsZero() {
			continue
		}
		u.plan(-1, `UPDATE registration SET state = 'RECORDED', referral_id = $4, settle_time = $5
			WHERE county_code = $1 AND `+person(u.tx.Engine(), "patient_id", "$2")+` AND organization_id = $3 AND state = 'OPEN'`,
			is.County, is.PatientID, is.Receiver.OrganizationID, is.ID, u.Now())
	}
}

// ListRegistrations implements [app.Registrations].
func (s *Store) ListRegistrations(ctx context.Context, q app.RegistrationQuery) (out []domain.Registration, err error) {
	condition, args := "organization_id = $2 AND state = 'OPEN' AND start_time >= $3", []any{q.Caller.County, q.Caller.Organization, q.Since, q.Limit}
	if q.After != nil {
		condition += " AND (start_time, id) < ($5, $6)"
		args = append(args, q.After.Time, q.After.ID)
	}
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, selectRegistrations+condition+" ORDER BY start_time DESC, id DESC LIMIT $4", args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			r, err := s.scanRegistration(rows, q.Caller.County)
			if err != nil {
				return err
			}
			out = append(out, r)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list registrations: %w", err)
	}
	return out, nil
}

// Registration implements [app.Registrations].
func (s *Store) Registration(ctx context.Context, county, registrationID string) (r domain.Registration, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		r, err = s.scanRegistration(tx.QueryRow(ctx, selectRegistrations+"id = $2", county, registrationID), county)
		return err
	})
	return r, registrationError(err, registrationID)
}

func registrationError(err error, registrationID string) error {
	switch {
	case sqldb.NoRows(err):
		return errs.NotFound("registration")
	case err != nil:
		return fmt.Errorf("read registration %s: %w", registrationID, err)
	}
	return nil
}

// ChangeRegistration implements [app.Registrations].
func (s *Store) ChangeRegistration(
	ctx context.Context, cmd app.Command, registrationID string, decide func(domain.Registration, time.Time) (domain.Registration, error),
) (domain.Registration, error) {
	county, by := cmd.Caller.County, cmd.Caller
	err := s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		if _, found, err := tx.FindRequest(ctx, s.request(cmd)); found || err != nil {
			return err
		}
		was, err := s.scanRegistration(tx.QueryRow(ctx, selectRegistrations+"id = $2"+tx.ForUpdate(), county, registrationID), county)
		if err != nil {
			return registrationError(err, registrationID)
		}
		r, err := decide(was, tx.Now())
		if err != nil {
			return err
		}
		u := &unit{s: s, tx: tx, cmd: cmd}
		var note any
		if r.Note != "" {
			note = u.seal("registration", "note", r.ID, []byte(r.Note))
		}
		u.plan(1, `UPDATE registration SET state = $3, reason_code = $4, settle_time = $5, note = $6 WHERE county_code = $1 AND id = $2`,
			county, r.ID, string(r.State), r.Reason, r.SettleTime, note)
		u.stmt(audit.Stmt(audit.Entry{
			County: county, AccountID: by.Subject, OrganizationID: by.Organization, Action: "referral.registration.dismiss", ObjectType: "registration",
			ObjectID: r.ID, PatientID: r.PatientID, Detail: r.Reason,
		}, id.New(), tx.Now()))
		u.stmt(sqldb.RequestStmt(s.request(cmd), []byte{}, tx.Now()))
		return u.write(ctx)
	})
	if err != nil {
		return domain.Registration{}, err
	}
	return s.Registration(ctx, county, registrationID)
}

// RegisteredArrivals implements [app.Registrations].
func (s *Store) RegisteredArrivals(ctx context.Context, caller authn.Identity, since time.Time) (out []app.View, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		out, err = s.views(ctx, tx, selectView+`r.receiver_org = $3 AND r.direction = 'UP' AND r.state = 'ARRIVED' AND r.arrive_time >= $4
			AND EXISTS (SELECT 1 FROM history a WHERE a.county_code = r.county_code AND a.referral_id = r.id AND a.version = r.version
				AND a.action = 'arrive' AND a.account_id = $5)
			ORDER BY r.arrive_time DESC, r.id LIMIT 200`, caller.County, caller.Subject, caller.Organization, since, app.Self)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list arrivals that registrations made: %w", err)
	}
	return out, nil
}
