package app

import (
	"context"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// packageResults bounds the results in a package.
const packageResults = 500

// relationsConsumer names this service's reading of referral facts in the inbox.
const relationsConsumer = "patientrecord-relations"

// ReferralFact is what a fact of the referral service says.
type ReferralFact struct {
	FactID  string
	County  string
	Account string
	// Organization of the account.
	Organization string
	// Submission: this fact is the submission itself, so that its time is when the package is assembled for.
	Submission bool
	// Again: it is a resubmission, after a return.
	Again    bool
	Standing domain.Standing
}

// ApplyReferral takes a referral's fact into account, once: relations follow the newest standing, and the hand-over package is
// assembled as at submission. Facts may come in any order.
func (a *App) ApplyReferral(ctx context.Context, f ReferralFact) error {
	cmd := Command{
		County: f.County, Account: f.Account, Organization: f.Organization, Consumer: relationsConsumer, FactID: f.FactID,
	}
	return a.store.Change(ctx, cmd, func(u Unit) (err error) {
		if f.Standing.Withheld, err = withheld(ctx, u, f.Standing); err != nil {
			return err
		}
		if err := a.follow(ctx, u, f.Standing); err != nil {
			return err
		}
		if !f.Submission || f.Standing.Withheld {
			return nil
		}
		return assemble(ctx, u, f.Standing, f.Standing.At, f.Again)
	})
}

// follow brings the relations to the standing unless a newer one was seen.
func (a *App) follow(ctx context.Context, u Unit, s domain.Standing) error {
	known, ok, err := u.Standing(ctx, s.ReferralID)
	if err != nil || ok && known.Version >= s.Version {
		return err
	}
	held, err := u.ReferralRelations(ctx, s.ReferralID)
	if err != nil {
		return err
	}
	u.PutStanding(s)
	u.PutRelations(domain.Settle(held, s, a.spans.Closed)...)
	return nil
}

// assemble keeps the package of a submission: of the first one once, of each resubmission beside the ones before.
func assemble(ctx context.Context, u Unit, s domain.Standing, submitted time.Time, again bool) error {
	if !again {
		there, err := u.HasPackage(ctx, s.ReferralID)
		if err != nil || there {
			return err
		}
	}
	summary, err := u.Summary(ctx, s.PatientID)
	if err != nil {
		return err
	}
	results, err := u.ResultsBetween(ctx, s.PatientID, submitted.Add(-domain.PackageSpan), submitted, packageResults)
	if err != nil {
		return err
	}
	documents, err := u.Travelling(ctx, s.PatientID, s.ReferralID, submitted.Add(-domain.PackageSpan), submitted)
	if err != nil {
		return err
	}
	u.PutPackage(domain.Package{
		ReferralID: s.ReferralID, ReferralVersion: s.Version, Resubmitted: again, Summary: summary, Results: results,
		Attachments: packed(documents), Assembled: u.Now(),
	})
	return nil
}

// packed are documents as they are handed over.
func packed(documents []domain.Attachment) []domain.PackageAttachment {
	out := make([]domain.PackageAttachment, len(documents))
	for i, a := range documents {
		out[i] = domain.PackageAttachment{Version: a.Keep().Version, Attachment: a}
	}
	return out
}

// ShownPackage is a package as the caller may see it.
type ShownPackage struct {
	ReferralID string
	Summary    ShownSummary
	Results    []domain.Entry
	Items      []domain.PackageItem
	// Attachments are the documents of it that count; Withdrawn is how many were entered in error since.
	Attachments []domain.PackageAttachment
	Withdrawn   int
	// NewerAllergies are those of the record as of now that the package does not have, or has otherwise.
	NewerAllergies []domain.Entry
	// Version of this package; Versions are all of the referral, oldest first.
	Version  domain.PackageVersion
	Versions []domain.PackageVersion
}

// Package is the hand-over package of a referral: for its sender and receiver from submission on, and for whoever sees the whole
// record; version 0 is the latest. When the fact of the submission has not come yet, the referral service is asked and the package
// assembled at once.
func (a *App) Package(ctx context.Context, caller authn.Identity, referral string, version int32) (ShownPackage, error) {
	standing, level, err := a.party(ctx, caller, referral)
	if err != nil {
		return ShownPackage{}, err
	}
	p, versions, ok, err := a.store.Package(ctx, caller.County, referral, version)
	if err != nil {
		return ShownPackage{}, err
	}
	if !ok && len(versions) > 0 {
		return ShownPackage{}, errs.NotFound("package")
	}
	if !ok {
		// The standing is known from a later fact; the submission's own is still on its way.
		if _, err := a.fetch(ctx, caller, referral); err != nil {
			return ShownPackage{}, err
		}
		if p, versions, ok, err = a.store.Package(ctx, caller.County, referral, version); err != nil || !ok {
			return ShownPackage{}, notThere(err)
		}
	}
	out, err := a.shownPackage(ctx, caller, handed{standing, level}, p)
	out.Version, out.Versions = which(versions, version), versions
	return out, err
}

// handed is a referral whose package the caller may see, and how far the caller sees its patient.
type handed struct {
	domain.Standing
	level domain.Level
}

// party finds the referral for its sender and receiver, and for whoever sees the whole record; NotFound for everybody else.
func (a *App) party(ctx context.Context, caller authn.Identity, referral string) (domain.Standing, domain.Level, error) {
	standing, known, err := a.store.Standing(ctx, caller.County, referral)
	if err == nil && !known {
		standing, err = a.fetch(ctx, caller, referral)
	}
	if err != nil {
		return standing, domain.LevelNone, err
	}
	level, held, err := a.levelOf(ctx, caller.County, standing.PatientID, caller.Organization)
	if err != nil {
		return standing, domain.LevelNone, err
	}
	now := a.clk.Now()
	party := slices.ContainsFunc(held, func(r domain.Relation) bool {
		return r.Source == referral && r.Level >= domain.LevelPackage && r.Holds(now)
	})
	if !party && level < domain.LevelFull {
		if level, err = a.levelFor(ctx, caller, standing.PatientID, domain.LevelFull); err != nil {
			return standing, level, err
		}
	}
	if !party && level < domain.LevelFull {
		return standing, level, errs.NotFound("package")
	}
	return standing, level, nil
}

// shownPackage is a package without what is withheld from the caller; the look is written down before.
func (a *App) shownPackage(ctx context.Context, caller authn.Identity, at handed, p domain.Package) (ShownPackage, error) {
	sieve, err := a.sieve(ctx, caller, p.Summary.Patient)
	if err != nil {
		return ShownPackage{}, err
	}
	summary, err := sieve.filterAll(p.Summary.Entries)
	if err != nil {
		return ShownPackage{}, err
	}
	results, err := sieve.Filter(p.Results)
	if err != nil {
		return ShownPackage{}, err
	}
	out := ShownPackage{
		ReferralID: at.ReferralID, Results: results,
		Items: domain.Package{Summary: domain.Summary{Entries: summary}, Results: results}.Items(),
	}
	for _, one := range p.Attachments {
		switch {
		case !one.Counts():
			out.Withdrawn++
		case sieve.child:
			// Documents have no codes: of a child they are withheld as a whole.
			sieve.Withheld.Count, sieve.Withheld.Child = sieve.Withheld.Count+1, true
		default:
			out.Attachments = append(out.Attachments, one)
		}
	}
	if out.NewerAllergies, err = a.newerAllergies(ctx, caller, at, p, sieve); err != nil {
		return ShownPackage{}, err
	}
	seen := sieve.with(look(caller, "record.package", at.PatientID))
	seen.ObjectType, seen.ObjectID = "referral", at.ReferralID
	if err := a.store.Audit(ctx, caller.County, seen); err != nil {
		return ShownPackage{}, err
	}
	out.Summary = ShownSummary{
		Patient: show(p.Summary.Patient, sieve.level(at.level), true), Entries: summary, Withheld: sieve.Withheld, Opening: sieve.Opening,
	}
	// The record may have been merged since.
	out.Summary.Patient.ID = at.PatientID
	return out, nil
}

// newerAllergies: what is handed over stays as it was, but nobody may be given what the record, by now, says is dangerous. After a withdrawn
// consent nothing new goes to the receiver.
func (a *App) newerAllergies(ctx context.Context, caller authn.Identity, at handed, p domain.Package, sieve *Sieve) ([]domain.Entry, error) {
	if p.Reply || at.Ended() {
		return nil, nil
	}
	if barred, err := a.barred(ctx, caller.County, at.ReferralID, caller.Organization); err != nil || barred {
		return nil, err
	}
	now, err := a.store.Summary(ctx, caller.County, at.PatientID)
	if err != nil {
		return nil, err
	}
	return sieve.Filter(slices.DeleteFunc(now.Entries[domain.KindAllergy], func(e domain.Entry) bool {
		return slices.ContainsFunc(p.Summary.Entries[domain.KindAllergy], func(old domain.Entry) bool { return old.ID == e.ID && old.Version == e.Version })
	}))
}

// which is the version that was asked for, the last one for 0.
func which(versions []domain.PackageVersion, version int32) domain.PackageVersion {
	for _, v := range versions {
		if v.Version == version {
			return v
		}
	}
	if len(versions) == 0 {
		return domain.PackageVersion{}
	}
	return versions[len(versions)-1]
}

func notThere(err error) error {
	if err != nil {
		return err
	}
	return errs.NotFound("package")
}

// fetch does what the submission's fact will do, from the referral service's own answer to this caller.
func (a *App) fetch(ctx context.Context, caller authn.Identity, referral string) (domain.Standing, error) {
	s, submitted, err := a.referrals.Standing(ctx, referral)
	if err != nil {
		return domain.Standing{}, err
	}
	if submitted.IsZero() {
		return domain.Standing{}, errs.NotFound("package")
	}
	err = a.store.Change(ctx, command(caller, Request{}), func(u Unit) (err error) {
		if s.Withheld, err = withheld(ctx, u, s); err != nil {
			return err
		}
		if err := a.follow(ctx, u, s); err != nil || s.Withheld {
			return err
		}
		return assemble(ctx, u, s, submitted, false)
	})
	return s, err
}
