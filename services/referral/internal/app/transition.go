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

// Transition serves return, decline, cancel, arrive, undo_arrive, no_show, admit, undo_admit, conclude and acknowledge, and
// accept and rebook with a walk-in window. Errors: NOT_FOUND, VERSION_REQUIRED, STALE_VERSION, ACTION_NOT_AVAILABLE, fields.
func (s *Service) Transition(ctx context.Context, cmd Command, in Step) (View, error) {
	return s.Referrals.Change(ctx, cmd, func(u Unit) error { return s.step(ctx, u, cmd, in) })
}

func (s *Service) step(ctx context.Context, u Unit, cmd Command, in Step) error {
	r, err := u.Referral(ctx, in.ID)
	if err != nil {
		return err
	}
	c := domain.Command{Action: in.Action, Version: in.Version, At: u.Now(), Carry: in.Carry}
	if err := s.decide(r, cmd.Caller, c); err != nil {
		return err
	}
	u.Save(r)
	return nil
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
	return s.Transition(ctx, cmd, in)
}
