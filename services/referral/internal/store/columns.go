package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// The columns of a referral: those fixed at creation, those that change, and the sealed ones, in this order everywhere.
const (
	fixedColumns = `county_code, id, direction, patient_id, originator_org, originator_department, originator_practitioner, account_id, create_time,
		reply_to, link_kind, retrospective`

	changingColumns = `version, number, state, kind, urgency, urgency_rank, receiver_org, receiver_department, receiver_practitioner,
		diagnosis_codes, guard, transport, hold_id, hold_lost, booking_id, booking_hold_id, walk_in, expected_from, expected_to, outcome_code,
		reason_code, arrived_from, submit_time, arrive_time, admit_time, due_time, due_order, update_time,
		escalated_to, down_referral, down_arrive_time, bounce_back_of, bounced_by, matched_criteria, family_doctor, verdict, corrections,
		condition, first_answer, first_due, answer_time, depart_time, expected_arrival, conclude_time, close_time,
		accept_time, no_show_time, follow_up_time, completeness, completeness_missing, first_reason, written_time, village_id,
		missed_steps, booking_bed`

	sealedColumns = `patient, content, result, plan`

	columns = fixedColumns + ", " + changingColumns + ", " + sealedColumns
)

// names splits a list of columns.
func names(list string) []string {
	out := strings.Split(list, ",")
	for i, n := range out {
		out[i] = strings.TrimSpace(n)
	}
	return out
}

// insertReferral takes the columns in their order.
func insertReferral() string {
	places := make([]string, len(names(columns)))
	for i := range places {
		places[i] = "$" + strconv.Itoa(i+1)
	}
	return "INSERT INTO referral (" + columns + ") VALUES (" + strings.Join(places, ", ") + ")"
}

// updateReferral takes county, id and the version that was read, then the changing columns and the sealed ones but the patient, which
// stays; a sealed column given as NULL stays as well.
func updateReferral() string {
	const before = 3
	var sets []string
	for _, n := range names(changingColumns) {
		value := "$" + strconv.Itoa(len(sets)+before+1)
		if n == "guard" {
			value = guardOf(value)
		}
		sets = append(sets, n+" = "+value)
	}
	for _, n := range names(sealedColumns)[1:] {
		sets = append(sets, fmt.Sprintf("%s = COALESCE($%d, %s)", n, len(sets)+before+1, n))
	}
	return "UPDATE referral SET " + strings.Join(sets, ", ") + " WHERE county_code = $1 AND id = $2 AND version = $3"
}

// guardOf keeps a guard with the person whom a merge gave it to: the domain's guard names the patient of the row. What had none comes under the
// person's record of today.
func guardOf(guard string) string {
	tail := "substr(" + guard + ", length(patient_id) + 1)"
	return "CASE WHEN " + guard + ` = '' THEN '' WHEN guard <> ''
		THEN substr(guard, 1, length(guard) - length(kind) - length(originator_org) - length(receiver_org) - 3) || ` + tail + `
		ELSE (WITH RECURSIVE up(id) AS (SELECT patient_id UNION SELECT l.survivor_id FROM up JOIN patient_link l ON l.county_code = $1 AND l.holds
			AND l.merged_id = up.id) SELECT up.id FROM up WHERE NOT EXISTS (SELECT 1 FROM patient_link l WHERE l.county_code = $1 AND l.holds
			AND l.merged_id = up.id)) || ` + tail + ` END`
}

func fixed(s domain.Snapshot) []any {
	return []any{
		s.County, s.ID, string(s.Direction), s.PatientID, s.Originator.OrganizationID, s.Originator.DepartmentCode, s.Originator.PractitionerID,
		s.AccountID, s.CreateTime, s.ReplyTo, string(s.LinkKind), s.Retrospective,
	}
}

func changing(s domain.Snapshot) []any {
	place := app.Place(s, true)
	return []any{
		s.Version, string(s.Number), string(s.State), string(s.Kind), string(s.Urgency), place.Rank,
		s.Receiver.OrganizationID, s.Receiver.DepartmentCode, s.Receiver.PractitionerID, codes(s.Diagnoses), s.Guard(), s.Transport,
		s.HoldID, s.HoldLost, s.Booking.ID, s.Booking.HoldID, s.WalkIn, null(s.Expected.From), null(s.Expected.To), s.Outcome,
		s.ReasonCode, string(s.ArrivedFrom), null(s.SubmitTime), null(s.ArriveTime), null(s.AdmitTime), null(s.DueTime), place.Time, s.UpdateTime,
		s.Escalated, s.DownReferral, null(s.DownArrived), s.BounceBackOf, s.BouncedBy, strings.Join(s.MatchedCriteria, " "), s.FamilyDoctor,
		string(s.Verdict), s.Corrections, s.Condition(), string(s.FirstAnswer), null(s.FirstDue), null(s.AnswerTime), null(s.DepartTime),
		null(s.ExpectedArrival), null(s.ConcludeTime), null(s.CloseTime), null(s.AcceptTime), null(s.NoShowTime), null(s.FollowUpTime),
		score(s.Completeness), strings.Join(s.Completeness.Missing(), " "), s.FirstReason, null(s.WrittenTime), s.Patient.VillageClinicID,
		strings.Join(words(s.MissedSteps), " "), s.Booking.Bed,
	}
}

