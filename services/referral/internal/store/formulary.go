package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

var _ app.Formularies = (*Store)(nil)

// formularyConsumer is the name under which facts about medicine lists and capabilities are noted in the inbox.
const formularyConsumer = "referral-formulary"

// Formulary implements [app.Formularies].
func (s *Store) Formulary(ctx context.Context, county, organizationID string, substances []string) (f domain.Formulary, err error) {
	err = s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		f = domain.Formulary{}
		among, list := tx.List("stem", 3, substances)
		rows, err := tx.Query(ctx, `SELECT id, organization_id, version, name, specification, atc, in_stock, orderable, restricted_class
			FROM formulary_item WHERE county_code = $1 AND NOT removed AND (organization_id = $2 OR `+among+`)
			ORDER BY name, specification, id`, county, organizationID, list)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			i := domain.FormularyItem{County: county}
			if err := rows.Scan(&i.ID, &i.OrganizationID, &i.Version, &i.Name, &i.Specification, &i.ATC, &i.InStock, &i.Orderable, &i.RestrictedClass); err != nil {
				return err
			}
			if i.OrganizationID == organizationID {
				f.Items = append(f.Items, i)
			} else {
				f.County = append(f.County, i)
			}
		}
		return rows.Err()
	})
	if err != nil {
		return domain.Formulary{}, fmt.Errorf("read the medicine list of organisation %s: %w", organizationID, err)
	}
	return f, nil
}

// PutFormulary implements [app.Formularies]. The column stem holds the substance; where an earlier release reckoned it otherwise the row is
// written anew, although its version is known.
func (s *Store) PutFormulary(ctx context.Context, factID string, items []domain.FormularyItem) error {
	var stmts []sqldb.Stmt
	for _, i := range items {
		stmts = append(stmts, sqldb.Stmt{
			SQL: `INSERT INTO formulary_item (county_code, id, organization_id, version, name, specification, stem, atc, in_stock, orderable,
				restricted_class, removed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
				ON CONFLICT (county_code, id) DO UPDATE SET version = $4, name = $5, specification = $6, stem = $7, atc = $8, in_stock = $9,
					orderable = $10, restricted_class = $11, removed = $12 WHERE formulary_item.version < $4 OR formulary_item.version = $4 AND formulary_item.stem <> $7`,
			Args: []any{
				i.County, i.ID, i.OrganizationID, i.Version, i.Name, i.Specification, domain.Substance(i.Name), i.ATC, i.InStock, i.Orderable,
				i.RestrictedClass, i.Removed,
			},
			Want: -1,
		})
	}
	if err := s.takeOnce(ctx, factID, stmts); err != nil {
		return fmt.Errorf("store %d medicines: %w", len(items), err)
	}
	return nil
}

// Capabilities implements [app.Formularies].
func (s *Store) Capabilities(ctx context.Context, county, organizationID string) ([]string, error) {
	var codes string
	err := s.DB.Read(ctx, func(tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, "SELECT codes FROM organization_capability WHERE county_code = $1 AND organization_id = $2",
			county, organizationID).Scan(&codes)
	})
	if err != nil && !sqldb.NoRows(err) {
		return nil, fmt.Errorf("read the capabilities of organisation %s: %w", organizationID, err)
	}
	return strings.Fields(codes), nil
}

// PutCapabilities implements [app.Formularies].
func (s *Store) PutCapabilities(ctx context.Context, factID string, c app.Capabilities) error {
	err := s.takeOnce(ctx, factID, []sqldb.Stmt{{
		SQL: `INSERT INTO organization_capability (county_code, organization_id, version, codes) VALUES ($1, $2, $3, $4)
			ON CONFLICT (county_code, organization_id) DO UPDATE SET version = $3, codes = $4 WHERE organization_capability.version < $3`,
		Args: []any{c.County, c.OrganizationID, c.Version, strings.Join(c.Codes, " ")}, Want: -1,
	}})
	if err != nil {
		return fmt.Errorf("store the capabilities of organisation %s: %w", c.OrganizationID, err)
	}
	return nil
}

// takeOnce writes what a fact tells, unless that was done before; without a fact it is written in any case.
func (s *Store) takeOnce(ctx context.Context, factID string, stmts []sqldb.Stmt) error {
	return s.DB.Update(ctx, func(tx *sqldb.Tx) error {
		if factID != "" {
			already, err := outbox.Seen(ctx, tx, formularyConsumer, factID)
			if already || err != nil {
				return err
			}
		}
		return tx.Last(ctx, stmts...)
	})
}
