package fhir

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// Identifier systems of WS/T 500 and WS 445 documents, and identifier types of HL7 table 0203.
const (
	residentSystem     = "urn:oid:2.16.156.10011.1.3"
	healthRecordSystem = "urn:oid:2.16.156.10011.1.2"

	medicalRecordType = "MR"
	residentType      = "NNCHN"
	passportType      = "PPN"
)

// noSystem is the source system of a patient without identifiers.
const noSystem = "urn:tongzhen:fhir"

func (p *parser) patient(index int, path string, n named, raw json.RawMessage) error {
	var r patientResource
	if err := json.Unmarshal(raw, &r); err != nil {
		return malformed(path, err, nil)
	}
	out, err := convertPatient(path, r)
	if err != nil {
		return err
	}
	request := &patientrecordv1.ImportRecordRequest{Patient: out}
	request.SourceSystem, request.PatientIdentity = patientSource(r)
	if request.PatientIdentity == "" {
		request.SourceSystem = noSystem
		if request.PatientIdentity = identityOf(n.fullURL, nil, n.head); request.PatientIdentity == "" {
			return wrong(path, "no fullUrl, identifier or id")
		}
	}
	if p.opt.Message && slices.ContainsFunc(p.order, func(o *patient) bool {
		return o.request.GetSourceSystem() == request.GetSourceSystem() && o.request.GetPatientIdentity() == request.GetPatientIdentity() ||
			out.GetIdentityNumber() != "" && o.request.GetPatient().GetIdentityNumber() == out.GetIdentityNumber()
	}) {
		return wrong(path, "the same patient twice")
	}
	one := &patient{index: index, request: request}
	for _, name := range namesOf(n.fullURL, n.head) {
		if _, twice := p.patients[name]; twice {
			return wrong(path, "the same patient twice")
		}
		p.patients[name] = one
	}
	p.order = append(p.order, one)
	return nil
}

// patientSource is the medical record number with its system, else the first identifier.
func patientSource(r patientResource) (system, value string) {
	for _, i := range r.Identifier {
		if i.Type.has(medicalRecordType) && i.Value != "" {
			return systemOf(i), i.Value
		}
	}
	for _, i := range r.Identifier {
		if i.Value != "" {
			return systemOf(i), i.Value
		}
	}
	return "", ""
}

func systemOf(i identifier) string {
	if i.System == "" {
		return noSystem
	}
	return i.System
}

func convertPatient(path string, r patientResource) (*patientrecordv1.Patient, error) {
	out := &patientrecordv1.Patient{
		Name: officialName(r.Name), Phone: phone(r.Telecom), Address: home(r.Address),
		DocumentType: patientrecordv1.DocumentType_NONE, NoDocumentReason: "OTHER",
	}
	if out.GetName() == "" {
		return nil, wrong(path+".name", "missing")
	}
	switch r.Gender {
	case "male":
		out.Sex = commonv1.Sex_MALE
	case "female":
		out.Sex = commonv1.Sex_FEMALE
	case "other":
		out.Sex = commonv1.Sex_NOT_STATED
	case "unknown", "":
		out.Sex = commonv1.Sex_UNKNOWN
	default:
		return nil, wrong(path+".gender", "not an administrative gender")
	}
	if r.BirthDate != "" {
		if !isDate(r.BirthDate) {
			return nil, wrong(path+".birthDate", "not a date")
		}
		out.BirthDate = r.BirthDate
	}
	document(out, r.Identifier)
	return out, nil
}

func document(out *patientrecordv1.Patient, identifiers []identifier) {
	set := func(t patientrecordv1.DocumentType_Code, number string) {
		out.DocumentType, out.IdentityNumber, out.NoDocumentReason = t, number, ""
	}
	for _, i := range identifiers {
		switch {
		case i.Value == "" || i.Use == "old":
		case i.System == healthRecordSystem:
			out.HealthRecordNumber = i.Value
		case i.System == residentSystem || i.Type.has(residentType):
			set(patientrecordv1.DocumentType_RESIDENT_IDENTITY_CARD, i.Value)
		case i.Type.has(passportType) && out.GetDocumentType() == patientrecordv1.DocumentType_NONE:
			set(patientrecordv1.DocumentType_PASSPORT, i.Value)
		}
	}
}

func isDate(s string) bool {
	for _, layout := range []string{time.DateOnly, "2006-01", "2006"} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}

// officialName is the official name, else the first that is not an old one.
func officialName(names []humanName) string {
	var chosen *humanName
	for i := range names {
		if names[i].Use == "official" {
			chosen = &names[i]
			break
		}
		if chosen == nil && names[i].Use != "old" {
			chosen = &names[i]
		}
	}
	if chosen == nil {
		return ""
	}
	given := nonEmpty(chosen.Given...)
	switch {
	case chosen.Family == "" && len(given) == 0:
		return strings.TrimSpace(chosen.Text)
	case strings.ContainsFunc(chosen.Family, isHan):
		return chosen.Family + strings.Join(given, "")
	}
	return strings.Join(append(given, nonEmpty(chosen.Family)...), " ")
}

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }

// phone is the mobile, else the first telephone.
func phone(points []contactPoint) string {
	out := ""
	for _, c := range points {
		if c.System != "phone" || c.Use == "old" {
			continue
		}
		if c.Use == "mobile" {
			return c.Value
		}
		if out == "" {
			out = c.Value
		}
	}
	return out
}

// home is the first address in one line, written as its country does.
func home(list []address) string {
	if len(list) == 0 {
		return ""
	}
	a := list[0]
	lines := nonEmpty(a.Line...)
	switch {
	case a.Text != "":
		return a.Text
	case strings.ContainsFunc(a.City+a.State+strings.Join(lines, ""), isHan):
		return strings.Join(append(nonEmpty(a.State, a.City, a.District), lines...), "")
	}
	return strings.Join(append(lines, nonEmpty(a.District, a.City, a.State)...), ", ")
}
