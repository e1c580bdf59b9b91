package events_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/events"
)

func toldCandidate(action domain.Action) app.CandidateTold {
	return app.CandidateTold{ID: "fact-1", CauseID: "request-1", Change: domain.CandidateChange{
		Action: action, By: domain.Actor{AccountID: "desk-1", Name: secret, OrganizationID: "hospital"},
		At: time.Date(2026, 3, 18, 1, 30, 0, 0, time.UTC),
		After: domain.CandidateSnapshot{
			ID: "c1", Version: 2, Note: secret, ReasonCode: "NO_MEDICINE", Match: domain.Match{
				Stay: domain.Stay{
					County: "450321", PatientID: "patient-1", Patient: domain.Patient{Name: secret}, OrganizationID: "hospital", DepartmentCode: "0304",
					ReferralID: "r1", Number: "4503212600001234", CentreID: "township", Diagnoses: []domain.Diagnosis{{Display: secret}},
					Medicines: []domain.Medicine{{Name: secret}},
				},
				Reasons: []string{"DN-STR-01"},
			},
		},
	}}
}

func TestACandidateIsToldWithIdsAndCodesOnly(t *testing.T) {
	t.Parallel()
	for action, want := range map[domain.Action]string{
		domain.FindCandidate: "candidate_found", domain.ReopenCandidate: "candidate_found", domain.DismissCandidate: "candidate_dismissed",
		domain.RestCandidate: "candidate_rested", domain.ResumeCandidate: "candidate_resumed",
	} {
		out, err := events.EncodeCandidate(toldCandidate(action))
		if err != nil || out.Subject != "referral.v1.450321."+want || bytes.Contains(out.Payload, []byte(secret)) {
			t.Errorf("%s is told as %s with %q, %v", action, out.Subject, out.Payload, err)
		}
	}
	out, err := events.EncodeCandidate(toldCandidate(domain.DismissCandidate))
	if err != nil {
		t.Fatal(err)
	}
	var m referralv1.CandidateDismissed
	if err := proto.Unmarshal(out.Payload, &m); err != nil {
		t.Fatal(err)
	}
	c := m.GetCandidate()
	if c.GetCandidateId() != "c1" || c.GetPatientId() != "patient-1" || c.GetCentreId() != "township" || c.GetReasonCode() != "NO_MEDICINE" ||
		!slices.Equal(c.GetCriteria(), []string{"DN-STR-01"}) || m.GetReferral().GetReferralId() != "r1" || m.GetMeta().GetAggregateVersion() != 2 ||
		!slices.Equal(m.GetMeta().GetAudience(), []string{"org:hospital"}) || out.Type != "tongzhen.referral.v1.CandidateDismissed" {
		t.Errorf("got %v", &m)
	}
}

func TestACandidateThatRestsSaysOnWhat(t *testing.T) {
	t.Parallel()
	for state, want := range map[domain.CandidateState]string{domain.CandidateOpen: "r2", domain.CandidateReferred: "r2", domain.CandidateDismissed: ""} {
		told := toldCandidate(domain.RestCandidate)
		told.Change.After.State, told.Change.After.UpAgainBy = state, "r2"
		out, err := events.EncodeCandidate(told)
		if err != nil {
			t.Fatal(err)
		}
		var m referralv1.CandidateRested
		if err := proto.Unmarshal(out.Payload, &m); err != nil || m.GetCandidate().GetUpAgainId() != want || m.GetReferral().GetReferralId() != "r1" {
			t.Errorf("%s: %v, %v", state, &m, err)
		}
	}
}

// stays notes what it was told.
type stays struct{ got []any }

func (s *stays) EncounterOpened(_ context.Context, e app.Encounter) error {
	s.got = append(s.got, "opened", e)
	return nil
}

func (s *stays) EncounterClosed(_ context.Context, e app.Encounter) error {
	s.got = append(s.got, "closed", e)
	return nil
}

func (s *stays) EncounterCancelled(_ context.Context, e app.Encounter) error {
	s.got = append(s.got, "cancelled", e)
	return nil
}

func (s *stays) StayDeadline(_ context.Context, county, factID, referralID string) error {
	s.got = append(s.got, county, factID, referralID)
	return nil
}

func message(t *testing.T, subject string, m proto.Message) bus.Msg {
	t.Helper()
	payload, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return bus.Msg{ID: "f1", Subject: subject, Payload: payload}
}

