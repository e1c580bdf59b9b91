package fhir_test

import (
	"strings"
	"testing"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/fhir"
)

const stay = `{"resourceType":"Encounter","subject":{"reference":"urn:uuid:p1"},"status":"finished","class":{"code":"IMP"},
	"serviceType":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/service-type","code":"57"},{"system":"urn:oid:2.16.156.10011.2.3.2.62","code":"03.04"}]},
	"reasonCode":[{"coding":[{"system":"http://snomed.info/sct","code":"230690007"},{"system":"ICD-10","code":"I10"},{"system":"ICD-10","code":"I63.9"}]}],
	"diagnosis":[{"condition":{"reference":"Condition/late"}},{"condition":{"reference":"Condition/c2"},"rank":2},{"condition":{"reference":"urn:uuid:c1"},"rank":1},{"condition":{"reference":"Condition/elsewhere"}}],
	"hospitalization":{"dischargeDisposition":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/discharge-disposition","code":"home"},{"code":"3"}]}}PROVIDER}`

const diagnosed = `{"fullUrl":"urn:uuid:c1","resource":{"resourceType":"Condition","id":"c1","subject":{"reference":"urn:uuid:p1"},"code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10","code":"I63.9"}]}}},
	{"resource":{"resourceType":"Condition","id":"c2","subject":{"reference":"urn:uuid:p1"},"code":{"coding":[{"system":"urn:oid:2.16.156.10011.2.3.3.11","code":"E11.9"}]}}},
	{"resource":{"resourceType":"Condition","id":"late","subject":{"reference":"urn:uuid:p1"},"code":{"coding":[{"system":"ICD-10","code":"J44"}]}}}`

// stayed reads the stay, which stands before what it refers to.
func stayed(t *testing.T, provider string) *patientrecordv1.Encounter {
	t.Helper()
	text := `{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:e","resource":` + strings.ReplaceAll(stay, "PROVIDER", provider) + `},` +
		diagnosed + `,` + zeng + `]}`
	b, err := fhir.ParseBundle(strings.NewReader(text), fhir.Options{Organization: "home", Organizations: map[string]string{"450321001": "hospital"}})
	if err != nil {
		t.Fatal(err)
	}
	return b.Records[0].GetEntries()[0].GetEncounter()
}

func TestAStayTellsDepartmentDiagnosesAndDischarge(t *testing.T) {
	t.Parallel()
	same(t, stayed(t, ""), &patientrecordv1.Encounter{
		ClassCode: "IMP", Status: "finished", Reason: "230690007", OrganizationId: "home", DepartmentCode: "0304",
		DiagnosisCodes: []string{"I63.9", "E11.9", "J44", "I10"}, DischargeWay: "3",
	})
}

func TestTheProviderOfAStayIsWhereItsIdentifierSays(t *testing.T) {
	t.Parallel()
	for provider, want := range map[string]string{
		"": "home", `,"serviceProvider":{"reference":"urn:uuid:o"}`: "home",
		`,"serviceProvider":{"identifier":{"value":"450321001"}}`: "hospital",
		`,"serviceProvider":{"identifier":{"value":"450100001"}}`: "",
	} {
		if got := stayed(t, provider).GetOrganizationId(); got != want {
			t.Errorf("%s: %q, want %q", provider, got, want)
		}
	}
}

func TestTheWayOfDischargeIsOfTheFrontPage(t *testing.T) {
	t.Parallel()
	const of = "http://terminology.hl7.org/CodeSystem/discharge-disposition"
	for coding, want := range map[[2]string]string{
		{"", "1"}: "1", {"urn:oid:2.16.156.10011.2.3.1.999", "3"}: "3", {"", "6"}: "", {"http://www.nubc.org/patient-discharge", "3"}: "",
		{of, "home"}: "1", {of, "alt-home"}: "1", {of, "other-hcf"}: "2", {of, "rehab"}: "2", {of, "aadvice"}: "4", {of, "exp"}: "5", {of, "oth"}: "9",
		{of, "3"}: "", {"urn:other", "exp"}: "",
	} {
		e := one(t, `{"resourceType":"Encounter","subject":{"reference":"urn:uuid:p1"},"hospitalization":{"dischargeDisposition":{"coding":[{"system":"`+
			coding[0]+`","code":"`+coding[1]+`"}]}}}`)
		if got := e.GetEncounter().GetDischargeWay(); got != want {
			t.Errorf("%v: %q, want %q", coding, got, want)
		}
	}
}
