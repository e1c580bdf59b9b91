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
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// choices are the receivers a patient can be sent up to.
type choices struct{ Receivers []receiver }

type receiver struct {
	ID, Name    string
	Departments []department
	// Lines are the telephones at which an emergency is told.
	Lines []shell.Line
}

type department struct{ Code, Name string }

func (c choices) first() string {
	if len(c.Receivers) == 0 {
		return ""
	}
	return c.Receivers[0].ID
}

// has tells whether a receiver has a department.
func (c choices) has(organization, code string) bool {
	return slices.ContainsFunc(c.Receivers, func(r receiver) bool {
		return r.ID == organization && slices.ContainsFunc(r.Departments, func(d department) bool { return d.Code == code })
	})
}

// name of a receiver, or of a department of an organisation; the code itself if neither is known.
func (c choices) name(organization, code string) string {
	for _, r := range c.Receivers {
		if r.ID == code {
			return r.Name
		}
		for _, d := range r.Departments {
			if r.ID == organization && d.Code == code {
				return d.Name
			}
		}
	}
	return code
}

// propose chooses it where no department was chosen, as the script does.
func (c choices) propose(form url.Values) {
	if form.Get("kind") == "EMERGENCY" && form.Get("department") == "" && c.has(form.Get("organization"), shell.EmergencyDepartment) {
		form.Set("department", shell.EmergencyDepartment)
	}
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
		one := receiver{ID: o.GetId(), Name: county.OrganizationName(language, o.GetId()), Lines: p.Shell.EmergencyLines(r, o.GetId(), shell.EmergencyDepartment)}
		for _, d := range county.Departments(o.GetId()) {
			one.Departments = append(one.Departments, department{d.GetCode(), county.DepartmentName(language, o.GetId(), d.GetCode())})
		}
		c.Receivers = append(c.Receivers, one)
	}
	return c, nil
}

// kindsOf are the kinds whose form shows a part.
func kindsOf(part string) []string {
	switch part {
	case "urgency":
		return []string{"OUTPATIENT", "INPATIENT", "EXAM", "ADVICE"}
	case "exams":
		return []string{"EXAM"}
	case "advice":
		return []string{"ADVICE"}
	case "slot":
		return []string{"OUTPATIENT", "INPATIENT", "EMERGENCY", "EXAM"}
	default: // travel: nobody travels for an advice
		return []string{"OUTPATIENT", "INPATIENT", "EMERGENCY", "EXAM"}
	}
}

func shows(part, kind string) bool { return slices.Contains(kindsOf(part), kind) }

// Kinds is the choice on which a part is shown, for the script.
func (formData) Kinds(part string) string { return "kind=" + strings.Join(kindsOf(part), "|") }

// Shows tells whether the chosen kind needs a part, for browsers without scripts.
func (d formData) Shows(part string) bool { return shows(part, d.Form.Value("kind")) }

// Modalities are what can be chosen for an examination with an appointment.
func (formData) Modalities() []string { return parts.Modalities() }

// examLines are the filled lines and empty ones to fill.
func examLines(form url.Values) []string {
	lines := slices.DeleteFunc(slices.Clone(form["examItem"]), func(line string) bool { return strings.TrimSpace(line) == "" })
	for len(lines) < 3 || lines[len(lines)-1] != "" {
		lines = append(lines, "")
	}
	return lines
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
		Diagnoses: parts.Diagnoses(form), Consent: parts.Consent(form, kind), Values: parts.Values(form),
		OriginatorPhone: get("originatorPhone"),
	}
	// Without scripts the form also sends what its kind does not need.
	if shows("travel", kind.String()) {
		request.TransferNote, request.Transport = get("transferNote"), get("transport")
	}
	if shows("exams", kind.String()) {
		request.Modality = get("modality")
		for _, line := range form["examItem"] {
			if line = strings.TrimSpace(line); line != "" {
				request.ExamItems = append(request.ExamItems, &commonv1.Coding{Display: line})
			}
		}
	}
	return request
}

