package store

import (
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
	u.dispatched = append(u.dispatched, sqldb.Stmt{
		SQL: `INSERT INTO delivery (county_code, id, account_id, organization_id, department_code, patient_id, channel, template, language,
			entry_id, alarm_id, fact_id, event, referral_id, referral_number, from_organization_id, booking_id, urgency, step, ring, digest, state, due_time,
			attempt_count, reason, address_masked, lease_id, create_time)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, 'PENDING', $22, 0, '', '', '', $23)
			ON CONFLICT (county_code, id) DO NOTHING`,
		Args: []any{
			d.County, d.ID, d.AccountID, d.OrganizationID, d.DepartmentCode, d.PatientID, d.Channel, d.Template, d.Language, d.EntryID, d.AlarmID,
			d.FactID, d.Event, d.ReferralID, d.ReferralNumber, d.FromOrganizationID, d.BookingID, d.Urgency, d.Step, d.Ring, d.Digest, d.DueTime, u.Now(),
		},
		Want: -1,
	})
	return nil
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
