package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Due implements app.Deliveries. In order, so that it goes by the index of what waits, however much was sent before.
func (s *Store) Due(ctx context.Context, channel string, emergency bool) (due bool, err error) {
	query := "SELECT id FROM delivery WHERE channel = $1 AND state = 'PENDING' AND due_time <= $2 ORDER BY due_time, id LIMIT 1"
	if emergency {
		query = strings.Replace(query, "state = 'PENDING'", "state = 'PENDING' AND urgency = 'EMERGENCY'", 1)
	}
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		var id string
		return tx.QueryRow(ctx, query, channel, tx.Now()).Scan(&id)
	})
	if sqldb.NoRows(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look what is due on %s: %w", channel, err)
	}
	return true, nil
}

// Claim implements app.Deliveries.
func (s *Store) Claim(ctx context.Context, c app.Claim) (claimed []domain.Delivery, err error) {
	err = s.db.Update(ctx, func(tx *sqldb.Tx) error {
		claimed = nil
		for _, take := range []struct {
			which string
			most  int
		}{{"urgency = 'EMERGENCY'", c.Limit + c.Urgent}, {"urgency <> 'EMERGENCY'", c.Limit}} {
			if take.most <= len(claimed) {
				break
			}
			w := where{args: []any{tx.Now()}}
			w.and("channel = ?", c.Channel)
			w.and(take.which)
			if len(c.Except) > 0 {
				// One list, for as many groups as there are: SQLite takes no condition a thousand deep.
				list, arg := tx.List("county_code || '/' || organization_id || '/' || department_code", len(w.args)+1, groupsOf(c.Except))
				w.args = append(w.args, arg)
				w.conditions = append(w.conditions, "NOT "+list)
			}
			more, err := dueRows(ctx, tx, w.String(), w.args, take.most-len(claimed))
			if err != nil {
				return err
			}
			claimed = append(claimed, more...)
		}
		if claimed, err = together(ctx, tx, claimed, c.With); err != nil || len(claimed) == 0 {
			return err
		}
		return hold(ctx, tx, c, claimed)
	})
	if err != nil {
		return nil, fmt.Errorf("claim deliveries of %s: %w", c.Channel, err)
	}
	return claimed, nil
}

// dueRows are locked until the transaction ends; those that another holds are left out. The first argument is the instant.
func dueRows(ctx context.Context, tx *sqldb.Tx, where string, args []any, limit int) ([]domain.Delivery, error) {
	args = append(args, limit)
	rows, err := tx.Query(ctx, "SELECT "+deliveryColumns+" FROM delivery WHERE state = 'PENDING' AND due_time <= $1 AND "+where+
		fmt.Sprintf(" ORDER BY due_time, id LIMIT $%d", len(args))+tx.SkipLocked(), args...)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanDelivery)
}

// groupsOf are the groups' names, as the query puts them together.
func groupsOf(owners []app.Owner) []string {
	out := make([]string, len(owners))
	for i, of := range owners {
		out[i] = strings.Join([]string{of.County, of.OrganizationID, of.DepartmentCode}, "/")
	}
	return out
}

// together adds what may go in one message with what was found.
func together(ctx context.Context, tx *sqldb.Tx, found []domain.Delivery, with int) ([]domain.Delivery, error) {
	have, asked := map[string]bool{}, map[[6]string]bool{}
	for _, d := range found {
		have[d.County+d.ID] = true
	}
	for _, d := range found[:len(found):len(found)] {
		if with == 0 || !d.Digest || asked[d.Recipient()] {
			continue
		}
		asked[d.Recipient()] = true
		more, err := dueRows(ctx, tx, `county_code = $2 AND channel = $3 AND account_id = $4 AND organization_id = $5 AND department_code = $6 AND language = $7 AND digest`,
			[]any{tx.Now(), d.County, d.Channel, d.AccountID, d.OrganizationID, d.DepartmentCode, d.Language}, with)
		if err != nil {
			return nil, err
		}
		for _, m := range more {
			if !have[m.County+m.ID] {
				have[m.County+m.ID] = true
				found = append(found, m)
			}
		}
	}
	return found, nil
}

