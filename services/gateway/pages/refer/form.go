package refer

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// choices are the receivers a patient can be sent up to.
type choices struct{ Receivers []receiver }

type receiver struct {
	ID, Name    string
	Departments []department
}

type department struct{ Code, Name string }

func (c choices) first() string {
	if len(c.Receivers) == 0 {
		return ""
	}
	return c.Receivers[0].ID
}

func (p *Pages) choices(r *http.Request) (choices, error) {
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return choices{}, err
	}
	language := p.Shell.Language(r)
	var c choices
	for _, o := range county.Organizations {
		if o.GetType() != directoryv1.OrganizationType_COUNTY_HOSPITAL || o.GetDisabled() {
			continue
		}
		one := receiver{ID: o.GetId(), Name: county.OrganizationName(language, o.GetId())}
		for _, d := range county.Departments(o.GetId()) {
			one.Departments = append(one.Departments, department{d.GetCode(), county.DepartmentName(language, o.GetId(), d.GetCode())})
		}
		c.Receivers = append(c.Receivers, one)
	}
	return c, nil
}

// createRequest reads the form. Fields are named as the API names them, so that an error finds its field.
func createRequest(form url.Values, patientID string) *referralv1.CreateReferralRequest {
	get := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	kind := commonv1.Kind_Code(commonv1.Kind_Code_value[get("kind")])
	urgency := commonv1.Urgency_Code(commonv1.Urgency_Code_value[get("urgency")])
	if kind == commonv1.Kind_EMERGENCY {
		urgency = commonv1.Urgency_EMERGENCY
	}
	request := &referralv1.CreateReferralRequest{
		RequestId: get("requestId"), PatientId: patientID,
		Direction: commonv1.Direction_UP, Kind: kind, Urgency: urgency,
		Receiver: &commonv1.Party{OrganizationId: get("organization"), DepartmentCode: get("department")},
		Form: &referralv1.Form{
			InitialImpression: get("form.initialImpression"), PresentIllness: get("form.presentIllness"),
			PastHistory: get("form.pastHistory"), Treatment: get("form.treatment"),
		},
		Consent:      consentOf(form, kind),
		TransferNote: get("transferNote"), Transport: get("transport"), OriginatorPhone: get("originatorPhone"),
	}
	for _, value := range form["diagnosis"] {
		code, display, _ := strings.Cut(strings.TrimSpace(value), "|")
		if code == "" {
			continue // the field for browsers without scripts, left empty
		}
		request.Diagnoses = append(request.Diagnoses, &commonv1.Coding{Code: code, Display: display})
	}
	return request
}

func consentOf(form url.Values, kind commonv1.Kind_Code) *referralv1.Consent {
	get := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	if reason := get("consent.deferredReason"); reason != "" && kind == commonv1.Kind_EMERGENCY {
		return &referralv1.Consent{DeferredReason: reason}
	}
	if get("consent.method") == "" {
		return nil
	}
	return &referralv1.Consent{GivenBy: get("consent.givenBy"), Relation: get("consent.relation"), Method: get("consent.method")}
}

// consenterOf proposes who consents: the patient, or the guardian on record, most often a parent.
func consenterOf(patient *patientrecordv1.Patient) (name, relation string) {
	if guardian := patient.GetGuardianName(); guardian != "" {
		return guardian, "5"
	}
	return patient.GetName(), "0"
}

func diagnosesOf(values []string) []diagnosis {
	var out []diagnosis
	for _, v := range values {
		if v == "" {
			continue
		}
		out = append(out, diagnosis{Value: v, Label: strings.Replace(v, "|", " ", 1)})
	}
	return out
}

// pastHistory proposes 主要既往史 from the problems and allergies on record; the doctor edits it.
func pastHistory(summary *patientrecordv1.Summary) string {
	var parts []string
	for _, p := range summary.GetProblems() {
		if !slices.Contains(parts, p.GetText()) {
			parts = append(parts, p.GetText())
		}
	}
	return strings.Join(parts[:min(len(parts), 8)], "；")
}

// valuesOf fills the form from a referral that is edited.
func valuesOf(r *referralv1.Referral, patient *patientrecordv1.Patient) url.Values {
	values := url.Values{
		"kind": {r.GetKind().String()}, "urgency": {r.GetUrgency().String()},
		"organization": {r.GetReceiver().GetOrganizationId()}, "department": {r.GetReceiver().GetDepartmentCode()},
		"form.initialImpression": {r.GetForm().GetInitialImpression()}, "form.presentIllness": {r.GetForm().GetPresentIllness()},
		"form.pastHistory": {r.GetForm().GetPastHistory()}, "form.treatment": {r.GetForm().GetTreatment()},
		"consent.givenBy": {r.GetConsent().GetGivenBy()}, "consent.relation": {r.GetConsent().GetRelation()},
		"consent.method": {r.GetConsent().GetMethod()}, "consent.deferredReason": {r.GetConsent().GetDeferredReason()},
		"transferNote": {r.GetTransferNote()}, "transport": {r.GetTransport()}, "originatorPhone": {r.GetOriginatorPhone()},
	}
	for _, d := range r.GetDiagnoses() {
		values.Add("diagnosis", d.GetCode()+"|"+d.GetDisplay())
	}
	if r.GetConsent() == nil {
		consenter, relation := consenterOf(patient)
		values.Set("consent.givenBy", consenter)
		values.Set("consent.relation", relation)
	}
	return values
}
