package app

import (
	"context"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Step is one transition of a referral that needs no other service.
type Step struct {
	ID      string
	Version int32
	Action  domain.Action
	Carry   domain.Carry
}

// Transition serves every action that needs no other service and is told by its step alone; accept and rebook with a walk-in window.
// Errors: NOT_FOUND, ROLE, VERSION_REQUIRED, STALE_VERSION, ACTION_NOT_AVAILABLE, fields.
func (s *Service) Transition(ctx context.Context, cmd Command, in Step) (View, error) {
	if err := s.knownReason(ctx, cmd.Caller.County, in.Action, in.Carry.Reason); err != nil {
		return View{}, err
	}
	return s.change(ctx, cmd, func(u Unit, cal domain.Calendar) error { return s.step(ctx, u, cmd, in, cal) })
}

func (s *Service) step(ctx context.Context, u Unit, cmd Command, in Step, cal domain.Calendar) error {
	r, _, err := s.apply(ctx, u, cmd, in, cal)
	if err != nil {
		return err
	}
	u.Save(r)
	return nil
}

// apply loads a referral, applies the step and notes on others what follows from it. Saving it is the caller's.
func (s *Service) apply(ctx context.Context, u Unit, cmd Command, in Step, cal domain.Calendar) (*domain.Referral, domain.Command, error) {
	c := domain.Command{Action: in.Action, Version: in.Version, At: u.Now(), By: actor(cmd.Caller), Carry: in.Carry}
	r, err := u.Referral(ctx, in.ID)
	if err != nil {
		return nil, c, err
	}
	switch in.Action {
	case domain.ActionAdmit:
		c.Carry.StayDays = s.stayLimit(r.Snapshot(), cal.Today(c.At))
	case domain.ActionBeginFollowUp, domain.ActionRecordVisit:
		if c.Carry.Checks, err = u.Checks(ctx, in.ID); err != nil {
			return nil, c, err
		}
	case domain.ActionDecline, domain.ActionCancel, domain.ActionRedirect, domain.ActionConclude, domain.ActionNoShow, domain.ActionUndoArrive:
		c.Carry.DecisionDue = cal.DecisionDue(c.At)
	}
	if err := s.decide(r, cmd.Caller, c, cal); err != nil {
		return nil, c, err
	}
	if err := s.concluded(ctx, u, c, r, cal); err != nil {
		return nil, c, err
	}
	return r, c, s.linked(ctx, u, c, r)
}

// Redirect gives a referral on to another organisation or department, which must exist and take such patients.
func (s *Service) Redirect(ctx context.Context, cmd Command, in Step) (View, error) {
	return s.once(ctx, cmd, func() (View, error) { return s.redirect(ctx, cmd, in) })
}

func (s *Service) redirect(ctx context.Context, cmd Command, in Step) (View, error) {
	in.Action = domain.ActionRedirect
	c := domain.Command{Action: in.Action, Version: in.Version, Carry: in.Carry}
	before, err := s.rehearse(ctx, cmd.Caller, in.ID, c)
	if err != nil {
		return View{}, err
	}
	if in.Carry.ReceiverName, err = s.receiver(ctx, cmd.Caller.County, before.Direction, in.Carry.Receiver); err != nil {
		return View{}, err
	}
	medicines, err := s.checked(ctx, cmd.Caller.County, in.Carry.Receiver.OrganizationID, before.Medicines)
	if err != nil {
		return View{}, err
	}
	in.Carry.Draft = &domain.Draft{Medicines: medicines}
	return s.Transition(ctx, cmd, in)
}
