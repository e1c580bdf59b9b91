package fhir_test

import (
	"errors"
	"io"
	"maps"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/fhir"
)

const zeng = `{"fullUrl":"urn:uuid:p1","resource":{"resourceType":"Patient","id":"p1","gender":"male","birthDate":"1956-03-12",
	"identifier":[{"system":"urn:oid:2.16.156.10011.1.3","value":"990122195603120016"},{"system":"urn:oid:2.16.156.10011.1.2","value":"45032110000100001"},
		{"type":{"coding":[{"code":"MR"}]},"system":"urn:his","value":"000123"}],
	"name":[{"use":"usual","text":"老曾"},{"use":"official","family":"曾","given":["小明"]}],
	"telecom":[{"system":"phone","value":"07738881234","use":"home"},{"system":"phone","value":"13800138000","use":"mobile"}],
	"address":[{"state":"广西","city":"桂林市","district":"阳朔县","line":["白沙镇旧县村3号"]}]}}`

// bundle puts resources beside the patient.
func bundle(resources ...string) string {
	entries := []string{zeng}
	for i, r := range resources {
		entries = append(entries, `{"fullUrl":"urn:uuid:r`+string(rune('0'+i))+`","resource":`+r+`}`)
	}
	return `{"resourceType":"Bundle","type":"transaction","entry":[` + strings.Join(entries, ",") + `]}`
}

