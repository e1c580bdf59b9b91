package fhir

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// Code systems of FHIR R4 (terminology.hl7.org) that the resources name.
const (
	hl7             = "http://terminology.hl7.org/CodeSystem/"
	icd10System     = "http://hl7.org/fhir/sid/icd-10"
	ucum            = "http://unitsofmeasure.org"
	localCodes      = "urn:tongzhen:code:"
	identifierTypes = hl7 + "v2-0203"
)

// entry writes one entry of the record into its section.
func (w *writer) entry(e *patientrecordv1.RecordEntry) {
	id, at := e.GetId(), e.GetEffectiveTime()
	switch r := e.GetContent().GetResource().(type) {
	case *patientrecordv1.ClinicalEntry_Problem:
		w.list(sectionProblems, w.put("Condition", id, w.problem(r.Problem, e.GetStatus())))
	case *patientrecordv1.ClinicalEntry_Allergy:
		w.list(sectionAllergies, w.put("AllergyIntolerance", id, w.allergy(r.Allergy, e.GetStatus())))
	case *patientrecordv1.ClinicalEntry_Medication:
		w.list(sectionMedicines, w.put("MedicationRequest", id, w.medicine(r.Medication, e.GetStatus())))
	case *patientrecordv1.ClinicalEntry_Observation:
		w.list(sectionResults, w.put("Observation", id, w.observation(r.Observation, e.GetStatus())))
	case *patientrecordv1.ClinicalEntry_DiagnosticReport:
		w.list(sectionResults, w.put("DiagnosticReport", id, w.report(r.DiagnosticReport, e.GetStatus())))
	case *patientrecordv1.ClinicalEntry_Procedure:
		p := r.Procedure
		w.list(sectionProcedures, w.put("Procedure", id, procedure{
			Status: cmp.Or(e.GetStatus(), "unknown"), Code: concept(p.GetCodes(), p.GetText()), Subject: w.subject, PerformedDateTime: dateTime(p.GetPerformedTime()),
		}))
	case *patientrecordv1.ClinicalEntry_Immunization:
		i := r.Immunization
		out := immunization{
			Status: cmp.Or(e.GetStatus(), "completed"), VaccineCode: concept(i.GetCodes(), i.GetText()), Patient: w.subject,
			OccurrenceDateTime: dateTime(first(i.GetOccurrenceTime(), at)),
		}
		if out.OccurrenceDateTime == "" {
			out.OccurrenceString = "不详"
		}
		w.list(sectionImmunizations, w.put("Immunization", id, out))
	case *patientrecordv1.ClinicalEntry_Encounter:
		w.list(sectionEncounters, w.put("Encounter", id, w.encounter(r.Encounter, e)))
	case *patientrecordv1.ClinicalEntry_Note:
		w.list(sectionDocuments, w.put("DocumentReference", id, w.note(r.Note, e)))
	}
}

func first(times ...*timestamppb.Timestamp) *timestamppb.Timestamp {
	for _, t := range times {
		if t != nil {
			return t
		}
	}
	return nil
}

// concept has words if it has nothing else: a code is required nearly everywhere.
func concept(codes []*commonv1.Coding, text string) codeableConcept {
	out := codeableConcept{Text: text}
	for _, c := range codes {
		out.Coding = append(out.Coding, coding{System: systemURI(c.GetSystem()), Code: c.GetCode(), Display: c.GetDisplay()})
	}
	if out.Text == "" && len(out.Coding) == 0 {
		out.Text = "未注明"
	}
	return out
}

// systemURI is the canonical name of a code system. A local name becomes one of ours.
func systemURI(system string) string {
	switch {
	case isICD10(system) && !strings.Contains(system, ":"):
		return icd10System
	case system == "" || strings.Contains(system, ":"):
		return system
	}
	return localCodes + system
}

func oneCode(system, code string) codeableConcept {
	if code == "" {
		return codeableConcept{}
	}
	return codeableConcept{Coding: []coding{{System: system, Code: code}}}
}

func listOf(c codeableConcept) []codeableConcept {
	if len(c.Coding) == 0 && c.Text == "" {
		return nil
	}
	return []codeableConcept{c}
}

// taken: the status says that the statement was taken back, which FHIR says apart.
func taken(status string) bool { return status == "refuted" || status == "entered-in-error" }

