package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// transition is the part that all requests of transitions have.
type transition interface {
	proto.Message
	GetId() string
	GetVersion() int32
	GetRequestId() string
}

// step runs a transition that needs no other service.
func (s *Server) step(ctx context.Context, a domain.Action, m transition, carry domain.Carry) (*referralv1.Referral, error) {
	cmd, err := command(ctx, Method(a), m)
	if err != nil {
		return nil, err
	}
	return answer(s.app.Transition(ctx, cmd, app.Step{ID: m.GetId(), Version: m.GetVersion(), Action: a, Carry: carry}))
}

func (s *Server) plain(ctx context.Context, a domain.Action, m *referralv1.ActionRequest) (*referralv1.Referral, error) {
	return s.step(ctx, a, m, domain.Carry{Note: trim(m.GetNote())})
}

func (s *Server) reason(ctx context.Context, a domain.Action, m *referralv1.ReasonRequest) (*referralv1.Referral, error) {
	return s.step(ctx, a, m, domain.Carry{Reason: m.GetReasonCode(), Note: trim(m.GetNote())})
}

// CreateReferral implements ReferralService.
func (s *Server) CreateReferral(ctx context.Context, m *referralv1.CreateReferralRequest) (*referralv1.Referral, error) {
	cmd, err := command(ctx, Method(domain.ActionCreate), m)
	if err != nil {
		return nil, err
	}
	in := app.Creation{
		Draft: draft(m), HoldID: m.GetHoldId(), Submit: m.GetSubmit(),
		BlankNumber: m.GetBlankNumber(), Written: instant(m.GetWrittenTime()),
	}
	if m.GetValidateOnly() {
		return &referralv1.Referral{}, s.app.CheckNew(ctx, cmd, in)
	}
	return answer(s.app.Create(ctx, cmd, in))
}

// EditReferral implements ReferralService.
func (s *Server) EditReferral(ctx context.Context, m *referralv1.EditReferralRequest) (*referralv1.Referral, error) {
	cmd, err := command(ctx, Method(domain.ActionEdit), m)
	if err != nil {
		return nil, err
	}
	return answer(s.app.Edit(ctx, cmd, app.Edition{
		ID: m.GetId(), Version: m.GetVersion(), Draft: draft(m.GetReferral()), Fields: m.GetUpdateMask().GetPaths(),
	}))
}

// Submit implements ReferralService.
func (s *Server) Submit(ctx context.Context, m *referralv1.SubmitRequest) (*referralv1.Referral, error) {
	cmd, err := command(ctx, Method(domain.ActionSubmit), m)
	if err != nil {
		return nil, err
	}
	in := app.Submission{ID: m.GetId(), Version: m.GetVersion(), HoldID: m.GetHoldId(), Values: clinicalValues(m.GetValues())}
	if m.GetConsent() != nil {
		c := typedConsent(m.GetConsent())
		in.Consent = &c
	}
	return answer(s.app.Submit(ctx, cmd, in))
}

// Accept implements ReferralService.
func (s *Server) Accept(ctx context.Context, m *referralv1.AcceptRequest) (*referralv1.Referral, error) {
	return s.book(ctx, domain.ActionAccept, m)
}

// Rebook implements ReferralService.
func (s *Server) Rebook(ctx context.Context, m *referralv1.AcceptRequest) (*referralv1.Referral, error) {
	return s.book(ctx, domain.ActionRebook, m)
}

func (s *Server) book(ctx context.Context, a domain.Action, m *referralv1.AcceptRequest) (*referralv1.Referral, error) {
	cmd, err := command(ctx, Method(a), m)
	if err != nil {
		return nil, err
	}
	return answer(s.app.Accept(ctx, cmd, acceptance(m, a)))
}

