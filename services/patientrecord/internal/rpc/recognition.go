package rpc

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// recognitionServer implements RecognitionService.
type recognitionServer struct {
	patientrecordv1.UnimplementedRecognitionServiceServer
	app *app.Recognition
}

// RegisterRecognition adds the methods of recognition to a gRPC server.
func RegisterRecognition(r grpc.ServiceRegistrar, a *app.Recognition) {
	patientrecordv1.RegisterRecognitionServiceServer(r, recognitionServer{app: a})
}

// recognitionPolicy: the catalogue is everybody's to read and an administrator's to write; records are clinicians'; figures are an
// administrator's for the county, and for their own organisation those who lead it, which the use case decides.
func recognitionPolicy(clinical authz.Rule) authz.Table {
	everybody, admin := authz.Rule{AnyPerson: true}, authz.Rule{Roles: []string{"COUNTY_ADMIN"}}
	figures := authz.Rule{Roles: []string{"COUNTY_ADMIN", "DEPARTMENT_HEAD", "CENTRE_HEAD"}, Need: authz.Own}
	return authz.Table{
		patientrecordv1.RecognitionService_ListRecognitionItems_FullMethodName:         everybody,
		patientrecordv1.RecognitionService_UpdateRecognitionItem_FullMethodName:        admin,
		patientrecordv1.RecognitionService_ListRecognitionChanges_FullMethodName:       admin,
		patientrecordv1.RecognitionService_GetRecognitionSettings_FullMethodName:       everybody,
		patientrecordv1.RecognitionService_UpdateRecognitionSettings_FullMethodName:    admin,
		patientrecordv1.RecognitionService_ListRecognisable_FullMethodName:             clinical.Of(authz.Package),
		patientrecordv1.RecognitionService_RecordOrder_FullMethodName:                  clinical.Of(authz.Package),
		patientrecordv1.RecognitionService_ListOrders_FullMethodName:                   clinical.Of(authz.Package),
		patientrecordv1.RecognitionService_GetRecognitionStatistics_FullMethodName:     figures,
		patientrecordv1.RecognitionService_ListRecognitionCases_FullMethodName:         figures,
		patientrecordv1.RecognitionService_CheckRecognitionStatistics_FullMethodName:   {Roles: []string{"SYSTEM"}, Services: []string{"cli"}},
		patientrecordv1.RecognitionService_RebuildRecognitionStatistics_FullMethodName: {Roles: []string{"SYSTEM"}, Services: []string{"cli"}},
	}
}

// write is a command of the caller with the message as its body.
func write(ctx context.Context, method, request string, in proto.Message) (app.Command, error) {
	who, err := caller(ctx)
	if err != nil {
		return app.Command{}, err
	}
	named, err := requestOf(method, request, in)
	return app.Command{County: who.County, Account: who.Subject, Organization: who.Organization, Request: named}, err
}

// ListRecognitionItems implements the contract.
func (s recognitionServer) ListRecognitionItems(ctx context.Context, in *patientrecordv1.ListRecognitionItemsRequest) (*patientrecordv1.ListRecognitionItemsResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	items, err := s.app.Items(ctx, who, in.GetQuery(), in.GetWithDisabled())
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.ListRecognitionItemsResponse{}
	for _, i := range items {
		out.Items = append(out.Items, fromItem(i))
	}
	return out, nil
}

// UpdateRecognitionItem implements the contract.
func (s recognitionServer) UpdateRecognitionItem(ctx context.Context, in *patientrecordv1.UpdateRecognitionItemRequest) (*patientrecordv1.RecognitionItem, error) {
	cmd, err := write(ctx, "UpdateRecognitionItem", in.GetRequestId(), in)
	if err != nil {
		return nil, err
	}
	item, err := s.app.SetItem(ctx, cmd, toItem(in.GetItem()), in.GetReset_())
	if err != nil {
		return nil, err
	}
	return fromItem(item), nil
}

// ListRecognitionChanges implements the contract.
func (s recognitionServer) ListRecognitionChanges(ctx context.Context, in *patientrecordv1.ListRecognitionChangesRequest) (*patientrecordv1.ListRecognitionChangesResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	changes, err := s.app.Changes(ctx, who, in.GetItemCode())
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.ListRecognitionChangesResponse{}
	for _, c := range changes {
		out.Changes = append(out.Changes, &patientrecordv1.RecognitionChange{
			Version: c.Version, AccountId: c.Account, OrganizationId: c.Organization, Time: stamp(c.Time),
			Reset_: c.Item == nil && c.Directions == nil, Values: changeValues(c),
		})
	}
	return out, nil
}

