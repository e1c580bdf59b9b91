package store

import (
	"context"
	"fmt"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
)

// SamePerson implements app.Unit.
func (u *unit) SamePerson(ctx context.Context, one, other string) (bool, error) {
	if one == other {
		return true, nil
	}
	var n int
	err := u.tx.QueryRow(ctx, `WITH RECURSIVE person(id) AS (SELECT CAST($2 AS text) UNION
		SELECT CASE WHEN l.merged_id = person.id THEN l.survivor_id ELSE l.merged_id END FROM person JOIN patient_link l
		ON l.county_code = $1 AND l.holds AND (l.merged_id = person.id OR l.survivor_id = person.id))
		SELECT count(*) FROM person WHERE id = $3`, u.county(), one, other).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look whether patients %s and %s are one person: %w", one, other, err)
	}
	return n > 0, nil
}

// LinkPatients implements app.Unit.
func (u *unit) LinkPatients(ctx context.Context, l app.PatientLink) error {
	_, err := u.tx.Exec(ctx, `INSERT INTO patient_link (county_code, merged_id, survivor_id, version, holds) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (county_code, merged_id) DO UPDATE SET survivor_id = excluded.survivor_id, version = excluded.version, holds = excluded.holds
		WHERE patient_link.version < excluded.version`, u.county(), l.Merged, l.Survivor, l.Version, l.Holds)
	if err != nil {
		return fmt.Errorf("note that patient %s is one person with %s: %w", l.Merged, l.Survivor, err)
	}
	return nil
}
