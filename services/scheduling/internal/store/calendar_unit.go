package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// locked loads one row by id for writing.
func locked[T any](ctx context.Context, u *unit, what, columns string, scan func(scanner) (T, error)) func(id string) (T, error) {
	return func(id string) (T, error) {
		v, err := scan(u.tx.QueryRow(ctx, "SELECT "+columns+" FROM "+what+" WHERE county_code = $1 AND id = $2"+u.tx.ForUpdate(), u.county(), id))
		if sqldb.NoRows(err) {
			return v, errs.NotFound(what)
		}
		if err != nil {
			return v, fmt.Errorf("load %s: %w", what, err)
		}
		return v, nil
	}
}

// Device implements app.CalendarUnit.
func (u *unit) Device(ctx context.Context, id string) (domain.Equipment, error) {
	return locked(ctx, u, "equipment", equipmentColumns, scanEquipment)(id)
}

// Template implements app.CalendarUnit.
func (u *unit) Template(ctx context.Context, id string) (domain.Template, error) {
	return locked(ctx, u, "schedule_template", templateColumns, scanTemplate)(id)
}

// Exception implements app.CalendarUnit.
func (u *unit) Exception(ctx context.Context, id string) (domain.Exception, error) {
	return locked(ctx, u, "schedule_exception", exceptionColumns, scanException)(id)
}

// PutDevice implements app.CalendarUnit.
func (u *unit) PutDevice(ctx context.Context, e domain.Equipment) error {
	return u.put(ctx, putEquipment(u.county(), e, u.Now()))
}

// PutTemplate implements app.CalendarUnit.
func (u *unit) PutTemplate(ctx context.Context, t domain.Template) error {
	return u.put(ctx, putTemplate(u.county(), t, u.Now()))
}

// PutException implements app.CalendarUnit.
func (u *unit) PutException(ctx context.Context, e domain.Exception) error {
	return u.put(ctx, putException(u.county(), e, u.Now()))
}

// put writes one row. Two who add the same id at the same moment meet here: the second is refused.
func (u *unit) put(ctx context.Context, s sqldb.Stmt) error {
	n, err := u.tx.Exec(ctx, s.SQL, s.Args...)
	if err != nil {
		return fmt.Errorf("write the calendar: %w", err)
	}
	if n != s.Want {
		return errs.Stale(0, "")
	}
	return nil
}

// RemoveException implements app.CalendarUnit.
func (u *unit) RemoveException(ctx context.Context, id string) error {
	return u.put(ctx, sqldb.Stmt{SQL: "DELETE FROM schedule_exception WHERE county_code = $1 AND id = $2", Args: []any{u.county(), id}, Want: 1})
}

// OwnPolicy implements app.CalendarUnit.
func (u *unit) OwnPolicy(ctx context.Context, organizationID string) (app.BookingPolicy, error) {
	p, err := scanPolicy(u.tx.QueryRow(ctx, "SELECT "+policyColumns+" FROM booking_policy WHERE county_code = $1 AND organization_id = $2"+
		u.tx.ForUpdate(), u.county(), organizationID))
	if sqldb.NoRows(err) {
		return app.BookingPolicy{OrganizationID: organizationID}, nil
	}
	if err != nil {
		return p, fmt.Errorf("load booking policy: %w", err)
	}
	return p, nil
}

// PolicyFor implements app.CalendarUnit.
func (u *unit) PolicyFor(ctx context.Context, organizationID string) (app.BookingPolicy, error) {
	return policyFor(ctx, u.tx, u.county(), organizationID)
}

// PutPolicy implements app.CalendarUnit.
func (u *unit) PutPolicy(ctx context.Context, p app.BookingPolicy) error {
	err := u.put(ctx, sqldb.Stmt{
		SQL: `INSERT INTO booking_policy (county_code, ` + policyColumns + `, update_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (county_code, organization_id) DO UPDATE SET version = excluded.version, reserve_percent = excluded.reserve_percent,
			expert_percent = excluded.expert_percent, common_days = excluded.common_days, reserve_lead_days = excluded.reserve_lead_days,
			fallback_hours = excluded.fallback_hours, update_time = excluded.update_time WHERE booking_policy.version = excluded.version - 1`,
		Args: []any{u.county(), p.Version + 1, p.OrganizationID, p.ReservePercent, p.ExpertPercent, p.CommonDays, p.ReserveLeadDays, p.FallbackHours,
			u.Now()}, Want: 1,
	})
	if err != nil {
		return err
	}
	return u.spreadAnew(ctx, p.OrganizationID)
}

