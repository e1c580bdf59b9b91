package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// OrganizationsByCode implements app.Unit.
func (u *unit) OrganizationsByCode(ctx context.Context, county string, codes []string) (map[string]domain.Organization, error) {
	frag, arg := u.tx.List("code", 2, codes)
	rows, err := lockOrganizations(ctx, u.tx, frag, county, arg)
	if err != nil {
		return nil, err
	}
	out := make(map[string]domain.Organization, len(rows))
	for _, o := range rows {
		u.remember(ofOrganization(o))
		out[o.Data().Code] = o
	}
	return out, nil
}

// OrganizationsByID implements app.Unit.
func (u *unit) OrganizationsByID(ctx context.Context, county string, ids []string) (map[string]domain.Organization, error) {
	frag, arg := u.tx.List("id", 2, ids)
	rows, err := lockOrganizations(ctx, u.tx, frag, county, arg)
	if err != nil {
		return nil, err
	}
	out := make(map[string]domain.Organization, len(rows))
	for _, o := range rows {
		u.remember(ofOrganization(o))
		out[o.Data().ID] = o
	}
	return out, nil
}

func lockOrganizations(ctx context.Context, tx *sqldb.Tx, condition string, args ...any) ([]domain.Organization, error) {
	return readOrganizations(ctx, tx,
		` WHERE county_code = $1 AND `+condition+` ORDER BY id`+tx.ForUpdate(), args...)
}

// AccountsByLogin implements app.Unit.
func (u *unit) AccountsByLogin(ctx context.Context, logins []string) (map[string]domain.Account, error) {
	frag, arg := u.tx.List("login", 1, logins)
	rows, err := u.tx.Query(ctx, `SELECT county_code, id, version, login, name, organization_id, department_code, roles,
		phone, disabled, practitioner_id, email FROM account WHERE `+frag+` ORDER BY id`+u.tx.ForUpdate(), arg)
	if err != nil {
		return nil, fmt.Errorf("load accounts: %w", err)
	}
	defer rows.Close()
	out := map[string]domain.Account{}
	for rows.Next() {
		var c accountColumns
		if err := rows.Scan(c.targets()...); err != nil {
			return nil, fmt.Errorf("read account: %w", err)
		}
		out[c.data.Login] = c.account()
	}
	return out, rows.Err()
}

// Guard implements app.Unit.
func (u *unit) Guard(ctx context.Context, key string) (domain.Guard, error) {
	return readGuard(ctx, u.tx, key, u.tx.ForUpdate())
}

// OpenGuard implements app.Unit.
func (u *unit) OpenGuard(ctx context.Context, key string) (domain.Guard, error) {
	_, err := u.tx.Exec(ctx, `INSERT INTO sign_in_guard (guard_key, failures) VALUES ($1, 0) ON CONFLICT (guard_key) DO NOTHING`, key)
	if err != nil {
		return domain.Guard{}, fmt.Errorf("open guard: %w", err)
	}
	return u.Guard(ctx, key)
}

func readGuard(ctx context.Context, tx *sqldb.Tx, key, lock string) (domain.Guard, error) {
	var failures int
	var last, until sql.NullTime
	err := tx.QueryRow(ctx, `SELECT failures, failure_time, locked_until FROM sign_in_guard WHERE guard_key = $1`+lock, key).
		Scan(&failures, &last, &until)
	switch {
	case sqldb.NoRows(err):
		return domain.Guard{}, nil
	case err != nil:
		return domain.Guard{}, fmt.Errorf("load guard: %w", err)
	}
	return domain.RestoreGuard(failures, last.Time.UTC(), until.Time.UTC()), nil
}

// Session implements app.Unit.
func (u *unit) Session(ctx context.Context, id string) (domain.Session, error) {
	return readSession(ctx, u.tx, id, u.tx.ForUpdate())
}
