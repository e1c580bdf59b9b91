package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// unit implements app.Unit: it reads in the transaction and collects what to write.
type unit struct {
	scope
	store   *Store
	cmd     app.Command
	request sqldb.Request

	patients  []domain.Patient
	sources   []source
	mothers   []domain.Motherhood
	relations []domain.Relation
	added     []domain.Relation
	entries   []entryChange
	standings []domain.Standing
	packages  []domain.Package
	looks     []app.Access
	orders    []domain.Order
	feed      []feedChange
	answer    *domain.Patient
	access    accessChanges
	consented consentChanges
	exported  []domain.Export
	reference string
	indexed
	documents []putAttachment
	// known are the versions of the standings that were read: what follows from one holds only as long as it stands.
	known map[string]int32
}

type source struct {
	patient string
	token   []byte
}

// entryChange is a new version of an entry.
type entryChange struct {
	patient domain.Patient
	// owner is the record that has the entry: a new version stays with the record of the old one.
	owner                               string
	entry                               domain.Entry
	sourceToken, contentToken, codeHash []byte
	// content is what contentToken is the hash of.
	content string
	// news is the fact to publish, told what was published last, this included; both of an encounter, and may be empty.
	news string
	told domain.Told
	// written is who wrote it, where and why.
	written domain.Written
}

var _ app.Unit = (*unit)(nil)

func (s *Store) unit(tx *sqldb.Tx, cmd app.Command) *unit {
	u := &unit{scope: scope{tx: tx, ring: s.ring, county: cmd.County}, store: s, cmd: cmd, known: map[string]int32{}}
	if cmd.Request.ID != "" {
		// Keyed: a plain hash of a form could be guessed back to the identity number.
		hashes := s.ring.Tokens("request", string(cmd.Request.Body))
		u.request = sqldb.Request{
			County: cmd.County, Account: cmd.Account, Method: cmd.Request.Method, ID: cmd.Request.ID,
			BodyHash: hashes[0], FormerHashes: hashes[1:],
		}
	}
	return u
}

// Now implements app.Unit.
func (u *unit) Now() time.Time { return u.tx.Now() }

// Answered implements app.Unit.
func (u *unit) Answered(ctx context.Context) (domain.Patient, bool, error) {
	sealed, found, err := u.tx.FindRequest(ctx, u.request)
	if err != nil || !found {
		return domain.Patient{}, false, err
	}
	var j patientJSON
	if err := u.open("request_log", "response", u.request.ID, sealed, &j); err != nil {
		return domain.Patient{}, false, err
	}
	return j.domain(), true, nil
}

// Answer implements app.Unit.
func (u *unit) Answer(p domain.Patient) { u.answer = &p }

// Patient implements app.Unit.
func (u *unit) Patient(ctx context.Context, id string) (domain.Patient, error) {
	return u.patient(ctx, id, u.tx.ForUpdate())
}

// PatientByNumber implements app.Unit.
func (u *unit) PatientByNumber(ctx context.Context, number string) (domain.Patient, bool, error) {
	if number == "" {
		return domain.Patient{}, false, nil
	}
	q := query{args: []any{u.county}}
	q.text = "SELECT " + patientColumns + " FROM patient p WHERE p.county_code = $1 AND p.number_token IN (" +
		places(&q, u.ring.Tokens(numberKind, number)) + ")" + u.tx.ForUpdate()
	return u.one(ctx, q)
}

// PatientBySource implements app.Unit.
func (u *unit) PatientBySource(ctx context.Context, system, identity string) (domain.Patient, bool, error) {
	q := query{args: []any{u.county}}
	q.text = "SELECT " + patientColumns + ` FROM patient p JOIN patient_source s ON s.county_code = p.county_code AND s.patient_id = p.id
		WHERE p.county_code = $1 AND s.source_token IN (` + places(&q, u.ring.Tokens(sourceKind, sourceText(system, identity))) + ")"
	if lock := u.tx.ForUpdate(); lock != "" {
		q.text += lock + " OF p"
	}
	return u.itself(ctx, q)
}

// one is the patient to whom the record leads.
func (u *unit) one(ctx context.Context, q query) (domain.Patient, bool, error) {
	p, found, err := u.itself(ctx, q)
	if err != nil || !found {
		return p, false, err
	}
	p, err = u.survivor(ctx, p)
	return p, err == nil, err
}

func (u *unit) itself(ctx context.Context, q query) (domain.Patient, bool, error) {
	p, err := u.scanPatient(u.tx.QueryRow(ctx, q.text, q.args...).Scan)
	if sqldb.NoRows(err) {
		return domain.Patient{}, false, nil
	}
	if err != nil {
		return domain.Patient{}, false, fmt.Errorf("find patient: %w", err)
	}
	return p, true, nil
}

