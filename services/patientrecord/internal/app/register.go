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
}

// Register adds a patient at the caller's organisation, which is an encounter there. Who does primary care becomes the patient's
// home; a hospital does not. The same identity number again is ALREADY_REGISTERED with metadata "patientId"; the encounter is
// written all the same, so that the caller can open the patient; the audit says how that came.
func (a *App) Register(ctx context.Context, caller authn.Identity, in Registration) (Shown, error) {
	if caller.Organization == "" {
		return Shown{}, errs.Denied(errs.ReasonRole)
	}
	demographics, problems := domain.NewDemographics(in.Details, a.today())
	var patient domain.Patient
	known := false
	err := a.store.Change(ctx, command(caller, in.Request), func(u Unit) error {
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
		patient, known, err = a.registered(ctx, u, caller, demographics)
		return err
	})
	switch {
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
		if known.Home() == "" && home != "" {
			if corrected, changed := known.Correct(known.Demographics(), home, now); changed {
				u.PutPatient(corrected)
				u.PutRelations(domain.HomeRelation(known.ID(), home, domain.FromRegistration, now))
			}
		}
		u.PutRelations(domain.EncounterRelation(known.ID(), org, domain.FromRegistration, now))
		opened := look(caller, "patient.register", known.ID())
		opened.Detail = errs.ReasonAlreadyRegistered
		u.Look(opened)
		return known, true, nil
	}
	patient := domain.NewPatient(id.New(), d, home, now)
	u.PutPatient(patient)
	u.PutRelations(domain.EncounterRelation(patient.ID(), org, domain.FromRegistration, now))
	if home != "" {
		u.PutRelations(domain.HomeRelation(patient.ID(), home, domain.FromRegistration, now))
	}
	u.Answer(patient)
	return patient, false, nil
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
