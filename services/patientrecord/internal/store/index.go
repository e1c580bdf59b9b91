package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// rootOf is the record to which the argument leads now: itself, or the survivor of its merges. The county is argument 1.
func rootOf(arg string) string {
	return `COALESCE((SELECT pm.root_id FROM patient_merge pm WHERE pm.county_code = $1 AND pm.merged_id = ` + arg +
		` AND pm.undo_time IS NULL), ` + arg + `)`
}

// kin is the condition that the column names a record of the same person as the argument does. Rows keep the id of the record they were
// written for, so that a merge can be undone; whoever reads the rows of a patient reads them by this. The county is argument 1.
func (c scope) kin(column, arg string) string { return kin(c.tx.Engine(), column, arg) }

func kin(engine sqldb.Engine, column, arg string) string {
	arg = "CAST(" + arg + " AS text)"
	records := "SELECT " + rootOf(arg) + ` UNION ALL SELECT km.merged_id FROM patient_merge km WHERE km.county_code = $1
		AND km.undo_time IS NULL AND km.root_id = ` + rootOf(arg)
	if engine == sqldb.Postgres {
		// Evaluated once, and good for an index.
		return column + " = ANY (ARRAY(" + records + "))"
	}
	return column + " IN (" + records + ")"
}

// record is the record itself, also if it was merged.
func (c scope) record(ctx context.Context, id, lock string) (domain.Patient, error) {
	p, err := c.scanPatient(c.tx.QueryRow(ctx, "SELECT "+patientColumns+" FROM patient p WHERE p.county_code = $1 AND p.id = $2"+lock, c.county, id).Scan)
	if sqldb.NoRows(err) {
		return p, errs.NotFound("patient")
	}
	if err != nil {
		return p, fmt.Errorf("load record %s: %w", id, err)
	}
	return p, nil
}

// Record implements app.IndexStore.
func (s *Store) Record(ctx context.Context, county, id string) (p domain.Patient, err error) {
	err = s.read(ctx, county, func(c scope) error {
		p, err = c.record(ctx, id, "")
		return err
	})
	return p, err
}

// also adds to each found patient the records that were merged into it, without those that a change under way leads elsewhere, and answers
// which record leads to which of them.
func (c scope) also(ctx context.Context, found []app.Found, ids []string, without map[string]bool) (map[string]string, error) {
	roots := map[string]string{}
	among, list := c.tx.List("m.root_id", 2, ids)
	//nolint:sqlclosecheck // closed by the defer below, which the check does not follow once a closure scans the rows
	rows, err := c.tx.Query(ctx, "SELECT m.root_id, "+patientColumns+` FROM patient_merge m JOIN patient p ON p.county_code = m.county_code
		AND p.id = m.merged_id WHERE m.county_code = $1 AND m.undo_time IS NULL AND `+among+" ORDER BY m.merge_time, m.id", c.county, list)
	if err != nil {
		return nil, fmt.Errorf("load merged records: %w", err)
	}
	defer rows.Close()
	at := make(map[string]int, len(found))
	for i, f := range found {
		at[f.Patient.ID()] = i
	}
	for rows.Next() {
		var root string
		p, err := c.scanPatient(func(dest ...any) error { return rows.Scan(append([]any{&root}, dest...)...) })
		if err != nil {
			return nil, fmt.Errorf("load merged records: %w", err)
		}
		if without[p.ID()] {
			continue
		}
		i := at[root]
		found[i].Also = append(found[i].Also, p.Demographics().Details())
		roots[p.ID()] = root
	}
	return roots, rows.Err()
}

// alikeOf bounds how many records one telephone, number or name with birth date leads to: more of them share it than are one person.
const alikeOf = 40

// alike implements Alike of both ports.
func (c scope) alike(ctx context.Context, without map[string]bool, ds ...domain.Details) ([]app.Found, error) {
	q := query{args: []any{c.county}}
	var parts []string
	seen := map[app.Term]bool{}
	for _, d := range ds {
		for _, t := range app.MatchTerms(d) {
			if seen[t] {
				continue
			}
			seen[t] = true
			for _, token := range c.ring.Tokens(t.Kind.String(), t.Text) {
				parts = append(parts, fmt.Sprintf("SELECT * FROM (SELECT t.patient_id FROM patient_token t WHERE t.county_code = $1 AND t.token = %s LIMIT %d) AS b%d",
					q.arg(token), alikeOf, len(parts)))
			}
		}
	}
	if len(parts) == 0 {
		return nil, nil
	}
	q.text = "SELECT " + patientColumns + " FROM patient p WHERE p.county_code = $1 AND p.id IN (" + strings.Join(parts, " UNION ALL ") + ") ORDER BY p.id"
	found, ids, err := c.candidates(ctx, q)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	_, err = c.also(ctx, found, ids, without)
	return found, err
}

// Alike implements app.IndexStore.
func (s *Store) Alike(ctx context.Context, county string, d domain.Details) (found []app.Found, err error) {
	err = s.view(ctx, county, func(c scope) error {
		found, err = c.alike(ctx, nil, d)
		return err
	})
	return found, err
}

const matchColumns = `m.id, m.first_id, m.second_id, m.version, m.state, m.score, m.agrees, m.differs, m.account_id, m.organization_id, m.decide_time, m.reason`

