package rpc

import (
	"context"
	"maps"
	"slices"

	"google.golang.org/grpc"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Server implements ReferralService.
type Server struct {
	referralv1.UnimplementedReferralServiceServer
	app *app.Service
}

// NewServer answers by the use cases.
func NewServer(a *app.Service) *Server { return &Server{app: a} }

// Register adds the service to a gRPC server.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	referralv1.RegisterReferralServiceServer(r, s)
	referralv1.RegisterFollowUpServiceServer(r, &followUps{app: s.app})
	referralv1.RegisterSettingServiceServer(r, settingServer{app: s.app})
	referralv1.RegisterCriteriaServiceServer(r, criteriaServer{app: s.app})
	referralv1.RegisterCandidateServiceServer(r, candidateServer{app: s.app})
	referralv1.RegisterHandoverServiceServer(r, handoverServer{app: s.app})
	referralv1.RegisterDowntimeServiceServer(r, downtimeServer{app: s.app})
	referralv1.RegisterStatisticsServiceServer(r, statisticsServer{app: s.app})
}

func answer(v app.View, err error) (*referralv1.Referral, error) {
	if err != nil {
		return nil, err
	}
	return Referral(v), nil
}

func answers(views []app.View) []*referralv1.Referral {
	out := make([]*referralv1.Referral, len(views))
	for i, v := range views {
		out[i] = Referral(v)
	}
	return out
}

// GetReferral implements ReferralService.
func (s *Server) GetReferral(ctx context.Context, m *referralv1.GetReferralRequest) (*referralv1.Referral, error) {
	return answer(s.app.Get(ctx, caller(ctx), m.GetId()))
}

// ListUnderWay implements ReferralService.
func (s *Server) ListUnderWay(ctx context.Context, m *referralv1.ListUnderWayRequest) (*referralv1.ListUnderWayResponse, error) {
	found, err := s.app.UnderWay(ctx, caller(ctx), app.UnderWayAsked{PatientID: m.GetPatientId(), Except: m.GetExceptId(), ReferralsOnly: m.GetReferralsOnly()})
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListUnderWayResponse{}
	for _, u := range found {
		one := &referralv1.UnderWay{OrganizationId: u.OrganizationID, AdmitTime: stamp(u.Admitted)}
		for _, r := range u.Referrals {
			one.Referrals = append(one.Referrals, Referral(app.View{Snapshot: r}))
		}
		for _, k := range u.Asks() {
			one.AskedKinds = append(one.AskedKinds, commonv1.Kind_Code(commonv1.Kind_Code_value[string(k)]))
		}
		out.Hospitals = append(out.Hospitals, one)
	}
	return out, nil
}

// FindReferral implements ReferralService.
func (s *Server) FindReferral(ctx context.Context, m *referralv1.FindReferralRequest) (*referralv1.Referral, error) {
	return answer(s.app.Find(ctx, caller(ctx), m.GetNumber()))
}

// BatchGetReferrals implements ReferralService.
func (s *Server) BatchGetReferrals(ctx context.Context, m *referralv1.BatchGetReferralsRequest) (*referralv1.BatchGetReferralsResponse, error) {
	views, err := s.app.BatchGet(ctx, caller(ctx), m.GetIds())
	if err != nil {
		return nil, err
	}
	return &referralv1.BatchGetReferralsResponse{Referrals: answers(views)}, nil
}

// ListReferrals implements ReferralService.
func (s *Server) ListReferrals(ctx context.Context, m *referralv1.ListReferralsRequest) (*referralv1.ListReferralsResponse, error) {
	f := filter(caller(ctx), m)
	views, next, err := s.app.List(ctx, f)
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListReferralsResponse{Referrals: answers(views), NextPageToken: next}
	if !m.GetCount() {
		return out, nil
	}
	counts, err := s.app.Counts(ctx, f)
	if err != nil {
		return nil, err
	}
	for _, state := range slices.Sorted(maps.Keys(counts)) {
		out.Counts = append(out.Counts, &referralv1.StateCount{State: referralv1.State_Code(referralv1.State_Code_value[string(state)]), Count: int32(counts[state].N), Late: int32(counts[state].Late)})
	}
	return out, nil
}

// ListHistory implements ReferralService.
func (s *Server) ListHistory(ctx context.Context, m *referralv1.ListHistoryRequest) (*referralv1.ListHistoryResponse, error) {
	rows, err := s.app.History(ctx, caller(ctx), m.GetId())
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListHistoryResponse{}
	for _, h := range rows {
		out.History = append(out.History, historyRow(h))
	}
	return out, nil
}

