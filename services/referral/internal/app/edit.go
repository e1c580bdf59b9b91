package app

import (
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Edition changes the named fields of a draft or returned referral.
type Edition struct {
	ID      string
	Version int32
	Draft   domain.Draft
	Fields  []string
}

// Edit changes a draft or returned referral. Errors: as Transition.
func (s *Service) Edit(ctx context.Context, cmd Command, in Edition) (View, error) {
	return s.once(ctx, cmd, func() (View, error) { return s.edit(ctx, cmd, in) })
}

func (s *Service) edit(ctx context.Context, cmd Command, in Edition) (View, error) {
	in.Draft.Diagnoses, in.Draft.Values = s.named(in.Draft.Diagnoses), s.usable(in.Draft.Values)
	if err := s.enrichEdit(ctx, cmd.Caller, &in); err != nil {
		return View{}, err
	}
	step := Step{ID: in.ID, Version: in.Version, Action: domain.ActionEdit, Carry: domain.Carry{Draft: &in.Draft, Fields: in.Fields}}
	if slices.Contains(in.Fields, "receiver") {
		c := domain.Command{Action: step.Action, Version: step.Version, Carry: step.Carry}
		before, err := s.rehearse(ctx, cmd.Caller, in.ID, c)
		if err != nil {
			return View{}, err
		}
		if _, err := s.receiver(ctx, cmd.Caller.County, before.Direction, in.Draft.Receiver); err != nil {
			return View{}, err
		}
	}
	return s.Transition(ctx, cmd, step)
}
