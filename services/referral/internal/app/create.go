package app

import (
	"context"
	"errors"
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
}

// Create makes a referral of the caller's organisation. What is wrong is reported at once and before any peer is asked. Errors: fields,
// OPEN_REFERRAL_EXISTS, PEER_AWAY when patient-record does not answer (nothing is written then).
func (s *Service) Create(ctx context.Context, cmd Command, in Creation) (View, error) {
	do := func() (View, error) { return s.createNew(ctx, cmd, in) }
	if in.HoldID == "" {
		return s.first(ctx, cmd, do)
	}
	// A hold is attached before the change: not again for a request that was answered, and not by one that reuses its id.
	return s.once(ctx, cmd, do)
}

func (s *Service) createNew(ctx context.Context, cmd Command, in Creation) (View, error) {
	caller := cmd.Caller
	in.Draft.Originator = domain.Party{OrganizationID: caller.Organization, DepartmentCode: caller.Department}
	in.Draft.Diagnoses = s.named(in.Draft.Diagnoses)
	referral := referralID(cmd)
	r := domain.New(referral, caller.County)
	receiver, err := s.rehearseCreate(ctx, r, caller, in)
	if err != nil {
		return View{}, err
	}
	if in.Draft.Patient, err = s.Patients.Snapshot(ctx, in.Draft.PatientID, caller.Organization); err != nil {
		return View{}, patientError(err)
	}
	carry := domain.Carry{ReceiverName: receiver}
	if in.Submit {
		if err := s.prepareSubmit(ctx, r.Snapshot(), in.HoldID, &carry); err != nil {
			return View{}, err
		}
	}
	return s.Referrals.Change(ctx, cmd, func(u Unit) error {
		r := domain.New(referral, caller.County)
		if err := s.create(r, caller, in, u.Now()); err != nil {
			return err
		}
		if in.Submit {
			c := domain.Command{Action: domain.ActionSubmit, Version: r.Snapshot().Version, At: u.Now(), Carry: carry}
			if err := s.decide(r, caller, c); err != nil {
				return err
			}
		}
		u.Save(r)
		return nil
	})
}

func (s *Service) create(r *domain.Referral, caller authn.Identity, in Creation, at time.Time) error {
	return refusal(r.Decide(domain.Command{
		Action: domain.ActionCreate, Side: domain.Originator, By: actor(caller), At: at,
		Carry: domain.Carry{Draft: &in.Draft, Complete: in.Submit},
	}, s.Calendar))
}

// rehearseCreate decides on the given aggregate without the patient's snapshot and the number, and gathers every field that is wrong.
func (s *Service) rehearseCreate(ctx context.Context, r *domain.Referral, caller authn.Identity, in Creation) (string, error) {
	err := s.create(r, caller, in, s.Clock.Now())
	var refused *errs.Error
	if errors.As(err, &refused) && refused.Kind != errs.KindInvalid {
		return "", err
	}
	name, bad, peer := s.checkReceiver(ctx, caller.County, in.Draft.Direction, in.Draft.Receiver)
	if peer != nil && err == nil {
		return "", peer
	}
	if refused != nil {
		bad = append(refused.Fields, bad...)
	}
	if len(bad) > 0 {
		return "", invalid(bad)
	}
	return name, err
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
