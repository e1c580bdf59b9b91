package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// versionKey names a version of a subject.
type versionKey struct {
	county  string
	subject app.Subject
	id      string
	version int32
}

// said is what a subject says in a version; the one of the three that it is of.
type said struct {
	key          versionKey
	Organization *domain.OrganizationData `json:"organization,omitempty"`
	Departments  []domain.Department      `json:"departments,omitempty"`
	Capabilities []domain.Capability      `json:"capabilities,omitempty"`
	Medicine     *domain.FormularyData    `json:"medicine,omitempty"`
}

func ofOrganization(o domain.Organization) said {
	d := o.Data()
	return said{key: versionKey{d.County, app.SubjectPlace, d.ID, o.Version()}, Organization: &d, Departments: o.Departments()}
}

func ofCapabilities(c domain.Capabilities) said {
	return said{key: versionKey{c.County(), app.SubjectAbilities, c.OrganizationID(), c.Version()}, Capabilities: c.List()}
}

func ofMedicine(f domain.FormularyItem) said {
	d := f.Data()
	return said{key: versionKey{d.County, app.SubjectMedicine, d.ID, f.Version()}, Medicine: &d}
}

// table is that of a subject, with the column of the id.
func table(s app.Subject) (name, id string) {
	switch s {
	case app.SubjectAbilities:
		return "capability_set", "organization_id"
	case app.SubjectMedicine:
		return "formulary_item", "id"
	}
	return "organization", "id"
}

func (u *unit) body(s said) string {
	text, err := json.Marshal(s)
	if err != nil {
		u.failure = fmt.Errorf("encode a version of %s: %w", s.key.subject, err)
	}
	return string(text)
}

// remember keeps what a subject said as it was read.
func (u *unit) remember(s said) { u.before[s.key] = u.body(s) }

// keepBefore keeps the version before a change, if no version of the subject was kept yet. It goes before the change itself.
func (u *unit) keepBefore(next said) {
	k := next.key
	k.version--
	body, ok := u.before[k]
	if !ok {
		return
	}
	name, id := table(k.subject)
	u.write(-1, `INSERT INTO place_version (county_code, subject, subject_id, version, body, account_id, change_time)
		SELECT $1, $2, $3, $4, $5, '', update_time FROM `+name+` WHERE county_code = $1 AND `+id+` = $3 ON CONFLICT DO NOTHING`,
		k.county, string(k.subject), k.id, k.version, body)
}

// keepVersion keeps what a subject says from now on.
func (u *unit) keepVersion(s said) {
	u.write(1, `INSERT INTO place_version (county_code, subject, subject_id, version, body, account_id, change_time)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		s.key.county, string(s.key.subject), s.key.id, s.key.version, u.body(s), u.by.AccountID, u.Now())
}

// PlaceVersions implements app.Store. A limit of 0 is none.
func (s *Store) PlaceVersions(ctx context.Context, county string, subject app.Subject, id string, most int) (out []app.PlaceVersion, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		out = nil
		return each(ctx, tx, func(rows *sql.Rows) error {
			var v app.PlaceVersion
			var body string
			if err := rows.Scan(&v.Version, &body, &v.At, &v.AccountName); err != nil {
				return err
			}
			var b said
			if err := json.Unmarshal([]byte(body), &b); err != nil {
				return fmt.Errorf("decode version %d of %s %s: %w", v.Version, subject, id, err)
			}
			v.At = v.At.UTC()
			switch {
			case b.Organization != nil:
				v.Organization = domain.RestoreOrganization(*b.Organization, b.Departments, v.Version)
			case b.Medicine != nil:
				v.Medicine = domain.RestoreFormularyItem(*b.Medicine, v.Version)
			default:
				v.Capabilities = domain.RestoreCapabilities(county, id, b.Capabilities, v.Version)
			}
			out = append(out, v)
			return nil
		}, `SELECT v.version, v.body, v.change_time, COALESCE(a.name, '') FROM place_version v
			LEFT JOIN account a ON a.county_code = v.county_code AND a.id = v.account_id
			WHERE v.county_code = $1 AND v.subject = $2 AND v.subject_id = $3 ORDER BY v.version DESC LIMIT $4`,
			county, string(subject), id, limit(most))
	})
	if err != nil {
		return nil, fmt.Errorf("load versions: %w", err)
	}
	return out, nil
}
