package fhir_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/gateway/fhir"
)

const (
	messagePatient = `{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","identifier":[{"system":"urn:his","value":"B1"}],"name":[{"text":"曾小明"}]}}`
	messageStay    = `{"fullUrl":"urn:uuid:2","resource":{"resourceType":"Encounter","identifier":[{"system":"urn:visit","value":"V1"}],"status":"in-progress","class":{"code":"IMP"},"subject":{"reference":"urn:uuid:1"},"period":{"start":"2026-02-20"}}}`
)

func sentBundle(entries ...string) string {
	return `{"resourceType":"Bundle","type":"batch","entry":[` + strings.Join(entries, ",") + `]}`
}

func parsed(t *testing.T, entries ...string) *fhir.Bundle {
	t.Helper()
	b, err := fhir.ParseBundle(strings.NewReader(sentBundle(entries...)), fhir.Options{Message: true, Organization: "o"})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAMessageIsReadEntryByEntry(t *testing.T) {
	t.Parallel()
	broken := strings.Replace(messageStay, "2026-02-20", "soon", 1)
	other := `{"resource":{"resourceType":"Condition","id":"c","subject":{"reference":"Patient/unknown"}}}`
	b := parsed(t, broken, messageStay, other, messagePatient)
	if len(b.Items) != 2 || b.Items[0].Index != 3 || b.Items[0].Entry != nil || b.Items[1].Index != 1 || b.Items[1].Record != b.Items[0].Record {
		t.Errorf("items %v", b.Items)
	}
	if len(b.Problems) != 2 || b.Problems[0] == nil || b.Problems[2] == nil || strings.Contains(b.Problems[0].Error(), "soon") {
		t.Errorf("problems %v", b.Problems)
	}
	if got := b.Items[1].Entry.GetSourceIdentity(); got != "urn:visit|V1" {
		t.Errorf("a full URL made for the occasion is the identity: %q", got)
	}
}

func TestAnEntryMayBeOfAPatientWhoWasSentBefore(t *testing.T) {
	t.Parallel()
	for name, subject := range map[string]string{
		"by identifier": `{"identifier":{"system":"urn:his","value":"B7"}}`, "by a conditional reference": `{"reference":"Patient?identifier=urn:his%7CB7"}`,
	} {
		b := parsed(t, strings.Replace(messageStay, `{"reference":"urn:uuid:1"}`, subject, 1))
		if len(b.Items) != 1 || b.Items[0].Record.GetPatient() != nil || b.Items[0].Record.GetSourceSystem() != "urn:his" || b.Items[0].Record.GetPatientIdentity() != "B7" {
			t.Errorf("%s: %v %v", name, b.Items, b.Problems)
		}
	}
	b := parsed(t, messagePatient, strings.Replace(messageStay, `{"reference":"urn:uuid:1"}`, `{"identifier":{"system":"urn:his","value":"B1"}}`, 1))
	if len(b.Items) != 2 || b.Items[1].Record.GetPatient() == nil {
		t.Errorf("one of the bundle, by identifier: %v", b.Items)
	}
	if b := parsed(t, messagePatient, messagePatient); len(b.Items) != 1 || b.Problems[1] == nil {
		t.Errorf("the same patient twice: %v", b.Items)
	}
}

func TestAResultIsOfWhomItNames(t *testing.T) {
	t.Parallel()
	const (
		lab   = `{"fullUrl":"urn:uuid:lab","resource":{"resourceType":"Organization","identifier":[{"value":"450321102"}],"name":"白沙镇卫生院"}}`
		other = `{"fullUrl":"urn:uuid:other","resource":{"resourceType":"Organization","name":"某检验中心","identifier":{"value":"odd"}}}`
		role  = `{"fullUrl":"urn:uuid:role","resource":{"resourceType":"PractitionerRole","organization":{"reference":"urn:uuid:lab"}}}`
		who   = `{"fullUrl":"urn:uuid:who","resource":{"resourceType":"Practitioner"}}`
	)
	for performer, want := range map[string][2]string{
		`[]`:                             {"", ""},
		`[{"reference":"urn:uuid:lab"}]`: {"township", ""},
		`[{"reference":"urn:uuid:who"},{"reference":"urn:uuid:lab"}]`:                            {"township", ""},
		`[{"reference":"urn:uuid:role"}]`:                                                        {"township", ""},
		`[{"reference":"urn:uuid:who"}]`:                                                         {"", ""},
		`[{"reference":"Practitioner/7","display":"张医生"}]`:                                       {"", ""},
		`[{"reference":"Patient/7","display":"张三"}]`:                                             {"", "患者本人或家属"},
		`[{"reference":"urn:uuid:1","display":"张三"}]`:                                            {"", "患者本人或家属"},
		`[{"type":"RelatedPerson","display":"张三之女"}]`:                                            {"", "患者本人或家属"},
		`[{"identifier":{"value":"450321102"}}]`:                                                 {"township", ""},
		`[{"identifier":{"value":"450321101"}}]`:                                                 {"", ""}, // the sender itself
		`[{"reference":"Organization?identifier=urn:x%7C450321102"}]`:                            {"township", ""},
		`[{"reference":"urn:uuid:other"}]`:                                                       {"", "某检验中心"},
		`[{"type":"Organization","display":"某检验中心"}]`:                                            {"", "某检验中心"},
		`[{"reference":"#in"}]`:                                                                  {"", "里面的"},
		`[{"reference":"Organization/9"}]`:                                                       {"", "Organization/9"},
		`[{"reference":"urn:uuid:lab"},{"reference":"urn:uuid:other"}]`:                          {"", "白沙镇卫生院、某检验中心"},
		`[{"identifier":{"value":"450321101"}},{"reference":"urn:uuid:lab","display":"白沙镇卫生院"}]`: {"", "450321101、白沙镇卫生院"},
	} {
		result := func(kind string) string {
			return `{"resource":{"resourceType":"` + kind + `","id":"` + kind + `","contained":[{"resourceType":"Specimen","name":["odd"]},{"resourceType":"Organization","id":"in","name":"里面的"}],"status":"final","performer":` + performer + `}}`
		}
		b, err := fhir.ParseBundle(strings.NewReader(sentBundle(messagePatient, result("Observation"), result("DiagnosticReport"), lab, other, role, who)), fhir.Options{
			Message: true, Organization: "o", Organizations: map[string]string{"450321101": "o", "450321102": "township"},
		})
		if err != nil || len(b.Items) != 3 || len(b.Problems) != 0 {
			t.Fatal(err, b)
		}
		o, r := b.Items[1].Entry.GetObservation(), b.Items[2].Entry.GetDiagnosticReport()
		if o.GetPerformerId() != want[0] || o.GetPerformerName() != want[1] || r.GetPerformerId() != want[0] || r.GetPerformerName() != want[1] {
			t.Errorf("%s: a value of %q %q, a report of %q %q", performer, o.GetPerformerId(), o.GetPerformerName(), r.GetPerformerId(), r.GetPerformerName())
		}
	}
}

// FuzzMessage: whatever is sent is read or refused; every entry has one fate, and nothing that stands in the bundle is quoted.
func FuzzMessage(f *testing.F) {
	f.Add([]byte(sentBundle(messagePatient, messageStay)))
	f.Add([]byte(sentBundle(messageStay)))
	f.Add([]byte(sentBundle(messagePatient, messagePatient, `{"resource":{"resourceType":"Claim"}}`)))
	f.Add([]byte(sentBundle(`{"resource":{"resourceType":"Condition","id":"c","subject":{"reference":"Patient?identifier=a%7Cb"},"code":{"coding":[{"system":"ICD-10","code":"I10"}]}}}`)))
	f.Add([]byte(sentBundle(`{"resource":{"resourceType":"DiagnosticReport","id":"r","result":[{"reference":"Observation/o"}],"subject":{"identifier":{"value":"B1"}}}}`, `{"resource":{"resourceType":"Observation","id":"o","valueQuantity":{"value":1}}}`)))
	f.Add([]byte(`{"resourceType":"Bundle","type":"transaction","entry":[{}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := fhir.ParseBundle(bytes.NewReader(raw), fhir.Options{Message: true, Organization: "o"})
		if (b == nil) == (err == nil) {
			t.Fatalf("bundle %v and error %v", b, err)
		}
		if err != nil {
			return
		}
		var outer struct {
			Entry []json.RawMessage `json:"entry"`
		}
		if json.Unmarshal(raw, &outer) != nil {
			return
		}
		seen := map[int]bool{}
		for _, item := range b.Items {
			if seen[item.Index] || b.Problems[item.Index] != nil || item.Index < 0 {
				t.Fatalf("entry %d has two fates", item.Index)
			}
			seen[item.Index] = true
			if item.Record.GetPatientIdentity() == "" || item.Entry != nil && item.Entry.GetSourceIdentity() == "" {
				t.Fatalf("entry %d has no identity", item.Index)
			}
		}
	})
}
