package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// glassContent is what of a use is sealed.
type glassContent struct {
	AccountName string       `json:"accountName,omitempty"`
	Note        string       `json:"note,omitempty"`
	Reviews     []reviewJSON `json:"reviews,omitempty"`
}

type reviewJSON struct {
	Verdict      string    `json:"verdict"`
	Note         string    `json:"note,omitempty"`
	Account      string    `json:"account"`
	AccountName  string    `json:"accountName,omitempty"`
	Organization string    `json:"organization,omitempty"`
	Time         time.Time `json:"time"`
}

const glassColumns = `g.id, g.version, g.patient_id, g.account_id, g.organization_id, g.home_organization_id, g.way, g.reason, g.content,
	g.from_time, g.to_time`

func (c scope) scanGlass(scan func(...any) error) (domain.Glass, error) {
	var g domain.Glass
	var sealed []byte
	err := scan(&g.ID, &g.Version, &g.PatientID, &g.Account, &g.Organization, &g.Home, &g.Way, &g.Reason, &sealed, &g.From, &g.To)
	if err != nil {
		return g, err
	}
	g.From, g.To = g.From.UTC(), g.To.UTC()
	var content glassContent
	if err := c.open("glass", "content", versioned(g.ID, g.Version), sealed, &content); err != nil {
		return g, err
	}
	g.AccountName, g.Note = content.AccountName, content.Note
	for _, r := range content.Reviews {
		g.Reviews = append(g.Reviews, domain.Review{
			Verdict: domain.GlassVerdict(r.Verdict), Note: r.Note, Account: r.Account, AccountName: r.AccountName, Organization: r.Organization, Time: r.Time,
		})
	}
	return g, nil
}

// Glasses implements app.AccessStore.
func (s *Store) Glasses(ctx context.Context, county string, q app.GlassQuery) (out []domain.Glass, err error) {
	err = s.read(ctx, county, func(c scope) error {
		out, err = c.glasses(ctx, q)
		return err
	})
	return out, err
}

func (c scope) glasses(ctx context.Context, in app.GlassQuery) (out []domain.Glass, err error) {
	q := query{args: []any{c.county}}
	where := []string{"g.county_code = $1"}
	if in.PatientID != "" {
		// Also of a record that was merged into the patient's: a glass that was broken stays broken.
		where = append(where, c.kin("g.patient_id", q.arg(in.PatientID)))
	}
	for column, value := range map[string]string{"g.account_id": in.Account, "g.home_organization_id": in.Home} {
		if value != "" {
			where = append(where, column+" = "+q.arg(value))
		}
	}
	if in.Open {
		where = append(where, "g.is_open")
	}
	if in.After != (app.Cursor{}) {
		t, id := q.arg(in.After.Time), q.arg(in.After.ID)
		where = append(where, "(g.from_time < "+t+" OR g.from_time = "+t+" AND g.id < "+id+")")
	}
	q.text = "SELECT " + glassColumns + " FROM glass g WHERE " + strings.Join(where, " AND ") + " ORDER BY g.from_time DESC, g.id DESC LIMIT " + q.arg(in.Limit)
	rows, err := c.tx.Query(ctx, q.text, q.args...)
	if err != nil {
		return nil, fmt.Errorf("load glasses: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		g, err := c.scanGlass(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("load glasses: %w", err)
		}
		out = append(out, g)
	}
	return out, rows.Err()
}

// Glass implements app.AccessStore.
func (s *Store) Glass(ctx context.Context, county, id string) (g domain.Glass, err error) {
	err = s.read(ctx, county, func(c scope) error {
		g, err = c.glass(ctx, id, "")
		return err
	})
	return g, err
}

func (c scope) glass(ctx context.Context, id, lock string) (domain.Glass, error) {
	g, err := c.scanGlass(c.tx.QueryRow(ctx, "SELECT "+glassColumns+" FROM glass g WHERE g.county_code = $1 AND g.id = $2"+lock, c.county, id).Scan)
	if sqldb.NoRows(err) {
		return g, errs.NotFound("glass")
	}
	if err != nil {
		return g, fmt.Errorf("load glass %s: %w", id, err)
	}
	return g, nil
}

// Glass implements app.AccessUnit.
func (u *unit) Glass(ctx context.Context, id string) (domain.Glass, error) {
	return u.glass(ctx, id, u.tx.ForUpdate())
}

// PutGlass implements app.AccessUnit.
func (u *unit) PutGlass(g domain.Glass) { u.access.glasses = append(u.access.glasses, g) }

// readsShown bounds how much of the audit is shown of one use.
const readsShown = 500

// GlassReads implements app.AccessStore.
func (s *Store) GlassReads(ctx context.Context, county string, g domain.Glass) (out []domain.GlassRead, err error) {
	err = s.read(ctx, county, func(c scope) error {
		rows, err := c.tx.Query(ctx, `SELECT action, object_type, entry_time FROM audit_entry
			WHERE county_code = $1 AND `+c.kin("patient_id", "$2")+` AND account_id = $3 AND entry_time >= $4 AND entry_time < $5 ORDER BY entry_time, id LIMIT $6`,
			county, g.PatientID, g.Account, g.From, g.To, readsShown)
		if err != nil {
			return fmt.Errorf("load reads of glass %s: %w", g.ID, err)
		}
		defer rows.Close()
		for rows.Next() {
			var r domain.GlassRead
			if err := rows.Scan(&r.Action, &r.ObjectType, &r.Time); err != nil {
				return fmt.Errorf("load reads of glass %s: %w", g.ID, err)
			}
			r.Time = r.Time.UTC()
			out = append(out, r)
		}
		return rows.Err()
	})
	return out, err
}

// glass writes a new use, or the next version of one, with its audit entry; a new one is published.
func (d *derived) glass(g domain.Glass) {
	u := d.u
	content := glassContent{AccountName: g.AccountName, Note: g.Note}
	for _, r := range g.Reviews {
		content.Reviews = append(content.Reviews, reviewJSON{
			Verdict: string(r.Verdict), Note: r.Note, Account: r.Account, AccountName: r.AccountName, Organization: r.Organization, Time: r.Time,
		})
	}
	sealed, err := u.seal("glass", "content", versioned(g.ID, g.Version), content)
	d.fail(err)
	if g.Version > 1 {
		d.write(1, `UPDATE glass SET version = $3, is_open = $4, content = $5 WHERE county_code = $1 AND id = $2 AND version = $3 - 1`,
			u.county, g.ID, g.Version, g.Open(), sealed)
		d.audit("glass.review", "glass", g.ID, g.PatientID, string(g.Verdict()))
		return
	}
	d.write(1, `INSERT INTO glass (county_code, id, version, patient_id, account_id, organization_id, home_organization_id, way, reason, is_open, content,
		from_time, to_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		u.county, g.ID, g.Version, g.PatientID, g.Account, g.Organization, g.Home, string(g.Way), g.Reason, g.Open(), sealed, g.From, g.To)
	d.audit("glass.break", "glass", g.ID, g.PatientID, string(g.Way)+" "+g.Reason)
	d.publish(domain.Fact{Name: domain.GlassBroken, HomeOrganization: g.Home, Glass: &g}, g.PatientID, g.Version)
}
