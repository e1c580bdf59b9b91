// Package events is notification's side of the stream: what happened to an entry as a fact, and facts of the referral
// and directory services as use cases.
package events

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Encode makes the fact of what happened to an entry, for the one person whose entry it is.
func Encode(h app.Happened) (outbox.Fact, error) {
	if h.Alarm != nil {
		return encodeAlarm(h)
	}
	if h.Failed != nil {
		return failed(h)
	}
	d := h.Entry
	meta := &commonv1.FactMeta{
		FactId: h.FactID, County: d.County, AggregateId: d.ID, AggregateVersion: d.Version(),
		OccurTime: timestamppb.New(h.Time), CauseId: h.CauseID,
		Actor:    &commonv1.Actor{AccountId: h.By.AccountID, OrganizationId: h.By.OrganizationID},
		Audience: []string{"account:" + d.AccountID},
	}
	entry := &notificationv1.EntryFact{NotificationId: d.ID, AccountId: d.AccountID, ReferralId: d.ReferralID, Urgency: commonv1.Urgency_Code(commonv1.Urgency_Code_value[d.Urgency])}
	name, m := "entry_acknowledged", proto.Message(&notificationv1.EntryAcknowledged{Meta: meta, Entry: entry})
	if h.Created {
		name, m = "entry_created", &notificationv1.EntryCreated{Meta: meta, Entry: entry}
	}
	return fact(h, meta, name, m)
}

// encodeAlarm makes the fact of a ring or of an end, for those at whom the alarm rang.
func encodeAlarm(h app.Happened) (outbox.Fact, error) {
	d := h.Alarm.Alarm
	meta := &commonv1.FactMeta{
		FactId: h.FactID, County: d.County, AggregateId: d.ID, AggregateVersion: d.Version(), OccurTime: timestamppb.New(h.Time), CauseId: h.CauseID,
		Actor: &commonv1.Actor{AccountId: h.By.AccountID, OrganizationId: h.By.OrganizationID},
	}
	for _, account := range h.Alarm.Accounts {
		meta.Audience = append(meta.Audience, "account:"+account)
	}
	if h.Alarm.Rang {
		return fact(h, meta, domain.AlarmRang, &notificationv1.AlarmRang{
			Meta: meta, AlarmId: d.ID, ReferralId: d.About.ReferralID, Rings: int32(d.Rings),
		})
	}
	return fact(h, meta, "alarm_acknowledged", &notificationv1.AlarmAcknowledged{Meta: meta, AlarmId: d.ID, ReferralId: d.About.ReferralID})
}

func fact(h app.Happened, meta *commonv1.FactMeta, name string, m proto.Message) (outbox.Fact, error) {
	payload, err := proto.Marshal(m)
	if err != nil {
		return outbox.Fact{}, fmt.Errorf("encode %s: %w", name, err)
	}
	return outbox.Fact{ID: h.FactID, County: meta.GetCounty(), Subject: "notification.v1." + meta.GetCounty() + "." + name,
		Type: string(m.ProtoReflect().Descriptor().FullName()), Payload: payload, OccurTime: h.Time}, nil
}

// failed is the fact of a message that was given up, for the person it was to reach, if it was one.
func failed(h app.Happened) (outbox.Fact, error) {
	d := h.Failed
	m := &notificationv1.DeliveryFailed{
		Meta: &commonv1.FactMeta{
			FactId: h.FactID, County: d.County, AggregateId: d.ID, AggregateVersion: int32(d.AttemptCount), OccurTime: timestamppb.New(h.Time), CauseId: h.CauseID,
			Actor: &commonv1.Actor{AccountId: h.By.AccountID},
		},
		DeliveryId: d.ID, Channel: d.Channel, AccountId: d.AccountID, ReferralId: d.ReferralID,
	}
	if d.AccountID != "" {
		m.Meta.Audience = []string{"account:" + d.AccountID}
	}
	payload, err := proto.Marshal(m)
	if err != nil {
		return outbox.Fact{}, fmt.Errorf("encode delivery_failed: %w", err)
	}
	return outbox.Fact{ID: h.FactID, County: d.County, Subject: "notification.v1." + d.County + ".delivery_failed",
		Type: string(m.ProtoReflect().Descriptor().FullName()), Payload: payload, OccurTime: h.Time}, nil
}
