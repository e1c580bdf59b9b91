package fhir_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/fhir"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

const copyID = "0192f0c1-0000-7000-8000-0000000000c1"

func coded(system, code, display string) []*commonv1.Coding {
	return []*commonv1.Coding{{System: system, Code: code, Display: display}}
}

// copied is a record with every kind of entry, and some that say hardly anything.
func copied() *patientrecordv1.RecordCopy {
	noon, later := at("2026-03-01T12:00:00+08:00"), at("2026-03-02T08:30:00+08:00")
	out := &patientrecordv1.RecordCopy{
		Time: at("2026-03-02T10:00:00+08:00"),
		Patient: &patientrecordv1.Patient{
			Id: "0192f0c1-0000-7000-8000-000000000011", Name: "曾小明", Sex: commonv1.Sex_MALE, BirthDate: "1956-03-12", Phone: "13800138000", Address: "白沙镇旧县村",
			DocumentType: patientrecordv1.DocumentType_RESIDENT_IDENTITY_CARD, IdentityNumber: "990122195603120016", HealthRecordNumber: "45032110000100001",
			GuardianName: "曾大明", GuardianPhone: "13900139000",
		},
	}
	add := func(kind, status string, content *patientrecordv1.ClinicalEntry) {
		out.Entries = append(out.Entries, &patientrecordv1.RecordEntry{
			Id: id.FromFact("entry", fmt.Sprint(len(out.GetEntries()))), Kind: kind, Status: status, EffectiveTime: noon, Content: content, OrganizationId: "township",
			Author: &commonv1.Actor{Name: "李医生"},
		})
	}
	add("PROBLEM", "active", &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Problem{Problem: &patientrecordv1.Problem{
		Codes: coded("ICD-10", "I10", "原发性高血压"), Text: "高血压", ClinicalStatus: "active", OnsetTime: noon, RecordedTime: noon,
	}}})
	add("PROBLEM", "refuted", &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Problem{Problem: &patientrecordv1.Problem{Text: "糖尿病？", ClinicalStatus: "refuted"}}})
	add("ALLERGY", "active", &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Allergy{Allergy: &patientrecordv1.Allergy{
		Codes: coded("http://snomed.info/sct", "91936005", "青霉素过敏"), Text: "青霉素", ClinicalStatus: "active", Categories: []string{"medication"}, Criticality: "high", RecordedTime: noon,
	}}})
	add("MEDICATION", "active", &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Medication{Medication: &patientrecordv1.Medication{
		Text: "氨氯地平 5mg", Status: "active", AuthoredTime: noon, Dosage: "每日一次",
	}}})
	add("OBSERVATION", "final", &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Observation{Observation: &patientrecordv1.Observation{
		Codes: coded("http://loinc.org", "85354-9", "血压"), Text: "血压", Category: "vital-signs", Status: "final", EffectiveTime: noon, Interpretation: "H",
		Components: []*patientrecordv1.ObservationComponent{
			{Code: coded("http://loinc.org", "8480-6", "收缩压")[0], Quantity: &patientrecordv1.Quantity{Value: 151, Unit: "mm[Hg]"}},
			{Code: coded("http://loinc.org", "8462-4", "舒张压")[0], Quantity: &patientrecordv1.Quantity{Value: 0, Unit: "mm[Hg]"}},
		},
	}}})
	add("OBSERVATION", "final", &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Observation{Observation: &patientrecordv1.Observation{
		Text: "吸烟", Status: "final", EffectiveTime: noon, ValueText: "从不", ReferenceRange: "—",
	}}})
	add("REPORT", "final", &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_DiagnosticReport{DiagnosticReport: &patientrecordv1.DiagnosticReport{
		Text: "血常规", Category: "laboratory", Status: "final", EffectiveTime: noon, Findings: "双肺纹理清晰", Conclusion: "未见异常 <b>", ResultIdentities: []string{"urn:x"}, ResultNames: []string{"白细胞"},
	}}})
	add("PROCEDURE", "completed", &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Procedure{Procedure: &patientrecordv1.Procedure{Text: "支架", Status: "completed", PerformedTime: noon}}})
	add("IMMUNIZATION", "completed", &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Immunization{Immunization: &patientrecordv1.Immunization{Text: "流感疫苗", Status: "completed", OccurrenceTime: noon}}})
	add("ENCOUNTER", "finished", &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Encounter{Encounter: &patientrecordv1.Encounter{
		ClassCode: "IMP", Text: "住院", Status: "finished", StartTime: noon, EndTime: later, Reason: "胸痛", OrganizationId: "county", DepartmentCode: "0304",
		DiagnosisCodes: []string{"I20.0", "I10"}, DischargeWay: "3",
	}}})
	add("NOTE", "final", &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Note{Note: &patientrecordv1.Note{Category: "VISIT", Title: "门诊记录", Text: "头晕三天", WrittenTime: noon}}})
	add("OBSERVATION", "", &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Observation{Observation: &patientrecordv1.Observation{}}})
	out.Attachments = []*patientrecordv1.Attachment{{
		Id: id.FromFact("paper"), Kind: patientrecordv1.AttachmentKind_ECG, Title: "心电图", MediaType: "image/jpeg", Size: 1000, CreateTime: noon, DocumentDate: "2026-02-28", Author: "某医院",
	}}
	out.Consents = []*patientrecordv1.ConsentRecord{
		{
			Id: id.FromFact("consent", "1"), Scope: patientrecordv1.ConsentScope_REFERRAL, State: patientrecordv1.ConsentState_WITHDRAWN, OrganizationId: "township", CreateTime: noon,
			Giving:     &patientrecordv1.Giving{Name: "曾小明", Relation: "0", Method: "SIGNED", Time: noon, TextVersion: "2026-1"},
			Withdrawal: &patientrecordv1.Withdrawal{Relation: "0", Reason: "不再同意", Time: later},
		},
		{Id: id.FromFact("consent", "2"), Scope: patientrecordv1.ConsentScope_SENSITIVE, State: patientrecordv1.ConsentState_DEFERRED, CreateTime: noon, DeferredReason: "抢救"},
	}
	return out
}

