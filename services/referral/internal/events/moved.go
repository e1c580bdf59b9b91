package events

import (
	"context"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Moves is the consumer of scheduling's facts about bookings that were moved, or left without a place by the end of their session.
func Moves() bus.Consumer {
	return bus.Consumer{Name: "referral-moved", Workers: 1, Subjects: []string{"scheduling.v1.*.booking_moved", "scheduling.v1.*.session_cancelled"}}
}

// BookingMoves is what follows from them.
type BookingMoves interface {
	BookingMoved(ctx context.Context, m app.BookingMove) error
}

// OnMoved hands a fact to the use case. A hold of no referral concerns nobody here.
func OnMoved(s BookingMoves) func(context.Context, bus.Msg) error {
	return func(ctx context.Context, m bus.Msg) error {
		if strings.HasSuffix(m.Subject, ".session_cancelled") {
			f := &schedulingv1.SessionCancelled{}
			if err := read(m, f); err != nil {
				return err
			}
			return moved(ctx, s, f.GetMeta(), f.GetDisplaced(), domain.Moving{Displaced: true, Reason: f.GetReasonCode()})
		}
		f := &schedulingv1.BookingMoved{}
		if err := read(m, f); err != nil {
			return err
		}
		return moved(ctx, s, f.GetMeta(), f.GetCapacity(), domain.Moving{Same: f.GetOldSlotId() == f.GetCapacity().GetSlotId(), Reason: f.GetReasonCode()})
	}
}

func moved(ctx context.Context, s BookingMoves, meta *commonv1.FactMeta, c *schedulingv1.CapacityFact, how domain.Moving) error {
	if c.GetReferralId() == "" {
		return nil
	}
	how.HoldID, how.BookingID = c.GetHoldId(), c.GetBookingId()
	how.Expected = domain.Window{From: instant(c.GetStart()), To: instant(c.GetEnd())}
	how.By = domain.Actor{AccountID: meta.GetActor().GetAccountId(), OrganizationID: meta.GetActor().GetOrganizationId()}
	return s.BookingMoved(ctx, app.BookingMove{
		County: meta.GetCounty(), FactID: meta.GetFactId(), ReferralID: c.GetReferralId(), Version: meta.GetAggregateVersion(), Moving: how,
	})
}
