package app

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Feed takes the messages of hospitals' own systems. Safe for concurrent use.
type Feed struct {
	store Store
	clk   clock.Clock
	zone  *time.Location
	kept  time.Duration
}

// DefaultFeedKept is how long a message that was stored or settled is known where nothing else is set.
const DefaultFeedKept = 90 * 24 * time.Hour

// NewFeed makes the use cases.
func NewFeed(d Deps) *Feed {
	return &Feed{store: d.Store, clk: d.Clock, zone: d.Zone, kept: cmp.Or(d.Spans.Feed, DefaultFeedKept)}
}

// Prune forgets messages that were stored or settled longer ago than they are kept: until then a repeat is known. What they said stays in the
// records; what is in quarantine stays until somebody has looked. It answers how many were forgotten.
func (f *Feed) Prune(ctx context.Context) (int64, error) {
	return f.store.PruneFeed(ctx, f.clk.Now().Add(-f.kept))
}

// Message is one message as the gateway read it: either Problem or Record says what to do with it.
type Message struct {
	County, Organization, Account string
	Sender, Control, Type         string
	Raw                           []byte
	Problem                       domain.FeedProblem
	Record                        *FeedRecord
}

// FeedRecord is what a message says of one patient.
type FeedRecord struct {
	SourceSystem, PatientIdentity string
	Details                       domain.Details
	// Updates: the sender keeps the patient's details. Else they only make a patient who is not known.
	Updates bool
	// BecomesHome: the organisation becomes the patient's home if there is none.
	BecomesHome bool
	// Merged is an identity that the sender has merged into PatientIdentity; empty for none.
	Merged string
	// Mother is her identity at the sender, MotherNumber that of her identity card; either may be empty.
	Mother, MotherNumber string
	Entries              []FeedEntry
}

// FeedEntry is one statement. Revise, if set, makes the entry to store from the one that is known under the identity.
type FeedEntry struct {
	Entry  domain.Entry
	Revise func(known domain.Entry) (domain.Entry, error)
}

// Accept stores a message, or keeps it in quarantine; when it answers nil that is done, and the same message again is known. A record that is
// refused goes to quarantine with the reason. An error means that nothing was kept.
func (f *Feed) Accept(ctx context.Context, in Message) (m domain.FeedMessage, known bool, err error) {
	m, known, err = f.accept(ctx, in)
	if problem, refused := refusalOf(err); refused {
		in.Record, in.Problem = nil, problem
		return f.accept(ctx, in)
	}
	return m, known, err
}

func (f *Feed) accept(ctx context.Context, in Message) (m domain.FeedMessage, known bool, err error) {
	cmd := Command{County: in.County, Account: in.Account, Organization: in.Organization}
	err = f.store.Change(ctx, cmd, func(u Unit) error {
		var other bool
		if m, known, other, err = u.SameMessage(ctx, in.Sender, in.Control, in.Raw); err != nil || known {
			return err
		}
		m = domain.FeedMessage{
			ID: id.New(), Organization: in.Organization, Account: in.Account, Sender: in.Sender, Control: in.Control, First: !other,
			Type: in.Type, Received: u.Now(),
		}
		switch {
		case other:
			m = m.Quarantine(domain.FeedProblem{Reason: domain.ReasonControlID, Position: "MSH-10"})
		case in.Record == nil:
			m = m.Quarantine(in.Problem)
		default:
			if _, err := f.write(ctx, u, in.Organization, *in.Record); err != nil {
				return err
			}
			m = m.Store(u.Now())
		}
		u.PutFeedMessage(m, in.Raw)
		return nil
	})
	return m, known, err
}

// refusalOf tells a message that can never be stored as it is from a fault.
func refusalOf(err error) (domain.FeedProblem, bool) {
	e, ok := errs.As(err)
	if !ok || e.Kind != errs.KindInvalid && e.Kind != errs.KindConflict {
		return domain.FeedProblem{}, false
	}
	p := domain.FeedProblem{Reason: e.Reason}
	if len(e.Fields) > 0 {
		p = domain.FeedProblem{Reason: e.Fields[0].Reason, Position: inMessage(e.Fields[0].Name)}
	}
	return p, true
}

// write stores what a message says.
func (f *Feed) write(ctx context.Context, u Unit, organization string, r FeedRecord) (domain.Patient, error) {
	for i, e := range r.Entries {
		if s := e.Entry.Stay; s != nil && s.Organization != "" && s.Organization != organization {
			return domain.Patient{}, errs.Invalid(errs.Bad("entries["+strconv.Itoa(i)+"].encounter.organizationId", errs.ReasonFieldCombination, "with", "sender"))
		}
	}
	patient, err := f.patient(ctx, u, organization, r)
	if err != nil {
		return patient, err
	}
	if r.Merged != "" && r.Merged != r.PatientIdentity {
		if err := mergedElsewhere(ctx, u, patient, r); err != nil {
			return patient, err
		}
	}
	if err := f.mother(ctx, u, patient, r); err != nil {
		return patient, err
	}
	entries := make([]domain.Entry, 0, len(r.Entries))
	for _, e := range r.Entries {
		entry := e.Entry
		if e.Revise != nil {
			known, there, err := u.EntryOf(ctx, patient.ID(), entry.SourceSystem, entry.SourceIdentity)
			if err != nil {
				return patient, err
			}
			if there {
				if entry, err = e.Revise(known); err != nil {
					return patient, err
				}
			}
		}
		entries = append(entries, entry)
	}
	_, err = u.PutEntries(ctx, patient, entries)
	return patient, err
}

