package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

var _ app.Deliveries = (*Store)(nil)

const deliveryColumns = `county_code, id, account_id, organization_id, department_code, patient_id, channel, template, language, entry_id, alarm_id,
	fact_id, event, referral_id, referral_number, from_organization_id, booking_id, urgency, step, ring, due_time, digest,
	state, reason, address_masked, attempt_count, earlier_attempts, again, unneeded, create_time, sent_time`

func scanDelivery(row scanner) (d domain.Delivery, err error) {
	var sent sql.NullTime
	err = row.Scan(&d.County, &d.ID, &d.AccountID, &d.OrganizationID, &d.DepartmentCode, &d.PatientID, &d.Channel, &d.Template, &d.Language,
		&d.EntryID, &d.AlarmID, &d.FactID, &d.Event, &d.ReferralID, &d.ReferralNumber, &d.FromOrganizationID, &d.BookingID, &d.Urgency, &d.Step,
		&d.Ring, &d.DueTime, &d.Digest, &d.State, &d.Reason, &d.AddressMasked, &d.AttemptCount, &d.EarlierAttempts, &d.Again, &d.Unneeded,
		&d.CreateTime, &sent)
	d.SentTime = sent.Time
	return d, err
}

func scanAttempt(row scanner) (a domain.Attempt, err error) {
	var end sql.NullTime
	err = row.Scan(&a.Number, &a.StartTime, &end, &a.Outcome, &a.ProviderCode, &a.ProviderMessageID, &a.Again)
	a.EndTime = end.Time
	return a, err
}

// Delivery implements app.Deliveries.
func (s *Store) Delivery(ctx context.Context, county, id string) (d domain.Delivery, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		d, err = scanDelivery(tx.QueryRow(ctx, "SELECT "+deliveryColumns+" FROM delivery WHERE county_code = $1 AND id = $2", county, id))
		if sqldb.NoRows(err) {
			return errs.NotFound("delivery")
		}
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT number, start_time, end_time, outcome, provider_code, provider_message_id, again
			FROM delivery_attempt WHERE county_code = $1 AND delivery_id = $2 ORDER BY number`, county, id)
		if err != nil {
			return err
		}
		d.Attempts, err = collect(rows, scanAttempt)
		return err
	})
	if err != nil {
		return domain.Delivery{}, fmt.Errorf("load delivery %s: %w", id, err)
	}
	return d, nil
}
