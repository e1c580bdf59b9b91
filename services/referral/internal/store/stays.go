package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Candidates implements [app.CandidateUnit].
func (u *unit) Candidates(ctx context.Context, patientID string) ([]*domain.Candidate, error) {
	county := u.cmd.Caller.County
	if known, ok := u.ofPatient[patientID]; ok {
		return known, nil
	}
	if err := u.gate(ctx, patientID); err != nil {
		return nil, err
	}
	views, err := u.s.candidates(ctx, u.tx, person(u.tx.Engine(), "c.patient_id", "$2")+" ORDER BY c.found_time, c.id", county, patientID)
	if err != nil {
		return nil, fmt.Errorf("load the candidates of patient %s: %w", patientID, err)
	}
	out := make([]*domain.Candidate, len(views))
	for i, v := range views {
		out[i] = domain.RestoreCandidate(v.CandidateSnapshot)
	}
	if u.ofPatient == nil {
		u.ofPatient = map[string][]*domain.Candidate{}
	}
	u.ofPatient[patientID] = out
	return out, nil
}

// SaveCandidate implements [app.CandidateUnit].
func (u *unit) SaveCandidate(c *domain.Candidate) {
	if len(c.Changes()) > 0 && !slices.Contains(u.candidates, c) {
		u.candidates = append(u.candidates, c)
	}
}

// writeCandidates derives row, limit, audit and facts of the candidates that were saved. They come after the referrals, whose limits they
// refer to.
func (u *unit) writeCandidates() {
	for _, c := range u.candidates {
		u.candidateRow(c)
		changes := c.Changes()
		for _, change := range changes {
			if change.Told() {
				// All facts of one version say the same of it.
				change.After = c.Snapshot()
				u.tellCandidate(change)
			}
		}
		u.candidateLimit(c.Loaded(), c.Snapshot())
		last := changes[len(changes)-1]
		u.stmt(audit.Stmt(candidateEntry(u.cmd.Caller, last.After, string(last.Action)), id.New(), u.Now()))
	}
}

