package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// indexed is what a unit collected about records of one person.
type indexed struct {
	matches []domain.Match
	// foundNow are the matches of a patient as they are now.
	foundNow map[string][]domain.Match
	links    []domain.Merge
	// families are records found as the first of each.
	families [][]domain.Patient
}

// Record implements app.IndexUnit.
func (u *unit) Record(ctx context.Context, id string) (domain.Patient, error) {
	return u.record(ctx, id, u.tx.ForUpdate())
}

// survivor is the patient to whom a record leads.
func (u *unit) survivor(ctx context.Context, p domain.Patient) (domain.Patient, error) {
	var root string
	err := u.tx.QueryRow(ctx, `SELECT root_id FROM patient_merge WHERE county_code = $1 AND merged_id = $2 AND undo_time IS NULL`, u.county, p.ID()).Scan(&root)
	if sqldb.NoRows(err) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("look where record %s leads: %w", p.ID(), err)
	}
	return u.Record(ctx, root)
}

// Alike implements app.IndexUnit.
func (u *unit) Alike(ctx context.Context, ds ...domain.Details) ([]app.Found, error) {
	moved := make(map[string]bool, len(u.links))
	for _, m := range u.links {
		moved[m.Merged] = true
	}
	return u.alike(ctx, moved, ds...)
}

// Match implements app.IndexUnit.
func (u *unit) Match(ctx context.Context, id string) (domain.Match, error) {
	return u.match(ctx, id, u.tx.ForUpdate())
}

// MatchOf implements app.IndexUnit.
func (u *unit) MatchOf(ctx context.Context, a, b string) (domain.Match, bool, error) {
	m, err := u.scanMatch(u.tx.QueryRow(ctx, "SELECT "+matchColumns+" FROM patient_match m WHERE m.county_code = $1 AND m.first_id = $2 AND m.second_id = $3"+
		u.tx.ForUpdate(), u.county, min(a, b), max(a, b)).Scan)
	if sqldb.NoRows(err) {
		return m, false, nil
	}
	if err != nil {
		return m, false, fmt.Errorf("load match of two: %w", err)
	}
	return m, true, nil
}

// PutMatch implements app.IndexUnit.
func (u *unit) PutMatch(m domain.Match) { u.matches = append(u.matches, m) }

// PutMatches implements app.IndexUnit.
func (u *unit) PutMatches(patient string, found []domain.Match) {
	if u.foundNow == nil {
		u.foundNow = map[string][]domain.Match{}
	}
	u.foundNow[patient] = found
}

// Merge implements app.IndexUnit.
func (u *unit) Merge(ctx context.Context, id string) (domain.Merge, error) {
	return u.merge(ctx, id, u.tx.ForUpdate())
}

// Family implements app.IndexUnit.
func (u *unit) Family(ctx context.Context, roots ...string) ([]domain.Merge, error) {
	among, list := u.tx.List("m.root_id", 2, roots)
	return u.scope.merges(ctx, "m.undo_time IS NULL AND "+among+" ORDER BY m.merge_time, m.id", u.county, list)
}

// PutMerge implements app.IndexUnit.
func (u *unit) PutMerge(m domain.Merge) { u.links = append(u.links, m) }

// Reindex implements app.IndexUnit.
func (u *unit) Reindex(records ...domain.Patient) { u.families = append(u.families, records) }

// index writes what follows for the index: matches, merges and what the patients of the change are found by.
func (d *derived) index(ctx context.Context) error {
	u := d.u
	merged := map[string]bool{}
	for _, m := range u.links {
		d.merge(m)
		merged[m.Merged] = m.Open()
	}
	// What a person said first: what is found now leaves it alone.
	for _, m := range u.matches {
		d.match(m)
	}
	for patient, found := range u.foundNow {
		d.lapse(patient, found, merged[patient])
	}
	// After all that lapses: of two records of the change, one may find the other and not be found by it.
	for _, found := range u.foundNow {
		d.foundMatches(found)
	}
	done := map[string]bool{}
	for _, family := range u.families {
		ds := make([]domain.Details, len(family))
		for i, p := range family {
			done[p.ID()], ds[i] = true, p.Demographics().Details()
			d.forget(p.ID())
		}
		d.tokens(family[0].ID(), ds...)
	}
	for _, p := range u.patients {
		if done[p.ID()] {
			continue
		}
		ds := []domain.Details{p.Demographics().Details()}
		if p.Version() > 1 {
			d.forget(p.ID())
			one := []app.Found{{Patient: p}}
			if _, err := u.also(ctx, one, []string{p.ID()}, nil); err != nil {
				return err
			}
			ds = append(ds, one[0].Also...)
		}
		d.tokens(p.ID(), ds...)
	}
	return nil
}

// forget takes away what a record is found by.
func (d *derived) forget(patient string) {
	d.write(-1, `DELETE FROM patient_token WHERE county_code = $1 AND patient_id = $2`, d.u.county, patient)
}

// tokens writes what the patient is found by, many to a statement.
func (d *derived) tokens(patient string, records ...domain.Details) {
	d.stmts = append(d.stmts, tokenStmts(d.u.scope, patient, app.AllTerms(records...))...)
}

