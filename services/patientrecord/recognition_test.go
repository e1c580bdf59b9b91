package patientrecord_test

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// glycated is a patient with an HbA1c of ten days ago, made by the township.
func (f *fixture) glycated() (patient string) {
	f.t.Helper()
	in := imported("township")
	in.Entries = append(in.Entries, &patientrecordv1.ClinicalEntry{SourceIdentity: "hba1c", Resource: &patientrecordv1.ClinicalEntry_Observation{
		Observation: &patientrecordv1.Observation{
			Codes: []*commonv1.Coding{{System: "http://loinc.org", Code: "17856-6", Display: "HbA1c"}}, Text: "糖化血红蛋白", Category: "laboratory",
			Status: "final", Quantity: &patientrecordv1.Quantity{Value: 7.125, Unit: "%"}, PerformerId: "township",
			EffectiveTime: timestamppb.New(clock.System().Now().AddDate(0, 0, -10)),
		},
	}})
	done, err := f.cli.ImportRecord(f.t.Context(), in)
	if err != nil {
		f.t.Fatal(err)
	}
	return done.GetPatientId()
}

// pictured is the patient of glycated with a CT of five days ago, which the township's system reported.
func (f *fixture) pictured() (patient string) {
	f.t.Helper()
	in := imported("township")
	in.Entries = append(in.Entries, &patientrecordv1.ClinicalEntry{SourceIdentity: "ct", Resource: &patientrecordv1.ClinicalEntry_DiagnosticReport{
		DiagnosticReport: &patientrecordv1.DiagnosticReport{
			Codes: []*commonv1.Coding{{System: "urn:tongzhen:local:450321102", Code: "CT-CHEST", Display: "胸部CT"}}, Text: "胸部CT平扫", Category: "imaging",
			Status: "final", Findings: "双肺纹理清晰", Conclusion: "未见异常", EffectiveTime: timestamppb.New(clock.System().Now().AddDate(0, 0, -5)),
		},
	}})
	done, err := f.cli.ImportRecord(f.t.Context(), in)
	if err != nil {
		f.t.Fatal(err)
	}
	return done.GetPatientId()
}

func TestAReportTravelsAndIsRecognisedByTheReceiverBeforeArrival(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		patient, referral := f.pictured(), id.New()
		admin := f.as("county", "COUNTY_ADMIN")
		if _, err := f.recognition.UpdateRecognitionSettings(admin, &patientrecordv1.UpdateRecognitionSettingsRequest{
			Settings: &patientrecordv1.RecognitionSettings{Upper: true, Lower: true, Peers: true, Unknown: true}, RequestId: id.New(),
		}); err != nil {
			t.Fatal(err)
		}
		f.publish(&referralv1.Submitted{Meta: meta(2), Referral: &referralv1.ReferralFact{
			ReferralId: referral, PatientId: patient, State: referralv1.State_SUBMITTED, PreviousState: referralv1.State_DRAFT,
			Kind: commonv1.Kind_OUTPATIENT, Originator: &commonv1.Party{OrganizationId: "township"}, Receiver: &commonv1.Party{OrganizationId: "county"},
		}}, "submitted")
		desk := f.as("county", "INTAKE_DESK")
		f.until(func() (err error) {
			_, err = f.client.GetPackage(desk, &patientrecordv1.GetPackageRequest{ReferralId: referral})
			return err
		})
		there, err := f.recognition.ListRecognisable(desk, &patientrecordv1.ListRecognisableRequest{PatientId: patient, ReferralId: referral})
		if err != nil || len(there.GetRecognisable()) != 1 {
			t.Fatalf("%d recognisable: %v", len(there.GetRecognisable()), err)
		}
		if one := there.GetRecognisable()[0]; one.GetItemCode() != "CT-CHEST" || one.GetResults()[0].GetValue() != "双肺纹理清晰" {
			t.Errorf("recognisable: %s, %q", one.GetItemCode(), one.GetResults()[0].GetValue())
		}
		specialist := f.as("county", "SPECIALIST")
		in := &patientrecordv1.RecordOrderRequest{
			PatientId: patient, ReferralId: referral, RequestId: id.New(), Lines: []*patientrecordv1.OrderLine{{ItemCode: "CT-CHEST", Decision: "DROP"}},
		}
		if _, err := f.recognition.RecordOrder(specialist, in); err != nil {
			t.Fatal(err)
		}
		day := clock.System().Now().In(time.FixedZone("UTC+8", 8*60*60))
		figures, err := f.recognition.GetRecognitionStatistics(admin, &patientrecordv1.GetRecognitionStatisticsRequest{
			From: day.AddDate(0, 0, -1).Format(time.DateOnly), To: day.AddDate(0, 0, 1).Format(time.DateOnly), // it may be midnight just now
		})
		if err != nil {
			t.Fatal(err)
		}
		avoided := slices.ContainsFunc(figures.GetFigures(), func(row *patientrecordv1.RecognitionFigure) bool {
			return row.GetMeasure() == "AVOIDED" && row.GetNumerator() == 1
		})
		if !avoided {
			t.Errorf("figures %v", figures.GetFigures())
		}
	})
}

