package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Command is who changes what, and how often it may count.
type Command struct {
	County       string
	Account      string
	Organization string
	// Request makes a repeat harmless; with an empty ID every call counts.
	Request Request
	// Consumer and FactID are set when a fact causes the change: it counts once per consumer.
	Consumer, FactID string
}

// Request is one write as its caller named it. Body tells a repeat from another request; a store keeps no more of it than a keyed hash.
type Request struct {
	Method, ID string
	Body       []byte
}

// Access is one look at a patient, for the audit.
type Access struct {
	Account, Organization string
	// Action is patient.read, record.summary, …
	Action     string
	PatientID  string
	ObjectType string
	ObjectID   string
	// Detail is a code, never patient data.
	Detail string
}

// Cursor is a place in a list that is ordered newest first; the zero Cursor is its beginning.
type Cursor struct {
	Time time.Time
	ID   string
}

// Found is a patient with the relations of the organisation that asked.
type Found struct {
	Patient   domain.Patient
	Relations []domain.Relation
	// Also are the records that were merged into the patient's.
	Also []domain.Details
}

// Counts is what an import did to the entries.
type Counts struct{ Created, Updated, Unchanged int }

// Store keeps patients, relations and entries of all counties. A missing patient is errs.NotFound. Safe for concurrent use.
type Store interface {
	IndexStore

	// Change is the only way to write a record. fn works on a Unit; when it answers nil, rows, search tokens, audit entries, facts,
	// the request log and the inbox row derived from what the Unit collected are committed together, else nothing is. fn may
	// run more than once. A fact that this consumer had before is skipped: fn does not run and the answer is nil.
	Change(ctx context.Context, cmd Command, fn func(Unit) error) error
	// Audit writes down that somebody looks. Whoever answers with patient data calls it before.
	Audit(ctx context.Context, county string, looks ...Access) error

	// Patient of an id; of a record that was merged, the survivor. Everything else that is asked for by a patient's id is answered for
	// all records that are of one person.
	Patient(ctx context.Context, county, id string) (domain.Patient, error)
	// Relations of one organisation to one patient, those that ended included.
	Relations(ctx context.Context, county, patient, organization string) ([]domain.Relation, error)
	// FindByNumber finds the patients of the county whose document has exactly this number (as NormaliseNumber makes it).
	FindByNumber(ctx context.Context, county, organization, number string) ([]Found, error)
	// FindByWords finds at most limit patients, newest record first, that match every word in at least one of its terms, and to
	// whom the organisation has a relation at this moment. Terms are hashed: whoever calls checks the match.
	FindByWords(ctx context.Context, county, organization string, words []Word, limit int) ([]Found, error)

	// VillageClinics are the village clinics below an organisation; itself is it where it is one, the zero value otherwise.
	VillageClinics(ctx context.Context, county, organization string) (clinics []domain.Clinic, itself domain.Clinic, err error)
	// Relatives are the mother and the children of a patient, each once, the youngest child first.
	Relatives(ctx context.Context, county, patient string) ([]domain.Relative, error)
	// FindInCounty is FindByWords for who looks at the whole county, without relations. Who is found has none.
	FindInCounty(ctx context.Context, county string, words []Word, limit int) ([]Found, error)

	// Summary: see domain.Summary.
	Summary(ctx context.Context, county, patient string) (domain.Summary, error)
	// Values are the latest observation of each code, problems, medicines and allergies, those that are not past, and the encounters that are not over,
	// newest first.
	Values(ctx context.Context, county, patient string) ([]domain.Entry, error)
	// Results are the observations after the cursor, newest first, at most limit.
	Results(ctx context.Context, county, patient string, after Cursor, limit int) ([]domain.Entry, error)
	// Entry is the current version; errs.NotFound when there is none.
	Entry(ctx context.Context, county, id string) (domain.Written, error)
	// Versions of an entry, newest first; errs.NotFound when there is none.
	Versions(ctx context.Context, county, id string) ([]domain.Written, error)
	// Entries are the current versions that the listing asks for, newest first, at most limit.
	Entries(ctx context.Context, county, patient string, l Listing, limit int) ([]domain.Written, error)
	// Measured are the current observations with one of the codes (system|code), those that count, newest first, at most limit.
	Measured(ctx context.Context, county, patient string, m Measuring, limit int) ([]domain.Written, error)
	// Standing of a referral, as far as its facts have come; ok is false when none has.
	Standing(ctx context.Context, county, referral string) (s domain.Standing, ok bool, err error)
	// Package of a referral by its version, 0 for the latest, with all versions there are, oldest first; ok is false when there is none.
	Package(ctx context.Context, county, referral string, version int32) (p domain.Package, all []domain.PackageVersion, ok bool, err error)
	// Reply is the package that came back with a referral's answer, which is not among those versions; ok is false when there is none.
	Reply(ctx context.Context, county, referral string) (p domain.Package, ok bool, err error)

	AccessStore
	ConsentStore
	ExportStore
	AttachmentStore
	FeedStore
}

