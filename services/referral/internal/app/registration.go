package app

import (
	"context"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// registrationNews is how old a registration may be and make an arrival: what is told later is history.
const registrationNews = 48 * time.Hour

// Registered makes the arrival of the one open referral that a hospital's registration answers: the patient's, to this organisation, accepted
// or an emergency that was only sent, and of several that to the department where the patient was registered. More than one is left to the
// desk. A resident who has no open referral to the organisation is offered to the desk, to be recorded as one who was sent without. A
// registration makes an arrival once: one that people have undone stays undone.
func (s *Service) Registered(ctx context.Context, e Encounter) error {
	if e.OrganizationID == "" || e.Start.Before(s.Clock.Now().Add(-registrationNews)) {
		return nil
	}
	caller := authn.Identity{Subject: Self, County: e.County, Organization: e.OrganizationID}
	standings, err := s.Reader.Standings(ctx, e.County, e.PatientID, e.OrganizationID)
	if err != nil {
		return err
	}
	var ids []string
	open := false
	for _, st := range standings {
		open = open || st.Side == domain.Receiver && domain.Here(st.State)
		if st.Side == domain.Receiver && slices.Contains([]domain.State{domain.StateSubmitted, domain.StateAccepted, domain.StateNoShow}, st.State) {
			ids = append(ids, st.ReferralID)
		}
	}
	if !open {
		return s.offer(ctx, e)
	}
	if len(ids) == 0 {
		return nil
	}
	sent, err := s.Reader.Batch(ctx, caller, ids)
	if err != nil {
		return err
	}
	expected := slices.DeleteFunc(sent, func(v View) bool { return !v.Expects(e.Start) })
	if len(expected) > 1 {
		expected = slices.DeleteFunc(expected, func(v View) bool { return v.Receiver.DepartmentCode != e.DepartmentCode })
	}
	if len(expected) != 1 {
		return nil
	}
	v := expected[0]
	// It acts in the desk's place.
	caller.Roles = domain.Roles(v.Direction, domain.Receiver)
	cmd := Command{Caller: caller, Method: "Registered", RequestID: id.FromFact("registered", e.ID, v.ID), BodyHash: []byte(v.ID)}
	_, err = s.Arrive(ctx, cmd, Step{ID: v.ID, Version: v.Version, Carry: domain.Carry{Note: domain.ByRegistration}})
	if errs.KindOf(err) == errs.KindWrongState || errs.KindOf(err) == errs.KindNotFound {
		// Somebody was faster.
		return nil
	}
	return err
}

// offer puts the registration of a resident at a county hospital on the desk's list.
func (s *Service) offer(ctx context.Context, e Encounter) error {
	if e.HomeOrganizationID == "" || e.HomeOrganizationID == e.OrganizationID {
		return nil
	}
	bad, err := s.checkOrganization(ctx, e.County, domain.Party{OrganizationID: e.OrganizationID}, "organizationId", "COUNTY_HOSPITAL")
	if err != nil || len(bad) > 0 {
		return err
	}
	bad, err = s.checkOrganization(ctx, e.County, domain.Party{OrganizationID: e.HomeOrganizationID}, "home", "TOWNSHIP_CENTRE", "VILLAGE_CLINIC")
	if err != nil || len(bad) > 0 {
		return err
	}
	patient, err := s.patientOf(ctx, e)
	if err != nil {
		return err
	}
	// A fact that comes again finds the row.
	return s.Candidates.TakeFact(ctx, e.County, "", func(u Unit) error {
		return u.OfferRegistration(ctx, domain.Registration{
			County: e.County, ID: e.ID, Version: e.Version, State: domain.RegistrationOpen, PatientID: e.PatientID, Patient: patient,
			OrganizationID: e.OrganizationID, DepartmentCode: e.DepartmentCode, CentreID: e.HomeOrganizationID, Class: e.Class, Start: e.Start,
		})
	})
}

const (
	// registrationsShown is for how long a registration stays on the desk's list.
	registrationsShown = 7 * 24 * time.Hour
	// arrivalUndone is for how long people may undo an arrival; lifecycle: undo_arrive.
	arrivalUndone = 24 * time.Hour
)

// RegistrationPage is what the desk sees of its hospital's registrations.
type RegistrationPage struct {
	Open []domain.Registration
	// Arrivals were made by registrations; with the first page.
	Arrivals []View
	Next     string
}

// ListRegistrations of the caller's hospital.
func (s *Service) ListRegistrations(ctx context.Context, caller authn.Identity, pageToken string, size int) (out RegistrationPage, err error) {
	now := s.Clock.Now()
	q := RegistrationQuery{Caller: caller, Since: now.Add(-registrationsShown), Limit: size}
	if q.Limit <= 0 {
		q.Limit = defaultPage
	}
	q.Limit = min(q.Limit, maxPage)
	if pageToken != "" {
		after, ok := parseToken(pageToken, false)
		if !ok {
			return out, errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
		}
		q.After = &after
	} else if out.Arrivals, err = s.Registrations.RegisteredArrivals(ctx, caller, now.Add(-arrivalUndone)); err != nil {
		return out, err
	}
	q.Limit++
	if out.Open, err = s.Registrations.ListRegistrations(ctx, q); err != nil {
		return out, err
	}
	if q.Limit--; len(out.Open) > q.Limit {
		out.Open = out.Open[:q.Limit]
		last := out.Open[q.Limit-1]
		out.Next = token(Cursor{Time: last.Start, ID: last.ID}, false)
	}
	return out, nil
}

// Registration is one of the caller's hospital; NOT_FOUND for another's.
func (s *Service) Registration(ctx context.Context, caller authn.Identity, id string) (domain.Registration, error) {
	r, err := s.Registrations.Registration(ctx, caller.County, id)
	if err == nil && (caller.Organization == "" || r.OrganizationID != caller.Organization) {
		return domain.Registration{}, errs.NotFound("registration")
	}
	return r, err
}

// DismissRegistration takes one off the list. Errors: NOT_FOUND, ACTION_NOT_AVAILABLE, fields.
func (s *Service) DismissRegistration(ctx context.Context, cmd Command, id, reason, note string) (domain.Registration, error) {
	if err := s.knownReason(ctx, cmd.Caller.County, domain.DismissRegistration, reason); err != nil {
		return domain.Registration{}, err
	}
	return s.Registrations.ChangeRegistration(ctx, cmd, id, func(r domain.Registration, now time.Time) (domain.Registration, error) {
		if cmd.Caller.Organization == "" || r.OrganizationID != cmd.Caller.Organization {
			return r, errs.NotFound("registration")
		}
		changed, err := r.Dismiss(reason, note, now)
		return changed, refusal(err)
	})
}
