package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

const callColumns = `county_code, id, version, state, alarm_id, referral_id, referral_number, urgency, step, organization_id, originator_organization_id, callees, create_time`

func scanCall(row scanner) (d domain.CallData, err error) {
	var callees string
	err = row.Scan(&d.County, &d.ID, &d.Version, &d.State, &d.AlarmID, &d.ReferralID, &d.ReferralNumber, &d.Urgency, &d.Step, &d.OrganizationID, &d.OriginatorOrganizationID, &callees, &d.CreateTime)
	if err == nil {
		err = json.Unmarshal([]byte(callees), &d.Callees)
	}
	return d, err
}

func scanCallRecord(row scanner) (r domain.CallRecord, err error) {
	err = row.Scan(&r.Outcome, &r.ReachedAccount, &r.ReachedName, &r.Note, &r.Account, &r.Time)
	return r, err
}

func readCalls(ctx context.Context, tx *sqldb.Tx, where string, args ...any) ([]domain.CallData, error) {
	rows, err := tx.Query(ctx, "SELECT "+callColumns+" FROM call_task WHERE county_code = $1 AND "+where, args...)
	if err != nil {
		return nil, err
	}
	calls, err := collect(rows, scanCall)
	if err != nil {
		return nil, err
	}
	for i := range calls {
		rows, err := tx.Query(ctx, `SELECT outcome, reached_account_id, reached_name, note, account_id, record_time FROM call_record
			WHERE county_code = $1 AND call_id = $2 ORDER BY number`, calls[i].County, calls[i].ID)
		if err != nil {
			return nil, err
		}
		if calls[i].Records, err = collect(rows, scanCallRecord); err != nil {
			return nil, err
		}
	}
	return calls, nil
}

// makes is the condition that an organisation, $2, is to make a call; all if it is empty.
const makes = "($2 = '' OR organization_id = $2 OR originator_organization_id = $2)"

// OpenCalls implements app.AlarmStore.
func (s *Store) OpenCalls(ctx context.Context, county, organizationID string) (n int, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, "SELECT count(*) FROM call_task WHERE county_code = $1 AND state = 'OPEN' AND "+makes, county, organizationID).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("count calls: %w", err)
	}
	return n, nil
}

// Calls implements app.AlarmStore.
func (s *Store) Calls(ctx context.Context, q app.CallQuery) (out []domain.CallData, err error) {
	where := makes + " AND ($3 OR state = 'OPEN')"
	args := []any{q.County, q.OrganizationID, q.Ended, q.Limit}
	if q.BeforeID != "" {
		where += " AND (create_time, id) < ($5, $6)"
		args = append(args, q.BeforeTime, q.BeforeID)
	}
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		out, err = readCalls(ctx, tx, where+" ORDER BY create_time DESC, id DESC LIMIT $4", args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list calls: %w", err)
	}
	return out, nil
}

// Call implements app.AlarmStore.
func (s *Store) Call(ctx context.Context, county, organizationID, id string) (d domain.CallData, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		found, err := readCalls(ctx, tx, makes+" AND id = $3", county, organizationID, id)
		if err == nil && len(found) == 0 {
			return errs.NotFound("call")
		}
		if err == nil {
			d = found[0]
		}
		return err
	})
	return d, err
}

// Call implements app.AlarmUnit.
func (u *unit) Call(ctx context.Context, id string) (*domain.Call, error) {
	for _, c := range u.calls {
		if c.Data().ID == id {
			return c, nil
		}
	}
	if _, err := u.tx.Exec(ctx, "UPDATE call_task SET version = version WHERE county_code = $1 AND id = $2", u.county, id); err != nil {
		return nil, fmt.Errorf("lock call: %w", err)
	}
	found, err := readCalls(ctx, u.tx, "id = $2", u.county, id)
	switch {
	case err != nil:
		return nil, fmt.Errorf("load call: %w", err)
	case len(found) == 0:
		return nil, errs.NotFound("call")
	}
	c := domain.RestoreCall(found[0])
	u.calls = append(u.calls, c)
	return c, nil
}

// AddCall implements app.AlarmUnit.
func (u *unit) AddCall(c *domain.Call) { u.calls = append(u.calls, c) }

// callStmts write a call and what was recorded last.
func callStmts(c *domain.Call) ([]sqldb.Stmt, error) {
	d := c.Data()
	callees, err := json.Marshal(d.Callees)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", d, err)
	}
	out := []sqldb.Stmt{{
		SQL:  "UPDATE call_task SET version = $3, state = $4 WHERE county_code = $1 AND id = $2",
		Args: []any{d.County, d.ID, d.Version, d.State}, Want: 1,
	}}
	if fresh, _ := c.Changes(); fresh {
		out[0] = sqldb.Stmt{
			SQL:  "INSERT INTO call_task (" + callColumns + ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
			Args: []any{d.County, d.ID, d.Version, d.State, d.AlarmID, d.ReferralID, d.ReferralNumber, d.Urgency, d.Step, d.OrganizationID, d.OriginatorOrganizationID, string(callees), d.CreateTime},
			Want: 1,
		}
	}
	if n := len(d.Records); n > 0 {
		r := d.Records[n-1]
		out = append(out, sqldb.Stmt{
			SQL: `INSERT INTO call_record (county_code, call_id, number, outcome, reached_account_id, reached_name, note, account_id, record_time)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (county_code, call_id, number) DO NOTHING`,
			Args: []any{d.County, d.ID, n, r.Outcome, r.ReachedAccount, r.ReachedName, r.Note, r.Account, r.Time}, Want: -1,
		})
	}
	return out, nil
}
