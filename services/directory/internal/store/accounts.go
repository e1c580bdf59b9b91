package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/directory/internal/events"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// CreateAccount implements app.Unit.
func (u *unit) CreateAccount(v app.AccountView, c app.Credential) {
	d := v.Account.Data()
	u.write(1, `INSERT INTO account (county_code, id, version, login, name, organization_id, department_code, roles, phone,
		disabled, practitioner_id, email, create_time, update_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)`,
		d.County, d.ID, v.Account.Version(), d.Login, d.Name, d.OrganizationID, d.DepartmentCode, joinRoles(d.Roles), d.Phone,
		d.Disabled, d.PractitionerID, d.Email, u.Now())
	if c.Hash != "" {
		u.keepCredential(d, c)
	}
	u.accountChanged(v, "account.create")
}

// UpdateAccount implements app.Unit.
func (u *unit) UpdateAccount(v app.AccountView, action string) {
	d := v.Account.Data()
	u.write(1, `UPDATE account SET version = $3, name = $4, organization_id = $5, department_code = $6, roles = $7,
		phone = $8, disabled = $9, practitioner_id = $10, email = $11, update_time = $12
		WHERE county_code = $1 AND id = $2 AND version = $3 - 1`,
		d.County, d.ID, v.Account.Version(), d.Name, d.OrganizationID, d.DepartmentCode, joinRoles(d.Roles),
		d.Phone, d.Disabled, d.PractitionerID, d.Email, u.Now())
	if d.Disabled {
		u.endSessions(d, "")
	}
	u.accountChanged(v, action)
}

// SetPassword implements app.Unit.
func (u *unit) SetPassword(v app.AccountView, c app.Credential, but, action string) {
	d := v.Account.Data()
	u.write(1, `UPDATE account SET version = $3, update_time = $4 WHERE county_code = $1 AND id = $2 AND version = $3 - 1`,
		d.County, d.ID, v.Account.Version(), u.Now())
	u.keepCredential(d, c)
	u.endSessions(d, but)
	u.accountChanged(v, action)
}

func (u *unit) keepCredential(d domain.AccountData, c app.Credential) {
	u.write(1, `INSERT INTO credential (county_code, account_id, password_hash, one_time, update_time) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (county_code, account_id) DO UPDATE SET password_hash = excluded.password_hash, one_time = excluded.one_time,
		update_time = excluded.update_time`, d.County, d.ID, c.Hash, c.OneTime, u.Now())
}

func (u *unit) endSessions(d domain.AccountData, but string) {
	u.write(-1, `UPDATE session SET end_time = $4 WHERE county_code = $1 AND account_id = $2 AND id <> $3 AND end_time IS NULL`, d.County, d.ID, but, u.Now())
}

// ForgetFailures implements app.Unit.
func (u *unit) ForgetFailures(guardKey string) { u.keepGuard(guardKey, domain.Guard{}) }

