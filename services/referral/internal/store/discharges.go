package store

import (
	"context"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

const dischargeColumns = `encounter_id, patient_id, organization_id, department_code, centre_id, condition, referral_id, down_referral, start_time,
	end_time, discharge_way`

const putDischarge = `INSERT INTO discharge (county_code, ` + dischargeColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
	ON CONFLICT (county_code, encounter_id) DO UPDATE SET patient_id = $3, organization_id = $4, department_code = $5, centre_id = $6,
	condition = $7, referral_id = $8, down_referral = $9, start_time = $10, end_time = $11, discharge_way = $12`

// reported is a discharge before and after a transaction; before is empty for a new one, after for one that is taken back.
type reported struct{ before, after domain.ReportedDischarge }

func scanDischarge(row scanner, county string) (domain.ReportedDischarge, error) {
	d := domain.ReportedDischarge{County: county}
	err := row.Scan(&d.EncounterID, &d.PatientID, &d.OrganizationID, &d.DepartmentCode, &d.CentreID, &d.Condition, &d.ReferralID, &d.DownReferral,
		&d.Start, &d.End, &d.Way)
	d.Start, d.End = d.Start.UTC(), d.End.UTC()
	return d, err
}

// discharges are those that a condition selects, which begins after the county's.
func discharges(ctx context.Context, tx *sqldb.Tx, county, condition string, args ...any) ([]domain.ReportedDischarge, error) {
	rows, err := tx.Query(ctx, "SELECT "+dischargeColumns+" FROM discharge WHERE county_code = $1 AND "+condition, append([]any{county}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []domain.ReportedDischarge
	for rows.Next() {
		d, err := scanDischarge(rows, county)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// Discharged implements [app.CandidateUnit].
func (u *unit) Discharged(ctx context.Context, s domain.Stay) error {
	if err := u.gate(ctx, s.PatientID); err != nil {
		return err
	}
	known, err := discharges(ctx, u.tx, s.County, "encounter_id = $2", s.EncounterID)
	if err != nil {
		return fmt.Errorf("load the discharge of encounter %s: %w", s.EncounterID, err)
	}
	var r reported
	if len(known) > 0 {
		r.before = known[0]
	}
	if s.End.IsZero() {
		if len(known) > 0 {
			u.discharged = append(u.discharged, r)
		}
		return nil
	}
	r.after = s.Reported()
	if r.after.ReferralID, err = u.concludedBy(ctx, r.after); err != nil {
		return err
	}
	if r.after.DownReferral, err = u.followedBy(ctx, r.after, ""); err != nil {
		return err
	}
	u.discharged = append(u.discharged, r)
	return nil
}

// concludedBy is the up-referral whose conclusion is the discharge; "" for none.
func (u *unit) concludedBy(ctx context.Context, d domain.ReportedDischarge) (string, error) {
	latest, concluded := d.Admission()
	return u.first(ctx, `SELECT id FROM referral WHERE county_code = $1 AND `+person(u.tx.Engine(), "patient_id", "$2")+` AND direction = 'UP' AND kind NOT IN ('ADVICE', 'EXAM')
		AND receiver_org = $3 AND admit_time <= $4 AND conclude_time >= $5 ORDER BY conclude_time, id LIMIT 1`,
		d.County, d.PatientID, d.OrganizationID, latest, concluded)
}

// followedBy is the first down-referral that stands and belongs to the stay, but one; "" for none.
func (u *unit) followedBy(ctx context.Context, d domain.ReportedDischarge, but string) (string, error) {
	from, to := d.SentDown()
	return u.first(ctx, `SELECT id FROM referral WHERE county_code = $1 AND `+person(u.tx.Engine(), "patient_id", "$2")+` AND direction = 'DOWN' AND originator_org = $3
		AND number <> '' AND submit_time >= $4 AND submit_time < $5 AND state NOT IN ('DECLINED', 'CANCELLED') AND id <> $6
		ORDER BY submit_time, id LIMIT 1`, d.County, d.PatientID, d.OrganizationID, from, to, but)
}

func (u *unit) first(ctx context.Context, query string, args ...any) (found string, err error) {
	err = u.tx.QueryRow(ctx, query, args...).Scan(&found)
	if err != nil && !sqldb.NoRows(err) {
		return "", fmt.Errorf("look for the referral of a discharge: %w", err)
	}
	return found, nil
}

// linkDischarges ties discharges to a referral that was concluded, sent down, taken back or declined in this transaction. Whoever does any
// of that to a patient's referrals has passed the gate of the patient's candidates.
func (u *unit) linkDischarges(ctx context.Context) error {
	for _, r := range u.saved {
		was, is := r.Loaded(), r.Snapshot()
		concluded := is.Stays() && was.ConcludeTime.IsZero() && !is.ConcludeTime.IsZero()
		if !concluded && was.Stands() == is.Stands() {
			continue
		}
		found, err := discharges(ctx, u.tx, is.County, person(u.tx.Engine(), "patient_id", "$2"), is.PatientID)
		if err != nil {
			return fmt.Errorf("load the discharges of patient %s: %w", is.PatientID, err)
		}
		for _, d := range found {
			after, err := u.linked(ctx, d, is)
			if err != nil {
				return err
			}
			if after != d {
				u.discharged = append(u.discharged, reported{d, after})
			}
		}
	}
	return nil
}

// linked is the discharge after a change of a referral.
func (u *unit) linked(ctx context.Context, d domain.ReportedDischarge, s domain.Snapshot) (domain.ReportedDischarge, error) {
	var err error
	switch {
	case d.Concludes(s) && d.ReferralID == "":
		d.ReferralID = s.ID
	case d.FollowedBy(s) && d.DownReferral == "":
		d.DownReferral = s.ID
	case s.Direction == domain.Down && !s.Stands() && d.DownReferral == s.ID:
		d.DownReferral, err = u.followedBy(ctx, d, s.ID)
	}
	return d, err
}

func (u *unit) writeDischarges() {
	for _, r := range u.discharged {
		d := r.after
		if d.EncounterID == "" {
			u.plan(1, "DELETE FROM discharge WHERE county_code = $1 AND encounter_id = $2", r.before.County, r.before.EncounterID)
			continue
		}
		u.plan(1, putDischarge, d.County, d.EncounterID, d.PatientID, d.OrganizationID, d.DepartmentCode, d.CentreID, d.Condition, d.ReferralID,
			d.DownReferral, d.Start, d.End, d.Way)
	}
}

// AdmittedAt implements [app.CandidateUnit].
func (u *unit) AdmittedAt(ctx context.Context, patientID, organizationID string) ([]*domain.Referral, error) {
	ids, err := u.ids(ctx, `SELECT id FROM referral WHERE county_code = $1 AND `+person(u.tx.Engine(), "patient_id", "$2")+`
		AND direction = 'UP' AND receiver_org = $3 AND state = 'ADMITTED' ORDER BY id`, u.cmd.Caller.County, patientID, organizationID)
	if err != nil {
		return nil, fmt.Errorf("look for the admissions of patient %s: %w", patientID, err)
	}
	out := make([]*domain.Referral, len(ids))
	for i, one := range ids {
		if out[i], err = u.Referral(ctx, one); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ids are read to the end before anything else is asked.
func (u *unit) ids(ctx context.Context, query string, args ...any) (out []string, err error) {
	rows, err := u.tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, rows.Err()
}

// gate keeps everybody else from a patient's candidates and discharges until the end of the transaction.
func (u *unit) gate(ctx context.Context, patientID string) error {
	_, err := u.tx.Exec(ctx, `INSERT INTO candidate_gate (county_code, patient_id, passed) VALUES ($1, $2, 1)
		ON CONFLICT (county_code, patient_id) DO UPDATE SET passed = candidate_gate.passed + 1`, u.cmd.Caller.County, patientID)
	if err != nil {
		return fmt.Errorf("wait for the candidates of patient %s: %w", patientID, err)
	}
	return nil
}
