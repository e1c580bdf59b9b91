// Package rpc is scheduling's gRPC face: protobuf to use case and back, who may call what, and the call to the
// referral service. It decides nothing about capacity.
package rpc

import (
	"context"
	"slices"

	"google.golang.org/grpc"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Server implements the service of the contract.
type Server struct {
	schedulingv1.UnimplementedSchedulingServiceServer
	app *app.App
	clk clock.Clock
}

// NewServer serves the use cases.
func NewServer(a *app.App, clk clock.Clock) *Server { return &Server{app: a, clk: clk} }

// Register adds the methods.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	schedulingv1.RegisterSchedulingServiceServer(r, s)
	schedulingv1.RegisterAllocationServiceServer(r, &allocation{app: s.app, clk: s.clk})
}

// caller is who calls. Only a service without a county of its own may name one.
func caller(ctx context.Context, named string) (app.Caller, error) {
	who, ok := authn.FromContext(ctx)
	if !ok {
		return app.Caller{}, errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "the call has no identity", nil)
	}
	c := app.Caller{County: who.County, AccountID: who.Subject, OrganizationID: who.Organization,
		Township: slices.ContainsFunc(townshipRoles(), who.Has), Service: who.IsService(), Name: who.Name}
	if c.County == "" && who.IsService() {
		c.County = named
	}
	if c.County == "" {
		return c, errs.Invalid(errs.Required("county"))
	}
	if named != "" && named != c.County {
		return c, errs.Denied(errs.ReasonRole)
	}
	return c, nil
}

const (
	defaultPage = 50
	maxPage     = 200
)

func pageSize(asked int32) int {
	if asked <= 0 {
		return defaultPage
	}
	return min(int(asked), maxPage)
}

// ListSlots implements the contract.
func (s *Server) ListSlots(ctx context.Context, r *schedulingv1.ListSlotsRequest) (*schedulingv1.ListSlotsResponse, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	q := app.SlotQuery{County: c.County, OrganizationID: r.GetOrganizationId(), Department: r.GetDepartment(), Kind: r.GetKind(),
		FreeOnly: r.GetFreeOnly(), Modality: r.GetModality(), SlotID: r.GetSlotId()}
	asker := app.Asker{Caller: c, ReferralID: r.GetReferralId()}
	out := &schedulingv1.ListSlotsResponse{}
	if r.GetCountDays() {
		days, err := s.app.ListFreeDays(ctx, asker, q, r.GetFrom(), r.GetTo(), s.clk.Now())
		if err != nil {
			return nil, err
		}
		for _, d := range days {
			out.Days = append(out.Days, &schedulingv1.FreeDay{Date: d.Date, Free: int32(d.Free)})
		}
	}
	size := pageSize(r.GetPageSize())
	q.Limit = size + 1
	if q.AfterStart, q.AfterID, err = readSlotToken(r.GetPageToken()); err != nil {
		return nil, err
	}
	slots, err := s.app.ListSlots(ctx, asker, q, r.GetFrom(), r.GetTo(), s.clk.Now())
	if err != nil {
		return nil, err
	}
	if len(slots) > size {
		slots = slots[:size]
		out.NextPageToken = slotToken(slots[size-1])
	}
	for _, slot := range slots {
		out.Slots = append(out.Slots, slotProto(slot))
	}
	return out, nil
}

// ListBeds implements the contract.
func (s *Server) ListBeds(ctx context.Context, r *schedulingv1.ListBedsRequest) (*schedulingv1.ListBedsResponse, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	wards, err := s.app.ListBeds(ctx, c.County, r.GetOrganizationId(), r.GetDepartment())
	if err != nil {
		return nil, err
	}
	out := &schedulingv1.ListBedsResponse{}
	for _, w := range wards {
		out.Beds = append(out.Beds, &schedulingv1.BedCount{OrganizationId: w.OrganizationID, DepartmentCode: w.DepartmentCode,
			Ward: w.Ward, Total: int32(w.Total), Free: int32(w.Free)})
	}
	return out, nil
}

// CreateHold implements the contract.
func (s *Server) CreateHold(ctx context.Context, r *schedulingv1.CreateHoldRequest) (*schedulingv1.Hold, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	return holdAnswer(s.app.CreateHold(ctx, c, app.HoldRequest{
		RequestID: r.GetRequestId(), PatientID: r.GetPatientId(), SlotID: r.GetSlotId(), ReferralID: r.GetReferralId(),
		BedOrganizationID: r.GetBed().GetOrganizationId(), BedDepartment: r.GetBed().GetDepartmentCode(),
		BedID: r.GetBed().GetBedId(), BedWard: r.GetBed().GetWardId(), BedSex: r.GetBed().GetSex(), BedClass: r.GetBed().GetClass(), BedFrom: instant(r.GetBed().GetFrom()),
	}))
}

