package services_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
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
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/rpctest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
	"github.com/tongzhen/tongzhen/services/notification"
	"github.com/tongzhen/tongzhen/services/referral"
)

// staff is the directory of places where a specialist works.
type staff struct {
	places
	directoryv1.UnimplementedRosterServiceServer
}

func (s staff) ListAccounts(context.Context, *directoryv1.ListAccountsRequest) (*directoryv1.ListAccountsResponse, error) {
	return &directoryv1.ListAccountsResponse{Accounts: []*directoryv1.Account{{Id: id.FromFact("SPECIALIST"), Version: 1, OrganizationId: s.hospital,
		DepartmentCode: "0304", Roles: []commonv1.Role_Code{commonv1.Role_SPECIALIST}}}}, nil
}

func (s staff) ListRosters(context.Context, *directoryv1.ListRostersRequest) (*directoryv1.ListRostersResponse, error) {
	return &directoryv1.ListRostersResponse{}, nil
}

// department is the two running services that urge it, by one clock that the test advances.
type department struct {
	*rpctest.Mesh
	staff
	t        *testing.T
	clock    *clock.Fixed
	bus      bus.Bus
	referral referralv1.ReferralServiceClient
	inbox    notificationv1.NotificationServiceClient
	facts    chan string
}

func openDepartment(t *testing.T) *department {
	t.Helper()
	d := &department{t: t, Mesh: rpctest.New(t, slog.New(slog.DiscardHandler)), bus: bustest.Embedded(t), clock: clock.NewFixed(clock.System().Now()),
		staff: staff{places: places{hospital: id.New(), township: id.New()}}, facts: make(chan string, 100)}
	open := authz.Table{}
	for _, desc := range []grpc.ServiceDesc{
		directoryv1.DirectoryService_ServiceDesc, directoryv1.RosterService_ServiceDesc, patientrecordv1.PatientRecordService_ServiceDesc,
	} {
		for _, m := range desc.Methods {
			open["/"+desc.ServiceName+"/"+m.MethodName] = authz.Rule{AnyPerson: true, Services: []string{"referral", "notification"}}
		}
	}
	for _, service := range []string{"directory", "patientrecord", "scheduling"} {
		d.Serve(service, open, func(r grpc.ServiceRegistrar) {
			directoryv1.RegisterDirectoryServiceServer(r, d.staff)
			directoryv1.RegisterRosterServiceServer(r, d.staff)
			patientrecordv1.RegisterPatientRecordServiceServer(r, d.staff)
		})
	}
	r, err := referral.New(t.Context(), referral.Config{}, referral.Deps{
		DB: dbtest.OpenClock(t, sqldb.SQLite, d.clock, referral.Migrations()), Bus: d.bus, Ring: crypt.TestRing(), Signer: d.Signer, Clock: d.clock, Telemetry: telemetry.Discard(),
		Peers: referral.Peers{Directory: d.Dial("referral", "directory"), PatientRecord: d.Dial("referral", "patientrecord"), Scheduling: d.Dial("referral", "scheduling")},
	})
	check(t, err)
	d.Serve("referral", r.Policy(), r.Register)
	n, err := notification.New(t.Context(), notification.Config{}, notification.Deps{
		DB: dbtest.OpenClock(t, sqldb.SQLite, d.clock, notification.Migrations()), Bus: d.bus, Cache: cache.Memory(d.clock), Ring: crypt.TestRing(), Signer: d.Signer,
		Clock: d.clock, Telemetry: telemetry.Discard(),
		Peers: notification.Peers{Directory: d.Dial("notification", "directory"), PatientRecord: d.Dial("notification", "patientrecord"),
			Referral: d.Dial("notification", "referral"), Scheduling: d.Dial("notification", "scheduling")},
	})
	check(t, err)
	d.Serve("notification", n.Policy(), n.Register)
	d.Background(r.Run)
	d.Background(n.Run)
	d.referral = referralv1.NewReferralServiceClient(d.Dial("gateway", "referral"))
	d.inbox = notificationv1.NewNotificationServiceClient(d.Dial("gateway", "notification"))
	bustest.Start(t, d.bus, bus.Consumer{Name: "test-inbox", Subjects: []string{"notification.v1.*.entry_created", "notification.v1.*.entry_acknowledged"}},
		func(_ context.Context, m bus.Msg) error {
			d.facts <- m.Subject
			return nil
		})
	return d
}

