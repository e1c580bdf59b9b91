package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// changedPlaces are the departments whose capacity a transaction changes. Whatever adds, closes, opens or moves places writes their rows with the change.
type changedPlaces map[app.Department]bool

// note takes an event into account that takes a place or frees it.
func (c changedPlaces) note(e domain.Event) {
	switch e.Action {
	case domain.Attach, domain.Keep, domain.Confirm, domain.Settle:
	default:
		c[app.Department{County: e.Hold.County, OrganizationID: e.Hold.Place.OrganizationID, Code: e.Hold.Place.DepartmentCode}] = true
	}
}

func (c changedPlaces) stmts(now time.Time) []sqldb.Stmt {
	var out []sqldb.Stmt
	for d := range c {
		out = append(out, sqldb.Stmt{
			SQL:  `INSERT INTO capacity_change (county_code, id, organization_id, department_code, create_time) VALUES ($1, $2, $3, $4, $5)`,
			Args: []any{d.County, id.New(), d.OrganizationID, d.Code, now}, Want: 1,
		})
	}
	return out
}

// rowsOfAChange is how many rows one round takes off; a department with more is changed still.
const rowsOfAChange = 2000

// Changed implements app.AllocationStore.
func (s *Store) Changed(ctx context.Context, limit int) (out []app.CapacityChange, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, "SELECT county_code, organization_id, department_code, id FROM capacity_change ORDER BY county_code, id LIMIT $1", rowsOfAChange)
		if err != nil {
			return err
		}
		at := map[app.Department]int{}
		_, err = collect(rows, func(r scanner) (none struct{}, err error) {
			var d app.Department
			var row string
			if err := r.Scan(&d.County, &d.OrganizationID, &d.Code, &row); err != nil {
				return none, err
			}
			i, ok := at[d]
			if !ok && len(out) == limit {
				return none, nil
			}
			if !ok {
				i = len(out)
				at[d], out = i, append(out, app.CapacityChange{Department: d})
			}
			out[i].Rows = append(out[i].Rows, row)
			return none, nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list changed departments: %w", err)
	}
	return out, nil
}

// Expecting implements app.AllocationStore.
func (s *Store) Expecting(ctx context.Context) ([]app.Department, error) {
	return s.departments(ctx, "SELECT DISTINCT county_code, organization_id, department_code FROM waitlist_entry WHERE state IN ('WAITING', 'OFFERED')")
}

// Stale implements app.AllocationStore.
func (s *Store) Stale(ctx context.Context, before time.Time, limit int) ([]app.Department, error) {
	return s.departments(ctx, "SELECT DISTINCT county_code, organization_id, department_code FROM waiting_time WHERE compute_time < $1 LIMIT $2",
		before.UTC(), limit)
}

func (s *Store) departments(ctx context.Context, query string, args ...any) (out []app.Department, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		out, err = collect(rows, func(r scanner) (d app.Department, err error) {
			err = r.Scan(&d.County, &d.OrganizationID, &d.Code)
			return d, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list departments: %w", err)
	}
	return out, nil
}
