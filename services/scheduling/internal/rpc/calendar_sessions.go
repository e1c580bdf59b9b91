package rpc

import (
	"context"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
)

// ListSessions implements the contract.
func (s *CalendarServer) ListSessions(ctx context.Context, r *schedulingv1.ListSessionsRequest) (*schedulingv1.ListSessionsResponse, error) {
	by, err := planning(ctx, "", "")
	if err != nil {
		return nil, err
	}
	size := pageSize(r.GetPageSize())
	q := app.SessionQuery{OrganizationID: r.GetOrganizationId(), Department: r.GetDepartment(), Kind: r.GetKind(), From: r.GetFrom(), To: r.GetTo(),
		Limit: size + 1}
	if q.AfterStart, q.AfterID, err = readSlotToken(r.GetPageToken()); err != nil {
		return nil, err
	}
	list, err := s.planner.Sessions(ctx, by, q, s.clk.Now())
	if err != nil {
		return nil, err
	}
	out := &schedulingv1.ListSessionsResponse{}
	if len(list) > size {
		list = list[:size]
		out.NextPageToken = sessionToken(list[size-1])
	}
	out.Sessions = sessionProtos(list)
	return out, nil
}

// CountComing implements the contract.
func (s *CalendarServer) CountComing(ctx context.Context, r *schedulingv1.CountComingRequest) (*schedulingv1.CountComingResponse, error) {
	by, err := planning(ctx, "", "")
	if err != nil {
		return nil, err
	}
	all, parts, err := s.planner.Coming(ctx, app.ComingQuery{County: by.County, OrganizationID: r.GetOrganizationId(), Department: r.GetDepartment(),
		IDs: r.GetPractitionerIds(), Name: r.GetPractitionerName()})
	if err != nil {
		return nil, err
	}
	out := &schedulingv1.CountComingResponse{Sessions: int32(all.Sessions), Taken: int32(all.Taken)}
	if len(r.GetPractitionerIds()) == 0 {
		return out, nil
	}
	for _, p := range parts {
		out.Parts = append(out.Parts, &schedulingv1.ComingPart{
			OrganizationId: p.OrganizationID, DepartmentCode: p.DepartmentCode, Kind: p.Kind, TemplateId: p.TemplateID, PractitionerId: p.PractitionerID,
			PractitionerName: p.PractitionerName, Sessions: int32(p.Sessions), Taken: int32(p.Taken), FirstDay: p.FirstDay, LastDay: p.LastDay,
		})
	}
	return out, nil
}

// GetSession implements the contract.
func (s *CalendarServer) GetSession(ctx context.Context, r *schedulingv1.GetSessionRequest) (*schedulingv1.SessionDetail, error) {
	by, err := planning(ctx, "", "")
	if err != nil {
		return nil, err
	}
	v, uses, err := s.planner.Session(ctx, by, r.GetId(), s.clk.Now())
	if err != nil {
		return nil, err
	}
	out := &schedulingv1.SessionDetail{Session: sessionProto(v)}
	for _, use := range uses {
		out.Slots = append(out.Slots, useProto(use, v.Equipment))
	}
	return out, nil
}

// SubstituteSession implements the contract.
func (s *CalendarServer) SubstituteSession(ctx context.Context, r *schedulingv1.SubstituteSessionRequest) (*schedulingv1.Session, error) {
	by, err := planning(ctx, "", r.GetRequestId())
	if err != nil {
		return nil, err
	}
	v, err := s.planner.Substitute(ctx, by, app.Substitution{SessionID: r.GetId(), Version: r.GetVersion(), PractitionerID: r.GetPractitionerId(),
		PractitionerName: r.GetPractitionerName(), Location: r.GetLocation()})
	return sessionProto(v), err
}