// Listing is which entries of a record are asked for; the zero Listing is all that were not entered in error.
type Listing struct {
	Kinds    []domain.EntryKind
	Category string
	// From is inclusive, To exclusive; either may be zero.
	From, To   time.Time
	WithErrors bool
	After      Cursor
}

// Measuring is which observations are asked for: From is inclusive, To exclusive, and either may be zero.
type Measuring struct {
	Codes    []string
	From, To time.Time
}

// Unit is one change under way: reads see the committed state, with rows that decide something locked; Put… only collects.
type Unit interface {
	IndexUnit

	Now() time.Time
	// Answered is the answer that the command's request got before. REQUEST_ID_REUSED when its body was another.
	Answered(ctx context.Context) (p domain.Patient, ok bool, err error)
	// Answer is what a repeat of the request is to get.
	Answer(p domain.Patient)

	// Patient of an id, of a merged one the survivor; so does PatientByNumber.
	Patient(ctx context.Context, id string) (domain.Patient, error)
	// PatientByNumber finds by domain.Demographics.Number.
	PatientByNumber(ctx context.Context, number string) (p domain.Patient, ok bool, err error)
	// PatientBySource finds by the identity that another system gave the record itself, also if it was merged: what that system says is of
	// this record, and of no other that leads to the same patient.
	PatientBySource(ctx context.Context, system, identity string) (p domain.Patient, ok bool, err error)
	// PutPatient takes a new or changed patient.
	PutPatient(p domain.Patient)
	PutSource(patient, system, identity string)

	// Look writes down with the change that somebody looks.
	Look(l Access)

	AccessUnit
	ConsentUnit
	ExportUnit

	// HomeRelations of a patient, those that ended included.
	HomeRelations(ctx context.Context, patient string) ([]domain.Relation, error)
	// ReferralRelations that a referral gave, those that ended included.
	ReferralRelations(ctx context.Context, referral string) ([]domain.Relation, error)
	// PutRelations writes each over the one of the same patient, organisation, kind and source.
	PutRelations(rs ...domain.Relation)
	// AddRelation writes one that is not there; if somebody writes it meanwhile, the change begins anew.
	AddRelation(r domain.Relation)

	// PutEntries writes entries of a patient. An identity that is known gets a new version if its content differs, else nothing. An
	// encounter that is news (domain.Entry.News) is published, and is a relation of the organisation where it is.
	PutEntries(ctx context.Context, patient domain.Patient, entries []domain.Entry) (Counts, error)

	// Entry is the current version; errs.NotFound when there is none.
	Entry(ctx context.Context, id string) (domain.Written, error)
	// PutWritten takes a new version of an entry of a patient that a person wrote. One that is not the next of the current is Stale.
	// What it tells others is as with PutEntries.
	PutWritten(ctx context.Context, patient domain.Patient, w domain.Written) error
	// AnsweredReference is what the command's request was answered with before. REQUEST_ID_REUSED when its body was another.
	AnsweredReference(ctx context.Context) (ref string, ok bool, err error)
	// AnswerReference is what a repeat of the request is to get.
	AnswerReference(ref string)

	Standing(ctx context.Context, referral string) (s domain.Standing, ok bool, err error)
	PutStanding(s domain.Standing)
	Summary(ctx context.Context, patient string) (domain.Summary, error)
	// ResultsBetween are the observations and reports from (inclusive) to (inclusive), newest first, at most limit of each.
	ResultsBetween(ctx context.Context, patient string, from, to time.Time, limit int) ([]domain.Entry, error)
	// HasPackage tells whether the package of the first submission is there.
	HasPackage(ctx context.Context, referral string) (bool, error)
	// Sent is when the latest package that went with a submission was assembled, zero when there is none, and the ids of the documents that
	// any package of the referral holds.
	Sent(ctx context.Context, referral string) (last time.Time, documents map[string]bool, err error)
	// PutPackage keeps a package. That of a resubmission, or a reply, that is there already stays as it is.
	PutPackage(p domain.Package)

	MotherUnit
	AttachmentUnit
	OrderUnit
	FeedUnit
}

// Referrals asks the referral service. Unavailable when it does not answer in time.
type Referrals interface {
	// Relation is how the organisation stands to the patient by referrals; LevelNone when it does not.
	Relation(ctx context.Context, county, patient, organization string) (level domain.Level, referral string, err error)
	// Standing is the referral as the caller of ctx may see it, with when it was submitted (zero for a draft); errs.NotFound else.
	Standing(ctx context.Context, referral string) (s domain.Standing, submitted time.Time, err error)
	// HandedBack is what the county hands back with a referral, as entries of the patient's record; none until there is something.
	// errs.NotFound for an unknown referral.
	HandedBack(ctx context.Context, county, referral string) (patient string, entries []domain.Entry, err error)
	// Consent is what a referral says of its consent; errs.NotFound for an unknown referral, a draft, and one without.
	Consent(ctx context.Context, county, referral string) (ReferralConsent, error)
}

// Published is a fact for the stream.
type Published struct {
	FactID  string
	County  string
	Fact    domain.Fact
	Patient string
	// Version of the patient, or of the encounter.
	Version int32
	Account string
	// Organization of the account.
	Organization string
	Time         time.Time
}
