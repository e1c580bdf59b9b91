package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/events"
)

// This file is the one place where a change becomes rows, search tokens, audit entries, facts and the request log.

// batch bounds the statements that wait in memory of client and server at once.
const batch = 500

// derived collects the statements of a commit.
type derived struct {
	u     *unit
	stmts []sqldb.Stmt
	facts []outbox.Fact
	err   error
}

func (u *unit) commit(ctx context.Context) error {
	d := &derived{u: u}
	for _, p := range u.patients {
		d.patient(p)
	}
	if err := d.index(ctx); err != nil {
		return err
	}
	for _, s := range u.sources {
		d.write(1, `INSERT INTO patient_source (county_code, source_token, patient_id, create_time) VALUES ($1, $2, $3, $4)`,
			u.county, s.token, s.patient, u.Now())
	}
	for _, m := range u.mothers {
		d.mother(m)
	}
	d.relations()
	d.entries()
	for _, s := range u.standings {
		d.standing(s)
	}
	for _, p := range u.packages {
		d.handover(p)
	}
	d.access()
	if err := d.consents(ctx); err != nil {
		return err
	}
	for _, e := range u.exported {
		d.export(e)
	}
	d.attachments()
	for _, o := range u.orders {
		d.order(o)
	}
	for _, m := range u.feed {
		d.feed(m)
	}
	for _, l := range u.looks {
		d.stmts = append(d.stmts, lookStmt(u.county, l, u.Now()))
	}
	d.answered()
	if d.err != nil {
		return d.err
	}
	if len(d.facts) > 0 {
		d.stmts = append(d.stmts, outbox.Stmts(ctx, d.facts...)...)
		u.tx.OnCommit(u.store.wake)
	}
	for len(d.stmts) > batch {
		if err := u.tx.Batch(ctx, d.stmts[:batch]...); err != nil {
			return err
		}
		d.stmts = d.stmts[batch:]
	}
	return u.tx.Last(ctx, d.stmts...)
}

// answered keeps what a request was answered with, for its repeats.
func (d *derived) answered() {
	u := d.u
	keep := func(answer any) {
		sealed, err := u.seal("request_log", "response", u.request.ID, answer)
		d.fail(err)
		d.stmts = append(d.stmts, sqldb.RequestStmt(u.request, sealed, u.Now()))
	}
	switch {
	case u.request.ID == "":
	case u.reference != "":
		keep(u.reference)
	case u.answer != nil:
		keep(toPatient(*u.answer))
	case u.access.replay != nil:
		keep(json.RawMessage(u.access.replay))
	}
}

func (d *derived) write(want int64, query string, args ...any) {
	d.stmts = append(d.stmts, sqldb.Stmt{SQL: query, Args: args, Want: want})
}

func (d *derived) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *derived) audit(action, objectType, objectID, patient, detail string) {
	u := d.u
	d.stmts = append(d.stmts, audit.Stmt(audit.Entry{
		County: u.county, AccountID: u.cmd.Account, OrganizationID: u.cmd.Organization, Action: action,
		ObjectType: objectType, ObjectID: objectID, PatientID: patient, Detail: detail,
	}, id.New(), u.Now()))
}

