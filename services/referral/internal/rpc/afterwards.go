package rpc

import (
	"context"
	"maps"
	"slices"
	"time"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// Answer implements ReferralService.
func (s *Server) Answer(ctx context.Context, m *referralv1.AnswerRequest) (*referralv1.Referral, error) {
	return s.step(ctx, domain.ActionAnswer, m, domain.Carry{Reply: domain.Reply{Answer: trim(m.GetAnswer())}, Note: trim(m.GetNote())})
}

// RecordArrival implements ReferralService.
func (s *Server) RecordArrival(ctx context.Context, m *referralv1.RecordArrivalRequest) (*referralv1.Referral, error) {
	cmd, err := command(ctx, Method(domain.ActionRecordArrival), m)
	if err != nil {
		return nil, err
	}
	return answer(s.app.Record(ctx, cmd, app.Recording{
		Action: domain.ActionRecordArrival, At: instant(m.GetArriveTime()), Reason: m.GetReasonCode(), Note: trim(m.GetNote()),
		Draft: domain.Draft{
			Direction: domain.Up, Kind: domain.Kind(word(m.GetKind())), Urgency: domain.Urgency(word(m.GetUrgency())), PatientID: m.GetPatientId(),
			Originator: toParty(m.GetOriginator()), Receiver: domain.Party{DepartmentCode: m.GetDepartmentCode()},
			Diagnoses: typedDiagnoses(m.GetDiagnoses()),
		},
	}))
}

// RecordOut implements ReferralService.
func (s *Server) RecordOut(ctx context.Context, m *referralv1.RecordOutRequest) (*referralv1.Referral, error) {
	cmd, err := command(ctx, Method(domain.ActionRecordOut), m)
	if err != nil {
		return nil, err
	}
	return answer(s.app.Record(ctx, cmd, app.Recording{
		Action: domain.ActionRecordOut, Date: m.GetDate(), Destination: trim(m.GetDestination()), Reason: m.GetReasonCode(), Note: trim(m.GetNote()),
		Draft: domain.Draft{
			Direction: domain.Out, Kind: domain.KindExternal, PatientID: m.GetPatientId(), Receiver: toParty(m.GetReceiver()),
			Diagnoses: typedDiagnoses(m.GetDiagnoses()),
		},
	}))
}

// BeginFollowUp implements ReferralService. The family doctor is the caller where no other is named.
func (s *Server) BeginFollowUp(ctx context.Context, m *referralv1.BeginFollowUpRequest) (*referralv1.Referral, error) {
	doctor := m.GetFamilyDoctor()
	if doctor == "" {
		doctor = caller(ctx).Subject
	}
	return s.step(ctx, domain.ActionBeginFollowUp, m, domain.Carry{Plan: typedPlan(m.GetPlan()), FamilyDoctor: doctor, Note: trim(m.GetNote())})
}

// RecordVisit implements ReferralService.
func (s *Server) RecordVisit(ctx context.Context, m *referralv1.RecordVisitRequest) (*referralv1.Referral, error) {
	return s.step(ctx, domain.ActionRecordVisit, m, domain.Carry{
		Visit: int(m.GetVisit()), Findings: toFindings(m.GetFindings()), Plan: typedPlan(m.GetPlan()),
	})
}

// RevisePlan implements ReferralService.
func (s *Server) RevisePlan(ctx context.Context, m *referralv1.RevisePlanRequest) (*referralv1.Referral, error) {
	return s.step(ctx, domain.ActionRevisePlan, m, domain.Carry{
		Plan: typedPlan(m.GetPlan()), FamilyDoctor: m.GetFamilyDoctor(), Note: trim(m.GetNote()),
	})
}

// Complete implements ReferralService.
func (s *Server) Complete(ctx context.Context, m *referralv1.CompleteRequest) (*referralv1.Referral, error) {
	return s.step(ctx, domain.ActionComplete, m, domain.Carry{Outcome: m.GetOutcomeCode(), Note: trim(m.GetNote())})
}

// Escalate implements ReferralService.
func (s *Server) Escalate(ctx context.Context, m *referralv1.EscalateRequest) (*referralv1.Referral, error) {
	cmd, err := command(ctx, Method(domain.ActionEscalate), m)
	if err != nil {
		return nil, err
	}
	return answer(s.app.Escalate(ctx, cmd, app.Escalation{
		ID: m.GetId(), Version: m.GetVersion(), Draft: draft(m.GetReferral()), HoldID: m.GetReferral().GetHoldId(), Note: trim(m.GetNote()),
	}))
}

// Depart implements ReferralService.
func (s *Server) Depart(ctx context.Context, m *referralv1.DepartRequest) (*referralv1.Referral, error) {
	c := domain.MarkCommand{Action: domain.MarkDepart, Transport: m.GetTransport(), Expected: instant(m.GetExpectedArrival()), Note: trim(m.GetNote())}
	if m.ExpectedMinutes != nil {
		in := time.Duration(m.GetExpectedMinutes()) * time.Minute
		c.ExpectedIn = &in
	}
	return s.mark(ctx, m, c)
}

// Assess implements ReferralService.
func (s *Server) Assess(ctx context.Context, m *referralv1.AssessRequest) (*referralv1.Referral, error) {
	return s.mark(ctx, m, domain.MarkCommand{
		Action: domain.MarkAssess, Verdict: domain.Verdict(m.GetVerdict()), Note: trim(m.GetNote()),
	})
}

// RecordConsent implements ReferralService.
func (s *Server) RecordConsent(ctx context.Context, m *referralv1.RecordConsentRequest) (*referralv1.Referral, error) {
	return s.mark(ctx, m, domain.MarkCommand{Action: domain.MarkConsent, Consent: typedConsent(m.GetConsent())})
}

// Correct implements ReferralService.
func (s *Server) Correct(ctx context.Context, m *referralv1.CorrectRequest) (*referralv1.Referral, error) {
	r := m.GetReferral()
	return s.mark(ctx, m, domain.MarkCommand{
		Action: domain.MarkCorrect, Reason: m.GetReasonCode(), Note: trim(m.GetNote()), Fields: m.GetUpdateMask().GetPaths(),
		Content: domain.Correction{
			Form: typedForm(r.GetForm()), Reply: typedReply(r.GetReply()), Diagnoses: typedDiagnoses(r.GetDiagnoses()), Outcome: r.GetOutcomeCode(),
		},
	})
}

func (s *Server) mark(ctx context.Context, m interface {
	markRequest
	GetId() string
}, in domain.MarkCommand) (*referralv1.Referral, error) {
	cmd, err := command(ctx, MarkMethod(in.Action), m)
	if err != nil {
		return nil, err
	}
	return answer(s.app.Mark(ctx, cmd, m.GetId(), in))
}

// Convert implements ReferralService.
func (s *Server) Convert(ctx context.Context, m *referralv1.ConvertRequest) (*referralv1.Referral, error) {
	cmd, err := command(ctx, MarkMethod(domain.MarkConvert), m)
	if err != nil {
		return nil, err
	}
	return answer(s.app.Convert(ctx, cmd, m.GetId(), domain.Kind(word(m.GetKind()))))
}

// PostMessage implements ReferralService.
func (s *Server) PostMessage(ctx context.Context, m *referralv1.PostMessageRequest) (*referralv1.Message, error) {
	cmd, err := command(ctx, MarkMethod(domain.MarkMessage), m)
	if err != nil {
		return nil, err
	}
	h, err := s.app.PostMessage(ctx, cmd, m.GetId(), trim(m.GetText()))
	if err != nil {
		return nil, err
	}
	return message(m.GetId(), h), nil
}

// ListMessages implements ReferralService.
func (s *Server) ListMessages(ctx context.Context, m *referralv1.ListMessagesRequest) (*referralv1.ListMessagesResponse, error) {
	rows, err := s.app.Notes(ctx, caller(ctx), m.GetId(), domain.MarkMessage)
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListMessagesResponse{}
	for _, h := range rows {
		out.Messages = append(out.Messages, message(m.GetId(), h))
	}
	return out, nil
}

// ListCorrections implements ReferralService.
func (s *Server) ListCorrections(ctx context.Context, m *referralv1.ListCorrectionsRequest) (*referralv1.ListCorrectionsResponse, error) {
	rows, err := s.app.Notes(ctx, caller(ctx), m.GetId(), domain.MarkCorrect)
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListCorrectionsResponse{}
	for i, h := range rows {
		out.Corrections = append(out.Corrections, correction(i+1, h))
	}
	return out, nil
}

// ListLinks implements ReferralService.
func (s *Server) ListLinks(ctx context.Context, m *referralv1.ListLinksRequest) (*referralv1.ListLinksResponse, error) {
	links, err := s.app.Links(ctx, app.Command{Caller: caller(ctx)}, m.GetId())
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListLinksResponse{}
	for _, l := range links {
		out.Links = append(out.Links, link(l))
	}
	return out, nil
}