func parse(t *testing.T, text string) *fhir.Bundle {
	t.Helper()
	b, err := fhir.ParseBundle(strings.NewReader(text), fhir.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func one(t *testing.T, resource string) *patientrecordv1.ClinicalEntry {
	t.Helper()
	entries := parse(t, bundle(resource)).Records[0].GetEntries()
	if len(entries) != 1 || entries[0].GetSourceIdentity() != "urn:uuid:r0" {
		t.Fatalf("%d entries", len(entries))
	}
	return entries[0]
}

func at(s string) *timestamppb.Timestamp {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return nil
	}
	return timestamppb.New(t)
}

func same(t *testing.T, got, want proto.Message) {
	t.Helper()
	if !proto.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestPatientIsRead(t *testing.T) {
	t.Parallel()
	r := parse(t, bundle()).Records[0]
	same(t, r, &patientrecordv1.ImportRecordRequest{
		SourceSystem: "urn:his", PatientIdentity: "000123",
		Patient: &patientrecordv1.Patient{
			Name: "曾小明", Sex: commonv1.Sex_MALE, BirthDate: "1956-03-12", DocumentType: patientrecordv1.DocumentType_RESIDENT_IDENTITY_CARD,
			IdentityNumber: "990122195603120016", HealthRecordNumber: "45032110000100001", Phone: "13800138000", Address: "广西桂林市阳朔县白沙镇旧县村3号",
		},
	})
}

func TestResourcesAreRead(t *testing.T) {
	t.Parallel()
	const subject = `"subject":{"reference":"urn:uuid:p1"}`
	coded := func(code string) []*commonv1.Coding {
		return []*commonv1.Coding{{System: "s", Code: code, Display: "shown"}}
	}
	const c = `{"coding":[{"system":"s","code":"c","display":"shown"}]}`
	for name, test := range map[string]struct {
		resource string
		want     proto.Message
	}{
		"condition": {
			`{"resourceType":"Condition",` + subject + `,"code":` + c + `,"clinicalStatus":{"coding":[{"code":"active"}]},"verificationStatus":{"coding":[{"code":"confirmed"}]},
				"onsetDateTime":"2020-05","abatementDateTime":"2021","recordedDate":"2020-05-02T10:00:00+08:00"}`,
			&patientrecordv1.Problem{
				Codes: coded("c"), Text: "shown", ClinicalStatus: "active", OnsetTime: at("2020-05-01T00:00:00+08:00"),
				AbatementTime: at("2021-01-01T00:00:00+08:00"), RecordedTime: at("2020-05-02T02:00:00Z"),
			},
		},
		"refuted condition": {
			`{"resourceType":"Condition",` + subject + `,"code":{"text":"words"},"clinicalStatus":{"coding":[{"code":"active"}]},"verificationStatus":{"coding":[{"code":"refuted"}]}}`,
			&patientrecordv1.Problem{Text: "words", ClinicalStatus: "refuted"},
		},
		"blood pressure": {
			`{"resourceType":"Observation",` + subject + `,"status":"final","category":[{"coding":[{"code":"vital-signs"}]}],"code":` + c + `,"effectiveDateTime":"2020-05-02T10:00:00.250Z",
				"component":[{"code":` + c + `,"valueQuantity":{"value":141.5,"unit":"mm Hg","code":"mm[Hg]"}},{"code":{"text":"x"},"valueString":"y"}]}`,
			&patientrecordv1.Observation{
				Codes: coded("c"), Text: "shown", Category: "vital-signs", Status: "final",
				EffectiveTime: timestamppb.New(time.Date(2020, 5, 2, 10, 0, 0, 250e6, time.UTC)),
				Components: []*patientrecordv1.ObservationComponent{
					{Code: coded("c")[0], Quantity: &patientrecordv1.Quantity{Value: 141.5, Unit: "mm[Hg]"}},
					{Code: &commonv1.Coding{Display: "x"}, ValueText: "y"},
				},
			},
		},
		"laboratory value": {
			`{"resourceType":"Observation",` + subject + `,"status":"final","code":` + c + `,"effectivePeriod":{"start":"2020-05-02"},"valueQuantity":{"value":7.25,"unit":"mmol/L"},
				"interpretation":[{"coding":[{"code":"H"}]}],"referenceRange":[{"low":{"value":3.9,"unit":"mmol/L"},"high":{"value":6.1,"unit":"mmol/L"}}],"method":{"text":"GOD"}}`,
			&patientrecordv1.Observation{
				Codes: coded("c"), Text: "shown", Status: "final", EffectiveTime: at("2020-05-02T00:00:00+08:00"),
				Quantity: &patientrecordv1.Quantity{Value: 7.25, Unit: "mmol/L"}, Interpretation: "H", ReferenceRange: "3.9–6.1 mmol/L", Method: "GOD",
			},
		},
		"coded value": {
			`{"resourceType":"Observation",` + subject + `,"status":"final","code":` + c + `,"valueCodeableConcept":` + c + `}`,
			&patientrecordv1.Observation{Codes: coded("c"), Text: "shown", Status: "final", ValueText: "shown"},
		},
		"medication": {
			`{"resourceType":"MedicationRequest",` + subject + `,"status":"active","medicationCodeableConcept":` + c + `,"authoredOn":"2020-05-02",
				"dosageInstruction":[{"text":"1 tablet daily"},{"asNeededBoolean":true}]}`,
			&patientrecordv1.Medication{Codes: coded("c"), Text: "shown", Status: "active", AuthoredTime: at("2020-05-02T00:00:00+08:00"), Dosage: "1 tablet daily; as needed"},
		},
		"contained medication": {
			`{"resourceType":"MedicationRequest",` + subject + `,"status":"active","medicationReference":{"reference":"#m"},"contained":[{"resourceType":"Medication","id":"m","code":` + c + `}]}`,
			&patientrecordv1.Medication{Codes: coded("c"), Text: "shown", Status: "active"},
		},
		"allergy": {
			`{"resourceType":"AllergyIntolerance","patient":{"reference":"Patient/p1"},"code":` + c + `,"clinicalStatus":{"coding":[{"code":"active"}]},"category":["food"],"criticality":"high","recordedDate":"2020-05-02"}`,
			&patientrecordv1.Allergy{
				Codes: coded("c"), Text: "shown", ClinicalStatus: "active", Categories: []string{"food"}, Criticality: "high", RecordedTime: at("2020-05-02T00:00:00+08:00"),
			},
		},
		"procedure": {
			`{"resourceType":"Procedure","subject":{"reference":"http://server/fhir/Patient/p1/_history/2"},"status":"completed","code":` + c + `,"performedPeriod":{"start":"2020-05-02"}}`,
			&patientrecordv1.Procedure{Codes: coded("c"), Text: "shown", Status: "completed", PerformedTime: at("2020-05-02T00:00:00+08:00")},
		},
		"immunization without a reference": {
			`{"resourceType":"Immunization","status":"completed","vaccineCode":` + c + `,"occurrenceDateTime":"2020-05-02"}`,
			&patientrecordv1.Immunization{Codes: coded("c"), Text: "shown", Status: "completed", OccurrenceTime: at("2020-05-02T00:00:00+08:00")},
		},
		"encounter": {
			`{"resourceType":"Encounter",` + subject + `,"status":"finished","class":{"code":"AMB"},"type":[` + c + `],"period":{"start":"2020-05-02","end":"2020-05-03"},"reasonCode":[` + c + `]}`,
			&patientrecordv1.Encounter{
				ClassCode: "AMB", Text: "shown", Status: "finished", StartTime: at("2020-05-02T00:00:00+08:00"), EndTime: at("2020-05-03T00:00:00+08:00"), Reason: "shown",
			},
		},
		"report": {
			`{"resourceType":"DiagnosticReport",` + subject + `,"status":"final","category":[{"coding":[{"code":"LAB"}]}],"code":` + c + `,"issued":"2020-05-02T00:00:00Z","conclusion":"fine",
				"result":[{"reference":"urn:uuid:elsewhere","display":"Haemoglobin"}]}`,
			&patientrecordv1.DiagnosticReport{
				Codes: coded("c"), Text: "shown", Category: "LAB", Status: "final", EffectiveTime: at("2020-05-02T00:00:00Z"), Conclusion: "fine",
				ResultIdentities: []string{"urn:uuid:elsewhere"}, ResultNames: []string{"Haemoglobin"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := one(t, test.resource)
			field := e.ProtoReflect().WhichOneof(e.ProtoReflect().Descriptor().Oneofs().ByName("resource"))
			same(t, e.ProtoReflect().Get(field).Message().Interface(), test.want)
		})
	}
}

func TestReferencesAreResolvedInAnyOrder(t *testing.T) {
	t.Parallel()
	b := parse(t, `{"entry":[
		{"fullUrl":"http://s/Observation/o1","resource":{"resourceType":"Observation","id":"o1","status":"final","subject":{"reference":"Patient/b"}}},
		{"resource":{"resourceType":"DiagnosticReport","id":"d1","status":"final","subject":{"reference":"Patient/b"},"result":[{"reference":"Observation/o1"}]}},
		{"resource":{"resourceType":"MedicationRequest","identifier":[{"system":"rx","value":"7"}],"status":"active","subject":{"reference":"Patient/a"},"medicationReference":{"reference":"Medication/m1"}}},
		{"resource":{"resourceType":"Medication","id":"m1","code":{"text":"Metformin"}}},
		{"resource":{"resourceType":"Claim","id":"c1"}},
		{"resource":{"resourceType":"Patient","id":"a","name":[{"text":"甲"}]}},
		{"resource":{"resourceType":"Patient","id":"b","name":[{"text":"乙"}]}}
	],"type":"collection","resourceType":"Bundle"}`)
	if len(b.Records) != 2 {
		t.Fatalf("%d records", len(b.Records))
	}
	first, second := b.Records[0], b.Records[1]
	if first.GetPatientIdentity() != "Patient/a" || first.GetSourceSystem() == "" || len(first.GetEntries()) != 1 || len(second.GetEntries()) != 2 {
		t.Fatalf("identities %q, %d and %d entries", first.GetPatientIdentity(), len(first.GetEntries()), len(second.GetEntries()))
	}
	if e := first.GetEntries()[0]; e.GetSourceIdentity() != "rx|7" || e.GetMedication().GetText() != "Metformin" {
		t.Errorf("medication %q %q", e.GetSourceIdentity(), e.GetMedication().GetText())
	}
	if got := second.GetEntries()[1].GetDiagnosticReport().GetResultIdentities(); len(got) != 1 || got[0] != "http://s/Observation/o1" {
		t.Errorf("results %q", got)
	}
	if !maps.Equal(b.Other, map[string]int{"Medication": 1, "Claim": 1}) {
		t.Errorf("others %v", b.Other)
	}
}

func TestWhatIsWrongHasAPlaceAndNoContent(t *testing.T) {
	t.Parallel()
	const subject = `"subject":{"reference":"urn:uuid:p1"}`
	for text, want := range map[string]string{
		bundle(`{"resourceType":"Observation",` + subject + `,"effectiveDateTime":"2020-13-01 SECRET"}`): "Bundle.entry[1].resource.effectiveDateTime: not a date",
		bundle(`{"resourceType":"Encounter",` + subject + `,"period":{"end":"SECRET"}}`):                 "Bundle.entry[1].resource.period.end: not a date",
		bundle(`{"resourceType":"Condition",` + subject + `,"code":{"text":["SECRET"]}}`):                "Bundle.entry[1].resource.code.text: not of the right JSON type",
		bundle(`{"resourceType":"Observation",` + subject + `,"valueQuantity":{"value":"SECRET"}}`):      "Bundle.entry[1].resource.valueQuantity.value: not of the right JSON type",
		bundle(`{"resourceType":"Observation","subject":{"reference":"Patient/SECRET"}}`):                "Bundle.entry[1].resource.subject.reference: not a patient of this bundle",
		bundle(`{"resourceType":"Immunization","patient":{"reference":"Patient/SECRET"}}`):               "Bundle.entry[1].resource.patient.reference: not a patient of this bundle",
		bundle(`{"id":"SECRET"}`): "Bundle.entry[1].resource.resourceType: missing",
		bundle(`["SECRET"]`):      "Bundle.entry[1].resource: not of the right JSON type",
		bundle(strings.Repeat(`[`, 50) + strings.Repeat(`]`, 50)):                                                                                             "Bundle.entry[1].resource: nested too deep",
		`{"resourceType":"Bundle","type":"batch","entry":[{"fullUrl":"urn:x"}]}`:                                                                              "Bundle.entry[0].resource: missing",
		`{"resourceType":"Bundle","type":"batch","entry":{"SECRET":1}}`:                                                                                       "Bundle.entry: not of the right JSON type",
		`{"resourceType":"Bundle","type":"batch","entry":[]}`:                                                                                                 "Bundle.entry: no Patient",
		`{"resourceType":"Bundle","type":"searchset","entry":[` + zeng + `]}`:                                                                                 "Bundle.type: not transaction, batch, collection or document",
		`{"resourceType":"SECRET","type":"batch","entry":[` + zeng + `]}`:                                                                                     "Bundle.resourceType: not a Bundle",
		`{"resourceType":"Bundle","type":5}`:                                                                                                                  "Bundle.type: not of the right JSON type",
		`{"resourceType":"Bundle","type":"batch","entry":[` + zeng + `,` + zeng + `]}`:                                                                        "Bundle.entry[1].resource: the same patient twice",
		`{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient","id":"1","name":[{"text":"SECRET"}],"gender":"SECRET"}}]}`:    "Bundle.entry[0].resource.gender: not an administrative gender",
		`{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient","id":"1","name":[{"text":"SECRET"}],"birthDate":"SECRET"}}]}`: "Bundle.entry[0].resource.birthDate: not a date",
		`{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient","id":"1"}}]}`:                                                 "Bundle.entry[0].resource.name: missing",
		`{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient","name":[{"text":"SECRET"}]}}]}`:                               "Bundle.entry[0].resource: no fullUrl, identifier or id",
		bundle() + "SECRET":      "Bundle: something follows the bundle",
		`["SECRET"]`:             "Bundle: not of the right JSON type",
		`{"resourceType":SECRET`: "Bundle: not JSON at byte 16",
		``:                       "Bundle: not JSON at byte 0",
	} {
		_, err := fhir.ParseBundle(strings.NewReader(text), fhir.Options{})
		var wrong *fhir.Error
		if !errors.As(err, &wrong) || err.Error() != want {
			t.Errorf("got %v, want %q", err, want)
		}
		if err != nil && strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%v quotes the bundle", err)
		}
	}
}

func TestSizeIsBoundedAndFaultsOfTheReaderAreNotTheBundles(t *testing.T) {
	t.Parallel()
	long := io.MultiReader(strings.NewReader(`{"resourceType":"Bundle","note":"`), io.LimitReader(forever{}, fhir.MaxSize))
	_, err := fhir.ParseBundle(long, fhir.Options{})
	if err == nil || err.Error() != "Bundle: larger than 50 MB" {
		t.Errorf("too large: %v", err)
	}
	fault := errors.New("broken pipe")
	if _, err := fhir.ParseBundle(io.MultiReader(strings.NewReader(`{`), iotest.ErrReader(fault)), fhir.Options{}); !errors.Is(err, fault) {
		t.Errorf("a fault of the reader: %v", err)
	}
}

type forever struct{}

func (forever) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestShiftMovesTheNewestAndKeepsIntervals(t *testing.T) {
	t.Parallel()
	const subject = `"subject":{"reference":"urn:uuid:p1"}`
	text := bundle(
		`{"resourceType":"Encounter",`+subject+`,"period":{"start":"2001-02-03T04:05:06.75Z","end":"2001-02-03T05:05:06.25Z"}}`,
		`{"resourceType":"Condition",`+subject+`,"onsetDateTime":"1700-01-01T00:00:00Z"}`)
	to := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	b, err := fhir.ParseBundle(strings.NewReader(text), fhir.Options{ShiftTo: &to})
	if err != nil {
		t.Fatal(err)
	}
	entries := b.Records[0].GetEntries()
	visit, problem := entries[0].GetEncounter(), entries[1].GetProblem()
	if !visit.GetEndTime().AsTime().Equal(to) {
		t.Errorf("the newest is %s", visit.GetEndTime().AsTime())
	}
	if got := visit.GetEndTime().AsTime().Sub(visit.GetStartTime().AsTime()); got != time.Hour-500*time.Millisecond {
		t.Errorf("the visit lasts %s", got)
	}
	moved := time.Date(2001, 2, 3, 5, 5, 6, 0, time.UTC).Unix() - time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	if onset := problem.GetOnsetTime(); onset.GetSeconds() != to.Unix()-moved-1 || onset.GetNanos() != 750e6 {
		t.Errorf("the onset is at %s", onset.AsTime())
	}
	if b.Records[0].GetPatient().GetBirthDate() != "1956-03-12" {
		t.Error("the birth date moved")
	}
}
