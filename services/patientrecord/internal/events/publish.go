package events

import (
	"fmt"
	"slices"
	"strings"
	"time"

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
	meta := &commonv1.FactMeta{
		FactId: p.FactID, County: p.County, AggregateId: p.Patient, AggregateVersion: p.Version,
		OccurTime: timestamppb.New(p.Time),
		Actor:     &commonv1.Actor{AccountId: p.Account, OrganizationId: p.Organization},
	}
	var m proto.Message
	told := p.Organization
	switch p.Fact.Name {
	case domain.Registered:
		m = &patientrecordv1.PatientRegistered{Meta: meta, PatientId: p.Patient, HomeOrganizationId: p.Fact.HomeOrganization}
	case domain.Merged:
		m = &patientrecordv1.PatientMerged{Meta: meta, MergedPatientId: p.Patient, SurvivingPatientId: p.Fact.Survivor}
	case domain.Unmerged:
		m = &patientrecordv1.PatientUnmerged{Meta: meta, MergedPatientId: p.Patient, SurvivingPatientId: p.Fact.Survivor}
	case domain.EncounterOpened:
		meta.AggregateId, told = p.Fact.EncounterID, p.Fact.Stay.Organization
		m = &patientrecordv1.EncounterOpened{Meta: meta, Encounter: encounter(p)}
	case domain.EncounterClosed:
		meta.AggregateId, told = p.Fact.EncounterID, p.Fact.Stay.Organization
		m = &patientrecordv1.EncounterClosed{Meta: meta, Encounter: encounter(p)}
	case domain.EncounterCancelled:
		meta.AggregateId, told = p.Fact.EncounterID, p.Fact.Stay.Organization
		m = &patientrecordv1.EncounterCancelled{Meta: meta, Encounter: encounter(p)}
	case domain.ResultRecorded:
		meta.AggregateId = p.Fact.Result.ID
		m = result(meta, p)
	case domain.GlassBroken:
		g := p.Fact.Glass
		meta.AggregateId = g.ID
		m = &patientrecordv1.GlassBroken{
			Meta: meta, GlassId: g.ID, PatientId: p.Patient, HomeOrganizationId: g.Home, OrganizationId: g.Organization, AccountId: g.Account,
			Way: string(g.Way), Reason: g.Reason, ExpireTime: stamp(g.To),
		}
	case domain.GaveConsent:
		meta.AggregateId = p.Fact.Consent.ID
		m = &patientrecordv1.ConsentGiven{Meta: meta, Consent: consent(p)}
	case domain.WithdrewConsent:
		meta.AggregateId = p.Fact.Consent.ID
		m = &patientrecordv1.ConsentWithdrawn{Meta: meta, Consent: consent(p)}
	default:
		return outbox.Fact{}, false, nil
	}
	meta.Audience = audience(p.Fact, told)
	payload, err := proto.Marshal(m)
	if err != nil {
		return outbox.Fact{}, false, fmt.Errorf("encode fact %s: %w", p.Fact.Name, err)
	}
	return outbox.Fact{
		ID: p.FactID, County: p.County, Subject: "record.v1." + p.County + "." + p.Fact.Name,
		Type: string(m.ProtoReflect().Descriptor().FullName()), Payload: payload, OccurTime: p.Time,
	}, true, nil
}

// audience are whom a fact concerns, each once: where it happened, the home, and of a consent whom it covers and who has a relation.
func audience(f domain.Fact, told string) (out []string) {
	concerned := []string{told, f.HomeOrganization}
	if f.Consent != nil {
		concerned = append(concerned, f.Consent.Receiver)
	}
	for _, organization := range append(concerned, f.Holders...) {
		if one := "org:" + organization; organization != "" && !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	return out
}

func result(meta *commonv1.FactMeta, p app.Published) *patientrecordv1.ResultRecorded {
	e := p.Fact.Result
	out := &patientrecordv1.ResultRecorded{
		Meta: meta, EntryId: e.ID, PatientId: p.Patient, Kind: string(e.Kind), Category: e.Category, Status: e.Status,
		EffectiveTime: stamp(e.Time), OrganizationId: p.Organization, HomeOrganizationId: p.Fact.HomeOrganization,
	}
	for _, code := range e.Result.Codes {
		system, code, _ := strings.Cut(code, "|")
		out.Codes = append(out.Codes, &commonv1.Coding{System: system, Code: code})
	}
	return out
}

func consent(p app.Published) *patientrecordv1.ConsentFact {
	c := p.Fact.Consent
	return &patientrecordv1.ConsentFact{
		ConsentId: c.ID, PatientId: p.Patient, Scope: string(c.Scope), ReferralId: c.ReferralID, OrganizationId: c.Recorded.Organization,
		ReceiverOrganizationId: c.Receiver, HomeOrganizationId: p.Fact.HomeOrganization, HolderOrganizationIds: p.Fact.Holders,
	}
}

func encounter(p app.Published) *patientrecordv1.EncounterFact {
	s := p.Fact.Stay
	return &patientrecordv1.EncounterFact{
		EncounterId: p.Fact.EncounterID, PatientId: p.Patient, HomeOrganizationId: p.Fact.HomeOrganization,
		OrganizationId: s.Organization, DepartmentCode: s.Department, Class: s.Class, StartTime: stamp(s.Start), EndTime: stamp(s.End),
		DiagnosisCodes: s.Diagnoses, DischargeWay: s.DischargeWay,
	}
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
