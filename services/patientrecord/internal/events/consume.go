package events

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Relations reads every fact that changes a referral's state, parties or version. Marks (seen, …) and edits change neither; a patient
// recorded as having left the county gives nobody a relation.
func Relations() bus.Consumer {
	names := []string{
		"submitted", "returned", "resubmitted", "redirected", "accepted", "declined", "cancelled", "arrived", "arrival_undone",
		"no_show", "rebooked", "admitted", "admission_undone", "concluded", "answered", "acknowledged",
		"follow_up_begun", "visit_recorded", "plan_revised", "escalated", "completed",
	}
	c := bus.Consumer{Name: "patientrecord-relations", Workers: 4}
	for _, name := range names {
		c.Subjects = append(c.Subjects, "referral.v1.*."+name)
	}
	return c
}

// referralFact is what every fact of the referral service about one referral has.
type referralFact interface {
	proto.Message
	GetMeta() *commonv1.FactMeta
	GetReferral() *referralv1.ReferralFact
}

// Apply hands a message of Relations to the app. A message that is no fact about a referral is an error: it becomes a dead letter.
func Apply(a *app.App) func(context.Context, bus.Msg) error {
	return func(ctx context.Context, m bus.Msg) error {
		f, err := decode(m)
		if err != nil {
			return fmt.Errorf("read fact %s of type %s: %w", m.ID, m.Type, err)
		}
		return a.ApplyReferral(ctx, f)
	}
}

func decode(m bus.Msg) (app.ReferralFact, error) {
	t, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(m.Type))
	if err != nil {
		return app.ReferralFact{}, err
	}
	fact, ok := t.New().Interface().(referralFact)
	if !ok {
		return app.ReferralFact{}, fmt.Errorf("%s is no fact about a referral", m.Type)
	}
	if err := proto.Unmarshal(m.Payload, fact); err != nil {
		return app.ReferralFact{}, err
	}
	meta, r := fact.GetMeta(), fact.GetReferral()
	if meta.GetFactId() == "" || meta.GetCounty() == "" || r.GetReferralId() == "" || r.GetPatientId() == "" {
		return app.ReferralFact{}, fmt.Errorf("%s without fact id, county, referral or patient", m.Type)
	}
	_, submission := fact.(*referralv1.Submitted)
	_, again := fact.(*referralv1.Resubmitted)
	return app.ReferralFact{
		FactID: meta.GetFactId(), County: meta.GetCounty(), Submission: submission || again, Again: again,
		Account: meta.GetActor().GetAccountId(), Organization: meta.GetActor().GetOrganizationId(),
		Standing: domain.Standing{
			ReferralID: r.GetReferralId(), PatientID: r.GetPatientId(), Version: meta.GetAggregateVersion(),
			State: domain.State(r.GetState().String()), Previous: domain.State(r.GetPreviousState().String()),
			Originator: r.GetOriginator().GetOrganizationId(), Receiver: r.GetReceiver().GetOrganizationId(),
			Written: r.GetKind() == commonv1.Kind_ADVICE, At: meta.GetOccurTime().AsTime(),
		},
	}, nil
}
