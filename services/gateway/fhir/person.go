package fhir

import (
	"cmp"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// patientOut writes a patient whole: the identity card first, then the health-record number, which the reader takes for the source in that order.
func patientOut(p *patientrecordv1.Patient) patientResource {
	out := patientResource{
		Name: []humanName{{Use: "official", Text: p.GetName()}}, Gender: gender(p.GetSex()), BirthDate: p.GetBirthDate(),
	}
	if number := p.GetIdentityNumber(); number != "" {
		switch p.GetDocumentType() {
		case patientrecordv1.DocumentType_RESIDENT_IDENTITY_CARD:
			out.Identifier = append(out.Identifier, identifier{Type: oneCode(identifierTypes, residentType), System: residentSystem, Value: number})
		case patientrecordv1.DocumentType_PASSPORT:
			out.Identifier = append(out.Identifier, identifier{Type: oneCode(identifierTypes, passportType), Value: number})
		default:
			out.Identifier = append(out.Identifier, identifier{Type: codeableConcept{Text: "其他证件"}, Value: number})
		}
	}
	if number := p.GetHealthRecordNumber(); number != "" {
		out.Identifier = append(out.Identifier, identifier{System: healthRecordSystem, Value: number})
	}
	if p.GetPhone() != "" {
		out.Telecom = []contactPoint{{System: "phone", Value: p.GetPhone(), Use: "mobile"}}
	}
	if p.GetAddress() != "" {
		out.Address = []address{{Text: p.GetAddress()}}
	}
	if p.GetGuardianName() != "" {
		guardian := contact{Relationship: []codeableConcept{{Text: "监护人"}}, Name: humanName{Text: p.GetGuardianName()}}
		if p.GetGuardianPhone() != "" {
			guardian.Telecom = []contactPoint{{System: "phone", Value: p.GetGuardianPhone()}}
		}
		out.Contact = []contact{guardian}
	}
	return out
}

func gender(s commonv1.Sex_Code) string {
	switch s {
	case commonv1.Sex_MALE:
		return "male"
	case commonv1.Sex_FEMALE:
		return "female"
	case commonv1.Sex_NOT_STATED:
		return "other"
	case commonv1.Sex_UNKNOWN, commonv1.Sex_UNSPECIFIED:
	}
	return "unknown"
}

type consentOut struct {
	Status       string            `json:"status"`
	Scope        codeableConcept   `json:"scope"`
	Category     []codeableConcept `json:"category"`
	Patient      reference         `json:"patient"`
	DateTime     string            `json:"dateTime,omitzero"`
	Performer    []reference       `json:"performer,omitzero"`
	Organization []reference       `json:"organization,omitzero"`
	PolicyRule   codeableConcept   `json:"policyRule"`
	Verification []verificationOut `json:"verification,omitzero"`
	Provision    *consentProvision `json:"provision,omitzero"`
}

type verificationOut struct {
	Verified     bool      `json:"verified"`
	VerifiedWith reference `json:"verifiedWith,omitzero"`
	Date         string    `json:"verificationDate,omitzero"`
}

type consentProvision struct {
	Type   string `json:"type,omitzero"`
	Period period `json:"period,omitzero"`
}

// consent says who agreed by name; it names nobody by a reference, as no such person is in the document.
func (w *writer) consent(c *patientrecordv1.ConsentRecord) consentOut {
	g := c.GetGiving()
	out := consentOut{
		Status: consentStatus(c.GetState()), Patient: w.subject,
		Scope:      codeableConcept{Coding: []coding{{System: hl7 + "consentscope", Code: "patient-privacy", Display: "Privacy Consent"}}, Text: consentWords(c.GetScope())},
		Category:   []codeableConcept{{Coding: []coding{{System: loinc, Code: "59284-0", Display: "Consent Document"}}}},
		PolicyRule: codeableConcept{Text: "知情同意书 " + cmp.Or(g.GetTextVersion(), "待补签")},
		DateTime:   dateTime(first(g.GetTime(), c.GetCreateTime())),
	}
	if name := w.organizationName(c.GetOrganizationId()); name != "" {
		out.Organization = []reference{{Display: name}}
	}
	if g != nil {
		out.Performer = []reference{{Display: g.GetName()}}
		out.Verification = []verificationOut{{Verified: true, VerifiedWith: reference{Display: cmp.Or(g.GetWitness(), g.GetName())}, Date: dateTime(g.GetTime())}}
		out.Provision = &consentProvision{Type: "permit", Period: period{Start: dateTime(g.GetTime()), End: dateTime(first(c.GetWithdrawal().GetTime(), g.GetUntil()))}}
	}
	return out
}

func consentStatus(s patientrecordv1.ConsentState_Code) string {
	switch s {
	case patientrecordv1.ConsentState_GIVEN:
		return "active"
	case patientrecordv1.ConsentState_DEFERRED:
		return "proposed"
	case patientrecordv1.ConsentState_WITHDRAWN, patientrecordv1.ConsentState_EXPIRED, patientrecordv1.ConsentState_UNSPECIFIED:
	}
	return "inactive"
}

func consentWords(s patientrecordv1.ConsentScope_Code) string {
	switch s {
	case patientrecordv1.ConsentScope_SENSITIVE:
		return "向医疗机构提供敏感信息"
	case patientrecordv1.ConsentScope_SMS:
		return "向患者发送短信通知"
	case patientrecordv1.ConsentScope_REFERRAL, patientrecordv1.ConsentScope_UNSPECIFIED:
	}
	return "转诊并移交病历"
}
