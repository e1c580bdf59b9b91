package notification_test

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
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
	"github.com/tongzhen/tongzhen/services/internal/rpctest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
	"github.com/tongzhen/tongzhen/services/notification"
)

const (
	county           = "450321"
	hospital, centre = "hospital", "centre"
)

// peer answers for the directory service, one account a page.
type peer struct {
	directoryv1.UnimplementedDirectoryServiceServer
	directoryv1.UnimplementedRosterServiceServer
	accounts []*directoryv1.Account
}

func (p peer) ListAccounts(ctx context.Context, r *directoryv1.ListAccountsRequest) (*directoryv1.ListAccountsResponse, error) {
	who, _ := authn.FromContext(ctx)
	if who.Service != "notification" || who.County != county {
		return nil, errs.Denied(errs.ReasonRole)
	}
	n, _ := strconv.Atoi(r.GetPageToken())
	out := &directoryv1.ListAccountsResponse{Accounts: p.accounts[n : n+1]}
	if n+1 < len(p.accounts) {
		out.NextPageToken = strconv.Itoa(n + 1)
	}
	return out, nil
}

func (p peer) ListRosters(context.Context, *directoryv1.ListRostersRequest) (*directoryv1.ListRostersResponse, error) {
	return &directoryv1.ListRostersResponse{}, nil
}

func (p peer) GetOrganization(context.Context, *directoryv1.GetOrganizationRequest) (*directoryv1.Organization, error) {
	return &directoryv1.Organization{Phone: "0000-8820120"}, nil
}

func (p peer) ListOrganizations(context.Context, *directoryv1.ListOrganizationsRequest) (*directoryv1.ListOrganizationsResponse, error) {
	return &directoryv1.ListOrganizationsResponse{Organizations: []*directoryv1.Organization{
		{Id: hospital, Name: "阳朔县人民医院", NameEn: "Yangshuo People's Hospital", Phone: "0773-8822120"}, {Id: centre, Name: "高田镇卫生院", NameEn: "Gaotian Health Centre"},
	}}, nil
}

func (p peer) ListDepartments(context.Context, *directoryv1.ListDepartmentsRequest) (*directoryv1.ListDepartmentsResponse, error) {
	return &directoryv1.ListDepartmentsResponse{Departments: []*directoryv1.Department{
		{OrganizationId: hospital, Code: "0304", Name: "心血管内科", NameEn: "Cardiology", Location: "门诊楼三楼", Phone: "0773-8822304"},
	}}, nil
}

func account(name, organization, department string, roles ...commonv1.Role_Code) *directoryv1.Account {
	return &directoryv1.Account{Id: id.FromFact(name), Version: 1, Name: "name of " + name, OrganizationId: organization, DepartmentCode: department, Roles: roles}
}

// fixture is the running service between a broker, a database and its peer.
type fixture struct {
	*rpctest.Mesh
	t      *testing.T
	bus    bus.Bus
	db     *sqldb.DB
	client notificationv1.NotificationServiceClient
	out    notificationv1.DeliveryServiceClient
	alarms notificationv1.AlarmServiceClient
	facts  chan bus.Msg
	tel    *telemetry.Telemetry

	consents consents
}

func start(t *testing.T) *fixture {
	t.Helper()
	return startWith(t, notification.Config{})
}

// everything admits notification to every method of the services.
func everything(services ...grpc.ServiceDesc) authz.Table {
	table := authz.Table{}
	for _, s := range services {
		for _, m := range s.Methods {
			table["/"+s.ServiceName+"/"+m.MethodName] = authz.Rule{Services: []string{"notification"}}
		}
	}
	return table
}