func options() fhir.DocumentOptions {
	return fhir.DocumentOptions{
		ID: copyID, Author: fhir.Party{ID: "township", Code: "450321101", Name: "白沙镇卫生院"},
		Organizations: map[string]fhir.Party{"township": {"township", "450321101", "白沙镇卫生院"}, "county": {"county", "H1", "阳朔县人民医院"}},
	}
}

// object is JSON that nobody gave a type.
type object = map[string]any

// required are the elements that FHIR R4 asks of each type that a document holds.
func required() map[string][]string {
	return map[string][]string{
		"Composition": {"status", "type", "date", "author", "title", "subject"}, "Patient": {"name"}, "Organization": {"name"},
		"Condition": {"subject", "code"}, "AllergyIntolerance": {"patient", "code"}, "MedicationRequest": {"status", "intent", "medicationCodeableConcept", "subject"},
		"Observation": {"status", "code", "subject"}, "DiagnosticReport": {"status", "code"}, "Procedure": {"status", "subject"},
		"Immunization": {"status", "vaccineCode", "patient"}, "Encounter": {"status", "class"}, "DocumentReference": {"status", "content"},
		"Consent": {"status", "scope", "category", "policyRule", "patient"},
	}
}

// walk visits every value of a document; it finds what FHIR forbids, an empty one, and every reference.
func walk(t *testing.T, path string, v any, references *[]string) {
	t.Helper()
	switch v := v.(type) {
	case object:
		if len(v) == 0 {
			t.Errorf("%s is empty", path)
		}
		for name, one := range v {
			if text, ok := one.(string); ok && name == "reference" {
				*references = append(*references, text)
			}
			walk(t, path+"."+name, one, references)
		}
	case []any:
		if len(v) == 0 {
			t.Errorf("%s is an empty list", path)
		}
		for i, one := range v {
			walk(t, fmt.Sprintf("%s[%d]", path, i), one, references)
		}
	case string:
		if v == "" {
			t.Errorf("%s is an empty text", path)
		}
	case nil:
		t.Errorf("%s is null", path)
	}
}

