package store

import (
	"context"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// lateFrom selects what is overdue; $1 is the county, $2 the present, $3 the organisation, $4 the hospital's department, $5 urgency and $6 kind; each
// may be empty.
const lateFrom = ` FROM deadline d JOIN referral r ON r.county_code = d.county_code AND r.id = d.referral_id
	WHERE d.county_code = $1 AND d.state = 'OPEN' AND d.due_time < $2 AND ($3 = '' OR r.originator_org = $3 OR r.receiver_org = $3)
	AND ($4 = '' OR CASE r.direction WHEN 'UP' THEN r.receiver_department ELSE r.originator_department END = $4)
	AND ($5 = '' OR r.urgency = $5) AND ($6 = '' OR r.kind = $6) AND `

// Late implements [app.Statistics].
func (s *Store) Late(ctx context.Context, q app.LateScan) (out app.LateList, err error) {
	var steps []string
	for _, step := range domain.LateSteps() {
		steps = append(steps, string(step))
	}
	err = s.DB.View(ctx, func(tx *sqldb.Tx) error {
		out = app.LateList{Totals: map[domain.Step]int{}}
		among, list := tx.List("d.step", 7, steps)
		args := []any{q.County, tx.Now(), q.OrganizationID, q.Department, string(q.Urgency), string(q.Kind), list}
		if err := lateTotals(ctx, tx, "SELECT d.step, count(*)"+lateFrom+among+" GROUP BY d.step", args, out.Totals); err != nil {
			return err
		}
		w := where{tx: tx, args: args}
		text := `SELECT r.id, r.number, r.state, r.direction, r.kind, r.urgency, r.originator_org, r.originator_department, r.receiver_org,
			r.receiver_department, r.condition, d.step, d.due_time` + lateFrom + among
		if q.Step != domain.StepNone {
			text += " AND d.step = " + w.value(string(q.Step))
		}
		if q.After != nil {
			text += fmt.Sprintf(" AND (d.due_time, d.referral_id || ' ' || d.step) > (%s, %s)", w.value(q.After.Time), w.value(q.After.ID))
		}
		text += fmt.Sprintf(" ORDER BY d.due_time, d.referral_id || ' ' || d.step LIMIT %d", q.Limit)
		out.Cases, err = lateCases(ctx, tx, q.County, text, w.args)
		return err
	})
	if err != nil {
		return app.LateList{}, fmt.Errorf("list what is overdue: %w", err)
	}
	return out, nil
}

func lateTotals(ctx context.Context, tx *sqldb.Tx, text string, args []any, into map[domain.Step]int) error {
	rows, err := tx.Query(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var step domain.Step
		var n int
		if err := rows.Scan(&step, &n); err != nil {
			return err
		}
		into[step] = n
	}
	return rows.Err()
}

func lateCases(ctx context.Context, tx *sqldb.Tx, county, text string, args []any) ([]app.LateCase, error) {
	rows, err := tx.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []app.LateCase
	for rows.Next() {
		c := app.LateCase{Referral: domain.Snapshot{County: county}}
		r := &c.Referral
		var condition string
		if err := rows.Scan(&r.ID, &r.Number, &r.State, &r.Direction, &r.Kind, &r.Urgency, &r.Originator.OrganizationID, &r.Originator.DepartmentCode,
			&r.Receiver.OrganizationID, &r.Receiver.DepartmentCode, &condition, &c.Step, &c.Due); err != nil {
			return nil, err
		}
		r.Diagnoses, c.Due = []domain.Diagnosis{{Code: condition}}, c.Due.UTC()
		out = append(out, c)
	}
	return out, rows.Err()
}

// Running implements [app.Statistics].
func (s *Store) Running(ctx context.Context, county, id string) (out []domain.Deadline, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, "SELECT step, due_time FROM deadline WHERE county_code = $1 AND referral_id = $2 AND state = 'OPEN'", county, id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d domain.Deadline
			if err := rows.Scan(&d.Step, &d.Due); err != nil {
				return err
			}
			d.Due = d.Due.UTC()
			out = append(out, d)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list the limits of referral %s: %w", id, err)
	}
	return out, nil
}

// Unsent implements [app.Statistics].
func (s *Store) Unsent(ctx context.Context, q app.UnsentScan) (out []domain.CandidateSnapshot, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		out = nil
		found, err := s.candidates(ctx, tx, `c.found_time >= $2 AND c.found_time < $3 AND ($4 = '' OR c.organization_id = $4)
			AND ($5 = '' OR c.centre_id = $5) AND ($6 = '' OR c.department_code = $6) AND (c.state IN ('OPEN', 'REFERRED') OR c.state = 'DISMISSED' AND (c.reason_code = 'NO_MEDICINE' OR c.reason_code LIKE 'NO_MEDICINE.%'))
			ORDER BY c.found_time DESC, c.id LIMIT `+fmt.Sprint(q.Limit), q.County, midnight(q.From, s.Zone), midnight(q.To, s.Zone), q.Hospital, q.Centre, q.Department)
		for _, v := range found {
			out = append(out, v.CandidateSnapshot)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list candidates that were not sent down: %w", err)
	}
	return out, nil
}
