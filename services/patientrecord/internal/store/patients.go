package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

const patientColumns = "p.id, p.version, p.demographics, p.home_organization_id, p.create_time, p.update_time"

func (c scope) scanPatient(scan func(...any) error) (domain.Patient, error) {
	var k domain.Kept
	var sealed []byte
	if err := scan(&k.ID, &k.Version, &sealed, &k.Home, &k.Created, &k.Updated); err != nil {
		return domain.Patient{}, err
	}
	var j demographicsJSON
	if err := c.open("patient", "demographics", k.ID, sealed, &j); err != nil {
		return domain.Patient{}, err
	}
	k.Demographics = j.domain()
	return domain.RestorePatient(k), nil
}

func (c scope) patient(ctx context.Context, id, lock string) (domain.Patient, error) {
	row := c.tx.QueryRow(ctx, "SELECT "+patientColumns+" FROM patient p WHERE p.county_code = $1 AND p.id = "+rootOf("$2")+lock, c.county, id)
	p, err := c.scanPatient(row.Scan)
	if sqldb.NoRows(err) {
		return domain.Patient{}, errs.NotFound("patient")
	}
	if err != nil {
		return domain.Patient{}, fmt.Errorf("load patient %s: %w", id, err)
	}
	return p, nil
}

// Patient implements app.Store.
func (s *Store) Patient(ctx context.Context, county, id string) (p domain.Patient, err error) {
	err = s.read(ctx, county, func(c scope) error {
		p, err = c.patient(ctx, id, "")
		return err
	})
	return p, err
}

// concerns is the condition that a relation (r) counts for the organisation of the argument: it is the organisation's own, or makes the patient
// a resident of the centre of a village clinic, which looks after the centre's residents. The county is argument 1.
func concerns(organization string) string {
	return "r.organization_id IN (" + organization + ", (SELECT o.parent_id FROM recognition_organization o WHERE o.county_code = $1 AND o.id = " +
		organization + " AND o.type = 'VILLAGE_CLINIC')) AND (r.organization_id = " + organization + " OR r.kind = 'HOME')"
}

const relationColumns = "r.patient_id, r.organization_id, r.kind, r.source, r.level, r.from_time, r.to_time"

func (c scope) relations(ctx context.Context, where string, args ...any) ([]domain.Relation, error) {
	rows, err := c.tx.Query(ctx, "SELECT "+relationColumns+" FROM care_relation r WHERE r.county_code = $1 AND "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("load relations: %w", err)
	}
	defer rows.Close()
	var out []domain.Relation
	for rows.Next() {
		var r domain.Relation
		var to sql.NullTime
		if err := rows.Scan(&r.PatientID, &r.Organization, &r.Kind, &r.Source, &r.Level, &r.From, &to); err != nil {
			return nil, fmt.Errorf("load relations: %w", err)
		}
		r.From = r.From.UTC()
		if to.Valid {
			r.To = to.Time.UTC()
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// Relations implements app.Store.
func (s *Store) Relations(ctx context.Context, county, patient, organization string) (out []domain.Relation, err error) {
	err = s.read(ctx, county, func(c scope) error {
		out, err = c.relations(ctx, c.kin("r.patient_id", "$2")+" AND "+concerns("$3"), county, patient, organization)
		return err
	})
	return out, err
}

// sameNumber bounds how many patients may share a number: one a document type.
const sameNumber = 10

// FindByNumber implements app.Store.
func (s *Store) FindByNumber(ctx context.Context, county, organization, number string) (found []app.Found, err error) {
	err = s.view(ctx, county, func(c scope) error {
		q := query{args: []any{county}}
		q.text = "SELECT " + patientColumns + " FROM patient_token t JOIN patient p ON p.county_code = t.county_code AND p.id = t.patient_id" +
			" WHERE t.county_code = $1 AND " + q.anyToken("t", s.tokens([]app.Term{{Kind: app.TermNumber, Text: number}})) +
			" ORDER BY p.id LIMIT " + q.arg(sameNumber)
		found, err = c.found(ctx, q, organization)
		return err
	})
	return found, err
}

// tokens of the terms, by every index key of the ring.
func (s *Store) tokens(terms []app.Term) [][]byte {
	var out [][]byte
	for _, t := range terms {
		out = append(out, s.ring.Tokens(t.Kind.String(), t.Text)...)
	}
	return out
}

// query is a text with its arguments, numbered as they are added.
type query struct {
	text string
	args []any
}

func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	return fmt.Sprintf("$%d", len(q.args))
}

func (q *query) anyToken(table string, tokens [][]byte) string {
	places := make([]string, len(tokens))
	for i, t := range tokens {
		places[i] = q.arg(t)
	}
	return table + ".token IN (" + strings.Join(places, ", ") + ")"
}

func (c scope) found(ctx context.Context, q query, organization string) ([]app.Found, error) {
	found, ids, err := c.candidates(ctx, q)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	roots, err := c.also(ctx, found, ids, nil)
	if err != nil {
		return nil, err
	}
	for merged := range roots {
		ids = append(ids, merged)
	}
	among, list := c.tx.List("r.patient_id", 3, ids)
	relations, err := c.relations(ctx, concerns("$2")+" AND "+among, c.county, organization, list)
	if err != nil {
		return nil, err
	}
	by := make(map[string][]domain.Relation, len(found))
	for _, r := range relations {
		patient := r.PatientID
		if root := roots[patient]; root != "" {
			patient = root
		}
		by[patient] = append(by[patient], r)
	}
	for i := range found {
		found[i].Relations = by[found[i].Patient.ID()]
	}
	return found, nil
}

func (c scope) candidates(ctx context.Context, q query) (found []app.Found, ids []string, err error) {
	rows, err := c.tx.Query(ctx, q.text, q.args...)
	if err != nil {
		return nil, nil, fmt.Errorf("find patients: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		p, err := c.scanPatient(rows.Scan)
		if err != nil {
			return nil, nil, fmt.Errorf("find patients: %w", err)
		}
		found, ids = append(found, app.Found{Patient: p}), append(ids, p.ID())
	}
	return found, ids, rows.Err()
}
