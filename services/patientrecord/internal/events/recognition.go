package events

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// EncodeRecognition is a decision as it goes to the stream. Its line has evidence.
func EncodeRecognition(t app.Told) (outbox.Fact, error) {
	o, line := t.Order, t.Order.Lines[t.Number]
	meta := &commonv1.FactMeta{
		FactId: t.FactID, County: t.County, AggregateId: o.ID, AggregateVersion: 1, OccurTime: timestamppb.New(o.Time),
		Actor: &commonv1.Actor{AccountId: o.Account, OrganizationId: o.Organization}, Audience: []string{"org:" + o.Organization},
	}
	what := &patientrecordv1.RecognitionFact{
		OrderId: o.ID, Line: int32(t.Number), PatientId: o.PatientID, ItemCode: line.ItemCode, OrganizationId: o.Organization,
		PerformingOrganizationId: line.Evidence.Performer, ReferralId: o.ReferralID, ReasonCode: line.Reason,
		Avoided: line.Decision == domain.Dropped,
	}
	for _, e := range line.Evidence.Entries {
		what.EntryIds = append(what.EntryIds, e.ID)
	}
	name, m := "result_recognised", proto.Message(&patientrecordv1.ResultRecognised{Meta: meta, Recognition: what})
	if line.Decision == domain.Repeated {
		name, m = "result_repeated", &patientrecordv1.ResultRepeated{Meta: meta, Recognition: what}
	}
	payload, err := proto.Marshal(m)
	if err != nil {
		return outbox.Fact{}, fmt.Errorf("encode fact %s: %w", name, err)
	}
	return outbox.Fact{
		ID: t.FactID, County: t.County, Subject: "record.v1." + t.County + "." + name,
		Type: string(m.ProtoReflect().Descriptor().FullName()), Payload: payload, OccurTime: o.Time,
	}, nil
}

// Organisations reads the directory's facts about organisations: who stands above whom.
func Organisations() bus.Consumer {
	return bus.Consumer{Name: "patientrecord-organisations", Subjects: []string{"directory.v1.*.organisation_changed"}, Workers: 1}
}

// OnOrganisation keeps the organisation that a fact carries.
func OnOrganisation(r *app.Recognition) func(context.Context, bus.Msg) error {
	return func(ctx context.Context, m bus.Msg) error {
		var f directoryv1.OrganisationChanged
		if err := proto.Unmarshal(m.Payload, &f); err != nil {
			return fmt.Errorf("read fact %s: %w", m.ID, err)
		}
		if f.GetMeta().GetFactId() == "" || f.GetOrganization().GetId() == "" {
			return fmt.Errorf("read fact %s: it names no fact or organisation", m.ID)
		}
		return r.PutOrganization(ctx, f.GetMeta().GetFactId(), Organisation(f.GetOrganization()))
	}
}

// Organisation is what is kept of one.
func Organisation(o *directoryv1.Organization) app.Organization {
	return app.Organization{County: o.GetCounty(), ID: o.GetId(), Version: o.GetVersion(), Type: o.GetType().String(), Parent: o.GetParentId(), Name: o.GetName()}
}
