package fhir

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// documentType is the type of a Bundle that is a document: its first resource is a Composition.
const documentType = "document"

// Party is an organisation as a document names it.
type Party struct{ ID, Code, Name string }

// DocumentOptions say who makes a document. All fields are required but Organizations.
type DocumentOptions struct {
	// ID of the document.
	ID string
	// Author makes it and keeps the record.
	Author Party
	// Organizations of the county by id: where things happened. One that is not there is left out.
	Organizations map[string]Party
	// Sensitive: what is sensitive was asked for. Without it the document says that nothing of the kind is in it, whether there is any or not.
	Sensitive bool
}

// Document writes a record as a FHIR R4 Bundle of type document: the Composition first, then the patient, the organisation and every entry
// once, each named by urn:uuid. The same record and options give the same bytes. entries counts what was written of the record.
func Document(in *patientrecordv1.RecordCopy, opt DocumentOptions) (document []byte, entries int, err error) {
	w := &writer{opt: opt, subject: reference{Reference: urn(in.GetPatient().GetId())}, listed: map[string][]reference{}}
	w.put("Patient", in.GetPatient().GetId(), patientOut(in.GetPatient()))
	w.put("Organization", opt.Author.ID, organizationOut{Identifier: w.organizationIdentifier(opt.Author), Name: opt.Author.Name})
	for _, e := range in.GetEntries() {
		w.entry(e)
	}
	for _, a := range in.GetAttachments() {
		w.list(sectionDocuments, w.put("DocumentReference", a.GetId(), w.attachment(a)))
	}
	for _, c := range in.GetConsents() {
		w.list(sectionConsents, w.put("Consent", c.GetId(), w.consent(c)))
	}
	if w.err != nil {
		return nil, 0, w.err
	}
	composed := &writer{}
	composed.put("Composition", opt.ID, w.composition(in.GetTime()))
	if composed.err != nil {
		return nil, 0, composed.err
	}
	document, err = json.Marshal(bundleOut{
		ResourceType: "Bundle", ID: opt.ID, Identifier: identifier{System: "urn:ietf:rfc:3986", Value: urn(opt.ID)}, Type: documentType,
		Timestamp: dateTime(in.GetTime()), Entry: append(composed.out, w.out...),
	})
	if err != nil {
		return nil, 0, fmt.Errorf("write document %s: %w", opt.ID, err)
	}
	return document, w.entries, nil
}

type bundleOut struct {
	ResourceType string     `json:"resourceType"`
	ID           string     `json:"id"`
	Identifier   identifier `json:"identifier"`
	Type         string     `json:"type"`
	Timestamp    string     `json:"timestamp"`
	Entry        []entryOut `json:"entry"`
}

type entryOut struct {
	FullURL  string          `json:"fullUrl"`
	Resource json.RawMessage `json:"resource"`
}

type organizationOut struct {
	Identifier []identifier `json:"identifier,omitzero"`
	Name       string       `json:"name"`
}

// writer collects the entries of a document. The first error is kept.
type writer struct {
	opt     DocumentOptions
	subject reference
	out     []entryOut
	// listed are the references of each section.
	listed  map[string][]reference
	entries int
	err     error
}

// put adds a resource and answers how to refer to it.
func (w *writer) put(kind, id string, v any) reference {
	body, err := json.Marshal(v)
	if err != nil {
		if w.err == nil {
			w.err = fmt.Errorf("write %s %s: %w", kind, id, err)
		}
		return reference{}
	}
	// resourceType and id stand in front of what the struct holds.
	first, err := json.Marshal(head{ResourceType: kind, ID: uuidOf(id)})
	if err == nil && !bytes.Equal(body, []byte("{}")) {
		body = append(append(first[:len(first)-1], ','), body[1:]...)
	} else {
		body = first
	}
	name := urn(id)
	w.out = append(w.out, entryOut{FullURL: name, Resource: body})
	return reference{Reference: name}
}

func (w *writer) list(section string, r reference) {
	w.listed[section] = append(w.listed[section], r)
	w.entries++
}

// uuidOf is the id itself, or a name for one that is no UUID.
func uuidOf(s string) string {
	if id.Valid(s) {
		return s
	}
	return id.FromFact("fhir-document", s)
}