func (c scope) scanMatch(scan func(...any) error) (domain.Match, error) {
	var m domain.Match
	var agrees, differs string
	var decided sql.NullTime
	var reason []byte
	err := scan(&m.ID, &m.First, &m.Second, &m.Version, &m.State, &m.Comparison.Score, &agrees, &differs,
		&m.Decision.Account, &m.Decision.Organization, &decided, &reason)
	if err != nil {
		return m, err
	}
	m.Comparison.Agrees, m.Comparison.Differs = features(agrees), features(differs)
	m.Decision.At = utc(decided)
	if len(reason) > 0 {
		err = c.open("patient_match", "reason", m.ID, reason, &m.Decision.Reason)
	}
	return m, err
}

func utc(t sql.NullTime) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}

func features(text string) []domain.Feature {
	var out []domain.Feature
	for _, f := range strings.Fields(text) {
		out = append(out, domain.Feature(f))
	}
	return out
}

func featureText(fs []domain.Feature) string {
	words := make([]string, len(fs))
	for i, f := range fs {
		words[i] = string(f)
	}
	return strings.Join(words, " ")
}

func (c scope) match(ctx context.Context, id, lock string) (domain.Match, error) {
	m, err := c.scanMatch(c.tx.QueryRow(ctx, "SELECT "+matchColumns+" FROM patient_match m WHERE m.county_code = $1 AND m.id = $2"+lock, c.county, id).Scan)
	if sqldb.NoRows(err) {
		return m, errs.NotFound("match")
	}
	if err != nil {
		return m, fmt.Errorf("load match %s: %w", id, err)
	}
	return m, nil
}

// Match implements app.IndexStore.
func (s *Store) Match(ctx context.Context, county, id string) (m domain.Match, err error) {
	err = s.read(ctx, county, func(c scope) error {
		m, err = c.match(ctx, id, "")
		return err
	})
	return m, err
}

// OpenMatches implements app.IndexStore.
func (s *Store) OpenMatches(ctx context.Context, county, organization string, after app.MatchCursor, limit int) (out []domain.Match, err error) {
	err = s.read(ctx, county, func(c scope) error {
		q := query{args: []any{county, organization, c.tx.Now()}}
		q.text = "SELECT " + matchColumns + ` FROM patient_match m WHERE m.county_code = $1 AND m.state = 'OPEN'
			AND EXISTS (SELECT 1 FROM care_relation r WHERE r.county_code = $1 AND ` + concerns("$2") + ` AND r.patient_id IN (m.first_id, m.second_id)
				AND r.from_time <= $3 AND (r.to_time IS NULL OR r.to_time > $3))`
		if after != (app.MatchCursor{}) {
			score, id := q.arg(after.Score), q.arg(after.ID)
			q.text += " AND (m.score < " + score + " OR m.score = " + score + " AND m.id > " + id + ")"
		}
		q.text += " ORDER BY m.score DESC, m.id LIMIT " + q.arg(limit)
		rows, err := c.tx.Query(ctx, q.text, q.args...)
		if err != nil {
			return fmt.Errorf("list matches: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			m, err := c.scanMatch(rows.Scan)
			if err != nil {
				return fmt.Errorf("list matches: %w", err)
			}
			out = append(out, m)
		}
		return rows.Err()
	})
	return out, err
}

const mergeColumns = `m.id, m.merged_id, m.survivor_id, m.root_id, m.match_id, m.account_id, m.organization_id, m.merge_time, m.reason,
	m.undo_account_id, m.undo_organization_id, m.undo_time, m.undo_reason`

// merges are those that fulfil the condition; the county is argument 1.
func (c scope) merges(ctx context.Context, where string, args ...any) ([]domain.Merge, error) {
	rows, err := c.tx.Query(ctx, "SELECT "+mergeColumns+" FROM patient_merge m WHERE m.county_code = $1 AND "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("load merges: %w", err)
	}
	defer rows.Close()
	var out []domain.Merge
	for rows.Next() {
		var m domain.Merge
		var undone sql.NullTime
		var reason, undo []byte
		err := rows.Scan(&m.ID, &m.Merged, &m.Survivor, &m.Root, &m.MatchID, &m.Done.Account, &m.Done.Organization, &m.Done.At, &reason,
			&m.Undone.Account, &m.Undone.Organization, &undone, &undo)
		if err == nil {
			err = c.open("patient_merge", "reason", m.ID, reason, &m.Done.Reason)
		}
		if err == nil && len(undo) > 0 {
			err = c.open("patient_merge", "undo_reason", m.ID, undo, &m.Undone.Reason)
		}
		if err != nil {
			return nil, fmt.Errorf("load merges: %w", err)
		}
		m.Done.At, m.Undone.At = m.Done.At.UTC(), utc(undone)
		out = append(out, m)
	}
	return out, rows.Err()
}

func (c scope) merge(ctx context.Context, id, lock string) (domain.Merge, error) {
	list, err := c.merges(ctx, "m.id = $2"+lock, c.county, id)
	if err != nil {
		return domain.Merge{}, err
	}
	if len(list) == 0 {
		return domain.Merge{}, errs.NotFound("merge")
	}
	return list[0], nil
}

// Merge implements app.IndexStore.
func (s *Store) Merge(ctx context.Context, county, id string) (m domain.Merge, err error) {
	err = s.read(ctx, county, func(c scope) error {
		m, err = c.merge(ctx, id, "")
		return err
	})
	return m, err
}

// Merges implements app.IndexStore.
func (s *Store) Merges(ctx context.Context, county, patient string) (out []domain.Merge, err error) {
	err = s.read(ctx, county, func(c scope) error {
		out, err = c.merges(ctx, "("+c.kin("m.merged_id", "$2")+" OR "+c.kin("m.survivor_id", "$2")+") ORDER BY m.merge_time DESC, m.id DESC", county, patient)
		return err
	})
	return out, err
}
