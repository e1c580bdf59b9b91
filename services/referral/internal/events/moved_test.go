package events_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/events"
)

type moves struct{ got []app.BookingMove }

func (m *moves) BookingMoved(_ context.Context, b app.BookingMove) error {
	m.got = append(m.got, b)
	return nil
}

func TestAMovedBookingIsHandedOn(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 25, 1, 0, 0, 0, time.UTC)
	fact := &schedulingv1.BookingMoved{
		Meta:      &commonv1.FactMeta{FactId: "f", County: "450321", AggregateId: "h", AggregateVersion: 4, Actor: &commonv1.Actor{AccountId: "a", OrganizationId: "o"}},
		Capacity:  &schedulingv1.CapacityFact{HoldId: "h", BookingId: "b", ReferralId: "r", SlotId: "new", Start: timestamppb.New(start), End: timestamppb.New(start.Add(time.Hour))},
		OldSlotId: "old", ReasonCode: "LEAVE",
	}
	m := &moves{}
	hand := func(f proto.Message) error {
		payload, err := proto.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		return events.OnMoved(m)(t.Context(), bus.Msg{Subject: "scheduling.v1.450321.booking_moved", ID: "f", Payload: payload})
	}
	if err := hand(fact); err != nil {
		t.Fatal(err)
	}
	if len(m.got) != 1 {
		t.Fatalf("%d calls", len(m.got))
	}
	got := m.got[0]
	if got.FactID != "f" || got.ReferralID != "r" || got.Version != 4 || got.HoldID != "h" || got.BookingID != "b" || got.Same || got.Reason != "LEAVE" ||
		!got.Expected.From.Equal(start) || !got.Expected.To.Equal(start.Add(time.Hour)) || got.By.AccountID != "a" || got.By.OrganizationID != "o" {
		t.Errorf("%+v", got)
	}
	fact.OldSlotId = "new"
	if err := hand(fact); err != nil || !m.got[1].Same {
		t.Errorf("the same place: %+v, %v", m.got[1], err)
	}
	fact.Capacity.ReferralId = ""
	if err := hand(fact); err != nil || len(m.got) != 2 {
		t.Errorf("a hold of no referral: %v", err)
	}
	fact.Capacity.ReferralId = "r"
	payload, err := proto.Marshal(&schedulingv1.SessionCancelled{Meta: fact.GetMeta(), Displaced: fact.GetCapacity(), ReasonCode: "LEAVE"})
	if err != nil {
		t.Fatal(err)
	}
	err = events.OnMoved(m)(t.Context(), bus.Msg{Subject: "scheduling.v1.450321.session_cancelled", ID: "f", Payload: payload})
	if err != nil || len(m.got) != 3 || !m.got[2].Displaced || m.got[2].BookingID != "b" || m.got[2].Reason != "LEAVE" {
		t.Errorf("displaced: %+v, %v", m.got, err)
	}
	if err := hand(&schedulingv1.BookingMoved{}); err == nil {
		t.Error("a fact without its names was taken")
	}
}
