package patientrecord_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/internal/rpctest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
	"github.com/tongzhen/tongzhen/services/patientrecord"
)

const county = "450321"

// referrals is the referral service as this one sees it.
type referrals struct {
	referralv1.UnimplementedReferralServiceServer
	mu       sync.Mutex
	relation *referralv1.GetRelationResponse
	err      error
}

func (r *referrals) GetRelation(ctx context.Context, in *referralv1.GetRelationRequest) (*referralv1.GetRelationResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	who, _ := authn.FromContext(ctx)
	if who.Service != "patientrecord" || who.County != county || in.GetCounty() != county {
		return nil, errs.Denied(errs.ReasonRole)
	}
	if r.relation == nil {
		return &referralv1.GetRelationResponse{Level: "NONE"}, r.err
	}
	return r.relation, r.err
}

func (r *referrals) GetReferral(context.Context, *referralv1.GetReferralRequest) (*referralv1.Referral, error) {
	return nil, errs.NotFound("referral")
}

// organisations is the directory service, with those of the tests.
type organisations struct {
	directoryv1.UnimplementedDirectoryServiceServer
}

func (organisations) ListOrganizations(context.Context, *directoryv1.ListOrganizationsRequest) (*directoryv1.ListOrganizationsResponse, error) {
	return &directoryv1.ListOrganizationsResponse{Organizations: []*directoryv1.Organization{
		{County: county, Id: "township", Version: 1, Type: directoryv1.OrganizationType_TOWNSHIP_CENTRE},
		{County: county, Id: "county", Version: 1, Type: directoryv1.OrganizationType_COUNTY_HOSPITAL},
	}}, nil
}

// fixture is the running service between a broker, a database and its peer.
type fixture struct {
	*rpctest.Mesh
	t        *testing.T
	bus      bus.Bus
	peer     *referrals
	log      *buffer
	client   patientrecordv1.PatientRecordServiceClient // of persons, by the gateway
	files    patientrecordv1.AttachmentServiceClient
	cli      patientrecordv1.PatientRecordServiceClient
	referral patientrecordv1.PatientRecordServiceClient
	facts    chan bus.Msg
	// recognition, consents and exports of persons, by the gateway.
	recognition patientrecordv1.RecognitionServiceClient
	consents    patientrecordv1.ConsentServiceClient
	exports     patientrecordv1.ExportServiceClient
	handover    *handedOver
}

// buffer collects what is logged.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// each starts the service on every engine.
func each(t *testing.T, fn func(t *testing.T, f *fixture)) {
	t.Helper()
	t.Parallel()
	dbtest.Each(t, patientrecord.Migrations(), func(t *testing.T, db *sqldb.DB) { fn(t, start(t, db)) })
}