func (u *unit) candidateRow(c *domain.Candidate) {
	s := c.Snapshot()
	args := []any{
		s.County, s.ID, s.Version, string(s.State), string(s.Origin), s.PatientID, s.OrganizationID, s.DepartmentCode, s.ReferralID,
		string(s.Number), s.EncounterID, codes(s.Diagnoses), strings.Join(s.Reasons, " "), s.CentreID, s.FamilyDoctor, s.DownReferral,
		s.ReasonCode, s.Start, null(s.End), s.FoundTime, s.Due, s.UpdateTime,
		u.seal("candidate", "patient", s.ID, encode(sealedPatient(s.Patient))),
		u.seal("candidate", "content", s.ID, encode(sealedCandidateOf(s))), s.UpAgainBy,
	}
	if c.Loaded().Version == 0 {
		u.plan(1, `INSERT INTO candidate (county_code, `+candidateColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
			$14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)`, args...)
		return
	}
	u.plan(1, `UPDATE candidate SET version = $3, state = $4, origin = $5, patient_id = $6, organization_id = $7, department_code = $8,
		referral_id = $9, number = $10, encounter_id = $11, diagnosis_codes = $12, criteria = $13, centre_id = $14, family_doctor = $15,
		down_referral = $16, reason_code = $17, stay_start = $18, stay_end = $19, found_time = $20, due_time = $21, update_time = $22,
		patient = $23, content = $24, up_again = $25 WHERE county_code = $1 AND id = $2 AND version = $26`, append(args, c.Loaded().Version)...).
		lost = func(ctx context.Context) error { return u.s.staleCandidate(ctx, s.County, s.ID) }
}

func (s *Store) staleCandidate(ctx context.Context, county, candidateID string) error {
	v, err := s.Candidate(ctx, county, candidateID)
	if err != nil {
		return err
	}
	return errs.Stale(v.Version, string(v.State))
}

// candidateLimit lets the step of the up-referral run while the department is urged to decide. A candidate without an up-referral has only its
// own due time.
func (u *unit) candidateLimit(before, after domain.CandidateSnapshot) {
	if after.ReferralID == "" {
		return
	}
	up := domain.Snapshot{County: after.County, ID: after.ReferralID}
	waited, waits := before.Urges() && before.ReferralID == after.ReferralID, after.Urges()
	switch {
	case waits && (!waited || !before.Due.Equal(after.Due)):
		u.startStep(up, domain.Deadline{Step: domain.StepDownDecision, Due: after.Due})
	case waited && !waits:
		u.stopSteps(up, domain.StepDownDecision)
	}
}

func (u *unit) tellCandidate(c domain.CandidateChange) {
	f, err := u.s.Wire.Candidate(app.CandidateTold{ID: id.New(), Change: c, CauseID: u.cmd.RequestID})
	if err != nil && u.err == nil {
		u.err = fmt.Errorf("envelope %s: %w", c.Action, err)
	}
	u.facts = append(u.facts, f)
}

// BroughtIn implements [app.CandidateUnit].
func (u *unit) BroughtIn(ctx context.Context, patientID string) (out []domain.Snapshot, err error) {
	var states []string
	for _, state := range domain.StatesUnderWay() {
		states = append(states, string(state))
	}
	among, list := u.tx.List("state", 3, states)
	rows, err := u.tx.Query(ctx, `SELECT id, kind, state, receiver_org, submit_time, arrive_time FROM referral WHERE county_code = $1 AND direction = 'UP' AND `+
		person(u.tx.Engine(), "patient_id", "$2")+" AND "+among+" ORDER BY submit_time, id", u.cmd.Caller.County, patientID, list)
	if err != nil {
		return nil, fmt.Errorf("look for the up-referrals of patient %s: %w", patientID, err)
	}
	defer rows.Close()
	for rows.Next() {
		s := domain.Snapshot{County: u.cmd.Caller.County, PatientID: patientID, Direction: domain.Up}
		var submitted, arrived sql.Null[time.Time]
		if err := rows.Scan(&s.ID, &s.Kind, &s.State, &s.Receiver.OrganizationID, &submitted, &arrived); err != nil {
			return nil, err
		}
		if s.SubmitTime, s.ArriveTime = instant(submitted), instant(arrived); s.BringsIn() {
			out = append(out, s)
		}
	}
	return out, rows.Err()
}

// SentDown implements [app.CandidateUnit].
func (u *unit) SentDown(ctx context.Context, s domain.Stay) (found string, err error) {
	err = u.tx.QueryRow(ctx, `SELECT id FROM referral WHERE county_code = $1 AND `+person(u.tx.Engine(), "patient_id", "$2")+` AND direction = 'DOWN' AND originator_org = $3
		AND number <> '' AND submit_time >= $4 AND state NOT IN ('DECLINED', 'CANCELLED') ORDER BY submit_time DESC, id DESC LIMIT 1`,
		s.County, s.PatientID, s.OrganizationID, s.Start).Scan(&found)
	if err != nil && !sqldb.NoRows(err) {
		return "", fmt.Errorf("look for a down-referral of patient %s: %w", s.PatientID, err)
	}
	return found, nil
}

// Concluded implements [app.CandidateUnit].
func (u *unit) Concluded(ctx context.Context, s domain.Stay) (bool, error) {
	var n int
	err := u.tx.QueryRow(ctx, `SELECT count(*) FROM referral WHERE county_code = $1 AND `+person(u.tx.Engine(), "patient_id", "$2")+` AND direction = 'UP'
		AND kind NOT IN ('ADVICE', 'EXAM') AND receiver_org = $3 AND conclude_time >= $4 AND arrive_time <= $5`,
		s.County, s.PatientID, s.OrganizationID, s.Start, s.End).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for a conclusion of patient %s: %w", s.PatientID, err)
	}
	return n > 0, nil
}

// TakeEncounter implements [app.CandidateUnit].
func (u *unit) TakeEncounter(ctx context.Context, t app.EncounterTold) (newest bool, err error) {
	if err := u.gate(ctx, t.PatientID); err != nil {
		return false, err
	}
	var patientID string
	var version int32
	err = u.tx.QueryRow(ctx, "SELECT patient_id, version FROM stay_watch WHERE county_code = $1 AND encounter_id = $2",
		u.cmd.Caller.County, t.EncounterID).Scan(&patientID, &version)
	switch {
	case err != nil && !sqldb.NoRows(err):
		return false, fmt.Errorf("look for encounter %s: %w", t.EncounterID, err)
	case patientID != "" && patientID != t.PatientID:
		return false, errs.Conflict(errs.ReasonAlreadyRegistered, "encounter "+t.EncounterID+" is of another patient")
	case version > t.Version:
		return false, nil
	}
	_, err = u.tx.Exec(ctx, `INSERT INTO stay_watch (county_code, encounter_id, state, patient_id, organization_id, department_code, centre_id,
		diagnosis_codes, criterion, version) VALUES ($1, $2, 'ENDED', $3, '', '', '', '', '', $4)
		ON CONFLICT (county_code, encounter_id) DO UPDATE SET state = 'ENDED', patient_id = $3, version = $4`,
		u.cmd.Caller.County, t.EncounterID, t.PatientID, t.Version)
	if err != nil {
		return false, fmt.Errorf("note encounter %s: %w", t.EncounterID, err)
	}
	return true, nil
}

// WatchStay implements [app.CandidateUnit].
func (u *unit) WatchStay(w app.StayWatch) {
	u.plan(1, `UPDATE stay_watch SET state = 'OPEN', organization_id = $3, department_code = $4, centre_id = $5, diagnosis_codes = $6,
		criterion = $7, start_time = $8, due_time = $9 WHERE county_code = $1 AND encounter_id = $2`,
		w.County, w.EncounterID, w.OrganizationID, w.DepartmentCode, w.CentreID, codes(w.Diagnoses), w.Criterion, w.Start, w.Due)
}

// StaysDue implements [app.Candidates].
func (s *Store) StaysDue(ctx context.Context, n int) (out []app.StayWatch, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, `SELECT county_code, encounter_id, patient_id, organization_id, department_code, centre_id, diagnosis_codes,
			criterion, start_time, due_time FROM stay_watch WHERE state = 'OPEN' AND due_time <= $1 ORDER BY due_time LIMIT $2`, tx.Now(), n)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var w app.StayWatch
			var diagnoses string
			err := rows.Scan(&w.County, &w.EncounterID, &w.PatientID, &w.OrganizationID, &w.DepartmentCode, &w.CentreID, &diagnoses, &w.Criterion,
				&w.Start, &w.Due)
			if err != nil {
				return err
			}
			for _, code := range strings.Fields(diagnoses) {
				w.Diagnoses = append(w.Diagnoses, domain.Diagnosis{System: "ICD-10", Code: code})
			}
			w.Start, w.Due = w.Start.UTC(), w.Due.UTC()
			out = append(out, w)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("look for long stays: %w", err)
	}
	return out, nil
}

// DelayStay implements [app.Candidates].
func (s *Store) DelayStay(ctx context.Context, w app.StayWatch, due time.Time) error {
	err := s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		return tx.Last(ctx, sqldb.Stmt{
			SQL:  `UPDATE stay_watch SET due_time = $3 WHERE county_code = $1 AND encounter_id = $2 AND state = 'OPEN' AND due_time < $3`,
			Args: []any{w.County, w.EncounterID, due}, Want: -1,
		})
	})
	if err != nil {
		return fmt.Errorf("delay encounter %s: %w", w.EncounterID, err)
	}
	return nil
}

// TakeStay implements [app.CandidateUnit].
func (u *unit) TakeStay(encounterID string) {
	u.plan(1, `UPDATE stay_watch SET state = 'TOLD' WHERE county_code = $1 AND encounter_id = $2 AND state = 'OPEN'`,
		u.cmd.Caller.County, encounterID).lost = func(context.Context) error {
		return errs.Conflict(errs.ReasonStaleVersion, "the stay was taken by another")
	}
}
