// Package rpc is notification's gRPC face: protobuf to use case and back, who may call what, and the reading of the
// directory's accounts. It decides nothing about who is told.
package rpc

import (
	"context"
	"maps"

	"google.golang.org/grpc"

	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
)

// Policy is who may call what. A person sees and acknowledges the own entries only; who else was told is for those who treat patients,
// and for the county's administrator.
func Policy() authz.Table {
	person := authz.Rule{AnyPerson: true, Need: authz.Own}
	told := authz.Rule{Roles: []string{
		"VILLAGE_DOCTOR", "TOWNSHIP_DOCTOR", "CENTRE_HEAD", "INTAKE_DESK", "SPECIALIST", "DEPARTMENT_HEAD", "BED_MANAGER", countyAdmin,
	}, Need: authz.Own}
	table := authz.Table{
		notificationv1.NotificationService_ListNotifications_FullMethodName:   person,
		notificationv1.NotificationService_Acknowledge_FullMethodName:         person,
		notificationv1.NotificationService_AcknowledgeReferral_FullMethodName: person,
		notificationv1.NotificationService_ListTold_FullMethodName:            told,
		notificationv1.NotificationService_ListDelivered_FullMethodName:       {Roles: []string{"SYSTEM"}, Services: []string{"cli"}},
	}
	maps.Copy(table, deliveryPolicy())
	return alarmPolicy(table)
}

// countyAdmin sees who was told anywhere in the county.
const countyAdmin = "COUNTY_ADMIN"

// Server implements the service of the contract.
type Server struct {
	notificationv1.UnimplementedNotificationServiceServer
	app      *app.App
	outgoing *app.Outgoing
}

// NewServer serves the use cases.
func NewServer(a *app.App, o *app.Outgoing) *Server { return &Server{app: a, outgoing: o} }

// Register adds the methods.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	notificationv1.RegisterNotificationServiceServer(r, s)
	notificationv1.RegisterAlarmServiceServer(r, &Alarms{app: s.app, outgoing: s.outgoing})
	notificationv1.RegisterDeliveryServiceServer(r, deliveryServer{app: s.outgoing})
}

// caller is who calls. Only a service without a county of its own may name one.
func caller(ctx context.Context, named string) (app.Caller, error) {
	who, ok := authn.FromContext(ctx)
	if !ok {
		return app.Caller{}, errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "the call has no identity", nil)
	}
	c := app.Caller{County: who.County, AccountID: who.Subject, OrganizationID: who.Organization}
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
	toldPage    = 500
)

// wholePage is the page of lists that used to come whole.
func wholePage(asked int32, most int) int {
	if asked <= 0 {
		return most
	}
	return min(int(asked), most)
}

func pageSize(asked int32) int {
	if asked <= 0 {
		return defaultPage
	}
	return min(int(asked), maxPage)
}

// ListNotifications implements the contract.
func (s *Server) ListNotifications(ctx context.Context, r *notificationv1.ListNotificationsRequest) (*notificationv1.ListNotificationsResponse, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	size := pageSize(r.GetPageSize())
	q := app.EntryQuery{County: c.County, AccountID: c.AccountID, State: r.GetState(), Limit: size + 1}
	if q.BeforeTime, q.BeforeID, err = readTimeToken(r.GetPageToken()); err != nil {
		return nil, err
	}
	entries, open, err := s.app.List(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &notificationv1.ListNotificationsResponse{OpenCount: int32(open)}
	if len(entries) > size {
		entries = entries[:size]
		out.NextPageToken = timeToken(entries[size-1])
	}
	out.Notifications = entriesProto(entries)
	return out, nil
}

// Acknowledge implements the contract.
func (s *Server) Acknowledge(ctx context.Context, r *notificationv1.AcknowledgeRequest) (*notificationv1.Notification, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	e, err := s.app.Acknowledge(ctx, c, r.GetId())
	if err != nil {
		return nil, err
	}
	return entryProto(e), nil
}

// AcknowledgeReferral implements the contract.
func (s *Server) AcknowledgeReferral(ctx context.Context, r *notificationv1.AcknowledgeReferralRequest) (*notificationv1.AcknowledgeReferralResponse, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	n, err := s.app.AcknowledgeReferral(ctx, c, r.GetReferralId())
	if err != nil {
		return nil, err
	}
	return &notificationv1.AcknowledgeReferralResponse{Acknowledged: int32(n)}, nil
}

// ListTold implements the contract.
func (s *Server) ListTold(ctx context.Context, r *notificationv1.ListToldRequest) (*notificationv1.ListNotificationsResponse, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return nil, err
	}
	who, _ := authn.FromContext(ctx)
	size := wholePage(r.GetPageSize(), toldPage)
	q := app.ToldQuery{ReferralID: r.GetReferralId(), Limit: size + 1}
	if q.AfterTime, q.AfterID, err = readTimeToken(r.GetPageToken()); err != nil {
		return nil, err
	}
	told, err := s.app.Told(ctx, c, q, who.Has(countyAdmin))
	if err != nil {
		return nil, err
	}
	out := &notificationv1.ListNotificationsResponse{}
	told, out.NextPageToken = cut(told, size, func(t app.Told) string { return timeToken(t.Entry) })
	for _, t := range told {
		n := entryProto(t.Entry)
		n.AccountName = t.Name
		out.Notifications = append(out.Notifications, n)
	}
	return out, nil
}

// ListDelivered implements the contract.
func (s *Server) ListDelivered(ctx context.Context, r *notificationv1.ListDeliveredRequest) (*notificationv1.ListNotificationsResponse, error) {
	c, err := caller(ctx, r.GetCounty())
	if err != nil {
		return nil, err
	}
	after, err := readIDToken(r.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := pageSize(r.GetPageSize())
	entries, err := s.app.Delivered(ctx, c.County, r.GetReferralId(), app.Page{After: after, Limit: size + 1})
	if err != nil {
		return nil, err
	}
	out := &notificationv1.ListNotificationsResponse{}
	if len(entries) > size {
		entries = entries[:size]
		out.NextPageToken = idToken(entries[size-1].ID)
	}
	out.Notifications = entriesProto(entries)
	return out, nil
}
