package store

import (
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/directory/internal/events"
	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// This file is the one place where a change becomes rows, audit entries and facts.

// NameCounty implements app.Unit. An empty name makes the county and leaves its name.
func (u *unit) NameCounty(county, name string) {
	const insert = `INSERT INTO county (county_code, name, update_time) VALUES ($1, $2, $3)
		ON CONFLICT (county_code) DO `
	if name == "" {
		u.write(-1, insert+`NOTHING`, county, "", u.Now())
		return
	}
	u.write(-1, insert+`UPDATE SET name = excluded.name, update_time = excluded.update_time
		WHERE county.name <> excluded.name`, county, name, u.Now())
}

// CreateOrganization implements app.Unit.
func (u *unit) CreateOrganization(o domain.Organization) {
	d := o.Data()
	u.write(1, `INSERT INTO organization (county_code, id, version, code, name, name_en, type, address, phone, disabled,
		parent_id, create_time, update_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)`,
		d.County, d.ID, o.Version(), d.Code, d.Name, d.NameEn, string(d.Type), d.Address, d.Phone, d.Disabled,
		null(d.ParentID), u.Now())
	u.organizationChanged(o, "organization.create")
}

// UpdateOrganization implements app.Unit.
func (u *unit) UpdateOrganization(o domain.Organization) {
	d := o.Data()
	u.keepBefore(ofOrganization(o))
	u.write(1, `UPDATE organization SET version = $3, name = $4, name_en = $5, type = $6, address = $7, phone = $8,
		disabled = $9, parent_id = $10, update_time = $11 WHERE county_code = $1 AND id = $2 AND version = $3 - 1`,
		d.County, d.ID, o.Version(), d.Name, d.NameEn, string(d.Type), d.Address, d.Phone, d.Disabled,
		null(d.ParentID), u.Now())
	u.organizationChanged(o, "organization.update")
}

func (u *unit) organizationChanged(o domain.Organization, action string) {
	d := o.Data()
	u.keepVersion(ofOrganization(o))
	for _, dep := range o.Departments() {
		u.write(1, `INSERT INTO department (county_code, organization_id, code, name, name_en, location, phone, has_beds, disabled)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (county_code, organization_id, code) DO UPDATE SET name = excluded.name, name_en = excluded.name_en,
			location = excluded.location, phone = excluded.phone, has_beds = excluded.has_beds, disabled = excluded.disabled`,
			d.County, d.ID, dep.Code, dep.Name, dep.NameEn, dep.Location, dep.Phone, dep.HasBeds, dep.Disabled)
	}
	u.audit(action, "organization", d.ID)
	u.publish(events.OrganizationChanged(u.meta(d.ID, o.Version(), "org:"+d.ID), o))
}

// ImportFormulary implements app.Unit.
func (u *unit) ImportFormulary(organizationID string, items []domain.FormularyItem) {
	u.formularyChanged(organizationID, items)
	u.audit("formulary.import", "organization", organizationID)
}

// SaveMedicine implements app.Unit.
func (u *unit) SaveMedicine(item domain.FormularyItem, action string) {
	d := item.Data()
	u.formularyChanged(d.OrganizationID, []domain.FormularyItem{item})
	u.audit(action, "formulary_item", d.ID)
}

// itemsPerFact keeps facts far from what a message may hold.
const itemsPerFact = 200

func (u *unit) formularyChanged(organizationID string, items []domain.FormularyItem) {
	for _, item := range items {
		d := item.Data()
		u.keepBefore(ofMedicine(item))
		u.write(1, `INSERT INTO formulary_item (county_code, id, version, organization_id, name, specification, initials, atc,
			stock, orderable, restricted_class, removed, create_time, update_time, stock_time)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $13)
			ON CONFLICT (county_code, id) DO UPDATE SET version = excluded.version, atc = excluded.atc, stock = excluded.stock,
			orderable = excluded.orderable, restricted_class = excluded.restricted_class, removed = excluded.removed,
			update_time = excluded.update_time,
			stock_time = CASE WHEN formulary_item.stock = excluded.stock THEN formulary_item.stock_time ELSE excluded.stock_time END
			WHERE formulary_item.version = excluded.version - 1`,
			d.County, d.ID, item.Version(), d.OrganizationID, d.Name, d.Specification, initials(d.Name), d.ATC,
			string(d.Stock), d.Orderable, d.RestrictedClass, d.Removed, u.Now())
		u.keepVersion(ofMedicine(item))
	}
	for part := range slices.Chunk(items, itemsPerFact) {
		u.publish(events.FormularyChanged(u.meta(organizationID, 0, "org:"+organizationID), organizationID, part))
	}
}

// ReplaceCapabilities implements app.Unit.
func (u *unit) ReplaceCapabilities(c domain.Capabilities, action string) {
	u.keepBefore(ofCapabilities(c))
	u.write(1, `INSERT INTO capability_set (county_code, organization_id, version, update_time) VALUES ($1, $2, $3, $4)
		ON CONFLICT (county_code, organization_id) DO UPDATE SET version = excluded.version, update_time = excluded.update_time
		WHERE capability_set.version = excluded.version - 1`, c.County(), c.OrganizationID(), c.Version(), u.Now())
	u.write(-1, `DELETE FROM capability WHERE county_code = $1 AND organization_id = $2`, c.County(), c.OrganizationID())
	for _, one := range c.List() {
		u.write(1, `INSERT INTO capability (county_code, organization_id, code, note) VALUES ($1, $2, $3, $4)`,
			c.County(), c.OrganizationID(), one.Code, one.Note)
	}
	u.keepVersion(ofCapabilities(c))
	u.audit(action, "organization", c.OrganizationID())
	u.publish(events.CapabilitiesChanged(u.meta(c.OrganizationID(), c.Version(), "org:"+c.OrganizationID()), c))
}

// FailSignIn implements app.Unit. The entry about an unknown login names the hash of the login.
func (u *unit) FailSignIn(f app.Failure) {
	u.keepGuard(f.GuardKey, f.Guard)
	objectType, objectID := "login", f.GuardKey
	if f.Account != nil {
		objectType, objectID = "account", f.Account.Account.Data().ID
	}
	u.audit("sign_in.fail", objectType, objectID)
	if f.Locks {
		u.audit("sign_in.lock", objectType, objectID)
	}
}

// StartSession implements app.Unit.
func (u *unit) StartSession(s domain.Session, v app.AccountView, guardKey string) {
	t := s.Times()
	u.write(1, `INSERT INTO session (id, county_code, account_id, create_time, last_seen_time) VALUES ($1, $2, $3, $4, $5)`,
		s.ID(), s.County(), s.AccountID(), t.Created, t.LastSeen)
	if guardKey != "" {
		u.keepGuard(guardKey, domain.Guard{})
	}
	u.audit("sign_in", "account", v.Account.Data().ID)
}

// TouchSession implements app.Unit. It never takes back the end of a session or a later use of it.
func (u *unit) TouchSession(s domain.Session) {
	u.write(-1, `UPDATE session SET last_seen_time = $2 WHERE id = $1 AND last_seen_time < $2 AND end_time IS NULL`,
		s.ID(), s.Times().LastSeen)
}

// EndSession implements app.Unit.
func (u *unit) EndSession(s domain.Session) {
	u.write(1, `UPDATE session SET end_time = $2 WHERE id = $1 AND end_time IS NULL`, s.ID(), s.Times().Ended)
	u.audit("sign_out", "account", s.AccountID())
}

func (u *unit) keepGuard(key string, g domain.Guard) {
	u.write(1, `INSERT INTO sign_in_guard (guard_key, failures, failure_time, locked_until) VALUES ($1, $2, $3, $4)
		ON CONFLICT (guard_key) DO UPDATE SET failures = excluded.failures, failure_time = excluded.failure_time,
		locked_until = excluded.locked_until`, key, g.Failures(), nullTime(g.LastFailure()), nullTime(g.LockedUntil()))
}

func (u *unit) write(want int64, query string, args ...any) {
	u.stmts = append(u.stmts, sqldb.Stmt{SQL: query, Args: args, Want: want})
}

func (u *unit) audit(action, objectType, objectID string) {
	u.stmts = append(u.stmts, audit.Stmt(audit.Entry{
		County: u.by.County, AccountID: u.by.AccountID, OrganizationID: u.by.OrganizationID,
		Action: action, ObjectType: objectType, ObjectID: objectID,
	}, id.New(), u.Now()))
}

func (u *unit) publish(f outbox.Fact, err error) {
	if err != nil {
		u.failure = err
		return
	}
	u.facts = append(u.facts, f)
}

func joinRoles(roles []domain.Role) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = string(r)
	}
	return strings.Join(words, " ")
}

func splitRoles(s string) []domain.Role {
	var roles []domain.Role
	for _, word := range strings.Fields(s) {
		roles = append(roles, domain.Role(word))
	}
	return roles
}

func null(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

func nullTime(t time.Time) sql.NullTime { return sql.NullTime{Time: t, Valid: !t.IsZero()} }
