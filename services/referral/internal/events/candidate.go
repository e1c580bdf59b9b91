package events

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// EncodeCandidate is the envelope and subject of candidate_found, candidate_dismissed, candidate_rested or candidate_resumed. It concerns the hospital
// alone; of the referral of the stay it names what the candidate knows.
func EncodeCandidate(t app.CandidateTold) (outbox.Fact, error) {
	c := t.Change.After
	meta := &commonv1.FactMeta{
		FactId: t.ID, County: c.County, AggregateId: c.ID, AggregateVersion: c.Version, OccurTime: timestamppb.New(t.Change.At),
		Actor:   &commonv1.Actor{AccountId: t.Change.By.AccountID, OrganizationId: t.Change.By.OrganizationID},
		CauseId: t.CauseID, Audience: []string{"org:" + c.OrganizationID},
	}
	fact := &referralv1.CandidateFact{
		CandidateId: c.ID, PatientId: c.PatientID, OrganizationId: c.OrganizationID, DepartmentCode: c.DepartmentCode, CentreId: c.CentreID,
		Criteria: c.Reasons, ReasonCode: c.ReasonCode,
	}
	if c.Waits() {
		fact.UpAgainId = c.UpAgainBy
	}
	var referral *referralv1.ReferralFact
	if c.ReferralID != "" {
		referral = &referralv1.ReferralFact{ReferralId: c.ReferralID, Number: c.Number.Printed(), PatientId: c.PatientID}
	}
	name := "candidate_found"
	var m proto.Message = &referralv1.CandidateFound{Meta: meta, Referral: referral, Candidate: fact}
	switch t.Change.Action {
	case domain.DismissCandidate:
		name, m = "candidate_dismissed", &referralv1.CandidateDismissed{Meta: meta, Referral: referral, Candidate: fact}
	case domain.RestCandidate:
		name, m = "candidate_rested", &referralv1.CandidateRested{Meta: meta, Referral: referral, Candidate: fact}
	case domain.ResumeCandidate:
		name, m = "candidate_resumed", &referralv1.CandidateResumed{Meta: meta, Referral: referral, Candidate: fact}
	default:
	}
	payload, err := proto.Marshal(m)
	if err != nil {
		return outbox.Fact{}, fmt.Errorf("encode %s: %w", name, err)
	}
	return outbox.Fact{
		ID: t.ID, County: c.County, Subject: "referral.v1." + c.County + "." + name,
		Type: string(m.ProtoReflect().Descriptor().FullName()), Payload: payload, OccurTime: t.Change.At,
	}, nil
}
