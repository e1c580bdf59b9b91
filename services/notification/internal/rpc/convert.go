package rpc

import (
	"encoding/base64"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

func entryProto(d domain.EntryData) *notificationv1.Notification {
	out := &notificationv1.Notification{
		Id: d.ID, AccountId: d.AccountID, Event: d.Event, ReferralId: d.ReferralID, ReferralNumber: d.ReferralNumber,
		Urgency:            commonv1.Urgency_Code(commonv1.Urgency_Code_value[d.Urgency]),
		FromOrganizationId: d.FromOrganizationID, State: notificationv1.NotificationState_OPEN,
		CreateTime: timestamppb.New(d.CreateTime), FactId: d.FactID, ReasonCode: d.ReasonCode,
		Step: d.Step, Level: d.Level, CandidateId: d.CandidateID, GlassId: d.GlassID, PatientId: d.PatientID, EncounterId: d.EncounterID,
		AlarmId: d.AlarmID, Rings: int32(d.Rings), BookingId: d.BookingID, Start: timeProto(d.Start), SessionId: d.SessionID, WaitlistId: d.WaitlistID,
	}
	if !d.AcknowledgeTime.IsZero() {
		out.State, out.AcknowledgeTime = notificationv1.NotificationState_ACKNOWLEDGED, timestamppb.New(d.AcknowledgeTime)
	}
	return out
}

func entriesProto(entries []domain.EntryData) []*notificationv1.Notification {
	out := make([]*notificationv1.Notification, len(entries))
	for i, e := range entries {
		out[i] = entryProto(e)
	}
	return out
}

// Page tokens hold the key of the last row.

func idToken(id string) string { return base64.RawURLEncoding.EncodeToString([]byte(id)) }

func readIDToken(token string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return "", errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
	}
	return string(raw), nil
}

// cut takes the row off that was asked for beyond a page, and answers the token of the page after; "" when there is none.
func cut[T any](rows []T, size int, token func(T) string) ([]T, string) {
	if len(rows) <= size {
		return rows, ""
	}
	return rows[:size], token(rows[size-1])
}

func timeToken(d domain.EntryData) string {
	return idToken(d.CreateTime.Format(time.RFC3339Nano) + " " + d.ID)
}

func readTimeToken(token string) (time.Time, string, error) {
	raw, err := readIDToken(token)
	if err != nil || raw == "" {
		return time.Time{}, "", err
	}
	created, id, _ := strings.Cut(raw, " ")
	at, err := time.Parse(time.RFC3339Nano, created)
	if err != nil {
		return time.Time{}, "", errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
	}
	return at, id, nil
}
