package services_test

import (
	"context"
	"log/slog"
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
	"github.com/tongzhen/tongzhen/services/internal/rpctest"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
	"github.com/tongzhen/tongzhen/services/referral"
	"github.com/tongzhen/tongzhen/services/scheduling"
)

const admissionCounty = "450321"

// places are the organisations of this county, and patients whom everybody may send.
type places struct {
	directoryv1.UnimplementedDirectoryServiceServer
	patientrecordv1.UnimplementedPatientRecordServiceServer
	hospital, township string
}

func (p places) GetOrganization(_ context.Context, in *directoryv1.GetOrganizationRequest) (*directoryv1.Organization, error) {
	o := &directoryv1.Organization{Id: p.hospital, County: admissionCounty, Version: 1, Name: "县医院", Type: directoryv1.OrganizationType_COUNTY_HOSPITAL}
	if in.GetId() == p.township {
		o.Id, o.Type = p.township, directoryv1.OrganizationType_TOWNSHIP_CENTRE
	}
	return o, nil
}

func (p places) ListOrganizations(ctx context.Context, _ *directoryv1.ListOrganizationsRequest) (*directoryv1.ListOrganizationsResponse, error) {
	hospital, err := p.GetOrganization(ctx, &directoryv1.GetOrganizationRequest{})
	return &directoryv1.ListOrganizationsResponse{Organizations: []*directoryv1.Organization{hospital}}, err
}

func (p places) ListDepartments(context.Context, *directoryv1.ListDepartmentsRequest) (*directoryv1.ListDepartmentsResponse, error) {
	return &directoryv1.ListDepartmentsResponse{Departments: []*directoryv1.Department{{OrganizationId: p.hospital, Code: "0304", Name: "心血管内科"}}}, nil
}

func (p places) GetSnapshot(_ context.Context, in *patientrecordv1.GetSnapshotRequest) (*patientrecordv1.PatientSnapshot, error) {
	return &patientrecordv1.PatientSnapshot{PatientId: in.GetPatientId(), Name: "莫住院", Sex: commonv1.Sex_MALE, BirthDate: "1956-03-12"}, nil
}

// ward is the two running services that an admission goes through, with the events of both.
type ward struct {
	*rpctest.Mesh
	places
	t        *testing.T
	bus      bus.Bus
	referral referralv1.ReferralServiceClient
	holds    schedulingv1.SchedulingServiceClient
	board    schedulingv1.AllocationServiceClient
	released chan string // bookings
	start    time.Time   // of the clinic
}