func TestAnOrderOfWhatIsThereIsAskedBackAndToldWhenDropped(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		patient, ctx := f.glycated(), f.as("township", "TOWNSHIP_DOCTOR")
		there, err := f.recognition.ListRecognisable(ctx, &patientrecordv1.ListRecognisableRequest{PatientId: patient})
		if err != nil || len(there.GetRecognisable()) != 1 {
			t.Fatalf("%d recognisable: %v", len(there.GetRecognisable()), err)
		}
		one := there.GetRecognisable()[0]
		if one.GetItemCode() != "HBA1C" || one.GetDirection() != "OWN" || one.GetMark() != "HR" || one.GetResults()[0].GetValue() != "7.125 %" ||
			one.GetValidUntil().AsTime().Sub(one.GetTime().AsTime()) != 90*24*time.Hour {
			t.Errorf("recognisable: %s from %s", one.GetItemCode(), one.GetDirection())
		}
		in := &patientrecordv1.RecordOrderRequest{PatientId: patient, RequestId: id.New(), Lines: []*patientrecordv1.OrderLine{{ItemCode: "HBA1C", Decision: "ORDER"}}}
		_, err = f.recognition.RecordOrder(ctx, in)
		if e, _ := errs.As(err); e == nil || len(e.Fields) != 1 || e.Fields[0].Name != "lines[0].decision" || e.Fields[0].Reason != errs.ReasonFieldRecognisable {
			t.Errorf("a plain order: %v", err)
		}
		in.Lines[0].Decision = "DROP"
		order, err := f.recognition.RecordOrder(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		again, err := f.recognition.RecordOrder(ctx, in)
		if err != nil || !proto.Equal(order, again) {
			t.Errorf("the repeat: %v", err)
		}
		listed, err := f.recognition.ListOrders(ctx, &patientrecordv1.ListOrdersRequest{PatientId: patient})
		if err != nil || len(listed.GetOrders()) != 1 || !proto.Equal(listed.GetOrders()[0], order) || order.GetLines()[0].GetItemName() != "糖化血红蛋白" {
			t.Errorf("listed: %v", err)
		}
		m := bustest.Receive(t, f.facts, "the registration")
		for m.Subject != "record.v1.450321.result_recognised" { // what was imported is told before
			m = bustest.Receive(t, f.facts, "the recognition")
		}
		var fact patientrecordv1.ResultRecognised
		if err := proto.Unmarshal(m.Payload, &fact); err != nil {
			t.Fatal(err)
		}
		if r := fact.GetRecognition(); !r.GetAvoided() || r.GetItemCode() != "HBA1C" || r.GetOrderId() != order.GetId() ||
			r.GetPerformingOrganizationId() != "township" || len(r.GetEntryIds()) != 1 {
			t.Errorf("fact %s of %s", m.Subject, r.GetItemCode())
		}
	})
}

func TestTheCatalogueIsReadByAllAndWrittenByTheAdministrator(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		doctor, admin := f.as("township", "TOWNSHIP_DOCTOR"), f.as("county", "COUNTY_ADMIN")
		found, err := f.recognition.ListRecognitionItems(doctor, &patientrecordv1.ListRecognitionItemsRequest{Query: "xcg"})
		if err != nil || len(found.GetItems()) != 1 || found.GetItems()[0].GetCode() != "CBC" {
			t.Fatalf("by initials: %v %v", found.GetItems(), err)
		}
		item := proto.CloneOf(found.GetItems()[0])
		item.OutpatientDays, item.Price = 5, 2000
		change := &patientrecordv1.UpdateRecognitionItemRequest{Item: item, RequestId: id.New()}
		_, err = f.recognition.UpdateRecognitionItem(doctor, change)
		f.reason(err, errs.ReasonRole)
		changed, err := f.recognition.UpdateRecognitionItem(admin, change)
		if err != nil || changed.GetVersion() != 1 || changed.GetOutpatientDays() != 5 || !changed.GetChanged() || !changed.GetShipped() {
			t.Fatalf("changed: %v %v", changed, err)
		}
		if again, err := f.recognition.UpdateRecognitionItem(admin, change); err != nil || again.GetVersion() != 1 {
			t.Errorf("the repeat: %v", err)
		}
		_, err = f.recognition.UpdateRecognitionItem(admin, &patientrecordv1.UpdateRecognitionItemRequest{Item: item, RequestId: id.New()})
		f.reason(err, errs.ReasonStaleVersion)
		undone, err := f.recognition.UpdateRecognitionItem(admin, &patientrecordv1.UpdateRecognitionItemRequest{Item: changed, Reset_: true, RequestId: id.New()})
		if err != nil || undone.GetOutpatientDays() != 7 || undone.GetChanged() || undone.GetVersion() != 2 || undone.GetPrice() != 0 {
			t.Errorf("undone: %v %v", undone, err)
		}
		history, err := f.recognition.ListRecognitionChanges(admin, &patientrecordv1.ListRecognitionChangesRequest{ItemCode: "CBC"})
		if err != nil || len(history.GetChanges()) != 2 || !history.GetChanges()[0].GetReset_() || history.GetChanges()[1].GetAccountId() == "" {
			t.Errorf("history: %v %v", history, err)
		}
		_, err = f.recognition.ListRecognisable(admin, &patientrecordv1.ListRecognisableRequest{PatientId: id.New()})
		f.reason(err, errs.ReasonRole)
		set, err := f.recognition.GetRecognitionSettings(doctor, &patientrecordv1.GetRecognitionSettingsRequest{})
		if err != nil || !set.GetUpper() || set.GetLower() || set.GetPeers() || set.GetUnknown() {
			t.Errorf("as shipped: %v %v", set, err)
		}
	})
}
