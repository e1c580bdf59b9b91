package endpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/fhir"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// maxBody bounds a bundle, in bytes; larger ones are for the importer.
const maxBody = 16 << 20

// maxEntries bounds a bundle.
const maxEntries = 5000

// sent is an entry as it was sent.
type sent struct {
	Request struct {
		Method string `json:"method"`
		URL    string `json:"url"`
	} `json:"request"`
	Resource struct {
		ResourceType string `json:"resourceType"`
	} `json:"resource"`
}

// response is the answer to an entry.
type response struct {
	Status   string            `json:"status"`
	Location string            `json:"location,omitempty"`
	Outcome  *operationOutcome `json:"outcome,omitempty"`
}

type answered struct {
	Response response `json:"response"`
}

type bundle struct {
	ResourceType string     `json:"resourceType"`
	Type         string     `json:"type"`
	Entry        []answered `json:"entry"`
}

// message is a bundle that was read.
type message struct {
	kind    string
	entries []sent
	*fhir.Bundle
	// organization sent it.
	organization *directoryv1.Organization
	responses    []response
}

// accept takes a transaction or a batch.
func (e *endpoint) accept(w http.ResponseWriter, r *http.Request) error {
	raw, err := body(w, r)
	if err != nil {
		return err
	}
	m, problem, err := e.read(r, raw)
	if err != nil {
		return err
	}
	if problem != nil {
		answer(w, http.StatusBadRequest, outcome(wrong(problem)))
		return nil
	}
	if m.kind == "transaction" {
		return e.transaction(w, r, m)
	}
	return e.batch(w, r, m)
}

// body is what was sent as FHIR JSON.
func body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/fhir+json" && kind != "application/json" {
		return nil, errs.New(errs.KindInvalid, errs.ReasonFieldInvalid, "send application/fhir+json", err)
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, errs.New(errs.KindInvalid, errs.ReasonFieldTooLong, "a bundle may hold "+strconv.Itoa(maxBody>>20)+" MB", err)
	case err != nil:
		return nil, errs.New(errs.KindInvalid, errs.ReasonFieldInvalid, "the body did not come whole", err)
	}
	return raw, nil
}

// read reads a bundle; problem is what is wrong with it as a whole.
func (e *endpoint) read(r *http.Request, raw []byte) (m message, problem *fhir.Error, err error) {
	visitor, _ := door.VisitorFrom(r.Context())
	options := fhir.Options{Message: true, Organization: visitor.Account.GetOrganizationId(), Organizations: map[string]string{}}
	all, err := e.Organizations(r.Context())
	if err != nil {
		return m, nil, err
	}
	for _, o := range all {
		options.Organizations[o.GetCode()] = o.GetId()
		if o.GetId() == options.Organization {
			m.organization = o
		}
	}
	if m.organization == nil {
		return m, nil, errs.Denied(errs.ReasonRole)
	}
	m.Bundle, err = fhir.ParseBundle(bytes.NewReader(raw), options)
	if errors.As(err, &problem) {
		return m, problem, nil
	}
	if err != nil {
		return m, nil, err
	}
	var outer struct {
		Type  string `json:"type"`
		Entry []sent `json:"entry"`
	}
	if err := json.Unmarshal(raw, &outer); err != nil {
		return m, &fhir.Error{Path: "Bundle.entry", Reason: "not of the right JSON type"}, nil
	}
	switch {
	case outer.Type == "collection":
		return m, &fhir.Error{Path: "Bundle.type", Reason: "not transaction or batch"}, nil
	case len(outer.Entry) > maxEntries:
		return m, &fhir.Error{Path: "Bundle.entry", Reason: "more than " + strconv.Itoa(maxEntries) + " entries"}, nil
	}
	m.kind, m.entries, m.responses = outer.Type, outer.Entry, make([]response, len(outer.Entry))
	for i, one := range m.entries {
		if problem := request(place(i), one); problem != nil && m.Problems[i] == nil {
			m.Problems[i] = problem
		}
		if !fhir.Keeps(one.Resource.ResourceType) {
			m.responses[i] = response{Status: "200 OK", Outcome: outcome(issue{
				Severity: "information", Code: "not-supported", Diagnostics: "resources of this type are accepted and not stored", Expression: []string{place(i) + ".resource"},
			})}
		}
	}
	return m, nil, nil
}

