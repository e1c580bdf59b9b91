package patientrecord_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

// Invariant 9.
// told is the next fact that is not about a result.
func (f *fixture) told(t *testing.T, what string) bus.Msg {
	t.Helper()
	for {
		if m := bustest.Receive(t, f.facts, what); !strings.HasSuffix(m.Subject, ".result_recorded") {
			return m
		}
	}
}

func TestADischargeIsToldByIDsAndCodes(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		end := clock.System().Now().Add(-time.Hour).Truncate(time.Microsecond)
		in := imported("township")
		in.Entries = append(in.Entries, &patientrecordv1.ClinicalEntry{SourceIdentity: "9", Resource: &patientrecordv1.ClinicalEntry_Encounter{
			Encounter: &patientrecordv1.Encounter{
				ClassCode: "IMP", Status: "finished", Text: "住院", Reason: "脑梗死", StartTime: timestamppb.New(end.AddDate(0, 0, -9)), EndTime: timestamppb.New(end),
				OrganizationId: "county", DepartmentCode: "0304", DiagnosisCodes: []string{"I63.900", "脑梗死", "high blood pressure"}, DischargeWay: "3",
			},
		}})
		done, err := f.cli.ImportRecord(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		m := f.told(t, "the registration")
		if m.Subject != "record.v1.450321.patient_registered" {
			t.Errorf("first %s", m.Subject)
		}
		m = f.told(t, "the discharge")
		var fact patientrecordv1.EncounterClosed
		if err := proto.Unmarshal(m.Payload, &fact); err != nil {
			t.Fatal(err)
		}
		got := fact.GetEncounter()
		want := &patientrecordv1.EncounterFact{
			EncounterId: fact.GetMeta().GetAggregateId(), PatientId: done.GetPatientId(), OrganizationId: "county", DepartmentCode: "0304", Class: "IMP",
			StartTime: timestamppb.New(end.AddDate(0, 0, -9)), EndTime: timestamppb.New(end), DiagnosisCodes: []string{"I63.900"},
			HomeOrganizationId: "township", DischargeWay: "3",
		}
		if m.Subject != "record.v1.450321.encounter_closed" || got.GetEncounterId() == "" || !proto.Equal(got, want) || fact.GetMeta().GetAggregateVersion() != 1 {
			t.Errorf("%s\n got %v\nwant %v", m.Subject, got, want)
		}
		summary, err := f.client.GetSummary(f.as("county", "SPECIALIST"), &patientrecordv1.GetSummaryRequest{PatientId: done.GetPatientId()})
		if err != nil {
			t.Fatal(err)
		}
		kept := proto.CloneOf(in.GetEntries()[8].GetEncounter())
		kept.Id = got.GetEncounterId()
		found := false
		for _, e := range summary.GetRecentEncounters() {
			found = found || proto.Equal(e, kept)
		}
		if !found {
			t.Errorf("the record has %v", summary.GetRecentEncounters())
		}
		in.Entries[8].GetEncounter().Status = "entered-in-error"
		if _, err := f.cli.ImportRecord(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		m = f.told(t, "that it never was")
		var never patientrecordv1.EncounterCancelled
		if err := proto.Unmarshal(m.Payload, &never); err != nil {
			t.Fatal(err)
		}
		if m.Subject != "record.v1.450321.encounter_cancelled" || !proto.Equal(never.GetEncounter(), want) ||
			never.GetMeta().GetAggregateId() != got.GetEncounterId() || never.GetMeta().GetAggregateVersion() != 2 {
			t.Errorf("%s\n got %v\nwant %v", m.Subject, &never, want)
		}
	})
}

// pressure is a panel of a systolic and a diastolic value.
func pressure(identity string, ago time.Duration, systolic, diastolic float64) *patientrecordv1.ClinicalEntry {
	part := func(code string, v float64) *patientrecordv1.ObservationComponent {
		return &patientrecordv1.ObservationComponent{
			Code: &commonv1.Coding{System: "http://loinc.org", Code: code, Display: code}, Quantity: &patientrecordv1.Quantity{Value: v, Unit: "mm[Hg]"},
		}
	}
	return &patientrecordv1.ClinicalEntry{SourceIdentity: identity, Resource: &patientrecordv1.ClinicalEntry_Observation{Observation: &patientrecordv1.Observation{
		Codes: []*commonv1.Coding{{System: "http://loinc.org", Code: "85354-9"}}, Text: "血压", Status: "final",
		EffectiveTime: timestamppb.New(clock.System().Now().Add(-ago)),
		Components:    []*patientrecordv1.ObservationComponent{part("8480-6", systolic), part("8462-4", diastolic)},
	}}}
}

func TestClinicalValuesAreTheLatestWithPanelsTakenApart(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		in := imported("township")
		in.Entries = append(in.Entries[:3:3], pressure("old", 48*time.Hour, 181, 111), pressure("new", 24*time.Hour, 142, 91))
		alone := pressure("alone", time.Hour, 0, 0)
		o := alone.GetObservation()
		o.Codes, o.Text, o.Quantity, o.Components = []*commonv1.Coding{{System: "http://loinc.org", Code: "8480-6"}}, "收缩压", &patientrecordv1.Quantity{Value: 135}, nil
		in.Entries = append(in.Entries, alone)
		done, err := f.cli.ImportRecord(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		ctx := rpc.WithCounty(t.Context(), county)
		ask := &patientrecordv1.GetSnapshotRequest{PatientId: done.GetPatientId(), OrganizationId: "township"}
		got, err := f.referral.GetClinicalValues(ctx, ask)
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]float64{}
		for _, one := range got.GetObservations() {
			values[one.GetCodes()[0].GetCode()] = one.GetQuantity().GetValue()
			if one.GetId() == "" || one.GetEffectiveTime() == nil || len(one.GetComponents()) > 0 {
				t.Errorf("value %v", one)
			}
		}
		if len(values) != 2 || len(got.GetObservations()) != 2 || values["8480-6"] != 135 || values["8462-4"] != 91 {
			t.Errorf("values %v", values)
		}
		if !got.GetAllergiesRecorded() {
			t.Error("the allergy on record is not told")
		}
		if len(got.GetProblems()) != 1 || got.GetProblems()[0].GetText() != "脑梗死" || len(got.GetMedications()) != 1 {
			t.Errorf("%v, %v", got.GetProblems(), got.GetMedications())
		}
		snapshot, err := f.referral.GetSnapshot(ctx, ask)
		if err != nil || snapshot.GetHomeOrganizationId() != "township" {
			t.Errorf("home %q, %v", snapshot.GetHomeOrganizationId(), err)
		}
		_, err = f.client.GetClinicalValues(f.as("township", "TOWNSHIP_DOCTOR"), ask)
		f.reason(err, errs.ReasonRole)
		_, err = f.cli.GetClinicalValues(ctx, ask)
		f.reason(err, errs.ReasonRole)
		ask.OrganizationId = "elsewhere"
		_, err = f.referral.GetClinicalValues(ctx, ask)
		f.reason(err, errs.ReasonNotFound)
	})
}