// hold writes the lease.
func hold(ctx context.Context, tx *sqldb.Tx, c app.Claim, rows []domain.Delivery) error {
	stmts := make([]sqldb.Stmt, len(rows))
	for i, d := range rows {
		stmts[i] = sqldb.Stmt{
			SQL:  "UPDATE delivery SET state = 'SENDING', lease_id = $3, lease_time = $4 WHERE county_code = $1 AND id = $2",
			Args: []any{d.County, d.ID, c.Lease, c.Until}, Want: 1,
		}
		rows[i].State = domain.StateSending
	}
	return tx.Last(ctx, stmts...)
}

// held is the condition that a delivery is under the lease; key, then lease.
const held = " WHERE county_code = $1 AND id = $2 AND lease_id = $3 AND state = 'SENDING'"

// SetAside implements app.Deliveries.
func (s *Store) SetAside(ctx context.Context, lease string, aside []app.Aside) error {
	err := s.db.Update(ctx, func(tx *sqldb.Tx) error {
		stmts := make([]sqldb.Stmt, len(aside))
		for i, a := range aside {
			due := sql.NullTime{Time: a.Due, Valid: a.State == domain.StatePending}
			stmts[i] = sqldb.Stmt{
				SQL: `UPDATE delivery SET state = CASE WHEN unneeded AND $4 = 'PENDING' THEN 'CANCELLED' ELSE $4 END, reason = $5,
					due_time = COALESCE($6, due_time), lease_id = '', lease_time = NULL` + held,
				Args: []any{a.County, a.ID, lease, a.State, a.Reason, due}, Want: -1,
			}
		}
		return tx.Last(ctx, stmts...)
	})
	if err != nil {
		return fmt.Errorf("set deliveries aside: %w", err)
	}
	return nil
}

