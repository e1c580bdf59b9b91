package referral_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/internal/rpctest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
	"github.com/tongzhen/tongzhen/services/referral"
)

const (
	county = "450321"
	secret = "秦秘密"
)

// fixture is the running service between a broker, a database and peers that answer by their contracts.
type fixture struct {
	*rpctest.Mesh
	t                  *testing.T
	db                 *sqldb.DB
	client             referralv1.ReferralServiceClient // of persons, by the gateway
	settings           referralv1.SettingServiceClient  // of persons, by the gateway
	candidates         referralv1.CandidateServiceClient
	criteria           referralv1.CriteriaServiceClient
	bus                bus.Bus
	scheduling         referralv1.ReferralServiceClient
	patients           referralv1.ReferralServiceClient
	facts              chan bus.Msg
	township, hospital string
	begin              time.Time
}

type directory struct {
	directoryv1.UnimplementedDirectoryServiceServer
	f *fixture
}

func (d directory) organization() *directoryv1.Organization {
	return &directoryv1.Organization{
		Id: d.f.hospital, County: county, Version: 1, Name: "阳朔县人民医院", Type: directoryv1.OrganizationType_COUNTY_HOSPITAL,
	}
}

func (d directory) GetOrganization(_ context.Context, in *directoryv1.GetOrganizationRequest) (*directoryv1.Organization, error) {
	o := d.organization()
	if in.GetId() == d.f.township {
		o.Id, o.Type = d.f.township, directoryv1.OrganizationType_TOWNSHIP_CENTRE
	}
	return o, nil
}

func (d directory) ListOrganizations(context.Context, *directoryv1.ListOrganizationsRequest) (*directoryv1.ListOrganizationsResponse, error) {
	return &directoryv1.ListOrganizationsResponse{Organizations: []*directoryv1.Organization{d.organization()}}, nil
}

func (d directory) ListDepartments(context.Context, *directoryv1.ListDepartmentsRequest) (*directoryv1.ListDepartmentsResponse, error) {
	return &directoryv1.ListDepartmentsResponse{Departments: []*directoryv1.Department{{OrganizationId: d.f.hospital, Code: "0304", Name: "心血管内科"}}}, nil
}

type patientRecord struct {
	patientrecordv1.UnimplementedPatientRecordServiceServer
	f *fixture
}

// GetSnapshot is asked by the person, for the own organisation, or by referral itself, for one that it names.
func (p patientRecord) GetSnapshot(ctx context.Context, in *patientrecordv1.GetSnapshotRequest) (*patientrecordv1.PatientSnapshot, error) {
	who, _ := authn.FromContext(ctx)
	if in.GetOrganizationId() == "" || !who.IsService() && in.GetOrganizationId() != who.Organization {
		return nil, errs.NotFound("patient")
	}
	return &patientrecordv1.PatientSnapshot{PatientId: in.GetPatientId(), Name: secret, Sex: commonv1.Sex_MALE, BirthDate: "1956-03-12"}, nil
}

type scheduling struct {
	schedulingv1.UnimplementedSchedulingServiceServer
	f *fixture
}

func (s scheduling) AttachHold(_ context.Context, in *schedulingv1.AttachHoldRequest) (*schedulingv1.Hold, error) {
	return &schedulingv1.Hold{Id: in.GetHoldId(), OrganizationId: s.f.hospital, ReferralId: in.GetReferralId()}, nil
}

func (s scheduling) ConfirmHold(_ context.Context, in *schedulingv1.ConfirmHoldRequest) (*schedulingv1.Booking, error) {
	if in.GetOriginatorOrganizationId() != s.f.township {
		return nil, errs.Invalid(errs.Bad("originatorOrganizationId", errs.ReasonFieldInvalid))
	}
	start := s.f.begin.Add(time.Hour)
	return &schedulingv1.Booking{
		Id: id.FromFact(in.GetHoldId()), HoldId: in.GetHoldId(), OrganizationId: s.f.hospital, Start: timestamppb.New(start), End: timestamppb.New(start.Add(time.Hour)),
	}, nil
}

// rules let the named callers use every method of a peer.
func rules(desc grpc.ServiceDesc, rule authz.Rule) authz.Table {
	table := authz.Table{}
	for _, m := range desc.Methods {
		table["/"+desc.ServiceName+"/"+m.MethodName] = rule
	}
	return table
}

func each(t *testing.T, test func(f *fixture)) {
	t.Helper()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			test(start(t, engine))
		})
	}
}

