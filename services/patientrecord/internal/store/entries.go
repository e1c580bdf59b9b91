package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func summaryKinds() []domain.EntryKind {
	return []domain.EntryKind{
		domain.KindProblem, domain.KindMedication, domain.KindAllergy, domain.KindObservation,
		domain.KindProcedure, domain.KindEncounter, domain.KindImmunization,
	}
}

const entryColumns = "e.id, e.version, e.kind, e.category, e.status, e.effective_time, e.content"

// selection is which entries of a patient are read: the current ones of a kind that are not past, newest first. more narrows them and
// may add arguments.
type selection struct {
	kind  domain.EntryKind
	limit int
	more  func(*query) string
}

// text is the query of a selection; county and patient are the arguments 1 and 2.
func (c scope) text(s selection, q *query) string {
	where := "e.kind = " + q.arg(string(s.kind))
	past := make([]string, 0, 5)
	for _, status := range domain.PastStatuses(s.kind) {
		past = append(past, q.arg(status))
	}
	if s.more != nil {
		where += " AND " + s.more(q)
	}
	return "SELECT " + entryColumns + ` FROM clinical_entry e WHERE e.county_code = $1 AND ` + c.kin("e.patient_id", "$2") + ` AND e.is_current
		AND e.status NOT IN (` + strings.Join(past, ", ") + ") AND " + where + " ORDER BY e.effective_time DESC, e.id DESC LIMIT " + q.arg(s.limit)
}

// entries reads all selections in one query, all of them newest first.
func (c scope) entries(ctx context.Context, patient string, selections ...selection) ([]domain.Entry, error) {
	q := query{args: []any{c.county, patient}}
	texts := make([]string, len(selections))
	for i, s := range selections {
		texts[i] = fmt.Sprintf("SELECT * FROM (%s) AS s%d", c.text(s, &q), i)
	}
	rows, err := c.tx.Query(ctx, strings.Join(texts, " UNION ALL "), q.args...)
	if err != nil {
		return nil, fmt.Errorf("load entries of patient %s: %w", patient, err)
	}
	defer rows.Close()
	var out []domain.Entry
	for rows.Next() {
		e, err := c.scanEntry(rows)
		if err != nil {
			return nil, fmt.Errorf("load entries of patient %s: %w", patient, err)
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b domain.Entry) int { return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.ID, a.ID)) })
	return out, rows.Err()
}

func (c scope) scanEntry(rows *sql.Rows) (domain.Entry, error) {
	var e domain.Entry
	var sealed []byte
	if err := rows.Scan(&e.ID, &e.Version, &e.Kind, &e.Category, &e.Status, &e.Time, &sealed); err != nil {
		return e, err
	}
	e.Time = e.Time.UTC()
	var content entryContent
	if err := c.open("clinical_entry", "content", versioned(e.ID, e.Version), sealed, &content); err != nil {
		return e, err
	}
	e.Code, e.Content, e.Department = content.Code, content.Content, content.Department
	return e, nil
}

// told is what was published last of an encounter, up to this version.
func (c scope) told(ctx context.Context, id string, version int32) (domain.Told, error) {
	var sealed []byte
	err := c.tx.QueryRow(ctx, "SELECT content FROM clinical_entry WHERE county_code = $1 AND id = $2 AND version = $3", c.county, id, version).
		Scan(&sealed)
	var content entryContent
	if err == nil {
		err = c.open("clinical_entry", "content", versioned(id, version), sealed, &content)
	}
	if err != nil {
		return domain.Told{}, fmt.Errorf("load version %d of encounter %s: %w", version, id, err)
	}
	return content.told(), nil
}

func versioned(id string, version int32) string { return fmt.Sprintf("%s/%d", id, version) }

// latestOfCode keeps, of observations with one code, the newest that counts.
func (c scope) latestOfCode(q *query) string {
	past := make([]string, 0, 5)
	for _, status := range domain.PastStatuses(domain.KindObservation) {
		past = append(past, q.arg(status))
	}
	return `NOT EXISTS (SELECT 1 FROM clinical_entry n WHERE n.county_code = e.county_code AND ` + c.kin("n.patient_id", "$2") + ` AND n.kind = e.kind
		AND n.code_token = e.code_token AND n.is_current AND n.status NOT IN (` + strings.Join(past, ", ") + `)
		AND (n.effective_time > e.effective_time OR n.effective_time = e.effective_time AND n.id > e.id))`
}

func (c scope) summary(ctx context.Context, patient, lock string) (domain.Summary, error) {
	p, err := c.patient(ctx, patient, lock)
	if err != nil {
		return domain.Summary{}, err
	}
	kinds := summaryKinds()
	selections := make([]selection, len(kinds))
	s := domain.Summary{Patient: p, Entries: make(map[domain.EntryKind][]domain.Entry, len(kinds))}
	for i, kind := range kinds {
		selections[i] = selection{kind: kind, limit: domain.SummaryLimit(kind)}
		if kind == domain.KindObservation {
			selections[i].more = c.latestOfCode
		}
		s.Entries[kind] = nil
	}
	entries, err := c.entries(ctx, patient, selections...)
	if err != nil {
		return domain.Summary{}, err
	}
	for _, e := range entries {
		s.Entries[e.Kind] = append(s.Entries[e.Kind], e)
	}
	s.Agree()
	return s, nil
}

// Summary implements app.Store.
func (s *Store) Summary(ctx context.Context, county, patient string) (out domain.Summary, err error) {
	err = s.view(ctx, county, func(c scope) error {
		out, err = c.summary(ctx, patient, "")
		return err
	})
	return out, err
}

const (
	// valuesLimit bounds how many kinds of observations are answered: beyond every real record.
	valuesLimit = 500
	// openLimit bounds how many encounters are answered that are not over. Visits that nobody ended may be among them.
	openLimit = 200
)

// stillOpen are encounters that are not over, by what was written of them: however many later visits there were, a stay is found.
func stillOpen(q *query) string {
	var open []string
	for _, status := range domain.OpenStatuses() {
		open = append(open, q.arg(status))
	}
	return "e.status IN (" + strings.Join(open, ", ") + ") AND e.end_time IS NULL"
}

// Values implements app.Store.
func (s *Store) Values(ctx context.Context, county, patient string) (out []domain.Entry, err error) {
	err = s.read(ctx, county, func(c scope) error {
		out, err = c.entries(ctx, patient,
			selection{domain.KindObservation, valuesLimit, c.latestOfCode},
			selection{domain.KindProblem, domain.SummaryLimit(domain.KindProblem), nil},
			selection{domain.KindMedication, domain.SummaryLimit(domain.KindMedication), nil},
			selection{domain.KindAllergy, domain.SummaryLimit(domain.KindAllergy), nil},
			selection{domain.KindEncounter, openLimit, stillOpen})
		return err
	})
	return out, err
}

// Results implements app.Store.
func (s *Store) Results(ctx context.Context, county, patient string, after app.Cursor, limit int) (out []domain.Entry, err error) {
	var more func(*query) string
	if after != (app.Cursor{}) {
		more = func(q *query) string {
			t, id := q.arg(after.Time), q.arg(after.ID)
			return "(e.effective_time < " + t + " OR e.effective_time = " + t + " AND e.id < " + id + ")"
		}
	}
	err = s.read(ctx, county, func(c scope) error {
		out, err = c.entries(ctx, patient, selection{domain.KindObservation, limit, more})
		return err
	})
	return out, err
}
