// Package events is scheduling's side of the stream: what happened to a hold as a fact, and facts of the referral
// service as use cases.
package events

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Encode makes the fact of what happened to a hold. A hold that was never tied to a referral is nobody's news.
func Encode(h app.Happened) (outbox.Fact, bool, error) {
	if h.Entry.Action != "" {
		return encodeEntry(h)
	}
	d := h.Event.Hold
	meta := &commonv1.FactMeta{
		FactId: h.FactID, County: d.County, AggregateId: d.ID, AggregateVersion: d.Version,
		OccurTime: timestamppb.New(h.Time), CauseId: h.CauseID,
		Actor:    &commonv1.Actor{AccountId: h.By.AccountID, OrganizationId: h.By.OrganizationID},
		Audience: []string{"org:" + d.Place.OrganizationID},
	}
	capacity := capacityOf(d)
	if capacity.GetSenderOrganizationId() != "" {
		meta.Audience = append(meta.Audience, "org:"+capacity.GetSenderOrganizationId())
	}
	var name string
	var m proto.Message
	switch h.Event.Action {
	case domain.Attach:
		name, m = "hold_attached", &schedulingv1.HoldAttached{Meta: meta, Capacity: capacity}
	case domain.Confirm:
		name, m = "booking_confirmed", &schedulingv1.BookingConfirmed{Meta: meta, Capacity: capacity}
	case domain.Free, domain.Expire:
		if d.ReferralID == "" {
			return outbox.Fact{}, false, nil
		}
		name, m = "booking_released", &schedulingv1.BookingReleased{Meta: meta, Capacity: capacity}
	default:
		return outbox.Fact{}, false, nil
	}
	return envelope(h, d.County, name, m)
}

func envelope(h app.Happened, county, name string, m proto.Message) (outbox.Fact, bool, error) {
	payload, err := proto.Marshal(m)
	if err != nil {
		return outbox.Fact{}, false, fmt.Errorf("encode %s: %w", name, err)
	}
	return outbox.Fact{ID: h.FactID, County: county, Subject: "scheduling.v1." + county + "." + name,
		Type: string(m.ProtoReflect().Descriptor().FullName()), Payload: payload, OccurTime: h.Time}, true, nil
}

// capacityOf names what a hold takes. The sender is known when it took the hold itself, or once its referral was confirmed.
func capacityOf(d domain.HoldData) *schedulingv1.CapacityFact {
	out := &schedulingv1.CapacityFact{
		HoldId: d.ID, BookingId: d.BookingID, ReferralId: d.ReferralID, SlotId: d.Place.SlotID, BedId: d.Place.BedID,
		OrganizationId: d.Place.OrganizationID, DepartmentCode: d.Place.DepartmentCode, Start: stamp(d.Place.Start), End: stamp(d.Place.End),
	}
	if d.ReaderOrganizationID != d.Place.OrganizationID {
		out.SenderOrganizationId = d.ReaderOrganizationID
	}
	return out
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