// tokenStmts inserts the terms of a patient.
func tokenStmts(c scope, patient string, terms []app.Term) []sqldb.Stmt {
	const most = 100
	var out []sqldb.Stmt
	for len(terms) > 0 {
		n := min(most, len(terms))
		q := query{args: []any{c.county, patient}}
		rows := make([]string, n)
		for i, t := range terms[:n] {
			rows[i] = "($1, " + q.arg(int16(t.Kind)) + ", " + q.arg(c.ring.Token(t.Kind.String(), t.Text)) + ", $2)"
		}
		out = append(out, sqldb.Stmt{
			SQL:  "INSERT INTO patient_token (county_code, kind, token, patient_id) VALUES " + strings.Join(rows, ", "),
			Args: q.args, Want: int64(n),
		})
		terms = terms[n:]
	}
	return out
}

// lapse lets lapse what is open and was not found; a decision of a person stays, and so does a match by a number that somebody brought: that
// number stands in one of the two records only. Of a merged record nothing stays open.
func (d *derived) lapse(patient string, found []domain.Match, merged bool) {
	u := d.u
	q := query{args: []any{u.county, patient, u.Now()}}
	q.text = `UPDATE patient_match SET state = 'LAPSED', version = version + 1, update_time = $3 WHERE county_code = $1
		AND (first_id = $2 OR second_id = $2) AND state = 'OPEN'`
	if !merged {
		q.text += " AND agrees NOT LIKE '%identityNumber%'"
	}
	if len(found) > 0 {
		places := make([]string, len(found))
		for i, m := range found {
			places[i] = q.arg(m.Other(patient))
		}
		others := strings.Join(places, ", ")
		q.text += " AND first_id NOT IN (" + others + ") AND second_id NOT IN (" + others + ")"
	}
	d.write(-1, q.text, q.args...)
}

// foundMatches opens what was found and nobody decided.
func (d *derived) foundMatches(found []domain.Match) {
	u := d.u
	for _, m := range found {
		d.write(-1, `INSERT INTO patient_match (county_code, id, first_id, second_id, version, state, score, agrees, differs, account_id,
			organization_id, create_time, update_time) VALUES ($1, $2, $3, $4, 1, 'OPEN', $5, $6, $7, '', '', $8, $8)
			ON CONFLICT (county_code, first_id, second_id) DO UPDATE SET state = 'OPEN', version = patient_match.version + 1,
			score = excluded.score, agrees = excluded.agrees, differs = excluded.differs, update_time = excluded.update_time
			WHERE patient_match.state = 'LAPSED' OR patient_match.state = 'OPEN' AND patient_match.agrees NOT LIKE '%identityNumber%'
			AND (patient_match.agrees <> excluded.agrees OR patient_match.differs <> excluded.differs)`,
			u.county, m.ID, m.First, m.Second, m.Comparison.Score, featureText(m.Comparison.Agrees), featureText(m.Comparison.Differs), u.Now())
	}
}

func (d *derived) match(m domain.Match) {
	u := d.u
	var reason any
	if m.Decision.Reason != "" {
		sealed, err := u.seal("patient_match", "reason", m.ID, m.Decision.Reason)
		d.fail(err)
		reason = sealed
	}
	d.write(1, `INSERT INTO patient_match (county_code, id, first_id, second_id, version, state, score, agrees, differs, account_id,
		organization_id, decide_time, reason, create_time, update_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
		ON CONFLICT (county_code, first_id, second_id) DO UPDATE SET version = excluded.version, state = excluded.state, score = excluded.score,
		agrees = excluded.agrees, differs = excluded.differs, account_id = excluded.account_id, organization_id = excluded.organization_id,
		decide_time = excluded.decide_time, reason = excluded.reason, update_time = excluded.update_time
		WHERE patient_match.version = excluded.version - 1`,
		u.county, m.ID, m.First, m.Second, m.Version, string(m.State), m.Comparison.Score, featureText(m.Comparison.Agrees),
		featureText(m.Comparison.Differs), m.Decision.Account, m.Decision.Organization, nullTime(m.Decision.At), reason, u.Now())
}

func (d *derived) merge(m domain.Merge) {
	u := d.u
	reason, err := u.seal("patient_merge", "reason", m.ID, m.Done.Reason)
	d.fail(err)
	var undo any
	if !m.Open() {
		sealed, err := u.seal("patient_merge", "undo_reason", m.ID, m.Undone.Reason)
		d.fail(err)
		undo = sealed
	}
	d.write(1, `INSERT INTO patient_merge (county_code, id, merged_id, survivor_id, root_id, match_id, account_id, organization_id, merge_time,
		reason, undo_account_id, undo_organization_id, undo_time, undo_reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (county_code, id) DO UPDATE SET root_id = excluded.root_id, undo_account_id = excluded.undo_account_id,
		undo_organization_id = excluded.undo_organization_id, undo_time = excluded.undo_time, undo_reason = excluded.undo_reason
		WHERE patient_merge.undo_time IS NULL`,
		u.county, m.ID, m.Merged, m.Survivor, m.Root, m.MatchID, m.Done.Account, m.Done.Organization, m.Done.At, reason,
		m.Undone.Account, m.Undone.Organization, nullTime(m.Undone.At), undo)
}
