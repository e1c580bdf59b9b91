package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Encounter is a visit or stay that a hospital's own system reported, as patient-record told it. The same encounter is told again, with a
// higher Version, when what was told has changed; facts come in any order.
type Encounter struct {
	County, FactID, ID, PatientID  string
	OrganizationID, DepartmentCode string
	// Class is a code of FHIR v3-ActCode, DischargeWay is 离院方式.
	Class, DischargeWay string
	HomeOrganizationID  string
	Codes               []string
	Start, End          time.Time
	Version             int32
}

func (e Encounter) told() EncounterTold {
	return EncounterTold{EncounterID: e.ID, PatientID: e.PatientID, Version: e.Version}
}

// inpatient is the class of a stay in a ward.
const inpatient = "IMP"

// EncounterOpened watches a stay in a county hospital's ward that can become longer than usual. One that was told to have ended goes on: the
// discharge is taken back. Its candidate stays on the department's list, with what was known at that end.
func (s *Service) EncounterOpened(ctx context.Context, e Encounter) error {
	e.End = time.Time{}
	stay, cal, err := s.stayOf(ctx, e)
	if err != nil {
		return err
	}
	if stay == nil {
		return s.noStay(ctx, e)
	}
	// The age decides little; without it the rows that ask for one are left out.
	patient, _ := s.patientOf(ctx, e)
	days, criterion := s.stayDays(e.Codes, domain.AgeOn(patient.BirthDate, cal.Today(e.Start)))
	return s.take(ctx, e, func(u Unit) error {
		if days > 0 {
			u.WatchStay(StayWatch{Stay: *stay, Criterion: criterion, Due: domain.StayDue(e.Start, days)})
		}
		return u.Discharged(ctx, *stay)
	})
}

// EncounterClosed frees the bed and finds a candidate when a patient was discharged from a county hospital's ward, and looks again when the discharge is
// told anew: codes often come days after it. A discharge that is taken back brings no bed back: somebody may have it by then.
func (s *Service) EncounterClosed(ctx context.Context, e Encounter) error {
	stay, cal, err := s.stayOf(ctx, e)
	if err != nil {
		return err
	}
	if stay == nil {
		return s.noStay(ctx, e)
	}
	d := domain.Discharge{Way: e.DischargeWay, Coded: len(e.Codes) > 0}
	lost, died := d.Lost()
	if !lost {
		if stay.Patient, err = s.patientOf(ctx, e); err != nil {
			return err
		}
	}
	return s.Candidates.TakeFact(ctx, e.County, e.FactID, func(u Unit) error {
		// Whoever changes a referral and its patient's candidates takes the referral first.
		leaving, err := u.AdmittedAt(ctx, stay.PatientID, stay.OrganizationID)
		if err != nil {
			return err
		}
		if newest, err := u.TakeEncounter(ctx, e.told()); err != nil || !newest {
			return err
		}
		for _, r := range leaving {
			if r.Discharged(stay.End, domain.Command{By: domain.Actor{AccountID: Self}, At: u.Now()}) {
				u.Save(r)
			}
		}
		if err := u.Discharged(ctx, *stay); err != nil {
			return err
		}
		if lost {
			return s.ended(ctx, u, *stay, died)
		}
		age := domain.AgeOn(stay.Patient.BirthDate, cal.Today(e.End))
		return s.found(ctx, u, domain.Match{
			Stay: *stay, Origin: domain.OriginDischarged, Due: cal.DecisionDue(u.Now()),
			Reasons: s.downReasons(e.Codes, d.Findings(), age, u.Now()),
		})
	})
}

// EncounterCancelled takes back what followed from an encounter that never was: watch, discharge, what was offered to the desk and, unless a referral knows of the stay or
// somebody has answered it, the candidate.
func (s *Service) EncounterCancelled(ctx context.Context, e Encounter) error {
	return s.take(ctx, e, func(u Unit) error {
		u.WithdrawRegistration(e.ID)
		return s.noEncounter(ctx, u, e)
	})
}

// noEncounter takes back what followed from a stay.
func (s *Service) noEncounter(ctx context.Context, u Unit, e Encounter) error {
	if err := u.Discharged(ctx, domain.Stay{County: e.County, PatientID: e.PatientID, EncounterID: e.ID}); err != nil {
		return err
	}
	all, err := u.Candidates(ctx, e.PatientID)
	if err != nil {
		return err
	}
	for _, c := range all {
		c.NoStay(e.ID, domain.Actor{AccountID: Self}, u.Now())
		u.SaveCandidate(c)
	}
	return nil
}

// noStay takes a visit, or a stay in no ward of a county hospital. It concerns nobody here unless it was told otherwise before.
func (s *Service) noStay(ctx context.Context, e Encounter) error {
	if e.Version <= 1 {
		return nil
	}
	return s.take(ctx, e, func(u Unit) error { return s.noEncounter(ctx, u, e) })
}

// take runs decide if the fact is the newest of its encounter.
func (s *Service) take(ctx context.Context, e Encounter, decide func(Unit) error) error {
	return s.Candidates.TakeFact(ctx, e.County, e.FactID, func(u Unit) error {
		newest, err := u.TakeEncounter(ctx, e.told())
		if err != nil || !newest {
			return err
		}
		return decide(u)
	})
}

