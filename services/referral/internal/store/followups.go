package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

var _ app.FollowUps = (*Store)(nil)

const insertTask = `INSERT INTO follow_up_task (county_code, id, referral_id, organization_id, patient_id, family_doctor, source, code, visit,
	due_date, state, done_time, result) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
	ON CONFLICT (county_code, id) DO UPDATE SET family_doctor = $6, due_date = $10, state = $11, done_time = $12, result = $13`

// tasks keeps the work list in step with the changes: the visits of a plan that is being followed, and the checks that norms ask for.
func (u *unit) tasks(r *domain.Referral, changes []domain.Change) {
	for _, c := range changes {
		u.normTasks(c)
	}
	s := r.Snapshot()
	before, after := followed(r.Loaded()), followed(s)
	if before == nil && after == nil {
		return
	}
	u.plan(-1, `DELETE FROM follow_up_task WHERE county_code = $1 AND referral_id = $2 AND source = 'PLAN' AND state = 'OPEN'`, s.County, s.ID)
	done := map[int]bool{}
	for _, v := range before {
		done[v.Number] = v.Done
	}
	for _, v := range s.Plan.Visits {
		if after == nil && !v.Done || done[v.Number] {
			continue
		}
		u.visit(changes[len(changes)-1], v)
	}
}

// followed are the visits of a plan that the township works on; a plan that is only proposed makes no work.
func followed(s domain.Snapshot) []domain.PlannedVisit {
	if s.State != domain.StateFollowUp {
		return nil
	}
	return s.Plan.Visits
}

func (u *unit) visit(c domain.Change, v domain.PlannedVisit) {
	s, state, due := c.After, "OPEN", v.Due
	if v.Done {
		state = "DONE"
	}
	if due == "" {
		due = c.Today
	}
	u.plan(1, insertTask, s.County, id.FromFact("visit", s.ID, strconv.Itoa(v.Number)), s.ID, s.Receiver.OrganizationID, s.PatientID, s.FamilyDoctor,
		"PLAN", s.Plan.Condition, v.Number, due, state, null(v.DoneTime), v.Findings.Result)
}

// normTasks puts the checks of a referral that was sent onto the township's list, gives them on with it, and takes them off one that was
// taken back or refused.
func (u *unit) normTasks(c domain.Change) {
	s := c.After
	if c.Action == domain.ActionDecline || c.Action == domain.ActionCancel {
		u.plan(-1, `UPDATE follow_up_task SET state = 'CANCELLED' WHERE county_code = $1 AND referral_id = $2 AND source = 'NORM' AND state = 'OPEN'`,
			s.County, s.ID)
	}
	township, doctor := s.Originator.OrganizationID, s.AccountID
	if s.Direction == domain.Down {
		township, doctor = s.Receiver.OrganizationID, s.FamilyDoctor
	}
	if c.Action == domain.ActionRedirect && s.Direction == domain.Down {
		u.plan(-1, `UPDATE follow_up_task SET organization_id = $3 WHERE county_code = $1 AND referral_id = $2 AND source = 'NORM' AND state = 'OPEN'`,
			s.County, s.ID, township)
	}
	for _, n := range c.Norms {
		u.plan(1, insertTask, s.County, id.FromFact("norm", s.ID, n.Code), s.ID, township, s.PatientID, doctor, "NORM", n.Code, 0, n.Due, "OPEN",
			null(time.Time{}), "")
	}
}

const taskColumns = `id, referral_id, organization_id, patient_id, family_doctor, source, code, visit, due_date, state, done_time, result, remark`