func (d *derived) patient(p domain.Patient) {
	u, k := d.u, p.Keep()
	sealed, err := u.seal("patient", "demographics", k.ID, toDemographics(k.Demographics))
	d.fail(err)
	var number any
	if n := k.Demographics.Number(); n != "" {
		number = u.ring.Token(numberKind, n)
		d.freeNumber(p)
	}
	if k.Version == 1 {
		d.write(1, `INSERT INTO patient (county_code, id, version, demographics, number_token, home_organization_id, create_time, update_time)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, u.county, k.ID, k.Version, sealed, number, k.Home, k.Created, k.Updated)
	} else {
		token := "$5"
		if number != nil && !p.Renumbered() {
			// Another record may have had the number since the two were one person: it stays there.
			token = `CASE WHEN EXISTS (SELECT 1 FROM patient o WHERE o.county_code = $1 AND o.number_token = $5 AND o.id <> $2)
				THEN number_token ELSE $5 END`
		}
		d.write(1, `UPDATE patient SET version = $3, demographics = $4, number_token = `+token+`, home_organization_id = $6, update_time = $7
			WHERE county_code = $1 AND id = $2 AND version = $3 - 1`, u.county, k.ID, k.Version, sealed, number, k.Home, k.Updated)
	}
	for _, f := range p.Facts() {
		d.audit(strings.Replace(f.Name, "_", ".", 1), "patient", k.ID, k.ID, f.Removed)
		d.publish(f, k.ID, k.Version)
	}
}

// freeNumber takes the number of the record away from the others of the same person: it leads to the one survivor wherever it stands.
func (d *derived) freeNumber(p domain.Patient) {
	u := d.u
	if p.Version() == 1 {
		return
	}
	q := query{args: []any{u.county, p.ID()}}
	q.text = "UPDATE patient SET number_token = NULL WHERE county_code = $1 AND id <> $2 AND number_token IN (" +
		places(&q, u.ring.Tokens(numberKind, p.Demographics().Number())) + ") AND " + u.kin("id", "$2")
	d.write(-1, q.text, q.args...)
}

// publish puts a fact into the outbox if the contract names it.
func (d *derived) publish(f domain.Fact, patient string, version int32) {
	u := d.u
	fact, public, err := events.Encode(app.Published{
		FactID: id.New(), County: u.county, Fact: f, Patient: patient, Version: version,
		Account: u.cmd.Account, Organization: u.cmd.Organization, Time: u.Now(),
	})
	d.fail(err)
	if public {
		d.facts = append(d.facts, fact)
	}
}

func (d *derived) relations() {
	for _, r := range d.u.relations {
		d.relation(r, "DO UPDATE SET level = excluded.level, from_time = excluded.from_time, to_time = excluded.to_time")
	}
	for _, r := range d.u.added {
		d.relation(r, "DO NOTHING")
	}
}

func (d *derived) relation(r domain.Relation, there string) {
	d.write(1, `INSERT INTO care_relation (county_code, patient_id, organization_id, kind, source, level, from_time, to_time)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (county_code, patient_id, organization_id, kind, source) `+there,
		d.u.county, r.PatientID, r.Organization, string(r.Kind), r.Source, int16(r.Level), r.From, nullTime(r.To))
	d.audit("relation.set", "organization", r.Organization, r.PatientID, string(r.Kind))
}

func nullTime(t time.Time) sql.NullTime { return sql.NullTime{Time: t, Valid: !t.IsZero()} }

func (d *derived) entries() {
	u := d.u
	patients := map[string]bool{}
	for _, c := range u.entries {
		e := c.entry
		w := c.written
		organization := w.Organization
		if !w.ByPerson() {
			organization = u.cmd.Organization // a hospital's own system sent it; empty for what the machine's commands import
		}
		content := toEntryContent(e, c.told)
		content.Author, content.Writer, content.Note = w.Author.Name, w.Writer.Name, w.Why.Note
		sealed, err := u.seal("clinical_entry", "content", versioned(e.ID, e.Version), content)
		d.fail(err)
		if e.Version > 1 {
			d.write(1, `UPDATE clinical_entry SET is_current = FALSE WHERE county_code = $1 AND id = $2 AND version = $3 - 1 AND is_current`,
				u.county, e.ID, e.Version)
		}
		d.write(1, `INSERT INTO clinical_entry (county_code, id, version, is_current, patient_id, source_token, content_token, kind, category,
			code_token, status, effective_time, content, create_time, author_id, writer_id, organization_id, change_kind, reason_code, after_sealing,
			encounter_id, referral_id, record_time, end_time)
			VALUES ($1, $2, $3, TRUE, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)`,
			u.county, e.ID, e.Version, c.owner, c.sourceToken, c.contentToken, string(e.Kind), e.Category,
			c.codeHash, e.Status, e.Time.UTC().Truncate(time.Microsecond), sealed, u.Now(),
			w.Author.Account, w.Writer.Account, organization, string(w.Change), w.Why.Code, w.AfterSealing,
			w.EncounterID, w.ReferralID, nullTime(w.Began), nullTime(c.end()))
		if e.Told(u.Now()) {
			d.publish(domain.Fact{Name: domain.ResultRecorded, HomeOrganization: c.patient.Home(), Result: e}, c.patient.ID(), e.Version)
		}
		if w.ByPerson() {
			d.audit("record."+strings.ToLower(string(w.Change)), "entry", e.ID, c.patient.ID(), w.Why.Code)
			if c.news != "" {
				d.publish(domain.Fact{Name: c.news, HomeOrganization: c.patient.Home(), Stay: e.Stay, EncounterID: e.ID}, c.patient.ID(), e.Version)
			}
			continue
		}
		patients[c.patient.ID()] = true
		if c.news != "" {
			d.publish(domain.Fact{Name: c.news, HomeOrganization: c.patient.Home(), Stay: e.Stay, EncounterID: e.ID}, c.patient.ID(), e.Version)
		}
	}
	for p := range patients {
		d.audit("record.write", "patient", p, p, "")
	}
}

// standing replaces the one that was read. Another that came meanwhile (the first facts of a referral find no row to lock) loses the race:
// the relations were settled without it.
func (d *derived) standing(s domain.Standing) {
	d.write(1, `INSERT INTO referral_standing (county_code, referral_id, version, patient_id, state, previous, originator_id, receiver_id, written,
		occur_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (county_code, referral_id) DO UPDATE SET version = excluded.version, state = excluded.state, previous = excluded.previous,
		originator_id = excluded.originator_id, receiver_id = excluded.receiver_id, written = excluded.written, occur_time = excluded.occur_time
		WHERE referral_standing.version = $11 AND referral_standing.version < excluded.version`,
		d.u.county, s.ReferralID, s.Version, s.PatientID, string(s.State), string(s.Previous), s.Originator, s.Receiver, s.Written, s.At,
		d.u.known[s.ReferralID])
}

func (d *derived) handover(p domain.Package) {
	for _, a := range p.Attachments {
		// To a package that is there already nothing is added.
		d.write(-1, `INSERT INTO handover_attachment (county_code, referral_id, referral_version, attachment_id, attachment_version)
			SELECT CAST($1 AS text), CAST($2 AS text), CAST($3 AS integer), CAST($4 AS text), CAST($5 AS integer)
			WHERE NOT EXISTS (SELECT 1 FROM handover_version v WHERE v.county_code = $1 AND v.referral_id = $2
				AND (v.referral_version = $3 OR v.reply AND CAST($6 AS boolean)))
			ON CONFLICT DO NOTHING`, d.u.county, p.ReferralID, p.ReferralVersion, a.ID(), a.Version, p.Reply)
	}
	if p.Resubmitted || p.Reply {
		d.beside(p)
		return
	}
	sealed, err := d.u.seal("handover_package", "content", p.ReferralID, toPackage(p))
	d.fail(err)
	d.write(1, `INSERT INTO handover_package (county_code, referral_id, patient_id, content, assembled_time) VALUES ($1, $2, $3, $4, $5)`,
		d.u.county, p.ReferralID, p.Summary.Patient.ID(), sealed, p.Assembled)
	d.audit("package.assemble", "referral", p.ReferralID, p.Summary.Patient.ID(), "")
}

// beside writes the package of a resubmission or a reply beside those before; again it changes nothing.
func (d *derived) beside(p domain.Package) {
	sealed, err := d.u.seal("handover_version", "content", versioned(p.ReferralID, p.ReferralVersion), toPackage(p))
	d.fail(err)
	d.write(-1, `INSERT INTO handover_version (county_code, referral_id, referral_version, patient_id, content, assembled_time, reply)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		d.u.county, p.ReferralID, p.ReferralVersion, p.Summary.Patient.ID(), sealed, p.Assembled, p.Reply)
	what := "resubmission"
	if p.Reply {
		what = "reply"
	}
	d.audit("package.assemble", "referral", p.ReferralID, p.Summary.Patient.ID(), what)
}
