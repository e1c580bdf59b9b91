package patientrecord_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

func imported(organization string) *patientrecordv1.ImportRecordRequest {
	now := timestamppb.New(clock.System().Now().Add(-time.Hour))
	codes := func(s string) []*commonv1.Coding {
		return []*commonv1.Coding{{System: "http://loinc.org", Code: s, Display: "display " + s}}
	}
	return &patientrecordv1.ImportRecordRequest{
		County: county, OrganizationId: organization, SourceSystem: "urn:test", PatientIdentity: "p-1",
		Patient: &patientrecordv1.Patient{Name: "Elisha Bradtke", Sex: commonv1.Sex_MALE, BirthDate: "1970-05-24"},
		Entries: []*patientrecordv1.ClinicalEntry{
			{SourceIdentity: "1", Resource: &patientrecordv1.ClinicalEntry_Problem{Problem: &patientrecordv1.Problem{Text: "脑梗死", ClinicalStatus: "active", OnsetTime: now}}},
			{SourceIdentity: "2", Resource: &patientrecordv1.ClinicalEntry_Allergy{Allergy: &patientrecordv1.Allergy{Text: "青霉素", ClinicalStatus: "active", RecordedTime: now}}},
			{SourceIdentity: "3", Resource: &patientrecordv1.ClinicalEntry_Medication{Medication: &patientrecordv1.Medication{Text: "阿司匹林", Status: "active", AuthoredTime: now}}},
			{SourceIdentity: "4", Resource: &patientrecordv1.ClinicalEntry_Observation{Observation: &patientrecordv1.Observation{
				Codes: codes("85354-9"), Status: "final", Category: "vital-signs", EffectiveTime: now,
				Components: []*patientrecordv1.ObservationComponent{{Code: codes("8480-6")[0], Quantity: &patientrecordv1.Quantity{Value: 141, Unit: "mm[Hg]"}}},
			}}},
			{SourceIdentity: "5", Resource: &patientrecordv1.ClinicalEntry_Procedure{Procedure: &patientrecordv1.Procedure{Text: "CT", Status: "completed", PerformedTime: now}}},
			{SourceIdentity: "6", Resource: &patientrecordv1.ClinicalEntry_Immunization{Immunization: &patientrecordv1.Immunization{Text: "流感", Status: "completed", OccurrenceTime: now}}},
			{SourceIdentity: "7", Resource: &patientrecordv1.ClinicalEntry_Encounter{Encounter: &patientrecordv1.Encounter{Text: "门诊", Status: "finished", StartTime: now}}},
			{SourceIdentity: "8", Resource: &patientrecordv1.ClinicalEntry_DiagnosticReport{DiagnosticReport: &patientrecordv1.DiagnosticReport{Text: "血常规", Status: "final", EffectiveTime: now}}},
		},
	}
}

