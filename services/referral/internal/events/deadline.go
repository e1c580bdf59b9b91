package events

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// EncodeDeadline is the envelope and subject of deadline_passed. Its version is 0: a limit that passes changes none.
func EncodeDeadline(d app.DeadlineFired) (outbox.Fact, error) {
	c := domain.Change{Action: domain.MarkDeadlinePassed, Mark: true, From: d.From, By: domain.Actor{AccountID: app.Self}, At: d.At, After: d.Referral}
	m := &referralv1.DeadlinePassed{Meta: meta(app.Fact{ID: d.ID, Change: c}), Referral: body(c), Deadline: &referralv1.DeadlineFact{
		Step: string(d.Claim.Step), Level: int32(d.Claim.Level), DueTime: stamp(d.Claim.Limit), NextTime: stamp(d.Next),
	}}
	payload, err := proto.Marshal(m)
	if err != nil {
		return outbox.Fact{}, fmt.Errorf("encode deadline_passed: %w", err)
	}
	return outbox.Fact{
		ID: d.ID, County: d.Referral.County, Subject: "referral.v1." + d.Referral.County + ".deadline_passed",
		Type: string(m.ProtoReflect().Descriptor().FullName()), Payload: payload, OccurTime: d.At,
	}, nil
}