func places(q *query, tokens [][]byte) string {
	text := ""
	for i, t := range tokens {
		if i > 0 {
			text += ", "
		}
		text += q.arg(t)
	}
	return text
}

// PutPatient implements app.Unit.
func (u *unit) PutPatient(p domain.Patient) { u.patients = append(u.patients, p) }

// Kinds of hashes that are not search terms.
const (
	numberKind  = "document"
	sourceKind  = "source"
	contentKind = "content"
	codeKind    = "code"
)

// sourceText joins the two names so that no two pairs give one text.
func sourceText(system, identity string) string {
	return fmt.Sprintf("%d:%s%s", len(system), system, identity)
}

// PutSource implements app.Unit.
func (u *unit) PutSource(patient, system, identity string) {
	u.sources = append(u.sources, source{patient, u.ring.Token(sourceKind, sourceText(system, identity))})
}

// Look implements app.Unit.
func (u *unit) Look(l app.Access) { u.looks = append(u.looks, l) }

// HomeRelations implements app.Unit.
func (u *unit) HomeRelations(ctx context.Context, patient string) ([]domain.Relation, error) {
	return u.scope.relations(ctx, u.kin("r.patient_id", "$2")+" AND r.kind = $3"+u.tx.ForUpdate(), u.county, patient, string(domain.Home))
}

// ReferralRelations implements app.Unit.
func (u *unit) ReferralRelations(ctx context.Context, referral string) ([]domain.Relation, error) {
	return u.scope.relations(ctx, "r.source = $2 AND r.kind = 'REFERRAL'"+u.tx.ForUpdate(), u.county, referral)
}

// PutRelations implements app.Unit.
func (u *unit) PutRelations(rs ...domain.Relation) { u.relations = append(u.relations, rs...) }

// AddRelation implements app.Unit.
func (u *unit) AddRelation(r domain.Relation) { u.added = append(u.added, r) }

// Standing implements app.Unit.
func (u *unit) Standing(ctx context.Context, referral string) (domain.Standing, bool, error) {
	s, ok, err := u.standing(ctx, referral, u.tx.ForUpdate())
	u.known[referral] = s.Version
	return s, ok, err
}

// PutStanding implements app.Unit.
func (u *unit) PutStanding(s domain.Standing) { u.standings = append(u.standings, s) }

// Summary implements app.Unit.
func (u *unit) Summary(ctx context.Context, patient string) (domain.Summary, error) {
	return u.summary(ctx, patient, "")
}

// ResultsBetween implements app.Unit.
func (u *unit) ResultsBetween(ctx context.Context, patient string, from, to time.Time, limit int) ([]domain.Entry, error) {
	within := func(q *query) string {
		return "e.effective_time >= " + q.arg(from) + " AND e.effective_time <= " + q.arg(to)
	}
	return u.scope.entries(ctx, patient, selection{domain.KindObservation, limit, within}, selection{domain.KindReport, limit, within})
}

// HasPackage implements app.Unit.
func (u *unit) HasPackage(ctx context.Context, referral string) (bool, error) {
	var n int
	err := u.tx.QueryRow(ctx, "SELECT count(*) FROM handover_package WHERE county_code = $1 AND referral_id = $2", u.county, referral).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for the package of referral %s: %w", referral, err)
	}
	return n > 0, nil
}

// Sent implements app.Unit.
func (u *unit) Sent(ctx context.Context, referral string) (last time.Time, documents map[string]bool, err error) {
	if last, err = u.lastPackage(ctx, referral); err != nil {
		return last, nil, err
	}
	rows, err := u.tx.Query(ctx, "SELECT DISTINCT attachment_id FROM handover_attachment WHERE county_code = $1 AND referral_id = $2", u.county, referral)
	if err != nil {
		return last, nil, fmt.Errorf("look what went with referral %s: %w", referral, err)
	}
	defer rows.Close()
	documents = map[string]bool{}
	for rows.Next() {
		var document string
		if err := rows.Scan(&document); err != nil {
			return last, nil, fmt.Errorf("look what went with referral %s: %w", referral, err)
		}
		documents[document] = true
	}
	return last, documents, rows.Err()
}

func (u *unit) lastPackage(ctx context.Context, referral string) (time.Time, error) {
	var at sql.NullTime
	err := u.tx.QueryRow(ctx, `SELECT assembled_time FROM (
		SELECT assembled_time FROM handover_package WHERE county_code = $1 AND referral_id = $2
		UNION ALL SELECT assembled_time FROM handover_version WHERE county_code = $1 AND referral_id = $2 AND NOT reply) p
		ORDER BY assembled_time DESC LIMIT 1`, u.county, referral).Scan(&at)
	if err != nil && !sqldb.NoRows(err) {
		return time.Time{}, fmt.Errorf("look for the last package of referral %s: %w", referral, err)
	}
	return at.Time.UTC(), nil
}