// as is a context in which a person with the role calls, at the organisation where it works.
func (d *department) as(role string) context.Context {
	who := authn.Identity{Subject: id.FromFact(role), Name: role, Organization: d.hospital, County: admissionCounty, Roles: []string{role}}
	if role == "TOWNSHIP_DOCTOR" {
		who.Organization = d.township
	}
	return d.As(who)
}

func (d *department) must(r *referralv1.Referral, err error) *referralv1.Referral {
	d.t.Helper()
	check(d.t, err)
	return r
}

// sent is a referral that the township sends up.
func (d *department) sent(patient string) *referralv1.Referral {
	d.t.Helper()
	return d.must(d.referral.CreateReferral(d.as("TOWNSHIP_DOCTOR"), &referralv1.CreateReferralRequest{
		RequestId: id.New(), PatientId: patient, Direction: commonv1.Direction_UP, Kind: commonv1.Kind_INPATIENT, Urgency: commonv1.Urgency_ROUTINE,
		Receiver: &commonv1.Party{OrganizationId: d.hospital, DepartmentCode: "0304"}, Diagnoses: []*commonv1.Coding{{Code: "I25.1"}},
		Form:    &referralv1.Form{InitialImpression: "胸闷", PresentIllness: "一周"},
		Consent: &referralv1.Consent{GivenBy: "本人", Relation: "0", Method: "SIGNED"}, Submit: true,
	}))
}

// improved is a patient whom the county is done with and who could go down.
func (d *department) improved() *referralv1.Referral {
	d.t.Helper()
	r, now := d.sent(id.New()), d.clock.Now()
	r = d.must(d.referral.Accept(d.as("INTAKE_DESK"), &referralv1.AcceptRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: id.New(),
		WalkIn: &referralv1.WalkIn{From: timestamppb.New(now), To: timestamppb.New(now.Add(24 * time.Hour))}}))
	r = d.must(d.referral.Arrive(d.as("INTAKE_DESK"), &referralv1.ActionRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: id.New()}))
	return d.must(d.referral.Conclude(d.as("SPECIALIST"), &referralv1.ConcludeRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: id.New(), OutcomeCode: "IMPROVED",
		Reply: &referralv1.Reply{Diagnosis: "冠心病", Treatment: "规范用药", NextSteps: "每月随访"}}))
}

// late are the open entries of the specialist about the limit of a decision.
func (d *department) late() int {
	d.t.Helper()
	list, err := d.inbox.ListNotifications(d.as("SPECIALIST"), &notificationv1.ListNotificationsRequest{PageSize: 100})
	check(d.t, err)
	n := 0
	for _, e := range list.GetNotifications() {
		if e.GetStep() == "DOWN_DECISION" && e.GetState() == notificationv1.NotificationState_OPEN {
			n++
		}
	}
	return n
}

// until takes what happens to entries until so many of the specialist's are open about the limit.
func (d *department) until(what string, open int) {
	d.t.Helper()
	for d.late() != open {
		bustest.Receive(d.t, d.facts, what)
	}
}

// The department is told that it is late, until the patient is sent up again; should that come to nothing, it is told of the new limit, as of a new one.
func TestNobodyIsUrgedToSendDownWhoIsSentUpAgain(t *testing.T) {
	t.Parallel()
	d := openDepartment(t)
	first := d.improved()
	d.clock.Advance(73 * time.Hour)
	d.until("notice that the decision is late", 1)
	d.clock.Advance(time.Minute)
	again := d.sent(first.GetPatientId())
	d.until("end of what was told", 0)
	d.must(d.referral.Cancel(d.as("TOWNSHIP_DOCTOR"), &referralv1.ReasonRequest{Id: again.GetId(), Version: again.GetVersion(), RequestId: id.New(), ReasonCode: "PATIENT_DECLINED"}))
	d.clock.Advance(73 * time.Hour)
	d.until("notice that the decision is late again", 1)
	told, err := d.inbox.ListTold(d.as("SPECIALIST"), &notificationv1.ListToldRequest{ReferralId: first.GetId(), PageSize: 100})
	check(t, err)
	if all := slices.DeleteFunc(told.GetNotifications(), func(n *notificationv1.Notification) bool { return n.GetStep() != "DOWN_DECISION" || n.GetLevel() != 1 }); len(all) != 2 {
		t.Errorf("told %d times of the first rung", len(all))
	}
}