func start(t *testing.T, db *sqldb.DB) *fixture {
	t.Helper()
	log := &buffer{}
	f := &fixture{
		t: t, Mesh: rpctest.New(t, slog.New(slog.NewJSONHandler(log, nil))), bus: bustest.Embedded(t), peer: &referrals{}, handover: &handedOver{}, log: log, facts: make(chan bus.Msg, 10),
	}
	open := authz.Table{}
	for _, m := range referralv1.ReferralService_ServiceDesc.Methods {
		open["/"+referralv1.ReferralService_ServiceDesc.ServiceName+"/"+m.MethodName] = authz.Rule{AnyPerson: true, Services: []string{"patientrecord"}}
	}
	for _, m := range referralv1.HandoverService_ServiceDesc.Methods {
		open["/"+referralv1.HandoverService_ServiceDesc.ServiceName+"/"+m.MethodName] = authz.Rule{Services: []string{"patientrecord"}}
	}
	f.Serve("referral", open, func(r grpc.ServiceRegistrar) {
		referralv1.RegisterReferralServiceServer(r, f.peer)
		referralv1.RegisterHandoverServiceServer(r, f.handover)
	})
	readers := authz.Table{}
	for _, m := range directoryv1.DirectoryService_ServiceDesc.Methods {
		readers["/"+directoryv1.DirectoryService_ServiceDesc.ServiceName+"/"+m.MethodName] = authz.Rule{Services: []string{"patientrecord"}}
	}
	f.Serve("directory", readers, func(r grpc.ServiceRegistrar) { directoryv1.RegisterDirectoryServiceServer(r, organisations{}) })
	tel := telemetry.Discard()
	tel.Logger = slog.New(slog.NewJSONHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s, err := patientrecord.New(t.Context(), patientrecord.Config{}, patientrecord.Deps{
		DB: db, Bus: f.bus, Cache: cache.Memory(clock.System()), Ring: crypt.TestRing(),
		Peers:  patientrecord.Peers{Referral: f.Dial("patientrecord", "referral"), Directory: f.Dial("patientrecord", "directory")},
		Signer: f.Signer, Clock: clock.System(), Telemetry: tel,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Serve("patientrecord", s.Policy(), s.Register)
	f.Background(s.Run)
	bustest.Start(t, f.bus, bus.Consumer{Name: "test-record", Subjects: []string{"record.v1.>"}}, func(_ context.Context, m bus.Msg) error {
		f.facts <- m
		return nil
	})
	f.client = patientrecordv1.NewPatientRecordServiceClient(f.Dial("gateway", "patientrecord"))
	f.files = patientrecordv1.NewAttachmentServiceClient(f.Dial("gateway", "patientrecord"))
	f.recognition = patientrecordv1.NewRecognitionServiceClient(f.Dial("gateway", "patientrecord"))
	f.consents = patientrecordv1.NewConsentServiceClient(f.Dial("gateway", "patientrecord"))
	f.exports = patientrecordv1.NewExportServiceClient(f.Dial("gateway", "patientrecord"))
	f.cli = patientrecordv1.NewPatientRecordServiceClient(f.Dial("cli", "patientrecord"))
	f.referral = patientrecordv1.NewPatientRecordServiceClient(f.Dial("referral", "patientrecord"))
	if err := s.Health(t.Context()); err != nil {
		t.Error(err)
	}
	return f
}

// as is a context in which a person of the organisation calls.
func (f *fixture) as(organization, role string) context.Context {
	f.t.Helper()
	return f.As(authn.Identity{
		Subject: id.FromFact(role, organization), Organization: organization, County: county, Roles: []string{role},
	})
}

func zeng() *patientrecordv1.RegisterPatientRequest {
	return &patientrecordv1.RegisterPatientRequest{
		RequestId: id.New(), Name: "曾小明", IdentityNumber: "990122195603120016", Phone: "13800138000", Address: "白沙镇旧县村",
		DocumentType: patientrecordv1.DocumentType_RESIDENT_IDENTITY_CARD,
	}
}

func (f *fixture) reason(err error, want string) {
	f.t.Helper()
	if got := errs.ReasonOf(err); got != want {
		f.t.Errorf("reason %q, want %q (%v)", got, want, err)
	}
}

func TestRegisteredPatientIsAnswered(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		in := zeng()
		p, err := f.client.RegisterPatient(f.as("township", "TOWNSHIP_DOCTOR"), in)
		if err != nil {
			t.Fatal(err)
		}
		if p.GetBirthDate() != "1956-03-12" || p.GetSex() != commonv1.Sex_MALE || p.GetAccess() != patientrecordv1.Access_FULL || p.GetHomeOrganizationId() != "township" {
			t.Errorf("patient %s: access %s", p.GetId(), p.GetAccess())
		}
		again, err := f.client.RegisterPatient(f.as("township", "TOWNSHIP_DOCTOR"), in)
		if err != nil || !proto.Equal(again, p) {
			t.Errorf("the repeat: %v", err)
		}
		m := bustest.Receive(t, f.facts, "the fact")
		var fact patientrecordv1.PatientRegistered
		if err := proto.Unmarshal(m.Payload, &fact); err != nil {
			t.Fatal(err)
		}
		if m.Subject != "record.v1.450321.patient_registered" || fact.GetPatientId() != p.GetId() || fact.GetMeta().GetFactId() != m.ID ||
			fact.GetMeta().GetAggregateVersion() != 1 || len(fact.GetMeta().GetAudience()) != 1 {
			t.Errorf("fact %s of %s", m.Subject, fact.GetPatientId())
		}
		_, err = f.client.RegisterPatient(f.as("township", "TOWNSHIP_DOCTOR"), zeng())
		f.reason(err, errs.ReasonAlreadyRegistered)
		if e, _ := errs.As(err); e.Meta["patientId"] != p.GetId() {
			t.Error("without the id")
		}
		found, err := f.client.SearchPatients(f.as("county", "INTAKE_DESK"), &patientrecordv1.SearchPatientsRequest{IdentityNumber: in.GetIdentityNumber()})
		if err != nil || len(found.GetPatients()) != 1 || found.GetPatients()[0].GetAccess() != patientrecordv1.Access_BREAK_GLASS || found.GetPatients()[0].GetName() != "曾＊＊" {
			t.Errorf("by number: %v", err)
		}
	})
}

func TestFormIsRefusedFieldByField(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		_, err := f.client.RegisterPatient(f.as("township", "TOWNSHIP_DOCTOR"), &patientrecordv1.RegisterPatientRequest{
			BirthDate: "yesterday", IdentityNumber: "990122560312001", Phone: "12",
		})
		e, _ := errs.As(err)
		if e == nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, field := range e.Fields {
			got[field.Name] = field.Reason + field.Meta["cause"]
		}
		for name, want := range map[string]string{
			"birthDate": "FIELD_INVALID", "name": "FIELD_REQUIRED", "identityNumber": "FIELD_IDENTITY_NUMBEROLD_15_DIGITS", "phone": "FIELD_INVALID",
		} {
			if got[name] != want {
				t.Errorf("%s: %q, want %q", name, got[name], want)
			}
		}
	})
}

