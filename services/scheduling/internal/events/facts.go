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

// Encode makes the fact of what happened to a hold, or of the end of a session. A hold that was never tied to a referral is nobody's news.
func Encode(h app.Happened) (outbox.Fact, bool, error) {
	switch {
	case h.Cancelled != nil:
		return encode(h, cancelled(h))
	case h.Entry.Action != "":
		return encode(h, ofEntry(h))
	}
	d := h.Event.Hold
	if d.ReferralID == "" {
		return outbox.Fact{}, false, nil
	}
	return encode(h, ofHold(h))
}

// named is a fact and its event's name; the empty one is nobody's news.
type named struct {
	name string
	proto.Message
}

func encode(h app.Happened, n named) (outbox.Fact, bool, error) {
	if n.name == "" {
		return outbox.Fact{}, false, nil
	}
	payload, err := proto.Marshal(n.Message)
	if err != nil {
		return outbox.Fact{}, false, fmt.Errorf("encode %s: %w", n.name, err)
	}
	county := h.By.County
	return outbox.Fact{ID: h.FactID, County: county, Subject: "scheduling.v1." + county + "." + n.name,
		Type: string(n.ProtoReflect().Descriptor().FullName()), Payload: payload, OccurTime: h.Time}, true, nil
}

func meta(h app.Happened, aggregateID string, version int32, organizations ...string) *commonv1.FactMeta {
	m := &commonv1.FactMeta{
		FactId: h.FactID, County: h.By.County, AggregateId: aggregateID, AggregateVersion: version,
		OccurTime: timestamppb.New(h.Time), CauseId: h.CauseID,
		Actor: &commonv1.Actor{AccountId: h.By.AccountID, OrganizationId: h.By.OrganizationID},
	}
	for _, organization := range organizations {
		if organization != "" {
			m.Audience = append(m.Audience, "org:"+organization)
		}
	}
	return m
}

// sender is the organisation that sends the patient, as far as it is known.
func sender(d domain.HoldData) string {
	if d.ReaderOrganizationID == d.Place.OrganizationID {
		return ""
	}
	return d.ReaderOrganizationID
}

func capacity(d domain.HoldData) *schedulingv1.CapacityFact {
	return &schedulingv1.CapacityFact{
		HoldId: d.ID, BookingId: d.BookingID, ReferralId: d.ReferralID, SlotId: d.Place.SlotID, BedId: d.Place.BedID,
		OrganizationId: d.Place.OrganizationID, DepartmentCode: d.Place.DepartmentCode, Start: stamp(d.Place.Start), End: stamp(d.Place.End),
		SenderOrganizationId: sender(d),
	}
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func ofHold(h app.Happened) named {
	d := h.Event.Hold
	m, c := meta(h, d.ID, d.Version, d.Place.OrganizationID, sender(d)), capacity(d)
	switch h.Event.Action {
	case domain.Attach:
		return named{"hold_attached", &schedulingv1.HoldAttached{Meta: m, Capacity: c}}
	case domain.Confirm:
		return named{"booking_confirmed", &schedulingv1.BookingConfirmed{Meta: m, Capacity: c}}
	case domain.Free, domain.Expire:
		return named{"booking_released", &schedulingv1.BookingReleased{Meta: m, Capacity: c}}
	case domain.Move:
		return named{"booking_moved", &schedulingv1.BookingMoved{Meta: m, Capacity: c, OldSlotId: h.Event.OldSlotID,
			OldStart: timestamppb.New(h.Event.OldStart), ReasonCode: h.Event.ReasonCode}}
	case domain.Displace:
		return named{"session_cancelled", &schedulingv1.SessionCancelled{Meta: m, SessionId: h.Event.SessionID, OrganizationId: d.Place.OrganizationID,
			DepartmentCode: d.Place.DepartmentCode, Start: timestamppb.New(d.Place.Start), ReasonCode: h.Event.ReasonCode, Displaced: c}}
	default:
		return named{}
	}
}

func cancelled(h app.Happened) named {
	s := h.Cancelled
	return named{"session_cancelled", &schedulingv1.SessionCancelled{Meta: meta(h, s.ID, s.Version+1, s.OrganizationID), SessionId: s.ID,
		OrganizationId: s.OrganizationID, DepartmentCode: s.DepartmentCode, Start: timestamppb.New(s.Start), ReasonCode: s.ReasonCode}}
}