// Tasks implements [app.FollowUps].
func (s *Store) Tasks(ctx context.Context, q app.TaskQuery) (out []app.Task, err error) {
	order, compare := "due_date, id", "(due_date, id) > ($%d, $%d)"
	if q.Done {
		order, compare = "due_date DESC, id DESC", "(due_date, id) < ($%d, $%d)"
	}
	args := []any{q.County, q.OrganizationID}
	text := "SELECT " + taskColumns + " FROM follow_up_task WHERE county_code = $1 AND organization_id = $2"
	add := func(format string, values ...any) {
		places := make([]any, len(values))
		for i, v := range values {
			args = append(args, v)
			places[i] = len(args)
		}
		text += " AND " + fmt.Sprintf(format, places...)
	}
	state := "OPEN"
	if q.Done {
		state = "DONE"
	}
	add("state = $%d", state)
	if q.Until != "" {
		add("due_date <= $%d", q.Until)
	}
	if q.FamilyDoctor != "" {
		add("family_doctor = $%d", q.FamilyDoctor)
	}
	if q.PatientID != "" {
		add("patient_id = $%d", q.PatientID)
	}
	if q.AfterID != "" {
		add(compare, q.AfterDue, q.AfterID)
	}
	args = append(args, q.Limit)
	text += " ORDER BY " + order + " LIMIT $" + strconv.Itoa(len(args))
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, text, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		out = nil
		for rows.Next() {
			t, err := s.task(rows, q.County)
			if err != nil {
				return err
			}
			out = append(out, t)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list follow-ups: %w", err)
	}
	return out, nil
}

func (s *Store) task(row scanner, county string) (app.Task, error) {
	t := app.Task{County: county}
	var done sql.Null[time.Time]
	var sealed []byte
	err := row.Scan(&t.ID, &t.ReferralID, &t.OrganizationID, &t.PatientID, &t.FamilyDoctor, &t.Source, &t.Code, &t.Visit, &t.Due, &t.State,
		&done, &t.Result, &sealed)
	if err != nil {
		return app.Task{}, err
	}
	t.DoneTime = instant(done)
	if sealed == nil {
		return t, nil
	}
	plain, err := s.Ring.Open("follow_up_task", "remark", t.ID, sealed)
	if err != nil {
		return app.Task{}, err
	}
	var r remark
	if err := decode(plain, &r); err != nil {
		return app.Task{}, err
	}
	t.Note = r.Note
	return t, nil
}

// CountTasks implements [app.FollowUps].
func (s *Store) CountTasks(ctx context.Context, q app.TaskQuery, today string) (due, overdue int, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT COALESCE(SUM(CASE WHEN due_date = $3 THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN due_date < $3 THEN 1 ELSE 0 END), 0)
			FROM follow_up_task WHERE county_code = $1 AND organization_id = $2 AND state = 'OPEN' AND due_date <= $3
				AND ($4 = '' OR family_doctor = $4)`, q.County, q.OrganizationID, today, q.FamilyDoctor).Scan(&due, &overdue)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("count follow-ups: %w", err)
	}
	return due, overdue, nil
}

// Task implements [app.FollowUps].
func (s *Store) Task(ctx context.Context, county, id string) (t app.Task, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		t, err = s.task(tx.QueryRow(ctx, "SELECT "+taskColumns+" FROM follow_up_task WHERE county_code = $1 AND id = $2", county, id), county)
		return err
	})
	if sqldb.NoRows(err) {
		return app.Task{}, errs.NotFound("follow-up")
	}
	if err != nil {
		return app.Task{}, fmt.Errorf("read follow-up %s: %w", id, err)
	}
	return t, nil
}

// FinishTask implements [app.Unit].
func (u *unit) FinishTask(ctx context.Context, t app.Task) (last bool, err error) {
	var open int
	err = u.tx.QueryRow(ctx, `SELECT count(*) FROM follow_up_task WHERE county_code = $1 AND referral_id = $2 AND source = 'NORM' AND state = 'OPEN'
		AND id <> $3`, t.County, t.ReferralID, t.ID).Scan(&open)
	if err != nil {
		return false, fmt.Errorf("count the open checks of referral %s: %w", t.ReferralID, err)
	}
	u.plan(1, `UPDATE follow_up_task SET state = 'DONE', done_time = $3, result = $4, remark = $5 WHERE county_code = $1 AND id = $2 AND state = 'OPEN'`,
		t.County, t.ID, u.Now(), t.Result, u.seal("follow_up_task", "remark", t.ID, some(encode(remark{Note: t.Note})))).lost = func(context.Context) error {
		return errs.WrongState("record", "DONE")
	}
	return open == 0, nil
}