func TestEncountersReachTheUseCases(t *testing.T) {
	t.Parallel()
	s := &stays{}
	handle := events.OnEncounter(s)
	at := time.Date(2026, 3, 18, 1, 30, 0, 0, time.UTC)
	meta := &commonv1.FactMeta{FactId: "f1", County: "450321", AggregateVersion: 3}
	e := &patientrecordv1.EncounterFact{
		EncounterId: "e1", PatientId: "p1", OrganizationId: "o1", DepartmentCode: "0304", Class: "IMP", StartTime: timestamppb.New(at),
		DiagnosisCodes: []string{"I63.9"}, HomeOrganizationId: "h1", DischargeWay: "3",
	}
	want := app.Encounter{
		County: "450321", FactID: "f1", ID: "e1", PatientID: "p1", OrganizationID: "o1", DepartmentCode: "0304", Class: "IMP", DischargeWay: "3",
		HomeOrganizationID: "h1", Codes: []string{"I63.9"}, Start: at,
	}
	for _, m := range []bus.Msg{
		message(t, "record.v1.450321.encounter_opened", &patientrecordv1.EncounterOpened{Meta: meta, Encounter: e}),
		message(t, "record.v1.450321.encounter_closed", &patientrecordv1.EncounterClosed{Meta: meta, Encounter: e}),
		message(t, "record.v1.450321.encounter_cancelled", &patientrecordv1.EncounterCancelled{Meta: meta, Encounter: e}),
	} {
		if err := handle(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range []string{"opened", "closed", "cancelled"} {
		got, ok := s.got[2*i+1].(app.Encounter)
		if s.got[2*i] != name || !ok || !slices.Equal(got.Codes, want.Codes) || got.Start != want.Start || got.ID != want.ID || got.DischargeWay != "3" ||
			got.HomeOrganizationID != "h1" || got.FactID != "f1" || got.County != "450321" || !got.End.IsZero() || got.Version != 3 {
			t.Errorf("%s: %+v", name, s.got[2*i+1])
		}
	}
	for _, subject := range []string{"record.v1.450321.encounter_opened", "record.v1.450321.encounter_closed", "record.v1.450321.encounter_cancelled"} {
		if handle(t.Context(), bus.Msg{Subject: subject, Payload: []byte{0xff}}) == nil || handle(t.Context(), bus.Msg{Subject: subject}) == nil {
			t.Errorf("%s is taken without a fact", subject)
		}
	}
}

func TestOnlyTheFirstLimitOfAStayIsLookedAt(t *testing.T) {
	t.Parallel()
	s := &stays{}
	handle := events.OnDeadline(s)
	for _, d := range []*referralv1.DeadlineFact{{Step: "REPLY", Level: 1}, {Step: "STAY", Level: 2}, {Step: "STAY", Level: 1}} {
		m := message(t, "referral.v1.450321.deadline_passed", &referralv1.DeadlinePassed{
			Meta: &commonv1.FactMeta{FactId: "f1", County: "450321"}, Referral: &referralv1.ReferralFact{ReferralId: "r1"}, Deadline: d,
		})
		if err := handle(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(s.got, []any{"450321", "f1", "r1"}) {
		t.Errorf("got %v", s.got)
	}
	if handle(t.Context(), bus.Msg{Payload: []byte{0xff}}) == nil {
		t.Error("what is no fact is taken")
	}
}

// lists keeps what it was given.
type lists struct {
	app.Formularies
	fact  string
	items []domain.FormularyItem
	can   app.Capabilities
}

func (l *lists) PutFormulary(_ context.Context, fact string, items []domain.FormularyItem) error {
	l.fact, l.items = fact, items
	return nil
}

func (l *lists) PutCapabilities(_ context.Context, fact string, c app.Capabilities) error {
	l.fact, l.can = fact, c
	return nil
}

func TestMedicineListsAndCapabilitiesReachTheProjection(t *testing.T) {
	t.Parallel()
	l := &lists{}
	handle := events.OnFormulary(l)
	meta := &commonv1.FactMeta{FactId: "f1", County: "450321"}
	if err := handle(t.Context(), message(t, "directory.v1.450321.formulary_changed", &directoryv1.FormularyChanged{
		Meta: meta, OrganizationId: "o1", Items: []*directoryv1.FormularyItem{{
			Id: "i1", Version: 3, OrganizationId: "o1", Name: "氨氯地平片", Specification: "5mg", Atc: "C08CA01", Stock: directoryv1.StockState_IN_STOCK,
			Orderable: true, RestrictedClass: "TOXIC", Removed: true,
		}},
	})); err != nil {
		t.Fatal(err)
	}
	want := domain.FormularyItem{
		County: "450321", ID: "i1", OrganizationID: "o1", Version: 3, Name: "氨氯地平片", Specification: "5mg", ATC: "C08CA01", InStock: true,
		Orderable: true, RestrictedClass: "TOXIC", Removed: true,
	}
	if l.fact != "f1" || !slices.Equal(l.items, []domain.FormularyItem{want}) {
		t.Errorf("got %+v", l.items)
	}
	if err := handle(t.Context(), message(t, "directory.v1.450321.capabilities_changed", &directoryv1.CapabilitiesChanged{
		Meta: meta, Capabilities: &directoryv1.OrganizationCapabilities{
			OrganizationId: "o1", Version: 2, Capabilities: []*directoryv1.Capability{{Code: "TCM"}, {Code: "ECG"}},
		},
	})); err != nil {
		t.Fatal(err)
	}
	if c := l.can; c.County != "450321" || c.OrganizationID != "o1" || c.Version != 2 || !slices.Equal(c.Codes, []string{"TCM", "ECG"}) {
		t.Errorf("got %+v", c)
	}
	for _, subject := range []string{"directory.v1.450321.formulary_changed", "directory.v1.450321.capabilities_changed"} {
		if handle(t.Context(), bus.Msg{Subject: subject, Payload: []byte{0xff}}) == nil || handle(t.Context(), bus.Msg{Subject: subject}) == nil {
			t.Errorf("%s is taken without a fact", subject)
		}
	}
}