func openWard(t *testing.T) *ward {
	t.Helper()
	w := &ward{t: t, Mesh: rpctest.New(t, slog.New(slog.DiscardHandler)), bus: bustest.Embedded(t), places: places{hospital: id.New(), township: id.New()},
		released: make(chan string, 100), start: clock.System().Now().Add(20 * time.Hour)}
	open := authz.Table{}
	for _, desc := range []grpc.ServiceDesc{directoryv1.DirectoryService_ServiceDesc, patientrecordv1.PatientRecordService_ServiceDesc} {
		for _, m := range desc.Methods {
			open["/"+desc.ServiceName+"/"+m.MethodName] = authz.Rule{AnyPerson: true, Services: []string{"referral"}}
		}
	}
	for _, service := range []string{"directory", "patientrecord"} {
		w.Serve(service, open, func(r grpc.ServiceRegistrar) {
			directoryv1.RegisterDirectoryServiceServer(r, w.places)
			patientrecordv1.RegisterPatientRecordServiceServer(r, w.places)
		})
	}
	s, err := scheduling.New(t.Context(), scheduling.Config{}, scheduling.Deps{
		DB: dbtest.SQLite(t, scheduling.Migrations()), Bus: w.bus, Peers: scheduling.Peers{Referral: w.Dial("scheduling", "referral")},
		Signer: w.Signer, Clock: clock.System(), Telemetry: telemetry.Discard(),
	})
	check(t, err)
	w.Serve("scheduling", s.Policy(), s.Register)
	r, err := referral.New(t.Context(), referral.Config{}, referral.Deps{
		DB: dbtest.SQLite(t, referral.Migrations()), Bus: w.bus, Ring: crypt.TestRing(), Signer: w.Signer, Clock: clock.System(), Telemetry: telemetry.Discard(),
		Peers: referral.Peers{Directory: w.Dial("referral", "directory"), PatientRecord: w.Dial("referral", "patientrecord"), Scheduling: w.Dial("referral", "scheduling")},
	})
	check(t, err)
	w.Serve("referral", r.Policy(), r.Register)
	w.Background(s.Run)
	w.Background(r.Run)
	bustest.Start(t, w.bus, bus.Consumer{Name: "test-released", Subjects: []string{"scheduling.v1.*.booking_released"}}, func(_ context.Context, m bus.Msg) error {
		var f schedulingv1.BookingReleased
		if err := proto.Unmarshal(m.Payload, &f); err != nil {
			return err
		}
		w.released <- f.GetCapacity().GetBookingId()
		return nil
	})
	w.referral = referralv1.NewReferralServiceClient(w.Dial("gateway", "referral"))
	w.holds = schedulingv1.NewSchedulingServiceClient(w.Dial("gateway", "scheduling"))
	w.board = schedulingv1.NewAllocationServiceClient(w.Dial("gateway", "scheduling"))
	_, err = w.holds.CreateSchedules(w.as("BED_MANAGER"), &schedulingv1.CreateSchedulesRequest{
		Schedules: []*schedulingv1.Schedule{{Id: id.New(), OrganizationId: w.hospital, DepartmentCode: "0304", Kind: "CLINIC", PractitionerName: "甲",
			Start: timestamppb.New(w.start), End: timestamppb.New(w.start.Add(time.Hour)), SlotMinutes: 20}},
		Wards: []*schedulingv1.Ward{{Id: id.New(), OrganizationId: w.hospital, DepartmentCode: "0304", Name: "心内一病区", Beds: 1}},
	})
	check(t, err)
	return w
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// as is a context in which a person with the role calls, at the organisation where it works.
func (w *ward) as(role string) context.Context {
	organization := w.hospital
	if role == "TOWNSHIP_DOCTOR" {
		organization = w.township
	}
	return w.As(authn.Identity{Subject: id.FromFact(role), Name: role, Organization: organization, County: admissionCounty, Roles: []string{role}})
}

func (w *ward) must(r *referralv1.Referral, err error) *referralv1.Referral {
	w.t.Helper()
	check(w.t, err)
	return r
}

// came is a patient who arrived for a clinic slot that the desk booked.
func (w *ward) came() *referralv1.Referral {
	w.t.Helper()
	patient := id.New()
	slots, err := w.holds.ListSlots(w.as("TOWNSHIP_DOCTOR"), &schedulingv1.ListSlotsRequest{OrganizationId: w.hospital, Department: "0304", FreeOnly: true})
	check(w.t, err)
	hold, err := w.holds.CreateHold(w.as("TOWNSHIP_DOCTOR"), &schedulingv1.CreateHoldRequest{RequestId: id.New(), PatientId: patient, SlotId: slots.GetSlots()[0].GetId()})
	check(w.t, err)
	r := w.must(w.referral.CreateReferral(w.as("TOWNSHIP_DOCTOR"), &referralv1.CreateReferralRequest{
		RequestId: id.New(), PatientId: patient, Direction: commonv1.Direction_UP, Kind: commonv1.Kind_OUTPATIENT, Urgency: commonv1.Urgency_URGENT,
		Receiver: &commonv1.Party{OrganizationId: w.hospital, DepartmentCode: "0304"}, Diagnoses: []*commonv1.Coding{{Code: "I20.0"}},
		Form:    &referralv1.Form{InitialImpression: "胸痛", PresentIllness: "一天"},
		Consent: &referralv1.Consent{GivenBy: "家属", Relation: "2", Method: "SIGNED"}, Submit: true, HoldId: hold.GetId(),
	}))
	r = w.must(w.referral.Accept(w.as("INTAKE_DESK"), &referralv1.AcceptRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: id.New(), HoldId: hold.GetId()}))
	return w.must(w.referral.Arrive(w.as("INTAKE_DESK"), &referralv1.ActionRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: id.New()}))
}

