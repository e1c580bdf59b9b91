package rpc

import (
	"context"
	"time"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// BreakGlass implements the contract.
func (s accessServer) BreakGlass(ctx context.Context, in *patientrecordv1.BreakGlassRequest) (*patientrecordv1.Glass, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	request, err := requestOf("BreakGlass", in.GetRequestId(), in)
	if err != nil {
		return nil, err
	}
	g, err := s.app.BreakGlass(ctx, who, app.Break{
		Request: request, PatientID: in.GetPatientId(), IdentityNumber: in.GetIdentityNumber(), Reason: in.GetReason(), Note: in.GetNote(),
	})
	if err != nil {
		return nil, err
	}
	return fromGlass(g, s.app.Now()), nil
}

// DeclareVisit implements the contract.
func (s accessServer) DeclareVisit(ctx context.Context, in *patientrecordv1.DeclareVisitRequest) (*patientrecordv1.Glass, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	request, err := requestOf("DeclareVisit", in.GetRequestId(), in)
	if err != nil {
		return nil, err
	}
	g, err := s.app.Visit(ctx, who, app.Arrive{Request: request, PatientID: in.GetPatientId(), IdentityNumber: in.GetIdentityNumber()})
	if err != nil {
		return nil, err
	}
	return fromGlass(g, s.app.Now()), nil
}

// ListGlasses implements the contract.
func (s accessServer) ListGlasses(ctx context.Context, in *patientrecordv1.ListGlassesRequest) (*patientrecordv1.ListGlassesResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	after, err := readCursor(in.GetPageToken())
	if err != nil {
		return nil, err
	}
	page, err := s.app.Glasses(ctx, who, in.GetOpen(), after, int(in.GetPageSize()))
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.ListGlassesResponse{NextPageToken: cursorToken(page.Next)}
	for _, g := range page.Uses {
		out.Glasses = append(out.Glasses, fromGlass(g, s.app.Now()))
	}
	return out, nil
}

// GetGlass implements the contract.
func (s accessServer) GetGlass(ctx context.Context, in *patientrecordv1.GetGlassRequest) (*patientrecordv1.Glass, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	g, reads, err := s.app.Glass(ctx, who, in.GetId())
	if err != nil {
		return nil, err
	}
	out := fromGlass(g, s.app.Now())
	for _, r := range reads {
		out.Reads = append(out.Reads, &patientrecordv1.GlassRead{Action: r.Action, ObjectType: r.ObjectType, Time: stamp(r.Time)})
	}
	return out, nil
}

// ReviewGlass implements the contract.
func (s accessServer) ReviewGlass(ctx context.Context, in *patientrecordv1.ReviewGlassRequest) (*patientrecordv1.Glass, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	request, err := requestOf("ReviewGlass", in.GetRequestId(), in)
	if err != nil {
		return nil, err
	}
	g, err := s.app.Review(ctx, who, app.Judgement{
		Request: request, ID: in.GetId(), Version: in.GetVersion(), Verdict: domain.GlassVerdict(in.GetVerdict()), Note: in.GetNote(),
	})
	if err != nil {
		return nil, err
	}
	return fromGlass(g, s.app.Now()), nil
}

func fromGlass(g domain.Glass, now time.Time) *patientrecordv1.Glass {
	out := &patientrecordv1.Glass{
		Id: g.ID, Version: g.Version, PatientId: g.PatientID, AccountId: g.Account, AccountName: g.AccountName, OrganizationId: g.Organization,
		HomeOrganizationId: g.Home, Way: string(g.Way), Reason: g.Reason, Note: g.Note, StartTime: stamp(g.From), ExpireTime: stamp(g.To),
		Open: g.Open(), DueTime: stamp(g.Due()), Overdue: g.Overdue(now),
	}
	for _, r := range g.Reviews {
		out.Reviews = append(out.Reviews, &patientrecordv1.GlassReview{
			Verdict: string(r.Verdict), Note: r.Note, AccountName: r.AccountName, OrganizationId: r.Organization, Time: stamp(r.Time),
		})
	}
	return out
}