// CancelSession implements the contract.
func (s *CalendarServer) CancelSession(ctx context.Context, r *schedulingv1.CancelSessionRequest) (*schedulingv1.CancelSessionResponse, error) {
	by, err := planning(ctx, "", r.GetRequestId())
	if err != nil {
		return nil, err
	}
	v, moved, err := s.planner.CancelSession(ctx, by, app.Cancellation{SessionID: r.GetId(), Version: r.GetVersion(), ReasonCode: r.GetReasonCode(),
		Note: r.GetNote()})
	if err != nil {
		return nil, err
	}
	return cancellationProto(v, moved), nil
}

// MoveBooking implements the contract.
func (s *CalendarServer) MoveBooking(ctx context.Context, r *schedulingv1.MoveBookingRequest) (*schedulingv1.Booking, error) {
	by, err := planning(ctx, "", r.GetRequestId())
	if err != nil {
		return nil, err
	}
	return bookingAnswer(s.app.MoveBooking(ctx, by, app.Relocation{ID: r.GetId(), SlotID: r.GetSlotId(), FromSlotID: r.GetFromSlotId()}))
}

// BlockSlots implements the contract.
func (s *CalendarServer) BlockSlots(ctx context.Context, r *schedulingv1.BlockSlotsRequest) (*schedulingv1.BlockSlotsResponse, error) {
	by, err := planning(ctx, "", r.GetRequestId())
	if err != nil {
		return nil, err
	}
	n, err := s.planner.BlockSlots(ctx, by, app.Blocking{SlotIDs: r.GetSlotIds(), ReasonCode: r.GetReasonCode()})
	return &schedulingv1.BlockSlotsResponse{Changed: int32(n)}, err
}

// UnblockSlots implements the contract.
func (s *CalendarServer) UnblockSlots(ctx context.Context, r *schedulingv1.UnblockSlotsRequest) (*schedulingv1.BlockSlotsResponse, error) {
	by, err := planning(ctx, "", r.GetRequestId())
	if err != nil {
		return nil, err
	}
	n, err := s.planner.UnblockSlots(ctx, by, r.GetSlotIds())
	return &schedulingv1.BlockSlotsResponse{Changed: int32(n)}, err
}

// ImportSchedules implements the contract.
func (s *CalendarServer) ImportSchedules(ctx context.Context, r *schedulingv1.ImportSchedulesRequest) (*schedulingv1.ImportSchedulesResponse, error) {
	by, err := planning(ctx, r.GetCounty(), "")
	if err != nil {
		return nil, err
	}
	done, err := s.planner.ImportSchedules(ctx, by, app.Import{OrganizationID: r.GetOrganizationId(), Format: r.GetFormat(), Content: r.GetContent(),
		DepartmentCode: r.GetDepartmentCode(), SlotMinutes: int(r.GetSlotMinutes()), DryRun: r.GetDryRun()}, s.clk.Now())
	if err != nil {
		return nil, err
	}
	out := &schedulingv1.ImportSchedulesResponse{Templates: int32(done.Templates), Sessions: int32(done.Sessions), Unchanged: int32(done.Unchanged)}
	for _, p := range done.Problems {
		out.Problems = append(out.Problems, &schedulingv1.ImportProblem{Line: int32(p.Line), Field: p.Field, Reason: p.Reason})
	}
	return out, nil
}

// ExportSchedules implements the contract.
func (s *CalendarServer) ExportSchedules(ctx context.Context, r *schedulingv1.ExportSchedulesRequest) (*schedulingv1.ExportSchedulesResponse, error) {
	by, err := planning(ctx, "", "")
	if err != nil {
		return nil, err
	}
	file, err := s.planner.ExportSchedules(ctx, by, app.Export{Span: app.Span{OrganizationID: r.GetOrganizationId(), From: r.GetFrom(), To: r.GetTo()},
		Department: r.GetDepartment(), Format: r.GetFormat()}, s.clk.Now())
	if err != nil {
		return nil, err
	}
	return &schedulingv1.ExportSchedulesResponse{Content: file.Content, ContentType: file.ContentType, FileName: file.FileName}, nil
}
