package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// bodyOf is what a change keeps of its subject: the domain's value as JSON. The names of its fields are stored: they may be added to, never changed.
func bodyOf(c *app.CalendarChange) any {
	switch c.Subject {
	case app.SubjectTemplate:
		return &c.Template
	case app.SubjectException:
		return &c.Exception
	case app.SubjectEquipment:
		return &c.Equipment
	case app.SubjectWard:
		return &c.Ward
	case app.SubjectPolicy:
		return &c.Policy
	default:
		return &c.Session
	}
}

// Record implements app.CalendarUnit. The ids of a process grow, so that they are the order of the changes of a subject, which is locked.
func (u *unit) Record(ctx context.Context, was, is app.CalendarChange) error {
	if was.SubjectID != "" {
		var known int
		err := u.tx.QueryRow(ctx, `SELECT count(*) FROM calendar_change WHERE county_code = $1 AND subject = $2 AND subject_id = $3
			AND action NOT IN ('BLOCKED', 'UNBLOCKED')`, u.county(), was.Subject, was.SubjectID).Scan(&known)
		if err != nil {
			return fmt.Errorf("look for changes: %w", err)
		}
		if known == 0 {
			was.Action = app.ChangeBefore
			if err := u.record(ctx, was); err != nil {
				return err
			}
		}
	}
	is.AccountID, is.AccountName = u.cmd.Caller.AccountID, u.cmd.Caller.Name
	return u.record(ctx, is)
}

func (u *unit) record(ctx context.Context, c app.CalendarChange) error {
	body, err := json.Marshal(bodyOf(&c))
	if err != nil {
		return fmt.Errorf("encode a change: %w", err)
	}
	_, err = u.tx.Exec(ctx, `INSERT INTO calendar_change (county_code, id, organization_id, department_code, subject, subject_id, action, body, account_id,
		account_name, change_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, u.county(), id.New(), c.OrganizationID, c.DepartmentCode,
		c.Subject, c.SubjectID, c.Action, string(body), c.AccountID, c.AccountName, u.Now())
	if err != nil {
		return fmt.Errorf("keep a change: %w", err)
	}
	return nil
}

const selectChange = `SELECT id, organization_id, department_code, subject, subject_id, action, body, account_id, account_name, change_time
	FROM calendar_change WHERE county_code = $1 AND `

func scanChange(r scanner) (c app.CalendarChange, err error) {
	var body string
	err = r.Scan(&c.ID, &c.OrganizationID, &c.DepartmentCode, &c.Subject, &c.SubjectID, &c.Action, &body, &c.AccountID, &c.AccountName, &c.Time)
	if err != nil {
		return c, err
	}
	c.Time = c.Time.UTC()
	if err := json.Unmarshal([]byte(body), bodyOf(&c)); err != nil {
		return c, fmt.Errorf("decode change %s: %w", c.ID, err)
	}
	return c, nil
}

// CalendarChanges implements app.CalendarStore.
func (s *Store) CalendarChanges(ctx context.Context, q app.ChangeQuery) ([]app.CalendarChange, error) {
	return list(ctx, s, "changes of the calendar", scanChange, func(*sqldb.Tx) (string, []any) {
		args, where := []any{q.County, q.OrganizationID}, "organization_id IN ($2, '')"
		if q.Subject != "" {
			args = append(args, q.Subject, q.SubjectID)
			where += " AND subject = $3 AND subject_id = $4"
		}
		args = append(args, q.Limit)
		return selectChange + where + " ORDER BY id DESC LIMIT $" + strconv.Itoa(len(args)), args
	})
}

// ChangeOf implements app.CalendarUnit.
func (u *unit) ChangeOf(ctx context.Context, subject, subjectID, changeID string) (app.CalendarChange, error) {
	return u.change(ctx, "subject = $2 AND subject_id = $3 AND id = $4", subject, subjectID, changeID)
}

// LastChange implements app.CalendarUnit.
func (u *unit) LastChange(ctx context.Context, subject, subjectID, action string) (app.CalendarChange, error) {
	return u.change(ctx, "subject = $2 AND subject_id = $3 AND action = $4 ORDER BY id DESC LIMIT 1", subject, subjectID, action)
}

func (u *unit) change(ctx context.Context, where string, args ...any) (app.CalendarChange, error) {
	c, err := scanChange(u.tx.QueryRow(ctx, selectChange+where, append([]any{u.county()}, args...)...))
	if sqldb.NoRows(err) {
		return c, errs.NotFound("change")
	}
	if err != nil {
		return c, fmt.Errorf("load a change: %w", err)
	}
	return c, nil
}

// ClosedIn implements app.CalendarUnit.
func (u *unit) ClosedIn(ctx context.Context, sessionID string) ([]app.ClosedSlot, error) {
	rows, err := u.tx.Query(ctx, "SELECT id, start_time, closed_by FROM slot WHERE county_code = $1 AND session_id = $2 AND closed_by <> '' ORDER BY start_time, id",
		u.county(), sessionID)
	if err != nil {
		return nil, fmt.Errorf("list closed slots: %w", err)
	}
	return collect(rows, func(r scanner) (c app.ClosedSlot, err error) {
		err = r.Scan(&c.ID, &c.Start, &c.Reason)
		c.Start = c.Start.UTC()
		return c, err
	})
}

// RebookedIn implements app.CalendarUnit.
func (u *unit) RebookedIn(ctx context.Context, sessionID string) ([]app.Rebooked, error) {
	rows, err := u.tx.Query(ctx, "SELECT hold_id, booking_id, referral_id, outcome, slot_id FROM session_move WHERE county_code = $1 AND session_id = $2 ORDER BY hold_id",
		u.county(), sessionID)
	if err != nil {
		return nil, fmt.Errorf("list who was in a session: %w", err)
	}
	return collect(rows, func(r scanner) (x app.Rebooked, err error) {
		err = r.Scan(&x.HoldID, &x.BookingID, &x.ReferralID, &x.Outcome, &x.SlotID)
		return x, err
	})
}

// OpenSlots implements app.CalendarUnit.
func (u *unit) OpenSlots(ctx context.Context, sessionID string) error {
	if err := u.noteSlots(ctx, "session_id", []string{sessionID}); err != nil {
		return err
	}
	if _, err := u.tx.Exec(ctx, "UPDATE slot SET closed_by = '' WHERE county_code = $1 AND session_id = $2", u.county(), sessionID); err != nil {
		return fmt.Errorf("open slots: %w", err)
	}
	return nil
}

// Restore implements app.CalendarUnit.
func (u *unit) Restore(ctx context.Context, s app.SessionView) error {
	return u.put(ctx, sqldb.Stmt{
		SQL: `UPDATE session SET practitioner_id = $4, practitioner_name = $5, location = $6, by_hand = $7, state = $8, reason_code = '', note = '',
			version = version + 1 WHERE county_code = $1 AND id = $2 AND version = $3`,
		Args: []any{u.county(), s.ID, s.Version, s.PractitionerID, s.PractitionerName, s.Location, s.ByHand, domain.StateOpen}, Want: 1,
	})
}
