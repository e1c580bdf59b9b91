package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// list runs one query and reads its rows.
func list[T any](ctx context.Context, s *Store, what string, scan func(scanner) (T, error), query func(tx *sqldb.Tx) (string, []any)) (out []T, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		text, args := query(tx)
		rows, err := tx.Query(ctx, text, args...)
		if err != nil {
			return err
		}
		out, err = collect(rows, scan)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", what, err)
	}
	return out, nil
}

// Equipment implements app.CalendarStore.
func (s *Store) Equipment(ctx context.Context, county, organizationID string) ([]domain.Equipment, error) {
	return list(ctx, s, "equipment", scanEquipment, func(*sqldb.Tx) (string, []any) {
		return "SELECT " + equipmentColumns + ` FROM equipment WHERE county_code = $1 AND organization_id = $2 ORDER BY department_code, name, id`,
			[]any{county, organizationID}
	})
}

// Templates implements app.CalendarStore.
func (s *Store) Templates(ctx context.Context, d app.Department, endAfter time.Time) ([]domain.Template, error) {
	return list(ctx, s, "templates", scanTemplate, func(*sqldb.Tx) (string, []any) {
		return "SELECT " + templateColumns + ` FROM schedule_template WHERE county_code = $1 AND organization_id = $2
			AND ($3 = '' OR department_code = $3) AND (last_day = '' OR last_day >= $4) ORDER BY department_code, kind, practitioner_name, starts, id`,
			[]any{d.County, d.OrganizationID, d.Code, domain.Date(endAfter)}
	})
}

// Exceptions implements app.CalendarStore.
func (s *Store) Exceptions(ctx context.Context, d app.Department, from, to time.Time) ([]domain.Exception, error) {
	return list(ctx, s, "exceptions", scanException, func(*sqldb.Tx) (string, []any) {
		return "SELECT " + exceptionColumns + ` FROM schedule_exception WHERE county_code = $1 AND organization_id IN ('', $2)
			AND first_day < $4 AND last_day >= $3 ORDER BY first_day, id`, []any{d.County, d.OrganizationID, domain.Date(from), domain.Date(to)}
	})
}

// Sessions implements app.CalendarStore.
func (s *Store) Sessions(ctx context.Context, q app.SessionQuery) ([]app.SessionView, error) {
	return list(ctx, s, "sessions", scanSession, func(tx *sqldb.Tx) (string, []any) {
		args := []any{q.County, tx.Now(), q.OrganizationID, q.Department, q.Kind, q.From, q.To}
		where := `s.organization_id = $3 AND ($4 = '' OR s.department_code = $4) AND ($5 = '' OR s.kind = $5) AND s.local_date >= $6 AND s.local_date < $7`
		if q.AfterID != "" {
			args = append(args, q.AfterStart, q.AfterID)
			where += " AND (s.start_time, s.id) > ($8, $9)"
		}
		args = append(args, q.Limit)
		return selectSession + where + groupSession + " ORDER BY s.start_time, s.id LIMIT $" + strconv.Itoa(len(args)), args
	})
}

// Session implements app.CalendarStore.
func (s *Store) Session(ctx context.Context, county, id string) (v app.SessionView, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		v, err = oneSession(ctx, tx, county, "s.id = $3", id)
		return err
	})
	return v, err
}

func oneSession(ctx context.Context, tx *sqldb.Tx, county, where, arg string) (app.SessionView, error) {
	v, err := scanSession(tx.QueryRow(ctx, selectSession+where+groupSession, county, tx.Now(), arg))
	if sqldb.NoRows(err) {
		return v, errs.NotFound("session")
	}
	if err != nil {
		return v, fmt.Errorf("read session: %w", err)
	}
	return v, nil
}

