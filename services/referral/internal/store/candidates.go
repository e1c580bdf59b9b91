package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

var _ app.Candidates = (*Store)(nil)

// candidateConsumer is the name under which facts that candidates follow from are noted in the inbox.
const candidateConsumer = "referral-candidate"

// candidateColumns in this order everywhere.
const candidateColumns = `id, version, state, origin, patient_id, organization_id, department_code, referral_id, number, encounter_id,
	diagnosis_codes, criteria, centre_id, family_doctor, down_referral, reason_code, stay_start, stay_end, found_time, due_time, update_time,
	patient, content, up_again`

// selectCandidates reads them with the name under which the family doctor made the up-referral.
var selectCandidates = "SELECT c." + strings.Join(names(candidateColumns), ", c.") + `, COALESCE(h.account_name, ''), COALESCE(a.number, '') FROM candidate c
	LEFT JOIN history h ON h.county_code = c.county_code AND h.referral_id = c.referral_id AND h.version = 1 AND h.account_id = c.family_doctor
	LEFT JOIN referral a ON a.county_code = c.county_code AND a.id = c.up_again AND c.up_again <> ''
	WHERE c.county_code = $1 AND `

// sealedCandidate is the sealed content as JSON. The names are stored: they may be added to, never changed.
type sealedCandidate struct {
	Diagnoses []sealedDiagnosis `json:"diagnoses,omitempty"`
	Medicines []sealedMedicine  `json:"medicines,omitempty"`
	Note      string            `json:"note,omitempty"`
}

func sealedCandidateOf(c domain.CandidateSnapshot) sealedCandidate {
	out := sealedCandidate{Note: c.Note}
	for _, d := range c.Diagnoses {
		out.Diagnoses = append(out.Diagnoses, sealedDiagnosis(d))
	}
	for _, m := range c.Medicines {
		out.Medicines = append(out.Medicines, sealedMedicine(m))
	}
	return out
}

func (s *Store) scanCandidate(county string, row scanner) (app.CandidateView, error) {
	var v app.CandidateView
	var codes, reasons string
	var end sql.Null[time.Time]
	var patient, content []byte
	v.County = county
	err := row.Scan(&v.ID, &v.Version, &v.State, &v.Origin, &v.PatientID, &v.OrganizationID, &v.DepartmentCode, &v.ReferralID, &v.Number,
		&v.EncounterID, &codes, &reasons, &v.CentreID, &v.FamilyDoctor, &v.DownReferral, &v.ReasonCode, &v.Start, &end, &v.FoundTime, &v.Due,
		&v.UpdateTime, &patient, &content, &v.UpAgainBy, &v.FamilyDoctorName, &v.UpAgainNumber)
	if err != nil {
		return v, err
	}
	v.Reasons = strings.Fields(reasons)
	v.Start, v.End, v.Due = v.Start.UTC(), instant(end), v.Due.UTC()
	v.FoundTime, v.UpdateTime = v.FoundTime.UTC(), v.UpdateTime.UTC()
	var p sealedPatient
	var c sealedCandidate
	for _, part := range []struct {
		column string
		sealed []byte
		into   any
	}{{"patient", patient, &p}, {"content", content, &c}} {
		plain, err := s.Ring.Open("candidate", part.column, v.ID, part.sealed)
		if err != nil {
			return v, err
		}
		if err := decode(plain, part.into); err != nil {
			return v, err
		}
	}
	v.Patient, v.Note = domain.Patient(p), c.Note
	for _, d := range c.Diagnoses {
		v.Diagnoses = append(v.Diagnoses, domain.Diagnosis(d))
	}
	for _, m := range c.Medicines {
		v.Medicines = append(v.Medicines, domain.Medicine(m))
	}
	return v, nil
}

