package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

const alarmColumns = `county_code, id, referral_id, referral_number, fact_id, event, occur_time, direction, actor_organization_id, originator_account_id,
	originator_organization_id, originator_department_code, receiver_organization_id, receiver_department_code, state, create_time, rings, level,
	last_ring_time, next_ring_time, call_time, call_id, acknowledge_time, acknowledge_account_id, acknowledge_channel, fence`

func scanAlarm(row scanner) (d domain.AlarmData, err error) {
	var last, acknowledged sql.NullTime
	f := &d.About
	err = row.Scan(&d.County, &d.ID, &f.ReferralID, &f.ReferralNumber, &f.ID, &f.Event, &f.OccurTime, &f.Direction, &f.ActorOrganizationID, &f.OriginatorAccountID,
		&f.OriginatorOrganizationID, &f.OriginatorDepartmentCode, &f.ReceiverOrganizationID, &f.ReceiverDepartmentCode, &d.State, &d.CreateTime, &d.Rings, &d.Level,
		&last, &d.NextRing, &d.CallTime, &d.CallID, &acknowledged, &d.AcknowledgeAccount, &d.AcknowledgeChannel, &d.Fence)
	f.Urgency = domain.UrgencyEmergency
	d.LastRing, d.AcknowledgeTime = last.Time, acknowledged.Time
	return d, err
}

func nullTime(t time.Time) sql.NullTime { return sql.NullTime{Time: t, Valid: !t.IsZero()} }