func place(i int) string { return "Bundle.entry[" + strconv.Itoa(i) + "]" }

var typePattern = regexp.MustCompile(`^[A-Z][A-Za-z]{1,40}$`)

// request checks what is to be done with an entry: it is created or updated, which is the same here.
func request(at string, one sent) *fhir.Error {
	kind := one.Resource.ResourceType
	target, _, _ := strings.Cut(one.Request.URL, "?")
	target, _, _ = strings.Cut(target, "/")
	switch {
	case one.Request.Method != http.MethodPost && one.Request.Method != http.MethodPut:
		return &fhir.Error{Path: at + ".request.method", Reason: "not POST or PUT"}
	case !typePattern.MatchString(kind):
		return &fhir.Error{Path: at + ".resource.resourceType", Reason: "not a resource type"}
	case target != kind:
		return &fhir.Error{Path: at + ".request.url", Reason: "not of the type of the resource"}
	}
	return nil
}

// record is what the system says, scoped to its organisation: of two hospitals' systems none writes over the other's.
func (m message) record(from *patientrecordv1.ImportRecordRequest, entries []*patientrecordv1.ClinicalEntry, updates bool) *patientrecordv1.FeedRecord {
	patient := from.GetPatient()
	if patient == nil {
		patient = &patientrecordv1.Patient{}
	}
	kind := m.organization.GetType()
	return &patientrecordv1.FeedRecord{
		SourceSystem: "fhir:" + m.organization.GetCode(), PatientIdentity: from.GetSourceSystem() + "|" + from.GetPatientIdentity(),
		Patient: patient, UpdatesPatient: updates, Entries: entries,
		BecomesHome: kind == directoryv1.OrganizationType_TOWNSHIP_CENTRE || kind == directoryv1.OrganizationType_VILLAGE_CLINIC,
	}
}

// placed are records with the places of what they say in the bundle.
type placed struct {
	records []*patientrecordv1.FeedRecord
	// patients and entries are places by record; a patient's is -1 if it is not of the bundle.
	patients []int
	entries  [][]int
}

func (m message) placed() placed {
	var out placed
	at := map[*patientrecordv1.ImportRecordRequest]int{}
	for _, item := range m.Items {
		n, known := at[item.Record]
		if !known {
			n = len(out.records)
			at[item.Record] = n
			out.records = append(out.records, m.record(item.Record, nil, item.Entry == nil))
			out.patients, out.entries = append(out.patients, -1), append(out.entries, nil)
		}
		if item.Entry == nil {
			out.patients[n] = item.Index
			continue
		}
		out.records[n].Entries = append(out.records[n].Entries, item.Entry)
		out.entries[n] = append(out.entries[n], item.Index)
	}
	return out
}

var placePattern = regexp.MustCompile(`^records\[(\d+)\]\.(?:entries\[(\d+)\]\.?)?(.*)$`)

// where is the place in the bundle of a field of the records.
func (p placed) where(name string) string {
	found := placePattern.FindStringSubmatch(name)
	if found == nil {
		return ""
	}
	n, err := strconv.Atoi(found[1])
	if err != nil || n >= len(p.records) {
		return ""
	}
	if found[2] != "" {
		if i, err := strconv.Atoi(found[2]); err == nil && i < len(p.entries[n]) {
			return place(p.entries[n][i]) + ".resource"
		}
	}
	if p.patients[n] < 0 {
		if len(p.entries[n]) > 0 {
			return place(p.entries[n][0]) + ".resource.subject"
		}
		return ""
	}
	return place(p.patients[n]) + ".resource"
}

