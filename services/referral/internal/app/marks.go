package app

import (
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Mark sets a mark of a person: depart, message, assess, correct, record_consent. It needs no version. Errors: NOT_FOUND, ROLE,
// ACTION_NOT_AVAILABLE, fields.
func (s *Service) Mark(ctx context.Context, cmd Command, id string, in domain.MarkCommand) (View, error) {
	return s.change(ctx, cmd, func(u Unit, cal domain.Calendar) error {
		r, err := u.Referral(ctx, id)
		if err != nil {
			return err
		}
		side, err := sideOf(r.Snapshot(), cmd.Caller, in.Action)
		if err != nil {
			return err
		}
		in.Side, in.By, in.At = side, actor(cmd.Caller), u.Now()
		if err := refusal(r.Mark(in)); err != nil {
			return err
		}
		if err := s.corrected(ctx, u, r, cal); err != nil {
			return err
		}
		u.Save(r)
		return nil
	})
}

// PostMessage adds to the thread and answers what was added.
func (s *Service) PostMessage(ctx context.Context, cmd Command, id, text string) (HistoryRow, error) {
	v, err := s.Mark(ctx, cmd, id, domain.MarkCommand{Action: domain.MarkMessage, Text: text})
	if err != nil {
		return HistoryRow{}, err
	}
	notes, err := s.Reader.Notes(ctx, cmd.Caller.County, v.ID, domain.MarkMessage)
	if err != nil {
		return HistoryRow{}, err
	}
	// The answer's instant is the message's own, also when a repetition gets it.
	for _, n := range notes {
		if n.By.AccountID == cmd.Caller.Subject && n.At.Equal(v.UpdateTime) && n.Note == text {
			return n, nil
		}
	}
	return HistoryRow{}, errs.NotFound("message")
}

// Notes are the marks of a name on a referral that concerns the caller.
func (s *Service) Notes(ctx context.Context, caller authn.Identity, id string, mark domain.Action) ([]HistoryRow, error) {
	if _, err := s.visible(ctx, caller, id); err != nil {
		return nil, err
	}
	return s.Reader.Notes(ctx, caller.County, id, mark)
}

// Convert makes a draft of another kind out of an ADVICE, with its text. Again with the same request it answers the same draft.
func (s *Service) Convert(ctx context.Context, cmd Command, id string, kind domain.Kind) (View, error) {
	return s.first(ctx, cmd, func() (View, error) {
		made := referralID(cmd)
		return s.change(ctx, cmd, func(u Unit, cal domain.Calendar) error {
			advice, err := u.Referral(ctx, id)
			if err != nil {
				return err
			}
			from := advice.Snapshot()
			side, err := sideOf(from, cmd.Caller, domain.MarkConvert)
			if err != nil {
				return err
			}
			may := func(m domain.Mark) bool { return m.Action == domain.MarkConvert }
			if !slices.ContainsFunc(advice.MarksFor(side), may) {
				return errs.WrongState(string(domain.MarkConvert), string(from.State))
			}
			if kind == domain.KindAdvice {
				return errs.Invalid(errs.Bad("kind", errs.ReasonFieldCombination))
			}
			draft := domain.Draft{
				Direction: from.Direction, Kind: kind, PatientID: from.PatientID, Patient: from.Patient, Originator: from.Originator,
				Receiver: from.Receiver, Diagnoses: from.Diagnoses, Form: from.Form, Consent: from.Consent, OriginatorPhone: from.OriginatorPhone,
				Values:  from.Values,
				ReplyTo: from.ID, LinkKind: domain.LinkConverted,
			}
			if from.Urgency != domain.UrgencyEmergency {
				draft.Urgency = from.Urgency
			}
			if kind == domain.KindEmergency {
				draft.Urgency = domain.UrgencyEmergency
			}
			r := domain.New(made, cmd.Caller.County)
			if err := s.create(r, cmd.Caller, Creation{Draft: draft}, u.Now(), cal); err != nil {
				return err
			}
			u.Save(r)
			return nil
		})
	})
}
