package gateway_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const acceptRecords = patientrecordv1.FeedService_AcceptRecords_FullMethodName

// outcome is what a test reads of an answer, whatever it is.
type fhirAnswer struct {
	ResourceType string
	Type         string
	Issue        []fhirIssue
	Entry        []struct {
		Response struct {
			Status, Location string
			Outcome          struct{ Issue []fhirIssue }
		}
		Resource struct {
			ID   string
			Name []struct{ Text string }
		}
	}
	Rest []struct {
		Interaction []struct{ Code string }
		Resource    []struct {
			Type        string
			Interaction []struct{ Code string }
		}
	}
}

type fhirIssue struct {
	Severity, Code, Diagnostics string
	Expression                  []string
}

// fhir sends a request of the hospital's own system.
func (w *world) fhir(method, path, kind, body string, header ...string) (*httptest.ResponseRecorder, fhirAnswer) {
	w.t.Helper()
	his := clerk()
	his.Roles = []commonv1.Role_Code{commonv1.Role_INTEGRATION}
	w.sessions["his"] = his
	r := httptest.NewRequestWithContext(w.t.Context(), method, "/fhir"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Authorization", "Bearer his")
	for i := 0; i < len(header); i += 2 {
		r.Header.Del(header[i])
		if header[i+1] != "" {
			r.Header.Set(header[i], header[i+1])
		}
	}
	got := httptest.NewRecorder()
	w.service.Handler().ServeHTTP(got, r)
	var out fhirAnswer
	if err := json.Unmarshal(got.Body.Bytes(), &out); err != nil || !strings.HasPrefix(got.Header().Get("Content-Type"), "application/fhir+json") {
		w.t.Errorf("%s %s: %d %q is no FHIR: %v", method, path, got.Code, got.Header().Get("Content-Type"), err)
	}
	return got, out
}

const fhirPatient = `{"fullUrl":"urn:uuid:1","request":{"method":"POST","url":"Patient"},"resource":{"resourceType":"Patient","identifier":[{"system":"urn:his","value":"B1"},{"system":"urn:oid:2.16.156.10011.1.3","value":"990122195603120016"}],"name":[{"family":"曾","given":["小明"]}],"gender":"male"}}`

const fhirStay = `{"fullUrl":"urn:uuid:2","request":{"method":"PUT","url":"Encounter?identifier=V1"},"resource":{"resourceType":"Encounter","identifier":[{"system":"urn:his:visit","value":"V1"}],"status":"finished","class":{"code":"IMP"},"subject":{"reference":"urn:uuid:1"},"period":{"start":"2026-02-20T08:00:00+08:00","end":"2026-02-28T10:00:00+08:00"},"hospitalization":{"dischargeDisposition":{"coding":[{"code":"3"}]}}}}`

const fhirClaim = `{"fullUrl":"urn:uuid:3","request":{"method":"POST","url":"Claim"},"resource":{"resourceType":"Claim","status":"active"}}`

func fhirBundle(kind string, entries ...string) string {
	return `{"resourceType":"Bundle","type":"` + kind + `","entry":[` + strings.Join(entries, ",") + `]}`
}

func TestATransactionIsTakenWholeForTheOrganisationOfTheAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(acceptRecords, &patientrecordv1.AcceptRecordsResponse{Records: []*patientrecordv1.AcceptedRecord{{PatientId: patientID, Created: true, EntriesCreated: []bool{false}}}})
	got, out := w.fhir("POST", "", "application/fhir+json", fhirBundle("transaction", fhirPatient, fhirClaim, fhirStay))
	if got.Code != http.StatusOK || out.Type != "transaction-response" || len(out.Entry) != 3 {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	if r := out.Entry[0].Response; r.Status != "201 Created" || r.Location != "Patient/"+patientID {
		t.Errorf("the patient: %+v", r)
	}
	if r := out.Entry[1].Response; r.Status != "200 OK" || len(r.Outcome.Issue) != 1 || r.Outcome.Issue[0].Severity != "information" || r.Outcome.Issue[0].Code != "not-supported" {
		t.Errorf("a type that is not kept: %+v", r)
	}
	if r := out.Entry[2].Response; r.Status != "200 OK" || r.Outcome.Issue != nil {
		t.Errorf("the stay: %+v", r)
	}
	sent := lastly[*patientrecordv1.AcceptRecordsRequest](t, w, acceptRecords).GetRecords()
	if len(sent) != 1 || sent[0].GetSourceSystem() != "fhir:H1" || sent[0].GetPatientIdentity() != "urn:his|B1" || !sent[0].GetUpdatesPatient() || sent[0].GetBecomesHome() || len(sent[0].GetEntries()) != 1 {
		t.Fatalf("%v", sent)
	}
	stay := sent[0].GetEntries()[0]
	if e := stay.GetEncounter(); stay.GetSourceIdentity() != "urn:his:visit|V1" || e.GetOrganizationId() != hospitalID || e.GetStatus() != "finished" || e.GetDischargeWay() != "3" || e.GetClassCode() != "IMP" {
		t.Errorf("%v", stay)
	}
}

func TestOneRefusedEntryRefusesTheTransactionAndSaysWhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	broken := strings.Replace(fhirStay, "2026-02-28T10:00:00+08:00", "yesterday", 1)
	deleted := strings.Replace(fhirClaim, `"POST"`, `"DELETE"`, 1)
	got, out := w.fhir("POST", "", "application/fhir+json", fhirBundle("transaction", fhirPatient, deleted, broken))
	if got.Code != http.StatusBadRequest || len(out.Issue) != 2 || out.Issue[0].Expression[0] != "Bundle.entry[1].request.method" || !strings.HasPrefix(out.Issue[1].Expression[0], "Bundle.entry[2].resource.period.end") {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	if n := len(w.calls[acceptRecords]); n != 0 {
		t.Errorf("%d calls", n)
	}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"of an entry":   {errs.Invalid(errs.Bad("records[0].entries[0].encounter.organizationId", errs.ReasonFieldCombination)), "Bundle.entry[2].resource"},
		"of a patient":  {errs.Invalid(errs.Bad("records[0].patient.identityNumber", errs.ReasonFieldIdentityNumber)), "Bundle.entry[0].resource"},
		"of the record": {errs.Conflict(errs.ReasonAlreadyRegistered, "another patient has this identity number").With("record", "0"), "Bundle.entry[0].resource"},
	} {
		w.refuse(acceptRecords, c.err)
		got, out := w.fhir("POST", "", "application/fhir+json", fhirBundle("transaction", fhirPatient, fhirClaim, fhirStay))
		if got.Code != errs.HTTPStatus(c.err) || len(out.Issue) != 1 || !slices.Equal(out.Issue[0].Expression, []string{c.want}) {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
	if strings.Contains(got.Body.String(), "yesterday") {
		t.Error("the outcome quotes what was sent")
	}
}

func TestTheEntriesOfABatchStandAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(acceptRecords, &patientrecordv1.AcceptRecordsResponse{Records: []*patientrecordv1.AcceptedRecord{{PatientId: patientID, EntriesCreated: []bool{true}}}})
	broken := strings.Replace(strings.Replace(fhirStay, "2026-02-28T10:00:00+08:00", "yesterday", 1), "urn:his:visit", "urn:his:other", 1)
	ofBefore := `{"request":{"method":"POST","url":"Condition"},"resource":{"resourceType":"Condition","id":"c1","code":{"text":"高血压"},"subject":{"identifier":{"system":"urn:his","value":"B7"}}}}`
	got, out := w.fhir("POST", "", "application/json", fhirBundle("batch", broken, fhirStay, fhirPatient, ofBefore, fhirClaim))
	if got.Code != http.StatusOK || out.Type != "batch-response" || len(out.Entry) != 5 {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	var statuses []string
	for _, e := range out.Entry {
		statuses = append(statuses, e.Response.Status)
	}
	if !slices.Equal(statuses, []string{"400 Bad Request", "201 Created", "200 OK", "201 Created", "200 OK"}) {
		t.Errorf("%q", statuses)
	}
	calls := w.calls[acceptRecords]
	if len(calls) != 3 {
		t.Fatalf("%d calls", len(calls))
	}
	first, _ := calls[0].(*patientrecordv1.AcceptRecordsRequest)
	last, _ := calls[2].(*patientrecordv1.AcceptRecordsRequest)
	if !first.GetRecords()[0].GetUpdatesPatient() || len(first.GetRecords()[0].GetEntries()) != 0 {
		t.Errorf("the patient comes first: %v", first)
	}
	if r := last.GetRecords()[0]; r.GetUpdatesPatient() || r.GetPatientIdentity() != "urn:his|B7" || r.GetPatient().GetName() != "" || r.GetEntries()[0].GetProblem() == nil {
		t.Errorf("of a patient who was sent before: %v", r)
	}
}

func TestFHIRAnswersEveryErrorWithAnOutcome(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		method, path, kind, body string
		header                   []string
		code                     int
		issue                    string
	}{
		"without a secret":      {"POST", "", "application/fhir+json", "{}", []string{"Authorization", ""}, 401, "login"},
		"the cookie only":       {"POST", "", "application/fhir+json", "{}", []string{"Authorization", "", "Cookie", "tongzhen_session=desk"}, 401, "login"},
		"an ended secret":       {"POST", "", "application/fhir+json", "{}", []string{"Authorization", "Bearer gone"}, 401, "login"},
		"not JSON":              {"POST", "", "application/fhir+json", "{", nil, 400, "invalid"},
		"XML":                   {"POST", "", "application/fhir+xml", "<Bundle/>", nil, 400, "invalid"},
		"no bundle":             {"POST", "", "application/fhir+json", `{"resourceType":"Patient"}`, nil, 400, "invalid"},
		"a collection":          {"POST", "", "application/fhir+json", fhirBundle("collection", fhirPatient), nil, 400, "invalid"},
		"an unknown route":      {"GET", "/Observation", "", "", nil, 404, "not-found"},
		"a search by address":   {"GET", "/Patient?name=zeng", "", "", nil, 400, "invalid"},
		"another search so":     {"GET", "/Patient/_search?name=zeng", "", "", nil, 400, "invalid"},
		"a search for nothing":  {"POST", "/Patient/_search", "application/x-www-form-urlencoded", "", nil, 400, "invalid"},
		"by an unknown word":    {"POST", "/Patient/_search", "application/x-www-form-urlencoded", "colour=red", nil, 400, "value"},
		"words in the address":  {"POST", "/Patient/_search?name=zeng", "application/x-www-form-urlencoded", "", nil, 400, "invalid"},
		"below what is unknown": {"DELETE", "/Patient/1", "", "", nil, 404, "not-found"},
	} {
		got, out := w.fhir(c.method, c.path, c.kind, c.body, c.header...)
		if got.Code != c.code || out.ResourceType != "OperationOutcome" || len(out.Issue) == 0 || out.Issue[0].Code != c.issue {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
		if c.code == http.StatusUnauthorized && got.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: nothing says how to sign in", name)
		}
	}
	w.refuse(acceptRecords, errs.Denied(errs.ReasonRole))
	if got, out := w.fhir("POST", "", "application/fhir+json", fhirBundle("transaction", fhirPatient)); got.Code != http.StatusForbidden || out.Issue[0].Code != "forbidden" {
		t.Errorf("without the role: %d %s", got.Code, got.Body)
	}
}

func TestPatientsAreFoundByPost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got, out := w.fhir("POST", "/Patient/_search", "application/x-www-form-urlencoded", "identifier=urn:oid:2.16.156.10011.1.3%7C990122195603120016&_count=5")
	asked := lastly[*patientrecordv1.SearchPatientsRequest](t, w, patientrecordv1.PatientRecordService_SearchPatients_FullMethodName)
	if got.Code != http.StatusOK || out.Type != "searchset" || len(out.Entry) != 2 || out.Entry[0].Resource.ID != patientID || asked.GetIdentityNumber() != "990122195603120016" || asked.GetPageSize() != 5 {
		t.Errorf("%d %s, asked %v", got.Code, got.Body, asked)
	}
	if !strings.Contains(got.Body.String(), `"code":"MASKED"`) {
		t.Error("nothing says that a patient is masked")
	}
}

func TestTheCapabilityStatementSaysWhatIsServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got, out := w.fhir("GET", "/metadata", "", "", "Authorization", "")
	if got.Code != http.StatusOK || out.ResourceType != "CapabilityStatement" || len(out.Rest) != 1 || len(out.Rest[0].Resource) != 9 {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	var codes []string
	for _, i := range out.Rest[0].Interaction {
		codes = append(codes, i.Code)
	}
	if !slices.Equal(codes, []string{"transaction", "batch"}) || out.Rest[0].Resource[0].Type != "Patient" || out.Rest[0].Resource[0].Interaction[0].Code != "search-type" {
		t.Errorf("%s", got.Body)
	}
}
