package store

import (
	"cmp"
	"context"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// AddCapacity implements app.Store.
func (s *Store) AddCapacity(ctx context.Context, cmd app.Command, c app.Capacity) (slots, beds int, err error) {
	err = s.db.Update(ctx, func(tx *sqldb.Tx) error {
		slots, beds = 0, 0
		var stmts []sqldb.Stmt
		changed, days := changedPlaces{}, newDays()
		county := cmd.Caller.County
		entry := audit.Entry{County: county, AccountID: cmd.Caller.AccountID, OrganizationID: cmd.Caller.OrganizationID, Action: "capacity.add"}
		for _, session := range c.Sessions {
			isNew, err := addSession(ctx, tx, county, session[0].Session)
			if err != nil {
				return err
			}
			if !isNew {
				continue
			}
			for _, slot := range session {
				stmts = append(stmts, slotStmt(county, slot))
			}
			days.add(session[0].Session)
			slots += len(session)
			changed[app.Department{County: county, OrganizationID: session[0].Session.OrganizationID, Code: session[0].Session.DepartmentCode}] = true
			entry.ObjectType, entry.ObjectID = "session", session[0].Session.ID
			stmts = append(stmts, audit.Stmt(entry, id.New(), tx.Now()))
		}
		for _, w := range c.Wards {
			isNew, err := addWard(ctx, tx, county, w.Ward)
			if err != nil {
				return err
			}
			if !isNew {
				continue
			}
			for _, bed := range w.Beds {
				stmts = append(stmts, bedStmt(county, bed))
			}
			beds += len(w.Beds)
			changed[app.Department{County: county, OrganizationID: w.Ward.OrganizationID, Code: w.Ward.DepartmentCode}] = true
			entry.ObjectType, entry.ObjectID = "ward", w.Ward.ID
			stmts = append(stmts, audit.Stmt(entry, id.New(), tx.Now()))
		}
		if err := tx.Batch(ctx, append(stmts, changed.stmts(tx.Now())...)...); err != nil {
			return err
		}
		return days.spread(ctx, tx, county)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("add capacity: %w", err)
	}
	return slots, beds, nil
}

func addSession(ctx context.Context, tx *sqldb.Tx, county string, s domain.Session) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO session (county_code, id, organization_id, department_code, kind, practitioner_id,
		practitioner_name, location, start_time, end_time, slot_minutes, create_time, grade, template_id, local_date, equipment_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT (county_code, id) DO NOTHING`,
		county, s.ID, s.OrganizationID, s.DepartmentCode, s.Kind, s.PractitionerID, s.PractitionerName, s.Location,
		s.Start, s.End, s.SlotMinutes, tx.Now(), cmp.Or(s.Grade, domain.General), s.TemplateID, s.Day, s.EquipmentID)
	return n == 1, err
}

func slotStmt(county string, s domain.Slot) sqldb.Stmt {
	return sqldb.Stmt{
		SQL: `INSERT INTO slot (county_code, id, session_id, organization_id, department_code, start_time, end_time)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		Args: []any{county, s.ID, s.Session.ID, s.Session.OrganizationID, s.Session.DepartmentCode, s.Start, s.End}, Want: 1,
	}
}

func addWard(ctx context.Context, tx *sqldb.Tx, county string, w domain.Ward) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO ward (county_code, id, organization_id, department_code, name, create_time, class, sex, cleaning_minutes)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (county_code, id) DO NOTHING`,
		county, w.ID, w.OrganizationID, w.DepartmentCode, w.Name, tx.Now(), cmp.Or(w.Class, "GENERAL"), w.Sex, cleaning(w.CleaningMinutes))
	return n == 1, err
}

func bedStmt(county string, b domain.Bed) sqldb.Stmt {
	return sqldb.Stmt{
		SQL: `INSERT INTO bed (county_code, id, ward_id, organization_id, department_code, label)
			VALUES ($1, $2, $3, $4, $5, $6)`,
		Args: []any{county, b.ID, b.WardID, b.OrganizationID, b.DepartmentCode, b.Label}, Want: 1,
	}
}

// cleaning is the default where nobody said how long; a negative time is none.
func cleaning(minutes int) int {
	if minutes == 0 {
		return domain.DefaultCleaning
	}
	return max(minutes, 0)
}
