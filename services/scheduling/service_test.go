package scheduling_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/internal/rpctest"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
	"github.com/tongzhen/tongzhen/services/scheduling"
)

const county = "450321"

// fixture is the running service between a broker, a database and its peers.
type fixture struct {
	*rpctest.Mesh
	t        *testing.T
	bus      bus.Bus
	client   schedulingv1.SchedulingServiceClient // of persons, by the gateway
	referral schedulingv1.SchedulingServiceClient
	peer     *peer
	facts    chan bus.Msg
	org      string
	patient  string
}

func start(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, Mesh: rpctest.New(t, slog.New(slog.DiscardHandler)), bus: bustest.Embedded(t), facts: make(chan bus.Msg, 100), org: id.New(), patient: id.New(),
		peer: &peer{cases: map[string]*referralv1.ReferralCase{}}}
	open := authz.Table{}
	for _, m := range referralv1.ReferralService_ServiceDesc.Methods {
		open["/"+referralv1.ReferralService_ServiceDesc.ServiceName+"/"+m.MethodName] = authz.Rule{Services: []string{"scheduling"}}
	}
	f.Serve("referral", open, func(r grpc.ServiceRegistrar) {
		referralv1.RegisterReferralServiceServer(r, f.peer)
	})
	s, err := scheduling.New(t.Context(), scheduling.Config{}, scheduling.Deps{
		DB: dbtest.SQLite(t, scheduling.Migrations()), Bus: f.bus, Peers: scheduling.Peers{Referral: f.Dial("scheduling", "referral")},
		Signer: f.Signer, Clock: clock.System(), Telemetry: telemetry.Discard(),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Serve("scheduling", s.Policy(), s.Register)
	f.Background(s.Run)
	bustest.Start(t, f.bus, bus.Consumer{Name: "test-scheduling", Subjects: []string{"scheduling.v1.>"}}, func(_ context.Context, m bus.Msg) error {
		f.facts <- m
		return nil
	})
	f.client = schedulingv1.NewSchedulingServiceClient(f.Dial("gateway", "scheduling"))
	f.referral = schedulingv1.NewSchedulingServiceClient(f.Dial("referral", "scheduling"))
	if err := s.Health(t.Context()); err != nil {
		t.Error(err)
	}
	return f
}

// peer is the referral service as far as it is asked: a referral is as its last fact says.
type peer struct {
	referralv1.UnimplementedReferralServiceServer
	mu    sync.Mutex
	cases map[string]*referralv1.ReferralCase
}

func (p *peer) GetCase(_ context.Context, r *referralv1.GetCaseRequest) (*referralv1.ReferralCase, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := p.cases[r.GetReferralId()]; ok {
		return c, nil
	}
	return nil, errs.ToStatus(errs.NotFound("referral")).Err()
}

// as is a context in which a person with the role calls.
func (f *fixture) as(role string) context.Context {
	f.t.Helper()
	return f.As(authn.Identity{Subject: id.FromFact(role), Organization: f.org, County: county, Roles: []string{role}})
}

func (f *fixture) asService() context.Context { return rpc.WithCounty(f.t.Context(), county) }

// schedule makes three slots within a day, so that what the reserve had of them is everybody's, and a ward of two beds.
func (f *fixture) schedule() []*schedulingv1.Slot {
	f.t.Helper()
	start := clock.System().Now().Add(20 * time.Hour)
	req := &schedulingv1.CreateSchedulesRequest{
		Schedules: []*schedulingv1.Schedule{{Id: id.New(), OrganizationId: f.org, DepartmentCode: "0304", Kind: "CLINIC", PractitionerName: "甲",
			Location: "门诊二楼", Start: timestamppb.New(start), End: timestamppb.New(start.Add(time.Hour)), SlotMinutes: 20}},
		Wards: []*schedulingv1.Ward{{Id: id.New(), OrganizationId: f.org, DepartmentCode: "0304", Name: "心内一病区", Beds: 2}},
	}
	for _, want := range []int32{3, 0} {
		made, err := f.client.CreateSchedules(f.as("BED_MANAGER"), req)
		if err != nil || made.GetSlotsCreated() != want {
			f.t.Fatalf("%v, %v", made, err)
		}
	}
	list, err := f.client.ListSlots(f.as("TOWNSHIP_DOCTOR"), &schedulingv1.ListSlotsRequest{OrganizationId: f.org, Department: "0304"})
	if err != nil || len(list.GetSlots()) != 3 {
		f.t.Fatalf("%v, %v", list, err)
	}
	return list.GetSlots()
}

func (f *fixture) hold(slot *schedulingv1.Slot) *schedulingv1.Hold {
	f.t.Helper()
	h, err := f.client.CreateHold(f.as("TOWNSHIP_DOCTOR"), &schedulingv1.CreateHoldRequest{RequestId: id.New(), SlotId: slot.GetId(), PatientId: f.patient})
	if err != nil || h.GetState() != schedulingv1.HoldState_HELD || h.GetPractitionerName() != "甲" || h.GetLocation() != "门诊二楼" {
		f.t.Fatalf("%v, %v", h, err)
	}
	return h
}

func (f *fixture) publish(event string, m proto.Message, factID string) {
	f.t.Helper()
	payload, err := proto.Marshal(m)
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.bus.Publish(f.t.Context(), bus.Msg{Subject: "referral.v1." + county + "." + event, ID: factID,
		Type: string(m.ProtoReflect().Descriptor().FullName()), Payload: payload}); err != nil {
		f.t.Fatal(err)
	}
}

// next waits for a fact of the service.
func (f *fixture) next(event string) bus.Msg {
	f.t.Helper()
	m := bustest.Receive(f.t, f.facts, "fact "+event)
	if want := "scheduling.v1." + county + "." + event; m.Subject != want {
		f.t.Fatalf("fact %s, want %s", m.Subject, want)
	}
	return m
}

func TestAHoldBecomesABookingThatAFactSettlesAndAnotherFrees(t *testing.T) {
	t.Parallel()
	f := start(t)
	slots := f.schedule()
	referral := id.New()
	attached, chosen := f.hold(slots[0]), f.hold(slots[1])
	tied, err := f.referral.AttachHold(f.asService(), &schedulingv1.AttachHoldRequest{County: county, HoldId: attached.GetId(), ReferralId: referral, PatientId: f.patient,
		KeepUntil: timestamppb.New(clock.System().Now().Add(48 * time.Hour))})
	if err != nil || tied.GetState() != schedulingv1.HoldState_ATTACHED || !tied.GetExpireTime().AsTime().Equal(slots[0].GetStart().AsTime()) {
		t.Fatalf("%v, %v", tied, err)
	}
	f.next("hold_attached")
	booking, err := f.referral.ConfirmHold(f.asService(), &schedulingv1.ConfirmHoldRequest{HoldId: chosen.GetId(), ReferralId: referral, PatientId: f.patient})
	if err != nil || booking.GetState() != schedulingv1.BookingState_UNSETTLED {
		t.Fatalf("%v, %v", booking, err)
	}
	f.next("booking_confirmed")
	list, err := f.client.ListSlots(f.as("INTAKE_DESK"), &schedulingv1.ListSlotsRequest{OrganizationId: f.org, FreeOnly: true, PageSize: 1})
	if err != nil || len(list.GetSlots()) != 1 || list.GetSlots()[0].GetId() != slots[2].GetId() || list.GetNextPageToken() != "" {
		t.Errorf("%v, %v", list, err)
	}

	fact := func() (*commonv1.FactMeta, *referralv1.ReferralFact) {
		return &commonv1.FactMeta{FactId: id.New(), County: county, OccurTime: timestamppb.Now()},
			&referralv1.ReferralFact{ReferralId: referral, BookingId: booking.GetId()}
	}
	meta, body := fact()
	f.publish("accepted", &referralv1.Accepted{Meta: meta, Referral: body}, meta.GetFactId())
	// The other hold is freed in the transaction that settles the booking.
	var released schedulingv1.BookingReleased
	if err := proto.Unmarshal(f.next("booking_released").Payload, &released); err != nil || released.GetCapacity().GetHoldId() != attached.GetId() ||
		released.GetMeta().GetAudience()[0] != "org:"+f.org || released.GetMeta().GetCauseId() != meta.GetFactId() {
		t.Errorf("%v, %v", &released, err)
	}
	now, err := f.client.GetBooking(f.as("TOWNSHIP_DOCTOR"), &schedulingv1.GetBookingRequest{Id: booking.GetId()})
	if err != nil || now.GetState() != schedulingv1.BookingState_LIVE || now.GetReferralId() != referral {
		t.Errorf("%v, %v", now, err)
	}
	// A message asks where and when.
	said, err := schedulingv1.NewSchedulingServiceClient(f.Dial("notification", "scheduling")).GetBooking(
		rpc.WithCounty(f.t.Context(), county), &schedulingv1.GetBookingRequest{Id: booking.GetId()})
	if err != nil || !proto.Equal(said, now) {
		t.Errorf("%v, %v", said, err)
	}
	live, err := schedulingv1.NewSchedulingServiceClient(f.Dial("cli", "scheduling")).ListLive(f.t.Context(), &schedulingv1.ListLiveRequest{County: county})
	if err != nil || len(live.GetBookings()) != 1 || len(live.GetHolds()) != 0 {
		t.Errorf("%v, %v", live, err)
	}

	meta, body = fact()
	f.publish("cancelled", &referralv1.Cancelled{Meta: meta, Referral: body}, meta.GetFactId())
	f.next("booking_released")
	if now, err = f.client.GetBooking(f.as("TOWNSHIP_DOCTOR"), &schedulingv1.GetBookingRequest{Id: booking.GetId()}); err != nil ||
		now.GetState() != schedulingv1.BookingState_RELEASED {
		t.Errorf("%v, %v", now, err)
	}
}

func TestABedIsHeldAndCounted(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.schedule()
	bed := &schedulingv1.BedRequest{OrganizationId: f.org, DepartmentCode: "0304"}
	for _, free := range []int32{2, 1, 0} {
		counts, err := f.client.ListBeds(f.as("INTAKE_DESK"), &schedulingv1.ListBedsRequest{OrganizationId: f.org})
		if err != nil || len(counts.GetBeds()) != 1 || counts.GetBeds()[0].GetFree() != free || counts.GetBeds()[0].GetTotal() != 2 {
			t.Fatalf("%v, %v", counts, err)
		}
		h, err := f.client.CreateHold(f.as("INTAKE_DESK"), &schedulingv1.CreateHoldRequest{PatientId: id.New(), Bed: bed})
		if free == 0 {
			if errs.ReasonOf(err) != errs.ReasonSlotTaken {
				t.Errorf("a third patient: %v", err)
			}
			continue
		}
		if err != nil || h.GetWard() != "心内一病区" || h.GetBed() == "" || h.GetSlotId() != "" {
			t.Fatalf("%v, %v", h, err)
		}
	}
}

func TestEachMethodAdmitsItsCallersOnly(t *testing.T) {
	t.Parallel()
	f := start(t)
	foreign := &schedulingv1.CreateSchedulesRequest{Wards: []*schedulingv1.Ward{{Id: id.New(), OrganizationId: id.New(), DepartmentCode: "0304", Name: "w", Beds: 1}}}
	tie := &schedulingv1.ConfirmHoldRequest{HoldId: id.New(), ReferralId: id.New()}
	for name, call := range map[string]func() error{
		"a doctor makes schedules": func() error {
			_, err := f.client.CreateSchedules(f.as("TOWNSHIP_DOCTOR"), &schedulingv1.CreateSchedulesRequest{})
			return err
		},
		"a bed manager makes another's": func() error { _, err := f.client.CreateSchedules(f.as("BED_MANAGER"), foreign); return err },
		"another county is named": func() error {
			_, err := f.client.CreateSchedules(f.as("COUNTY_ADMIN"), &schedulingv1.CreateSchedulesRequest{County: "450322"})
			return err
		},
		"a desk confirms": func() error { _, err := f.client.ConfirmHold(f.as("INTAKE_DESK"), tie); return err },
		"an auditor lists slots": func() error {
			_, err := f.client.ListSlots(f.as("AUDITOR"), &schedulingv1.ListSlotsRequest{OrganizationId: f.org})
			return err
		},
		"a county administrator holds": func() error {
			_, err := f.client.CreateHold(f.as("COUNTY_ADMIN"), &schedulingv1.CreateHoldRequest{})
			return err
		},
		"referral lists what is live": func() error {
			_, err := f.referral.ListLive(f.asService(), &schedulingv1.ListLiveRequest{})
			return err
		},
	} {
		if err := call(); errs.ReasonOf(err) != errs.ReasonRole {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.client.CreateSchedules(f.as("COUNTY_ADMIN"), foreign); err != nil {
		t.Errorf("a county administrator: %v", err)
	}
	if _, err := f.referral.ConfirmHold(f.asService(), tie); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("an unknown hold: %v", err)
	}
	if _, err := f.client.ListSlots(f.as("INTAKE_DESK"), &schedulingv1.ListSlotsRequest{OrganizationId: f.org, PageToken: "?"}); errs.KindOf(err) != errs.KindInvalid {
		t.Errorf("a page token of nobody: %v", err)
	}
}