// stayOf is the stay of an encounter; nil for what is none in a ward of a county hospital.
func (s *Service) stayOf(ctx context.Context, e Encounter) (*domain.Stay, domain.Calendar, error) {
	cal, err := s.Calendars.Calendar(ctx, e.County)
	if err != nil || e.Class != inpatient || e.Start.IsZero() {
		return nil, cal, err
	}
	bad, err := s.checkOrganization(ctx, e.County, domain.Party{OrganizationID: e.OrganizationID}, "organizationId", "COUNTY_HOSPITAL")
	if err != nil || len(bad) > 0 {
		return nil, cal, err
	}
	stay := &domain.Stay{
		County: e.County, PatientID: e.PatientID, OrganizationID: e.OrganizationID, DepartmentCode: e.DepartmentCode, EncounterID: e.ID,
		Start: e.Start, End: e.End, Way: e.DischargeWay,
	}
	bad, err = s.checkOrganization(ctx, e.County, domain.Party{OrganizationID: e.HomeOrganizationID}, "home", "TOWNSHIP_CENTRE", "VILLAGE_CLINIC")
	if len(bad) == 0 {
		stay.CentreID = e.HomeOrganizationID
	}
	for _, code := range e.Codes {
		stay.Diagnoses = append(stay.Diagnoses, domain.Diagnosis{System: "ICD-10", Code: code})
	}
	stay.Diagnoses = s.named(stay.Diagnoses)
	return stay, cal, err
}

// patientOf is the patient's snapshot, asked on behalf of the hospital, or of the patient's home where the hospital's stay makes no relation.
// A patient that neither knows has none.
func (s *Service) patientOf(ctx context.Context, e Encounter) (domain.Patient, error) {
	for _, organization := range []string{e.OrganizationID, e.HomeOrganizationID} {
		if organization == "" {
			continue
		}
		p, err := s.Records.Patient(ctx, e.County, e.PatientID, organization)
		if err == nil || errs.KindOf(err) != errs.KindNotFound {
			return p, err
		}
	}
	return domain.Patient{}, nil
}

// StayDeadline finds a candidate when the stay of an admitted up-referral is longer than usual. It is told by the service's own fact.
func (s *Service) StayDeadline(ctx context.Context, county, factID, referralID string) error {
	cal, err := s.Calendars.Calendar(ctx, county)
	if err != nil {
		return err
	}
	return s.Candidates.TakeFact(ctx, county, factID, func(u Unit) error {
		r, err := u.Referral(ctx, referralID)
		if err != nil {
			return err
		}
		now := r.Snapshot()
		if now.State != domain.StateAdmitted {
			return nil
		}
		_, criterion := s.stayDays(domain.Codes(now.Diagnoses), domain.AgeOn(now.Patient.BirthDate, cal.Today(now.AdmitTime)))
		if criterion == "" {
			return nil
		}
		return s.found(ctx, u, domain.Match{
			Stay: now.Stay(), Origin: domain.OriginLengthOfStay, Due: cal.DecisionDue(u.Now()), Reasons: []string{criterion},
		})
	})
}

const (
	staysAtOnce = 100
	// stayAgain is when a stay that could not be looked at is looked at again.
	stayAgain = time.Hour
)

// FindLongStays looks for stays that hospitals reported and that are longer than usual by now. Any number of instances may do so at once:
// each stay is taken by one of them. One that cannot be looked at makes way for the others and is looked at again an hour later.
func (s *Service) FindLongStays(ctx context.Context) error {
	due, err := s.Candidates.StaysDue(ctx, staysAtOnce)
	if err != nil {
		return err
	}
	var failed []error
	for _, w := range due {
		if err := s.longStay(ctx, w); err != nil {
			later := s.Candidates.DelayStay(ctx, w, s.Clock.Now().Add(stayAgain))
			failed = append(failed, fmt.Errorf("look at the stay of encounter %s: %w", w.EncounterID, errors.Join(err, later)))
		}
	}
	return errors.Join(failed...)
}

func (s *Service) longStay(ctx context.Context, w StayWatch) error {
	cal, err := s.Calendars.Calendar(ctx, w.County)
	if err != nil {
		return err
	}
	e := Encounter{County: w.County, PatientID: w.PatientID, OrganizationID: w.OrganizationID, HomeOrganizationID: w.CentreID}
	if w.Patient, err = s.patientOf(ctx, e); err != nil {
		return err
	}
	w.Diagnoses = s.named(slices.Clone(w.Diagnoses))
	err = s.Candidates.TakeFact(ctx, w.County, "", func(u Unit) error {
		u.TakeStay(w.EncounterID)
		return s.found(ctx, u, domain.Match{
			Stay: w.Stay, Origin: domain.OriginLengthOfStay, Due: cal.DecisionDue(u.Now()), Reasons: []string{w.Criterion},
		})
	})
	if errs.KindOf(err) == errs.KindConflict {
		// Another instance took it.
		return nil
	}
	return err
}