// validated reads a document and holds it to the rules of a FHIR document.
func validated(t *testing.T, document []byte) (resources map[string]object, sections []any) {
	t.Helper()
	var bundle object
	if err := json.Unmarshal(document, &bundle); err != nil {
		t.Fatal(err)
	}
	identifier, _ := bundle["identifier"].(object)
	if bundle["resourceType"] != "Bundle" || bundle["type"] != "document" || identifier["value"] == nil || identifier["system"] == nil || bundle["timestamp"] == nil {
		t.Errorf("%v %v %v", bundle["type"], identifier, bundle["timestamp"])
	}
	resources = map[string]object{}
	var references []string
	walk(t, "Bundle", bundle, &references)
	entries, _ := bundle["entry"].([]any)
	for i, e := range entries {
		entry, _ := e.(object)
		r, _ := entry["resource"].(object)
		kind, _ := r["resourceType"].(string)
		name, _ := entry["fullUrl"].(string)
		uuid, named := strings.CutPrefix(name, "urn:uuid:")
		if !named || !id.Valid(uuid) || r["id"] != uuid || resources[name] != nil {
			t.Errorf("entry %d (%s) is called %q, id %v", i, kind, name, r["id"])
		}
		resources[name] = r
		if (i == 0) != (kind == "Composition") {
			t.Errorf("entry %d is a %s", i, kind)
		}
		elements, known := required()[kind]
		if !known {
			t.Errorf("a %s is in the document", kind)
		}
		for _, element := range elements {
			if r[element] == nil {
				t.Errorf("%s %s has no %s", kind, uuid, element)
			}
		}
	}
	for _, r := range references {
		if resources[r] == nil {
			t.Errorf("%q leads nowhere", r)
		}
	}
	first, _ := entries[0].(object)["resource"].(object)
	sections, _ = first["section"].([]any)
	return resources, sections
}

func TestADocumentStandsByItself(t *testing.T) {
	t.Parallel()
	in := copied()
	document, n, err := fhir.Document(in, options())
	if err != nil {
		t.Fatal(err)
	}
	resources, sections := validated(t, document)
	if want := len(in.GetEntries()) + len(in.GetAttachments()) + len(in.GetConsents()); n != want || len(resources) != want+3 {
		t.Errorf("%d entries, %d resources, want %d", n, len(resources), want)
	}
	listed, titles := map[string]bool{}, map[string]bool{}
	for _, s := range sections {
		section, _ := s.(object)
		title, _ := section["title"].(string)
		if titles[title] || section["text"] == nil && section["entry"] == nil {
			t.Errorf("section %q stands twice or says nothing", title)
		}
		titles[title] = true
		refs, _ := section["entry"].([]any)
		for _, r := range refs {
			name, _ := r.(object)["reference"].(string)
			if listed[name] {
				t.Errorf("%s stands in two sections", name)
			}
			listed[name] = true
		}
	}
	if len(listed) != n || len(titles) != 10 {
		t.Errorf("%d listed in %d sections", len(listed), len(titles))
	}
	if again, _, err := fhir.Document(in, options()); err != nil || !bytes.Equal(again, document) {
		t.Errorf("the same record gives another document: %v", err)
	}
	// ait-1, con-4, con-5: a statement that was taken back has no clinical status of its own.
	for _, r := range resources {
		if r["resourceType"] == "Condition" && r["verificationStatus"] != nil && r["clinicalStatus"] != nil {
			t.Error("a refuted problem is active")
		}
	}
	if !strings.Contains(string(document), "不表示病历中有或没有") || strings.Contains(string(document), "urn:x") {
		t.Error("it does not say what was asked for, or quotes another system's names")
	}
}