// alarmStmt writes an alarm. One that was changed under a claim which is no longer the present one fails.
func alarmStmt(a *domain.Alarm) sqldb.Stmt {
	d := a.Data()
	f := d.About
	if fresh, _ := a.Changes(); fresh {
		return sqldb.Stmt{
			SQL: "INSERT INTO alarm (" + alarmColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
				$20, $21, $22, $23, $24, $25, $26)`,
			Args: []any{
				d.County, d.ID, f.ReferralID, f.ReferralNumber, f.ID, f.Event, f.OccurTime, f.Direction, f.ActorOrganizationID, f.OriginatorAccountID,
				f.OriginatorOrganizationID, f.OriginatorDepartmentCode, f.ReceiverOrganizationID, f.ReceiverDepartmentCode, d.State, d.CreateTime, d.Rings, d.Level,
				nullTime(d.LastRing), d.NextRing, d.CallTime, d.CallID, nullTime(d.AcknowledgeTime), d.AcknowledgeAccount, d.AcknowledgeChannel, d.Fence,
			},
			Want: 1,
		}
	}
	return sqldb.Stmt{
		SQL: `UPDATE alarm SET state = $3, rings = $4, level = $5, last_ring_time = $6, next_ring_time = $7, call_id = $8, acknowledge_time = $9,
			acknowledge_account_id = $10, acknowledge_channel = $11, lease_until = NULL WHERE county_code = $1 AND id = $2 AND fence = $12`,
		Args: []any{
			d.County, d.ID, d.State, d.Rings, d.Level, nullTime(d.LastRing), d.NextRing, d.CallID, nullTime(d.AcknowledgeTime), d.AcknowledgeAccount,
			d.AcknowledgeChannel, d.Fence,
		},
		Want: 1,
	}
}

// ClaimAlarms implements app.AlarmStore.
func (s *Store) ClaimAlarms(ctx context.Context, owner string, lease time.Duration, n int) ([]app.DueClaim, error) {
	return s.claim(ctx, claiming{"alarm", "id", "state = 'RINGING' AND (next_ring_time <= $1 OR last_ring_time > $3)", owner, lease, n}, domain.SetBack)
}

// ClaimReminders implements app.AlarmStore.
func (s *Store) ClaimReminders(ctx context.Context, owner string, lease time.Duration, n int) ([]app.DueClaim, error) {
	return s.claim(ctx, claiming{"reminder", "booking_id", "state = 'WAITING' AND due_time <= $1", owner, lease, n})
}

// claiming is where rows fall due (the table, its key, and the condition, with now as $1, the number as $2, and from $3 on times from now), and who takes how many of them for how long.
type claiming struct {
	table, key, due, owner string
	lease                  time.Duration
	n                      int
}

func (s *Store) claim(ctx context.Context, c claiming, fromNow ...time.Duration) (out []app.DueClaim, err error) {
	err = s.db.Update(ctx, func(tx *sqldb.Tx) error {
		args := []any{tx.Now(), c.n}
		for _, d := range fromNow {
			args = append(args, tx.Now().Add(d))
		}
		rows, err := tx.Query(ctx, "SELECT county_code, "+c.key+", fence FROM "+c.table+" WHERE "+c.due+
			" AND (lease_until IS NULL OR lease_until <= $1) ORDER BY 1, 2 LIMIT $2"+tx.SkipLocked(), args...)
		if err != nil {
			return err
		}
		out, err = collect(rows, func(row scanner) (one app.DueClaim, err error) {
			err = row.Scan(&one.County, &one.ID, &one.Fence)
			one.Fence++
			return one, err
		})
		if err != nil {
			return err
		}
		stmts := make([]sqldb.Stmt, len(out))
		for i, one := range out {
			stmts[i] = sqldb.Stmt{
				SQL:  "UPDATE " + c.table + " SET lease_owner = $3, lease_until = $4, fence = $5 WHERE county_code = $1 AND " + c.key + " = $2",
				Args: []any{one.County, one.ID, c.owner, tx.Now().Add(c.lease), one.Fence}, Want: 1,
			}
		}
		return tx.Batch(ctx, stmts...)
	})
	if err != nil {
		return nil, fmt.Errorf("claim rows of %s: %w", c.table, err)
	}
	return out, nil
}

const alarmAccounts = "SELECT account_id FROM entry WHERE county_code = $1 AND alarm_id = $2 AND rings > 0 ORDER BY account_id"

// RingingAt implements app.AlarmStore.
func (s *Store) RingingAt(ctx context.Context, q app.AlarmQuery) ([]app.AlarmView, error) {
	// From the few that ring to their entries: a person has thousands of entries.
	return s.alarms(ctx, q.County, `state = 'RINGING' AND EXISTS (SELECT 1 FROM entry WHERE entry.county_code = alarm.county_code AND entry.alarm_id = alarm.id
		AND entry.alarm_id <> '' AND entry.account_id = $2 AND entry.rings > 0 AND entry.acknowledge_time IS NULL)
		AND ($4 = '' OR (create_time, id) > ($3, $4)) ORDER BY create_time, id LIMIT $5`, q.AccountID, q.AfterTime, q.AfterID, q.Limit)
}

// Alarm implements app.AlarmStore.
func (s *Store) Alarm(ctx context.Context, county, accountID, id string) (app.AlarmView, error) {
	found, err := s.alarms(ctx, county, "id = $3 AND id IN (SELECT alarm_id FROM entry WHERE county_code = $1 AND account_id = $2 AND alarm_id = $3)", accountID, id)
	if err == nil && len(found) == 0 {
		err = errs.NotFound("alarm")
	}
	if err != nil {
		return app.AlarmView{}, err
	}
	return found[0], nil
}

func (s *Store) alarms(ctx context.Context, county, where string, args ...any) (out []app.AlarmView, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, "SELECT "+alarmColumns+" FROM alarm WHERE county_code = $1 AND "+where, append([]any{county}, args...)...)
		if err != nil {
			return err
		}
		found, err := collect(rows, scanAlarm)
		if err != nil {
			return err
		}
		for _, d := range found {
			rows, err := tx.Query(ctx, alarmAccounts, county, d.ID)
			if err != nil {
				return err
			}
			accounts, err := collect(rows, scanText)
			if err != nil {
				return err
			}
			out = append(out, app.AlarmView{AlarmData: d, Accounts: accounts})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list alarms: %w", err)
	}
	return out, nil
}

// Alarm implements app.AlarmUnit.
func (u *unit) Alarm(ctx context.Context, id string) (*domain.Alarm, error) {
	found, err := u.lockAlarms(ctx, "id = $2", id)
	if err == nil && len(found) == 0 {
		err = errs.NotFound("alarm")
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// RingingAlarms implements app.AlarmUnit.
func (u *unit) RingingAlarms(ctx context.Context, referralID string) ([]*domain.Alarm, error) {
	return u.lockAlarms(ctx, "state = 'RINGING' AND referral_id = $2", referralID)
}

func (u *unit) lockAlarms(ctx context.Context, where string, args ...any) ([]*domain.Alarm, error) {
	rows, err := u.tx.Query(ctx, "SELECT "+alarmColumns+" FROM alarm WHERE county_code = $1 AND "+where+" ORDER BY id"+u.tx.ForUpdate(), append([]any{u.county}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("load alarms: %w", err)
	}
	found, err := collect(rows, scanAlarm)
	if err != nil {
		return nil, fmt.Errorf("load alarms: %w", err)
	}
	out := make([]*domain.Alarm, len(found))
	for i, d := range found {
		out[i] = u.keepAlarm(d)
	}
	return out, nil
}

// keepAlarm gives an alarm one instance in the unit.
func (u *unit) keepAlarm(d domain.AlarmData) *domain.Alarm {
	for _, a := range u.alarms {
		if a.Data().ID == d.ID {
			return a
		}
	}
	a := domain.RestoreAlarm(d)
	u.alarms = append(u.alarms, a)
	return a
}

// AddAlarm implements app.AlarmUnit.
func (u *unit) AddAlarm(a *domain.Alarm) { u.alarms = append(u.alarms, a) }

// AlarmAccounts implements app.AlarmUnit.
func (u *unit) AlarmAccounts(ctx context.Context, id string) ([]string, error) {
	rows, err := u.tx.Query(ctx, alarmAccounts, u.county, id)
	if err != nil {
		return nil, fmt.Errorf("find who hears an alarm: %w", err)
	}
	return collect(rows, scanText)
}

// RaiseEntries implements app.AlarmUnit. Entries that the change adds are written before.
func (u *unit) RaiseEntries(a *domain.Alarm, accounts []string) {
	for _, account := range accounts {
		u.plan(-1, `UPDATE entry SET rings = $4 WHERE county_code = $1 AND alarm_id = $2 AND account_id = $3 AND acknowledge_time IS NULL`,
			u.county, a.Data().ID, account, a.Data().Rings)
	}
	u.happened = append(u.happened, app.AlarmHappened{Rang: true, Alarm: a.Data(), Accounts: accounts})
}

// TellEnd implements app.AlarmUnit.
func (u *unit) TellEnd(a *domain.Alarm, accounts []string) {
	if a.Data().State == domain.AlarmAcknowledged {
		u.note("alarm.acknowledge", "alarm", a.Data().ID)
	}
	u.happened = append(u.happened, app.AlarmHappened{Alarm: a.Data(), Accounts: accounts})
}

// plan adds a statement that is written after the entries.
func (u *unit) plan(want int64, query string, args ...any) {
	u.planned = append(u.planned, sqldb.Stmt{SQL: query, Args: args, Want: want})
}