func TestImportedRecordReachesTheReceiverWithTheReferral(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		in := imported("township")
		for i, want := range []*patientrecordv1.ImportRecordResponse{{PatientCreated: true, Created: 8}, {Unchanged: 8}} {
			done, err := f.cli.ImportRecord(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			want.PatientId = done.GetPatientId()
			if !proto.Equal(done, want) {
				t.Errorf("import %d: %v", i, done)
			}
		}
		doctor := f.as("township", "TOWNSHIP_DOCTOR")
		found, err := f.client.SearchPatients(doctor, &patientrecordv1.SearchPatientsRequest{Query: "bradtke"})
		if err != nil || len(found.GetPatients()) != 1 {
			t.Fatalf("%d found, %v", len(found.GetPatients()), err)
		}
		patient := found.GetPatients()[0].GetId()
		summary, err := f.client.GetSummary(doctor, &patientrecordv1.GetSummaryRequest{PatientId: patient})
		if err != nil {
			t.Fatal(err)
		}
		want := proto.CloneOf(in.GetEntries()[3].GetObservation())
		want.Id = summary.GetRecentResults()[0].GetId()
		if !proto.Equal(summary.GetRecentResults()[0], want) || want.GetId() == "" {
			t.Errorf("observation %v", summary.GetRecentResults()[0])
		}
		if summary.GetProblems()[0].GetText() != "脑梗死" || summary.GetAllergies()[0].GetText() != "青霉素" || summary.GetMedications()[0].GetText() != "阿司匹林" ||
			summary.GetProcedures()[0].GetText() != "CT" || summary.GetImmunizations()[0].GetText() != "流感" || summary.GetRecentEncounters()[0].GetText() != "门诊" {
			t.Error("the summary is not whole")
		}
		results, err := f.client.ListResults(doctor, &patientrecordv1.ListResultsRequest{PatientId: patient})
		if err != nil || len(results.GetResults()) != 1 || results.GetNextPageToken() != "" {
			t.Errorf("results: %v", err)
		}

		referral := id.New()
		f.publish(&referralv1.Submitted{Meta: meta(2), Referral: &referralv1.ReferralFact{
			ReferralId: referral, PatientId: patient, State: referralv1.State_SUBMITTED, PreviousState: referralv1.State_DRAFT,
			Kind: commonv1.Kind_OUTPATIENT, Originator: &commonv1.Party{OrganizationId: "township"}, Receiver: &commonv1.Party{OrganizationId: "county"},
		}}, "submitted")
		desk := f.as("county", "INTAKE_DESK")
		var p *patientrecordv1.Package
		f.until(func() (err error) {
			p, err = f.client.GetPackage(desk, &patientrecordv1.GetPackageRequest{ReferralId: referral})
			return err
		})
		if p.GetPatientId() != patient || len(p.GetResults()) != 1 || len(p.GetReports()) != 1 || p.GetReports()[0].GetText() != "血常规" || p.GetReports()[0].GetId() == "" || len(p.GetSummary().GetProblems()) != 1 || p.GetSummary().GetPatient().GetAccess() != patientrecordv1.Access_PACKAGE {
			t.Errorf("package of %s", p.GetPatientId())
		}
		_, err = f.client.GetSummary(desk, &patientrecordv1.GetSummaryRequest{PatientId: patient})
		f.reason(err, errs.ReasonBreakGlassRequired)
		f.publish(&referralv1.Arrived{Meta: meta(4), Referral: &referralv1.ReferralFact{
			ReferralId: referral, PatientId: patient, State: referralv1.State_ARRIVED, PreviousState: referralv1.State_ACCEPTED,
			Originator: &commonv1.Party{OrganizationId: "township"}, Receiver: &commonv1.Party{OrganizationId: "county"},
		}}, "arrived")
		f.until(func() error {
			_, err := f.client.GetSummary(desk, &patientrecordv1.GetSummaryRequest{PatientId: patient})
			return err
		})
		for _, mark := range []string{"Elisha", "Bradtke", "脑梗死", "青霉素", "1970-05-24"} {
			if strings.Contains(f.log.String(), mark) {
				t.Errorf("the log holds %q", mark)
			}
		}
	})
}

func TestTheCentreThatFollowsUpReadsTheRecord(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		done, err := f.cli.ImportRecord(t.Context(), imported("county"))
		if err != nil {
			t.Fatal(err)
		}
		read := func() error {
			_, err := f.client.GetSummary(f.as("township", "TOWNSHIP_DOCTOR"), &patientrecordv1.GetSummaryRequest{PatientId: done.GetPatientId()})
			return err
		}
		f.reason(read(), errs.ReasonNotFound)
		down := &referralv1.ReferralFact{
			ReferralId: id.New(), PatientId: done.GetPatientId(), Direction: commonv1.Direction_DOWN, Kind: commonv1.Kind_REHABILITATION,
			State: referralv1.State_FOLLOW_UP, PreviousState: referralv1.State_ARRIVED,
			Originator: &commonv1.Party{OrganizationId: "county", DepartmentCode: "0304"}, Receiver: &commonv1.Party{OrganizationId: "township"},
		}
		f.publish(&referralv1.FollowUpBegun{Meta: meta(5), Referral: down}, "follow_up_begun")
		f.until(read)
	})
}

func TestImportNamesTheEntryThatIsWrong(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		in := imported("township")
		in.Entries[5].SourceIdentity = "1"
		_, err := f.cli.ImportRecord(t.Context(), in)
		e, _ := errs.As(err)
		if e == nil || len(e.Fields) != 1 || e.Fields[0].Name != "entries[5].sourceIdentity" {
			t.Errorf("%v", err)
		}
		in = imported("township")
		in.Entries[2].Resource = nil
		if _, err = f.cli.ImportRecord(t.Context(), in); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("%v", err)
		}
	})
}

func meta(version int32) *commonv1.FactMeta {
	return &commonv1.FactMeta{
		FactId: id.New(), County: county, AggregateVersion: version, OccurTime: timestamppb.New(clock.System().Now()),
		Actor: &commonv1.Actor{AccountId: id.New(), OrganizationId: "township"},
	}
}

func (f *fixture) publish(m interface {
	proto.Message
	GetMeta() *commonv1.FactMeta
}, event string) {
	f.t.Helper()
	payload, err := proto.Marshal(m)
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.bus.Publish(f.t.Context(), bus.Msg{
		Subject: "referral.v1." + county + "." + event, ID: m.GetMeta().GetFactId(), Type: string(m.ProtoReflect().Descriptor().FullName()), Payload: payload,
	}); err != nil {
		f.t.Fatal(err)
	}
}

// until asks again until the fact has been taken in: its effect is seen in answers only.
func (f *fixture) until(ask func() error) {
	f.t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	limit := time.After(20 * time.Second)
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-again.C:
		case <-limit:
			f.t.Fatal(err)
		}
	}
}
