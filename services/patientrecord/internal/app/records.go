package app

import (
	"context"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

const defaultResults = 50

// Patient is one patient at the caller's level.
func (a *App) Patient(ctx context.Context, caller authn.Identity, patient string) (Shown, error) {
	p, level, err := a.open(ctx, caller, patient, domain.LevelPackage)
	if err != nil {
		return Shown{}, err
	}
	if err := a.store.Audit(ctx, caller.County, look(caller, "patient.read", patient)); err != nil {
		return Shown{}, err
	}
	return a.withRelatives(ctx, caller.County, show(p, level, false))
}

// ShownSummary is a summary with the patient as the caller may see it.
type ShownSummary struct {
	Patient Shown
	Entries map[domain.EntryKind][]domain.Entry
	// Withheld and Opening: see Sieve.
	Withheld Withheld
	Opening  domain.Opening
}

// Summary needs the whole record: who has only the package reads that. Numbers of the patient are masked: Reveal shows them, for a purpose.
func (a *App) Summary(ctx context.Context, caller authn.Identity, patient string) (ShownSummary, error) {
	_, level, err := a.open(ctx, caller, patient, domain.LevelFull)
	if err != nil {
		return ShownSummary{}, err
	}
	s, err := a.store.Summary(ctx, caller.County, patient)
	if err != nil {
		return ShownSummary{}, err
	}
	sieve, err := a.sieve(ctx, caller, s.Patient)
	if err != nil {
		return ShownSummary{}, err
	}
	shown, err := sieve.filterAll(s.Entries)
	if err != nil {
		return ShownSummary{}, err
	}
	if err := a.store.Audit(ctx, caller.County, sieve.with(look(caller, "record.summary", patient))); err != nil {
		return ShownSummary{}, err
	}
	patientShown, err := a.withRelatives(ctx, caller.County, show(s.Patient, sieve.level(level), true))
	if err != nil {
		return ShownSummary{}, err
	}
	return ShownSummary{
		Patient: patientShown, Entries: shown, Withheld: sieve.Withheld, Opening: sieve.Opening,
	}, nil
}

// ResultPage is a page of observations; Next is zero on the last one.
type ResultPage struct {
	Results  []domain.Entry
	Next     Cursor
	Withheld Withheld
}

// Results is a page of observations, newest first. What is withheld leaves a shorter page.
func (a *App) Results(ctx context.Context, caller authn.Identity, patient string, after Cursor, size int) (ResultPage, error) {
	p, _, err := a.open(ctx, caller, patient, domain.LevelFull)
	if err != nil {
		return ResultPage{}, err
	}
	sieve, err := a.sieve(ctx, caller, p)
	if err != nil {
		return ResultPage{}, err
	}
	if size == 0 {
		size = defaultResults
	}
	page, err := a.store.Results(ctx, caller.County, patient, after, size+1)
	if err != nil {
		return ResultPage{}, err
	}
	var next Cursor
	if len(page) > size {
		page = page[:size]
		next = Cursor{Time: page[size-1].Time, ID: page[size-1].ID}
	}
	if page, err = sieve.Filter(page); err != nil {
		return ResultPage{}, err
	}
	if err := a.store.Audit(ctx, caller.County, sieve.with(look(caller, "record.results", patient))); err != nil {
		return ResultPage{}, err
	}
	return ResultPage{Results: page, Next: next, Withheld: sieve.Withheld}, nil
}

// Snapshot is what another service keeps of a patient: by name, with the number masked. A person asks for the own organisation; a
// service for the one it names, which must have a relation.
func (a *App) Snapshot(ctx context.Context, caller authn.Identity, patient, organization string) (Shown, error) {
	caller, err := onBehalf(caller, organization)
	if err != nil {
		return Shown{}, err
	}
	p, _, err := a.open(ctx, caller, patient, domain.LevelPackage)
	if err != nil {
		return Shown{}, err
	}
	if err := a.store.Audit(ctx, caller.County, look(caller, "patient.snapshot", patient)); err != nil {
		return Shown{}, err
	}
	out := show(p, domain.LevelFull, false)
	out.Details.IdentityNumber = domain.MaskNumber(out.Details.IdentityNumber)
	out.VillageClinic, err = a.villageClinic(ctx, caller.County, p)
	return out, err
}

// villageClinic is the clinic of the patient's village: the home itself, or the one below the home centre that has the village's name.
func (a *App) villageClinic(ctx context.Context, county string, p domain.Patient) (string, error) {
	if p.Home() == "" {
		return "", nil
	}
	clinics, itself, err := a.store.VillageClinics(ctx, county, p.Home())
	if err != nil || itself.ID != "" {
		return p.Home(), err
	}
	return domain.ClinicOf(p.Demographics().Details().Village, clinics), nil
}

// onBehalf is the caller as one of the organisation: a service must name it, a person may name only the own.
func onBehalf(caller authn.Identity, organization string) (authn.Identity, error) {
	switch {
	case caller.IsService():
		if organization == "" {
			return caller, errs.Invalid(errs.Required("organizationId"))
		}
		caller.Organization = organization
	case organization != "" && organization != caller.Organization:
		return caller, errs.NotFound("patient")
	}
	return caller, nil
}

// Values are what criteria are held against, newest first: see Store.Values. Who may ask is as for Snapshot. Criteria are judged by the service that
// asks; a stay is told to a person by it, so that one that is withheld from whoever has stated no purpose is not among them.
func (a *App) Values(ctx context.Context, caller authn.Identity, patient, organization string) ([]domain.Entry, error) {
	caller, err := onBehalf(caller, organization)
	if err != nil {
		return nil, err
	}
	p, _, err := a.open(ctx, caller, patient, domain.LevelPackage)
	if err != nil {
		return nil, err
	}
	values, err := a.store.Values(ctx, caller.County, patient)
	if err != nil {
		return nil, err
	}
	sieve, err := a.closed(ctx, caller, p)
	if err != nil {
		return nil, err
	}
	told := make([]domain.Entry, 0, len(values))
	for _, e := range values {
		if e.Kind == domain.KindEncounter {
			if hidden, err := sieve.hides(e); err != nil {
				return nil, err
			} else if hidden {
				continue
			}
		}
		told = append(told, e)
	}
	if err := a.store.Audit(ctx, caller.County, look(caller, "record.values", patient)); err != nil {
		return nil, err
	}
	return told, nil
}