// Begin implements app.Deliveries.
func (s *Store) Begin(ctx context.Context, b app.Begin) (begun, gone []domain.Delivery, err error) {
	err = s.db.Update(ctx, func(tx *sqldb.Tx) error {
		begun, gone = nil, nil
		var stmts []sqldb.Stmt
		for _, t := range b.Tries {
			d, err := scanDelivery(tx.QueryRow(ctx, "SELECT "+deliveryColumns+" FROM delivery"+held+tx.ForUpdate(), t.County, t.ID, b.Lease))
			if sqldb.NoRows(err) {
				continue
			}
			if err != nil {
				return err
			}
			if d.Unneeded {
				stmts = append(stmts, sqldb.Stmt{
					SQL: "UPDATE delivery SET state = 'CANCELLED', lease_id = '', lease_time = NULL" + held, Args: []any{t.County, t.ID, b.Lease}, Want: 1,
				})
				continue
			}
			still, err := stillFor(ctx, tx, d)
			if err != nil {
				return err
			}
			if !still {
				gone = append(gone, d)
				continue
			}
			d.AttemptCount++
			d.AddressMasked = t.AddressMasked
			stmts = append(stmts, attempt(tx, d, b)...)
			if t.Link != nil {
				stmts = append(stmts, insertLink(tx, d.County, *t.Link))
			}
			begun = append(begun, d)
		}
		return tx.Last(ctx, stmts...)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("begin attempts: %w", err)
	}
	return begun, gone, nil
}

// stillFor tells whether the person for whom a message is may still have it; of an account that is not known nothing speaks against it.
func stillFor(ctx context.Context, tx *sqldb.Tx, d domain.Delivery) (bool, error) {
	if d.AccountID == "" {
		return true, nil
	}
	a := domain.Account{County: d.County, ID: d.AccountID}
	var roles string
	err := tx.QueryRow(ctx, "SELECT organization_id, department_code, roles, disabled FROM account WHERE county_code = $1 AND id = $2", d.County, d.AccountID).
		Scan(&a.OrganizationID, &a.DepartmentCode, &roles, &a.Disabled)
	if sqldb.NoRows(err) {
		return true, nil
	}
	a.Roles = splitRoles(roles)
	return d.StillFor(a), err
}

func attempt(tx *sqldb.Tx, d domain.Delivery, b app.Begin) []sqldb.Stmt {
	return []sqldb.Stmt{
		{
			SQL:  "UPDATE delivery SET attempt_count = $4, address_masked = $5, lease_time = $6" + held,
			Args: []any{d.County, d.ID, b.Lease, d.AttemptCount, d.AddressMasked, b.Until}, Want: 1,
		},
		{
			SQL: `INSERT INTO delivery_attempt (county_code, delivery_id, number, start_time, outcome, provider_code, provider_message_id, again)
				VALUES ($1, $2, $3, $4, 'OPEN', '', '', $5)`,
			Args: []any{d.County, d.ID, d.AttemptCount, tx.Now(), d.Again}, Want: 1,
		},
	}
}

// Finish implements app.Deliveries.
func (s *Store) Finish(ctx context.Context, lease string, done []app.Done) error {
	err := s.db.Update(ctx, func(tx *sqldb.Tx) error {
		var facts []outbox.Fact
		for _, one := range done {
			d := one.Delivery
			state, err := finish(ctx, tx, lease, one)
			if err != nil || state == "" {
				if err != nil {
					return err
				}
				continue // the lease was lost
			}
			if _, err := tx.Exec(ctx, `UPDATE delivery_attempt SET end_time = $4, outcome = $5, provider_code = $6, provider_message_id = $7
				WHERE county_code = $1 AND delivery_id = $2 AND number = $3 AND outcome = 'OPEN'`,
				d.County, d.ID, d.AttemptCount, tx.Now(), one.Ended.Outcome, one.Ended.ProviderCode, one.Ended.ProviderMessageID); err != nil {
				return err
			}
			if state == domain.StateDead {
				fact, err := s.encode(app.Happened{FactID: id.New(), Failed: &d, Time: tx.Now(), By: app.Caller{County: d.County, AccountID: app.Self}, CauseID: d.FactID})
				if err != nil {
					return err
				}
				facts = append(facts, fact)
			}
		}
		onCommit(tx, s.wakes.Facts, len(facts))
		return tx.Last(ctx, outbox.Stmts(ctx, facts...)...)
	})
	if err != nil {
		return fmt.Errorf("finish attempts: %w", err)
	}
	return nil
}

// finish answers the state that the delivery has now; "" if the lease was lost.
func finish(ctx context.Context, tx *sqldb.Tx, lease string, one app.Done) (state string, err error) {
	d, step := one.Delivery, one.Step
	var unneeded bool
	err = tx.QueryRow(ctx, "SELECT unneeded FROM delivery"+held+tx.ForUpdate(), d.County, d.ID, lease).Scan(&unneeded)
	if sqldb.NoRows(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	state = step.State
	if unneeded && state != domain.StateSent {
		state = domain.StateCancelled
	}
	earlier := d.EarlierAttempts
	if !step.Counts {
		earlier++
	}
	sent := sql.NullTime{Time: tx.Now(), Valid: state == domain.StateSent}
	_, err = tx.Exec(ctx, `UPDATE delivery SET state = $4, reason = $5, due_time = $6, again = $7, earlier_attempts = $8, sent_time = $9,
		lease_id = '', lease_time = NULL`+held, d.County, d.ID, lease, state, step.Reason, step.Due, step.Again, earlier, sent)
	return state, err
}

// Expired implements app.Deliveries.
func (s *Store) Expired(ctx context.Context, c app.Claim) (expired []domain.Delivery, begun map[string]bool, err error) {
	err = s.db.Update(ctx, func(tx *sqldb.Tx) error {
		begun = map[string]bool{}
		rows, err := tx.Query(ctx, "SELECT "+deliveryColumns+" FROM delivery WHERE state = 'SENDING' AND lease_time < $1 ORDER BY lease_time LIMIT $2"+
			tx.SkipLocked(), tx.Now(), c.Limit)
		if err != nil {
			return err
		}
		if expired, err = collect(rows, scanDelivery); err != nil || len(expired) == 0 {
			return err
		}
		for _, d := range expired {
			var n int
			err := tx.QueryRow(ctx, "SELECT count(*) FROM delivery_attempt WHERE county_code = $1 AND delivery_id = $2 AND outcome = 'OPEN'", d.County, d.ID).Scan(&n)
			if err != nil {
				return err
			}
			begun[d.ID] = n > 0
		}
		return hold(ctx, tx, c, expired)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("find deliveries whose lease is over: %w", err)
	}
	return expired, begun, nil
}

// where collects conditions with their arguments.
type where struct {
	conditions []string
	args       []any
}

// and adds a condition whose places ? are the arguments.
func (w *where) and(condition string, args ...any) {
	for _, a := range args {
		w.args = append(w.args, a)
		condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(w.args)), 1)
	}
	w.conditions = append(w.conditions, condition)
}

func (w *where) String() string { return strings.Join(w.conditions, " AND ") }