// RemovePolicy implements app.CalendarUnit.
func (u *unit) RemovePolicy(ctx context.Context, organizationID string) error {
	_, err := u.tx.Exec(ctx, "DELETE FROM booking_policy WHERE county_code = $1 AND organization_id = $2", u.county(), organizationID)
	if err != nil {
		return fmt.Errorf("remove a booking policy: %w", err)
	}
	return u.spreadAnew(ctx, organizationID)
}

// spreadAnew notes the departments for which the policy of an organisation, or of the county, holds.
func (u *unit) spreadAnew(ctx context.Context, organizationID string) error {
	rows, err := u.tx.Query(ctx, `SELECT DISTINCT county_code, organization_id, department_code FROM session s WHERE county_code = $1 AND start_time > $2
		AND (organization_id = $3 OR $3 = '' AND NOT EXISTS (SELECT 1 FROM booking_policy p WHERE p.county_code = $1 AND p.organization_id = s.organization_id))`,
		u.county(), u.Now(), organizationID)
	if err != nil {
		return fmt.Errorf("list departments: %w", err)
	}
	departments, err := collect(rows, scanDepartment)
	if err != nil {
		return fmt.Errorf("list departments: %w", err)
	}
	var stmts []sqldb.Stmt
	for _, d := range departments {
		stmts = append(stmts, sqldb.Stmt{SQL: "INSERT INTO spread_due (county_code, id, organization_id, department_code) VALUES ($1, $2, $3, $4)",
			Args: []any{d.County, id.New(), d.OrganizationID, d.Code}, Want: 1})
	}
	return u.tx.Batch(ctx, stmts...)
}

// Replan implements app.CalendarUnit.
func (u *unit) Replan(ctx context.Context, e domain.Exception) ([]string, error) {
	rows, err := u.tx.Query(ctx, `SELECT id FROM schedule_template WHERE county_code = $1 AND ($2 = '' OR organization_id = $2)
		AND ($3 = '' OR department_code = $3) AND ($4 = '' OR id = $4) AND ($5 = '' OR practitioner_id = $5)
		AND first_day <= $6 AND (last_day = '' OR last_day >= $7) ORDER BY id`+u.tx.ForUpdate(),
		u.county(), e.OrganizationID, e.DepartmentCode, e.TemplateID, e.PractitionerID, domain.Date(e.LastDay), domain.Date(e.FirstDay))
	if err != nil {
		return nil, fmt.Errorf("list templates to plan: %w", err)
	}
	ids, err := collect(rows, scanText)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	frag, arg := u.tx.List("id", 2, ids)
	_, err = u.tx.Exec(ctx, "UPDATE schedule_template SET planned_through = '' WHERE county_code = $1 AND "+frag, u.county(), arg)
	return ids, err
}

func scanText(r scanner) (text string, err error) {
	err = r.Scan(&text)
	return text, err
}

// ExceptionsFor implements app.CalendarUnit.
func (u *unit) ExceptionsFor(ctx context.Context, t domain.Template, first, last time.Time) ([]domain.Exception, error) {
	rows, err := u.tx.Query(ctx, "SELECT "+exceptionColumns+` FROM schedule_exception WHERE county_code = $1 AND organization_id IN ('', $2)
		AND department_code IN ('', $3) AND template_id IN ('', $4) AND practitioner_id IN ('', $5) AND last_day >= $6 AND first_day <= $7 ORDER BY id`,
		u.county(), t.OrganizationID, t.DepartmentCode, t.ID, t.PractitionerID, domain.Date(first), domain.Date(last))
	if err != nil {
		return nil, fmt.Errorf("list exceptions: %w", err)
	}
	return collect(rows, scanException)
}

// PlannedThrough implements app.CalendarUnit.
func (u *unit) PlannedThrough(ctx context.Context, templateID, day string) error {
	_, err := u.tx.Exec(ctx, "UPDATE schedule_template SET planned_through = $3 WHERE county_code = $1 AND id = $2", u.county(), templateID, day)
	return err
}

// Note implements app.CalendarUnit.
func (u *unit) Note(action, objectType, objectID, detail string) {
	by := u.cmd.Caller
	u.notes = append(u.notes, audit.Stmt(audit.Entry{County: by.County, AccountID: by.AccountID, OrganizationID: by.OrganizationID,
		Action: action, ObjectType: objectType, ObjectID: objectID, Detail: detail}, id.New(), u.Now()))
}

// TellCancelled implements app.CalendarUnit.
func (u *unit) TellCancelled(s app.SessionView) { u.cancelled = append(u.cancelled, s) }