// ReleaseHold implements the contract.
func (s *Server) ReleaseHold(ctx context.Context, r *schedulingv1.ReleaseHoldRequest) (*schedulingv1.Hold, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	return holdAnswer(s.app.ReleaseHold(ctx, c, r.GetId()))
}

// GetHold implements the contract.
func (s *Server) GetHold(ctx context.Context, r *schedulingv1.GetHoldRequest) (*schedulingv1.Hold, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	view, err := s.app.GetHold(ctx, c, r.GetId())
	if err != nil {
		return nil, err
	}
	return s.holdNow(view), nil
}

func (s *Server) holdNow(view app.HoldView) *schedulingv1.Hold {
	if view.State.Takes() && !view.LiveAt(s.clk.Now()) {
		view.State = domain.Expired // the sweep has only not come by yet
	}
	return holdProto(view)
}

// BatchGetHolds implements the contract.
func (s *Server) BatchGetHolds(ctx context.Context, r *schedulingv1.BatchGetHoldsRequest) (*schedulingv1.BatchGetHoldsResponse, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	views, err := s.app.GetHolds(ctx, c, r.GetIds())
	if err != nil {
		return nil, err
	}
	out := &schedulingv1.BatchGetHoldsResponse{}
	for _, v := range views {
		out.Holds = append(out.Holds, s.holdNow(v))
	}
	return out, nil
}

// GetBooking implements the contract.
func (s *Server) GetBooking(ctx context.Context, r *schedulingv1.GetBookingRequest) (*schedulingv1.Booking, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	return bookingAnswer(s.app.GetBooking(ctx, c, r.GetId()))
}

// AttachHold implements the contract.
func (s *Server) AttachHold(ctx context.Context, r *schedulingv1.AttachHoldRequest) (*schedulingv1.Hold, error) {
	c, err := caller(ctx, r.GetCounty())
	if err != nil {
		return nil, err
	}
	return holdAnswer(s.app.AttachHold(ctx, c, app.Tie{HoldID: r.GetHoldId(), ReferralID: r.GetReferralId(), PatientID: r.GetPatientId()}, instant(r.GetKeepUntil())))
}

// ConfirmHold implements the contract.
func (s *Server) ConfirmHold(ctx context.Context, r *schedulingv1.ConfirmHoldRequest) (*schedulingv1.Booking, error) {
	c, err := caller(ctx, r.GetCounty())
	if err != nil {
		return nil, err
	}
	return bookingAnswer(s.app.ConfirmHold(ctx, c, app.Tie{
		HoldID: r.GetHoldId(), ReferralID: r.GetReferralId(), PatientID: r.GetPatientId(), OriginatorOrganizationID: r.GetOriginatorOrganizationId(),
	}))
}

// CreateSchedules implements the contract. A bed manager without the county's rights adds to the own organisation only.
func (s *Server) CreateSchedules(ctx context.Context, r *schedulingv1.CreateSchedulesRequest) (*schedulingv1.CreateSchedulesResponse, error) {
	c, err := caller(ctx, r.GetCounty())
	if err != nil {
		return nil, err
	}
	sessions, wards := sessionsOf(r), wardsOf(r)
	who, _ := authn.FromContext(ctx)
	if !who.IsService() && !who.Has("COUNTY_ADMIN") && !who.Has("SYSTEM") {
		foreign := slices.ContainsFunc(sessions, func(x domain.Session) bool { return x.OrganizationID != who.Organization }) ||
			slices.ContainsFunc(wards, func(x domain.Ward) bool { return x.OrganizationID != who.Organization })
		if foreign {
			return nil, errs.Denied(errs.ReasonRole)
		}
	}
	slots, beds, err := s.app.CreateSchedules(ctx, c, sessions, wards)
	if err != nil {
		return nil, err
	}
	return &schedulingv1.CreateSchedulesResponse{SlotsCreated: int32(slots), BedsCreated: int32(beds)}, nil
}

// ListLive implements the contract.
func (s *Server) ListLive(ctx context.Context, r *schedulingv1.ListLiveRequest) (*schedulingv1.ListLiveResponse, error) {
	c, err := caller(ctx, r.GetCounty())
	if err != nil {
		return nil, err
	}
	after, err := readIDToken(r.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := pageSize(r.GetPageSize())
	views, err := s.app.ListLive(ctx, c.County, after, size+1)
	if err != nil {
		return nil, err
	}
	out := &schedulingv1.ListLiveResponse{}
	if len(views) > size {
		views = views[:size]
		out.NextPageToken = idToken(views[size-1].ID)
	}
	for _, v := range views {
		if v.BookingID != "" {
			out.Bookings = append(out.Bookings, bookingProto(v))
		} else {
			out.Holds = append(out.Holds, holdProto(v))
		}
	}
	return out, nil
}