func start(t *testing.T, engine sqldb.Engine) *fixture {
	t.Helper()
	db, broker := dbtest.OpenClock(t, engine, clock.System(), referral.Migrations()), bustest.Embedded(t)
	f := &fixture{
		t: t, db: db, bus: broker, Mesh: rpctest.New(t, slog.New(slog.DiscardHandler)), facts: make(chan bus.Msg, 100), township: id.New(), hospital: id.New(),
		begin: clock.System().Now(),
	}
	service := authz.Rule{Services: []string{"referral"}}
	f.Serve("directory", rules(directoryv1.DirectoryService_ServiceDesc, service), func(r grpc.ServiceRegistrar) {
		directoryv1.RegisterDirectoryServiceServer(r, directory{f: f})
	})
	f.Serve("patientrecord", rules(patientrecordv1.PatientRecordService_ServiceDesc, authz.Rule{AnyPerson: true, Services: service.Services}), func(r grpc.ServiceRegistrar) {
		patientrecordv1.RegisterPatientRecordServiceServer(r, patientRecord{f: f})
	})
	f.Serve("scheduling", rules(schedulingv1.SchedulingService_ServiceDesc, service), func(r grpc.ServiceRegistrar) {
		schedulingv1.RegisterSchedulingServiceServer(r, scheduling{f: f})
	})
	s, err := referral.New(t.Context(), referral.Config{}, referral.Deps{
		DB: db, Bus: broker, Ring: crypt.TestRing(), Signer: f.Signer, Clock: clock.System(), Telemetry: telemetry.Discard(),
		Peers: referral.Peers{
			Directory: f.Dial("referral", "directory"), PatientRecord: f.Dial("referral", "patientrecord"), Scheduling: f.Dial("referral", "scheduling"),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Serve("referral", s.Policy(), s.Register)
	f.Background(s.Run)
	bustest.Start(t, broker, bus.Consumer{Name: "test-referral", Subjects: []string{"referral.v1.>"}}, func(_ context.Context, m bus.Msg) error {
		f.facts <- m
		return nil
	})
	f.client = referralv1.NewReferralServiceClient(f.Dial("gateway", "referral"))
	f.settings = referralv1.NewSettingServiceClient(f.Dial("gateway", "referral"))
	f.candidates = referralv1.NewCandidateServiceClient(f.Dial("gateway", "referral"))
	f.criteria = referralv1.NewCriteriaServiceClient(f.Dial("gateway", "referral"))
	f.scheduling = referralv1.NewReferralServiceClient(f.Dial("scheduling", "referral"))
	f.patients = referralv1.NewReferralServiceClient(f.Dial("patientrecord", "referral"))
	if err := s.Health(t.Context()); err != nil {
		t.Error(err)
	}
	return f
}

// as is a context in which a person with the role calls, at the organisation where it works.
func (f *fixture) as(role string) context.Context {
	f.t.Helper()
	org := f.hospital
	if slices.Contains([]string{"TOWNSHIP_DOCTOR", "VILLAGE_DOCTOR", "CENTRE_HEAD"}, role) {
		org = f.township
	}
	return f.As(authn.Identity{Subject: id.FromFact(role), Name: "医生 " + role, Organization: org, County: county, Roles: []string{role}})
}

func (f *fixture) creation() *referralv1.CreateReferralRequest {
	return &referralv1.CreateReferralRequest{
		RequestId: id.New(), PatientId: id.New(), Direction: commonv1.Direction_UP, Kind: commonv1.Kind_OUTPATIENT, Urgency: commonv1.Urgency_URGENT,
		Receiver:  &commonv1.Party{OrganizationId: f.hospital, DepartmentCode: "0304"},
		Diagnoses: []*commonv1.Coding{{Code: "i63.9"}},
		Form:      &referralv1.Form{InitialImpression: " 脑梗死？" + secret, PresentIllness: secret},
		Consent:   &referralv1.Consent{GivenBy: secret, Relation: "2", Method: "SIGNED"}, Submit: true, HoldId: id.New(),
	}
}

func (f *fixture) must(r *referralv1.Referral, err error) *referralv1.Referral {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

func (f *fixture) expectReason(err error, reason string) {
	f.t.Helper()
	if got := errs.ReasonOf(err); got != reason {
		f.t.Errorf("got %v, want %s", err, reason)
	}
	if err != nil && strings.Contains(err.Error(), secret) {
		f.t.Errorf("the error tells %v", err)
	}
}

func (f *fixture) expectActions(role, referral string, want ...string) {
	f.t.Helper()
	list, err := f.client.ListActions(f.as(role), &referralv1.ListActionsRequest{Id: referral})
	if err != nil {
		f.t.Fatal(err)
	}
	var got []string
	for _, a := range list.GetActions() {
		got = append(got, a.GetName())
	}
	if !slices.Equal(got, want) {
		f.t.Errorf("%s may %q, want %q", role, got, want)
	}
}

func (f *fixture) expectMarks(role, referral string, want ...string) {
	f.t.Helper()
	list, err := f.client.ListActions(f.as(role), &referralv1.ListActionsRequest{Id: referral})
	if err != nil {
		f.t.Fatal(err)
	}
	var got []string
	for _, m := range list.GetMarks() {
		got = append(got, m.GetName())
	}
	if !slices.Equal(got, want) {
		f.t.Errorf("%s may mark %q, want %q", role, got, want)
	}
}

func (f *fixture) expectLinks(ctx context.Context, referral string, want ...string) {
	f.t.Helper()
	list, err := f.client.ListLinks(ctx, &referralv1.ListLinksRequest{Id: referral})
	if err != nil {
		f.t.Fatal(err)
	}
	var got []string
	for _, l := range list.GetLinks() {
		got = append(got, l.GetKind())
	}
	if !slices.Equal(got, want) {
		f.t.Errorf("links %q, want %q", got, want)
	}
}

func TestTheJourney(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		c, doctor, desk := f.client, f.as("TOWNSHIP_DOCTOR"), f.as("INTAKE_DESK")
		in := f.creation()
		r := f.must(c.CreateReferral(doctor, in))
		again := f.must(c.CreateReferral(doctor, in))
		if !proto.Equal(r, again) {
			f.t.Error("the same request has another answer")
		}
		if r.GetDiagnoses()[0].GetDisplay() != "脑梗死" || r.GetDiagnoses()[0].GetCode() != "I63.9" || r.GetPatient().GetName() != secret ||
			r.GetHoldId() != in.GetHoldId() || strings.HasPrefix(r.GetForm().GetInitialImpression(), " ") {
			f.t.Error("the referral is not as written")
		}
		f.expectActions("INTAKE_DESK", r.GetId(), "accept", "return", "redirect", "decline")
		f.expectActions("TOWNSHIP_DOCTOR", r.GetId(), "cancel")
		inbox, err := c.ListReferrals(desk, &referralv1.ListReferralsRequest{View: "inbox", Order: "due"})
		if err != nil || len(inbox.GetReferrals()) != 1 || !inbox.GetReferrals()[0].GetUnread() {
			f.t.Fatalf("inbox of %d, %v", len(inbox.GetReferrals()), err)
		}
		if r = f.must(c.MarkSeen(desk, &referralv1.MarkSeenRequest{Id: r.GetId()})); r.GetUnread() {
			f.t.Error("seen, and still unread")
		}
		r = f.must(c.Accept(desk, &referralv1.AcceptRequest{Id: r.GetId(), Version: r.GetVersion(), HoldId: in.GetHoldId(), Note: secret, RequestId: id.New()}))
		if r.GetBookingId() == "" || r.GetExpectedFrom() == nil {
			f.t.Error("accepted without a booking")
		}
		verdict, err := f.scheduling.SettleBooking(rpc.WithCounty(f.t.Context(), county), &referralv1.SettleBookingRequest{County: county, HoldId: in.GetHoldId(), ReferralId: r.GetId()})
		if err != nil || !verdict.GetSettled() {
			f.t.Errorf("settled %v, %v", verdict, err)
		}
		found := f.must(c.FindReferral(desk, &referralv1.FindReferralRequest{Number: strings.ReplaceAll(r.GetNumber(), "-", "")}))
		r = f.must(c.Arrive(desk, &referralv1.ActionRequest{Id: found.GetId(), Version: found.GetVersion()}))
		r = f.must(c.Admit(f.as("BED_MANAGER"), &referralv1.AdmitRequest{Id: r.GetId(), Version: r.GetVersion(), Ward: "心内一病区", Bed: "12"}))
		if known, err := f.scheduling.GetCase(rpc.WithCounty(f.t.Context(), county), &referralv1.GetCaseRequest{County: county, ReferralId: r.GetId()}); err != nil ||
			known.GetState() != referralv1.State_ADMITTED || known.GetVersion() != r.GetVersion() || known.GetNumber() != r.GetNumber() || known.GetPatientId() != r.GetPatientId() ||
			known.GetOriginator().GetOrganizationId() != r.GetOriginator().GetOrganizationId() || known.GetReceiver().GetDepartmentCode() != r.GetReceiver().GetDepartmentCode() {
			f.t.Errorf("case %v, %v", known, err)
		}
		relation, err := f.patients.GetRelation(rpc.WithCounty(f.t.Context(), county), &referralv1.GetRelationRequest{County: county, PatientId: r.GetPatientId(), OrganizationId: f.hospital})
		if err != nil || relation.GetLevel() != "FULL" {
			f.t.Errorf("relation %v, %v", relation, err)
		}
		r = f.must(c.Conclude(f.as("SPECIALIST"), &referralv1.ConcludeRequest{
			Id: r.GetId(), Version: r.GetVersion(), OutcomeCode: "IMPROVED",
			Reply: &referralv1.Reply{Diagnosis: secret, Findings: secret, Treatment: secret, NextSteps: secret, Medications: []*referralv1.ReplyMedication{{Name: "阿司匹林", Dosage: "100mg qd"}}},
		}))
		r = f.must(c.Acknowledge(doctor, &referralv1.ActionRequest{Id: r.GetId(), Version: r.GetVersion(), Note: secret}))
		if r.GetState() != referralv1.State_CLOSED || r.GetVersion() != 7 || r.GetReply().GetDiagnosis() != secret {
			f.t.Errorf("%s at %d", r.GetState(), r.GetVersion())
		}
		f.expectTimeline(doctor, r.GetId(), "create", "submit", "seen", "accept", "arrive", "admit", "conclude", "acknowledge")
		f.expectFacts("created", "submitted", "seen", "accepted", "arrived", "admitted", "concluded", "candidate_found", "acknowledged")
	})
}

func (f *fixture) expectTimeline(ctx context.Context, referral string, want ...string) {
	f.t.Helper()
	list, err := f.client.ListHistory(ctx, &referralv1.ListHistoryRequest{Id: referral})
	if err != nil {
		f.t.Fatal(err)
	}
	var got []string
	for _, h := range list.GetHistory() {
		got = append(got, h.GetAction())
		if h.GetActor().GetName() == "" || h.GetActor().GetOrganizationId() == "" || h.GetTime() == nil || (h.GetKind() == "MARK") != (h.GetAction() == "seen") {
			f.t.Errorf("row %s lacks something", h.GetAction())
		}
	}
	if !slices.Equal(got, want) {
		f.t.Errorf("timeline %q, want %q", got, want)
	}
}

// expectFacts waits for these events, in any order, and nothing personal in them.
func (f *fixture) expectFacts(want ...string) {
	f.t.Helper()
	var got []string
	for range want {
		m := bustest.Receive(f.t, f.facts, "a fact")
		if bytes.Contains(m.Payload, []byte(secret)) || strings.Contains(m.Subject, secret) {
			f.t.Errorf("%s tells the patient's name", m.Subject)
		}
		got = append(got, strings.TrimPrefix(m.Subject, "referral.v1."+county+"."))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		f.t.Errorf("facts %q, want %q", got, want)
	}
}

func TestWhoMayNotAndWhatIsWrongIsToldByReason(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		c, doctor, desk := f.client, f.as("TOWNSHIP_DOCTOR"), f.as("INTAKE_DESK")
		r := f.must(c.CreateReferral(doctor, f.creation()))
		try := func(_ *referralv1.Referral, err error) error { return err }
		f.expectReason(try(c.Accept(doctor, &referralv1.AcceptRequest{Id: r.GetId(), Version: 2})), errs.ReasonRole)
		f.expectReason(try(c.Cancel(desk, &referralv1.ReasonRequest{Id: r.GetId(), Version: 2})), errs.ReasonRole)
		f.expectReason(try(c.GetReferral(f.as("COUNTY_ADMIN"), &referralv1.GetReferralRequest{Id: r.GetId()})), errs.ReasonRole)
		f.expectReason(try(c.GetReferral(desk, &referralv1.GetReferralRequest{Id: "no uuid"})), errs.ReasonFieldInvalid)
		f.expectReason(try(c.GetReferral(desk, &referralv1.GetReferralRequest{Id: id.New()})), errs.ReasonNotFound)
		f.expectReason(try(c.Decline(desk, &referralv1.ReasonRequest{Id: r.GetId()})), errs.ReasonVersionRequired)
		f.expectReason(try(c.Decline(desk, &referralv1.ReasonRequest{Id: r.GetId(), Version: 1, Note: secret})), errs.ReasonStaleVersion)
		f.expectReason(try(c.Arrive(desk, &referralv1.ActionRequest{Id: r.GetId(), Version: 2})), errs.ReasonActionNotAvailable)
		second := f.creation()
		second.PatientId = r.GetPatientId()
		f.expectReason(try(c.CreateReferral(doctor, second)), errs.ReasonOpenReferralExists)
		second.RequestId = strings.Repeat("x", 65)
		f.expectReason(try(c.CreateReferral(doctor, second)), errs.ReasonFieldTooLong)
		if _, err := c.SettleBooking(doctor, &referralv1.SettleBookingRequest{County: county}); errs.ReasonOf(err) != errs.ReasonRole {
			f.t.Errorf("a person settles: %v", err)
		}
		if _, err := f.scheduling.SettleBooking(rpc.WithCounty(f.t.Context(), county), &referralv1.SettleBookingRequest{County: "450322"}); errs.ReasonOf(err) != errs.ReasonRole {
			f.t.Errorf("a token of another county settles: %v", err)
		}
	})
}