// Redirect implements ReferralService.
func (s *Server) Redirect(ctx context.Context, m *referralv1.RedirectRequest) (*referralv1.Referral, error) {
	cmd, err := command(ctx, Method(domain.ActionRedirect), m)
	if err != nil {
		return nil, err
	}
	carry := domain.Carry{Receiver: toParty(m.GetReceiver()), Reason: m.GetReasonCode(), Note: trim(m.GetNote())}
	return answer(s.app.Redirect(ctx, cmd, app.Step{ID: m.GetId(), Version: m.GetVersion(), Carry: carry}))
}

// Return implements ReferralService.
func (s *Server) Return(ctx context.Context, m *referralv1.ReasonRequest) (*referralv1.Referral, error) {
	return s.reason(ctx, domain.ActionReturn, m)
}

// Decline implements ReferralService.
func (s *Server) Decline(ctx context.Context, m *referralv1.ReasonRequest) (*referralv1.Referral, error) {
	return s.reason(ctx, domain.ActionDecline, m)
}

// Cancel implements ReferralService.
func (s *Server) Cancel(ctx context.Context, m *referralv1.ReasonRequest) (*referralv1.Referral, error) {
	return s.reason(ctx, domain.ActionCancel, m)
}

// UndoArrive implements ReferralService.
func (s *Server) UndoArrive(ctx context.Context, m *referralv1.ReasonRequest) (*referralv1.Referral, error) {
	return s.reason(ctx, domain.ActionUndoArrive, m)
}

// UndoAdmit implements ReferralService.
func (s *Server) UndoAdmit(ctx context.Context, m *referralv1.ReasonRequest) (*referralv1.Referral, error) {
	return s.reason(ctx, domain.ActionUndoAdmit, m)
}

// Resubmit implements ReferralService.
func (s *Server) Resubmit(ctx context.Context, m *referralv1.ActionRequest) (*referralv1.Referral, error) {
	cmd, err := command(ctx, Method(domain.ActionResubmit), m)
	if err != nil {
		return nil, err
	}
	step := app.Step{ID: m.GetId(), Version: m.GetVersion(), Carry: domain.Carry{Note: trim(m.GetNote())}}
	return answer(s.app.Resubmit(ctx, cmd, step))
}

// Arrive implements ReferralService.
func (s *Server) Arrive(ctx context.Context, m *referralv1.ActionRequest) (*referralv1.Referral, error) {
	cmd, err := command(ctx, Method(domain.ActionArrive), m)
	if err != nil {
		return nil, err
	}
	step := app.Step{ID: m.GetId(), Version: m.GetVersion(), Carry: domain.Carry{Note: trim(m.GetNote())}}
	return answer(s.app.Arrive(ctx, cmd, step))
}

// NoShow implements ReferralService.
func (s *Server) NoShow(ctx context.Context, m *referralv1.ActionRequest) (*referralv1.Referral, error) {
	return s.plain(ctx, domain.ActionNoShow, m)
}

// Acknowledge implements ReferralService.
func (s *Server) Acknowledge(ctx context.Context, m *referralv1.ActionRequest) (*referralv1.Referral, error) {
	return s.plain(ctx, domain.ActionAcknowledge, m)
}

// Admit implements ReferralService.
func (s *Server) Admit(ctx context.Context, m *referralv1.AdmitRequest) (*referralv1.Referral, error) {
	cmd, err := command(ctx, Method(domain.ActionAdmit), m)
	if err != nil {
		return nil, err
	}
	carry := domain.Carry{Ward: trim(m.GetWard()), Bed: trim(m.GetBed()), Instead: m.GetInstead() && m.GetHoldId() == "", Note: trim(m.GetNote())}
	return answer(s.app.Admit(ctx, cmd, app.Admission{Step: app.Step{ID: m.GetId(), Version: m.GetVersion(), Carry: carry}, HoldID: m.GetHoldId()}))
}

// Conclude implements ReferralService.
func (s *Server) Conclude(ctx context.Context, m *referralv1.ConcludeRequest) (*referralv1.Referral, error) {
	return s.step(ctx, domain.ActionConclude, m, domain.Carry{
		Outcome: m.GetOutcomeCode(), Reply: typedReply(m.GetReply()), Note: trim(m.GetNote()),
	})
}