func urn(s string) string { return "urn:uuid:" + uuidOf(s) }

// china is where the record is kept: a document says its times as the clock on the wall did.
func china() *time.Location { return time.FixedZone("UTC+8", 8*60*60) }

func dateTime(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().In(china()).Format(time.RFC3339)
}

// Sections of the Composition, in the order in which they stand. Each entry of the record stands in exactly one.
const (
	sectionProblems      = "problems"
	sectionAllergies     = "allergies"
	sectionMedicines     = "medicines"
	sectionResults       = "results"
	sectionProcedures    = "procedures"
	sectionImmunizations = "immunizations"
	sectionEncounters    = "encounters"
	sectionDocuments     = "documents"
	sectionConsents      = "consents"
)

// sectionOf names a section, with its LOINC code (as the International Patient Summary and C-CDA use them).
type sectionOf struct{ name, title, code, display string }

func sections() []sectionOf {
	return []sectionOf{
		{sectionProblems, "诊断与健康问题", "11450-4", "Problem list - Reported"},
		{sectionAllergies, "过敏史", "48765-2", "Allergies and adverse reactions Document"},
		{sectionMedicines, "用药", "10160-0", "History of Medication use Narrative"},
		{sectionResults, "检查检验与生命体征", "30954-2", "Relevant diagnostic tests/laboratory data Narrative"},
		{sectionProcedures, "手术与操作", "47519-4", "History of Procedures Document"},
		{sectionImmunizations, "预防接种", "11369-6", "History of Immunization Narrative"},
		{sectionEncounters, "就诊记录", "46240-8", "History of Hospitalizations+Outpatient visits Narrative"},
		{sectionDocuments, "病历文书与资料", "34109-9", "Note"},
		{sectionConsents, "知情同意", "59284-0", "Consent Document"},
	}
}

const loinc = "http://loinc.org"

type compositionOut struct {
	Status    string          `json:"status"`
	Type      codeableConcept `json:"type"`
	Subject   reference       `json:"subject"`
	Date      string          `json:"date"`
	Author    []reference     `json:"author"`
	Title     string          `json:"title"`
	Custodian reference       `json:"custodian"`
	Section   []sectionOut    `json:"section"`
}

type sectionOut struct {
	Title string          `json:"title"`
	Code  codeableConcept `json:"code,omitzero"`
	Text  *narrative      `json:"text,omitzero"`
	Entry []reference     `json:"entry,omitzero"`
}

type narrative struct {
	Status string `json:"status"`
	Div    string `json:"div"`
}

// says is a narrative of plain words that are ours.
func says(words string) *narrative {
	return &narrative{Status: "generated", Div: `<div xmlns="http://www.w3.org/1999/xhtml">` + words + `</div>`}
}

func (w *writer) composition(at *timestamppb.Timestamp) compositionOut {
	author := reference{Reference: urn(w.opt.Author.ID), Display: w.opt.Author.Name}
	c := compositionOut{
		Status: "final", Type: codeableConcept{Coding: []coding{{System: loinc, Code: "11503-0", Display: "Medical records"}}}, Subject: w.subject,
		Date: dateTime(at), Author: []reference{author}, Title: "患者病历复制件", Custodian: author,
	}
	for _, s := range sections() {
		one := sectionOut{Title: s.title, Code: codeableConcept{Coding: []coding{{System: loinc, Code: s.code, Display: s.display}}}, Entry: w.listed[s.name]}
		if len(one.Entry) == 0 {
			one.Text = says("无记录")
		}
		c.Section = append(c.Section, one)
	}
	scope := "本复制件按申请包含敏感类别的内容。"
	if !w.opt.Sensitive {
		scope = "本复制件按申请不含精神障碍、艾滋病、性健康等敏感类别的内容；此说明不表示病历中有或没有这类内容。"
	}
	c.Section = append(c.Section, sectionOut{Title: "说明", Text: says(scope + "影像、扫描件等资料只列目录，原件另行复制。")})
	return c
}

func (w *writer) organizationIdentifier(p Party) []identifier {
	if p.Code == "" {
		return nil
	}
	return []identifier{{Value: p.Code}}
}

func (w *writer) organizationName(id string) string { return w.opt.Organizations[id].Name }
