package fhir_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/gateway/fhir"
)

// realFiles are bundles as a system wrote them: R4/SYNTHEA of github.com/smart-on-fhir/generated-sample-data (Apache-2.0), in the folder
// synthea-r4 of the shared test data. That is TONGZHEN_TEST_DATA, or else beside the repository.
func realFiles(t testing.TB) []string {
	folder := os.Getenv("TONGZHEN_TEST_DATA")
	if folder == "" {
		folder = "../../../../shared/data"
	}
	files, err := filepath.Glob(filepath.Join(folder, "synthea-r4", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// needFiles are realFiles for a test that is about them alone: they are no server, and where the folder is absent it may be left out.
func needFiles(t *testing.T) []string {
	t.Helper()
	files := realFiles(t)
	if len(files) == 0 {
		t.Skip("no shared test data; TONGZHEN_TEST_DATA names its folder")
	}
	return files
}

func TestRealBundlesConvertWhole(t *testing.T) {
	t.Parallel()
	files := needFiles(t)
	ours := map[string]bool{
		"Patient": true, "Condition": true, "Observation": true, "MedicationRequest": true, "AllergyIntolerance": true, "Procedure": true,
		"Immunization": true, "Encounter": true, "DiagnosticReport": true,
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var plain struct {
			Entry []struct {
				Resource struct{ ResourceType string }
			}
		}
		if err := json.Unmarshal(text, &plain); err != nil {
			t.Fatal(err)
		}
		kept, other := map[string]int{}, map[string]int{}
		for _, e := range plain.Entry {
			if ours[e.Resource.ResourceType] {
				kept[e.Resource.ResourceType]++
			} else {
				other[e.Resource.ResourceType]++
			}
		}
		b := parse(t, string(text))
		if !maps.Equal(b.Kept, kept) || !maps.Equal(b.Other, other) {
			t.Errorf("%s: kept %v, want %v; others %v, want %v", filepath.Base(name), b.Kept, kept, b.Other, other)
		}
		clinical := -1
		for _, n := range kept {
			clinical += n
		}
		r := b.Records[0]
		if len(b.Records) != 1 || len(r.GetEntries()) != clinical {
			t.Errorf("%s: %d records, %d entries, want %d", filepath.Base(name), len(b.Records), len(r.GetEntries()), clinical)
		}
		p := r.GetPatient()
		if r.GetSourceSystem() != "http://hospital.smarthealthit.org" || p.GetPhone() == "" || p.GetAddress() == "" || p.GetBirthDate() == "" ||
			p.GetSex() == commonv1.Sex_UNKNOWN || !strings.HasPrefix(filepath.Base(name), strings.ReplaceAll(p.GetName(), " ", "_")) {
			t.Errorf("%s: patient not whole", filepath.Base(name))
		}
		for i, e := range r.GetEntries() {
			if o := e.GetObservation(); o != nil && o.GetQuantity() == nil && o.GetValueText() == "" && len(o.GetComponents()) == 0 {
				t.Errorf("%s: observation %d says nothing", filepath.Base(name), i)
			}
		}
	}
}

// firstOfEachType is a small bundle out of a large one, which a fuzzer can work with.
func firstOfEachType(f *testing.F, name string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		f.Fatal(err)
	}
	var b struct {
		Entry []json.RawMessage `json:"entry"`
	}
	if err := json.Unmarshal(text, &b); err != nil {
		f.Fatal(err)
	}
	seen := map[string]bool{}
	var few []string
	for _, raw := range b.Entry {
		var e struct {
			Resource struct{ ResourceType string }
		}
		if err := json.Unmarshal(raw, &e); err != nil {
			f.Fatal(err)
		}
		if kind := e.Resource.ResourceType; !seen[kind] && kind != "Claim" && kind != "ExplanationOfBenefit" {
			seen[kind] = true
			few = append(few, string(raw))
		}
	}
	return `{"resourceType":"Bundle","type":"transaction","entry":[` + strings.Join(few, ",") + `]}`
}

func FuzzParseBundle(f *testing.F) {
	f.Add(bundle())
	f.Add(bundle(`{"resourceType":"Observation","subject":{"reference":"Patient/p1"},"status":"final","valueQuantity":{"value":1e3},"effectiveDateTime":"2020"}`))
	f.Add(bundle(`{"resourceType":"MedicationRequest","medicationReference":{"reference":"#m"},"contained":[{"id":"m"}]}`))
	f.Add(bundle(`{"resourceType":"DiagnosticReport","result":[{"reference":"a/b/_history/1"}],"effectivePeriod":{"start":"0001"}}`))
	f.Add(`{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient","id":"1","name":[{"text":"\ud800"}]}}]}`)
	f.Add(`{"entry":null}`)
	for _, name := range realFiles(f) {
		f.Add(firstOfEachType(f, name))
	}
	to := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		b, err := fhir.ParseBundle(strings.NewReader(text), fhir.Options{ShiftTo: &to})
		var wrong *fhir.Error
		if err != nil {
			if !errors.As(err, &wrong) || wrong.Path == "" || wrong.Reason == "" {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		if len(b.Records) == 0 || len(b.Records) != b.Kept["Patient"] {
			t.Fatalf("%d records of %d patients", len(b.Records), b.Kept["Patient"])
		}
		identities := map[string]bool{}
		for _, r := range b.Records {
			if r.GetPatientIdentity() == "" || r.GetSourceSystem() == "" || r.GetPatient().GetName() == "" {
				t.Fatal("a record without identity, system or name")
			}
			if _, err := proto.Marshal(r); err != nil {
				t.Fatalf("a record that cannot be sent: %v", err)
			}
			for _, e := range r.GetEntries() {
				if e.GetSourceIdentity() == "" || identities[e.GetSourceIdentity()] {
					t.Fatal("an entry without an identity of its own")
				}
				identities[e.GetSourceIdentity()] = true
			}
		}
	})
}
