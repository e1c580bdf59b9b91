package app

import (
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// MotherUnit is what of a Unit belongs to mothers.
type MotherUnit interface {
	// MotherOf is whom a child's records name; ok is false for none.
	MotherOf(ctx context.Context, child string) (mother string, ok bool, err error)
	// PutMother names the mother of a child who has none named yet.
	PutMother(m domain.Motherhood)
}

// Named is a mother as somebody names her; empty for nobody.
type Named struct{ IdentityNumber, PatientID string }

// mayName checks that the caller may use what names her: a number counts as a look-up, a record must be one that the caller sees.
func (a *App) mayName(ctx context.Context, caller authn.Identity, n Named) error {
	switch {
	case n.PatientID != "":
		_, _, err := a.open(ctx, caller, n.PatientID, domain.LevelPackage)
		if kind := errs.KindOf(err); kind == errs.KindNotFound || kind == errs.KindDenied {
			return noMother("motherPatientId")
		}
		return err
	case n.IdentityNumber != "":
		return a.allowLookup(ctx, caller)
	}
	return nil
}

func noMother(field string) error {
	return errs.Invalid(errs.Bad(field, errs.ReasonFieldUnknown, "cause", domain.CauseMother))
}

// motherNamed finds her; the zero Patient when nobody is named.
func motherNamed(ctx context.Context, u Unit, n Named) (mother domain.Patient, err error) {
	field, found := "motherIdentityNumber", false
	switch {
	case n.PatientID != "":
		field = "motherPatientId"
		mother, err = u.Patient(ctx, n.PatientID)
		found = err == nil
	case n.IdentityNumber != "":
		mother, found, err = motherByNumber(ctx, u, n.IdentityNumber)
	default:
		return mother, nil
	}
	if err != nil && errs.KindOf(err) != errs.KindNotFound {
		return mother, err
	}
	if !found {
		return mother, noMother(field)
	}
	return mother, nil
}

// motherByNumber finds a patient by identity card or passport.
func motherByNumber(ctx context.Context, u Unit, number string) (p domain.Patient, found bool, err error) {
	for _, document := range []domain.DocumentType{domain.ResidentCard, domain.Passport} {
		if p, found, err = u.PatientByNumber(ctx, domain.NumberKey(document, number)); found || err != nil {
			return p, found, err
		}
	}
	return p, false, nil
}

// nameMother puts down the mother of a patient who comes, a record that was there already included; one who has a mother named keeps her.
// It answers whom the name means, also when she cannot be the mother.
func (a *App) nameMother(ctx context.Context, u Unit, child domain.Patient, n Named) (mother domain.Patient, err error) {
	if mother, err = motherNamed(ctx, u, n); err != nil || mother.ID() == "" {
		return mother, err
	}
	if ps := domain.CheckMother(child.Demographics().Details(), mother, a.today()); len(ps) > 0 {
		if n.PatientID != "" {
			ps[0].Field = "motherPatientId"
		}
		return mother, refused(ps, "")
	}
	if _, there, err := u.MotherOf(ctx, child.ID()); err != nil || there {
		return mother, err
	}
	u.PutMother(domain.Motherhood{ChildID: child.ID(), MotherID: mother.ID()})
	return mother, nil
}

// notMother writes down the look-up of a number that was refused as the mother's: the refusal tells whether somebody has it, and takes back all
// that the change wrote.
func (a *App) notMother(ctx context.Context, caller authn.Identity, mother domain.Patient, refusal error) error {
	e, ok := errs.As(refusal)
	if !ok || !slices.ContainsFunc(e.Fields, func(f errs.Field) bool { return f.Name == "motherIdentityNumber" }) {
		return refusal
	}
	seen := look(caller, findNumber, mother.ID())
	if mother.ID() == "" {
		seen.Detail = "NOT_FOUND"
	}
	if err := a.store.Audit(ctx, caller.County, seen); err != nil {
		return err
	}
	return refusal
}

// mother puts down whom a sender names as the mother of a child of whom none is named. What the sender says of somebody who is not known, or
// cannot be the mother, is passed over: it is no reason to refuse the child.
func (f *Feed) mother(ctx context.Context, u Unit, child domain.Patient, r FeedRecord) error {
	var mother domain.Patient
	var found bool
	var err error
	if r.Mother != "" && r.Mother != r.PatientIdentity {
		if mother, found, err = u.PatientBySource(ctx, r.SourceSystem, r.Mother); err != nil {
			return err
		}
	}
	if !found && r.MotherNumber != "" {
		if mother, found, err = motherByNumber(ctx, u, r.MotherNumber); err != nil {
			return err
		}
	}
	if !found || mother.ID() == child.ID() {
		return nil
	}
	today := domain.DateOf(f.clk.Now().In(f.zone))
	if len(domain.CheckMother(child.Demographics().Details(), mother, today)) > 0 {
		return nil
	}
	if _, there, err := u.MotherOf(ctx, child.ID()); err != nil || there {
		return err
	}
	u.PutMother(domain.Motherhood{ChildID: child.ID(), MotherID: mother.ID()})
	return nil
}

// withRelatives adds mother and children for who sees the whole record; their names are masked.
func (a *App) withRelatives(ctx context.Context, county string, s Shown) (Shown, error) {
	if s.Level < domain.LevelFull {
		return s, nil
	}
	list, err := a.store.Relatives(ctx, county, s.ID)
	for _, r := range list {
		s.Relatives = append(s.Relatives, ShownRelative{Shown: show(r.Patient, domain.LevelIndex, true), Kind: r.Kind})
	}
	return s, err
}