// patient is the one that the record is about, made, found or brought up to date. One known only by the identity number keeps what people
// here entered. A hospital's message makes nobody's home.
func (f *Feed) patient(ctx context.Context, u Unit, organization string, r FeedRecord) (domain.Patient, error) {
	told, problems := domain.ImportedDemographics(r.Details, domain.DateOf(f.clk.Now().In(f.zone)))
	bySource, known, err := u.PatientBySource(ctx, r.SourceSystem, r.PatientIdentity)
	if err != nil {
		return bySource, err
	}
	if len(problems) > 0 && (!known || r.Updates) {
		return bySource, refused(problems, "patient.")
	}
	byNumber, taken, err := u.PatientByNumber(ctx, told.Number())
	if err != nil {
		return bySource, err
	}
	now, patient, home := u.Now(), bySource, ""
	if r.BecomesHome {
		home = organization
	}
	if known {
		if patient, err = u.Patient(ctx, bySource.ID()); err != nil {
			return bySource, err
		}
	}
	switch {
	case known && taken && patient.ID() != byNumber.ID():
		return bySource, errs.Conflict(errs.ReasonAlreadyRegistered, "another patient has this identity number")
	case known:
		return f.known(ctx, u, bySource, naming{r, patient, home})
	case taken:
		patient = byNumber
		if corrected, changed := patient.Correct(patient.Demographics(), cmp.Or(patient.Home(), home), now); changed {
			patient = corrected
			u.PutPatient(patient)
		}
	default:
		patient = domain.NewPatient(id.New(), told, home, now)
		u.PutPatient(patient)
		if err := rematch(ctx, u, patient); err != nil {
			return patient, err
		}
	}
	u.PutSource(patient.ID(), r.SourceSystem, r.PatientIdentity)
	u.PutRelations(domain.EncounterRelation(patient.ID(), organization, domain.FromImport, now))
	if home != "" && patient.Home() == home {
		u.PutRelations(domain.HomeRelation(patient.ID(), home, domain.FromImport, now))
	}
	return patient, nil
}

// naming is what a record says of a patient, and whose home it would make.
type naming struct {
	FeedRecord
	patient domain.Patient
	home    string
}

// known brings the record that the sender named before up to date. If it was merged, the survivor keeps its own details and home.
func (f *Feed) known(ctx context.Context, u Unit, p domain.Patient, r naming) (domain.Patient, error) {
	d := p.Demographics()
	if r.Updates {
		var problems domain.Problems
		if d, problems = domain.ImportedDemographics(d.Told(r.Details), domain.DateOf(f.clk.Now().In(f.zone))); len(problems) > 0 {
			return p, refused(problems, "patient.")
		}
	}
	if r.patient.ID() != p.ID() {
		r.home = ""
	}
	corrected, changed := p.Correct(d, cmp.Or(p.Home(), r.home), u.Now())
	if !changed {
		return r.patient, nil
	}
	if p.Home() != corrected.Home() {
		u.PutRelations(domain.HomeRelation(p.ID(), r.home, domain.FromImport, u.Now()))
	}
	return putCorrected(ctx, u, r.patient, corrected)
}

// inMessage names the place in a message instead of the field of the contract.
func inMessage(field string) string {
	places := map[string]string{
		"patient.name": "PID-5", "patient.birthDate": "PID-7", "patient.sex": "PID-8", "patient.documentType": "PID-3", "patient.identityNumber": "PID-3",
		"patient.phone": "PID-13", "patient.guardianName": "NK1-2", "patient.guardianPhone": "NK1-5",
	}
	if place, ok := places[field]; ok {
		return place
	}
	if strings.HasSuffix(field, "].encounter.organizationId") {
		return "PV1-3"
	}
	return field
}

// lists is whose messages a caller may list: a system administrator all of the county, others those for their organisation.
func lists(caller authn.Identity) (organization string, err error) {
	switch {
	case caller.Has("SYSTEM_ADMIN"):
		return "", nil
	case caller.Organization == "":
		return "", errs.Denied(errs.ReasonRole)
	}
	return caller.Organization, nil
}

