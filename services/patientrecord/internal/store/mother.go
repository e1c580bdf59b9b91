package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// MotherOf implements app.MotherUnit.
func (u *unit) MotherOf(ctx context.Context, child string) (mother string, ok bool, err error) {
	row := u.tx.QueryRow(ctx, "SELECT mother_id FROM mother WHERE county_code = $1 AND "+u.kin("child_id", "$2")+" ORDER BY create_time LIMIT 1", u.county, child)
	if err := row.Scan(&mother); sqldb.NoRows(err) {
		return "", false, nil
	} else if err != nil {
		return "", false, fmt.Errorf("look for the mother of patient %s: %w", child, err)
	}
	return mother, true, nil
}

// PutMother implements app.MotherUnit.
func (u *unit) PutMother(m domain.Motherhood) { u.mothers = append(u.mothers, m) }

// mother is written down in both records' audit.
func (d *derived) mother(m domain.Motherhood) {
	d.write(1, "INSERT INTO mother (county_code, child_id, mother_id, account_id, organization_id, create_time) VALUES ($1, $2, $3, $4, $5, $6)",
		d.u.county, m.ChildID, m.MotherID, d.u.cmd.Account, d.u.cmd.Organization, d.u.Now())
	d.audit("patient.mother", "patient", m.MotherID, m.ChildID, "")
	d.audit("patient.child", "patient", m.ChildID, m.MotherID, "")
}

// Relatives implements app.Store.
func (s *Store) Relatives(ctx context.Context, county, patient string) (out []domain.Relative, err error) {
	err = s.view(ctx, county, func(c scope) error {
		out, err = c.relatives(ctx, patient)
		return err
	})
	return out, err
}

func (c scope) relatives(ctx context.Context, patient string) ([]domain.Relative, error) {
	mothers, children, err := c.related(ctx, patient)
	if err != nil {
		return nil, err
	}
	var out []domain.Relative
	for _, one := range []struct {
		kind domain.RelativeKind
		ids  []string
	}{{domain.IsMother, mothers}, {domain.IsChild, children}} {
		var list []domain.Relative
		for _, id := range one.ids {
			p, err := c.patient(ctx, id, "")
			if err != nil {
				return nil, fmt.Errorf("load relative %s: %w", id, err)
			}
			if !slices.ContainsFunc(list, func(r domain.Relative) bool { return r.ID() == p.ID() }) {
				list = append(list, domain.Relative{Patient: p, Kind: one.kind})
			}
		}
		slices.SortFunc(list, func(a, b domain.Relative) int {
			return cmp.Or(cmp.Compare(b.Demographics().Details().BirthDate.Text(), a.Demographics().Details().BirthDate.Text()), cmp.Compare(a.ID(), b.ID()))
		})
		out = append(out, list...)
	}
	return out, nil
}

// related are the ids that the records of a person name, and those that name them.
func (c scope) related(ctx context.Context, patient string) (mothers, children []string, err error) {
	rows, err := c.tx.Query(ctx, "SELECT mother_id, TRUE FROM mother WHERE county_code = $1 AND "+c.kin("child_id", "$2")+
		" UNION ALL SELECT child_id, FALSE FROM mother WHERE county_code = $1 AND "+c.kin("mother_id", "$2"), c.county, patient)
	if err != nil {
		return nil, nil, fmt.Errorf("look for relatives of patient %s: %w", patient, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var mother bool
		if err := rows.Scan(&id, &mother); err != nil {
			return nil, nil, fmt.Errorf("look for relatives of patient %s: %w", patient, err)
		}
		if mother {
			mothers = append(mothers, id)
		} else {
			children = append(children, id)
		}
	}
	return mothers, children, rows.Err()
}