// bed is the only one of the ward.
func (w *ward) bed() *schedulingv1.BoardBed {
	w.t.Helper()
	board, err := w.board.ListBoard(w.as("INTAKE_DESK"), &schedulingv1.ListBoardRequest{OrganizationId: w.hospital})
	check(w.t, err)
	return board.GetWards()[0].GetBeds()[0]
}

func (w *ward) cleaned() {
	w.t.Helper()
	b := w.bed()
	_, err := w.board.SetBed(w.as("BED_MANAGER"), &schedulingv1.SetBedRequest{RequestId: id.New(), Id: b.GetId(), Version: b.GetVersion(), InService: true, Cleaned: true})
	check(w.t, err)
}

func (w *ward) lay(r *referralv1.Referral) (*schedulingv1.Hold, error) {
	return w.holds.CreateHold(w.as("INTAKE_DESK"), &schedulingv1.CreateHoldRequest{
		RequestId: id.New(), PatientId: r.GetPatientId(), ReferralId: r.GetId(), Bed: &schedulingv1.BedRequest{OrganizationId: w.hospital, BedId: w.bed().GetId()},
	})
}

// admit takes the patient to the bed, by a request that is sent twice.
func (w *ward) admit(r *referralv1.Referral) *referralv1.Referral {
	w.t.Helper()
	hold, err := w.lay(r)
	check(w.t, err)
	request := &referralv1.AdmitRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: id.New(), HoldId: hold.GetId()}
	first := w.must(w.referral.Admit(w.as("INTAKE_DESK"), request))
	again := w.must(w.referral.Admit(w.as("INTAKE_DESK"), request))
	if first.GetState() != referralv1.State_ADMITTED || first.GetBookingId() == r.GetBookingId() || !proto.Equal(first, again) {
		w.t.Errorf("%s with booking %s, and by the same request again %s with %s", first.GetState(), first.GetBookingId(), again.GetState(), again.GetBookingId())
	}
	w.isFree(r.GetBookingId()) // the slot
	return first
}

// isFree waits until a booking is released.
func (w *ward) isFree(booking string) {
	w.t.Helper()
	if got := bustest.Receive(w.t, w.released, "release of a booking"); got != booking {
		w.t.Fatalf("booking %s is free, want %s", got, booking)
	}
}

func (w *ward) discharged(r *referralv1.Referral, end time.Time) {
	w.t.Helper()
	fact := &patientrecordv1.EncounterClosed{
		Meta: &commonv1.FactMeta{FactId: id.New(), County: admissionCounty, AggregateVersion: 1, OccurTime: timestamppb.New(end)},
		Encounter: &patientrecordv1.EncounterFact{EncounterId: id.New(), PatientId: r.GetPatientId(), OrganizationId: w.hospital, DepartmentCode: "0304", Class: "IMP",
			StartTime: r.GetArriveTime(), EndTime: timestamppb.New(end)},
	}
	payload, err := proto.Marshal(fact)
	check(w.t, err)
	_, err = w.bus.Publish(w.t.Context(), bus.Msg{Subject: "record.v1." + admissionCounty + ".encounter_closed", ID: fact.GetMeta().GetFactId(),
		Type: string(fact.ProtoReflect().Descriptor().FullName()), Payload: payload})
	check(w.t, err)
}

