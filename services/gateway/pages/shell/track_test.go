package shell_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// way writes steps as one line: "submitted:done answered:now".
func way(steps []shell.Step) string {
	var out []string
	for _, s := range steps {
		out = append(out, s.Name+":"+s.State)
	}
	return strings.Join(out, " ")
}

func TestAReferralIsTrackedAsAParcel(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 1, 30, 0, 0, time.UTC)
	soon, past := timestamppb.New(now.Add(time.Hour)), timestamppb.New(now.Add(-time.Hour))
	up := func(state referralv1.State_Code, kind commonv1.Kind_Code, due *timestamppb.Timestamp) *referralv1.Referral {
		return &referralv1.Referral{State: state, Kind: kind, Direction: commonv1.Direction_UP, DueTime: due, SubmitTime: past}
	}
	down := func(state referralv1.State_Code) *referralv1.Referral {
		return &referralv1.Referral{State: state, Kind: commonv1.Kind_CHRONIC, Direction: commonv1.Direction_DOWN, SubmitTime: past}
	}
	retrospective := up(referralv1.State_ARRIVED, commonv1.Kind_INPATIENT, nil)
	retrospective.Retrospective = true
	takenBack := up(referralv1.State_CANCELLED, commonv1.Kind_OUTPATIENT, nil)
	takenBack.ExpectedFrom = soon
	thrownAway := up(referralv1.State_CANCELLED, commonv1.Kind_OUTPATIENT, nil)
	thrownAway.SubmitTime = nil
	missing := up(referralv1.State_ACCEPTED, commonv1.Kind_OUTPATIENT, soon)
	missing.ExpectedTo = past
	for _, c := range []struct {
		r    *referralv1.Referral
		want string
	}{
		{up(referralv1.State_DRAFT, commonv1.Kind_OUTPATIENT, nil), ""},
		{thrownAway, ""},
		{missing, "submitted:done answered:done not-come:late arrived:next replied:next read:next"},
		{up(referralv1.State_SUBMITTED, commonv1.Kind_OUTPATIENT, soon), "submitted:done answered:now appointment:next arrived:next replied:next read:next"},
		{up(referralv1.State_SUBMITTED, commonv1.Kind_OUTPATIENT, past), "submitted:done answered:late appointment:next arrived:next replied:next read:next"},
		{up(referralv1.State_RETURNED, commonv1.Kind_EXAM, soon), "submitted:done returned:now appointment:next arrived:next replied:next read:next"},
		{up(referralv1.State_DECLINED, commonv1.Kind_INPATIENT, nil), "submitted:done declined:stopped"},
		{up(referralv1.State_ACCEPTED, commonv1.Kind_INPATIENT, soon), "submitted:done answered:done coming:now arrived:next replied:next read:next"},
		{up(referralv1.State_NO_SHOW, commonv1.Kind_OUTPATIENT, nil), "submitted:done answered:done missed:late arrived:next replied:next read:next"},
		{takenBack, "submitted:done answered:done cancelled:stopped"},
		{up(referralv1.State_ADMITTED, commonv1.Kind_INPATIENT, past), "submitted:done answered:done appointment:done arrived:done replied:late read:next"},
		{up(referralv1.State_CONCLUDED, commonv1.Kind_OUTPATIENT, nil), "submitted:done answered:done appointment:done arrived:done replied:done read:now"},
		{up(referralv1.State_CLOSED, commonv1.Kind_OUTPATIENT, nil), "submitted:done answered:done appointment:done arrived:done replied:done read:done"},
		{up(referralv1.State_ACCEPTED, commonv1.Kind_EMERGENCY, soon), "submitted:done answered:done arrived:now replied:next read:next"},
		{up(referralv1.State_ARRIVED, commonv1.Kind_EMERGENCY, soon), "submitted:done answered:done arrived:done replied:now read:next"},
		{up(referralv1.State_SUBMITTED, commonv1.Kind_ADVICE, soon), "submitted:done replied:now read:next"},
		{retrospective, "arrived:done replied:now read:next"},
		{down(referralv1.State_SUBMITTED), "submitted:done taken:now reported:next followed:next closed:next"},
		{down(referralv1.State_ARRIVED), "submitted:done taken:done reported:done followed:now closed:next"},
		{down(referralv1.State_FOLLOW_UP), "submitted:done taken:done reported:done followed:done following:now"},
	} {
		if got := way(shell.Track(c.r, nil, now)); got != c.want {
			t.Errorf("%v %v: %s", c.r.GetState(), c.r.GetKind(), got)
		}
	}
	accepted := up(referralv1.State_ACCEPTED, commonv1.Kind_OUTPATIENT, soon)
	accepted.ExpectedFrom = soon
	steps := shell.Track(accepted, past, now)
	if steps[0].Time != past || steps[1].Time != past || steps[2].Time != soon {
		t.Error("a step does not say when it was, or an appointment when it is")
	}
}

// Every state that a referral can be in has a present step, or is the end of every way.
func TestEveryStateHasItsPlaceOnEveryWay(t *testing.T) {
	t.Parallel()
	for code, name := range referralv1.State_Code_name {
		state := referralv1.State_Code(code)
		if state == referralv1.State_UNSPECIFIED || state == referralv1.State_DRAFT || state == referralv1.State_CLOSED {
			continue
		}
		for _, kind := range []commonv1.Kind_Code{commonv1.Kind_OUTPATIENT, commonv1.Kind_EMERGENCY} {
			r := &referralv1.Referral{State: state, Kind: kind, Direction: commonv1.Direction_UP, SubmitTime: timestamppb.New(time.Unix(0, 0))}
			if state == referralv1.State_FOLLOW_UP {
				r.Direction = commonv1.Direction_DOWN
			}
			if got := way(shell.Track(r, nil, time.Unix(0, 0))); !strings.Contains(got, ":now") && !strings.Contains(got, ":late") && !strings.Contains(got, ":stopped") {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
}

// A place that is kept until the answer is not one that has not come.
func TestAnAppointmentThatIsHeldIsTrackedAsHeld(t *testing.T) {
	t.Parallel()
	r := &referralv1.Referral{
		State: referralv1.State_SUBMITTED, Kind: commonv1.Kind_OUTPATIENT, Direction: commonv1.Direction_UP, SubmitTime: timestamppb.New(time.Unix(1, 0)), HoldId: "h",
	}
	for _, held := range []bool{true, false} {
		for _, s := range shell.Track(r, nil, time.Unix(2, 0)) {
			if s.Held != (held && s.Name == "appointment") {
				t.Errorf("%s: held %v", s.Name, s.Held)
			}
		}
		r.HoldId = ""
	}
}
