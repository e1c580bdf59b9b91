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
	due_date, state, done_time, result, village_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
	ON CONFLICT (county_code, id) DO UPDATE SET organization_id = $4, family_doctor = $6, code = $8, due_date = $10, state = $11,
		done_time = $12, result = $13`

// tasks keeps the work list in step with the changes: the visits of a plan that is being followed, and the checks that norms ask for. It
// writes what differs from before.
func (u *unit) tasks(r *domain.Referral, changes []domain.Change) {
	for _, c := range changes {
		u.normTasks(c)
	}
	s := r.Snapshot()
	before, after := visitTasks(r.Loaded()), visitTasks(s)
	var gone []string
	for number, was := range before {
		if _, stays := after[number]; !stays && !was.done {
			gone = append(gone, visitID(s, number))
		}
	}
	if len(gone) > 0 {
		among, list := u.tx.List("id", 2, gone)
		u.plan(-1, `DELETE FROM follow_up_task WHERE county_code = $1 AND `+among, s.County, list)
	}
	for _, v := range s.Plan.Visits {
		was, is := before[v.Number], after[v.Number]
		if is != was && !was.done && is.number > 0 {
			u.visit(changes[len(changes)-1], v)
		}
	}
}

// visitTask is what the work list says of a visit.
type visitTask struct {
	number                               int
	due, condition, organization, doctor string
	done                                 bool
}

// visitTasks are, by their numbers, the visits that were made and those that the township has still to make. A plan that is only proposed,
// one that is finished and one whose follow-up has ended make no work.
func visitTasks(s domain.Snapshot) map[int]visitTask {
	followed := s.State == domain.StateFollowUp && !s.Plan.Finished()
	out := make(map[int]visitTask, len(s.Plan.Visits))
	for _, v := range s.Plan.Visits {
		if v.Done || followed {
			out[v.Number] = visitTask{v.Number, v.Due, s.Plan.Condition, s.Receiver.OrganizationID, s.FamilyDoctor, v.Done}
		}
	}
	return out
}

func visitID(s domain.Snapshot, number int) string {
	return id.FromFact("visit", s.ID, strconv.Itoa(number))
}

func (u *unit) visit(c domain.Change, v domain.PlannedVisit) {
	s, state, due := c.After, "OPEN", v.Due
	if v.Done {
		state = "DONE"
	}
	if due == "" {
		due = c.Today
	}
	u.plan(1, insertTask, s.County, visitID(s, v.Number), s.ID, s.Receiver.OrganizationID, s.PatientID, s.FamilyDoctor,
		"PLAN", s.Plan.Condition, v.Number, due, state, null(v.DoneTime), v.Findings.Result, s.Patient.VillageClinicID)
}

// normTasks puts the checks of a referral that was sent onto the township's list, gives them on with it, notes those that a follow-up has
// made, and takes them off one that was taken back, refused or closed.
func (u *unit) normTasks(c domain.Change) {
	s := c.After
	switch c.Action {
	case domain.ActionDecline, domain.ActionCancel, domain.ActionEscalate, domain.ActionComplete:
		u.plan(-1, `UPDATE follow_up_task SET state = 'CANCELLED' WHERE county_code = $1 AND referral_id = $2 AND source = 'NORM' AND state = 'OPEN'`,
			s.County, s.ID)
	}
	for _, code := range c.NormsMade {
		u.plan(1, `UPDATE follow_up_task SET state = 'DONE', done_time = $3, result = $4 WHERE county_code = $1 AND id = $2 AND state = 'OPEN'`,
			s.County, normID(s, code), c.At, c.Detail["result"])
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
		u.plan(1, insertTask, s.County, normID(s, n.Code), s.ID, township, s.PatientID, doctor, "NORM", n.Code, 0, n.Due, "OPEN",
			null(time.Time{}), "", s.Patient.VillageClinicID)
	}
}

func normID(s domain.Snapshot, code string) string { return id.FromFact("norm", s.ID, code) }

const taskColumns = `id, referral_id, organization_id, patient_id, family_doctor, source, code, visit, due_date, state, done_time, result, remark, village_id`

// whose are the tasks of the organisation that is argument 2, and of a village clinic those of its village.
func whose(q app.TaskQuery) string {
	if q.Village {
		return "(organization_id = $2 OR village_id = $2 AND village_id <> '')"
	}
	return "organization_id = $2"
}

// Tasks implements [app.FollowUps].
func (s *Store) Tasks(ctx context.Context, q app.TaskQuery) (out []app.Task, err error) {
	order, compare := "due_date, id", "(due_date, id) > ($%d, $%d)"
	if q.Done {
		order, compare = "due_date DESC, id DESC", "(due_date, id) < ($%d, $%d)"
	}
	args := []any{q.County, q.OrganizationID}
	text := "SELECT " + taskColumns + " FROM follow_up_task WHERE county_code = $1 AND " + whose(q)
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
	if q.VillageClinicID != "" {
		add("village_id = $%d", q.VillageClinicID)
	}
	if q.PatientID != "" {
		add(person(s.DB.Engine(), "patient_id", "$%d"), q.PatientID)
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
		&done, &t.Result, &sealed, &t.VillageClinicID)
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
			FROM follow_up_task WHERE county_code = $1 AND `+whose(q)+` AND state = 'OPEN' AND due_date <= $3
				AND ($4 = '' OR family_doctor = $4) AND ($5 = '' OR village_id = $5)`, q.County, q.OrganizationID, today, q.FamilyDoctor, q.VillageClinicID).Scan(&due, &overdue)
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

// Checks implements [app.Unit].
func (u *unit) Checks(ctx context.Context, referralID string) (out []domain.NormCheck, err error) {
	rows, err := u.tx.Query(ctx, `SELECT code, due_date FROM follow_up_task WHERE county_code = $1 AND referral_id = $2 AND source = 'NORM'
		AND state = 'OPEN'`, u.cmd.Caller.County, referralID)
	if err != nil {
		return nil, fmt.Errorf("read the open checks of referral %s: %w", referralID, err)
	}
	defer rows.Close()
	for rows.Next() {
		var n domain.NormCheck
		if err := rows.Scan(&n.Code, &n.Due); err != nil {
			return nil, fmt.Errorf("read the open checks of referral %s: %w", referralID, err)
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

// FinishTask implements [app.Unit].
func (u *unit) FinishTask(t app.Task) {
	u.plan(1, `UPDATE follow_up_task SET state = 'DONE', done_time = $3, result = $4, remark = $5 WHERE county_code = $1 AND id = $2 AND state = 'OPEN'`,
		t.County, t.ID, u.Now(), t.Result, u.seal("follow_up_task", "remark", t.ID, some(encode(remark{Note: t.Note})))).lost = func(context.Context) error {
		return errs.WrongState("record", "DONE")
	}
}
