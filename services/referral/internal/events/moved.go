package events

import (
	"context"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Moves is the consumer of scheduling's facts about bookings that were moved.
func Moves() bus.Consumer {
	return bus.Consumer{Name: "referral-moved", Workers: 1, Subjects: []string{"scheduling.v1.*.booking_moved"}}
}

// OnMoved hands a fact to the use case. A hold of no referral concerns nobody here.
func OnMoved(s interface {
	BookingMoved(context.Context, app.BookingMove) error
}) func(context.Context, bus.Msg) error {
	return func(ctx context.Context, m bus.Msg) error {
		f := &schedulingv1.BookingMoved{}
		if err := read(m, f); err != nil {
			return err
		}
		c := f.GetCapacity()
		if c.GetReferralId() == "" {
			return nil
		}
		by := f.GetMeta().GetActor()
		return s.BookingMoved(ctx, app.BookingMove{
			County: f.GetMeta().GetCounty(), FactID: f.GetMeta().GetFactId(), ReferralID: c.GetReferralId(), Version: f.GetMeta().GetAggregateVersion(),
			Moving: domain.Moving{
				HoldID: c.GetHoldId(), BookingID: c.GetBookingId(), Expected: domain.Window{From: instant(c.GetStart()), To: instant(c.GetEnd())},
				Same: f.GetOldSlotId() == c.GetSlotId(), Reason: f.GetReasonCode(),
				By: domain.Actor{AccountID: by.GetAccountId(), OrganizationID: by.GetOrganizationId()},
			},
		})
	}
}
