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

func splitRoles(text string) []string { return strings.Split(strings.Trim(text, "|"), "|") }

// SaveAccounts implements app.Store.
func (s *Store) SaveAccounts(ctx context.Context, cmd app.Command, accounts []domain.Account) error {
	err := s.db.Update(ctx, func(tx *sqldb.Tx) error {
		if already, err := seen(ctx, tx, cmd); err != nil || already {
			return err
		}
		stmts := make([]sqldb.Stmt, len(accounts))
		for i, a := range accounts {
			reach := a.Addresses()
			place := cmd.Caller.County + "/" + a.ID
			phone, err := s.ring.Seal("account", "phone", place, []byte(reach[domain.SMS]))
			if err != nil {
				return fmt.Errorf("seal telephone of %s: %w", a, err)
			}
			email, err := s.ring.Seal("account", "email", place, []byte(reach[domain.Email]))
			if err != nil {
				return fmt.Errorf("seal e-mail of %s: %w", a, err)
			}
			stmts[i] = sqldb.Stmt{
				// The same version again is written again: names and addresses came later than the table, and a release that does not know them may have
				// written the version without.
				SQL: `INSERT INTO account (county_code, id, version, organization_id, department_code, roles, disabled, name,
					phone, phone_masked, email, email_masked, addresses_read)
					VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, true)
					ON CONFLICT (county_code, id) DO UPDATE SET version = excluded.version, organization_id = excluded.organization_id,
					department_code = excluded.department_code, roles = excluded.roles, disabled = excluded.disabled, name = excluded.name,
					phone = excluded.phone, phone_masked = excluded.phone_masked, email = excluded.email, email_masked = excluded.email_masked, addresses_read = true
					WHERE account.version <= excluded.version`,
				Args: []any{
					cmd.Caller.County, a.ID, a.Version, a.OrganizationID, a.DepartmentCode, joinRoles(a.Roles), a.Disabled, a.Name,
					phone, maskedOrNone(domain.SMS, reach[domain.SMS]), email, maskedOrNone(domain.Email, reach[domain.Email]),
				},
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

func maskedOrNone(channel, value string) string {
	if value == "" {
		return ""
	}
	return domain.Masked(channel, value)
}

// Contacts implements app.AlarmStore.
func (s *Store) Contacts(ctx context.Context, county string, ids []string) (out map[string]app.Contact, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		out = map[string]app.Contact{}
		if len(ids) == 0 {
			return nil
		}
		wants, err := readPreferences(ctx, tx, county, ids)
		if err != nil {
			return err
		}
		frag, arg := tx.List("account_id", 2, ids)
		rows, err := tx.Query(ctx, "SELECT account_id, channel FROM address WHERE county_code = $1 AND "+frag, county, arg)
		if err != nil {
			return err
		}
		own, err := collect(rows, func(row scanner) (a [2]string, err error) { return a, row.Scan(&a[0], &a[1]) })
		if err != nil {
			return err
		}
		frag, arg = tx.List("id", 2, ids)
		rows, err = tx.Query(ctx, "SELECT id, name, organization_id, disabled, phone_masked, email_masked FROM account WHERE county_code = $1 AND "+frag, county, arg)
		if err != nil {
			return err
		}
		_, err = collect(rows, func(row scanner) (c app.Contact, err error) {
			var phone, email string
			err = row.Scan(&c.AccountID, &c.Name, &c.OrganizationID, &c.Disabled, &phone, &email)
			if phone != "" {
				c.Channels = append(c.Channels, domain.SMS)
			}
			if email != "" {
				c.Channels = append(c.Channels, domain.Email)
			}
			for _, a := range own {
				if a[0] == c.AccountID {
					c.Channels = append(c.Channels, a[1])
				}
			}
			c.Wants = wants[c.AccountID]
			out[c.AccountID] = c
			return c, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load contacts: %w", err)
	}
	return out, nil
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
