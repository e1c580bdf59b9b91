package app

import (
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Registration is a patient as a person typed it.
type Registration struct {
	Request Request
	Details domain.Details
	// SameAs is the id of a likely match of which the caller says that it is this patient: no second record is written. Of a record with a
	// document that the caller does not see anyway, the description must have the number.
	SameAs string
	// Mother of a child younger than a year, of whom none is named yet.
	Mother Named
}

// Register adds a patient at the caller's organisation, which is an encounter there. Who does primary care becomes the patient's
// home; a hospital does not. The same identity number again is ALREADY_REGISTERED with metadata "patientId", and gives no relation: typing a
// number is no way around breaking the glass. Visit is for a patient who is there.
func (a *App) Register(ctx context.Context, caller authn.Identity, in Registration) (Shown, error) {
	if caller.Organization == "" {
		return Shown{}, errs.Denied(errs.ReasonRole)
	}
	demographics, problems := domain.NewDemographics(in.Details, a.today())
	said, err := a.said(ctx, caller, in.SameAs)
	if err != nil {
		return Shown{}, err
	}
	if err := a.mayName(ctx, caller, in.Mother); err != nil {
		return Shown{}, err
	}
	var patient, mother domain.Patient
	known := false
	err = a.store.Change(ctx, command(caller, in.Request), func(u Unit) error {
		known = false
		first, answered, err := u.Answered(ctx)
		if err != nil {
			return err
		}
		if answered {
			patient = first
			return nil
		}
		if len(problems) > 0 {
			return refused(problems, "")
		}
		if said.patient != "" {
			if patient, err = a.sameAs(ctx, u, caller, said, demographics); err != nil {
				return err
			}
			mother, err = a.nameMother(ctx, u, patient, in.Mother)
			return err
		}
		if patient, known, err = a.registered(ctx, u, caller, demographics); err != nil || known {
			return err
		}
		mother, err = a.nameMother(ctx, u, patient, in.Mother)
		return err
	})
	if err != nil {
		err = a.notMother(ctx, caller, mother, err)
	}
	switch {
	case err != nil && said.patient != "":
		return Shown{}, a.notSame(ctx, caller, said.patient, err)
	case err != nil:
		return Shown{}, err
	case known:
		return Shown{}, errs.Conflict(errs.ReasonAlreadyRegistered, "a patient with this identity number exists").
			With("patientId", patient.ID())
	}
	return show(patient, domain.LevelFull, false), nil
}

func (a *App) registered(ctx context.Context, u Unit, caller authn.Identity, d domain.Demographics) (domain.Patient, bool, error) {
	org, now := caller.Organization, u.Now()
	home := ""
	if primaryCare(caller) {
		home = org
	}
	known, found, err := u.PatientByNumber(ctx, d.Number())
	if err != nil {
		return domain.Patient{}, false, err
	}
	if found {
		seen := look(caller, "patient.register", known.ID())
		seen.Detail = errs.ReasonAlreadyRegistered
		u.Look(seen)
		return known, true, nil
	}
	patient := domain.NewPatient(id.New(), d, home, now)
	u.PutPatient(patient)
	u.PutRelations(domain.EncounterRelation(patient.ID(), org, domain.FromRegistration, now))
	if home != "" {
		u.PutRelations(domain.HomeRelation(patient.ID(), home, domain.FromRegistration, now))
	}
	u.Answer(patient)
	return patient, false, rematch(ctx, u, patient)
}

// opened is a patient who is there already and of whom the caller says to have them in front: a declared visit, with its end and its notice
// to the home centre; how that came stands in the audit.
func (a *App) opened(u Unit, caller authn.Identity, known domain.Patient, how string) domain.Patient {
	now := u.Now()
	visit := a.glass(caller, known, now)
	visit.Way, visit.To = domain.Visit, now.Add(a.spans.Visit)
	if known.Home() == "" && primaryCare(caller) {
		if corrected, changed := known.Correct(known.Demographics(), caller.Organization, now); changed {
			known = corrected
			u.PutPatient(known)
			u.PutRelations(domain.HomeRelation(known.ID(), caller.Organization, domain.FromRegistration, now))
		}
	}
	u.PutRelations(domain.VisitRelation(visit))
	u.PutGlass(visit)
	seen := look(caller, "patient.register", known.ID())
	seen.Detail = how
	u.Look(seen)
	return known
}

// said is a record of which the caller says that it is the patient's; sees, that the caller sees it whole anyway.
type said struct {
	patient string
	sees    bool
}

// said counts the attempt: it tells who is there, as a look-up by number does.
func (a *App) said(ctx context.Context, caller authn.Identity, patient string) (said, error) {
	if patient == "" {
		return said{}, nil
	}
	if !id.Valid(patient) {
		return said{}, errs.NotFound("patient")
	}
	if err := a.allowLookup(ctx, caller); err != nil {
		return said{}, err
	}
	sees, err := a.seesAlready(ctx, caller, patient)
	return said{patient, sees}, err
}

// sameAs opens a record that the description likely matches; any other is told as not there. Name, birth date and sex are known to many: they
// open no record that has a number.
func (a *App) sameAs(ctx context.Context, u Unit, caller authn.Identity, s said, d domain.Demographics) (domain.Patient, error) {
	alike, err := u.Alike(ctx, d.Details())
	if err != nil {
		return domain.Patient{}, err
	}
	for _, other := range alike {
		if other.Patient.ID() == s.patient && closest([]domain.Details{d.Details()}, other).Likely() {
			known, err := u.Patient(ctx, s.patient)
			if err != nil {
				return domain.Patient{}, err
			}
			if !s.sees && !numbered(d.Details(), other) {
				return domain.Patient{}, errs.Denied(errs.ReasonBreakGlassRequired).With("patientId", known.ID())
			}
			known = a.opened(u, caller, known, "SAME_AS")
			u.Answer(known)
			return known, nil
		}
	}
	return domain.Patient{}, errs.NotFound("patient")
}

// numbered: the description has the number of the person's document, or the person has none.
func numbered(d domain.Details, other Found) bool {
	none := true
	for _, of := range append([]domain.Details{other.Patient.Demographics().Details()}, other.Also...) {
		if of.IdentityNumber != "" && of.IdentityNumber == d.IdentityNumber {
			return true
		}
		none = none && of.IdentityNumber == ""
	}
	return none
}

// notSame writes down that a record was not opened to who said that it is the patient's: a refusal takes back all that the change wrote.
func (a *App) notSame(ctx context.Context, caller authn.Identity, patient string, refusal error) error {
	reason := errs.ReasonOf(refusal)
	if reason != errs.ReasonNotFound && reason != errs.ReasonBreakGlassRequired {
		return refusal
	}
	seen := look(caller, "patient.register", patient)
	seen.Detail = reason
	if err := a.store.Audit(ctx, caller.County, seen); err != nil {
		return err
	}
	return refusal
}

// primaryCare: the roles of township centres and village clinics.
func primaryCare(caller authn.Identity) bool {
	return caller.Has("TOWNSHIP_DOCTOR") || caller.Has("VILLAGE_DOCTOR") || caller.Has("CENTRE_HEAD")
}

// Check tells what else is wrong with a form of which some fields could not be read at all; those are left out.
func (a *App) Check(d domain.Details, unread []errs.Field) []errs.Field {
	_, problems := domain.NewDemographics(d, a.today())
	e, ok := errs.As(refused(problems, ""))
	if !ok {
		return nil
	}
	return slices.DeleteFunc(e.Fields, func(f errs.Field) bool {
		return slices.ContainsFunc(unread, func(u errs.Field) bool { return u.Name == f.Name })
	})
}
