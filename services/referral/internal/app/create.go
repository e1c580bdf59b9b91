package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Creation is what the originator sends: a draft, or with Submit a referral that is sent at once.
type Creation struct {
	Draft  domain.Draft
	HoldID string
	Submit bool
	// BlankNumber is that of the form on which it was written while the system was away, and Written when; both or neither.
	BlankNumber string
	Written     time.Time
	// number is BlankNumber, found to be one that may be used.
	number domain.Number
}

// Create makes a referral of the caller's organisation. What is wrong is reported at once and before any peer is asked. Errors: fields,
// OPEN_REFERRAL_EXISTS, PEER_AWAY when patient-record does not answer (nothing is written then).
func (s *Service) Create(ctx context.Context, cmd Command, in Creation) (View, error) {
	do := func() (View, error) { return s.createNew(ctx, cmd, in) }
	if in.HoldID == "" && in.BlankNumber == "" {
		return s.first(ctx, cmd, do)
	}
	// A hold is attached, and a blank form is looked at, before the change: not again for a request that was answered, and not by one that reuses its id.
	return s.once(ctx, cmd, do)
}

func (s *Service) createNew(ctx context.Context, cmd Command, in Creation) (View, error) {
	made := referralID(cmd)
	if err := s.mayCreate(ctx, cmd, &in); err != nil {
		return View{}, err
	}
	carry, err := s.prepareNew(ctx, cmd, made, &in)
	if err != nil {
		return View{}, err
	}
	return s.change(ctx, cmd, func(u Unit, cal domain.Calendar) error {
		r := domain.New(made, cmd.Caller.County)
		c := domain.Command{At: u.Now(), Carry: carry}
		if err := s.sendNew(r, cmd, in, c, cal); err != nil {
			return err
		}
		if in.Submit {
			c.Action, c.By = domain.ActionSubmit, actor(cmd.Caller)
			if err := s.linked(ctx, u, c, r); err != nil {
				return err
			}
		}
		u.Save(r)
		if in.number != "" {
			u.UseBlank(in.number, cmd.Caller.Organization, made)
		}
		return nil
	})
}

// mayCreate refuses who may not make such a referral, and finds what it names.
func (s *Service) mayCreate(ctx context.Context, cmd Command, in *Creation) error {
	if d := in.Draft.Direction; domain.KindsOf(d) != nil && !domain.MayAct(d, domain.Originator, cmd.Caller.Roles) {
		return errs.Denied(errs.ReasonRole)
	}
	return s.replyTo(ctx, cmd, &in.Draft)
}

// CheckNew finds every field for which a creation would be refused, and does nothing else: no peer but the directory is asked. Errors: as Create.
func (s *Service) CheckNew(ctx context.Context, cmd Command, in Creation) error {
	if err := s.mayCreate(ctx, cmd, &in); err != nil {
		return err
	}
	_, _, err := s.rehearsed(ctx, cmd.Caller, referralID(cmd), &in)
	return err
}

// prepareNew completes a creation and gathers what it needs from outside its transaction: every field that is wrong first, then the
// patient's snapshot and, if it is sent at once, hold and number.
func (s *Service) prepareNew(ctx context.Context, cmd Command, made string, in *Creation) (domain.Carry, error) {
	caller := cmd.Caller
	r, receiver, err := s.rehearsed(ctx, caller, made, in)
	if err != nil {
		return domain.Carry{}, err
	}
	if in.Draft.Patient, err = s.Patients.Snapshot(ctx, in.Draft.PatientID, caller.Organization); err != nil {
		return domain.Carry{}, patientError(err)
	}
	carry := domain.Carry{ReceiverName: receiver}
	if in.Submit {
		var known domain.RecordFacts
		sent := r.Snapshot()
		sent.Patient = in.Draft.Patient
		carry.Criteria, known = s.matched(ctx, caller, sent)
		carry.Completeness = domain.JudgeCompleteness(s.Ports.Completeness, r.Snapshot(), known)
		carry.Number, carry.Written = in.number, in.Written
		err = s.prepareSubmit(ctx, r.Snapshot(), in.HoldID, &carry)
	}
	return carry, err
}

