package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// The columns of a referral: those fixed at creation, those that change, and the sealed ones, in this order everywhere.
const (
	fixedColumns = `county_code, id, direction, patient_id, originator_org, originator_department, originator_practitioner, account_id, create_time`

	changingColumns = `version, number, state, kind, urgency, urgency_rank, receiver_org, receiver_department, receiver_practitioner,
		diagnosis_codes, guard, transport, hold_id, hold_lost, booking_id, booking_hold_id, walk_in, expected_from, expected_to, outcome_code,
		reason_code, arrived_from, submit_time, arrive_time, admit_time, due_time, due_order, update_time`

	columns = fixedColumns + ", " + changingColumns + ", patient, content, result"

	insertReferral = `INSERT INTO referral (` + columns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
		$18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40)`

	// A sealed column given as NULL stays.
	updateReferral = `UPDATE referral SET version = $4, number = $5, state = $6, kind = $7, urgency = $8, urgency_rank = $9, receiver_org = $10,
		receiver_department = $11, receiver_practitioner = $12, diagnosis_codes = $13, guard = $14, transport = $15, hold_id = $16,
		hold_lost = $17, booking_id = $18, booking_hold_id = $19, walk_in = $20, expected_from = $21, expected_to = $22, outcome_code = $23,
		reason_code = $24, arrived_from = $25, submit_time = $26, arrive_time = $27, admit_time = $28, due_time = $29, due_order = $30,
		update_time = $31, content = COALESCE($32, content), result = COALESCE($33, result)
		WHERE county_code = $1 AND id = $2 AND version = $3`
)

func fixed(s domain.Snapshot) []any {
	return []any{
		s.County, s.ID, string(s.Direction), s.PatientID, s.Originator.OrganizationID, s.Originator.DepartmentCode, s.Originator.PractitionerID,
		s.AccountID, s.CreateTime,
	}
}

func changing(s domain.Snapshot) []any {
	place := app.Place(s, true)
	return []any{
		s.Version, string(s.Number), string(s.State), string(s.Kind), string(s.Urgency), place.Rank,
		s.Receiver.OrganizationID, s.Receiver.DepartmentCode, s.Receiver.PractitionerID, codes(s.Diagnoses), s.Guard(), s.Transport,
		s.HoldID, s.HoldLost, s.Booking.ID, s.Booking.HoldID, s.WalkIn, null(s.Expected.From), null(s.Expected.To), s.Outcome,
		s.ReasonCode, string(s.ArrivedFrom), null(s.SubmitTime), null(s.ArriveTime), null(s.AdmitTime), null(s.DueTime), place.Time, s.UpdateTime,
	}
}

type scanner interface{ Scan(dest ...any) error }

// scan reads the columns, and more after them, and opens what is sealed.
func (s *Store) scan(row scanner, more ...any) (domain.Snapshot, error) {
	var r domain.Snapshot
	var rank int
	var diagnoses, guard string
	var order time.Time
	var from, to, submitted, arrived, admitted, due sql.Null[time.Time]
	var patient, content, result []byte
	dest := []any{
		&r.County, &r.ID, &r.Direction, &r.PatientID, &r.Originator.OrganizationID, &r.Originator.DepartmentCode, &r.Originator.PractitionerID,
		&r.AccountID, &r.CreateTime,
		&r.Version, &r.Number, &r.State, &r.Kind, &r.Urgency, &rank,
		&r.Receiver.OrganizationID, &r.Receiver.DepartmentCode, &r.Receiver.PractitionerID, &diagnoses, &guard, &r.Transport,
		&r.HoldID, &r.HoldLost, &r.Booking.ID, &r.Booking.HoldID, &r.WalkIn, &from, &to, &r.Outcome,
		&r.ReasonCode, &r.ArrivedFrom, &submitted, &arrived, &admitted, &due, &order, &r.UpdateTime,
		&patient, &content, &result,
	}
	if err := row.Scan(append(dest, more...)...); err != nil {
		return domain.Snapshot{}, err
	}
	r.CreateTime, r.UpdateTime = r.CreateTime.UTC(), r.UpdateTime.UTC()
	r.Expected = domain.Window{From: instant(from), To: instant(to)}
	r.SubmitTime, r.ArriveTime, r.AdmitTime, r.DueTime = instant(submitted), instant(arrived), instant(admitted), instant(due)
	var p sealedPatient
	var c sealedContent
	var o sealedResult
	if err := s.open("patient", r.ID, patient, &p); err != nil {
		return domain.Snapshot{}, err
	}
	if err := s.open("content", r.ID, content, &c); err != nil {
		return domain.Snapshot{}, err
	}
	if err := s.open("result", r.ID, result, &o); err != nil {
		return domain.Snapshot{}, err
	}
	r.Patient = domain.Patient(p)
	c.into(&r)
	o.into(&r)
	return r, nil
}

func (s *Store) open(column, id string, sealed []byte, into any) error {
	if sealed == nil {
		return nil
	}
	plain, err := s.Ring.Open("referral", column, id, sealed)
	if err != nil {
		return err
	}
	return decode(plain, into)
}

// stale tells the version and state that are there instead of the one that was read.
func (s *Store) stale(ctx context.Context, county, id string) error {
	var version int32
	var state string
	err := s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, "SELECT version, state FROM referral WHERE county_code = $1 AND id = $2", county, id).Scan(&version, &state)
	})
	if err != nil {
		return fmt.Errorf("read the version of referral %s: %w", id, err)
	}
	return errs.Stale(version, state)
}

func codes(ds []domain.Diagnosis) string {
	out := make([]string, len(ds))
	for i, d := range ds {
		out[i] = d.Code
	}
	return strings.Join(out, " ")
}

func null(t time.Time) sql.Null[time.Time] { return sql.Null[time.Time]{V: t, Valid: !t.IsZero()} }

func instant(t sql.Null[time.Time]) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.V.UTC()
}

func encode(v any) []byte {
	// Structs of texts and times always marshal.
	b, _ := json.Marshal(v)
	return b
}

// some is nil for a value without content: nothing needs to be kept.
func some(b []byte) []byte {
	if bytes.Equal(b, []byte("{}")) {
		return nil
	}
	return b
}

func decode(plain []byte, into any) error {
	if err := json.Unmarshal(plain, into); err != nil {
		// The decoder's text may quote what is sealed.
		return fmt.Errorf("decode %T: not the JSON that was sealed", into)
	}
	return nil
}
