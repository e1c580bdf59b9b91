package referral_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
	"github.com/tongzhen/tongzhen/services/referral"
)

// medicines are those of the township, as directory lists them.
func (f *fixture) medicines() []*directoryv1.FormularyItem {
	item := func(name string, stock directoryv1.StockState_Code) *directoryv1.FormularyItem {
		return &directoryv1.FormularyItem{Id: id.FromFact(name), Version: 1, OrganizationId: f.township, Name: name, Stock: stock}
	}
	return []*directoryv1.FormularyItem{
		item("阿司匹林肠溶片", directoryv1.StockState_IN_STOCK), item("氯吡格雷片", directoryv1.StockState_OUT_OF_STOCK),
	}
}

// ListFormulary answers a page for each medicine.
func (d directory) ListFormulary(ctx context.Context, in *directoryv1.ListFormularyRequest) (*directoryv1.ListFormularyResponse, error) {
	who, _ := authn.FromContext(ctx)
	if who.County != county || in.GetOrganizationId() != "" {
		return nil, errs.Invalid(errs.Required("county"))
	}
	all := d.f.medicines()
	if in.GetPageToken() == "" {
		return &directoryv1.ListFormularyResponse{Items: all[:1], NextPageToken: "2"}, nil
	}
	return &directoryv1.ListFormularyResponse{Items: all[1:]}, nil
}

func (d directory) ListCapabilities(context.Context, *directoryv1.ListCapabilitiesRequest) (*directoryv1.ListCapabilitiesResponse, error) {
	return &directoryv1.ListCapabilitiesResponse{Organizations: []*directoryv1.OrganizationCapabilities{{
		OrganizationId: d.f.township, Version: 1, Capabilities: []*directoryv1.Capability{{Code: "REHABILITATION"}},
	}}}, nil
}

// GetClinicalValues is asked by referral itself.
func (p patientRecord) GetClinicalValues(ctx context.Context, in *patientrecordv1.GetSnapshotRequest) (*patientrecordv1.ClinicalValues, error) {
	if who, _ := authn.FromContext(ctx); !who.IsService() || who.County != county || in.GetOrganizationId() != p.f.township {
		return nil, errs.NotFound("patient")
	}
	return &patientrecordv1.ClinicalValues{
		Observations: []*patientrecordv1.Observation{
			{Codes: []*commonv1.Coding{{Code: "8480-6"}}, Quantity: &patientrecordv1.Quantity{Value: 186, Unit: "mm[Hg]"}, EffectiveTime: timestamppb.New(p.f.begin)},
			{Codes: []*commonv1.Coding{{Code: "8462-4"}}, ValueText: "high", EffectiveTime: timestamppb.New(p.f.begin)},
		},
		Problems: []*patientrecordv1.Problem{{Codes: []*commonv1.Coding{{System: "http://snomed.info/sct", Code: "59621000"}}}},
	}, nil
}

// publish tells a fact as another service would.
func (f *fixture) publish(event string, m proto.Message) {
	f.t.Helper()
	payload, err := proto.Marshal(m)
	if err != nil {
		f.t.Fatal(err)
	}
	msg := bus.Msg{ID: id.New(), Subject: event, Type: string(m.ProtoReflect().Descriptor().FullName()), Payload: payload, Time: f.begin}
	if _, err := f.bus.Publish(f.t.Context(), msg); err != nil {
		f.t.Fatal(err)
	}
}