func TestOnlyCliniciansAndTheNamedServicesMay(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, err := f.client.RegisterPatient(f.as("township", "TOWNSHIP_DOCTOR"), zeng())
		if err != nil {
			t.Fatal(err)
		}
		for _, role := range []string{"COUNTY_ADMIN", "SYSTEM_ADMIN", "SECURITY_ADMIN", "AUDITOR", "INTEGRATION", "SYSTEM"} {
			ctx := f.as("township", role)
			_, err := f.client.GetPatient(ctx, &patientrecordv1.GetPatientRequest{Id: p.GetId()})
			f.reason(err, errs.ReasonRole)
			_, err = f.client.SearchPatients(ctx, &patientrecordv1.SearchPatientsRequest{Query: "曾"})
			f.reason(err, errs.ReasonRole)
			_, err = f.client.GetSummary(ctx, &patientrecordv1.GetSummaryRequest{PatientId: p.GetId()})
			f.reason(err, errs.ReasonRole)
		}
		_, err = f.client.ImportRecord(f.as("township", "TOWNSHIP_DOCTOR"), &patientrecordv1.ImportRecordRequest{
			County: county, SourceSystem: "s", PatientIdentity: "p", Patient: &patientrecordv1.Patient{},
		})
		f.reason(err, errs.ReasonRole)
		snapshot, err := f.referral.GetSnapshot(rpc.WithCounty(t.Context(), county), &patientrecordv1.GetSnapshotRequest{PatientId: p.GetId(), OrganizationId: "township"})
		if err != nil || snapshot.GetName() != "曾小明" || snapshot.GetMaskedIdentityNumber() != "990***********0016" {
			t.Errorf("snapshot: %v", err)
		}
		_, err = f.cli.GetSnapshot(rpc.WithCounty(t.Context(), county), &patientrecordv1.GetSnapshotRequest{PatientId: p.GetId(), OrganizationId: "township"})
		f.reason(err, errs.ReasonRole)
	})
}

func TestReferralServiceAwayIsUnavailable(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, err := f.client.RegisterPatient(f.as("township", "TOWNSHIP_DOCTOR"), zeng())
		if err != nil {
			t.Fatal(err)
		}
		get := func() error {
			_, err := f.client.GetPatient(f.as("county", "INTAKE_DESK"), &patientrecordv1.GetPatientRequest{Id: p.GetId()})
			return err
		}
		f.reason(get(), errs.ReasonNotFound)
		f.peer.mu.Lock()
		f.peer.err = errs.New(errs.KindInternal, errs.ReasonInternal, "broken", nil)
		f.peer.mu.Unlock()
		f.reason(get(), errs.ReasonPeerAway)
		f.peer.mu.Lock()
		f.peer.err, f.peer.relation = nil, &referralv1.GetRelationResponse{Level: "FULL", ReferralId: id.New()}
		f.peer.mu.Unlock()
		if err := get(); err != nil {
			t.Error(err)
		}
	})
}
