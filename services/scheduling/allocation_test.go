package scheduling_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// doctor is one of another organisation.
func (f *fixture) doctor(organization string) authn.Identity {
	return authn.Identity{Subject: id.FromFact(organization, "doctor"), Organization: organization, County: county, Roles: []string{"TOWNSHIP_DOCTOR"}}
}

// refer publishes a fact of a referral of the fixture's patient to the fixture's department.
func (f *fixture) refer(event string, m func(*commonv1.FactMeta, *referralv1.ReferralFact) proto.Message, referral, sender string, version int32, change func(*referralv1.ReferralFact)) {
	f.t.Helper()
	meta := &commonv1.FactMeta{FactId: id.New(), County: county, AggregateId: referral, AggregateVersion: version, OccurTime: timestamppb.Now()}
	body := &referralv1.ReferralFact{
		ReferralId: referral, Number: "450321-26-0000001-1", State: referralv1.State_SUBMITTED, Direction: commonv1.Direction_UP,
		Kind: commonv1.Kind_OUTPATIENT, Urgency: commonv1.Urgency_URGENT, PatientId: f.patient, Originator: &commonv1.Party{OrganizationId: sender},
		Receiver: &commonv1.Party{OrganizationId: f.org, DepartmentCode: "0304"}, DueTime: timestamppb.New(clock.System().Now().Add(2 * time.Hour)),
	}
	if change != nil {
		change(body)
	}
	f.peer.mu.Lock()
	f.peer.cases[referral] = &referralv1.ReferralCase{Id: referral, Version: version, Number: body.GetNumber(), PatientId: body.GetPatientId(), State: body.GetState(),
		Direction: body.GetDirection(), Kind: body.GetKind(), Urgency: body.GetUrgency(), Originator: body.GetOriginator(), Receiver: body.GetReceiver(), DueTime: body.GetDueTime()}
	f.peer.mu.Unlock()
	f.publish(event, m(meta, body), meta.GetFactId())
}

func submitted(m *commonv1.FactMeta, r *referralv1.ReferralFact) proto.Message {
	return &referralv1.Submitted{Meta: m, Referral: r}
}

// A slot that is free goes to who waits, the referral is accepted with it, and the list, the day and the waiting times tell so; with the service's own
// worker, by its real methods and facts.
func TestAPlaceIsOfferedToWhoWaitsAndTheDayShowsWhoTookIt(t *testing.T) {
	t.Parallel()
	f := start(t)
	places := schedulingv1.NewAllocationServiceClient(f.Dial("gateway", "scheduling"))
	township, referral := id.New(), id.New()
	doctor, desk := f.As(f.doctor(township)), f.as("INTAKE_DESK")
	f.refer("submitted", submitted, referral, township, 2, nil)
	join := &schedulingv1.JoinWaitlistRequest{ReferralId: referral, Kind: "CLINIC", RequestId: id.New()}
	var entry *schedulingv1.WaitlistEntry
	f.eventually("the referral's fact", func() bool {
		var err error
		entry, err = places.JoinWaitlist(doctor, join)
		return err == nil
	})
	if entry.GetState() != schedulingv1.WaitlistState_WAITING || entry.GetPosition() != 1 || entry.GetUrgency() != commonv1.Urgency_URGENT || entry.GetSenderOrganizationId() != township {
		t.Fatalf("%v", entry)
	}
	slots := f.schedule()
	f.next("hold_attached")
	var offered schedulingv1.WaitlistOffered
	if err := proto.Unmarshal(f.next("waitlist_offered").Payload, &offered); err != nil {
		t.Fatal(err)
	}
	if offered.GetEntryId() != entry.GetId() || offered.GetCapacity().GetSlotId() != slots[0].GetId() || offered.GetCapacity().GetReferralId() != referral ||
		offered.GetCapacity().GetSenderOrganizationId() != township || !offered.GetCapacity().GetStart().AsTime().Equal(slots[0].GetStart().AsTime()) || offered.GetUntil() == nil {
		t.Errorf("%v", &offered)
	}
	list, err := places.ListWaitlist(desk, &schedulingv1.ListWaitlistRequest{ReferralId: referral})
	if err != nil || len(list.GetEntries()) != 1 || list.GetEntries()[0].GetHoldId() != offered.GetCapacity().GetHoldId() {
		t.Fatalf("%v, %v", list, err)
	}
	hold, err := f.client.GetHold(desk, &schedulingv1.GetHoldRequest{Id: offered.GetCapacity().GetHoldId()})
	if err != nil || !hold.GetOffered() || hold.GetState() != schedulingv1.HoldState_ATTACHED {
		t.Errorf("%v, %v", hold, err)
	}
	both, err := f.client.BatchGetHolds(desk, &schedulingv1.BatchGetHoldsRequest{Ids: []string{hold.GetId(), referral}})
	if err != nil || len(both.GetHolds()) != 1 || !proto.Equal(both.GetHolds()[0], hold) {
		t.Errorf("with others: %v, %v", both, err)
	}

	booking, err := f.referral.ConfirmHold(f.asService(), &schedulingv1.ConfirmHoldRequest{HoldId: hold.GetId(), ReferralId: referral, PatientId: f.patient,
		OriginatorOrganizationId: township})
	if err != nil {
		t.Fatal(err)
	}
	f.refer("accepted", func(m *commonv1.FactMeta, r *referralv1.ReferralFact) proto.Message {
		return &referralv1.Accepted{Meta: m, Referral: r}
	},
		referral, township, 3, func(r *referralv1.ReferralFact) { r.State, r.BookingId = referralv1.State_ACCEPTED, booking.GetId() })
	f.eventually("the entry to be placed", func() bool {
		list, err := places.ListWaitlist(doctor, &schedulingv1.ListWaitlistRequest{Ended: true})
		return err == nil && len(list.GetEntries()) == 1 && list.GetEntries()[0].GetState() == schedulingv1.WaitlistState_PLACED
	})
	day := slots[0].GetStart().AsTime().In(time.FixedZone("CST", 8*60*60)).Format(time.DateOnly)
	shown, err := places.ListDay(desk, &schedulingv1.ListDayRequest{OrganizationId: f.org, Date: day})
	if err != nil || len(shown.GetSessions()) != 1 || len(shown.GetSessions()[0].GetPatients()) != 1 {
		t.Fatalf("%v, %v", shown, err)
	}
	if p := shown.GetSessions()[0].GetPatients()[0]; p.GetReferralState() != "ACCEPTED" || p.GetBookingId() != booking.GetId() || p.GetReferralNumber() == "" || p.GetSenderOrganizationId() != township {
		t.Errorf("%v", p)
	}
	f.eventually("the waiting time", func() bool {
		times, err := places.ListWaitingTimes(doctor, &schedulingv1.ListWaitingTimesRequest{OrganizationId: f.org, Department: "0304"})
		return err == nil && len(times.GetWaitingTimes()) == 2 && times.GetWaitingTimes()[1].GetKind() == "CLINIC" && times.GetWaitingTimes()[1].GetFree() == 2 &&
			times.GetWaitingTimes()[1].GetDays() == -1 && times.GetWaitingTimes()[0].GetKind() == "BED" && times.GetWaitingTimes()[0].GetDays() == 0
	})
	found, err := places.FindSlots(doctor, &schedulingv1.FindSlotsRequest{OrganizationIds: []string{f.org}})
	if err != nil || len(found.GetSlots()) != 1 || found.GetSlots()[0].GetId() != slots[1].GetId() || !found.GetSlots()[0].GetFree() || found.GetSlots()[0].GetPool() != "COMMON" {
		t.Errorf("%v, %v", found, err)
	}
}