// kindFor is the kind that the form begins with: a village doctor asks, and the patient stays.
func kindFor(a *directoryv1.Account) string {
	if shell.IsVillage(a) {
		return commonv1.Kind_ADVICE.String()
	}
	return commonv1.Kind_OUTPATIENT.String()
}

// proposed is how many entries of the record the form takes over; it says how many more there are. Allergies are all taken over.
const proposed = 8

// pastHistory proposes 主要既往史 from the problems and allergies on record; the doctor edits it.
func (p *Pages) pastHistory(r *http.Request, summary *patientrecordv1.Summary) string {
	var said []string
	for _, one := range summary.GetProblems() {
		said = append(said, one.GetText())
	}
	said = p.first(r, distinct(said))
	var allergic []string
	for _, one := range summary.GetAllergies() {
		if !shell.NoKnownAllergy(one) {
			allergic = append(allergic, one.GetText())
		}
	}
	if allergic = distinct(allergic); len(allergic) > 0 {
		said = append(said, p.Shell.T(r, "refer.allergic", "to", strings.Join(allergic, "、")))
	}
	return strings.Join(said, "；")
}

// treatment proposes 治疗经过 from the medicines that the patient takes; the doctor adds what was done now.
func (p *Pages) treatment(r *http.Request, summary *patientrecordv1.Summary) string {
	var said []string
	for _, one := range shell.Medications(summary.GetMedications()) {
		said = append(said, strings.TrimSpace(one.GetText()+" "+one.GetDosage()))
	}
	if said = p.first(r, distinct(said)); len(said) == 0 {
		return ""
	}
	return p.Shell.T(r, "refer.takes", "what", strings.Join(said, "；"))
}

// first are the first few, and that there are more.
func (p *Pages) first(r *http.Request, texts []string) []string {
	if len(texts) <= proposed {
		return texts
	}
	return append(texts[:proposed:proposed], p.Shell.T(r, "refer.and-more", "n", len(texts)-proposed))
}

// Folded tells that a field says what the record says and is not wrong: the form shows it in one line.
func (d formData) Folded(name string) bool {
	return d.Known[name] != "" && d.Form.Value(name) == d.Known[name] && d.Form.Error(name) == ""
}

// SameConsenter tells the same of who consents.
func (d formData) SameConsenter() bool {
	return parts.SameConsenter(d.Form.Values, d.Patient) && d.Form.Error("consent.givenBy") == "" && d.Form.Error("consent.relation") == ""
}

// distinct are the texts, each once.
func distinct(texts []string) []string {
	var out []string
	for _, one := range texts {
		if one != "" && !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	return out
}

// valuesOf fills the form from a referral that is edited.
func valuesOf(r *referralv1.Referral, patient *patientrecordv1.Patient) url.Values {
	values := url.Values{
		"kind": {r.GetKind().String()}, "urgency": {r.GetUrgency().String()},
		"organization": {r.GetReceiver().GetOrganizationId()}, "department": {r.GetReceiver().GetDepartmentCode()},
		"form.initialImpression": {r.GetForm().GetInitialImpression()}, "form.presentIllness": {r.GetForm().GetPresentIllness()},
		"form.pastHistory": {r.GetForm().GetPastHistory()}, "form.treatment": {r.GetForm().GetTreatment()},
		"transferNote": {r.GetTransferNote()}, "transport": {r.GetTransport()}, "originatorPhone": {r.GetOriginatorPhone()},
		"modality": {r.GetModality()},
	}
	parts.SetDiagnoses(values, r.GetDiagnoses())
	parts.SetConsent(values, r.GetConsent(), patient)
	parts.SetValues(values, r.GetValues())
	for _, item := range r.GetExamItems() {
		values.Add("examItem", item.GetDisplay())
	}
	return values
}

// offers tells that the chosen slot was offered for the kind that is sent: without scripts it may be one that was offered for another.
func offers(form url.Values) bool {
	exam := form.Get("slotKind") == "EXAM"
	return form.Get("kind") == "EXAM" && exam || form.Get("kind") == "OUTPATIENT" && !exam
}