type scanner interface{ Scan(dest ...any) error }

// scan reads the columns, and more after them, and opens what is sealed.
func (s *Store) scan(row scanner, more ...any) (domain.Snapshot, error) {
	var r domain.Snapshot
	var rank int
	var diagnoses, guard, criteria, condition string
	var order time.Time
	var from, to, submitted, arrived, admitted, due, downArrived, firstDue, answered, departed, expected, concluded, closed sql.Null[time.Time]
	var accepted, noShow, followUp, written sql.Null[time.Time]
	var patient, content, result, plan []byte
	var complete sql.Null[int]
	var missed string
	var missing, village string // the village is sealed with the patient; its column is for finding
	dest := []any{
		&r.County, &r.ID, &r.Direction, &r.PatientID, &r.Originator.OrganizationID, &r.Originator.DepartmentCode, &r.Originator.PractitionerID,
		&r.AccountID, &r.CreateTime, &r.ReplyTo, &r.LinkKind, &r.Retrospective,
		&r.Version, &r.Number, &r.State, &r.Kind, &r.Urgency, &rank,
		&r.Receiver.OrganizationID, &r.Receiver.DepartmentCode, &r.Receiver.PractitionerID, &diagnoses, &guard, &r.Transport,
		&r.HoldID, &r.HoldLost, &r.Booking.ID, &r.Booking.HoldID, &r.WalkIn, &from, &to, &r.Outcome,
		&r.ReasonCode, &r.ArrivedFrom, &submitted, &arrived, &admitted, &due, &order, &r.UpdateTime,
		&r.Escalated, &r.DownReferral, &downArrived, &r.BounceBackOf, &r.BouncedBy, &criteria, &r.FamilyDoctor, &r.Verdict, &r.Corrections,
		&condition, &r.FirstAnswer, &firstDue, &answered, &departed, &expected, &concluded, &closed,
		&accepted, &noShow, &followUp, &complete, &missing, &r.FirstReason, &written, &village, &missed, &r.Booking.Bed,
		&patient, &content, &result, &plan,
	}
	if err := row.Scan(append(dest, more...)...); err != nil {
		return domain.Snapshot{}, err
	}
	r.CreateTime, r.UpdateTime = r.CreateTime.UTC(), r.UpdateTime.UTC()
	r.Expected = domain.Window{From: instant(from), To: instant(to)}
	r.SubmitTime, r.ArriveTime, r.AdmitTime, r.DueTime = instant(submitted), instant(arrived), instant(admitted), instant(due)
	r.DownArrived, r.FirstDue, r.AnswerTime = instant(downArrived), instant(firstDue), instant(answered)
	r.DepartTime, r.ExpectedArrival = instant(departed), instant(expected)
	r.ConcludeTime, r.CloseTime = instant(concluded), instant(closed)
	r.WrittenTime = instant(written)
	r.AcceptTime, r.NoShowTime, r.FollowUpTime = instant(accepted), instant(noShow), instant(followUp)
	if criteria != "" {
		r.MatchedCriteria = strings.Fields(criteria)
	}
	r.Completeness, r.MissedSteps = completeness(complete, missing), stepsIn(missed)
	return r, s.unseal(&r, patient, content, result, plan)
}

func (s *Store) unseal(r *domain.Snapshot, patient, content, result, plan []byte) error {
	var p sealedPatient
	var c sealedContent
	var o sealedResult
	var f sealedPlan
	for _, part := range []struct {
		column string
		sealed []byte
		into   any
	}{{"patient", patient, &p}, {"content", content, &c}, {"result", result, &o}, {"plan", plan, &f}} {
		if err := s.open(part.column, r.ID, part.sealed, part.into); err != nil {
			return err
		}
	}
	r.Patient = domain.Patient(p)
	c.into(r)
	o.into(r)
	r.Plan = f.plan()
	return nil
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

// stepsIn are the steps of a column.
func stepsIn(column string) (out []domain.Step) {
	for _, step := range strings.Fields(column) {
		out = append(out, domain.Step(step))
	}
	return out
}

func null(t time.Time) sql.Null[time.Time] { return sql.Null[time.Time]{V: t, Valid: !t.IsZero()} }

func score(c domain.Completeness) sql.Null[int] { return sql.Null[int]{V: c.Score, Valid: c.Judged} }

// completeness is what was judged; of the statuses only what is missing is kept.
func completeness(score sql.Null[int], missing string) domain.Completeness {
	c := domain.Completeness{Judged: score.Valid, Score: score.V}
	if codes := strings.Fields(missing); len(codes) > 0 {
		c.Statuses = make(map[string]domain.ItemStatus, len(codes))
		for _, code := range codes {
			c.Statuses[code] = domain.ItemMissing
		}
	}
	return c
}

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