// until asks again until it holds.
func (f *fixture) until(what string, holds func() bool) {
	f.t.Helper()
	timeout := time.After(10 * time.Second)
	for !holds() {
		select {
		case <-timeout:
			f.t.Fatal("not in time: " + what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (f *fixture) openCandidates() []*referralv1.Candidate {
	f.t.Helper()
	list, err := f.candidates.ListCandidates(f.as("SPECIALIST"), &referralv1.ListCandidatesRequest{})
	if err != nil {
		f.t.Fatal(err)
	}
	return list.GetCandidates()
}

// concluded is an emergency that the ward has written back about.
func (f *fixture) concluded() *referralv1.Referral {
	f.t.Helper()
	in := f.creation()
	in.Kind, in.Urgency, in.HoldId = commonv1.Kind_EMERGENCY, commonv1.Urgency_EMERGENCY, ""
	r := f.must(f.client.CreateReferral(f.as("TOWNSHIP_DOCTOR"), in))
	r = f.must(f.client.Arrive(f.as("INTAKE_DESK"), &referralv1.ActionRequest{Id: r.GetId(), Version: r.GetVersion()}))
	return f.must(f.client.Conclude(f.as("SPECIALIST"), &referralv1.ConcludeRequest{
		Id: r.GetId(), Version: r.GetVersion(), OutcomeCode: "IMPROVED", Reply: &referralv1.Reply{
			Diagnosis: secret, Treatment: secret, NextSteps: secret, Medications: []*referralv1.ReplyMedication{{Name: "氯吡格雷片", Dosage: "75mg qd"}},
		},
	}))
}

func TestFromConclusionToTheWayBack(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		specialist := f.as("SPECIALIST")
		up := f.concluded()
		f.until("the medicine list is read", func() bool {
			all := f.openCandidates()
			return len(all) == 1 && all[0].GetMedicines()[0].GetAvailability() == "MISSING"
		})
		c := f.openCandidates()[0]
		if c.GetReferralId() != up.GetId() || c.GetReferralNumber() != up.GetNumber() || c.GetCentreId() != f.township || c.GetPatient().GetName() != secret ||
			c.GetFamilyDoctorName() != "医生 TOWNSHIP_DOCTOR" || c.GetOrigin() != "CONCLUDED" || c.GetState() != "OPEN" ||
			!slices.ContainsFunc(c.GetReasons(), func(r *referralv1.CandidateReason) bool {
				return r.GetCode() == "DN-STR-01" && r.GetText() != "" && r.GetSource() != ""
			}) {
			f.t.Errorf("the candidate has %v", c.GetReasons())
		}
		f.publish("record.v1."+county+".encounter_closed", &patientrecordv1.EncounterClosed{
			Meta: &commonv1.FactMeta{FactId: id.New(), County: county}, Encounter: &patientrecordv1.EncounterFact{
				EncounterId: id.New(), PatientId: up.GetPatientId(), OrganizationId: f.hospital, DepartmentCode: "0304", Class: "IMP",
				StartTime: timestamppb.New(f.begin), EndTime: timestamppb.New(f.begin.Add(time.Hour)), DiagnosisCodes: []string{"I63.9", "I10"},
				HomeOrganizationId: f.township, DischargeWay: "3",
			},
		})
		f.until("the discharge is merged", func() bool {
			all := f.openCandidates()
			return len(all) == 1 && all[0].GetVersion() == c.GetVersion()+1 && len(all[0].GetDiagnoses()) == 2
		})
		draft := f.must(f.candidates.ReferCandidate(specialist, &referralv1.ReferCandidateRequest{Id: c.GetId(), RequestId: id.New()}))
		if again := f.must(f.candidates.ReferCandidate(specialist, &referralv1.ReferCandidateRequest{Id: c.GetId(), RequestId: id.New()})); again.GetId() != draft.GetId() {
			f.t.Error("another draft is made")
		}
		consent := &referralv1.Consent{GivenBy: secret, Relation: "2", Method: "SIGNED"}
		_, err := f.client.Submit(specialist, &referralv1.SubmitRequest{Id: draft.GetId(), Version: draft.GetVersion(), Consent: consent})
		f.expectReason(err, errs.ReasonFieldRequired)
		f.publish("directory.v1."+county+".formulary_changed", &directoryv1.FormularyChanged{
			Meta: &commonv1.FactMeta{FactId: id.New(), County: county}, OrganizationId: f.township, Items: []*directoryv1.FormularyItem{{
				Id: id.FromFact("氯吡格雷片"), Version: 2, OrganizationId: f.township, Name: "氯吡格雷片", Stock: directoryv1.StockState_IN_STOCK,
			}},
		})
		f.until("the medicine is there and the referral is sent", func() bool {
			_, err := f.client.Submit(specialist, &referralv1.SubmitRequest{Id: draft.GetId(), Version: draft.GetVersion(), Consent: consent})
			return err == nil
		})
		if all := f.openCandidates(); len(all) > 0 {
			f.t.Errorf("still %s", all[0].GetState())
		}
		closed, err := f.candidates.GetCandidate(specialist, &referralv1.GetCandidateRequest{Id: c.GetId()})
		if err != nil || closed.GetState() != "CLOSED" || closed.GetDownReferralId() != draft.GetId() {
			f.t.Errorf("%s, %v", closed.GetState(), err)
		}
	})
}

func TestADismissalIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		f.concluded()
		c := f.openCandidates()[0]
		in := &referralv1.DismissCandidateRequest{Id: c.GetId(), Version: c.GetVersion(), RequestId: id.New(), ReasonCode: "OTHER", Note: secret}
		for range 2 {
			got, err := f.candidates.DismissCandidate(f.as("DEPARTMENT_HEAD"), in)
			if err != nil || got.GetState() != "DISMISSED" || got.GetNote() != secret {
				f.t.Errorf("%s, %v", got.GetState(), err)
			}
		}
		_, err := f.candidates.GetCandidate(f.as("TOWNSHIP_DOCTOR"), &referralv1.GetCandidateRequest{Id: c.GetId()})
		f.expectReason(err, errs.ReasonRole)
		reasons, err := f.client.ListReasons(f.as("SPECIALIST"), &referralv1.ListReasonsRequest{Action: "dismiss_candidate"})
		if err != nil || len(reasons.GetReasons()) != 10 {
			f.t.Errorf("%d reasons, %v", len(reasons.GetReasons()), err)
		}
		f.expectFacts("created", "submitted", "arrived", "concluded", "candidate_found", "candidate_dismissed")
	})
}

