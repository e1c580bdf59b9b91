package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

var _ app.Deliveries = (*Store)(nil)

const deliveryColumns = `county_code, id, account_id, organization_id, department_code, patient_id, channel, template, language, entry_id, alarm_id,
	fact_id, event, referral_id, referral_number, from_organization_id, booking_id, urgency, step, ring, due_time, digest,
	state, reason, address_masked, attempt_count, earlier_attempts, again, unneeded, create_time, sent_time, meant`

func scanDelivery(row scanner) (d domain.Delivery, err error) {
	var sent sql.NullTime
	var meant string
	err = row.Scan(&d.County, &d.ID, &d.AccountID, &d.OrganizationID, &d.DepartmentCode, &d.PatientID, &d.Channel, &d.Template, &d.Language,
		&d.EntryID, &d.AlarmID, &d.FactID, &d.Event, &d.ReferralID, &d.ReferralNumber, &d.FromOrganizationID, &d.BookingID, &d.Urgency, &d.Step,
		&d.Ring, &d.DueTime, &d.Digest, &d.State, &d.Reason, &d.AddressMasked, &d.AttemptCount, &d.EarlierAttempts, &d.Again, &d.Unneeded,
		&d.CreateTime, &sent, &meant)
	d.SentTime = sent.Time
	if err == nil && meant != "" {
		err = json.Unmarshal([]byte(meant), &d.Meant)
	}
	return d, err
}

func scanAttempt(row scanner) (a domain.Attempt, err error) {
	var end sql.NullTime
	err = row.Scan(&a.Number, &a.StartTime, &end, &a.Outcome, &a.ProviderCode, &a.ProviderMessageID, &a.Again)
	a.EndTime = end.Time
	return a, err
}

// Delivery implements app.Deliveries.
func (s *Store) Delivery(ctx context.Context, county, deliveryID string) (d domain.Delivery, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		d, err = scanDelivery(tx.QueryRow(ctx, "SELECT "+deliveryColumns+" FROM delivery WHERE county_code = $1 AND id = $2", county, deliveryID))
		if sqldb.NoRows(err) {
			return errs.NotFound("delivery")
		}
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT number, start_time, end_time, outcome, provider_code, provider_message_id, again
			FROM delivery_attempt WHERE county_code = $1 AND delivery_id = $2 ORDER BY number`, county, deliveryID)
		if err != nil {
			return err
		}
		d.Attempts, err = collect(rows, scanAttempt)
		return err
	})
	if err != nil {
		return domain.Delivery{}, fmt.Errorf("load delivery %s: %w", deliveryID, err)
	}
	return d, nil
}

// scope is whose deliveries a query shows: an organisation's are those to its groups and to the people who work there now.
func scope(q app.DeliveryQuery) *where {
	w := &where{}
	w.and("county_code = ?", q.County)
	if q.OrganizationID != "" {
		w.and(`(organization_id = ? OR account_id IN (SELECT id FROM account WHERE county_code = ? AND organization_id = ?))`,
			q.OrganizationID, q.County, q.OrganizationID)
	}
	return w
}

// List implements app.Deliveries.
func (s *Store) List(ctx context.Context, q app.DeliveryQuery) (found []domain.Delivery, err error) {
	w := scope(q)
	if q.ID != "" {
		w.and("id = ?", q.ID)
	}
	if q.State != "" {
		w.and("state = ?", q.State)
	}
	if q.Channel != "" {
		w.and("channel = ?", q.Channel)
	}
	if q.Needed {
		w.and("NOT unneeded")
	}
	if q.ReferralID != "" {
		w.and("referral_id = ?", q.ReferralID)
	}
	if !q.Since.IsZero() {
		w.and("create_time >= ?", q.Since)
	}
	if q.BeforeID != "" {
		w.and("(create_time, id) < (?, ?)", q.BeforeTime, q.BeforeID)
	}
	w.args = append(w.args, q.Limit)
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, "SELECT "+deliveryColumns+" FROM delivery WHERE "+w.String()+
			fmt.Sprintf(" ORDER BY create_time DESC, id DESC LIMIT $%d", len(w.args)), w.args...)
		if err != nil {
			return err
		}
		found, err = collect(rows, scanDelivery)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return found, nil
}

// CountDead implements app.Deliveries.
func (s *Store) CountDead(ctx context.Context, q app.DeliveryQuery) (n int, err error) {
	w := scope(q)
	w.and("state = 'DEAD'")
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, "SELECT count(*) FROM delivery WHERE "+w.String(), w.args...).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("count dead deliveries: %w", err)
	}
	return n, nil
}

// Load implements app.Deliveries.
func (s *Store) Load(ctx context.Context, county string) (load map[string]app.ChannelLoad, err error) {
	load = map[string]app.ChannelLoad{}
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		for _, channel := range domain.Channels() {
			var l app.ChannelLoad
			var last sql.NullTime
			err := tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM delivery WHERE channel = $2 AND state = 'PENDING' AND county_code = $1),
				(SELECT count(*) FROM delivery WHERE county_code = $1 AND channel = $2 AND state = 'DEAD')`, county, channel).Scan(&l.Pending, &l.Dead)
			if err != nil {
				return err
			}
			err = tx.QueryRow(ctx, `SELECT sent_time FROM delivery WHERE county_code = $1 AND channel = $2 AND sent_time IS NOT NULL
				ORDER BY sent_time DESC LIMIT 1`, county, channel).Scan(&last)
			if err != nil && !sqldb.NoRows(err) {
				return err
			}
			l.LastSent = last.Time
			load[channel] = l
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read how channels are: %w", err)
	}
	return load, nil
}

// Replay implements app.Deliveries.
func (s *Store) Replay(ctx context.Context, caller app.Caller, deliveryID string) (replayed bool, err error) {
	err = s.db.Update(ctx, func(tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE delivery SET state = 'PENDING', due_time = $3, again = true, earlier_attempts = attempt_count
			WHERE county_code = $1 AND id = $2 AND state = 'DEAD' AND NOT unneeded`, caller.County, deliveryID, tx.Now())
		if replayed = n == 1; err != nil || !replayed {
			return err
		}
		onCommit(tx, s.wakes.Deliveries, 1)
		return tx.Last(ctx, audited(tx, caller, "delivery.replay", "delivery", deliveryID))
	})
	if err != nil {
		return false, fmt.Errorf("replay delivery %s: %w", deliveryID, err)
	}
	return replayed, nil
}

// audited is the entry of what a person did.
func audited(tx *sqldb.Tx, caller app.Caller, action, object, objectID string) sqldb.Stmt {
	return audit.Stmt(audit.Entry{
		County: caller.County, AccountID: caller.AccountID, OrganizationID: caller.OrganizationID, Action: action, ObjectType: object, ObjectID: objectID,
	}, id.New(), tx.Now())
}
