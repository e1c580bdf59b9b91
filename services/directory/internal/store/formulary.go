package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/mozillazg/go-pinyin"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// Formulary implements app.Store. A Limit of 0 is no limit. Within an organisation name and specification are unique,
// and an item keeps them: its id says where a page goes on.
func (s *Store) Formulary(ctx context.Context, q app.FormularyQuery) (out []domain.FormularyItem, err error) {
	const matching = ` AND (lower(name) LIKE $3 ESCAPE '\' OR initials LIKE $3 ESCAPE '\' OR atc LIKE $4 ESCAPE '\') `
	rest := ` WHERE ($1 = '' OR county_code = $1) AND ($2 = '' OR organization_id = $2)` + matching + `AND (county_code, id) > ($5, $6)
		ORDER BY county_code, id LIMIT $7`
	if q.OrganizationID != "" {
		rest = ` WHERE county_code = $1 AND organization_id = $2 AND NOT removed` + matching + `AND ($6 = '' OR
			(name, specification) > (SELECT name, specification FROM formulary_item WHERE county_code = $5 AND id = $6))
			ORDER BY name, specification LIMIT $7`
	}
	anywhere, first := patterns(q.Text)
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		var err error
		out, err = readFormulary(ctx, tx, rest, q.County, q.OrganizationID, anywhere, first, q.After.County, q.After.Key, limit(q.Limit))
		return err
	})
	return out, err
}

// patterns are what a name or its initials hold anywhere, and what a class begins with.
func patterns(text string) (anywhere, first string) {
	text = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.TrimSpace(text))
	return "%" + strings.ToLower(text) + "%", strings.ToUpper(text) + "%"
}

// FormularyItems implements app.Unit.
func (u *unit) FormularyItems(ctx context.Context, county string, ids []string) (map[string]domain.FormularyItem, error) {
	frag, arg := u.tx.List("id", 2, ids)
	rows, err := readFormulary(ctx, u.tx, ` WHERE county_code = $1 AND `+frag+` ORDER BY id`+u.tx.ForUpdate(), county, arg)
	if err != nil {
		return nil, err
	}
	out := make(map[string]domain.FormularyItem, len(rows))
	for _, item := range rows {
		u.remember(ofMedicine(item))
		out[item.Data().ID] = item
	}
	return out, nil
}

// readFormulary reads items: rest is everything from WHERE on.
func readFormulary(ctx context.Context, tx *sqldb.Tx, rest string, args ...any) ([]domain.FormularyItem, error) {
	var out []domain.FormularyItem
	err := each(ctx, tx, func(rows *sql.Rows) error {
		var d domain.FormularyData
		var version int32
		err := rows.Scan(&d.County, &d.ID, &version, &d.OrganizationID, &d.Name, &d.Specification, &d.ATC, &d.Stock,
			&d.Orderable, &d.RestrictedClass, &d.Removed)
		out = append(out, domain.RestoreFormularyItem(d, version))
		return err
	}, `SELECT county_code, id, version, organization_id, name, specification, atc, stock, orderable, restricted_class,
		removed FROM formulary_item`+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("load formulary: %w", err)
	}
	return out, nil
}

// initials are what people type for a medicine: the first letter of each character's first reading; Latin letters and
// digits stay, in small letters; everything else is left out.
func initials(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
			continue
		}
		for _, letter := range pinyin.SinglePinyin(r, pinyin.Args{Style: pinyin.FirstLetter}) {
			b.WriteString(letter)
		}
	}
	return b.String()
}

// Capabilities implements app.Store.
func (s *Store) Capabilities(ctx context.Context, q app.CapabilityQuery) (out []domain.Capabilities, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		var err error
		out, err = readCapabilities(ctx, tx, ` WHERE ($1 = '' OR s.county_code = $1) AND ($2 = '' OR s.organization_id = $2)`,
			q.County, q.OrganizationID)
		return err
	})
	return out, err
}

// Capabilities implements app.Unit. The organisations are locked by whoever imports; what they can do is read without.
func (u *unit) Capabilities(ctx context.Context, county string, organizationIDs []string) (map[string]domain.Capabilities, error) {
	out := make(map[string]domain.Capabilities, len(organizationIDs))
	for _, id := range organizationIDs {
		out[id] = domain.RestoreCapabilities(county, id, nil, 0)
	}
	frag, arg := u.tx.List("s.organization_id", 2, organizationIDs)
	rows, err := readCapabilities(ctx, u.tx, ` WHERE s.county_code = $1 AND `+frag, county, arg)
	if err != nil {
		return nil, err
	}
	for _, c := range rows {
		u.remember(ofCapabilities(c))
		out[c.OrganizationID()] = c
	}
	return out, nil
}

// readCapabilities reads whole sets: where is the condition on capability_set s.
func readCapabilities(ctx context.Context, tx *sqldb.Tx, where string, args ...any) ([]domain.Capabilities, error) {
	type set struct {
		county, organization string
		version              int32
		list                 []domain.Capability
	}
	var found []set
	err := each(ctx, tx, func(rows *sql.Rows) error {
		var s set
		var code, note sql.NullString
		err := rows.Scan(&s.county, &s.organization, &s.version, &code, &note)
		if n := len(found); n == 0 || found[n-1].county != s.county || found[n-1].organization != s.organization {
			found = append(found, s)
		}
		if code.Valid {
			last := &found[len(found)-1]
			last.list = append(last.list, domain.Capability{Code: code.String, Note: note.String})
		}
		return err
	}, `SELECT s.county_code, s.organization_id, s.version, c.code, c.note FROM capability_set s
		LEFT JOIN capability c ON c.county_code = s.county_code AND c.organization_id = s.organization_id`+where+`
		ORDER BY s.county_code, s.organization_id`, args...)
	if err != nil {
		return nil, fmt.Errorf("load capabilities: %w", err)
	}
	out := make([]domain.Capabilities, len(found))
	for i, s := range found {
		out[i] = domain.RestoreCapabilities(s.county, s.organization, s.list, s.version)
	}
	return out, nil
}
