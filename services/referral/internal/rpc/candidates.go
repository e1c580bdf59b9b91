package rpc

import (
	"context"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// candidateServer implements CandidateService.
type candidateServer struct {
	referralv1.UnimplementedCandidateServiceServer
	app *app.Service
}

// ListCandidates implements CandidateService.
func (s candidateServer) ListCandidates(ctx context.Context, m *referralv1.ListCandidatesRequest) (*referralv1.ListCandidatesResponse, error) {
	views, next, err := s.app.ListCandidates(ctx, caller(ctx), app.CandidateFilter{
		State: m.GetState(), Department: m.GetDepartment(), PageToken: m.GetPageToken(), Limit: int(m.GetPageSize()),
	})
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListCandidatesResponse{NextPageToken: next}
	for _, v := range views {
		out.Candidates = append(out.Candidates, s.candidate(v))
	}
	return out, nil
}

func (s candidateServer) answer(v app.CandidateView, err error) (*referralv1.Candidate, error) {
	if err != nil {
		return nil, err
	}
	return s.candidate(v), nil
}

// GetCandidate implements CandidateService.
func (s candidateServer) GetCandidate(ctx context.Context, m *referralv1.GetCandidateRequest) (*referralv1.Candidate, error) {
	return s.answer(s.app.Candidate(ctx, caller(ctx), m.GetId()))
}

// DismissCandidate implements CandidateService.
func (s candidateServer) DismissCandidate(ctx context.Context, m *referralv1.DismissCandidateRequest) (*referralv1.Candidate, error) {
	cmd, err := command(ctx, referralv1.CandidateService_DismissCandidate_FullMethodName, m)
	if err != nil {
		return nil, err
	}
	return s.answer(s.app.DismissCandidate(ctx, cmd, app.Dismissal{ID: m.GetId(), Dismissal: domain.Dismissal{
		Version: m.GetVersion(), Reason: m.GetReasonCode(), Note: trim(m.GetNote()),
	}}))
}

// ReferCandidate implements CandidateService.
func (s candidateServer) ReferCandidate(ctx context.Context, m *referralv1.ReferCandidateRequest) (*referralv1.Referral, error) {
	cmd, err := command(ctx, referralv1.CandidateService_ReferCandidate_FullMethodName, m)
	if err != nil {
		return nil, err
	}
	return answer(s.app.ReferCandidate(ctx, cmd, m.GetId()))
}

// CheckMedicines implements CandidateService.
func (s candidateServer) CheckMedicines(ctx context.Context, m *referralv1.CheckMedicinesRequest) (*referralv1.CheckMedicinesResponse, error) {
	checked, err := s.app.CheckMedicines(ctx, caller(ctx).County, m.GetOrganizationId(), toMedicines(m.GetMedicines()))
	if err != nil {
		return nil, err
	}
	out := &referralv1.CheckMedicinesResponse{Capabilities: checked.Capabilities, FormularyKnown: checked.Known}
	for _, c := range checked.Checks {
		one := &referralv1.MedicineCheck{
			Medicine: medicine(c.Medicine), Availability: string(c.Availability), Substitutes: c.Substitutes,
			LongPrescription: domain.LongPrescription(c.Days, c.RestrictedClass),
		}
		for _, n := range c.Named {
			one.Named = append(one.Named, &referralv1.NamedMedicine{Name: n.Name, Availability: string(n.Availability)})
		}
		out.Checks = append(out.Checks, one)
	}
	return out, nil
}

func (s candidateServer) candidate(v app.CandidateView) *referralv1.Candidate {
	out := &referralv1.Candidate{
		Id: v.ID, Version: v.Version, State: string(v.State), PatientId: v.PatientID, Patient: patient(v.Patient),
		OrganizationId: v.OrganizationID, DepartmentCode: v.DepartmentCode, ReferralId: v.ReferralID, ReferralNumber: v.Number.Printed(),
		CentreId: v.CentreID, FamilyDoctor: v.FamilyDoctor, FamilyDoctorName: v.FamilyDoctorName,
		FoundTime: stamp(v.FoundTime), DueTime: stamp(v.Due), Origin: string(v.Origin), DownReferralId: v.DownReferral,
		ReasonCode: v.ReasonCode, Note: v.Note, StayStart: stamp(v.Start), StayEnd: stamp(v.End),
		UpAgainId: v.UpAgainBy, UpAgainNumber: v.UpAgainNumber.Printed(),
	}
	for _, d := range v.Diagnoses {
		out.Diagnoses = append(out.Diagnoses, coding(d))
	}
	for _, m := range v.Medicines {
		out.Medicines = append(out.Medicines, medicine(m))
	}
	for _, code := range v.Reasons {
		r, ok := s.app.Reason(code)
		if !ok {
			// A rule that the county has taken out since.
			r.Text, r.TextEn = code, code
		}
		out.Reasons = append(out.Reasons, &referralv1.CandidateReason{Code: code, Text: r.Text, TextEn: r.TextEn, Source: r.Source})
	}
	return out
}