// sendNew creates a referral and, if that is asked for, submits it.
func (s *Service) sendNew(r *domain.Referral, cmd Command, in Creation, c domain.Command, cal domain.Calendar) error {
	if err := s.create(r, cmd.Caller, in, c.At, cal); err != nil || !in.Submit {
		return err
	}
	c.Action, c.Version = domain.ActionSubmit, r.Snapshot().Version
	return s.decide(r, cmd.Caller, c, cal)
}

func (s *Service) create(r *domain.Referral, caller authn.Identity, in Creation, at time.Time, cal domain.Calendar) error {
	return refusal(r.Decide(domain.Command{
		Action: domain.ActionCreate, Side: domain.Originator, By: actor(caller), At: at,
		Carry: domain.Carry{Draft: &in.Draft, Complete: in.Submit},
	}, cal))
}

// rehearsed completes a creation with what is known here and rehearses it. Errors: every field that is wrong.
func (s *Service) rehearsed(ctx context.Context, caller authn.Identity, made string, in *Creation) (r *domain.Referral, receiver string, err error) {
	number, blank := s.blankOf(ctx, caller, *in)
	if blank != nil && errs.KindOf(blank) != errs.KindInvalid {
		return nil, "", blank
	}
	in.number = number
	in.Draft.Originator = domain.Party{OrganizationID: caller.Organization, DepartmentCode: caller.Department}
	in.Draft.Diagnoses, in.Draft.Values = s.named(in.Draft.Diagnoses), s.usable(in.Draft.Values)
	if err := s.enrich(ctx, caller.County, &in.Draft); err != nil {
		return nil, "", err
	}
	r = domain.New(made, caller.County)
	receiver, err = s.rehearseCreate(ctx, r, caller, *in)
	if refused, ok := errs.As(blank); ok {
		err = gather(err, refused.Fields)
	}
	return r, receiver, err
}

// rehearseCreate decides on the given aggregate without the patient's snapshot and the number, and gathers every field that is wrong.
func (s *Service) rehearseCreate(ctx context.Context, r *domain.Referral, caller authn.Identity, in Creation) (string, error) {
	cal, err := s.Calendars.Calendar(ctx, caller.County)
	if err != nil {
		return "", err
	}
	err = s.create(r, caller, in, s.Clock.Now(), cal)
	if err != nil && errs.KindOf(err) != errs.KindInvalid {
		return "", err
	}
	name, bad, peer := s.checkReceiver(ctx, caller.County, in.Draft.Direction, in.Draft.Receiver)
	if peer != nil && err == nil {
		return "", peer
	}
	return name, gather(err, bad)
}

// gather puts fields that were found wrong elsewhere beside those of a refusal.
func gather(err error, bad []errs.Field) error {
	var refused *errs.Error
	switch {
	case errors.As(err, &refused) && refused.Kind == errs.KindInvalid:
		return invalid(append(slices.Clone(refused.Fields), bad...))
	case err == nil && len(bad) > 0:
		return invalid(bad)
	}
	return err
}

// within names the fields of a refusal as parts of a message.
func within(part string, err error) error {
	var refused *errs.Error
	if !errors.As(err, &refused) || refused.Kind != errs.KindInvalid {
		return err
	}
	fields := slices.Clone(refused.Fields)
	for i := range fields {
		fields[i].Name = part + "." + fields[i].Name
	}
	return invalid(fields)
}

// referralID follows from the request, so that a request that broke off after a hold was attached finds that hold attached to itself.
func referralID(cmd Command) string {
	if cmd.RequestID == "" {
		return id.New()
	}
	return id.FromFact("referral", cmd.Caller.County, cmd.Caller.Subject, cmd.Method, cmd.RequestID)
}

// named fills in the words of diagnoses that came as a bare code.
func (s *Service) named(in []domain.Diagnosis) []domain.Diagnosis {
	out := make([]domain.Diagnosis, len(in))
	for i, d := range in {
		if d.Display == "" {
			d.Display = s.Diagnoses.Name(d.Code)
		}
		out[i] = d
	}
	return out
}

// patientError: a patient that cannot be found is a field to correct, everything else is as patient-record said it.
func patientError(err error) error {
	if errs.KindOf(err) == errs.KindNotFound {
		return errs.Invalid(errs.Bad("patientId", errs.ReasonFieldUnknown))
	}
	return err
}