func TestAnEmptyRecordIsADocument(t *testing.T) {
	t.Parallel()
	opt := options()
	opt.Sensitive = true
	document, n, err := fhir.Document(&patientrecordv1.RecordCopy{Patient: &patientrecordv1.Patient{Id: "p", Name: "无名"}, Time: at("2026-03-02T10:00:00+08:00")}, opt)
	if err != nil || n != 0 {
		t.Fatalf("%d: %v", n, err)
	}
	_, sections := validated(t, document)
	for _, s := range sections {
		if section, ok := s.(object); !ok || section["entry"] != nil {
			t.Errorf("%v", s)
		}
	}
	if !strings.Contains(string(document), "包含敏感类别的内容") {
		t.Error("it does not say that all was asked for")
	}
}

func TestADocumentIsImportedAgainAsItWas(t *testing.T) {
	t.Parallel()
	in := copied()
	document, _, err := fhir.Document(in, options())
	if err != nil {
		t.Fatal(err)
	}
	back, err := fhir.ParseBundle(bytes.NewReader(document), fhir.Options{Organization: "township", Organizations: map[string]string{"H1": "county"}})
	if err != nil || len(back.Records) != 1 {
		t.Fatalf("%v", err)
	}
	p := back.Records[0].GetPatient()
	want := proto.CloneOf(in.GetPatient())
	want.Id, want.GuardianName, want.GuardianPhone = "", "", ""
	same(t, p, want)
	var kinds []string
	entries := slices.DeleteFunc(in.GetEntries(), func(e *patientrecordv1.RecordEntry) bool { return e.GetKind() == "NOTE" || e.GetStatus() == "" })
	for i, e := range entries {
		got := back.Records[0].GetEntries()[i]
		kinds = append(kinds, e.GetKind())
		if got.GetSourceIdentity() != "urn:uuid:"+e.GetId() {
			t.Errorf("%s is called %q", e.GetKind(), got.GetSourceIdentity())
		}
		expected := proto.CloneOf(e.GetContent())
		expected.SourceIdentity = got.GetSourceIdentity()
		if r := expected.GetDiagnosticReport(); r != nil {
			r.ResultIdentities = []string{""} // a result of another system is called by its name only
			r.Findings, r.Conclusion = "", r.GetFindings()+"\n"+r.GetConclusion()
		}
		if c := expected.GetProblem(); c != nil && len(c.GetCodes()) > 0 {
			c.Codes[0].System = "http://hl7.org/fhir/sid/icd-10"
		}
		same(t, got, expected)
	}
	if !slices.Equal(kinds, strings.Fields("PROBLEM PROBLEM ALLERGY MEDICATION OBSERVATION OBSERVATION REPORT PROCEDURE IMMUNIZATION ENCOUNTER")) {
		t.Errorf("%v", kinds)
	}
	if back.Other["Composition"] != 1 || back.Other["DocumentReference"] != 2 || back.Other["Consent"] != 2 {
		t.Errorf("%v", back.Other)
	}
}

// What was imported from elsewhere goes out again, and comes back whole.
func TestRealRecordsMakeDocuments(t *testing.T) {
	t.Parallel()
	files := needFiles(t)
	for _, name := range files[:min(3, len(files))] {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		record := parse(t, string(text)).Records[0]
		in := &patientrecordv1.RecordCopy{Patient: record.GetPatient(), Time: at("2026-03-02T10:00:00+08:00")}
		for i, e := range record.GetEntries() {
			in.Entries = append(in.Entries, &patientrecordv1.RecordEntry{Id: id.FromFact(fmt.Sprint(i)), Content: e})
		}
		document, n, err := fhir.Document(in, options())
		if err != nil || n != len(record.GetEntries()) {
			t.Fatalf("%d of %d: %v", n, len(record.GetEntries()), err)
		}
		validated(t, document)
		if back := parse(t, string(document)); len(back.Records[0].GetEntries()) != n {
			t.Errorf("%d of %d came back", len(back.Records[0].GetEntries()), n)
		}
	}
}