// transaction stores all entries or none.
func (e *endpoint) transaction(w http.ResponseWriter, r *http.Request, m message) error {
	var problems []issue
	for i := range m.entries {
		if problem := m.Problems[i]; problem != nil {
			problems = append(problems, wrong(problem))
		}
	}
	if len(problems) > 0 {
		answer(w, http.StatusBadRequest, outcome(problems...))
		return nil
	}
	all := m.placed()
	if len(all.records) > 0 {
		stored, err := e.Feed.AcceptRecords(r.Context(), &patientrecordv1.AcceptRecordsRequest{Records: all.records})
		if known, ok := errs.As(err); ok && (known.Kind == errs.KindInvalid || known.Kind == errs.KindConflict) {
			answer(w, status(err), outcome(refusals(known, all)...))
			return nil
		}
		if err != nil {
			return err
		}
		m.stored(all, stored)
	}
	answer(w, http.StatusOK, m.answer())
	return nil
}

// refusals word why a record was refused; a refusal that names no field is of the whole record.
func refusals(e *errs.Error, all placed) []issue {
	issues := issuesOf(e, all.where)
	if len(e.Fields) == 0 && e.Meta["record"] != "" {
		if at := all.where("records[" + e.Meta["record"] + "]."); at != "" {
			issues[0].Expression = []string{at}
		}
	}
	return issues
}

// stored notes what became of the records.
func (m message) stored(all placed, answer *patientrecordv1.AcceptRecordsResponse) {
	for n, one := range answer.GetRecords() {
		if i := all.patients[n]; i >= 0 {
			m.responses[i] = response{Status: statusOf(one.GetCreated()), Location: "Patient/" + one.GetPatientId()}
		}
		for k, i := range all.entries[n] {
			m.responses[i] = response{Status: statusOf(one.GetEntriesCreated()[k])}
		}
	}
}

func statusOf(created bool) string {
	if created {
		return "201 Created"
	}
	return "200 OK"
}

func (m message) answer() bundle {
	out := bundle{ResourceType: "Bundle", Type: m.kind + "-response", Entry: []answered{}}
	for _, one := range m.responses {
		out.Entry = append(out.Entry, answered{one})
	}
	return out
}

// batch stores each entry by itself, the patients first. An entry of a patient who was refused is refused too, unless the patient was known.
func (e *endpoint) batch(w http.ResponseWriter, r *http.Request, m message) error {
	for i, problem := range m.Problems {
		m.responses[i] = refused(http.StatusBadRequest, wrong(problem))
	}
	for _, item := range m.Items {
		if m.Problems[item.Index] != nil {
			continue
		}
		one := placed{patients: []int{item.Index}, entries: [][]int{nil}}
		if item.Entry == nil {
			one.records = []*patientrecordv1.FeedRecord{m.record(item.Record, nil, true)}
		} else {
			one.records = []*patientrecordv1.FeedRecord{m.record(&patientrecordv1.ImportRecordRequest{
				SourceSystem: item.Record.GetSourceSystem(), PatientIdentity: item.Record.GetPatientIdentity(),
			}, []*patientrecordv1.ClinicalEntry{item.Entry}, false)}
			one.patients, one.entries = []int{-1}, [][]int{{item.Index}}
		}
		stored, err := e.Feed.AcceptRecords(r.Context(), &patientrecordv1.AcceptRecordsRequest{Records: one.records})
		known, _ := errs.As(err)
		switch {
		case err == nil:
			m.stored(one, stored)
		case known != nil && (known.Kind == errs.KindInvalid || known.Kind == errs.KindConflict):
			m.responses[item.Index] = refused(status(err), refusals(known, one)...)
		default:
			return err
		}
	}
	answer(w, http.StatusOK, m.answer())
	return nil
}

func refused(code int, issues ...issue) response {
	return response{Status: strconv.Itoa(code) + " " + http.StatusText(code), Outcome: outcome(issues...)}
}