func (w *writer) problem(p *patientrecordv1.Problem, status string) condition {
	out := condition{
		Code: concept(p.GetCodes(), p.GetText()), Subject: w.subject, OnsetDateTime: dateTime(p.GetOnsetTime()), RecordedDate: dateTime(p.GetRecordedTime()),
	}
	if taken(status) {
		out.VerificationStatus = oneCode(hl7+"condition-ver-status", status)
		return out
	}
	out.ClinicalStatus = oneCode(hl7+"condition-clinical", status)
	// con-4: what has an end is not active any more.
	if slices.Contains([]string{"inactive", "remission", "resolved"}, status) {
		out.AbatementDateTime = dateTime(p.GetAbatementTime())
	}
	return out
}

func (w *writer) allergy(a *patientrecordv1.Allergy, status string) allergyIntolerance {
	out := allergyIntolerance{
		Code: concept(a.GetCodes(), a.GetText()), Patient: w.subject, Category: a.GetCategories(), Criticality: a.GetCriticality(), RecordedDate: dateTime(a.GetRecordedTime()),
	}
	if out.Criticality == "unknown" {
		out.Criticality = "unable-to-assess"
	}
	if taken(status) {
		out.VerificationStatus = oneCode(hl7+"allergyintolerance-verification", status)
	}
	if status != "entered-in-error" {
		if taken(status) {
			status = "inactive"
		}
		out.ClinicalStatus = oneCode(hl7+"allergyintolerance-clinical", cmp.Or(status, "active"))
	}
	return out
}

func (w *writer) medicine(m *patientrecordv1.Medication, status string) medicationRequest {
	out := medicationRequest{
		Status: cmp.Or(status, "unknown"), Intent: "order", Concept: concept(m.GetCodes(), m.GetText()), Subject: w.subject, AuthoredOn: dateTime(m.GetAuthoredTime()),
	}
	if m.GetDosage() != "" {
		out.DosageInstruction = []dosage{{Text: m.GetDosage()}}
	}
	return out
}

func valueOf(q *patientrecordv1.Quantity, text string) value {
	var out value
	switch {
	case q != nil:
		out.Quantity = &quantity{Value: new(q.GetValue()), Unit: q.GetUnit()}
		if q.GetUnit() != "" {
			out.Quantity.System, out.Quantity.Code = ucum, q.GetUnit()
		}
	case text != "":
		out.String = new(text)
	}
	return out
}

func (w *writer) observation(o *patientrecordv1.Observation, status string) observation {
	out := observation{
		Status: cmp.Or(status, "unknown"), Category: listOf(oneCode(hl7+"observation-category", o.GetCategory())), Code: concept(o.GetCodes(), o.GetText()), Subject: w.subject,
		EffectiveDateTime: dateTime(o.GetEffectiveTime()), Interpretation: listOf(oneCode(hl7+"v3-ObservationInterpretation", o.GetInterpretation())),
		Performer: w.performer(o.GetPerformerId(), o.GetPerformerName()), value: valueOf(o.GetQuantity(), o.GetValueText()),
	}
	if o.GetReferenceRange() != "" {
		out.ReferenceRange = []referenceRange{{Text: o.GetReferenceRange()}}
	}
	for _, c := range o.GetComponents() {
		var codes []*commonv1.Coding
		if c.GetCode() != nil {
			codes = append(codes, c.GetCode())
		}
		out.Component = append(out.Component, component{Code: concept(codes, ""), value: valueOf(c.GetQuantity(), c.GetValueText())})
	}
	return out
}

// performer is who made a result, when that is another than who sent it.
func (w *writer) performer(id, name string) []reference {
	if p, known := w.opt.Organizations[id]; known {
		return []reference{{Type: "Organization", Identifier: identifier{Value: p.Code}, Display: p.Name}}
	}
	if name != "" {
		return []reference{{Type: "Organization", Display: name}}
	}
	return nil
}

// report names its results by words: what other systems call them means nothing outside. FHIR has no place of its own for what was seen: it
// stands before what is concluded, as on paper.
func (w *writer) report(r *patientrecordv1.DiagnosticReport, status string) diagnosticReport {
	out := diagnosticReport{
		Status: cmp.Or(status, "unknown"), Category: listOf(oneCode("", r.GetCategory())), Code: concept(r.GetCodes(), r.GetText()), Subject: w.subject,
		EffectiveDateTime: dateTime(r.GetEffectiveTime()), Conclusion: strings.TrimSpace(r.GetFindings() + "\n" + r.GetConclusion()),
		Performer: w.performer(r.GetPerformerId(), r.GetPerformerName()),
	}
	for _, name := range r.GetResultNames() {
		if name != "" {
			out.Result = append(out.Result, reference{Display: name})
		}
	}
	return out
}

