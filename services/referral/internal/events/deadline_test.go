package events_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/events"
)

func TestALimitThatPassedIsToldWithItsRungAndWithoutAVersion(t *testing.T) {
	t.Parallel()
	due := time.Date(2026, 3, 18, 1, 30, 0, 0, time.UTC)
	after := fact(domain.ActionNoShow).Change.After
	after.State = domain.StateNoShow
	told := app.DeadlineFired{
		ID: "fact-1", From: domain.StateAccepted, Referral: after, At: due.Add(time.Second), Next: due.Add(time.Hour),
		Claim: app.Claim{County: after.County, ReferralID: after.ID, Rung: domain.Rung{Step: domain.StepArrival, Level: 2, Due: due.Add(time.Minute)}, Limit: due},
	}
	out, err := events.EncodeDeadline(told)
	if err != nil {
		t.Fatal(err)
	}
	var m referralv1.DeadlinePassed
	if err := proto.Unmarshal(out.Payload, &m); err != nil {
		t.Fatal(err)
	}
	if out.Subject != "referral.v1.450321.deadline_passed" || out.Type != "tongzhen.referral.v1.DeadlinePassed" || bytes.Contains(out.Payload, []byte(secret)) {
		t.Errorf("told as %s, %s, with %q", out.Subject, out.Type, out.Payload)
	}
	d := m.GetDeadline()
	if d.GetStep() != "ARRIVAL" || d.GetLevel() != 2 || !d.GetDueTime().AsTime().Equal(due) || !d.GetNextTime().AsTime().Equal(told.Next) {
		t.Errorf("the rung is %v", d)
	}
	if r := m.GetReferral(); r.GetState() != referralv1.State_NO_SHOW || r.GetPreviousState() != referralv1.State_ACCEPTED || r.GetHoldId() != "" {
		t.Errorf("the referral is %v", r)
	}
	meta := m.GetMeta()
	if meta.GetAggregateVersion() != 0 || meta.GetActor().GetAccountId() != app.Self || !slices.Contains(meta.GetAudience(), "org:hospital") {
		t.Errorf("meta %v", meta)
	}
	told.Next = time.Time{}
	if out, err = events.EncodeDeadline(told); err != nil || proto.Unmarshal(out.Payload, &m) != nil || m.GetDeadline().GetNextTime() != nil {
		t.Errorf("the last rung has a next: %v, %v", m.GetDeadline(), err)
	}
}
