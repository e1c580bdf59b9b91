package app

import (
	"context"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Acceptance names a hold or a walk-in window, not both. Action is accept or rebook.
type Acceptance struct {
	ID      string
	Version int32
	Action  domain.Action
	HoldID  string
	WalkIn  *domain.Window
	Note    string
}

// Accept promises the patient a place. With a hold it is, across two services: the attempt is noted, scheduling confirms, and the
// attempt and the referral change together. Whatever breaks off in between is answered by SettleBooking or repeated by the desk.
// Errors: as Transition, BOOKING_LOST, HOLD_EXPIRED, SLOT_TAKEN, PEER_AWAY.
func (s *Service) Accept(ctx context.Context, cmd Command, in Acceptance) (View, error) {
	carry := domain.Carry{Note: in.Note}
	step := Step{ID: in.ID, Version: in.Version, Action: in.Action, Carry: carry}
	if in.WalkIn != nil {
		if in.HoldID != "" {
			return View{}, errs.Invalid(errs.Bad("walkIn", errs.ReasonFieldCombination))
		}
		step.Carry.WalkIn, step.Carry.Expected = true, *in.WalkIn
		return s.Transition(ctx, cmd, step)
	}
	return s.once(ctx, cmd, func() (View, error) { return s.book(ctx, cmd, step, in.HoldID) })
}

// Admission is to a bed of a hold, or to one that scheduling does not know, by the names that the step carries.
type Admission struct {
	Step
	HoldID string
}

// Admit takes the patient to a bed. With a hold it is booked as an acceptance books one, and the place that the referral had before is free.
// Errors: as Accept.
func (s *Service) Admit(ctx context.Context, cmd Command, in Admission) (View, error) {
	in.Action = domain.ActionAdmit
	if in.HoldID == "" {
		return s.Transition(ctx, cmd, in.Step)
	}
	in.Carry.Ward, in.Carry.Bed = toBeConfirmed, ""
	return s.once(ctx, cmd, func() (View, error) { return s.book(ctx, cmd, in.Step, in.HoldID) })
}

// toBeConfirmed stands in for what scheduling will answer.
const toBeConfirmed = "to be confirmed"

func (s *Service) book(ctx context.Context, cmd Command, step Step, holdID string) (View, error) {
	referral, err := s.startAttempt(ctx, cmd, step, holdID)
	if err != nil {
		return View{}, err
	}
	booked, err := s.Capacity.ConfirmHold(ctx, Attachment{
		County: cmd.Caller.County, HoldID: holdID, ReferralID: step.ID, PatientID: referral.PatientID,
		OriginatorOrganizationID: referral.Originator.OrganizationID,
	})
	if err != nil {
		return View{}, holdError(err)
	}
	// A place elsewhere, or on another device, is not accepted: the attempt stays PENDING and scheduling's sweep gets it back.
	if !referral.Suits(booked.Place) || step.Action == domain.ActionAdmit && !booked.Place.Bed {
		return View{}, errs.Invalid(errs.Bad("holdId", errs.ReasonFieldCombination))
	}
	if step.Action == domain.ActionAdmit {
		step.Carry.Ward, step.Carry.Bed = booked.Ward, booked.Label
	}
	step.Carry.Booking = domain.Booking{ID: booked.BookingID, HoldID: holdID, Bed: booked.Place.Bed}
	step.Carry.Expected = booked.Window
	return s.change(ctx, cmd, func(u Unit, cal domain.Calendar) error {
		// Scheduling may have moved it since it answered.
		moved, ok, err := u.MovedTo(ctx, holdID, booked.BookingID)
		if err != nil {
			return err
		}
		if ok {
			step.Carry.Expected = moved
		}
		if err := s.step(ctx, u, cmd, step, cal); err != nil {
			return err
		}
		u.FinishAttempt(holdID, step.ID, booked.BookingID)
		return nil
	})
}

// startAttempt notes that this hold is being confirmed for this version, if the accept would be right, and answers the referral.
func (s *Service) startAttempt(ctx context.Context, cmd Command, in Step, holdID string) (found domain.Snapshot, err error) {
	_, err = s.change(ctx, cmd.unlogged(), func(u Unit, cal domain.Calendar) error {
		r, err := u.Referral(ctx, in.ID)
		if err != nil {
			return err
		}
		found = r.Snapshot()
		carry := in.Carry
		if holdID != "" {
			// So that only version, state and the hold's presence are judged.
			carry.Booking = domain.Booking{ID: toBeConfirmed, HoldID: holdID}
			carry.Expected = domain.Window{From: u.Now(), To: u.Now()}
		}
		c := domain.Command{Action: in.Action, Version: in.Version, At: u.Now(), Carry: carry}
		if err := s.decide(domain.Restore(found), cmd.Caller, c, cal); err != nil {
			return err
		}
		u.StartAttempt(holdID, in.ID, in.Version)
		return nil
	})
	return found, err
}

// holdError: a hold that scheduling does not know is one that has expired.
func holdError(err error) error {
	if errs.KindOf(err) == errs.KindNotFound {
		return errs.New(errs.KindConflict, errs.ReasonHoldExpired, "the hold is gone", err)
	}
	return err
}