// GetRecognitionSettings implements the contract.
func (s recognitionServer) GetRecognitionSettings(ctx context.Context, _ *patientrecordv1.GetRecognitionSettingsRequest) (*patientrecordv1.RecognitionSettings, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	d, err := s.app.Directions(ctx, who)
	if err != nil {
		return nil, err
	}
	return fromDirections(d), nil
}

// UpdateRecognitionSettings implements the contract.
func (s recognitionServer) UpdateRecognitionSettings(ctx context.Context, in *patientrecordv1.UpdateRecognitionSettingsRequest) (*patientrecordv1.RecognitionSettings, error) {
	cmd, err := write(ctx, "UpdateRecognitionSettings", in.GetRequestId(), in)
	if err != nil {
		return nil, err
	}
	m := in.GetSettings()
	d, err := s.app.SetDirections(ctx, cmd, domain.Directions{
		Version: m.GetVersion(), Upper: m.GetUpper(), Lower: m.GetLower(), Peers: m.GetPeers(), Unknown: m.GetUnknown(),
	})
	if err != nil {
		return nil, err
	}
	return fromDirections(d), nil
}

// ListRecognisable implements the contract.
func (s recognitionServer) ListRecognisable(ctx context.Context, in *patientrecordv1.ListRecognisableRequest) (*patientrecordv1.ListRecognisableResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	look, err := lookOf(in)
	if err != nil {
		return nil, err
	}
	found, err := s.app.Recognisable(ctx, who, look)
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.ListRecognisableResponse{Withheld: int32(found.Withheld)}
	for _, f := range found.Valid {
		out.Recognisable = append(out.Recognisable, fromRecognisable(f))
	}
	for _, f := range found.Others {
		out.Others = append(out.Others, fromRecognisable(f))
	}
	return out, nil
}

// asked is what the two questions about a patient have in common.
type asked interface {
	GetPatientId() string
	GetReferralId() string
	GetSetting() string
}

func lookOf(in asked) (app.Look, error) {
	if r := in.GetReferralId(); r != "" && !id.Valid(r) {
		return app.Look{}, errs.Invalid(errs.Bad("referralId", errs.ReasonFieldInvalid))
	}
	return app.Look{Patient: in.GetPatientId(), Referral: in.GetReferralId(), Setting: domain.Setting(in.GetSetting())}, nil
}

// RecordOrder implements the contract.
func (s recognitionServer) RecordOrder(ctx context.Context, in *patientrecordv1.RecordOrderRequest) (*patientrecordv1.ExamOrder, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	look, err := lookOf(in)
	if err != nil {
		return nil, err
	}
	request, err := requestOf("RecordOrder", in.GetRequestId(), in)
	if err != nil {
		return nil, err
	}
	order := app.NewOrder{Request: request, Look: look}
	for _, l := range in.GetLines() {
		order.Lines = append(order.Lines, domain.OrderLine{
			ItemCode: l.GetItemCode(), Decision: domain.OrderDecision(l.GetDecision()), Reason: l.GetReasonCode(), ReasonText: l.GetReasonText(),
			Explained: l.GetExplained(),
		})
	}
	made, err := s.app.Order(ctx, who, order)
	if err != nil {
		return nil, err
	}
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	return fromOrder(made, names), nil
}

// names are the items by code, also those that are not offered any more.
func (s recognitionServer) names(ctx context.Context) (map[string]domain.Item, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	items, err := s.app.Items(ctx, who, "", true)
	if err != nil {
		return nil, fmt.Errorf("name the items of an order: %w", err)
	}
	out := make(map[string]domain.Item, len(items))
	for _, i := range items {
		out[i.Code] = i.Item
	}
	return out, nil
}

// ListOrders implements the contract.
func (s recognitionServer) ListOrders(ctx context.Context, in *patientrecordv1.ListOrdersRequest) (*patientrecordv1.ListOrdersResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	orders, err := s.app.Orders(ctx, who, in.GetPatientId())
	if err != nil {
		return nil, err
	}
	names, err := s.names(ctx)
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.ListOrdersResponse{}
	for _, o := range orders {
		out.Orders = append(out.Orders, fromOrder(o, names))
	}
	return out, nil
}