// PutPackage implements app.Unit.
func (u *unit) PutPackage(p domain.Package) { u.packages = append(u.packages, p) }

// PutEntries implements app.Unit.
func (u *unit) PutEntries(ctx context.Context, patient domain.Patient, entries []domain.Entry) (app.Counts, error) {
	known, err := u.knownEntries(ctx, patient.ID())
	if err != nil {
		return app.Counts{}, err
	}
	var n app.Counts
	for _, e := range entries {
		c, err := u.hashed(patient, e)
		if err != nil {
			return app.Counts{}, err
		}
		old, there := u.knownBy(known, e)
		switch {
		case there && u.sameContent(old, c):
			n.Unchanged++
			continue
		case there:
			n.Updated++
			c.entry.ID, c.entry.Version, c.owner = old.id, old.version+1, old.owner
		default:
			n.Created++
			c.entry.ID, c.entry.Version = id.New(), 1
		}
		if c.entry.Time.IsZero() {
			c.entry.Time = u.Now()
		}
		c.written = domain.Written{
			Author: domain.Person{Account: u.cmd.Account}, Writer: domain.Person{Account: u.cmd.Account}, Organization: u.cmd.Organization,
			Change: domain.Imported, Why: domain.Why{Code: e.Because},
		}
		if err := u.news(ctx, &c); err != nil {
			return app.Counts{}, err
		}
		for _, token := range u.ring.Tokens(sourceKind, sourceText(e.SourceSystem, e.SourceIdentity)) {
			known[string(token)] = knownEntry{c.entry.ID, c.entry.Version, string(c.contentToken), c.owner}
		}
		u.entries = append(u.entries, c)
	}
	return n, nil
}

// hashed is a change with its tokens.
func (u *unit) hashed(patient domain.Patient, e domain.Entry) (entryChange, error) {
	c := entryChange{patient: patient, owner: patient.ID(), entry: e}
	c.sourceToken = u.ring.Token(sourceKind, sourceText(e.SourceSystem, e.SourceIdentity))
	content, err := json.Marshal([]any{e.Kind, e.Category, e.Status, e.Code, e.Content})
	if err != nil {
		return c, fmt.Errorf("encode entry: %w", err)
	}
	c.content, c.contentToken = string(content), u.ring.Token(contentKind, string(content))
	c.codeHash = u.ring.Token(codeKind, e.Code)
	return c, nil
}

// knownBy finds an entry by its source, with whichever index key that was hashed.
func (u *unit) knownBy(known map[string]knownEntry, e domain.Entry) (knownEntry, bool) {
	for _, token := range u.ring.Tokens(sourceKind, sourceText(e.SourceSystem, e.SourceIdentity)) {
		if old, there := known[string(token)]; there {
			return old, true
		}
	}
	return knownEntry{}, false
}

func (u *unit) sameContent(old knownEntry, c entryChange) bool {
	return slices.ContainsFunc(u.ring.Tokens(contentKind, c.content), func(token []byte) bool { return string(token) == old.content })
}

// news finds out what an encounter's new version is told by.
func (u *unit) news(ctx context.Context, c *entryChange) (err error) {
	if c.entry.Stay == nil {
		return nil
	}
	if c.entry.Version > 1 {
		if c.told, err = u.scope.told(ctx, c.entry.ID, c.entry.Version-1); err != nil {
			return err
		}
	}
	was := c.told
	c.news = c.entry.News(u.Now(), c.told)
	if c.news != "" {
		c.told = domain.Told{Fact: c.news, Stay: *c.entry.Stay}
	}
	return u.visited(ctx, c, was)
}

type knownEntry struct {
	id      string
	version int32
	content string
	owner   string
}

func (u *unit) knownEntries(ctx context.Context, patient string) (map[string]knownEntry, error) {
	rows, err := u.tx.Query(ctx, `SELECT id, version, source_token, content_token, patient_id FROM clinical_entry
		WHERE county_code = $1 AND `+u.kin("patient_id", "$2")+` AND is_current`, u.county, patient)
	if err != nil {
		return nil, fmt.Errorf("load entries of patient %s: %w", patient, err)
	}
	defer rows.Close()
	known := map[string]knownEntry{}
	for rows.Next() {
		var k knownEntry
		var source, content []byte
		if err := rows.Scan(&k.id, &k.version, &source, &content, &k.owner); err != nil {
			return nil, fmt.Errorf("load entries of patient %s: %w", patient, err)
		}
		k.content = string(content)
		known[string(source)] = k
	}
	return known, rows.Err()
}