func TestCriteriaAreAnsweredFromTheFormAndTheRecord(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		list, err := f.criteria.ListCriteria(f.as("COUNTY_ADMIN"), &referralv1.ListCriteriaRequest{Condition: "STROKE"})
		if err != nil || len(list.GetCriteria()) == 0 || list.GetCriteria()[0].GetConditionName() != "脑卒中" || list.GetCriteria()[0].GetSource() == "" {
			f.t.Fatalf("list of %d, %v", len(list.GetCriteria()), err)
		}
		in := &referralv1.EvaluateCriteriaRequest{
			Direction: commonv1.Direction_UP, Diagnoses: []*commonv1.Coding{{Code: "i63.9"}}, PatientId: id.New(),
			Values: []*referralv1.ClinicalValue{{Name: "stroke_suspected", Value: &referralv1.ClinicalValue_Finding{Finding: true}}},
		}
		got, err := f.criteria.EvaluateCriteria(f.as("TOWNSHIP_DOCTOR"), in)
		if err != nil || !got.GetRecordRead() || len(got.GetInputs()) == 0 {
			f.t.Fatalf("read %v, %v", got.GetRecordRead(), err)
		}
		first := got.GetResults()[0]
		if first.GetStatus() != "MET" || first.GetCriterion().GetUrgency() != commonv1.Urgency_EMERGENCY || !first.GetUsed()[0].GetFinding() || first.GetUsed()[0].GetSource() != "FORM" {
			f.t.Errorf("first is %v", first)
		}
		var pressure *referralv1.UsedValue
		for _, r := range got.GetResults() {
			for _, u := range r.GetUsed() {
				if u.GetName() == "sbp" {
					pressure = u
				}
			}
		}
		if pressure.GetNumber() != 186 || pressure.GetSource() != "RECORD" || !pressure.GetTime().AsTime().Equal(f.begin.Truncate(time.Microsecond).UTC()) {
			f.t.Errorf("the record's pressure is %v", pressure)
		}
		_, err = f.criteria.EvaluateCriteria(f.as("SPECIALIST"), in)
		f.expectReason(err, errs.ReasonFieldUnknown)
	})
}

func TestMedicinesAreCheckedForAnyCentre(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		in := &referralv1.CheckMedicinesRequest{OrganizationId: f.township, Medicines: []*referralv1.DischargeMedicine{
			{Name: "阿司匹林肠溶片", Days: 30}, {Name: "氯吡格雷片", Availability: "IN_STOCK"},
		}}
		var got *referralv1.CheckMedicinesResponse
		f.until("the list is read", func() bool {
			var err error
			if got, err = f.candidates.CheckMedicines(f.as("SPECIALIST"), in); err != nil {
				f.t.Fatal(err)
			}
			return got.GetFormularyKnown() && len(got.GetCapabilities()) == 1
		})
		first, second := got.GetChecks()[0], got.GetChecks()[1]
		if first.GetAvailability() != "IN_STOCK" || !slices.Equal(first.GetLongPrescription(), []string{"OVER_4_WEEKS"}) || second.GetAvailability() != "MISSING" ||
			second.GetMedicine().GetAvailability() != "MISSING" || got.GetCapabilities()[0] != "REHABILITATION" {
			f.t.Errorf("got %v", got)
		}
	})
}

func TestACountysOwnCriteriaAreReadAndAMistakeStopsTheStart(t *testing.T) {
	t.Parallel()
	f := start(t, sqldb.SQLite)
	for when, starts := range map[string]bool{"diagnosis_clear": true, "no_such_value": false} {
		dir := t.TempDir()
		rule := "condition: STROKE\nsources:\n  own: {document: 本县规定}\nrules:\n  - {code: DN-STR-90, direction: DOWN, urgency: ROUTINE, " +
			"when: " + when + ", text: 本县规则, source: own, certainty: SUGGESTED}\n"
		if err := os.WriteFile(filepath.Join(dir, "own.yaml"), []byte(rule), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := referral.New(t.Context(), referral.Config{CriteriaDir: dir}, referral.Deps{
			DB: f.db, Bus: f.bus, Ring: crypt.TestRing(), Signer: f.Signer, Clock: clock.System(), Telemetry: telemetry.Discard(),
			Peers: referral.Peers{
				Directory: f.Dial("referral", "directory"), PatientRecord: f.Dial("referral", "patientrecord"), Scheduling: f.Dial("referral", "scheduling"),
			},
		})
		if (err == nil) != starts || err != nil && !strings.Contains(err.Error(), "own.yaml:5: rule DN-STR-90") {
			t.Errorf("%s: %v", when, err)
		}
	}
}
