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
// desk. A registration makes an arrival once: one that people have undone stays undone.
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
	for _, st := range standings {
		if st.Side == domain.Receiver && slices.Contains([]domain.State{domain.StateSubmitted, domain.StateAccepted, domain.StateNoShow}, st.State) {
			ids = append(ids, st.ReferralID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	open, err := s.Reader.Batch(ctx, caller, ids)
	if err != nil {
		return err
	}
	expected := slices.DeleteFunc(open, func(v View) bool { return !v.Expects(e.Start) })
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
