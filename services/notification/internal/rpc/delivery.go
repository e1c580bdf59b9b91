package rpc

import (
	"context"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// deliveryPolicy is who sees what left the house. Who has to do with an organisation's groups, the handler tells apart.
func deliveryPolicy() authz.Table {
	whole := []string{countyAdmin, "SYSTEM_ADMIN", "SYSTEM"}
	look := authz.Rule{Roles: append([]string{"CENTRE_HEAD", "INTAKE_DESK", "DEPARTMENT_HEAD"}, whole...), Services: []string{"cli"}, Need: authz.Own}
	replay := authz.Rule{Roles: whole, Services: []string{"cli"}}
	own := authz.Rule{AnyPerson: true, Need: authz.Own}
	link := authz.Rule{Services: []string{"gateway"}}
	return authz.Table{
		notificationv1.DeliveryService_ListDeliveries_FullMethodName:     look,
		notificationv1.DeliveryService_GetDelivery_FullMethodName:        look,
		notificationv1.DeliveryService_ReplayDelivery_FullMethodName:     replay,
		notificationv1.DeliveryService_ReplayDeliveries_FullMethodName:   replay,
		notificationv1.DeliveryService_ListChannels_FullMethodName:       look,
		notificationv1.DeliveryService_ListAddresses_FullMethodName:      own,
		notificationv1.DeliveryService_SetAddress_FullMethodName:         own,
		notificationv1.DeliveryService_SendTest_FullMethodName:           own,
		notificationv1.DeliveryService_GetByToken_FullMethodName:         link,
		notificationv1.DeliveryService_AcknowledgeByToken_FullMethodName: link,
	}
}

// deliveryServer implements DeliveryService.
type deliveryServer struct {
	notificationv1.UnimplementedDeliveryServiceServer
	app *app.Outgoing
}

// scope is the caller with the organisation whose deliveries are shown; "" is the whole county.
func scope(ctx context.Context, named string) (app.Caller, string, error) {
	c, err := caller(ctx, named)
	if err != nil {
		return c, "", err
	}
	who, _ := authn.FromContext(ctx)
	if who.IsService() || slices.ContainsFunc([]string{countyAdmin, "SYSTEM_ADMIN", "SYSTEM"}, who.Has) {
		return c, "", nil
	}
	if c.OrganizationID == "" {
		return c, "", errs.Denied(errs.ReasonRole)
	}
	return c, c.OrganizationID, nil
}

// ListDeliveries implements the contract.
func (s deliveryServer) ListDeliveries(ctx context.Context, r *notificationv1.ListDeliveriesRequest) (*notificationv1.ListDeliveriesResponse, error) {
	c, organization, err := scope(ctx, r.GetCounty())
	if err != nil {
		return nil, err
	}
	size := pageSize(r.GetPageSize())
	q := app.DeliveryQuery{
		County: c.County, OrganizationID: organization, State: codeName(r.GetState()), Channel: codeName(r.GetChannel()), ReferralID: r.GetReferralId(), Limit: size + 1,
	}
	if q.BeforeTime, q.BeforeID, err = readTimeToken(r.GetPageToken()); err != nil {
		return nil, err
	}
	list, dead, err := s.app.List(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &notificationv1.ListDeliveriesResponse{DeadCount: int32(dead)}
	if len(list) > size {
		list = list[:size]
		out.NextPageToken = timeToken(domain.EntryData{CreateTime: list[size-1].CreateTime, ID: list[size-1].ID})
	}
	names, err := s.app.Names(ctx, c.County, list...)
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		one := deliveryProto(d)
		one.AccountName = names[d.AccountID]
		out.Deliveries = append(out.Deliveries, one)
	}
	return out, nil
}

// codeName of an enum's value; "" for the unspecified one.
func codeName[E interface {
	~int32
	String() string
}](e E) string {
	if e == 0 {
		return ""
	}
	return e.String()
}

// GetDelivery implements the contract.
func (s deliveryServer) GetDelivery(ctx context.Context, r *notificationv1.GetDeliveryRequest) (*notificationv1.Delivery, error) {
	c, organization, err := scope(ctx, r.GetCounty())
	if err != nil {
		return nil, err
	}
	d, err := s.app.Get(ctx, c.County, organization, r.GetId())
	if err != nil {
		return nil, err
	}
	names, err := s.app.Names(ctx, c.County, d)
	if err != nil {
		return nil, err
	}
	out := deliveryProto(d)
	out.AccountName = names[d.AccountID]
	return out, nil
}

// ReplayDelivery implements the contract.
func (s deliveryServer) ReplayDelivery(ctx context.Context, r *notificationv1.ReplayDeliveryRequest) (*notificationv1.Delivery, error) {
	c, err := caller(ctx, r.GetCounty())
	if err != nil {
		return nil, err
	}
	return answered(s.app.Replay(ctx, c, r.GetId()))
}

// ReplayDeliveries implements the contract.
func (s deliveryServer) ReplayDeliveries(ctx context.Context, r *notificationv1.ReplayDeliveriesRequest) (*notificationv1.ReplayDeliveriesResponse, error) {
	c, err := caller(ctx, r.GetCounty())
	if err != nil {
		return nil, err
	}
	var since time.Time
	if r.GetSince() != nil {
		since = r.GetSince().AsTime()
	}
	n, err := s.app.ReplayAll(ctx, c, codeName(r.GetChannel()), since)
	if err != nil {
		return nil, err
	}
	return &notificationv1.ReplayDeliveriesResponse{Replayed: int32(n)}, nil
}

// ListChannels implements the contract.
func (s deliveryServer) ListChannels(ctx context.Context, r *notificationv1.ListChannelsRequest) (*notificationv1.ListChannelsResponse, error) {
	c, organization, err := scope(ctx, r.GetCounty())
	if err != nil {
		return nil, err
	}
	list, err := s.app.Channels(ctx, c.County)
	if err != nil {
		return nil, err
	}
	reach, err := s.app.OnDutyReach(ctx, c.County, organization)
	if err != nil {
		return nil, err
	}
	out := &notificationv1.ListChannelsResponse{OnDuty: &notificationv1.OnDutyReach{Count: int32(reach.OnDuty)}}
	for _, one := range reach.Unreached {
		out.OnDuty.Unreached = append(out.OnDuty.Unreached, &notificationv1.Unreached{AccountId: one.AccountID, Name: one.Name, OrganizationId: one.OrganizationID})
	}
	for _, one := range list {
		status := &notificationv1.ChannelStatus{
			Channel: channelCode(one.Channel), Configured: one.Configured, Breaker: one.Breaker, RestsUntil: stamp(one.RestsUntil), Pending: int32(one.Load.Pending),
			Dead: int32(one.Load.Dead), LastSentTime: stamp(one.Load.LastSent), RatePerMinute: int32(one.RateAMinute),
			Fault: one.Fault,
		}
		for _, f := range one.Faults {
			if organization == "" || f.OrganizationID == organization {
				status.Faults = append(status.Faults, &notificationv1.ChannelFault{
					OrganizationId: f.OrganizationID, DepartmentCode: f.DepartmentCode, Reason: f.Reason, RestsUntil: stamp(f.RestsUntil),
				})
			}
		}
		out.Channels = append(out.Channels, status)
	}
	return out, nil
}

// owner is whose address it is: the caller's, or that of a group which the caller may look after. Another's group is not found.
func owner(ctx context.Context, organization, department string) (app.Caller, app.Owner, error) {
	c, err := caller(ctx, "")
	if err != nil {
		return c, app.Owner{}, err
	}
	if organization == "" {
		if department != "" {
			return c, app.Owner{}, errs.Invalid(errs.Required("organizationId"))
		}
		return c, app.Owner{County: c.County, AccountID: c.AccountID}, nil
	}
	who, _ := authn.FromContext(ctx)
	keeps := slices.ContainsFunc([]string{"CENTRE_HEAD", "INTAKE_DESK", "DEPARTMENT_HEAD"}, who.Has) && organization == c.OrganizationID
	if !keeps && !who.Has(countyAdmin) {
		return c, app.Owner{}, errs.NotFound("address")
	}
	return c, app.Owner{County: c.County, OrganizationID: organization, DepartmentCode: department}, nil
}

// setter is the owner whose address the caller may set. Of an organisation's groups the centre's head looks after all, the desk after the hospital's, the
// head of a department after the department's.
func setter(ctx context.Context, organization, department string) (app.Caller, app.Owner, error) {
	c, of, err := owner(ctx, organization, department)
	if err != nil || organization == "" {
		return c, of, err
	}
	who, _ := authn.FromContext(ctx)
	if who.Has(countyAdmin) || who.Has("CENTRE_HEAD") || department == "" && who.Has("INTAKE_DESK") ||
		department != "" && department == who.Department && who.Has("DEPARTMENT_HEAD") {
		return c, of, nil
	}
	return c, of, errs.Denied(errs.ReasonRole)
}

// ListAddresses implements the contract.
func (s deliveryServer) ListAddresses(ctx context.Context, r *notificationv1.ListAddressesRequest) (*notificationv1.ListAddressesResponse, error) {
	_, of, err := owner(ctx, r.GetOrganizationId(), "")
	if err != nil {
		return nil, err
	}
	list, err := s.app.Addresses(ctx, of)
	if err != nil {
		return nil, err
	}
	out := &notificationv1.ListAddressesResponse{}
	for _, a := range list {
		out.Addresses = append(out.Addresses, addressProto(a))
	}
	return out, nil
}

// SetAddress implements the contract.
func (s deliveryServer) SetAddress(ctx context.Context, r *notificationv1.SetAddressRequest) (*notificationv1.Address, error) {
	c, of, err := setter(ctx, r.GetOrganizationId(), r.GetDepartmentCode())
	if err != nil {
		return nil, err
	}
	a, err := s.app.SetAddress(ctx, c, app.Address{Owner: of, Channel: codeName(r.GetChannel()), Value: r.GetValue(), Secret: r.GetSecret()})
	if err != nil {
		return nil, err
	}
	return addressProto(a), nil
}

// SendTest implements the contract.
func (s deliveryServer) SendTest(ctx context.Context, r *notificationv1.SendTestRequest) (*notificationv1.Delivery, error) {
	c, of, err := setter(ctx, r.GetOrganizationId(), r.GetDepartmentCode())
	if err != nil {
		return nil, err
	}
	return answered(s.app.SendTest(ctx, c, of, codeName(r.GetChannel()), r.GetRequestId()))
}

// GetByToken implements the contract.
func (s deliveryServer) GetByToken(ctx context.Context, r *notificationv1.TokenRequest) (*notificationv1.TokenState, error) {
	return tokenState(s.app.ByToken(ctx, r.GetToken()))
}

// AcknowledgeByToken implements the contract.
func (s deliveryServer) AcknowledgeByToken(ctx context.Context, r *notificationv1.TokenRequest) (*notificationv1.TokenState, error) {
	return tokenState(s.app.AcknowledgeByToken(ctx, r.GetToken()))
}

func tokenState(t app.TokenState, err error) (*notificationv1.TokenState, error) {
	if err != nil {
		return nil, err
	}
	return &notificationv1.TokenState{
		Event: t.Event, Urgency: urgency(t.Urgency), ReferralNumber: t.ReferralNumber, ReferralId: t.ReferralID,
		Acknowledged: !t.Acknowledged.IsZero(), AcknowledgeTime: stamp(t.Acknowledged),
	}, nil
}

func urgency(name string) commonv1.Urgency_Code {
	return commonv1.Urgency_Code(commonv1.Urgency_Code_value[name])
}

func channelCode(name string) notificationv1.Channel_Code {
	return notificationv1.Channel_Code(notificationv1.Channel_Code_value[name])
}

// stamp is nil for the zero time.
func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func addressProto(a app.Address) *notificationv1.Address {
	return &notificationv1.Address{
		OrganizationId: a.OrganizationID, DepartmentCode: a.DepartmentCode, Channel: channelCode(a.Channel), Masked: a.Masked, HasSecret: a.Secret != "",
		UpdateTime: stamp(a.UpdateTime), TestTime: stamp(a.TestTime), FromDirectory: a.FromDirectory,
	}
}

func answered(d domain.Delivery, err error) (*notificationv1.Delivery, error) {
	if err != nil {
		return nil, err
	}
	return deliveryProto(d), nil
}

func deliveryProto(d domain.Delivery) *notificationv1.Delivery {
	out := &notificationv1.Delivery{
		Id: d.ID, Channel: channelCode(d.Channel), State: notificationv1.DeliveryState_Code(notificationv1.DeliveryState_Code_value[d.State]),
		AccountId: d.AccountID, OrganizationId: d.OrganizationID, PatientId: d.PatientID, AddressMasked: d.AddressMasked, Event: d.Event,
		ReferralId: d.ReferralID, ReferralNumber: d.ReferralNumber, Urgency: urgency(d.Urgency), CreateTime: stamp(d.CreateTime), DueTime: stamp(d.DueTime),
		SentTime: stamp(d.SentTime), AttemptCount: int32(d.AttemptCount), Reason: d.Reason, EntryId: d.EntryID,
	}
	for _, a := range d.Attempts {
		out.Attempts = append(out.Attempts, &notificationv1.Attempt{
			Number: int32(a.Number), StartTime: stamp(a.StartTime), EndTime: stamp(a.EndTime), Outcome: a.Outcome, ProviderCode: a.ProviderCode,
			ProviderMessageId: a.ProviderMessageID, Again: a.Again,
		})
	}
	return out
}