// ListActions implements ReferralService: what the caller may do, transitions and marks.
func (s *Server) ListActions(ctx context.Context, m *referralv1.ListActionsRequest) (*referralv1.ListActionsResponse, error) {
	rows, marks, err := s.app.Actions(ctx, caller(ctx), m.GetId())
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListActionsResponse{}
	for _, r := range rows {
		out.Actions = append(out.Actions, action(r))
	}
	for _, mark := range marks {
		out.Marks = append(out.Marks, markAction(mark))
	}
	return out, nil
}

// GetLifecycle implements ReferralService.
func (s *Server) GetLifecycle(context.Context, *referralv1.GetLifecycleRequest) (*referralv1.Lifecycle, error) {
	out := &referralv1.Lifecycle{}
	for _, r := range domain.Lifecycle() {
		out.Actions = append(out.Actions, action(r))
	}
	return out, nil
}

// ListReasons implements ReferralService.
func (s *Server) ListReasons(ctx context.Context, m *referralv1.ListReasonsRequest) (*referralv1.ListReasonsResponse, error) {
	reasons, err := s.app.Reasons(ctx, caller(ctx).County, domain.Action(m.GetAction()), domain.Direction(word(m.GetDirection())))
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListReasonsResponse{}
	for _, r := range reasons {
		out.Reasons = append(out.Reasons, &referralv1.Reason{Code: r.Code, Text: r.Text, TextEn: r.TextEn, NoteRequired: r.NoteRequired, Hidden: r.Hidden, CountsAs: r.CountsAs})
	}
	return out, nil
}

// SearchDiagnoses implements ReferralService.
func (s *Server) SearchDiagnoses(_ context.Context, m *referralv1.SearchDiagnosesRequest) (*referralv1.SearchDiagnosesResponse, error) {
	out := &referralv1.SearchDiagnosesResponse{}
	for _, d := range s.app.SearchDiagnoses(m.GetQuery()) {
		out.Diagnoses = append(out.Diagnoses, coding(d.Diagnosis))
		out.Called = append(out.Called, d.Called)
	}
	return out, nil
}

// MarkSeen implements ReferralService.
func (s *Server) MarkSeen(ctx context.Context, m *referralv1.MarkSeenRequest) (*referralv1.Referral, error) {
	cmd := app.Command{Caller: caller(ctx), Method: referralv1.ReferralService_MarkSeen_FullMethodName}
	return answer(s.app.MarkSeen(ctx, cmd, m.GetId()))
}

// SettleBooking implements ReferralService.
func (s *Server) SettleBooking(ctx context.Context, m *referralv1.SettleBookingRequest) (*referralv1.SettleBookingResponse, error) {
	cmd, err := service(ctx, referralv1.ReferralService_SettleBooking_FullMethodName, m.GetCounty())
	if err != nil {
		return nil, err
	}
	v, err := s.app.Settle(ctx, cmd, app.Attachment{County: cmd.Caller.County, HoldID: m.GetHoldId(), ReferralID: m.GetReferralId()})
	if err != nil {
		return nil, err
	}
	out := &referralv1.SettleBookingResponse{Verdict: referralv1.SettleBookingResponse_RELEASE, Settled: v.Settled}
	if v.Keep {
		out.Verdict = referralv1.SettleBookingResponse_KEEP
	}
	return out, nil
}

// GetCase implements ReferralService.
func (s *Server) GetCase(ctx context.Context, m *referralv1.GetCaseRequest) (*referralv1.ReferralCase, error) {
	cmd, err := service(ctx, referralv1.ReferralService_GetCase_FullMethodName, m.GetCounty())
	if err != nil {
		return nil, err
	}
	v, err := s.app.Case(ctx, cmd.Caller, m.GetReferralId())
	if err != nil {
		return nil, err
	}
	return referralCase(v), nil
}

// GetRelation implements ReferralService.
func (s *Server) GetRelation(ctx context.Context, m *referralv1.GetRelationRequest) (*referralv1.GetRelationResponse, error) {
	cmd, err := service(ctx, referralv1.ReferralService_GetRelation_FullMethodName, m.GetCounty())
	if err != nil {
		return nil, err
	}
	r, err := s.app.Relation(ctx, cmd.Caller.County, m.GetPatientId(), m.GetOrganizationId())
	if err != nil {
		return nil, err
	}
	return &referralv1.GetRelationResponse{Level: r.Level, ReferralId: r.ReferralID}, nil
}

// ListDiagnoses implements ReferralService.
func (s *Server) ListDiagnoses(context.Context, *referralv1.ListDiagnosesRequest) (*referralv1.ListDiagnosesResponse, error) {
	out := &referralv1.ListDiagnosesResponse{}
	for _, d := range s.app.Diagnoses.All() {
		out.Diagnoses = append(out.Diagnoses, &referralv1.KnownDiagnosis{Code: d.Code, Display: d.Name, Words: d.Words, Related: d.Related})
	}
	return out, nil
}
