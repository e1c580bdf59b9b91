package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// writtenColumns: v is the visit, and s the referral, that an entry was written under.
var writtenColumns = `e.id, e.version, e.kind, e.category, e.status, e.effective_time, e.content, ` + rootOf("e.patient_id") + `, e.author_id, e.writer_id,
		e.organization_id, e.change_kind, e.reason_code, e.after_sealing, e.encounter_id, e.referral_id, e.record_time, e.create_time, e.end_time,
		v.status, v.end_time, s.state`

const writtenTables = ` FROM clinical_entry e
		LEFT JOIN clinical_entry v ON v.county_code = e.county_code AND v.id = e.encounter_id AND v.is_current
		LEFT JOIN referral_standing s ON s.county_code = e.county_code AND s.referral_id = e.referral_id `

// end is when the visit that the entry is was over; zero for everything else.
func (c entryChange) end() time.Time {
	if c.entry.Stay == nil {
		return time.Time{}
	}
	return c.entry.Stay.End
}

func (c scope) scanWritten(scan func(...any) error) (domain.Written, error) {
	var w domain.Written
	var sealed []byte
	var began, end, visitEnd sql.NullTime
	var visit, referral sql.NullString
	err := scan(&w.ID, &w.Version, &w.Kind, &w.Category, &w.Status, &w.Time, &sealed, &w.PatientID, &w.Author.Account, &w.Writer.Account,
		&w.Organization, &w.Change, &w.Why.Code, &w.AfterSealing, &w.EncounterID, &w.ReferralID, &began, &w.At, &end, &visit, &visitEnd, &referral)
	if err != nil {
		return w, err
	}
	var content entryContent
	if err := c.open("clinical_entry", "content", versioned(w.ID, w.Version), sealed, &content); err != nil {
		return w, err
	}
	w.SourceSystem, w.SourceIdentity = domain.OwnSystem, w.ID
	w.Code, w.Content, w.Department = content.Code, content.Content, content.Department
	w.Author.Name, w.Writer.Name, w.Why.Note = content.Author, content.Writer, content.Note
	w.Time, w.At = w.Time.UTC(), w.At.UTC()
	if w.Began = w.At; began.Valid {
		w.Began = began.Time.UTC()
	}
	switch {
	case w.Kind == domain.KindEncounter:
		w.Ended = domain.EncounterOver(w.Status, end.Time)
	case w.EncounterID != "":
		// A visit that is gone cannot be written under any more.
		w.Ended = !visit.Valid || domain.EncounterOver(visit.String, visitEnd.Time)
	case w.ReferralID != "":
		w.Ended = referral.Valid && domain.ReferralOver(domain.State(referral.String))
	}
	return w, nil
}

func (c scope) writtenBy(ctx context.Context, tail string, args ...any) ([]domain.Written, error) {
	rows, err := c.tx.Query(ctx, "SELECT "+writtenColumns+writtenTables+tail, args...)
	if err != nil {
		return nil, fmt.Errorf("load entries: %w", err)
	}
	defer rows.Close()
	var out []domain.Written
	for rows.Next() {
		w, err := c.scanWritten(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("load entries: %w", err)
		}
		out = append(out, w)
	}
	return out, rows.Err()
}

func (c scope) entry(ctx context.Context, id, lock string) (domain.Written, error) {
	list, err := c.writtenBy(ctx, "WHERE e.county_code = $1 AND e.id = $2 AND e.is_current"+lock, c.county, id)
	if err == nil && len(list) == 0 {
		err = errs.NotFound("entry")
	}
	if err != nil {
		return domain.Written{}, err
	}
	return list[0], nil
}

// Entry implements app.Store.
func (s *Store) Entry(ctx context.Context, county, id string) (w domain.Written, err error) {
	err = s.read(ctx, county, func(c scope) error {
		w, err = c.entry(ctx, id, "")
		return err
	})
	return w, err
}

// Versions implements app.Store.
func (s *Store) Versions(ctx context.Context, county, id string) (out []domain.Written, err error) {
	err = s.read(ctx, county, func(c scope) error {
		out, err = c.writtenBy(ctx, "WHERE e.county_code = $1 AND e.id = $2 ORDER BY e.version DESC", county, id)
		return err
	})
	if err == nil && len(out) == 0 {
		err = errs.NotFound("entry")
	}
	return out, err
}

