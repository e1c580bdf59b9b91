package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
)

// A common surname is a word of a tenth of a county, and a township centre has to do with a twentieth of it: neither may be read through for
// a page of twenty. So the search begins at what is least: the organisation's patients if they are few, else the rarest word, whose
// patients are read from the newest on until enough of them have a relation.
const (
	// fewPatients is how many patients an organisation has who are all looked at.
	fewPatients = 3000
	// fewTokens bounds the counting of how common a word is.
	fewTokens = 2000
)

// FindByWords implements app.Store.
func (s *Store) FindByWords(ctx context.Context, county, organization string, words []app.Word, limit int) (found []app.Found, err error) {
	err = s.view(ctx, county, func(c scope) error {
		centre, err := c.centre(ctx, organization)
		if err != nil {
			return err
		}
		q := query{args: []any{county, organization, c.tx.Now()}}
		ids, err := s.driven(ctx, c, &q, centre, words, limit)
		if err != nil {
			return err
		}
		// In one query with their records, the planner would rather walk all patients from the newest on.
		newest, err := c.ids(ctx, "SELECT DISTINCT n.patient_id FROM ("+ids+") AS n ORDER BY n.patient_id DESC LIMIT "+q.arg(limit), q.args...)
		if err != nil || len(newest) == 0 {
			return err
		}
		found, err = c.among(ctx, newest, organization)
		return err
	})
	return found, err
}