// candidates reads those that a condition selects; $1 is the county.
func (s *Store) candidates(ctx context.Context, tx *sqldb.Tx, condition, county string, args ...any) ([]app.CandidateView, error) {
	rows, err := tx.Query(ctx, selectCandidates+condition, append([]any{county}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []app.CandidateView
	for rows.Next() {
		v, err := s.scanCandidate(county, rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// Candidate implements [app.Candidates].
func (s *Store) Candidate(ctx context.Context, county, id string) (v app.CandidateView, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		v, err = s.scanCandidate(county, tx.QueryRow(ctx, selectCandidates+"c.id = $2", county, id))
		return err
	})
	if sqldb.NoRows(err) {
		return app.CandidateView{}, errs.NotFound("candidate")
	}
	if err != nil {
		return app.CandidateView{}, fmt.Errorf("read candidate %s: %w", id, err)
	}
	return v, nil
}

// ListCandidates implements [app.Candidates].
func (s *Store) ListCandidates(ctx context.Context, q app.CandidateQuery) (out []app.CandidateView, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		states := make([]string, len(q.States))
		for i, st := range q.States {
			states[i] = string(st)
		}
		among, list := tx.List("c.state", 3, states)
		condition, args := "c.organization_id = $2 AND "+among, []any{q.Caller.Organization, list}
		add := func(format string, values ...any) {
			places := make([]any, len(values))
			for i, v := range values {
				args = append(args, v)
				places[i] = len(args) + 1
			}
			condition += fmt.Sprintf(format, places...)
		}
		if q.Department != "" {
			add(" AND c.department_code = $%d", q.Department)
		}
		if q.After != nil {
			add(" AND (c.due_time, c.id) > ($%d, $%d)", q.After.Time, q.After.ID)
		}
		add(" ORDER BY c.due_time, c.id LIMIT $%d", q.Limit)
		out, err = s.candidates(ctx, tx, condition, q.Caller.County, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list candidates: %w", err)
	}
	return out, nil
}

// NoteCandidateRead implements [app.Candidates].
func (s *Store) NoteCandidateRead(ctx context.Context, caller authn.Identity, c domain.CandidateSnapshot) error {
	return s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		return tx.Last(ctx, audit.Stmt(candidateEntry(caller, c, "candidate.read"), id.New(), tx.Now()))
	})
}

func candidateEntry(by authn.Identity, c domain.CandidateSnapshot, action string) audit.Entry {
	return audit.Entry{
		County: c.County, AccountID: by.Subject, OrganizationID: by.Organization, Action: "referral." + action,
		ObjectType: "candidate", ObjectID: c.ID, PatientID: c.PatientID, Detail: "version " + strconv.Itoa(int(c.Version)),
	}
}

// ChangeCandidate implements [app.Candidates].
func (s *Store) ChangeCandidate(
	ctx context.Context, cmd app.Command, candidateID string, decide func(*domain.Candidate, time.Time) error,
) (app.CandidateView, error) {
	var u *unit
	err := s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		if _, found, err := tx.FindRequest(ctx, s.request(cmd)); found || err != nil {
			return err
		}
		u = &unit{s: s, tx: tx, cmd: cmd}
		c, err := u.candidate(ctx, candidateID)
		if err != nil {
			return err
		}
		if err := decide(c, tx.Now()); err != nil {
			return err
		}
		u.SaveCandidate(c)
		// The answer holds what the request brought: what it became is read again.
		u.stmt(sqldb.RequestStmt(s.request(cmd), []byte{}, tx.Now()))
		return u.write(ctx)
	})
	var lost *sqldb.ConditionError
	if errors.As(err, &lost) {
		err = u.lost(ctx, lost.Index)
	}
	if err != nil {
		return app.CandidateView{}, err
	}
	return s.Candidate(ctx, cmd.Caller.County, candidateID)
}

// candidate loads one by id and keeps others from deciding about the patient until the end.
func (u *unit) candidate(ctx context.Context, candidateID string) (*domain.Candidate, error) {
	var patientID string
	err := u.tx.QueryRow(ctx, "SELECT patient_id FROM candidate WHERE county_code = $1 AND id = $2", u.cmd.Caller.County, candidateID).Scan(&patientID)
	if sqldb.NoRows(err) {
		return nil, errs.NotFound("candidate")
	}
	if err != nil {
		return nil, fmt.Errorf("look for candidate %s: %w", candidateID, err)
	}
	all, err := u.Candidates(ctx, patientID)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.Snapshot().ID == candidateID {
			return c, nil
		}
	}
	return nil, errs.NotFound("candidate")
}

// TakeFact implements [app.Candidates].
func (s *Store) TakeFact(ctx context.Context, county, factID string, decide func(app.Unit) error) error {
	var u *unit
	err := s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		if factID != "" {
			already, err := outbox.Seen(ctx, tx, candidateConsumer, factID)
			if already || err != nil {
				return err
			}
		}
		// No request, but the cause of what is told.
		u = &unit{s: s, tx: tx, cmd: app.Command{Caller: authn.Identity{Subject: app.Self, County: county}}}
		if err := decide(u); err != nil {
			return err
		}
		return u.write(ctx)
	})
	var lost *sqldb.ConditionError
	if errors.As(err, &lost) {
		return u.lost(ctx, lost.Index)
	}
	return err
}
