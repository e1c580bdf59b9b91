package rpc

import (
	"context"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// ListRegistrations implements ReferralService.
func (s *Server) ListRegistrations(ctx context.Context, m *referralv1.ListRegistrationsRequest) (*referralv1.ListRegistrationsResponse, error) {
	page, err := s.app.ListRegistrations(ctx, caller(ctx), m.GetPageToken(), int(m.GetPageSize()))
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListRegistrationsResponse{NextPageToken: page.Next}
	for _, r := range page.Open {
		one := registration(r)
		one.Patient = patient(r.Patient)
		out.Registrations = append(out.Registrations, one)
	}
	for _, v := range page.Arrivals {
		out.Arrivals = append(out.Arrivals, Referral(v))
	}
	return out, nil
}

// GetRegistration implements ReferralService.
func (s *Server) GetRegistration(ctx context.Context, m *referralv1.GetRegistrationRequest) (*referralv1.Registration, error) {
	r, err := s.app.Registration(ctx, caller(ctx), m.GetId())
	if err != nil {
		return nil, err
	}
	return registration(r), nil
}

// DismissRegistration implements ReferralService.
func (s *Server) DismissRegistration(ctx context.Context, m *referralv1.DismissRegistrationRequest) (*referralv1.Registration, error) {
	cmd, err := command(ctx, referralv1.ReferralService_DismissRegistration_FullMethodName, m)
	if err != nil {
		return nil, err
	}
	r, err := s.app.DismissRegistration(ctx, cmd, m.GetId(), m.GetReasonCode(), trim(m.GetNote()))
	if err != nil {
		return nil, err
	}
	return registration(r), nil
}

func registration(r domain.Registration) *referralv1.Registration {
	return &referralv1.Registration{
		Id: r.ID, State: string(r.State), PatientId: r.PatientID, OrganizationId: r.OrganizationID, DepartmentCode: r.DepartmentCode, Class: r.Class,
		CentreId: r.CentreID, StartTime: stamp(r.Start), ReferralId: r.ReferralID, ReasonCode: r.Reason,
	}
}