// accountChanged keeps what the account says now beside who made it so: the one place that writes history, audit and fact.
func (u *unit) accountChanged(v app.AccountView, action string) {
	d := v.Account.Data()
	u.write(1, `INSERT INTO account_change (county_code, account_id, version, action, name, organization_id, department_code, roles, phone, email,
		disabled, by_account_id, change_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		d.County, d.ID, v.Account.Version(), action, d.Name, d.OrganizationID, d.DepartmentCode, joinRoles(d.Roles), d.Phone, d.Email, d.Disabled,
		u.by.AccountID, u.Now())
	u.audit(action, "account", d.ID)
	u.publish(events.AccountChanged(
		u.meta(d.ID, v.Account.Version(), "org:"+d.OrganizationID, "account:"+d.ID), v.Account, v.OrganizationName))
}

// Account implements app.Unit.
func (u *unit) Account(ctx context.Context, county, id string) (app.AccountView, error) {
	var c accountColumns
	err := u.tx.QueryRow(ctx, selectAccount+` `+fromAccount+` WHERE a.county_code = $1 AND a.id = $2`+u.forUpdateOfAccount(), county, id).
		Scan(append(c.targets(), &c.organizationName)...)
	return c.found(err)
}

// Credential implements app.Unit. It is not read with the account: what a lock waited for is seen by the next statement alone.
func (u *unit) Credential(ctx context.Context, county, accountID string) (c app.Credential, err error) {
	err = u.tx.QueryRow(ctx, `SELECT password_hash, one_time FROM credential WHERE county_code = $1 AND account_id = $2`, county, accountID).
		Scan(&c.Hash, &c.OneTime)
	if err != nil && !sqldb.NoRows(err) {
		return app.Credential{}, fmt.Errorf("load credential: %w", err)
	}
	return c, nil
}

// forUpdateOfAccount locks the account and not its organisation, which others lock before their accounts.
func (u *unit) forUpdateOfAccount() string {
	if lock := u.tx.ForUpdate(); lock != "" {
		return lock + " OF a"
	}
	return ""
}

func (c *accountColumns) found(err error) (app.AccountView, error) {
	switch {
	case sqldb.NoRows(err):
		return app.AccountView{}, errs.NotFound("account")
	case err != nil:
		return app.AccountView{}, fmt.Errorf("load account: %w", err)
	}
	return c.view(), nil
}

// Administrators implements app.Unit.
func (u *unit) Administrators(ctx context.Context, county string) (domain.Administrators, error) {
	out := domain.Administrators{}
	err := each(ctx, u.tx, func(rows *sql.Rows) error {
		var id, roles string
		err := rows.Scan(&id, &roles)
		for _, held := range splitRoles(roles) {
			for _, role := range domain.AdministratorRoles() {
				if held == role {
					out[role] = append(out[role], id)
				}
			}
		}
		return err
	}, `SELECT id, roles FROM account WHERE county_code = $1 AND NOT disabled AND (`+holds("roles", "$2")+` OR `+holds("roles", "$3")+`) ORDER BY id`+u.tx.ForUpdate(),
		county, string(domain.CountyAdmin), string(domain.SystemAdmin))
	if err != nil {
		return nil, fmt.Errorf("load administrators: %w", err)
	}
	return out, nil
}

// holds is the condition that a column of roles has the role in a place.
func holds(column, place string) string {
	return `' ' || ` + column + ` || ' ' LIKE '% ' || ` + place + ` || ' %'`
}

// AccountByLogin implements app.Store.
func (s *Store) AccountByLogin(ctx context.Context, county, login string) (v app.AccountView, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		var c accountColumns
		v, err = c.found(tx.QueryRow(ctx, selectAccount+` `+fromAccount+` WHERE a.county_code = $1 AND a.login = $2`, county, login).
			Scan(append(c.targets(), &c.organizationName)...))
		return err
	})
	return v, err
}

const (
	selectKept = selectAccount + `, c.account_id IS NULL OR c.one_time, c.update_time `
	fromKept   = fromAccount + ` LEFT JOIN credential c ON c.county_code = a.county_code AND c.account_id = a.id`
)

// keptColumns are those of selectKept.
type keptColumns struct {
	accountColumns
	fresh bool
	set   sql.NullTime
}

func (c *keptColumns) targets() []any {
	return append(c.accountColumns.targets(), &c.organizationName, &c.fresh, &c.set)
}

func (c *keptColumns) kept() app.KeptAccount {
	k := app.KeptAccount{AccountView: c.view(), New: c.fresh}
	if c.fresh && c.set.Valid {
		k.Issued = c.set.Time.UTC()
	}
	return k
}

// KeptAccount implements app.Store.
func (s *Store) KeptAccount(ctx context.Context, county, id string) (k app.KeptAccount, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		var c keptColumns
		_, err = c.found(tx.QueryRow(ctx, selectKept+fromKept+` WHERE a.county_code = $1 AND a.id = $2`, county, id).Scan(c.targets()...))
		k = c.kept()
		return err
	})
	return k, err
}

// FindAccounts implements app.Store. A Limit of 0 is no limit.
func (s *Store) FindAccounts(ctx context.Context, q app.AccountSearch) (out []app.KeptAccount, err error) {
	text := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(q.Text))
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		out = nil
		return each(ctx, tx, func(rows *sql.Rows) error {
			var c keptColumns
			err := rows.Scan(c.targets()...)
			out = append(out, c.kept())
			return err
		}, selectKept+fromKept+` WHERE a.county_code = $1 AND a.login > $2 AND ($3 = '' OR a.organization_id = $3)
			AND ($4 = '' OR a.login LIKE $4 || '%' ESCAPE '\' OR lower(a.name) LIKE '%' || $4 || '%' ESCAPE '\')
			AND ($5 = '' OR `+holds("a.roles", "$5")+`)
			AND ($6 = '' OR $6 = CASE WHEN a.disabled THEN 'DISABLED' WHEN c.account_id IS NULL OR c.one_time THEN 'NEW' ELSE 'ACTIVE' END)
			ORDER BY a.login LIMIT $7`,
			q.County, q.After.Key, q.OrganizationID, text, string(q.Role), string(q.State), limit(q.Limit))
	})
	if err != nil {
		return nil, fmt.Errorf("find accounts: %w", err)
	}
	return out, nil
}

// AccountChanges implements app.Store.
func (s *Store) AccountChanges(ctx context.Context, county, id string, most int) (out []app.AccountChange, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		out = nil
		return each(ctx, tx, func(rows *sql.Rows) error {
			var c accountColumns
			var one app.AccountChange
			var organization, by sql.NullString
			d := &c.data
			err := rows.Scan(&c.version, &d.Login, &d.Name, &d.OrganizationID, &d.DepartmentCode, &c.roles, &d.Phone, &d.Email, &d.Disabled,
				&organization, &one.Action, &one.By, &by, &one.Time)
			d.County, d.ID, c.organizationName = county, id, organization.String
			one.AccountView, one.ByName, one.Time = c.view(), by.String, one.Time.UTC()
			out = append(out, one)
			return err
		}, `SELECT h.version, a.login, h.name, h.organization_id, h.department_code, h.roles, h.phone, h.email, h.disabled, o.name, h.action,
			h.by_account_id, b.name, h.change_time
			FROM account_change h JOIN account a ON a.county_code = h.county_code AND a.id = h.account_id
			LEFT JOIN organization o ON o.county_code = h.county_code AND o.id = h.organization_id
			LEFT JOIN account b ON b.county_code = h.county_code AND b.id = h.by_account_id
			WHERE h.county_code = $1 AND h.account_id = $2 ORDER BY h.version DESC LIMIT $3`, county, id, most)
	})
	if err != nil {
		return nil, fmt.Errorf("load changes of account: %w", err)
	}
	return out, nil
}

// PostsOf implements app.Store.
func (s *Store) PostsOf(ctx context.Context, county, accountID string, since time.Time) (out []domain.Post, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		out = nil
		return each(ctx, tx, func(rows *sql.Rows) error {
			p := domain.Post{County: county}
			err := rows.Scan(&p.OrganizationID, &p.Department)
			out = append(out, p)
			return err
		}, `SELECT organization_id, department_code FROM roster_shift WHERE county_code = $1 AND account_id = $2
			UNION SELECT organization_id, department_code FROM hand_over
			WHERE county_code = $1 AND to_account_id = $2 AND end_time > $3 AND start_time < end_time ORDER BY 1, 2`, county, accountID, since)
	})
	if err != nil {
		return nil, fmt.Errorf("load posts of account: %w", err)
	}
	return out, nil
}
