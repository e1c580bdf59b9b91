package events_test

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/events"
)

// happened is an action on a booking that a township sends and the hospital has.
func happened(a domain.Action) app.Happened {
	start := time.Date(2026, 3, 25, 1, 0, 0, 0, time.UTC)
	return app.Happened{FactID: "f", Time: start.AddDate(0, 0, -1), By: app.Caller{County: "450321", AccountID: "a", OrganizationID: "hospital"}, CauseID: "c",
		Event: domain.Event{Action: a, OldSlotID: "old", OldStart: start.AddDate(0, 0, -2), SessionID: "session", ReasonCode: "LEAVE", Hold: domain.HoldData{
			County: "450321", ID: "h", Version: 4, ReaderOrganizationID: "township", ReferralID: "r", BookingID: "b",
			Place: domain.Place{SlotID: "new", OrganizationID: "hospital", DepartmentCode: "0304", Start: start, End: start.Add(time.Hour)},
		}}}
}

func decoded[M proto.Message](t *testing.T, h app.Happened, subject string, m M) M {
	t.Helper()
	fact, told, err := events.Encode(h)
	if err != nil || !told || fact.Subject != "scheduling.v1.450321."+subject || fact.ID != "f" || fact.County != "450321" ||
		fact.Type != string(m.ProtoReflect().Descriptor().FullName()) {
		t.Fatalf("%+v, %v, %v", fact, told, err)
	}
	if err := proto.Unmarshal(fact.Payload, m); err != nil {
		t.Fatal(err)
	}
	return m
}

func wantWhole(t *testing.T, what string, c *schedulingv1.CapacityFact) {
	t.Helper()
	if c.GetHoldId() != "h" || c.GetBookingId() != "b" || c.GetReferralId() != "r" || c.GetSlotId() != "new" || c.GetOrganizationId() != "hospital" ||
		c.GetDepartmentCode() != "0304" || c.GetStart().AsTime().Hour() != 1 || c.GetEnd().AsTime().Hour() != 2 || c.GetSenderOrganizationId() != "township" {
		t.Errorf("%s: %v", what, c)
	}
}

func TestEveryFactOfAHoldSaysWhereWhenAndWhoSends(t *testing.T) {
	t.Parallel()
	both := []string{"org:hospital", "org:township"}
	attached := decoded(t, happened(domain.Attach), "hold_attached", &schedulingv1.HoldAttached{})
	wantWhole(t, "attached", attached.GetCapacity())
	wantWhole(t, "confirmed", decoded(t, happened(domain.Confirm), "booking_confirmed", &schedulingv1.BookingConfirmed{}).GetCapacity())
	wantWhole(t, "freed", decoded(t, happened(domain.Free), "booking_released", &schedulingv1.BookingReleased{}).GetCapacity())
	moved := decoded(t, happened(domain.Move), "booking_moved", &schedulingv1.BookingMoved{})
	wantWhole(t, "moved", moved.GetCapacity())
	if moved.GetOldSlotId() != "old" || moved.GetOldStart().AsTime().Day() != 23 || moved.GetReasonCode() != "LEAVE" ||
		!slices.Equal(moved.GetMeta().GetAudience(), both) || moved.GetMeta().GetAggregateVersion() != 4 || moved.GetMeta().GetCauseId() != "c" {
		t.Errorf("%v", moved)
	}
	displaced := decoded(t, happened(domain.Displace), "session_cancelled", &schedulingv1.SessionCancelled{})
	wantWhole(t, "displaced", displaced.GetDisplaced())
	if displaced.GetSessionId() != "session" || displaced.GetReasonCode() != "LEAVE" || !slices.Equal(displaced.GetMeta().GetAudience(), both) {
		t.Errorf("%v", displaced)
	}
}

func TestTheHospitalsOwnAndBedsLeaveOutWhatTheyDoNotHave(t *testing.T) {
	t.Parallel()
	h := happened(domain.Attach)
	h.Event.Hold.ReaderOrganizationID = "hospital"
	h.Event.Hold.Place = domain.Place{BedID: "bed", OrganizationID: "hospital", Start: h.Event.Hold.Place.Start}
	m := decoded(t, h, "hold_attached", &schedulingv1.HoldAttached{})
	if c := m.GetCapacity(); c.GetSenderOrganizationId() != "" || c.GetEnd() != nil || c.GetBedId() != "bed" || !slices.Equal(m.GetMeta().GetAudience(), []string{"org:hospital"}) {
		t.Errorf("%v", m)
	}
	h.Event.Hold.ReferralID = ""
	if _, told, err := events.Encode(h); told || err != nil {
		t.Errorf("a hold of no referral is told: %v", err)
	}
	if _, told, err := events.Encode(happened(domain.Settle)); told || err != nil {
		t.Errorf("a settlement is told: %v", err)
	}
}

func TestTheEndOfASessionIsTold(t *testing.T) {
	t.Parallel()
	h := happened("")
	start := h.Event.Hold.Place.Start
	h.Event = domain.Event{}
	h.Cancelled = &app.SessionView{Session: domain.Session{ID: "session", OrganizationID: "hospital", DepartmentCode: "0304", Start: start}, Version: 2, ReasonCode: "LEAVE"}
	m := decoded(t, h, "session_cancelled", &schedulingv1.SessionCancelled{})
	if m.GetSessionId() != "session" || m.GetDisplaced() != nil || m.GetMeta().GetAggregateId() != "session" || m.GetMeta().GetAggregateVersion() != 3 ||
		!m.GetStart().AsTime().Equal(start) || m.GetOrganizationId() != "hospital" || m.GetReasonCode() != "LEAVE" {
		t.Errorf("%v", m)
	}
}
