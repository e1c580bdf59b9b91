package patientrecord_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

func ago(d time.Duration) *timestamppb.Timestamp {
	return timestamppb.New(clock.System().Now().Add(-d).Truncate(time.Second))
}

func coding(code string) *commonv1.Coding {
	return &commonv1.Coding{System: "http://loinc.org", Code: code}
}

func bloodPressure(systolic, diastolic float64, at *timestamppb.Timestamp) *patientrecordv1.ClinicalEntry {
	part := func(code string, v float64) *patientrecordv1.ObservationComponent {
		return &patientrecordv1.ObservationComponent{Code: coding(code), Quantity: &patientrecordv1.Quantity{Value: v, Unit: "mm[Hg]"}}
	}
	return &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Observation{Observation: &patientrecordv1.Observation{
		Codes: []*commonv1.Coding{coding("85354-9")}, Text: "血压", Category: "vital-signs", Status: "final", EffectiveTime: at,
		Components: []*patientrecordv1.ObservationComponent{part("8480-6", systolic), part("8462-4", diastolic)},
	}}}
}

func allergyTo(text, code string) *patientrecordv1.ClinicalEntry {
	a := &patientrecordv1.Allergy{Text: text, ClinicalStatus: "active"}
	if code != "" {
		a.Codes = []*commonv1.Coding{{System: "http://snomed.info/sct", Code: code}}
	}
	return &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Allergy{Allergy: a}}
}

func visitEntry(status string, end *timestamppb.Timestamp) *patientrecordv1.ClinicalEntry {
	return &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Encounter{Encounter: &patientrecordv1.Encounter{
		ClassCode: "AMB", Text: "门诊", Status: status, StartTime: ago(time.Hour), EndTime: end,
	}}}
}

func noteEntry(text string) *patientrecordv1.ClinicalEntry {
	return &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Note{Note: &patientrecordv1.Note{
		Title: "门诊记录", Text: text, Category: "VISIT", Status: "final", WrittenTime: ago(time.Minute),
	}}}
}

// written is a record service with one patient of the township.
type written struct {
	*fixture
	record  patientrecordv1.ClinicalRecordServiceClient
	patient string
}

func eachWritten(t *testing.T, fn func(t *testing.T, f written)) {
	each(t, func(t *testing.T, f *fixture) {
		p, err := f.client.RegisterPatient(f.as("township", "TOWNSHIP_DOCTOR"), zeng())
		if err != nil {
			t.Fatal(err)
		}
		bustest.Receive(t, f.facts, "the registration")
		fn(t, written{f, patientrecordv1.NewClinicalRecordServiceClient(f.Dial("gateway", "patientrecord")), p.GetId()})
	})
}

