package rpc

import (
	"cmp"
	"context"

	"google.golang.org/grpc"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/lunar"
)

// CalendarServer implements CalendarService.
type CalendarServer struct {
	schedulingv1.UnimplementedCalendarServiceServer
	app     *app.App
	planner *app.Planner
	clk     clock.Clock
}

// NewCalendarServer serves the use cases of the calendar.
func NewCalendarServer(a *app.App, p *app.Planner, clk clock.Clock) *CalendarServer {
	return &CalendarServer{app: a, planner: p, clk: clk}
}

// Register adds the methods.
func (s *CalendarServer) Register(r grpc.ServiceRegistrar) {
	schedulingv1.RegisterCalendarServiceServer(r, s)
}

// nowhere is the department of a head who has none.
const nowhere = "-"

// planning is who plans, and what: the county's administrator and services the county, a head of department without another role the own department,
// everybody else the own organisation.
func planning(ctx context.Context, county, requestID string) (app.Planning, error) {
	c, err := caller(ctx, county)
	if err != nil {
		return app.Planning{}, err
	}
	who, _ := authn.FromContext(ctx)
	p := app.Planning{Caller: c, Whole: who.IsService() || who.Has("COUNTY_ADMIN"), RequestID: requestID}
	organisation := who.Has("INTAKE_DESK") || who.Has("BED_MANAGER") || who.Has("CENTRE_HEAD")
	if !organisation && who.Has("DEPARTMENT_HEAD") {
		p.Department = cmp.Or(who.Department, nowhere)
	}
	return p, nil
}

// ListEquipment implements the contract.
func (s *CalendarServer) ListEquipment(ctx context.Context, r *schedulingv1.ListEquipmentRequest) (*schedulingv1.ListEquipmentResponse, error) {
	by, err := planning(ctx, "", "")
	if err != nil {
		return nil, err
	}
	list, err := s.planner.Equipment(ctx, by.County, r.GetOrganizationId())
	out := &schedulingv1.ListEquipmentResponse{}
	for _, e := range list {
		out.Equipment = append(out.Equipment, equipmentProto(e))
	}
	return out, err
}

// SaveEquipment implements the contract.
func (s *CalendarServer) SaveEquipment(ctx context.Context, r *schedulingv1.SaveEquipmentRequest) (*schedulingv1.Equipment, error) {
	by, err := planning(ctx, r.GetCounty(), r.GetRequestId())
	if err != nil {
		return nil, err
	}
	e, err := s.planner.SaveEquipment(ctx, by, equipmentOf(r.GetEquipment()))
	return equipmentProto(e), err
}

// ListTemplates implements the contract.
func (s *CalendarServer) ListTemplates(ctx context.Context, r *schedulingv1.ListTemplatesRequest) (*schedulingv1.ListTemplatesResponse, error) {
	by, err := planning(ctx, "", "")
	if err != nil {
		return nil, err
	}
	list, err := s.planner.Templates(ctx, by, app.TemplateQuery{OrganizationID: r.GetOrganizationId(), Department: r.GetDepartment(), Ended: r.GetEnded()}, s.clk.Now())
	out := &schedulingv1.ListTemplatesResponse{}
	for _, t := range list {
		out.Templates = append(out.Templates, templateProto(t))
	}
	return out, err
}

// SaveTemplate implements the contract.
func (s *CalendarServer) SaveTemplate(ctx context.Context, r *schedulingv1.SaveTemplateRequest) (*schedulingv1.SaveTemplateResponse, error) {
	by, err := planning(ctx, r.GetCounty(), r.GetRequestId())
	if err != nil {
		return nil, err
	}
	t, err := templateOf(r.GetTemplate())
	if err != nil {
		return nil, err
	}
	t, done, err := s.planner.SaveTemplate(ctx, by, t)
	if err != nil {
		return nil, err
	}
	return &schedulingv1.SaveTemplateResponse{Template: templateProto(t), Made: int32(done.Made), Removed: int32(done.Removed),
		Conflicts: sessionProtos(done.Conflicts)}, nil
}

