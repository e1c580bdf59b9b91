package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// Hanging implements app.Store.
func (s *Store) Hanging(ctx context.Context, county string) (out map[string]app.Hanging, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		out, err = readHanging(ctx, tx, county, "")
		return err
	})
	return out, err
}

// Hanging implements app.Unit.
func (u *unit) Hanging(ctx context.Context, county, organizationID string) (app.Hanging, error) {
	all, err := readHanging(ctx, u.tx, county, organizationID)
	return all[organizationID], err
}

// readHanging counts by organisation; of one, or with "" of all.
func readHanging(ctx context.Context, tx *sqldb.Tx, county, organizationID string) (map[string]app.Hanging, error) {
	out := map[string]app.Hanging{}
	err := each(ctx, tx, func(rows *sql.Rows) error {
		var what, id string
		var n int
		err := rows.Scan(&what, &id, &n)
		one := out[id]
		switch what {
		case "account":
			one.Accounts = n
		case "below":
			one.Below = n
		case "medicine":
			one.Medicines = n
		}
		out[id] = one
		return err
	}, `SELECT 'account', organization_id, count(*) FROM account
			WHERE county_code = $1 AND ($2 = '' OR organization_id = $2) AND NOT disabled GROUP BY organization_id
		UNION ALL SELECT 'below', parent_id, count(*) FROM organization
			WHERE county_code = $1 AND parent_id IS NOT NULL AND ($2 = '' OR parent_id = $2) AND NOT disabled GROUP BY parent_id
		UNION ALL SELECT 'medicine', organization_id, count(*) FROM formulary_item
			WHERE county_code = $1 AND ($2 = '' OR organization_id = $2) AND NOT removed GROUP BY organization_id`, county, organizationID)
	if err != nil {
		return nil, fmt.Errorf("count what hangs on organisations: %w", err)
	}
	return out, nil
}

// Medicine implements app.Store.
func (s *Store) Medicine(ctx context.Context, county, id string) (out domain.FormularyItem, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := readFormulary(ctx, tx, ` WHERE county_code = $1 AND id = $2`, county, id)
		switch {
		case err != nil:
			return err
		case len(rows) == 0:
			return errs.NotFound("formulary_item")
		}
		out = rows[0]
		return nil
	})
	return out, err
}

// Medicines implements app.Store. A Limit of 0 is no limit.
func (s *Store) Medicines(ctx context.Context, q app.MedicineQuery) (out []app.MedicineLine, err error) {
	anywhere, first := patterns(q.Text)
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		out = nil
		return each(ctx, tx, func(rows *sql.Rows) error {
			var m app.MedicineLine
			var d domain.FormularyData
			var version int32
			var since sql.NullTime
			err := rows.Scan(&d.County, &d.ID, &version, &d.OrganizationID, &d.Name, &d.Specification, &d.ATC, &d.Stock,
				&d.Orderable, &d.RestrictedClass, &d.Removed, &m.UpdateTime, &since, &m.AccountName)
			m.Item, m.UpdateTime = domain.RestoreFormularyItem(d, version), m.UpdateTime.UTC()
			if since.Valid {
				m.StockTime = since.Time.UTC()
			}
			out = append(out, m)
			return err
		}, `SELECT f.county_code, f.id, f.version, f.organization_id, f.name, f.specification, f.atc, f.stock, f.orderable,
			f.restricted_class, f.removed, f.update_time, f.stock_time, COALESCE(a.name, '') FROM formulary_item f
			LEFT JOIN place_version v ON v.county_code = f.county_code AND v.subject = 'MEDICINE' AND v.subject_id = f.id AND v.version = f.version
			LEFT JOIN account a ON a.county_code = v.county_code AND a.id = v.account_id
			WHERE f.county_code = $1 AND f.organization_id = $2 AND f.removed = $3 AND ($4 = '' OR f.stock = $4)
			AND (lower(f.name) LIKE $5 ESCAPE '\' OR f.initials LIKE $5 ESCAPE '\' OR f.atc LIKE $6 ESCAPE '\')
			AND ($7 = '' OR (f.name, f.specification) > (SELECT name, specification FROM formulary_item WHERE county_code = $1 AND id = $7))
			ORDER BY f.name, f.specification LIMIT $8`,
			q.County, q.OrganizationID, q.Removed, string(q.Stock), anywhere, first, q.After.Key, limit(q.Limit))
	})
	if err != nil {
		return nil, fmt.Errorf("load medicines: %w", err)
	}
	return out, nil
}
