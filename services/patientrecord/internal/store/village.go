package store

import (
	"context"
	"fmt"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// villageClinic is the type of a village clinic in the directory.
const villageClinic = "VILLAGE_CLINIC"

// VillageClinics implements app.Store.
func (s *Store) VillageClinics(ctx context.Context, county, organization string) (out []domain.Clinic, itself domain.Clinic, err error) {
	err = s.read(ctx, county, func(c scope) error {
		out, itself = nil, domain.Clinic{}
		rows, err := c.tx.Query(ctx, `SELECT id, name FROM recognition_organization WHERE county_code = $1 AND type = $2 AND (id = $3 OR parent_id = $3)
			ORDER BY id`, county, villageClinic, organization)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var one domain.Clinic
			if err := rows.Scan(&one.ID, &one.Name); err != nil {
				return err
			}
			if one.ID == organization {
				itself = one
				continue
			}
			out = append(out, one)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, domain.Clinic{}, fmt.Errorf("list village clinics of organisation %s: %w", organization, err)
	}
	return out, itself, nil
}
