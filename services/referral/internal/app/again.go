package app

import (
	"context"
	"fmt"
	"slices"
	"time"

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

// rests lets candidates of one patient that came onto the list rest where the patient is sent up again, and those whose patient is not any more wait anew.
// The referral of the transaction is none of those that bring the patient.
func (s *Service) rests(ctx context.Context, u Unit, due time.Time, candidates ...*domain.Candidate) error {
	waits := slices.DeleteFunc(slices.Clone(candidates), func(c *domain.Candidate) bool { return !c.Snapshot().Waits() })
	if len(waits) == 0 {
		return nil
	}
	ups, err := u.BroughtIn(ctx, waits[0].Snapshot().PatientID)
	if err != nil {
		return err
	}
	for _, c := range waits {
		c.UpAgain(ups, due, domain.Actor{AccountID: Self}, u.Now())
		u.SaveCandidate(c)
	}
	return nil
}

// relinked lets the candidates of two patients rest, or wait anew, as the patients are by now: one person, or not any more. Whoever changed one patient's
// candidates when they were still what they are not now is waited for; the survivor's are looked at again, for that may have been the merged patient's turn.
func (s *Service) relinked(ctx context.Context, l PatientLink) error {
	cal, err := s.Calendars.Calendar(ctx, l.County)
	if err != nil {
		return err
	}
	for _, patient := range []string{l.Survivor, l.Merged, l.Survivor} {
		err := s.Candidates.TakeFact(ctx, l.County, "", func(u Unit) error {
			all, err := u.Candidates(ctx, patient)
			if err != nil {
				return err
			}
			return s.rests(ctx, u, cal.DecisionDue(u.Now()), all...)
		})
		if err != nil {
			return fmt.Errorf("look at the candidates of patient %s: %w", patient, err)
		}
	}
	return nil
}

// lives brings back the candidates that ended because the referral said that the patient had died.
func (s *Service) lives(ctx context.Context, u Unit, up domain.Snapshot, due time.Time) error {
	all, err := u.Candidates(ctx, up.PatientID)
	if err != nil {
		return err
	}
	for _, c := range all {
		c.Lives(up.ID, due, domain.Actor{AccountID: Self}, u.Now())
		u.SaveCandidate(c)
	}
	return s.rests(ctx, u, due, all...)
}
