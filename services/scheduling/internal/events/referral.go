package events

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
)

// ReferralConsumer reads the facts of referrals that mean something for capacity.
func ReferralConsumer() bus.Consumer {
	c := bus.Consumer{Name: "scheduling-referral", Workers: 4}
	for _, event := range app.ReferralEvents() {
		c.Subjects = append(c.Subjects, "referral.v1.*."+event)
	}
	return c
}

// referralFact is what all facts of the referral service have in common.
type referralFact interface {
	proto.Message
	GetMeta() *commonv1.FactMeta
	GetReferral() *referralv1.ReferralFact
}

// OnReferral hands a fact to the use case. An unreadable one is an error: it ends as a dead letter.
func OnReferral(a *app.App) func(context.Context, bus.Msg) error {
	consumer := ReferralConsumer().Name
	return func(ctx context.Context, m bus.Msg) error {
		fact, err := decodeReferral(m)
		if err != nil {
			return fmt.Errorf("read fact %s: %w", m.ID, err)
		}
		event := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
		return a.OnReferral(ctx, app.ReferralFact{
			Consumer: consumer, FactID: fact.GetMeta().GetFactId(), County: fact.GetMeta().GetCounty(), Event: event,
			ReferralID: fact.GetReferral().GetReferralId(), HoldID: fact.GetReferral().GetHoldId(),
			ReasonCode: fact.GetReferral().GetReasonCode(),
			BookingID:  fact.GetReferral().GetBookingId(), FormerBookingID: fact.GetReferral().GetFormerBookingId(), DueTime: instant(fact.GetReferral().GetDueTime()),
			Case: caseOf(fact.GetMeta(), fact.GetReferral()),
		})
	}
}

func instant(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func decodeReferral(m bus.Msg) (referralFact, error) {
	t, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(m.Type))
	if err != nil {
		return nil, err
	}
	fact, ok := t.New().Interface().(referralFact)
	if !ok {
		return nil, fmt.Errorf("%s is no fact of a referral", m.Type)
	}
	if err := proto.Unmarshal(m.Payload, fact); err != nil {
		return nil, err
	}
	if fact.GetMeta().GetFactId() == "" || fact.GetMeta().GetCounty() == "" || fact.GetReferral().GetReferralId() == "" {
		return nil, fmt.Errorf("%s names no fact, county or referral", m.Type)
	}
	return fact, nil
}