// eventually waits for what a worker does in its own time.
func (f *fixture) eventually(what string, done func() bool) {
	f.t.Helper()
	tick, end := time.NewTicker(50*time.Millisecond), time.NewTimer(20*time.Second)
	defer tick.Stop()
	defer end.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-end.C:
			f.t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestTheBoardIsShownAndChangedByTheMethodsOfTheContract(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.schedule()
	places := schedulingv1.NewAllocationServiceClient(f.Dial("gateway", "scheduling"))
	board, err := places.ListBoard(f.as("INTAKE_DESK"), &schedulingv1.ListBoardRequest{OrganizationId: f.org})
	if err != nil || len(board.GetWards()) != 1 {
		t.Fatalf("%v, %v", board, err)
	}
	w := board.GetWards()[0]
	if w.GetClass() != "GENERAL" || w.GetCleaningMinutes() != 60 || w.GetTotal() != 2 || w.GetFree() != 2 || w.GetBeds()[0].GetState() != schedulingv1.BedState_FREE {
		t.Errorf("%v", w)
	}
	set := &schedulingv1.SetWardRequest{Id: w.GetId(), Version: w.GetVersion(), Class: "MATERNITY", Sex: "FEMALE", CleaningMinutes: 90, RequestId: id.New()}
	for range 2 {
		if w, err = places.SetWard(f.as("BED_MANAGER"), set); err != nil || w.GetClass() != "MATERNITY" || w.GetSex() != "FEMALE" || w.GetCleaningMinutes() != 90 || w.GetVersion() != 2 {
			t.Errorf("%v, %v", w, err)
		}
	}
	set.RequestId = id.New()
	if _, err := places.SetWard(f.as("BED_MANAGER"), set); errs.ReasonOf(err) != errs.ReasonStaleVersion {
		t.Errorf("an old version: %v", err)
	}
	if _, err := places.SetWard(f.As(f.doctor(f.org)), set); errs.ReasonOf(err) != errs.ReasonRole {
		t.Errorf("a doctor: %v", err)
	}
	bed, err := places.SetBed(f.as("COUNTY_ADMIN"), &schedulingv1.SetBedRequest{Id: w.GetBeds()[0].GetId(), Version: 1, OutReason: "REPAIR"})
	if err != nil || bed.GetState() != schedulingv1.BedState_OUT_OF_SERVICE || bed.GetOutReason() != "REPAIR" {
		t.Errorf("%v, %v", bed, err)
	}
	held, err := f.client.CreateHold(f.as("INTAKE_DESK"), &schedulingv1.CreateHoldRequest{PatientId: f.patient, Bed: &schedulingv1.BedRequest{
		OrganizationId: f.org, DepartmentCode: "0304", Sex: "FEMALE", Class: "MATERNITY"}})
	if err != nil || held.GetBedId() != w.GetBeds()[1].GetId() {
		t.Errorf("%v, %v", held, err)
	}
}
