package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Dispatch implements app.Unit.
func (u *unit) Dispatch(d domain.Dispatch) error {
	if err := d.Check(); err != nil {
		return fmt.Errorf("dispatch %s: %w", d, err)
	}
	if d.County != u.county {
		return fmt.Errorf("dispatch %s of another county: %w", d, domain.ErrDispatch)
	}
	meant, err := encodeMeant(d.Meant)
	if err != nil {
		return fmt.Errorf("dispatch %s: %w", d, err)
	}
	u.dispatched = append(u.dispatched, sqldb.Stmt{
		SQL: `INSERT INTO delivery (county_code, id, account_id, organization_id, department_code, patient_id, channel, template, language,
			entry_id, alarm_id, fact_id, event, referral_id, referral_number, from_organization_id, booking_id, urgency, step, ring, digest, state, due_time,
			attempt_count, reason, address_masked, lease_id, create_time, meant)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, 'PENDING', $22, 0, '', '', '', $23, $24)
			ON CONFLICT (county_code, id) DO NOTHING`,
		Args: []any{
			d.County, d.ID, d.AccountID, d.OrganizationID, d.DepartmentCode, d.PatientID, d.Channel, d.Template, d.Language, d.EntryID, d.AlarmID,
			d.FactID, d.Event, d.ReferralID, d.ReferralNumber, d.FromOrganizationID, d.BookingID, d.Urgency, d.Step, d.Ring, d.Digest, d.DueTime, u.Now(), meant,
		},
		Want: -1,
	})
	return nil
}

// encodeMeant is "" for nobody in particular, as rows have it that are older than the column.
func encodeMeant(meant []domain.Meant) (string, error) {
	if len(meant) == 0 {
		return "", nil
	}
	text, err := json.Marshal(meant)
	return string(text), err
}

// ToldOf implements app.Unit.
func (u *unit) ToldOf(ctx context.Context, factID string) ([]string, error) {
	rows, err := u.tx.Query(ctx, "SELECT account_id FROM entry WHERE county_code = $1 AND fact_id = $2", u.county, factID)
	if err != nil {
		return nil, fmt.Errorf("find who was told: %w", err)
	}
	return collect(rows, scanText)
}

// Withdraw implements app.Unit.
func (u *unit) Withdraw(lease string, d domain.Delivery) {
	u.plan(1, "UPDATE delivery SET state = 'CANCELLED', reason = $4, lease_id = '', lease_time = NULL"+held, u.county, d.ID, lease, domain.Gone)
}

// CancelDeliveries implements app.Unit. One that is under way keeps its state, so that its outcome is still written; unneeded ends it then.
func (u *unit) CancelDeliveries(entryID, alarmID string) {
	for column, id := range map[string]string{"entry_id": entryID, "alarm_id": alarmID} {
		if id == "" {
			continue
		}
		u.cancel(column+" = $2", id)
	}
}

// CancelRings implements app.Unit.
func (u *unit) CancelRings(alarmID string) {
	if alarmID != "" {
		u.cancel("alarm_id = $2 AND account_id <> ''", alarmID)
	}
}

func (u *unit) cancel(which, id string) {
	u.cancelled = append(u.cancelled, sqldb.Stmt{
		SQL: `UPDATE delivery SET state = CASE state WHEN 'PENDING' THEN 'CANCELLED' ELSE state END, unneeded = true
			WHERE county_code = $1 AND ` + which + ` AND state IN ('PENDING', 'SENDING', 'DEAD') AND NOT unneeded`,
		Args: []any{u.county, id}, Want: -1,
	})
}
