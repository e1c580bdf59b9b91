package events

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Encode is the fact as it goes to the stream; ok is false for a fact that stays inside.
func Encode(p app.Published) (f outbox.Fact, ok bool, err error) {
	if p.Fact.Name != domain.Registered {
		return outbox.Fact{}, false, nil
	}
	meta := &commonv1.FactMeta{
		FactId: p.FactID, County: p.County, AggregateId: p.Patient, AggregateVersion: p.Version,
		OccurTime: timestamppb.New(p.Time),
		Actor:     &commonv1.Actor{AccountId: p.Account, OrganizationId: p.Organization},
	}
	if p.Organization != "" {
		meta.Audience = append(meta.Audience, "org:"+p.Organization)
	}
	if home := p.Fact.HomeOrganization; home != "" && home != p.Organization {
		meta.Audience = append(meta.Audience, "org:"+home)
	}
	m := &patientrecordv1.PatientRegistered{
		Meta: meta, PatientId: p.Patient, HomeOrganizationId: p.Fact.HomeOrganization,
	}
	payload, err := proto.Marshal(m)
	if err != nil {
		return outbox.Fact{}, false, fmt.Errorf("encode fact %s: %w", p.Fact.Name, err)
	}
	return outbox.Fact{
		ID: p.FactID, County: p.County, Subject: "record.v1." + p.County + "." + p.Fact.Name,
		Type: string(m.ProtoReflect().Descriptor().FullName()), Payload: payload, OccurTime: p.Time,
	}, true, nil
}
