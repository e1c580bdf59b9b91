package shell

import (
	"context"

	"google.golang.org/protobuf/proto"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// Hold takes a slot or bed. Whoever asks again with the same key gets the same hold while it lasts, also as part of a referral, and a new one after it
// has expired: a form that was refused for another reason must not find its own slot taken, and one whose answer was lost must be repeated as it was.
func (s *Shell) Hold(ctx context.Context, scheduling schedulingv1.SchedulingServiceClient, request *schedulingv1.CreateHoldRequest, key ...string) (*schedulingv1.Hold, error) {
	request = proto.CloneOf(request)
	for {
		request.RequestId = id.FromFact(key...)
		hold, err := scheduling.CreateHold(ctx, request)
		if err != nil || s.deps.Clock.Now().Before(hold.GetExpireTime().AsTime()) {
			return hold, err
		}
		if now, err := scheduling.GetHold(ctx, &schedulingv1.GetHoldRequest{Id: hold.GetId()}); err == nil && attached(now) {
			return hold, nil
		}
		key = append(key, hold.GetId())
	}
}

func attached(hold *schedulingv1.Hold) bool {
	return hold.GetState() == schedulingv1.HoldState_ATTACHED || hold.GetState() == schedulingv1.HoldState_BOOKED
}