// Uses implements app.CalendarStore.
func (s *Store) Uses(ctx context.Context, county, sessionID string) (uses []app.SlotUse, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		if uses, err = usesOf(ctx, tx, county, "s.id = $3 ORDER BY sl.start_time, sl.id", sessionID); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, "SELECT "+holdColumns("h.")+`, coalesce(c.number, '') FROM hold h
			JOIN occupancy o ON o.county_code = h.county_code AND o.hold_id = h.id
			JOIN slot sl ON sl.county_code = o.county_code AND sl.id = o.place_id
			LEFT JOIN referral_case c ON c.county_code = h.county_code AND c.referral_id = h.referral_id
			WHERE h.county_code = $1 AND sl.session_id = $3 AND `+live, county, tx.Now(), sessionID)
		if err != nil {
			return err
		}
		byID := map[string]app.SlotUse{}
		_, err = collect(rows, func(r scanner) (none struct{}, err error) {
			var use app.SlotUse
			use.Hold, err = scanHold(r, &use.Number)
			byID[use.Hold.ID] = use
			return none, err
		})
		for i := range uses {
			use := byID[uses[i].Hold.ID]
			uses[i].Hold, uses[i].Number = use.Hold, use.Number
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list slots of a session: %w", err)
	}
	return uses, nil
}

func usesOf(ctx context.Context, tx *sqldb.Tx, county, rest string, args ...any) ([]app.SlotUse, error) {
	rows, err := tx.Query(ctx, selectUse+rest, append([]any{county, tx.Now()}, args...)...)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanUse)
}