// One bed and two patients: it is whose the referral says, and nobody else's; who was admitted from a clinic stays on its day.
func TestABedIsWhoseTheReferralSays(t *testing.T) {
	t.Parallel()
	w := openWard(t)
	first, second := w.came(), w.came()
	first = w.admit(first)

	if _, err := w.lay(second); errs.ReasonOf(err) != errs.ReasonSlotTaken {
		t.Errorf("a bed in which somebody lies: %v", err)
	}
	day, err := w.board.ListDay(w.as("INTAKE_DESK"), &schedulingv1.ListDayRequest{
		OrganizationId: w.hospital, Date: w.start.In(time.FixedZone("Asia/Shanghai", 8*60*60)).Format(time.DateOnly),
	})
	check(t, err)
	there := map[string]string{}
	for _, p := range day.GetSessions()[0].GetPatients() {
		there[p.GetReferralId()] = p.GetReferralState()
	}
	if len(there) != 2 || there[first.GetId()] != "ADMITTED" {
		t.Errorf("the clinic's day has %v", there)
	}

	// The hospital's system is faster than the reply: the bed is the next patient's, and stays so when the reply comes.
	w.discharged(first, time.Now())
	w.isFree(first.GetBookingId())
	w.cleaned()
	second = w.admit(second)
	first = w.must(w.referral.GetReferral(w.as("INTAKE_DESK"), &referralv1.GetReferralRequest{Id: first.GetId()}))
	w.must(w.referral.Conclude(w.as("SPECIALIST"), &referralv1.ConcludeRequest{Id: first.GetId(), Version: first.GetVersion(), RequestId: id.New(), OutcomeCode: "IMPROVED",
		Reply: &referralv1.Reply{Diagnosis: "心绞痛", Treatment: "扩冠", NextSteps: "复诊"}}))
	second = w.must(w.referral.UndoAdmit(w.as("INTAKE_DESK"), &referralv1.ReasonRequest{Id: second.GetId(), Version: second.GetVersion(), RequestId: id.New(), ReasonCode: "PATIENT_LEFT"}))
	if second.GetBookingId() != "" {
		t.Errorf("an admission that is undone still has booking %s", second.GetBookingId())
	}
	// The next release is that of the second patient's bed: the reply to the first has freed nothing more.
	if got := bustest.Receive(t, w.released, "release of the bed"); got == first.GetBookingId() {
		t.Error("the bed of who was discharged is freed again")
	}
	// Who did not stay may have lain in it.
	if b := w.bed(); b.GetState() != schedulingv1.BedState_CLEANING {
		t.Errorf("the bed is %s", b.GetState())
	}
}

// A bed that is lost between the hold and the admission changes nothing: the patient is where they were, and the next bed can be taken.
func TestAnAdmissionWhoseBedIsLostChangesNothing(t *testing.T) {
	t.Parallel()
	w := openWard(t)
	r := w.came()
	hold, err := w.lay(r)
	check(t, err)
	_, err = w.holds.ReleaseHold(w.as("INTAKE_DESK"), &schedulingv1.ReleaseHoldRequest{Id: hold.GetId()})
	check(t, err)
	request := &referralv1.AdmitRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: id.New(), HoldId: hold.GetId()}
	for range 2 {
		if _, err = w.referral.Admit(w.as("INTAKE_DESK"), request); errs.KindOf(err) != errs.KindConflict {
			t.Fatalf("admitted to a bed that is gone: %v", err)
		}
	}
	now := w.must(w.referral.GetReferral(w.as("INTAKE_DESK"), &referralv1.GetReferralRequest{Id: r.GetId()}))
	if now.GetState() != referralv1.State_ARRIVED || now.GetVersion() != r.GetVersion() || now.GetBookingId() != r.GetBookingId() {
		t.Errorf("%s, version %d, booking %s", now.GetState(), now.GetVersion(), now.GetBookingId())
	}
	w.admit(now)
}
