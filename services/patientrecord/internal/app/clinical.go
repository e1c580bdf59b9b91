package app

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Clinical is the record as people write and read it. Safe for concurrent use.
type Clinical struct {
	app      *App
	measures domain.Measures
}

// NewClinical stands on the use cases of a, whose rules of access are its own.
func NewClinical(a *App, measures domain.Measures) *Clinical {
	return &Clinical{app: a, measures: measures}
}

// Recording is one write of statements about a patient, all or none.
type Recording struct {
	Request    Request
	PatientID  string
	Statements []domain.Statement
}

// ShownEntry is a version with what the caller may do to it.
type ShownEntry struct {
	domain.Written
	Sealed             bool
	MayAmend, MayRight bool
}

func actor(caller authn.Identity) domain.Actor {
	return domain.Actor{
		Person: domain.Person{Account: caller.Subject, Name: caller.Name}, Organization: caller.Organization,
		Department: caller.Department,
		Head:       caller.Has("DEPARTMENT_HEAD") || caller.Has("CENTRE_HEAD"),
	}
}

func (c *Clinical) shown(caller authn.Identity, w domain.Written) ShownEntry {
	who, now := actor(caller), c.app.clk.Now()
	return ShownEntry{
		Written: w, Sealed: w.Sealed(now),
		MayAmend: w.MayAmend(who, now) == domain.Allowed, MayRight: w.MayCorrect(who) == domain.Allowed,
	}
}