func (w *writer) encounter(e *patientrecordv1.Encounter, entry *patientrecordv1.RecordEntry) encounter {
	out := encounter{
		Status: cmp.Or(entry.GetStatus(), "unknown"), Class: coding{System: hl7 + "v3-ActCode", Code: cmp.Or(e.GetClassCode(), "AMB")}, Subject: w.subject,
		ServiceType: oneCode("", e.GetDepartmentCode()), Period: period{Start: dateTime(first(e.GetStartTime(), entry.GetEffectiveTime())), End: dateTime(e.GetEndTime())},
		Hospitalization: hospitalization{DischargeDisposition: oneCode("", e.GetDischargeWay())},
	}
	out.Type = listOf(codeableConcept{Text: e.GetText()})
	if e.GetReason() != "" {
		out.ReasonCode = append(out.ReasonCode, codeableConcept{Text: e.GetReason()})
	}
	for _, code := range e.GetDiagnosisCodes() {
		out.ReasonCode = append(out.ReasonCode, oneCode(icd10System, code))
	}
	if p, known := w.opt.Organizations[e.GetOrganizationId()]; known {
		out.ServiceProvider = provider{Identifier: identifier{Value: p.Code}, Display: p.Name}
	}
	return out
}

// documentReference is a note, whose text it holds, or a document, which it only describes.
type documentReference struct {
	Status      string           `json:"status"`
	Type        codeableConcept  `json:"type,omitzero"`
	Subject     reference        `json:"subject"`
	Date        string           `json:"date,omitzero"`
	Author      []reference      `json:"author,omitzero"`
	Custodian   reference        `json:"custodian,omitzero"`
	Description string           `json:"description,omitzero"`
	Content     []contentOfPaper `json:"content"`
}

type contentOfPaper struct {
	Attachment attachmentOut `json:"attachment"`
}

type attachmentOut struct {
	ContentType string `json:"contentType,omitzero"`
	Data        string `json:"data,omitzero"`
	Size        int32  `json:"size,omitzero"`
	Title       string `json:"title,omitzero"`
	Creation    string `json:"creation,omitzero"`
}

func (w *writer) note(n *patientrecordv1.Note, e *patientrecordv1.RecordEntry) documentReference {
	out := documentReference{
		Status: "current", Type: concept(nil, n.GetTitle()), Subject: w.subject, Date: dateTime(first(n.GetWrittenTime(), e.GetEffectiveTime())),
		Content: []contentOfPaper{{attachmentOut{
			ContentType: "text/plain; charset=utf-8", Data: base64.StdEncoding.EncodeToString([]byte(n.GetText())), Title: n.GetTitle(), Creation: dateTime(n.GetWrittenTime()),
		}}},
	}
	if name := e.GetAuthor().GetName(); name != "" {
		out.Author = []reference{{Display: strings.Join(nonEmpty(name, w.organizationName(e.GetOrganizationId())), " ")}}
	}
	return out
}

func (w *writer) attachment(a *patientrecordv1.Attachment) documentReference {
	out := documentReference{
		Status: "current", Subject: w.subject, Date: dateTime(a.GetCreateTime()), Type: concept(nil, kindOfPaper(a.GetKind())),
		Content: []contentOfPaper{{attachmentOut{ContentType: a.GetMediaType(), Size: a.GetSize(), Title: a.GetTitle(), Creation: a.GetDocumentDate()}}},
	}
	if a.GetAuthor() != "" {
		out.Author = []reference{{Display: a.GetAuthor()}}
	}
	return out
}

func kindOfPaper(k patientrecordv1.AttachmentKind_Code) string {
	switch k {
	case patientrecordv1.AttachmentKind_EXAM_REPORT:
		return "检查报告"
	case patientrecordv1.AttachmentKind_LAB_REPORT:
		return "检验报告"
	case patientrecordv1.AttachmentKind_IMAGE:
		return "影像"
	case patientrecordv1.AttachmentKind_ECG:
		return "心电图"
	case patientrecordv1.AttachmentKind_MEDICAL_RECORD:
		return "病历"
	case patientrecordv1.AttachmentKind_CONSENT:
		return "知情同意书"
	case patientrecordv1.AttachmentKind_OTHER, patientrecordv1.AttachmentKind_UNSPECIFIED:
	}
	return "其他资料"
}