// PreviewTemplate implements the contract.
func (s *CalendarServer) PreviewTemplate(ctx context.Context, r *schedulingv1.PreviewTemplateRequest) (*schedulingv1.PreviewTemplateResponse, error) {
	by, err := planning(ctx, "", "")
	if err != nil {
		return nil, err
	}
	t, err := templateOf(r.GetTemplate())
	if err != nil {
		return nil, err
	}
	days, err := s.planner.Preview(ctx, by, app.PreviewQuery{Template: t, From: r.GetFrom(), Days: int(r.GetDays())}, s.clk.Now())
	out := &schedulingv1.PreviewTemplateResponse{}
	for _, d := range days {
		out.Days = append(out.Days, &schedulingv1.PlannedDay{Date: d.Session.Day, LunarDate: lunar.Name(d.Day), ClosedBy: d.ClosedBy,
			ConflictingTemplateId: d.Conflicts})
	}
	return out, err
}

// ListExceptions implements the contract.
func (s *CalendarServer) ListExceptions(ctx context.Context, r *schedulingv1.ListExceptionsRequest) (*schedulingv1.ListExceptionsResponse, error) {
	by, err := planning(ctx, "", "")
	if err != nil {
		return nil, err
	}
	list, err := s.planner.Exceptions(ctx, by, app.Span{OrganizationID: r.GetOrganizationId(), From: r.GetFrom(), To: r.GetTo()}, s.clk.Now())
	out := &schedulingv1.ListExceptionsResponse{}
	for _, e := range list {
		out.Exceptions = append(out.Exceptions, exceptionProto(e))
	}
	return out, err
}

// SaveException implements the contract.
func (s *CalendarServer) SaveException(ctx context.Context, r *schedulingv1.SaveExceptionRequest) (*schedulingv1.SaveExceptionResponse, error) {
	by, err := planning(ctx, "", r.GetRequestId())
	if err != nil {
		return nil, err
	}
	e, err := exceptionOf(r.GetException())
	if err != nil {
		return nil, err
	}
	e, done, err := s.planner.SaveException(ctx, by, e)
	if err != nil {
		return nil, err
	}
	return &schedulingv1.SaveExceptionResponse{Exception: exceptionProto(e), Made: int32(done.Made), Removed: int32(done.Removed),
		Conflicts: sessionProtos(done.Conflicts)}, nil
}

// RemoveException implements the contract.
func (s *CalendarServer) RemoveException(ctx context.Context, r *schedulingv1.RemoveExceptionRequest) (*schedulingv1.SaveExceptionResponse, error) {
	by, err := planning(ctx, "", "")
	if err != nil {
		return nil, err
	}
	e, done, err := s.planner.RemoveException(ctx, by, r.GetId(), r.GetVersion())
	if err != nil {
		return nil, err
	}
	return &schedulingv1.SaveExceptionResponse{Exception: exceptionProto(e), Made: int32(done.Made), Removed: int32(done.Removed),
		Conflicts: sessionProtos(done.Conflicts)}, nil
}

// GetBookingPolicy implements the contract.
func (s *CalendarServer) GetBookingPolicy(ctx context.Context, r *schedulingv1.GetBookingPolicyRequest) (*schedulingv1.BookingPolicy, error) {
	by, err := planning(ctx, "", "")
	if err != nil {
		return nil, err
	}
	p, err := s.planner.Policy(ctx, by.County, r.GetOrganizationId())
	return policyProto(p), err
}

// SetBookingPolicy implements the contract.
func (s *CalendarServer) SetBookingPolicy(ctx context.Context, r *schedulingv1.SetBookingPolicyRequest) (*schedulingv1.BookingPolicy, error) {
	by, err := planning(ctx, "", r.GetRequestId())
	if err != nil {
		return nil, err
	}
	p, err := s.planner.SetPolicy(ctx, by, policyOf(r.GetPolicy()))
	return policyProto(p), err
}