func (c scope) ids(ctx context.Context, text string, args ...any) (out []string, err error) {
	rows, err := c.tx.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("find patients: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("find patients: %w", err)
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

// centre is that of a village clinic, for every other organisation itself. What concerns an organisation is found by index only if both are known
// before: a subquery in their place has all relations read.
func (c scope) centre(ctx context.Context, organization string) (string, error) {
	var centre string
	err := c.tx.QueryRow(ctx, "SELECT parent_id FROM recognition_organization WHERE county_code = $1 AND id = $2 AND type = 'VILLAGE_CLINIC' AND parent_id <> ''",
		c.county, organization).Scan(&centre)
	if sqldb.NoRows(err) {
		return organization, nil
	}
	if err != nil {
		return "", fmt.Errorf("load the centre of %s: %w", organization, err)
	}
	return centre, nil
}

// near are the ways an organisation (argument 2) may concern a patient, each found by index: by its own relations, and a village clinic by the
// home relation of its centre. As one condition with OR, the planner would look at each relation of a patient.
func near(q *query, centre string) []string {
	ways := []string{"r.organization_id = $2"}
	if centre != q.args[1] {
		ways = append(ways, "r.organization_id = "+q.arg(centre)+" AND r.kind = 'HOME'")
	}
	for i, way := range ways {
		ways[i] = "r.county_code = $1 AND " + way + " AND r.from_time <= $3 AND (r.to_time IS NULL OR r.to_time > $3)"
	}
	return ways
}

// driven are the ids of patients who match every word and to whom the organisation has a relation, beginning at what is least.
func (s *Store) driven(ctx context.Context, c scope, q *query, centre string, words []app.Word, limit int) (string, error) {
	patients, err := c.count(ctx, "SELECT 1 FROM care_relation r WHERE r.county_code = $1 AND r.organization_id IN ($2, $3) AND (r.organization_id = $2 OR r.kind = 'HOME')",
		fewPatients, q.args[0], q.args[1], centre)
	if err != nil {
		return "", err
	}
	ways := near(q, centre)
	var merged []string
	for _, way := range ways {
		merged = append(merged, "SELECT m.root_id AS patient_id FROM patient_merge m JOIN care_relation r ON r.patient_id = m.merged_id WHERE m.county_code = $1 AND m.undo_time IS NULL AND "+way)
	}
	if patients <= fewPatients {
		all := merged
		for _, way := range ways {
			all = append(all, "SELECT r.patient_id FROM care_relation r WHERE "+way)
		}
		return "SELECT mine.patient_id FROM (" + strings.Join(all, " UNION ") + ") AS mine WHERE 1 = 1" + s.looked(q, "mine.patient_id", words), nil
	}
	rarest, rest, err := s.rarest(ctx, c, words)
	if err != nil {
		return "", err
	}
	var parts []string
	for _, token := range s.tokens(rarest.Any) {
		for _, way := range ways {
			// A join, since the planner would rather read all relations of the organisation for an EXISTS; CROSS, since SQLite would begin at them.
			parts = append(parts, fmt.Sprintf(`SELECT * FROM (SELECT DISTINCT t.patient_id FROM patient_token t CROSS JOIN care_relation r WHERE t.county_code = $1
				AND t.token = %s AND r.patient_id = t.patient_id AND %s%s ORDER BY t.patient_id DESC LIMIT %d) AS b%d`,
				q.arg(token), way, s.looked(q, "t.patient_id", rest), limit, len(parts)))
		}
	}
	for _, of := range merged {
		parts = append(parts, of+s.looked(q, "m.root_id", words))
	}
	return strings.Join(parts, " UNION ALL "), nil
}

// rarest is the word that the fewest patients have, and the others.
func (s *Store) rarest(ctx context.Context, c scope, words []app.Word) (app.Word, []app.Word, error) {
	at, least := 0, fewTokens+2
	for i, w := range words {
		if len(words) == 1 {
			break
		}
		of := query{args: []any{c.county}}
		text := "SELECT 1 FROM patient_token t WHERE t.county_code = $1 AND " + of.anyToken("t", s.tokens(w.Any))
		n, err := c.count(ctx, text, fewTokens, of.args...)
		if err != nil {
			return app.Word{}, nil, err
		}
		if n < least {
			at, least = i, n
		}
	}
	return words[at], append(append([]app.Word{}, words[:at]...), words[at+1:]...), nil
}

// FindInCounty implements app.Store.
func (s *Store) FindInCounty(ctx context.Context, county string, words []app.Word, limit int) (found []app.Found, err error) {
	err = s.view(ctx, county, func(c scope) error {
		rarest, rest, err := s.rarest(ctx, c, words)
		if err != nil {
			return err
		}
		q := query{args: []any{county}}
		var parts []string
		for i, token := range s.tokens(rarest.Any) {
			parts = append(parts, fmt.Sprintf("SELECT * FROM (SELECT t.patient_id FROM patient_token t WHERE t.county_code = $1 AND t.token = %s%s ORDER BY t.patient_id DESC LIMIT %d) AS b%d",
				q.arg(token), s.looked(&q, "t.patient_id", rest), limit, i))
		}
		newest, err := c.ids(ctx, "SELECT DISTINCT n.patient_id FROM ("+strings.Join(parts, " UNION ALL ")+") AS n ORDER BY n.patient_id DESC LIMIT "+q.arg(limit), q.args...)
		if err != nil || len(newest) == 0 {
			return err
		}
		found, err = c.among(ctx, newest, "")
		return err
	})
	return found, err
}

// among are the patients of ids, the newest first, with the relations of an organisation.
func (c scope) among(ctx context.Context, ids []string, organization string) ([]app.Found, error) {
	among, list := c.tx.List("p.id", 2, ids)
	return c.found(ctx, query{
		text: "SELECT " + patientColumns + " FROM patient p WHERE p.county_code = $1 AND " + among + " ORDER BY p.id DESC", args: []any{c.county, list},
	}, organization)
}

// looked is the condition that the patient in the column matches every word: each is looked at by itself, through the index. As EXISTS the planner
// would rather read everybody who has the word, a tenth of a county.
func (s *Store) looked(q *query, column string, words []app.Word) string {
	var b strings.Builder
	for i, w := range words {
		table := fmt.Sprintf("w%d", i)
		fmt.Fprintf(&b, " AND (SELECT 1 FROM patient_token %s WHERE %s.county_code = $1 AND %s.patient_id = %s AND %s LIMIT 1) = 1",
			table, table, table, column, q.anyToken(table, s.tokens(w.Any)))
	}
	return b.String()
}

// count the rows of a query, to one more than most.
func (c scope) count(ctx context.Context, text string, most int, args ...any) (n int, err error) {
	err = c.tx.QueryRow(ctx, fmt.Sprintf("SELECT count(*) FROM (%s LIMIT %d) AS counted", text, most+1), args...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count before a search: %w", err)
	}
	return n, nil
}