// Record writes statements, each a new entry.
func (c *Clinical) Record(ctx context.Context, caller authn.Identity, in Recording) ([]ShownEntry, error) {
	patient, _, err := c.app.open(ctx, caller, in.PatientID, domain.LevelFull)
	if err != nil {
		return nil, err
	}
	if err := c.check(in.Statements); err != nil {
		return nil, err
	}
	var ref string
	err = c.app.store.Change(ctx, command(caller, in.Request), func(u Unit) error {
		answered, ok, err := u.AnsweredReference(ctx)
		if err != nil || ok {
			ref = answered
			return err
		}
		if _, err := u.Patient(ctx, patient.ID()); err != nil { // one at a time: statements must not contradict each other
			return err
		}
		ids := make([]string, len(in.Statements))
		for i, s := range in.Statements {
			if err := c.under(ctx, u, patient.ID(), caller.Organization, i, s); err != nil {
				return err
			}
			if s.Stay != nil {
				s.Stay.Organization = caller.Organization
			}
			ids[i] = id.New()
			if err := u.PutWritten(ctx, patient, domain.Write(ids[i], patient.ID(), s, actor(caller), u.Now())); err != nil {
				return err
			}
		}
		ref = strings.Join(ids, ",")
		u.AnswerReference(ref)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c.first(ctx, caller, ref)
}

// first are the first versions of entries, so that a repeat of a request is answered as it was.
func (c *Clinical) first(ctx context.Context, caller authn.Identity, ref string) ([]ShownEntry, error) {
	var out []ShownEntry
	for entry := range strings.SplitSeq(ref, ",") {
		w, err := c.version(ctx, caller, entry, 1)
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

func (c *Clinical) version(ctx context.Context, caller authn.Identity, entry string, version int32) (ShownEntry, error) {
	versions, err := c.app.store.Versions(ctx, caller.County, entry)
	if err != nil {
		return ShownEntry{}, err
	}
	for _, w := range versions {
		if w.Version == version {
			return c.shown(caller, w), nil
		}
	}
	return ShownEntry{}, errs.NotFound("entry")
}

// check holds statements against what is plausible, and tells all that is wrong at once.
func (c *Clinical) check(statements []domain.Statement) error {
	var fields []errs.Field
	allergic := slices.ContainsFunc(statements, func(s domain.Statement) bool { return s.Kind == domain.KindAllergy && s.Code != domain.NoKnownAllergy })
	for i, s := range statements {
		if allergic && s.Kind == domain.KindAllergy && s.Code == domain.NoKnownAllergy {
			fields = append(fields, errs.Bad(fmt.Sprintf("entries[%d].text", i), errs.ReasonFieldCombination, "cause", domain.CauseAllergy))
		}
		for _, r := range s.Check(c.measures, c.app.clk.Now()) {
			fields = append(fields, field(fmt.Sprintf("entries[%d].", i), r))
		}
	}
	if len(fields) > 0 {
		return errs.Invalid(fields...)
	}
	return nil
}

func field(prefix string, r domain.Refusal) errs.Field {
	switch {
	case r.Reason == domain.ReasonCombination:
		return errs.Bad(prefix+r.Field, r.Reason, "with", r.Cause)
	case r.Cause == domain.CauseRange:
		return errs.Bad(prefix+r.Field, r.Reason, "cause", r.Cause, "min", number(r.Low), "max", number(r.High), "unit", r.Unit)
	case r.Cause == domain.CauseUnit:
		return errs.Bad(prefix+r.Field, r.Reason, "cause", r.Cause, "unit", r.Unit)
	case r.Cause != "":
		return errs.Bad(prefix+r.Field, r.Reason, "cause", r.Cause)
	}
	return errs.Bad(prefix+r.Field, r.Reason)
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// under checks what a statement is written under: a visit here, or a referral of ours, of this patient and not over; and that "no known allergy" is
// not said of somebody who has one on record.
func (c *Clinical) under(ctx context.Context, u Unit, patient, organization string, i int, s domain.Statement) error {
	bad := func(name string) error {
		return errs.Invalid(errs.Bad(fmt.Sprintf("entries[%d].%s", i, name), errs.ReasonFieldUnknown))
	}
	switch {
	case s.EncounterID != "":
		visit, err := u.Entry(ctx, s.EncounterID)
		switch {
		case errs.KindOf(err) == errs.KindNotFound && err != nil:
			return bad("encounterId")
		case err != nil:
			return err
		case visit.Kind != domain.KindEncounter || visit.PatientID != patient || visit.Organization != organization:
			return bad("encounterId")
		case visit.Ended:
			return sealed()
		}
	case s.ReferralID != "":
		referral, ok, err := u.Standing(ctx, s.ReferralID)
		switch {
		case err != nil:
			return err
		case !ok || referral.PatientID != patient || organization != referral.Originator && organization != referral.Receiver:
			return bad("referralId")
		case domain.ReferralOver(referral.State):
			return sealed()
		}
	}
	return noneKnown(ctx, u, patient, "", fmt.Sprintf("entries[%d].", i), s)
}

// noneKnown refuses "no known allergy" about somebody who has one on record, besides the entry that becomes the statement.
func noneKnown(ctx context.Context, u Unit, patient, entry, prefix string, s domain.Statement) error {
	if s.Kind != domain.KindAllergy || s.Code != domain.NoKnownAllergy {
		return nil
	}
	summary, err := u.Summary(ctx, patient)
	if err != nil {
		return err
	}
	for _, e := range summary.Entries[domain.KindAllergy] {
		if e.Code != domain.NoKnownAllergy && e.ID != entry {
			return errs.Invalid(errs.Bad(prefix+"text", errs.ReasonFieldCombination, "cause", domain.CauseAllergy))
		}
	}
	return nil
}

func sealed() error {
	return errs.New(errs.KindWrongState, errs.ReasonEntrySealed, "sealed: its visit, referral or day is over", nil)
}

// refusal turns a verdict into the one error vocabulary; nil when it is allowed.
func refusal(v domain.Verdict) error {
	switch v {
	case domain.Allowed:
		return nil
	case domain.Elsewhere:
		return errs.New(errs.KindWrongState, errs.ReasonEntryElsewhere, "another system gave it", nil)
	case domain.Gone:
		return errs.New(errs.KindWrongState, errs.ReasonEntryWithdrawn, "it was marked as entered in error", nil)
	case domain.IsSealed:
		return sealed()
	case domain.NotYours:
	}
	return errs.Denied(errs.ReasonNotTheAuthor)
}

// Altering is a change of one entry.
type Altering struct {
	Request   Request
	PatientID string
	EntryID   string
	// Version that the caller saw.
	Version int32
	// Statement is what it is to say now; not used by MarkInError.
	Statement domain.Statement
	// Why is not used by Amend.
	Why domain.Why
}

// Amend changes what is not sealed, by its author.
func (c *Clinical) Amend(ctx context.Context, caller authn.Identity, in Altering) (ShownEntry, error) {
	if err := c.check([]domain.Statement{in.Statement}); err != nil {
		return ShownEntry{}, err
	}
	return c.alter(ctx, caller, in, func(w domain.Written, who domain.Actor, now time.Time) (domain.Written, error) {
		return w.Amend(in.Statement, who, now), refusal(w.MayAmend(who, now))
	})
}

// Correct writes a corrected version, sealed or not.
func (c *Clinical) Correct(ctx context.Context, caller authn.Identity, in Altering) (ShownEntry, error) {
	if problems := in.Why.Check(); len(problems) > 0 {
		return ShownEntry{}, refused(problems, "")
	}
	if err := c.check([]domain.Statement{in.Statement}); err != nil {
		return ShownEntry{}, err
	}
	return c.alter(ctx, caller, in, func(w domain.Written, who domain.Actor, now time.Time) (domain.Written, error) {
		return w.Correct(in.Statement, in.Why, who, now), refusal(w.MayCorrect(who))
	})
}

// MarkInError takes an entry out of the record.
func (c *Clinical) MarkInError(ctx context.Context, caller authn.Identity, in Altering) (ShownEntry, error) {
	if problems := in.Why.Check(); len(problems) > 0 {
		return ShownEntry{}, refused(problems, "")
	}
	return c.alter(ctx, caller, in, func(w domain.Written, who domain.Actor, now time.Time) (domain.Written, error) {
		in.Statement.Kind = w.Kind
		return w.Withdraw(in.Why, who, now), refusal(w.MayCorrect(who))
	})
}

type alteration func(w domain.Written, who domain.Actor, now time.Time) (domain.Written, error)

func (c *Clinical) alter(ctx context.Context, caller authn.Identity, in Altering, change alteration) (ShownEntry, error) {
	if in.Version == 0 {
		return ShownEntry{}, errs.New(errs.KindInvalid, errs.ReasonVersionRequired, "the version that was seen is missing", nil)
	}
	patient, _, err := c.app.open(ctx, caller, in.PatientID, domain.LevelFull)
	if err != nil {
		return ShownEntry{}, err
	}
	sieve, err := c.app.sieve(ctx, caller, patient)
	if err != nil {
		return ShownEntry{}, err
	}
	version := in.Version + 1
	err = c.app.store.Change(ctx, command(caller, in.Request), func(u Unit) error {
		if _, ok, err := u.AnsweredReference(ctx); err != nil || ok {
			return err
		}
		if _, err := u.Patient(ctx, patient.ID()); err != nil {
			return err
		}
		w, err := u.Entry(ctx, in.EntryID)
		if err != nil {
			return err
		}
		if err := sieve.lets(patient, w); err != nil {
			return err
		}
		if err := noneKnown(ctx, u, patient.ID(), in.EntryID, "", in.Statement); err != nil {
			return err
		}
		next, err := change(w, actor(caller), u.Now())
		switch {
		case err != nil:
			return err
		case w.Version != in.Version:
			return errs.Stale(w.Version, w.Status)
		case next.Kind != w.Kind:
			return errs.Invalid(errs.Bad("content", errs.ReasonFieldCombination, "with", "id"))
		}
		if next.Stay != nil {
			next.Stay.Organization = w.Organization
		}
		u.AnswerReference(in.EntryID)
		return u.PutWritten(ctx, patient, next)
	})
	if err != nil {
		return ShownEntry{}, err
	}
	return c.version(ctx, caller, in.EntryID, version)
}
