package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// holdGrace is how long an attached hold outlives the moment at which the answer was due.
const holdGrace = 24 * time.Hour

// Submission sends a draft; Consent, if given, replaces that of the draft.
type Submission struct {
	ID      string
	Version int32
	HoldID  string
	Consent *domain.Consent
	// Values are what the doctor found, for the criteria; if there are any they take the place of those of the draft.
	Values []domain.ClinicalValue
}

// Submit sends a draft to its receiver, which must be there. A hold that cannot be attached does not stop it: the referral says so. Errors: as Transition,
// OPEN_REFERRAL_EXISTS.
func (s *Service) Submit(ctx context.Context, cmd Command, in Submission) (View, error) {
	return s.once(ctx, cmd, func() (View, error) { return s.submit(ctx, cmd, in) })
}

func (s *Service) submit(ctx context.Context, cmd Command, in Submission) (View, error) {
	checked, err := s.enrichSent(ctx, cmd.Caller, in.ID)
	if err != nil {
		return View{}, err
	}
	carry := domain.Carry{Consent: in.Consent, Draft: checked}
	snapshot, err := s.rehearse(ctx, cmd.Caller, in.ID, domain.Command{Action: domain.ActionSubmit, Version: in.Version, Carry: carry})
	if err != nil {
		return View{}, err
	}
	if carry.ReceiverName, err = s.receiver(ctx, cmd.Caller.County, snapshot.Direction, snapshot.Receiver); err != nil {
		return View{}, err
	}
	var known domain.RecordFacts
	if carry.Values = s.usable(in.Values); len(carry.Values) > 0 {
		snapshot.Values = carry.Values
	}
	carry.Criteria, known = s.matched(ctx, cmd.Caller, snapshot)
	carry.Completeness = s.judge(snapshot, carry, known)
	if err := s.prepareSubmit(ctx, snapshot, in.HoldID, &carry); err != nil {
		return View{}, err
	}
	return s.Transition(ctx, cmd, Step{ID: in.ID, Version: in.Version, Action: domain.ActionSubmit, Carry: carry})
}

// Resubmit sends a returned referral again, if its receiver is still there. The hold that it has stays with it.
func (s *Service) Resubmit(ctx context.Context, cmd Command, in Step) (View, error) {
	in.Action = domain.ActionResubmit
	return s.once(ctx, cmd, func() (View, error) {
		checked, err := s.enrichSent(ctx, cmd.Caller, in.ID)
		if err != nil {
			return View{}, err
		}
		in.Carry.Draft = checked
		snapshot, err := s.rehearse(ctx, cmd.Caller, in.ID, domain.Command{Action: in.Action, Version: in.Version, Carry: in.Carry})
		if err != nil {
			return View{}, err
		}
		if _, err := s.receiver(ctx, cmd.Caller.County, snapshot.Direction, snapshot.Receiver); err != nil {
			return View{}, err
		}
		var known domain.RecordFacts
		in.Carry.Criteria, known = s.matched(ctx, cmd.Caller, snapshot)
		if len(snapshot.Values) == 0 && len(snapshot.MatchedCriteria) > 0 {
			// Met by values that are not known any more, or by the record as it was.
			in.Carry.Criteria = snapshot.MatchedCriteria
		}
		in.Carry.Completeness = s.judge(snapshot, in.Carry, known)
		return s.Transition(ctx, cmd, in)
	})
}

// prepareSubmit attaches the hold, if one is named, and takes a number: what a submission needs from outside its transaction.
func (s *Service) prepareSubmit(ctx context.Context, r domain.Snapshot, holdID string, carry *domain.Carry) error {
	now := s.Clock.Now()
	cal, err := s.Calendars.Calendar(ctx, r.County)
	if err != nil {
		return err
	}
	if holdID != "" {
		reserved, err := s.Capacity.AttachHold(ctx, Attachment{
			County: r.County, HoldID: holdID, ReferralID: r.ID, PatientID: r.PatientID,
			KeepUntil: cal.AnswerDue(r.Direction, r.Urgency, now).Add(holdGrace),
		})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			carry.HoldLost = true
		case !r.Suits(reserved.Place):
			return errs.Invalid(errs.Bad("holdId", errs.ReasonFieldCombination))
		default:
			carry.HoldID = holdID
		}
	}
	if carry.Number != "" {
		return nil
	}
	carry.Number, err = s.numbers.next(ctx, r.County, cal.Year(now))
	return err
}