func (f written) put(drafts ...*patientrecordv1.EntryDraft) []*patientrecordv1.RecordEntry {
	f.t.Helper()
	out, err := f.record.RecordEntries(f.as("township", "TOWNSHIP_DOCTOR"), &patientrecordv1.RecordEntriesRequest{
		RequestId: id.New(), PatientId: f.patient, Entries: drafts,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return out.GetEntries()
}

func draft(content *patientrecordv1.ClinicalEntry) *patientrecordv1.EntryDraft {
	return &patientrecordv1.EntryDraft{Content: content}
}

func TestWhatAPersonWritesIsSeenByEverybodyWhoReadsTheRecord(t *testing.T) {
	eachWritten(t, func(t *testing.T, f written) {
		doctor := f.as("township", "TOWNSHIP_DOCTOR")
		in := &patientrecordv1.RecordEntriesRequest{RequestId: id.New(), PatientId: f.patient, Entries: []*patientrecordv1.EntryDraft{
			draft(bloodPressure(152, 94, ago(time.Minute))), draft(allergyTo("青霉素", "")),
		}}
		first, err := f.record.RecordEntries(doctor, in)
		if err != nil {
			t.Fatal(err)
		}
		again, err := f.record.RecordEntries(doctor, in)
		if err != nil || !proto.Equal(first, again) {
			t.Errorf("the repeat: %v %v", again, err)
		}
		got := first.GetEntries()[0]
		if got.GetVersion() != 1 || got.GetChange() != "RECORDED" || got.GetOrganizationId() != "township" || got.GetAuthor().GetAccountId() == "" || got.GetSealed() || len(got.GetActions()) != 3 {
			t.Errorf("%v", got)
		}
		m := bustest.Receive(t, f.facts, "the result")
		var fact patientrecordv1.ResultRecorded
		if err := proto.Unmarshal(m.Payload, &fact); err != nil {
			t.Fatal(err)
		}
		if m.Subject != "record.v1.450321.result_recorded" || fact.GetEntryId() != got.GetId() || fact.GetKind() != "OBSERVATION" || len(fact.GetCodes()) != 3 ||
			len(fact.GetMeta().GetAudience()) != 1 || fact.GetMeta().GetAudience()[0] != "org:township" {
			t.Errorf("%s %v", m.Subject, &fact)
		}
		summary, err := f.client.GetSummary(doctor, &patientrecordv1.GetSummaryRequest{PatientId: f.patient})
		if err != nil || len(summary.GetAllergies()) != 1 || len(summary.GetRecentResults()) != 1 {
			t.Errorf("%v %v", summary, err)
		}
		values, err := f.referral.GetClinicalValues(rpc.WithCounty(t.Context(), county), &patientrecordv1.GetSnapshotRequest{PatientId: f.patient, OrganizationId: "township"})
		if err != nil || len(values.GetObservations()) != 2 || values.GetObservations()[0].GetQuantity().GetValue() != 152 {
			t.Errorf("the criteria see %v %v", values, err)
		}
		trends, err := f.record.GetTrends(doctor, &patientrecordv1.GetTrendsRequest{PatientId: f.patient, Names: []string{"blood_pressure"}})
		if err != nil || len(trends.GetTrends()) != 1 || len(trends.GetTrends()[0].GetLines()) != 2 {
			t.Fatalf("%v %v", trends, err)
		}
		if line := trends.GetTrends()[0].GetLines()[1]; len(line.GetPoints()) != 1 || line.GetPoints()[0].GetValue() != 94 || line.GetRange().GetHigh() != 90 {
			t.Errorf("%v", line)
		}
		_, err = f.record.GetTrends(doctor, &patientrecordv1.GetTrendsRequest{PatientId: f.patient, Names: []string{"mood"}})
		f.reason(err, errs.ReasonFieldUnknown)
	})
}

func TestWhatIsNotPlausibleNamesFieldAndBounds(t *testing.T) {
	eachWritten(t, func(t *testing.T, f written) {
		_, err := f.record.RecordEntries(f.as("township", "TOWNSHIP_DOCTOR"), &patientrecordv1.RecordEntriesRequest{
			PatientId: f.patient, Entries: []*patientrecordv1.EntryDraft{draft(allergyTo("", "")), draft(bloodPressure(1500, 94, ago(-time.Hour)))},
		})
		e, _ := errs.As(err)
		if e == nil || len(e.Fields) != 3 {
			t.Fatal(err)
		}
		if f := e.Fields[2]; f.Name != "entries[1].value.sbp" || f.Meta["min"] != "20" || f.Meta["max"] != "300" || f.Meta["unit"] != "mm[Hg]" {
			t.Errorf("%+v", f)
		}
		if e.Fields[0].Name != "entries[0].text" || e.Fields[1].Meta["cause"] != "FUTURE" {
			t.Errorf("%+v", e.Fields)
		}
		list, err := f.record.ListEntries(f.as("township", "TOWNSHIP_DOCTOR"), &patientrecordv1.ListEntriesRequest{PatientId: f.patient})
		if err != nil || len(list.GetEntries()) != 0 {
			t.Errorf("something of it was written: %v %v", list, err)
		}
	})
}

func TestNoKnownAllergyIsNotSaidOfWhoHasOne(t *testing.T) {
	eachWritten(t, func(t *testing.T, f written) {
		f.put(draft(allergyTo("无已知过敏", "716186003")))
		penicillin := f.put(draft(allergyTo("青霉素", "")))[0]
		summary, err := f.client.GetSummary(f.as("township", "TOWNSHIP_DOCTOR"), &patientrecordv1.GetSummaryRequest{PatientId: f.patient})
		if list := summary.GetAllergies(); err != nil || len(list) != 1 || list[0].GetText() != "青霉素" {
			t.Errorf("the summary says %v: %v", list, err)
		}
		_, err = f.record.RecordEntries(f.as("township", "TOWNSHIP_DOCTOR"), &patientrecordv1.RecordEntriesRequest{
			PatientId: f.patient, Entries: []*patientrecordv1.EntryDraft{draft(allergyTo("无已知过敏", "716186003"))},
		})
		if e, _ := errs.As(err); e == nil || len(e.Fields) != 1 || e.Fields[0].Meta["cause"] != "ALLERGY" {
			t.Error(err)
		}
		_, err = f.record.RecordEntries(f.as("township", "TOWNSHIP_DOCTOR"), &patientrecordv1.RecordEntriesRequest{
			PatientId: f.patient, Entries: []*patientrecordv1.EntryDraft{draft(allergyTo("无已知过敏", "716186003")), draft(allergyTo("磺胺", ""))},
		})
		if e, _ := errs.As(err); e == nil || len(e.Fields) != 1 || e.Fields[0].Name != "entries[0].text" {
			t.Errorf("both in one request: %v", err)
		}
		sulfa := f.put(draft(allergyTo("磺胺", "")))[0]
		_, err = f.record.AmendEntry(f.as("township", "TOWNSHIP_DOCTOR"), &patientrecordv1.ChangeEntryRequest{
			PatientId: f.patient, Id: sulfa.GetId(), Version: 1, Content: allergyTo("无已知过敏", "716186003"),
		})
		f.reason(err, errs.ReasonFieldCombination)
		if _, err := f.record.MarkEnteredInError(f.as("township", "TOWNSHIP_DOCTOR"), &patientrecordv1.ChangeEntryRequest{
			PatientId: f.patient, Id: penicillin.GetId(), Version: 1, ReasonCode: "WRONG_PATIENT",
		}); err != nil {
			t.Fatal(err)
		}
		if _, err = f.record.AmendEntry(f.as("township", "TOWNSHIP_DOCTOR"), &patientrecordv1.ChangeEntryRequest{
			PatientId: f.patient, Id: sulfa.GetId(), Version: 1, Content: allergyTo("无已知过敏", "716186003"),
		}); err != nil {
			t.Errorf("the last allergy was a mistake: %v", err)
		}
	})
}

func TestAVisitThatEndedIsCorrectedAndNotChanged(t *testing.T) {
	eachWritten(t, func(t *testing.T, f written) {
		doctor, head := f.as("township", "TOWNSHIP_DOCTOR"), f.as("township", "CENTRE_HEAD")
		visit := f.put(draft(visitEntry("in-progress", nil)))[0]
		under := draft(noteEntry("one"))
		under.EncounterId = visit.GetId()
		note := f.put(under)[0]
		change := func(version int32, text, reason string) *patientrecordv1.ChangeEntryRequest {
			return &patientrecordv1.ChangeEntryRequest{
				RequestId: id.New(), PatientId: f.patient, Id: note.GetId(), Version: version, Content: noteEntry(text), ReasonCode: reason,
			}
		}
		in := change(1, "two", "")
		second, err := f.record.AmendEntry(doctor, in)
		if err != nil || second.GetVersion() != 2 || second.GetChange() != "AMENDED" || second.GetContent().GetNote().GetText() != "two" {
			t.Fatal(second, err)
		}
		if again, err := f.record.AmendEntry(doctor, in); err != nil || !proto.Equal(again, second) {
			t.Errorf("the repeat: %v %v", again, err)
		}
		_, err = f.record.AmendEntry(doctor, change(1, "late", ""))
		f.reason(err, errs.ReasonStaleVersion)
		_, err = f.record.AmendEntry(doctor, change(0, "blind", ""))
		f.reason(err, errs.ReasonVersionRequired)
		_, err = f.record.AmendEntry(head, change(2, "over the author's head", ""))
		f.reason(err, errs.ReasonNotTheAuthor)

		if _, err = f.record.AmendEntry(doctor, &patientrecordv1.ChangeEntryRequest{
			PatientId: f.patient, Id: visit.GetId(), Version: 1, Content: visitEntry("finished", ago(0)),
		}); err != nil {
			t.Fatal(err)
		}
		_, err = f.record.AmendEntry(doctor, change(2, "three", ""))
		f.reason(err, errs.ReasonEntrySealed)
		_, err = f.record.RecordEntries(doctor, &patientrecordv1.RecordEntriesRequest{PatientId: f.patient, Entries: []*patientrecordv1.EntryDraft{under}})
		f.reason(err, errs.ReasonEntrySealed)
		_, err = f.record.CorrectEntry(doctor, change(2, "three", ""))
		f.reason(err, errs.ReasonFieldRequired)
		third, err := f.record.CorrectEntry(head, change(2, "three", "WRONG_VALUE"))
		if err != nil || !third.GetAfterSealing() || !third.GetSealed() || third.GetReasonCode() != "WRONG_VALUE" || third.GetAuthor().GetAccountId() != note.GetAuthor().GetAccountId() {
			t.Fatal(third, err)
		}
		wrong := change(3, "", "WRONG_PATIENT")
		gone, err := f.record.MarkEnteredInError(doctor, wrong)
		if err != nil || gone.GetStatus() != "entered-in-error" || gone.GetContent().GetNote().GetText() != "three" {
			t.Fatal(gone, err)
		}
		_, err = f.record.CorrectEntry(doctor, change(4, "again", "WRONG_VALUE"))
		f.reason(err, errs.ReasonEntryWithdrawn)
		versions, err := f.record.ListEntryVersions(doctor, &patientrecordv1.GetEntryRequest{PatientId: f.patient, Id: note.GetId()})
		if err != nil || len(versions.GetVersions()) != 4 || versions.GetVersions()[3].GetContent().GetNote().GetText() != "one" {
			t.Errorf("%v %v", versions, err)
		}
		list, err := f.record.ListEntries(doctor, &patientrecordv1.ListEntriesRequest{PatientId: f.patient, Kinds: []string{"NOTE", "ENCOUNTER"}})
		if err != nil || len(list.GetEntries()) != 1 || list.GetEntries()[0].GetVersion() != 2 {
			t.Errorf("%v %v", list, err)
		}
	})
}

func TestARecordIsForThoseWhoSeeAllOfIt(t *testing.T) {
	eachWritten(t, func(t *testing.T, f written) {
		note := f.put(draft(noteEntry("one")))[0]
		stranger := f.as("elsewhere", "TOWNSHIP_DOCTOR")
		for _, call := range []func() error{
			func() error {
				_, err := f.record.ListEntries(stranger, &patientrecordv1.ListEntriesRequest{PatientId: f.patient})
				return err
			},
			func() error {
				_, err := f.record.GetEntry(stranger, &patientrecordv1.GetEntryRequest{PatientId: f.patient, Id: note.GetId()})
				return err
			},
			func() error {
				_, err := f.record.ListEntryVersions(stranger, &patientrecordv1.GetEntryRequest{PatientId: f.patient, Id: note.GetId()})
				return err
			},
			func() error {
				_, err := f.record.GetTrends(stranger, &patientrecordv1.GetTrendsRequest{PatientId: f.patient})
				return err
			},
			func() error {
				_, err := f.record.RecordEntries(stranger, &patientrecordv1.RecordEntriesRequest{PatientId: f.patient, Entries: []*patientrecordv1.EntryDraft{draft(noteEntry("x"))}})
				return err
			},
			func() error {
				_, err := f.record.MarkEnteredInError(stranger, &patientrecordv1.ChangeEntryRequest{PatientId: f.patient, Id: note.GetId(), Version: 1, ReasonCode: "DUPLICATE"})
				return err
			},
		} {
			f.reason(call(), errs.ReasonNotFound)
		}
		second, err := f.client.RegisterPatient(f.as("township", "TOWNSHIP_DOCTOR"), &patientrecordv1.RegisterPatientRequest{
			RequestId: id.New(), Name: "曾小红", Sex: commonv1.Sex_FEMALE, BirthDate: "1960-01-01", DocumentType: patientrecordv1.DocumentType_NONE, NoDocumentReason: "LOST",
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.record.GetEntry(f.as("township", "TOWNSHIP_DOCTOR"), &patientrecordv1.GetEntryRequest{PatientId: second.GetId(), Id: note.GetId()})
		f.reason(err, errs.ReasonNotFound)
		foreign := draft(noteEntry("x"))
		foreign.ReferralId = id.New()
		_, err = f.record.RecordEntries(f.as("township", "TOWNSHIP_DOCTOR"), &patientrecordv1.RecordEntriesRequest{PatientId: f.patient, Entries: []*patientrecordv1.EntryDraft{foreign}})
		f.reason(err, errs.ReasonFieldUnknown)
	})
}

func TestWhatWasImportedIsCorrectedAtItsSource(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		done, err := f.cli.ImportRecord(t.Context(), imported("township"))
		if err != nil {
			t.Fatal(err)
		}
		record := patientrecordv1.NewClinicalRecordServiceClient(f.Dial("gateway", "patientrecord"))
		doctor := f.as("township", "TOWNSHIP_DOCTOR")
		list, err := record.ListEntries(doctor, &patientrecordv1.ListEntriesRequest{PatientId: done.GetPatientId()})
		if err != nil || len(list.GetEntries()) != 8 {
			t.Fatal(len(list.GetEntries()), err)
		}
		kinds := map[string]bool{}
		for _, e := range list.GetEntries() {
			kinds[e.GetKind()] = true
			if e.GetChange() != "IMPORTED" || len(e.GetActions()) != 0 || !e.GetSealed() || e.GetContent().GetResource() == nil {
				t.Errorf("%v", e)
			}
			_, err := record.MarkEnteredInError(doctor, &patientrecordv1.ChangeEntryRequest{PatientId: done.GetPatientId(), Id: e.GetId(), Version: 1, ReasonCode: "DUPLICATE"})
			f.reason(err, errs.ReasonEntryElsewhere)
		}
		if len(kinds) != 8 {
			t.Errorf("%v", kinds)
		}
		own := imported("township")
		own.SourceSystem = "tongzhen"
		_, err = f.cli.ImportRecord(t.Context(), own)
		f.reason(err, errs.ReasonFieldInvalid)
	})
}