func startWith(t *testing.T, cfg notification.Config) *fixture {
	t.Helper()
	f := &fixture{t: t, Mesh: rpctest.New(t, slog.New(slog.DiscardHandler)), bus: bustest.Embedded(t), facts: make(chan bus.Msg, 100)}
	f.Serve("patientrecord", everything(patientrecordv1.ConsentService_ServiceDesc), func(r grpc.ServiceRegistrar) {
		patientrecordv1.RegisterConsentServiceServer(r, &f.consents)
	})
	f.Serve("referral", everything(referralv1.HandoverService_ServiceDesc), func(r grpc.ServiceRegistrar) {
		referralv1.RegisterHandoverServiceServer(r, handover{})
	})
	f.Serve("scheduling", everything(schedulingv1.SchedulingService_ServiceDesc), func(r grpc.ServiceRegistrar) {
		schedulingv1.RegisterSchedulingServiceServer(r, bookings{})
	})
	f.Serve("directory", everything(directoryv1.DirectoryService_ServiceDesc, directoryv1.RosterService_ServiceDesc), func(r grpc.ServiceRegistrar) {
		people := peer{accounts: []*directoryv1.Account{
			account("desk", hospital, "", commonv1.Role_INTAKE_DESK), account("head", hospital, "0304", commonv1.Role_DEPARTMENT_HEAD),
			account("doctor", centre, "", commonv1.Role_TOWNSHIP_DOCTOR), account("admin", "authority", "", commonv1.Role_COUNTY_ADMIN),
			account("auditor", "authority", "", commonv1.Role_AUDITOR),
		}}
		directoryv1.RegisterDirectoryServiceServer(r, people)
		directoryv1.RegisterRosterServiceServer(r, people)
	})
	f.db = dbtest.SQLite(t, notification.Migrations())
	tel, err := telemetry.New(t.Context(), telemetry.Config{LogLevel: "error", Output: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tel.Shutdown(context.WithoutCancel(t.Context())) })
	f.tel = tel
	s, err := notification.New(t.Context(), cfg, notification.Deps{
		DB: f.db, Bus: f.bus, Cache: cache.Memory(clock.System()), Ring: crypt.TestRing(),
		Peers: notification.Peers{
			Directory: f.Dial("notification", "directory"), PatientRecord: f.Dial("notification", "patientrecord"),
			Referral: f.Dial("notification", "referral"), Scheduling: f.Dial("notification", "scheduling"),
		},
		Signer: f.Signer, Clock: clock.System(), Telemetry: f.tel,
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Health(t.Context()) == nil {
		t.Error("ready before the accounts were read")
	}
	f.Serve("notification", s.Policy(), s.Register)
	f.Background(s.Run)
	bustest.Start(t, f.bus, bus.Consumer{Name: "test-notification", Subjects: []string{"notification.v1.*.entry_created", "notification.v1.*.entry_acknowledged", "notification.v1.*.delivery_failed"}}, func(_ context.Context, m bus.Msg) error {
		f.facts <- m
		return nil
	})
	gateway := f.Dial("gateway", "notification")
	f.client, f.out = notificationv1.NewNotificationServiceClient(gateway), notificationv1.NewDeliveryServiceClient(gateway)
	f.alarms = notificationv1.NewAlarmServiceClient(gateway)
	return f
}

// as is a context in which the person calls.
func (f *fixture) as(name string) context.Context {
	f.t.Helper()
	return f.As(authn.Identity{Subject: id.FromFact(name), Organization: hospital, County: county, Roles: []string{"INTAKE_DESK"}})
}

// submitted publishes an emergency for the hospital, as often as asked, and answers the referral's id.
func (f *fixture) submitted(times int) string {
	f.t.Helper()
	fact := &referralv1.Submitted{
		Meta: &commonv1.FactMeta{FactId: id.New(), County: county, OccurTime: timestamppb.Now(), Actor: &commonv1.Actor{OrganizationId: centre}},
		Referral: &referralv1.ReferralFact{ReferralId: id.New(), Number: "450321260000123", Urgency: commonv1.Urgency_EMERGENCY,
			OriginatorAccountId: id.FromFact("doctor"), Originator: &commonv1.Party{OrganizationId: centre},
			Receiver: &commonv1.Party{OrganizationId: hospital, DepartmentCode: "0304"}},
	}
	payload, err := proto.Marshal(fact)
	if err != nil {
		f.t.Fatal(err)
	}
	for i := range times {
		// Another message id, as after the broker's window: the fact is stored and delivered again.
		m := bus.Msg{Subject: "referral.v1." + county + ".submitted", ID: fact.GetMeta().GetFactId() + strconv.Itoa(i),
			Type: "tongzhen.referral.v1.Submitted", Payload: payload}
		if _, err := f.bus.Publish(f.t.Context(), m); err != nil {
			f.t.Fatal(err)
		}
	}
	return fact.GetReferral().GetReferralId()
}

// next waits for a fact of the service and answers whom it is for.
func (f *fixture) next(event string) string {
	f.t.Helper()
	m := bustest.Receive(f.t, f.facts, "fact "+event)
	if want := "notification.v1." + county + "." + event; m.Subject != want {
		f.t.Fatalf("fact %s, want %s", m.Subject, want)
	}
	var fact notificationv1.EntryCreated // entry_acknowledged has the same fields
	if err := proto.Unmarshal(m.Payload, &fact); err != nil || len(fact.GetMeta().GetAudience()) != 1 {
		f.t.Fatalf("%v, %v", &fact, err)
	}
	return fact.GetMeta().GetAudience()[0]
}

// Invariants 2, 4 and 5, over the wire.
func TestAnEmergencyReachesDeskAndHeadOnceAndEachAcknowledgesTheOwn(t *testing.T) {
	t.Parallel()
	f := start(t)
	referral := f.submitted(3)
	told := map[string]bool{f.next("entry_created"): true, f.next("entry_created"): true}
	if !told["account:"+id.FromFact("desk")] || !told["account:"+id.FromFact("head")] {
		t.Errorf("told %v", told)
	}
	// Another fact behind the repeats: what comes next is of it, not of them.
	last := f.submitted(1)
	f.next("entry_created")
	f.next("entry_created")
	cli := notificationv1.NewNotificationServiceClient(f.Dial("cli", "notification"))
	for _, id := range []string{referral, last} {
		all, err := cli.ListDelivered(f.t.Context(), &notificationv1.ListDeliveredRequest{County: county, ReferralId: id})
		if err != nil || len(all.GetNotifications()) != 2 {
			t.Errorf("%v, %v", all, err)
		}
	}

	list, err := f.client.ListNotifications(f.as("desk"), &notificationv1.ListNotificationsRequest{PageSize: 1})
	if err != nil || len(list.GetNotifications()) != 1 || list.GetOpenCount() != 2 || list.GetNextPageToken() == "" {
		t.Fatalf("%v, %v", list, err)
	}
	list, err = f.client.ListNotifications(f.as("desk"), &notificationv1.ListNotificationsRequest{PageSize: 1, PageToken: list.GetNextPageToken()})
	if err != nil || len(list.GetNotifications()) != 1 || list.GetNextPageToken() != "" {
		t.Fatalf("%v, %v", list, err)
	}
	entry := list.GetNotifications()[0]
	if entry.GetReferralId() != referral || entry.GetEvent() != "submitted" || entry.GetUrgency() != commonv1.Urgency_EMERGENCY ||
		entry.GetFromOrganizationId() != centre || entry.GetState() != notificationv1.NotificationState_OPEN {
		t.Errorf("%v", entry)
	}
	if _, err := f.client.Acknowledge(f.as("head"), &notificationv1.AcknowledgeRequest{Id: entry.GetId()}); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("another's entry: %v", err)
	}
	done, err := f.client.Acknowledge(f.as("desk"), &notificationv1.AcknowledgeRequest{Id: entry.GetId()})
	if err != nil || done.GetState() != notificationv1.NotificationState_ACKNOWLEDGED || done.GetAcknowledgeTime() == nil {
		t.Errorf("%v, %v", done, err)
	}
	if who := f.next("entry_acknowledged"); who != "account:"+id.FromFact("desk") {
		t.Error(who)
	}
	n, err := f.client.AcknowledgeReferral(f.as("head"), &notificationv1.AcknowledgeReferralRequest{ReferralId: referral})
	if err != nil || n.GetAcknowledged() != 1 {
		t.Errorf("%v, %v", n, err)
	}
	if _, err := f.client.ListDelivered(f.as("desk"), &notificationv1.ListDeliveredRequest{}); errs.ReasonOf(err) != errs.ReasonRole {
		t.Errorf("a person lists what others got: %v", err)
	}
	if _, err := f.client.ListNotifications(f.as("desk"), &notificationv1.ListNotificationsRequest{State: "NONE"}); errs.KindOf(err) != errs.KindInvalid {
		t.Errorf("an unknown state: %v", err)
	}
}

// Invariant 2. The home centre and the auditors hear of a broken glass, once, however often the fact comes.
func TestABrokenGlassReachesTheHomeCentreAndTheAuditors(t *testing.T) {
	f := start(t)
	fact := &patientrecordv1.GlassBroken{
		Meta:    &commonv1.FactMeta{FactId: id.New(), County: county, OccurTime: timestamppb.Now(), Actor: &commonv1.Actor{OrganizationId: hospital}},
		GlassId: id.New(), PatientId: id.New(), HomeOrganizationId: centre, OrganizationId: hospital, Way: "BREAK_GLASS", Reason: "EMERGENCY",
	}
	payload, err := proto.Marshal(fact)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		m := bus.Msg{
			Subject: "record.v1." + county + ".glass_broken", ID: fact.GetMeta().GetFactId() + strconv.Itoa(i), Type: "tongzhen.patientrecord.v1.GlassBroken", Payload: payload,
		}
		if _, err := f.bus.Publish(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	told := []string{f.next("entry_created"), f.next("entry_created")}
	slices.Sort(told)
	want := []string{"account:" + id.FromFact("doctor"), "account:" + id.FromFact("auditor")}
	slices.Sort(want)
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	f.submitted(1) // the next facts are of this one: the second delivery told nobody
	list, err := f.client.ListNotifications(f.As(authn.Identity{
		Subject: id.FromFact("auditor"), Organization: "authority", County: county, Roles: []string{"AUDITOR"},
	}), &notificationv1.ListNotificationsRequest{})
	if err != nil || len(list.GetNotifications()) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	if n := list.GetNotifications()[0]; n.GetGlassId() != fact.GetGlassId() || n.GetReasonCode() != "EMERGENCY" || n.GetUrgency() != commonv1.Urgency_URGENT {
		t.Errorf("%v", n)
	}
}

// Invariant 18.
func TestAWithdrawalOfWhatIsSensitiveIsTold(t *testing.T) {
	f := start(t)
	fact := &patientrecordv1.ConsentWithdrawn{
		Meta: &commonv1.FactMeta{FactId: id.New(), County: county, OccurTime: timestamppb.Now(), Actor: &commonv1.Actor{OrganizationId: hospital}},
		Consent: &patientrecordv1.ConsentFact{
			ConsentId: id.New(), PatientId: id.New(), Scope: "SENSITIVE", OrganizationId: hospital, ReceiverOrganizationId: hospital, HolderOrganizationIds: []string{centre, hospital},
		},
	}
	payload, err := proto.Marshal(fact)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.bus.Publish(t.Context(), bus.Msg{
		Subject: "record.v1." + county + ".consent_withdrawn", ID: fact.GetMeta().GetFactId(), Type: "tongzhen.patientrecord.v1.ConsentWithdrawn", Payload: payload,
	}); err != nil {
		t.Fatal(err)
	}
	if told, want := f.next("entry_created"), "account:"+id.FromFact("doctor"); told != want {
		t.Errorf("told %q, want %q", told, want)
	}
	list, err := f.client.ListNotifications(f.as("doctor"), &notificationv1.ListNotificationsRequest{})
	if err != nil || len(list.GetNotifications()) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	n := list.GetNotifications()[0]
	if n.GetPatientId() != fact.GetConsent().GetPatientId() || n.GetReferralId() != "" || n.GetEvent() != "consent_withdrawn" || n.GetReasonCode() != "SENSITIVE" {
		t.Errorf("%v", n)
	}
}

// Invariant 2. Both sides of a referral hear that its consent was withdrawn, but for the one that took it down.
func TestAWithdrawnConsentReachesTheOtherSide(t *testing.T) {
	f := start(t)
	fact := &patientrecordv1.ConsentWithdrawn{
		Meta:    &commonv1.FactMeta{FactId: id.New(), County: county, OccurTime: timestamppb.Now(), Actor: &commonv1.Actor{OrganizationId: hospital}},
		Consent: &patientrecordv1.ConsentFact{ConsentId: id.New(), PatientId: id.New(), Scope: "REFERRAL", ReferralId: id.New(), OrganizationId: centre, ReceiverOrganizationId: hospital},
	}
	payload, err := proto.Marshal(fact)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		m := bus.Msg{
			Subject: "record.v1." + county + ".consent_withdrawn", ID: fact.GetMeta().GetFactId() + strconv.Itoa(i), Type: "tongzhen.patientrecord.v1.ConsentWithdrawn", Payload: payload,
		}
		if _, err := f.bus.Publish(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if told, want := f.next("entry_created"), "account:"+id.FromFact("doctor"); told != want {
		t.Errorf("told %q, want %q", told, want)
	}
	f.submitted(1) // the next fact is of this one: the second delivery told nobody
	list, err := f.client.ListNotifications(f.as("doctor"), &notificationv1.ListNotificationsRequest{})
	if err != nil || len(list.GetNotifications()) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	if n := list.GetNotifications()[0]; n.GetReferralId() != fact.GetConsent().GetReferralId() || n.GetEvent() != "consent_withdrawn" {
		t.Errorf("%v", n)
	}
}