// Rebooked implements app.CalendarStore.
func (s *Store) Rebooked(ctx context.Context, county, sessionID string) (out []app.Rebooked, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT m.hold_id, m.booking_id, m.referral_id, m.outcome, m.slot_id, coalesce(c.number, '') FROM session_move m
			LEFT JOIN referral_case c ON c.county_code = m.county_code AND c.referral_id = m.referral_id
			WHERE m.county_code = $1 AND m.session_id = $2 ORDER BY m.hold_id`, county, sessionID)
		if err != nil {
			return err
		}
		out, err = collect(rows, func(r scanner) (x app.Rebooked, err error) {
			err = r.Scan(&x.HoldID, &x.BookingID, &x.ReferralID, &x.Outcome, &x.SlotID, &x.Number)
			return x, err
		})
		if err != nil {
			return err
		}
		var ids []string
		for _, x := range out {
			ids = append(ids, x.SlotID)
		}
		frag, arg := tx.List("sl.id", 3, ids)
		uses, err := usesOf(ctx, tx, county, frag, arg)
		byID := map[string]domain.Slot{}
		for _, use := range uses {
			byID[use.Slot.ID] = use.Slot
		}
		for i := range out {
			out[i].Slot = byID[out[i].SlotID]
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list what became of a session: %w", err)
	}
	return out, nil
}

// Policy implements app.CalendarStore.
func (s *Store) Policy(ctx context.Context, county, organizationID string) (p app.BookingPolicy, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		p, err = policyFor(ctx, tx, county, organizationID)
		return err
	})
	return p, err
}

// policyFor is the organisation's own, else the county's, else the default.
func policyFor(ctx context.Context, tx *sqldb.Tx, county, organizationID string) (app.BookingPolicy, error) {
	p, err := scanPolicy(tx.QueryRow(ctx, "SELECT "+policyColumns+` FROM booking_policy WHERE county_code = $1 AND organization_id IN ('', $2)
		ORDER BY organization_id DESC LIMIT 1`, county, organizationID))
	if sqldb.NoRows(err) {
		return app.BookingPolicy{Policy: domain.DefaultPolicy()}, nil
	}
	if err != nil {
		return p, fmt.Errorf("read booking policy: %w", err)
	}
	return p, nil
}

func scanPlanned(r scanner) (p app.Planned, err error) {
	err = r.Scan(&p.County, &p.TemplateID)
	return p, err
}

func scanDepartment(r scanner) (d app.Department, err error) {
	err = r.Scan(&d.County, &d.OrganizationID, &d.Code)
	return d, err
}

// ToPlan implements app.CalendarStore.
func (s *Store) ToPlan(ctx context.Context, through string, limit int) ([]app.Planned, error) {
	return list(ctx, s, "templates to plan", scanPlanned, func(*sqldb.Tx) (string, []any) {
		return `SELECT county_code, id FROM schedule_template WHERE planned_through < $1 AND (last_day = '' OR planned_through < last_day)
			ORDER BY planned_through, county_code, id LIMIT $2`, []any{through, limit}
	})
}

// ToSpread implements app.CalendarStore.
func (s *Store) ToSpread(ctx context.Context, limit int) ([]app.Department, error) {
	return list(ctx, s, "reserves to spread", scanDepartment, func(*sqldb.Tx) (string, []any) {
		return `SELECT DISTINCT county_code, organization_id, department_code FROM spread_due
			ORDER BY county_code, organization_id, department_code LIMIT $1`, []any{limit}
	})
}

// ToRebook implements app.CalendarStore.
func (s *Store) ToRebook(ctx context.Context, limit int) ([]app.Planned, error) {
	return list(ctx, s, "cancelled sessions", scanPlanned, func(*sqldb.Tx) (string, []any) {
		return `SELECT county_code, id FROM session WHERE rebooking ORDER BY county_code, id LIMIT $1`, []any{limit}
	})
}

// Displaced implements app.CalendarStore.
func (s *Store) Displaced(ctx context.Context, after app.Department, limit int) ([]app.Department, error) {
	return list(ctx, s, "displaced bookings", scanDepartment, func(*sqldb.Tx) (string, []any) {
		return `SELECT DISTINCT h.county_code, h.organization_id, h.department_code FROM hold h WHERE h.displaced_time IS NOT NULL AND NOT ` + notAwaited + `
			AND (h.county_code, h.organization_id, h.department_code) > ($1, $2, $3)
			ORDER BY county_code, organization_id, department_code LIMIT $4`, []any{after.County, after.OrganizationID, after.Code, limit}
	})
}

// DisplacedIn implements app.CalendarStore.
func (s *Store) DisplacedIn(ctx context.Context, d app.Department, after domain.HoldData, limit int) ([]domain.HoldData, error) {
	return list(ctx, s, "displaced bookings", func(r scanner) (domain.HoldData, error) { return scanHold(r) }, func(*sqldb.Tx) (string, []any) {
		args := []any{d.County, d.OrganizationID, d.Code, limit}
		where := "WHERE h.county_code = $1 AND h.organization_id = $2 AND h.department_code = $3 AND h.displaced_time IS NOT NULL AND NOT " + notAwaited
		if after.ID != "" {
			args = append(args, after.Displaced, after.ID)
			where += " AND (h.displaced_time, h.id) > ($5, $6)"
		}
		return "SELECT " + holdColumns("h.") + " FROM hold h " + where + " ORDER BY h.displaced_time, h.id LIMIT $4", args
	})
}

// SetDays implements app.CalendarStore.
func (s *Store) SetDays(ctx context.Context, limit int, day func(start time.Time) string) (looked int, err error) {
	due, err := list(ctx, s, "days to set", scanText, func(*sqldb.Tx) (string, []any) { return "SELECT id FROM local_day_due LIMIT 1", nil })
	if err != nil || len(due) == 0 {
		return 0, err // every time but after an upgrade
	}
	err = s.db.Update(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT s.county_code, s.id, s.organization_id, s.department_code, s.start_time, s.local_date FROM local_day_due d
			JOIN session s ON s.county_code = d.county_code AND s.id = d.id ORDER BY d.county_code, d.id LIMIT $1`+tx.ForUpdate(), limit)
		if err != nil {
			return err
		}
		type dated struct {
			county string
			domain.Session
		}
		found, err := collect(rows, func(r scanner) (d dated, err error) {
			err = r.Scan(&d.county, &d.ID, &d.OrganizationID, &d.DepartmentCode, &d.Start, &d.Day)
			return d, err
		})
		if err != nil {
			return err
		}
		looked = len(found)
		for _, d := range found {
			stmts := []sqldb.Stmt{{SQL: "DELETE FROM local_day_due WHERE county_code = $1 AND id = $2", Args: []any{d.county, d.ID}, Want: 1}}
			if is := day(d.Start); is != d.Day {
				was := d.Session
				d.Day = is
				stmts = append(stmts, sqldb.Stmt{SQL: "UPDATE session SET local_date = $3 WHERE county_code = $1 AND id = $2", Args: []any{d.county, d.ID, is}, Want: 1})
				if _, err := noteSpread(ctx, tx, d.county, []domain.Session{was, d.Session}); err != nil {
					return err
				}
			}
			if err := tx.Batch(ctx, stmts...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("set days of sessions: %w", err)
	}
	return looked, nil
}
