package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Import is one patient's record from another system.
type Import struct {
	County string
	// Organization becomes the patient's home.
	Organization string
	SourceSystem string
	// PatientIdentity names the patient in the source system.
	PatientIdentity string
	Details         domain.Details
	Entries         []domain.Entry
}

// Imported tells what an import did.
type Imported struct {
	PatientID string
	Created   bool
	Entries   Counts
}

// Import writes one record, whole or not at all; the same again changes nothing. A record known by the source's identity takes the
// source's demographics, but loses no document by it, and if it was merged the survivor keeps its own; one known only by the identity number keeps those that people here entered. A feed bound to an
// organisation may write for that one only, and of encounters there, and its sources are that organisation's.
func (a *App) Import(ctx context.Context, caller authn.Identity, in Import) (Imported, error) {
	if caller.County != "" && caller.County != in.County {
		return Imported{}, errs.Invalid(errs.Bad("county", errs.ReasonFieldCombination, "with", "caller"))
	}
	if caller.Has("INTEGRATION") && caller.Organization != in.Organization {
		return Imported{}, errs.Invalid(errs.Bad("organizationId", errs.ReasonFieldCombination, "with", "caller"))
	}
	if in.Organization == "" {
		return Imported{}, errs.Invalid(errs.Required("organizationId"))
	}
	if domain.ReservedSystem(in.SourceSystem) {
		return Imported{}, errs.Invalid(errs.Bad("sourceSystem", errs.ReasonFieldInvalid))
	}
	for i, e := range in.Entries {
		if caller.Has("INTEGRATION") && e.Stay != nil && e.Stay.Organization != "" && e.Stay.Organization != in.Organization {
			return Imported{}, errs.Invalid(errs.Bad(fmt.Sprintf("entries[%d].encounter.organizationId", i), errs.ReasonFieldCombination, "with", "caller"))
		}
	}
	demographics, problems := domain.ImportedDemographics(in.Details, a.today())
	if len(problems) > 0 {
		return Imported{}, refused(problems, "patient.")
	}
	if caller.Has("INTEGRATION") {
		in = in.bound()
	}
	cmd := command(caller, Request{})
	cmd.County = in.County
	var out Imported
	err := a.store.Change(ctx, cmd, func(u Unit) error {
		var err error
		out, err = a.imported(ctx, u, in, demographics)
		return err
	})
	if err != nil {
		return Imported{}, err
	}
	return out, nil
}

// bound is the import with sources that are the organisation's own: no other's record or entry is known by a name that an account of this
// one gives.
func (in Import) bound() Import {
	own := in.Organization + " "
	in.SourceSystem, in.Entries = own+in.SourceSystem, slices.Clone(in.Entries)
	for i := range in.Entries {
		in.Entries[i].SourceSystem = own + in.Entries[i].SourceSystem
	}
	return in
}

func (a *App) imported(ctx context.Context, u Unit, in Import, d domain.Demographics) (Imported, error) {
	out := Imported{}
	record, known, err := u.PatientBySource(ctx, in.SourceSystem, in.PatientIdentity)
	if err != nil {
		return out, err
	}
	patient := record
	if known {
		if patient, err = u.Patient(ctx, record.ID()); err != nil {
			return out, err
		}
	}
	byNumber, taken, err := u.PatientByNumber(ctx, d.Number())
	if err != nil {
		return out, err
	}
	switch {
	case known && taken && patient.ID() != byNumber.ID():
		// Two records of, it seems, one person. Which is right is for a person to say; what the source says otherwise is taken.
		if err := numberTaken(ctx, u, patient, byNumber, d.Details()); err != nil {
			return out, err
		}
		d = d.WithDocumentOf(record.Demographics())
	case known && d.Number() == "":
		d = d.WithDocumentOf(record.Demographics())
	}
	switch {
	case known:
		corrected, changed := record.Correct(d, in.Organization, u.Now())
		if record = corrected; changed {
			if patient, err = putCorrected(ctx, u, patient, record); err != nil {
				return out, err
			}
		}
	case taken:
		patient = byNumber
		if corrected, changed := patient.Correct(patient.Demographics(), in.Organization, u.Now()); changed && patient.Home() == "" {
			patient = corrected
			u.PutPatient(patient)
		}
		u.PutRelations(domain.EncounterRelation(patient.ID(), in.Organization, domain.FromImport, u.Now()))
	default:
		patient = domain.NewPatient(id.New(), d, in.Organization, u.Now())
		u.PutPatient(patient)
		out.Created = true
		if err := rematch(ctx, u, patient); err != nil {
			return out, err
		}
	}
	if !known {
		record = patient
		u.PutSource(patient.ID(), in.SourceSystem, in.PatientIdentity)
	}
	if err := rehome(ctx, u, record); err != nil {
		return out, err
	}
	out.PatientID = patient.ID()
	out.Entries, err = u.PutEntries(ctx, patient, in.Entries)
	return out, err
}

// rehome gives the record's home its relation, and ends that of a former home. Records of the same person keep theirs.
func rehome(ctx context.Context, u Unit, p domain.Patient) error {
	held, err := u.HomeRelations(ctx, p.ID())
	if err != nil {
		return err
	}
	now, there := u.Now(), false
	for _, r := range held {
		switch {
		case r.PatientID != p.ID() || !r.Holds(now):
		case r.Organization == p.Home():
			there = true
		default:
			r.To = now
			u.PutRelations(r)
		}
	}
	if !there && p.Home() != "" {
		u.PutRelations(domain.HomeRelation(p.ID(), p.Home(), domain.FromImport, now))
	}
	return nil
}
