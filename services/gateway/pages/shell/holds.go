package shell

import (
	"context"

	"google.golang.org/protobuf/proto"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// maxRepeats is how many ended holds of one form are followed: ten minutes each, nobody fills it longer than a morning.
const maxRepeats = 20

// Hold takes a slot or bed. Whoever asks again with the same key gets the same hold while it lasts, also as part of a referral,
// and a new one after it has expired: a form that was refused for another reason must not find its own slot taken, and one whose answer was lost must be
// repeated as it was. Whether one that seems to be over is so, scheduling says,
// for the clocks of two machines differ.
func (s *Shell) Hold(ctx context.Context, scheduling schedulingv1.SchedulingServiceClient, request *schedulingv1.CreateHoldRequest, key ...string) (hold *schedulingv1.Hold, err error) {
	request = proto.CloneOf(request)
	for range maxRepeats {
		request.RequestId = id.FromFact(key...)
		hold, err = scheduling.CreateHold(ctx, request)
		if err != nil || s.deps.Clock.Now().Before(hold.GetExpireTime().AsTime()) {
			return hold, err
		}
		now, unknown := scheduling.GetHold(ctx, &schedulingv1.GetHoldRequest{Id: hold.GetId()})
		if unknown != nil || Lasts(now) || now.GetState() == schedulingv1.HoldState_BOOKED {
			return hold, unknown
		}
		key = append(key, hold.GetId())
	}
	return hold, err
}

// Lasts tells that a hold still takes its place.
func Lasts(hold *schedulingv1.Hold) bool {
	return hold.GetState() == schedulingv1.HoldState_HELD || hold.GetState() == schedulingv1.HoldState_ATTACHED
}