// Entries implements app.Store.
func (s *Store) Entries(ctx context.Context, county, patient string, l app.Listing, limit int) (out []domain.Written, err error) {
	q := query{args: []any{county, patient}}
	where := "WHERE e.county_code = $1 AND " + kin(s.db.Engine(), "e.patient_id", "$2") + " AND e.is_current"
	if len(l.Kinds) > 0 {
		kinds := make([]string, len(l.Kinds))
		for i, k := range l.Kinds {
			kinds[i] = q.arg(string(k))
		}
		where += " AND e.kind IN (" + strings.Join(kinds, ", ") + ")"
	}
	if l.Category != "" {
		where += " AND e.category = " + q.arg(l.Category)
	}
	if !l.WithErrors {
		where += " AND e.status <> " + q.arg(domain.EnteredInError)
	}
	where += span(&q, l.From, l.To)
	if l.After != (app.Cursor{}) {
		t, id := q.arg(l.After.Time), q.arg(l.After.ID)
		where += " AND (e.effective_time < " + t + " OR e.effective_time = " + t + " AND e.id < " + id + ")"
	}
	where += " ORDER BY e.effective_time DESC, e.id DESC LIMIT " + q.arg(limit)
	err = s.read(ctx, county, func(c scope) error {
		out, err = c.writtenBy(ctx, where, q.args...)
		return err
	})
	return out, err
}

// span bounds effective times, half-open.
func span(q *query, from, to time.Time) string {
	text := ""
	if !from.IsZero() {
		text += " AND e.effective_time >= " + q.arg(from)
	}
	if !to.IsZero() {
		text += " AND e.effective_time < " + q.arg(to)
	}
	return text
}

// Measured implements app.Store.
func (s *Store) Measured(ctx context.Context, county, patient string, m app.Measuring, limit int) (out []domain.Written, err error) {
	if len(m.Codes) == 0 {
		return nil, nil
	}
	q := query{args: []any{county, patient}}
	var tokens [][]byte
	for _, code := range m.Codes {
		tokens = append(tokens, s.ring.Tokens(codeKind, code)...)
	}
	where := "WHERE e.county_code = $1 AND " + kin(s.db.Engine(), "e.patient_id", "$2") + " AND e.is_current AND e.kind = " + q.arg(string(domain.KindObservation)) +
		" AND e.code_token IN (" + places(&q, tokens) + ")"
	for _, status := range domain.PastStatuses(domain.KindObservation) {
		where += " AND e.status <> " + q.arg(status)
	}
	where += span(&q, m.From, m.To) + " ORDER BY e.effective_time DESC, e.id DESC LIMIT " + q.arg(limit)
	err = s.read(ctx, county, func(c scope) error {
		out, err = c.writtenBy(ctx, where, q.args...)
		return err
	})
	return out, err
}

// Entry implements app.Unit.
func (u *unit) Entry(ctx context.Context, id string) (domain.Written, error) {
	lock := u.tx.ForUpdate()
	if lock != "" {
		lock += " OF e"
	}
	return u.entry(ctx, id, lock)
}

// PutWritten implements app.Unit.
func (u *unit) PutWritten(ctx context.Context, patient domain.Patient, w domain.Written) error {
	w.SourceSystem, w.SourceIdentity = domain.OwnSystem, w.ID
	if w.Time.IsZero() {
		w.Time = u.Now()
	}
	c, err := u.hashed(patient, w.Entry)
	if err != nil {
		return err
	}
	c.written = w
	if w.Version > 1 {
		row := u.tx.QueryRow(ctx, "SELECT patient_id FROM clinical_entry WHERE county_code = $1 AND id = $2 AND version = $3", u.county, w.ID, w.Version-1)
		if err := row.Scan(&c.owner); err != nil {
			return fmt.Errorf("look whose entry %s is: %w", w.ID, err)
		}
	}
	if w.Kind == domain.KindEncounter && c.entry.Stay == nil {
		told, err := u.told(ctx, w.ID, w.Version-1)
		if err != nil {
			return err
		}
		c.entry.Stay = &told.Stay
	}
	if err := u.news(ctx, &c); err != nil {
		return err
	}
	u.entries = append(u.entries, c)
	return nil
}

// AnsweredReference implements app.Unit.
func (u *unit) AnsweredReference(ctx context.Context) (ref string, ok bool, err error) {
	sealed, found, err := u.tx.FindRequest(ctx, u.request)
	if err != nil || !found {
		return "", false, err
	}
	err = u.open("request_log", "response", u.request.ID, sealed, &ref)
	return ref, err == nil, err
}

// AnswerReference implements app.Unit.
func (u *unit) AnswerReference(ref string) { u.reference = ref }
