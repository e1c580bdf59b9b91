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
		if f.Standing.Withheld, err = withheld(ctx, u, f.Standing.ReferralID); err != nil {
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
	u.PutPackage(domain.Package{
		ReferralID: s.ReferralID, ReferralVersion: s.Version, Resubmitted: again, Summary: summary, Results: results, Assembled: u.Now(),
	})
	return nil
}

// ShownPackage is a package as the caller may see it.
type ShownPackage struct {
	ReferralID string
	Summary    ShownSummary
	Results    []domain.Entry
	Items      []domain.PackageItem
	// Version of this package; Versions are all of the referral, oldest first.
	Version  domain.PackageVersion
	Versions []domain.PackageVersion
}

// Package is the hand-over package of a referral: for its sender and receiver from submission on, and for whoever sees the whole
// record; version 0 is the latest. When the fact of the submission has not come yet, the referral service is asked and the package
// assembled at once.
func (a *App) Package(ctx context.Context, caller authn.Identity, referral string, version int32) (ShownPackage, error) {
	standing, known, err := a.store.Standing(ctx, caller.County, referral)
	if err != nil {
		return ShownPackage{}, err
	}
	if !known {
		if standing, err = a.fetch(ctx, caller, referral); err != nil {
			return ShownPackage{}, err
		}
	}
	level, held, err := a.levelOf(ctx, caller.County, standing.PatientID, caller.Organization)
	if err != nil {
		return ShownPackage{}, err
	}
	now := a.clk.Now()
	party := slices.ContainsFunc(held, func(r domain.Relation) bool {
		return r.Source == referral && r.Level >= domain.LevelPackage && r.Holds(now)
	})
	if !party && level < domain.LevelFull {
		if level, err = a.levelFor(ctx, caller, standing.PatientID, domain.LevelFull); err != nil {
			return ShownPackage{}, err
		}
	}
	if !party && level < domain.LevelFull {
		return ShownPackage{}, errs.NotFound("package")
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
	seen := sieve.with(look(caller, "record.package", standing.PatientID))
	seen.ObjectType, seen.ObjectID = "referral", referral
	if err := a.store.Audit(ctx, caller.County, seen); err != nil {
		return ShownPackage{}, err
	}
	return ShownPackage{
		ReferralID: referral,
		Summary: ShownSummary{
			Patient: show(p.Summary.Patient, sieve.level(level), true), Entries: summary, Withheld: sieve.Withheld, Opening: sieve.Opening,
		},
		Results: results, Items: domain.Package{Summary: domain.Summary{Entries: summary}, Results: results}.Items(),
		Version: which(versions, version), Versions: versions,
	}, nil
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
		if s.Withheld, err = withheld(ctx, u, s.ReferralID); err != nil {
			return err
		}
		if err := a.follow(ctx, u, s); err != nil || s.Withheld {
			return err
		}
		return assemble(ctx, u, s, submitted, false)
	})
	return s, err
}