// Messages is a page of messages in a state, newest first; next is zero on the last page.
func (f *Feed) Messages(ctx context.Context, caller authn.Identity, state domain.FeedState, after Cursor, size int) (page []domain.FeedMessage, next Cursor, err error) {
	organization, err := lists(caller)
	if err != nil {
		return nil, Cursor{}, err
	}
	if size == 0 {
		size = defaultResults
	}
	page, err = f.store.FeedMessages(ctx, caller.County, organization, state, after, size+1)
	if err != nil {
		return nil, Cursor{}, err
	}
	if len(page) > size {
		page = page[:size]
		next = Cursor{Time: page[size-1].Received, ID: page[size-1].ID}
	}
	return page, next, nil
}

// senderSpan is how far back stored messages of a sender are counted.
const senderSpan = 7 * 24 * time.Hour

// Senders that the caller may list, with what came of them.
func (f *Feed) Senders(ctx context.Context, caller authn.Identity) ([]FeedSender, error) {
	organization, err := lists(caller)
	if err != nil {
		return nil, err
	}
	return f.store.FeedSenders(ctx, caller.County, organization, f.clk.Now().Add(-senderSpan))
}

// Message with its content, for the people of the organisation; NotFound for others. It is patient data: the look is written down first.
func (f *Feed) Message(ctx context.Context, caller authn.Identity, message string) (domain.FeedMessage, error) {
	m, err := f.store.FeedMessage(ctx, caller.County, message)
	if err != nil {
		return m, err
	}
	if m.Organization != caller.Organization {
		return domain.FeedMessage{}, errs.NotFound("message")
	}
	return m, f.store.Audit(ctx, caller.County, ofMessage(caller, "feed.read", m))
}

func ofMessage(caller authn.Identity, action string, m domain.FeedMessage) Access {
	return Access{
		Account: caller.Subject, Organization: caller.Organization, Action: action, ObjectType: "feed_message", ObjectID: m.ID, Detail: m.Problem.Reason,
	}
}

// Reading is a message in quarantine at the version that the caller saw, and how it reads today.
type Reading struct {
	ID      string
	Version int32
	Problem domain.FeedProblem
	Record  *FeedRecord
}

// Replay takes a message in quarantine by today's reading of it. One that was stored meanwhile stays as it is.
func (f *Feed) Replay(ctx context.Context, caller authn.Identity, r Reading) (domain.FeedMessage, error) {
	decide := func(u Unit, m domain.FeedMessage) (domain.FeedMessage, error) {
		u.Look(ofMessage(caller, "feed.replay", m))
		if r.Record == nil {
			return m.Quarantine(r.Problem), nil
		}
		_, err := f.write(ctx, u, m.Organization, *r.Record)
		return m.Store(u.Now()), err
	}
	read := func(m domain.FeedMessage) bool { return m.State == domain.FeedStored }
	m, err := f.decide(ctx, caller, r, read, decide)
	if problem, refused := refusalOf(err); refused {
		r.Record, r.Problem = nil, problem
		return f.decide(ctx, caller, r, read, decide)
	}
	return m, err
}

// Settle ends the quarantine of a message that will not be stored.
func (f *Feed) Settle(ctx context.Context, caller authn.Identity, r Reading, reason string) (domain.FeedMessage, error) {
	if !slices.Contains(domain.SettleReasons(), reason) {
		return domain.FeedMessage{}, errs.Invalid(errs.Bad("reason", errs.ReasonFieldUnknown))
	}
	settled := func(m domain.FeedMessage) bool { return m.State == domain.FeedSettled && m.SettleReason == reason }
	return f.decide(ctx, caller, r, settled, func(u Unit, m domain.FeedMessage) (domain.FeedMessage, error) {
		u.Look(ofMessage(caller, "feed.settle", m))
		return m.Settle(reason, u.Now()), nil
	})
}

type decision func(Unit, domain.FeedMessage) (domain.FeedMessage, error)

// decide changes a message in quarantine of the caller's organisation, at the version that the caller saw. A message that has gone one version on, and
// is done as the caller wants it, is answered as it is: the answer to the first request may have been lost.
func (f *Feed) decide(ctx context.Context, caller authn.Identity, r Reading, done func(domain.FeedMessage) bool, change decision) (m domain.FeedMessage, err error) {
	cmd := Command{County: caller.County, Account: caller.Subject, Organization: caller.Organization}
	err = f.store.Change(ctx, cmd, func(u Unit) error {
		was, err := u.FeedMessage(ctx, r.ID)
		switch {
		case err != nil:
			return err
		case was.Organization != caller.Organization:
			return errs.NotFound("message")
		case was.Version == r.Version+1 && done(was):
			m = was
			return nil
		case !was.Open() || was.Version != r.Version:
			return errs.New(errs.KindStale, errs.ReasonStaleVersion, "the message is no longer as it was", nil)
		}
		if m, err = change(u, was); err != nil {
			return err
		}
		u.PutFeedMessage(m, nil)
		return nil
	})
	return m, err
}
