package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Roles are kept as "|A|B|", so that LIKE '%|A|%' finds one.
func joinRoles(roles []string) string { return "|" + strings.Join(roles, "|") + "|" }

// SaveAccounts implements app.Store.
func (s *Store) SaveAccounts(ctx context.Context, cmd app.Command, accounts []domain.Account) error {
	err := s.db.Update(ctx, func(tx *sqldb.Tx) error {
		if already, err := seen(ctx, tx, cmd); err != nil || already {
			return err
		}
		stmts := make([]sqldb.Stmt, len(accounts))
		for i, a := range accounts {
			stmts[i] = sqldb.Stmt{
				// The name came later than the table: a row without one takes it from the same version.
				SQL: `INSERT INTO account (county_code, id, version, organization_id, department_code, roles, disabled, name)
					VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
					ON CONFLICT (county_code, id) DO UPDATE SET version = excluded.version, organization_id = excluded.organization_id,
					department_code = excluded.department_code, roles = excluded.roles, disabled = excluded.disabled, name = excluded.name
					WHERE account.version < excluded.version OR account.version = excluded.version AND account.name = ''`,
				Args: []any{cmd.Caller.County, a.ID, a.Version, a.OrganizationID, a.DepartmentCode, joinRoles(a.Roles), a.Disabled, a.Name},
				Want: -1,
			}
		}
		return tx.Last(ctx, stmts...)
	})
	if err != nil {
		return fmt.Errorf("save accounts: %w", err)
	}
	return nil
}

// SaveRead implements app.Store.
func (s *Store) SaveRead(ctx context.Context, county string, began time.Time) error {
	err := s.db.Update(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO account_reading (county_code, read_time) VALUES ($1, $2)
			ON CONFLICT (county_code) DO UPDATE SET read_time = excluded.read_time WHERE account_reading.read_time < excluded.read_time`,
			county, began)
		return err
	})
	if err != nil {
		return fmt.Errorf("save reading of accounts: %w", err)
	}
	return nil
}

func readTime(ctx context.Context, tx *sqldb.Tx, county string) (at time.Time, err error) {
	err = tx.QueryRow(ctx, "SELECT read_time FROM account_reading WHERE county_code = $1", county).Scan(&at)
	if sqldb.NoRows(err) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("look up reading of accounts: %w", err)
	}
	return at, nil
}

// ReadTime implements app.Store.
func (s *Store) ReadTime(ctx context.Context, county string) (at time.Time, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		at, err = readTime(ctx, tx, county)
		return err
	})
	return at, err
}

// Counties implements app.Store.
func (s *Store) Counties(ctx context.Context) (counties []string, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, "SELECT county_code FROM account UNION SELECT county_code FROM account_reading ORDER BY 1")
		if err != nil {
			return err
		}
		counties, err = collect(rows, scanText)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list counties: %w", err)
	}
	return counties, nil
}

func scanText(row scanner) (s string, err error) {
	err = row.Scan(&s)
	return s, err
}

func (u *unit) ReadTime(ctx context.Context) (time.Time, error) { return readTime(ctx, u.tx, u.county) }

// resolved is an answer of Resolve: a delivery asks twice.
type resolved struct {
	accounts []string
	known    bool
}

func (u *unit) Resolve(ctx context.Context, r domain.Recipient) ([]string, bool, error) {
	key := fmt.Sprintf("%#v", r)
	if a, ok := u.resolved[key]; ok {
		return a.accounts, a.known, nil
	}
	accounts, known, err := u.resolve(ctx, r)
	if err == nil {
		u.resolved[key] = resolved{accounts, known}
	}
	return accounts, known, err
}

func (u *unit) resolve(ctx context.Context, r domain.Recipient) (accounts []string, known bool, err error) {
	if r.AccountID != "" {
		var organization string
		var disabled bool
		err := u.tx.QueryRow(ctx, "SELECT organization_id, disabled FROM account WHERE county_code = $1 AND id = $2", u.county, r.AccountID).
			Scan(&organization, &disabled)
		switch {
		case err == nil && organization == r.OrganizationID && !disabled:
			return []string{r.AccountID}, true, nil
		case err != nil && !sqldb.NoRows(err):
			return nil, false, fmt.Errorf("look up account: %w", err)
		}
		known = err == nil
	}
	if len(r.Roles) == 0 {
		return nil, true, nil // it means who is on duty, and nobody else
	}
	args := []any{u.county, r.OrganizationID, r.DepartmentCode, r.Anywhere}
	roles := make([]string, len(r.Roles))
	for i, role := range r.Roles {
		args = append(args, "%"+joinRoles([]string{role})+"%")
		roles[i] = fmt.Sprintf("roles LIKE $%d", len(args))
	}
	rows, err := u.tx.Query(ctx, `SELECT id FROM account WHERE county_code = $1 AND ($4 OR organization_id = $2)
		AND ($3 = '' OR department_code = $3) AND NOT disabled AND (`+strings.Join(roles, " OR ")+`) ORDER BY id`, args...)
	if err != nil {
		return nil, false, fmt.Errorf("find recipients: %w", err)
	}
	if accounts, err = collect(rows, scanText); err != nil {
		return nil, false, fmt.Errorf("find recipients: %w", err)
	}
	if len(accounts) > 0 && r.AccountID == "" {
		return accounts, true, nil
	}
	if r.AccountID == "" {
		known, err = u.knows(ctx, r)
	}
	return accounts, known, err
}

// knows tells whether there is an account where the recipient is looked for.
func (u *unit) knows(ctx context.Context, r domain.Recipient) (bool, error) {
	var n int
	err := u.tx.QueryRow(ctx, "SELECT count(*) FROM (SELECT 1 FROM account WHERE county_code = $1 AND ($3 OR organization_id = $2) LIMIT 1) AS one",
		u.county, r.OrganizationID, r.Anywhere).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look up organisation: %w", err)
	}
	return n == 1, nil
}
