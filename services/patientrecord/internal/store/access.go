package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// accessChanges are what a unit collected about who may look.
type accessChanges struct {
	openings []domain.Opening
	glasses  []domain.Glass
	replay   []byte
}

// Replayed implements app.AccessUnit.
func (u *unit) Replayed(ctx context.Context, out any) (bool, error) {
	sealed, found, err := u.tx.FindRequest(ctx, u.request)
	if err != nil || !found {
		return false, err
	}
	return true, u.open("request_log", "response", u.request.ID, sealed, out)
}

// Replay implements app.AccessUnit.
func (u *unit) Replay(out any) (err error) {
	if u.access.replay, err = json.Marshal(out); err != nil {
		return fmt.Errorf("encode the answer of %s: %w", u.request.Method, err)
	}
	return nil
}

// PutOpening implements app.AccessUnit.
func (u *unit) PutOpening(o domain.Opening) { u.access.openings = append(u.access.openings, o) }

// openings of a patient for an account, the newest of them.
const recentOpenings = 20

// Openings implements app.AccessStore.
func (s *Store) Openings(ctx context.Context, county, patient, account string) (out []domain.Opening, err error) {
	err = s.read(ctx, county, func(c scope) error {
		out, err = c.openings(ctx, patient, account)
		return err
	})
	return out, err
}

func (c scope) openings(ctx context.Context, patient, account string) (out []domain.Opening, err error) {
	rows, err := c.tx.Query(ctx, `SELECT id, account_id, organization_id, patient_id, purpose, from_time, to_time FROM sensitive_opening
		WHERE county_code = $1 AND `+c.kin("patient_id", "$2")+` AND account_id = $3 ORDER BY to_time DESC LIMIT $4`, c.county, patient, account, recentOpenings)
	if err != nil {
		return nil, fmt.Errorf("load openings of patient %s: %w", patient, err)
	}
	defer rows.Close()
	for rows.Next() {
		var o domain.Opening
		if err := rows.Scan(&o.ID, &o.Account, &o.Organization, &o.PatientID, &o.Purpose, &o.From, &o.To); err != nil {
			return nil, fmt.Errorf("load openings of patient %s: %w", patient, err)
		}
		o.From, o.To = o.From.UTC(), o.To.UTC()
		out = append(out, o)
	}
	return out, rows.Err()
}

// access writes what was collected about who may look.
func (d *derived) access() {
	u := d.u
	for _, o := range u.access.openings {
		d.write(1, `INSERT INTO sensitive_opening (county_code, id, account_id, organization_id, patient_id, purpose, from_time, to_time)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			u.county, o.ID, o.Account, o.Organization, o.PatientID, string(o.Purpose), o.From, o.To)
	}
	for _, g := range u.access.glasses {
		d.glass(g)
	}
}
