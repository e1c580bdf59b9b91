package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// goodBundle is the least that a FHIR server sends of a patient; what is not kept is counted, not refused.
const goodBundle = `{"resourceType": "Bundle", "type": "transaction", "entry": [
 {"fullUrl": "urn:uuid:0a7f3f0e-6f5e-4c57-9d6a-0d6f3b0f0a01", "resource": {"resourceType": "Patient", "name": [{"use": "official", "family": "Testa", "given": ["Anna"]}], "gender": "female", "birthDate": "1961-04-05"}},
 {"fullUrl": "urn:uuid:0a7f3f0e-6f5e-4c57-9d6a-0d6f3b0f0a02", "resource": {"resourceType": "Condition", "clinicalStatus": {"coding": [{"code": "active"}]}, "code": {"text": "Hypertension"}, "subject": {"reference": "urn:uuid:0a7f3f0e-6f5e-4c57-9d6a-0d6f3b0f0a01"}, "onsetDateTime": "2020-01-01T08:00:00+08:00"}},
 {"fullUrl": "urn:uuid:0a7f3f0e-6f5e-4c57-9d6a-0d6f3b0f0a03", "resource": {"resourceType": "Claim"}}
]}`

func TestAMalformedFileIsRefusedWithPathAndReasonWhileTheOthersGoIn(t *testing.T) {
	t.Parallel()
	s := harness.Together(t, binary, false)
	s.Seed(t)
	s.Stop(t) // what follows starts the services for itself
	dir := t.TempDir()
	good, bad, cut := filepath.Join(dir, "good.json"), filepath.Join(dir, "bad.json"), filepath.Join(dir, "cut.json")
	for name, text := range map[string]string{
		good: goodBundle, cut: goodBundle[:200],
		bad: strings.Replace(goodBundle, "2020-01-01T08:00:00+08:00", "the year before last", 1),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := s.Command(t.Context(), "import", "fhir", "--organization", "450321101", bad, good, cut)
	if err == nil {
		t.Fatalf("two files are malformed, and the command says nothing:\n%s", out)
	}
	for _, want := range []string{"1 patients; entries: 1 new", "not kept: Claim 1", "2 of 3 files were refused", "bad.json Bundle.entry[1].resource.onsetDateTime"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	if strings.Contains(out, "Testa") {
		t.Error("the output quotes the patient")
	}
	for _, name := range []string{bad, cut} {
		text, err := os.ReadFile(name + ".errors.csv")
		if err != nil || !strings.Contains(string(text), "Bundle") {
			t.Errorf("%s: the error file says %q, %v", filepath.Base(name), text, err)
		}
	}
	out, err = s.Command(t.Context(), "import", "fhir", "--organization", "450321101", good)
	if err != nil || !strings.Contains(out, "0 new, 0 changed, 1 as before") {
		t.Errorf("the same file again: %v\n%s", err, out)
	}
}
