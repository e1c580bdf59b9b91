package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// visited gives the organisation of an encounter that is news its relation, from when it first had one, and ends the one that a cancelled
// encounter opened: unless it was there before, or another encounter at the organisation stands.
func (u *unit) visited(ctx context.Context, c *entryChange, was domain.Told) error {
	patient := c.patient.ID()
	switch c.news {
	case domain.EncounterOpened, domain.EncounterClosed:
		given := domain.EncounterRelation(patient, c.entry.Stay.Organization, domain.FromImport, u.Now())
		if held, there, err := u.visitRelation(ctx, patient, given.Organization); err != nil {
			return err
		} else if there && held.Holds(u.Now()) {
			given.From = held.From
		}
		u.PutRelations(given)
	case domain.EncounterCancelled:
		organization := was.Stay.Organization
		held, there, err := u.visitRelation(ctx, patient, organization)
		if err != nil || !there || !held.Holds(u.Now()) {
			return err
		}
		began, err := u.firstWritten(ctx, c.entry.ID)
		if err != nil || held.From.Before(began) {
			return err
		}
		since, other, err := u.otherVisit(ctx, c, organization)
		switch {
		case err != nil:
			return err
		case !other:
			held.To = u.Now()
		case since.After(held.From):
			held.From = since // the other gives it from now on, and its cancellation ends it
		}
		u.PutRelations(held)
	}
	return nil
}

// visitRelation is the relation that encounters at an organisation give, also one that ended, as this change leaves it.
func (u *unit) visitRelation(ctx context.Context, patient, organization string) (domain.Relation, bool, error) {
	for _, r := range slices.Backward(u.relations) {
		if r.PatientID == patient && r.Organization == organization && r.Kind == domain.Encounter && r.Source == domain.FromImport {
			return r, true, nil
		}
	}
	held, err := u.scope.relations(ctx, "r.patient_id = $2 AND r.organization_id = $3 AND r.kind = $4 AND r.source = $5"+u.tx.ForUpdate(),
		u.county, patient, organization, string(domain.Encounter), domain.FromImport)
	if err != nil || len(held) == 0 {
		return domain.Relation{}, false, err
	}
	return held[0], true, nil
}

func (u *unit) firstWritten(ctx context.Context, entry string) (at time.Time, err error) {
	row := u.tx.QueryRow(ctx, "SELECT create_time FROM clinical_entry WHERE county_code = $1 AND id = $2 AND version = 1", u.county, entry)
	if err := row.Scan(&at); err != nil {
		return at, fmt.Errorf("look when entry %s came: %w", entry, err)
	}
	return at.UTC(), nil
}

// otherVisit tells whether an encounter of the patient besides the one that changes stands at the organisation, one of this change included,
// and since when the first of them is known.
func (u *unit) otherVisit(ctx context.Context, c *entryChange, organization string) (since time.Time, other bool, err error) {
	changing := map[string]bool{c.entry.ID: true}
	for _, e := range u.entries {
		if e.entry.Kind != domain.KindEncounter || e.patient.ID() != c.patient.ID() {
			continue // a transaction of a hospital's system is of several patients
		}
		changing[e.entry.ID] = true
		if s := e.entry.Stay; s != nil && s.Organization == organization && !slices.Contains(domain.PastStatuses(domain.KindEncounter), e.entry.Status) {
			since, other = u.Now(), true
		}
	}
	q := query{args: []any{u.county, c.patient.ID()}}
	text := `SELECT e.id, e.version, e.organization_id, e.content, b.create_time FROM clinical_entry e
		JOIN clinical_entry b ON b.county_code = e.county_code AND b.id = e.id AND b.version = 1
		WHERE e.county_code = $1 AND ` + u.kin("e.patient_id", "$2") + " AND e.is_current AND e.kind = " + q.arg(string(domain.KindEncounter))
	for _, status := range domain.PastStatuses(domain.KindEncounter) {
		text += " AND e.status <> " + q.arg(status)
	}
	rows, err := u.tx.Query(ctx, text, q.args...)
	if err != nil {
		return since, false, fmt.Errorf("look for other visits of patient %s: %w", c.patient.ID(), err)
	}
	defer rows.Close()
	for rows.Next() {
		began, at, err := u.scanVisit(rows)
		if err != nil {
			return since, false, fmt.Errorf("look for other visits of patient %s: %w", c.patient.ID(), err)
		}
		if changing[at.id] || at.organization != organization {
			continue
		}
		if !other || began.Before(since) {
			since = began
		}
		other = true
	}
	return since, other, rows.Err()
}

// visit is an encounter and where it is.
type visit struct{ id, organization string }

// scanVisit reads a row of otherVisit. One that nobody was told of is where it was written.
func (u *unit) scanVisit(rows *sql.Rows) (began time.Time, v visit, err error) {
	var version int32
	var sealed []byte
	if err := rows.Scan(&v.id, &version, &v.organization, &sealed, &began); err != nil {
		return began, v, err
	}
	var content entryContent
	if err := u.open("clinical_entry", "content", versioned(v.id, version), sealed, &content); err != nil {
		return began, v, err
	}
	if told := content.told().Stay.Organization; told != "" {
		v.organization = told
	}
	return began.UTC(), v, nil
}
