package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// exportContent is what of a row of the ledger is sealed. Fields are only added: old rows stay readable.
type exportContent struct {
	AccountName   string    `json:"accountName,omitempty"`
	AskedBy       string    `json:"askedBy,omitempty"`
	Name          string    `json:"name,omitempty"`
	Relation      string    `json:"relation,omitempty"`
	IdentityCheck string    `json:"identityCheck,omitempty"`
	Purpose       string    `json:"purpose,omitempty"`
	Note          string    `json:"note,omitempty"`
	Sensitive     bool      `json:"sensitive,omitempty"`
	From          time.Time `json:"from,omitzero"`
	To            time.Time `json:"to,omitzero"`
}

// Exports implements app.ExportStore.
func (s *Store) Exports(ctx context.Context, county string, in app.ExportQuery) (out []domain.Export, err error) {
	err = s.read(ctx, county, func(c scope) error {
		q := query{args: []any{county}}
		where := []string{"x.county_code = $1"}
		if in.PatientID != "" {
			where = append(where, c.kin("x.patient_id", q.arg(in.PatientID)))
		}
		for _, pair := range [][2]string{{"x.account_id", in.Account}, {"x.organization_id", in.Organization}, {"x.kind", in.Kind}} {
			if pair[1] != "" {
				where = append(where, pair[0]+" = "+q.arg(pair[1]))
			}
		}
		if !in.From.IsZero() {
			where = append(where, "x.create_time >= "+q.arg(in.From))
		}
		if !in.To.IsZero() {
			where = append(where, "x.create_time < "+q.arg(in.To))
		}
		if in.After != (app.Cursor{}) {
			t, id := q.arg(in.After.Time), q.arg(in.After.ID)
			where = append(where, "(x.create_time < "+t+" OR x.create_time = "+t+" AND x.id < "+id+")")
		}
		out, err = c.exports(ctx, strings.Join(where, " AND ")+" ORDER BY x.create_time DESC, x.id DESC LIMIT "+q.arg(in.Limit), q.args...)
		return err
	})
	return out, err
}

func (c scope) exports(ctx context.Context, where string, args ...any) (out []domain.Export, err error) {
	rows, err := c.tx.Query(ctx, `SELECT x.id, x.kind, x.form, x.patient_id, x.home_organization_id, x.account_id, x.organization_id, x.entries, x.digest,
		x.content, x.create_time FROM export_ledger x WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("load the export ledger: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var e domain.Export
		var digest, sealed []byte
		if err := rows.Scan(&e.ID, &e.Kind, &e.Form, &e.PatientID, &e.Home, &e.By.Account, &e.By.Organization, &e.Entries, &digest, &sealed, &e.By.At); err != nil {
			return nil, fmt.Errorf("load the export ledger: %w", err)
		}
		var j exportContent
		if err := c.open("export_ledger", "content", e.ID, sealed, &j); err != nil {
			return nil, fmt.Errorf("load the export ledger: %w", err)
		}
		copy(e.Digest[:], digest)
		e.By.At, e.By.AccountName = e.By.At.UTC(), j.AccountName
		e.Statement = domain.CopyStatement{
			AskedBy: j.AskedBy, Name: j.Name, Relation: j.Relation, IdentityCheck: j.IdentityCheck, Purpose: j.Purpose, Note: j.Note,
			Sensitive: j.Sensitive, From: j.From, To: j.To,
		}
		if j.AskedBy != "" {
			e.Statement.Form = e.Form
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// PutExport implements app.ExportUnit.
func (u *unit) PutExport(e domain.Export) { u.exported = append(u.exported, e) }

// export writes a row of the ledger with its audit entry.
func (d *derived) export(e domain.Export) {
	u, st := d.u, e.Statement
	sealed, err := u.seal("export_ledger", "content", e.ID, exportContent{
		AccountName: e.By.AccountName, AskedBy: st.AskedBy, Name: st.Name, Relation: st.Relation, IdentityCheck: st.IdentityCheck, Purpose: st.Purpose,
		Note: st.Note, Sensitive: st.Sensitive, From: st.From, To: st.To,
	})
	d.fail(err)
	d.write(1, `INSERT INTO export_ledger (county_code, id, kind, form, patient_id, home_organization_id, account_id, organization_id, entries, digest,
		content, create_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		u.county, e.ID, e.Kind, e.Form, e.PatientID, e.Home, e.By.Account, e.By.Organization, e.Entries, e.Digest[:], sealed, e.By.At)
	d.audit("export.record", "export", e.ID, e.PatientID, e.Kind+" "+e.Form)
}
