package store

import (
	"context"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
)

// consumer is the name under which facts of directory are noted in the inbox.
const consumer = "referral-directory"

// Organization implements [app.Organizations].
func (s *Store) Organization(ctx context.Context, county, id string) (o app.Organization, found bool, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		o, found = app.Organization{}, false
		rows, err := tx.Query(ctx, `SELECT o.county_code, o.id, o.version, o.name, o.type, o.disabled, COALESCE(d.code, ''), COALESCE(d.name, '')
			FROM organization o LEFT JOIN department d ON d.county_code = o.county_code AND d.organization_id = o.id
			WHERE o.county_code = $1 AND o.id = $2`, county, id)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d app.Department
			if err := rows.Scan(&o.County, &o.ID, &o.Version, &o.Name, &o.Type, &o.Disabled, &d.Code, &d.Name); err != nil {
				return err
			}
			found = true
			if d.Code != "" {
				o.Departments = append(o.Departments, d)
			}
		}
		return rows.Err()
	})
	if err != nil {
		return app.Organization{}, false, fmt.Errorf("read organisation %s: %w", id, err)
	}
	return o, found, nil
}

// OrganizationsOf implements [app.Organizations].
func (s *Store) OrganizationsOf(ctx context.Context, county, kind string) (out []string, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, "SELECT id FROM organization WHERE county_code = $1 AND type = $2 AND NOT disabled ORDER BY name, id", county, kind)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			out = append(out, id)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list organisations of county %s: %w", county, err)
	}
	return out, nil
}

// PutOrganization implements [app.Organizations].
func (s *Store) PutOrganization(ctx context.Context, factID string, o app.Organization) error {
	err := s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		if factID != "" {
			already, err := outbox.Seen(ctx, tx, consumer, factID)
			if already || err != nil {
				return err
			}
		}
		n, err := tx.Exec(ctx, `INSERT INTO organization (county_code, id, version, name, type, disabled) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (county_code, id) DO UPDATE SET version = $3, name = $4, type = $5, disabled = $6 WHERE organization.version <= $3`,
			o.County, o.ID, o.Version, o.Name, o.Type, o.Disabled)
		if err != nil || n == 0 {
			return err
		}
		stmts := []sqldb.Stmt{{SQL: "DELETE FROM department WHERE county_code = $1 AND organization_id = $2", Args: []any{o.County, o.ID}, Want: -1}}
		for _, d := range o.Departments {
			stmts = append(stmts, sqldb.Stmt{
				SQL:  "INSERT INTO department (county_code, organization_id, code, name) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
				Args: []any{o.County, o.ID, d.Code, d.Name}, Want: -1,
			})
		}
		return tx.Batch(ctx, stmts...)
	})
	if err != nil {
		return fmt.Errorf("store organisation %s: %w", o.ID, err)
	}
	return nil
}
