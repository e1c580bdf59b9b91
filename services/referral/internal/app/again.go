package app

import (
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// sentUp lets the candidates of a patient who goes up again rest, and wait anew once that is over.
func (s *Service) sentUp(ctx context.Context, u Unit, c domain.Command, r *domain.Referral) error {
	was, now := r.Loaded(), r.Snapshot()
	if was.BringsIn() == now.BringsIn() && was.Receiver.OrganizationID == now.Receiver.OrganizationID {
		return nil
	}
	all, err := u.Candidates(ctx, now.PatientID)
	if err != nil || !slices.ContainsFunc(all, func(one *domain.Candidate) bool { return one.Snapshot().Waits() }) {
		return err
	}
	ups, err := u.BroughtIn(ctx, now.PatientID)
	if err != nil {
		return err
	}
	ups = append(slices.DeleteFunc(ups, func(up domain.Snapshot) bool { return up.ID == now.ID }), now)
	for _, one := range all {
		one.UpAgain(ups, c.Carry.DecisionDue, c.By, c.At)
		u.SaveCandidate(one)
	}
	return nil
}
