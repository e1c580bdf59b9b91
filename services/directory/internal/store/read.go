package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// SignInState implements app.Store.
func (s *Store) SignInState(ctx context.Context, login, guardKey string) (out app.SignInState, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		out = app.SignInState{}
		var err error
		if out.Guard, err = readGuard(ctx, tx, guardKey, ""); err != nil {
			return err
		}
		var c accountColumns
		var hash sql.NullString
		var oneTime sql.NullBool
		var set sql.NullTime
		err = tx.QueryRow(ctx, selectAccount+`, c.password_hash, c.one_time, c.update_time `+fromAccount+`
			LEFT JOIN credential c ON c.county_code = a.county_code AND c.account_id = a.id WHERE a.login = $1`, login).
			Scan(append(c.targets(), &c.organizationName, &hash, &oneTime, &set)...)
		if sqldb.NoRows(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("load account: %w", err)
		}
		out.Found, out.View, out.Credential = true, c.view(), app.Credential{Hash: hash.String, OneTime: oneTime.Bool, Set: set.Time.UTC()}
		return nil
	})
	return out, err
}

// SessionState implements app.Store.
func (s *Store) SessionState(ctx context.Context, sessionID string) (out app.SessionState, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		var err error
		if out.Session, err = readSession(ctx, tx, sessionID, ""); err != nil {
			return err
		}
		var c accountColumns
		err = tx.QueryRow(ctx, selectAccount+`, COALESCE(c.one_time, FALSE) `+fromKept+` WHERE a.county_code = $1 AND a.id = $2`,
			out.Session.County(), out.Session.AccountID()).Scan(append(c.targets(), &c.organizationName, &out.OneTime)...)
		if err != nil {
			return fmt.Errorf("load account of session: %w", err)
		}
		out.View = c.view()
		return nil
	})
	return out, err
}

func readSession(ctx context.Context, tx *sqldb.Tx, id, lock string) (domain.Session, error) {
	var county, account string
	var t domain.SessionTimes
	var ended sql.NullTime
	err := tx.QueryRow(ctx, `SELECT county_code, account_id, create_time, last_seen_time, end_time FROM session
		WHERE id = $1`+lock, id).Scan(&county, &account, &t.Created, &t.LastSeen, &ended)
	switch {
	case sqldb.NoRows(err):
		return domain.Session{}, errs.NotFound("session")
	case err != nil:
		return domain.Session{}, fmt.Errorf("load session: %w", err)
	}
	t = domain.SessionTimes{Created: t.Created.UTC(), LastSeen: t.LastSeen.UTC(), Ended: ended.Time.UTC()}
	return domain.RestoreSession(id, county, account, t), nil
}

// Logins implements app.Store.
func (s *Store) Logins(ctx context.Context, logins []string) (out map[string]string, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		out = map[string]string{}
		frag, arg := tx.List("login", 1, logins)
		rows, err := tx.Query(ctx, `SELECT login, organization_id FROM account WHERE `+frag, arg)
		if err != nil {
			return fmt.Errorf("load logins: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var login, organization string
			if err := rows.Scan(&login, &organization); err != nil {
				return fmt.Errorf("read login: %w", err)
			}
			out[login] = organization
		}
		return rows.Err()
	})
	return out, err
}

// CountyName implements app.Store.
func (s *Store) CountyName(ctx context.Context, county string) (name string, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		name = ""
		err := tx.QueryRow(ctx, `SELECT name FROM county WHERE county_code = $1`, county).Scan(&name)
		if err != nil && !sqldb.NoRows(err) {
			return fmt.Errorf("load the name of county %s: %w", county, err)
		}
		return nil
	})
	return name, err
}

// Organizations implements app.Store. A Limit of 0 is no limit.
func (s *Store) Organizations(ctx context.Context, q app.OrganizationQuery) (out []domain.Organization, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		var err error
		out, err = readOrganizations(ctx, tx, ` WHERE ($1 = '' OR county_code = $1) AND ($2 = '' OR type = $2)
			AND (county_code, code) > ($3, $4) ORDER BY county_code, code LIMIT $5`,
			q.County, string(q.Type), q.After.County, q.After.Key, limit(q.Limit))
		return err
	})
	return out, err
}

// Organization implements app.Store.
func (s *Store) Organization(ctx context.Context, county, id string) (out domain.Organization, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		rows, err := readOrganizations(ctx, tx, ` WHERE county_code = $1 AND id = $2`, county, id)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return errs.NotFound("organization")
		}
		out = rows[0]
		return nil
	})
	return out, err
}

// Accounts implements app.Store. A Limit of 0 is no limit.
func (s *Store) Accounts(ctx context.Context, q app.AccountQuery) (out []app.AccountView, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, selectAccount+` `+fromAccount+`
			WHERE ($1 = '' OR a.county_code = $1) AND ($2 = '' OR a.organization_id = $2)
			AND (a.county_code, a.login) > ($3, $4) ORDER BY a.county_code, a.login LIMIT $5`,
			q.County, q.OrganizationID, q.After.County, q.After.Key, limit(q.Limit))
		if err != nil {
			return fmt.Errorf("load accounts: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var c accountColumns
			if err := rows.Scan(append(c.targets(), &c.organizationName)...); err != nil {
				return fmt.Errorf("read account: %w", err)
			}
			out = append(out, c.view())
		}
		return rows.Err()
	})
	return out, err
}

// Purge implements app.Store. It is housekeeping: it changes nothing that anybody can see.
func (s *Store) Purge(ctx context.Context, sessionsBefore, failuresBefore time.Time) error {
	return s.db.Update(ctx, func(tx *sqldb.Tx) error {
		return tx.Batch(ctx,
			sqldb.Stmt{SQL: `DELETE FROM session WHERE create_time < $1`, Args: []any{sessionsBefore}, Want: -1},
			sqldb.Stmt{SQL: `DELETE FROM sign_in_guard WHERE (failure_time IS NULL OR failure_time < $1)
				AND (locked_until IS NULL OR locked_until < $1)`, Args: []any{failuresBefore}, Want: -1})
	})
}

func limit(n int) int64 {
	if n == 0 {
		return 1 << 31
	}
	return int64(n)
}
