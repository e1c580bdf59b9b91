// Package refer holds the page on which a patient is sent up: one form, filled from what is known, sent once.
//
// The form carries a request id made when it was shown; a second click or a repeated request with it makes no second
// referral. A slot or bed is held when the form is sent, and a refusal keeps everything that was typed.
package refer

import (
	"cmp"
	"embed"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

//go:embed *.html
var files embed.FS

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell      *shell.Shell
	Record     patientrecordv1.PatientRecordServiceClient
	Referral   referralv1.ReferralServiceClient
	Criteria   referralv1.CriteriaServiceClient
	Scheduling schedulingv1.SchedulingServiceClient
	Allocation schedulingv1.AllocationServiceClient
	Handover   referralv1.HandoverServiceClient
	Consents   patientrecordv1.ConsentServiceClient
	// Attachments says which documents will travel.
	Attachments patientrecordv1.AttachmentServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	formSet, slotsSet *shell.Set
	templates         []textTemplate
	// blanks are the choices that stand in them.
	blanks map[string]bool
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	var err error
	if p.templates, err = loadTemplates(); err != nil {
		return nil, err
	}
	p.blanks = choicesOf(p.templates)
	if p.formSet, err = parts.Parse(deps.Shell, files, "form.html", "slots.html", "departments.html", "templates.html"); err != nil {
		return nil, err
	}
	p.slotsSet, err = parts.Parse(deps.Shell, files, "slots.html", "departments.html")
	return p, err
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /refer/{patient}", p.Shell.Page(p.form))
	mux.Handle("POST /refer/{patient}", p.Shell.Page(p.send))
	mux.Handle("POST /refer/{patient}/criteria", p.Shell.Page(p.criteria))
	mux.Handle("POST /refer/{patient}/completeness", p.Shell.Page(p.completeness))
	mux.Handle("POST /refer/{patient}/templates", p.Shell.Page(p.suitable))
	mux.Handle("GET /refer/templates", p.Shell.Page(p.allTemplates))
	mux.Handle("GET /refer/slots", p.Shell.Page(p.slots))
	mux.Handle("GET /refer/departments", p.Shell.Page(p.departments))
	mux.Handle("GET /refer/diagnoses", p.Shell.Page(p.diagnoses))
	mux.Handle("GET /refer/diagnoses/all", p.Shell.Page(p.allDiagnoses))
	mux.Handle("GET /referrals/{id}/edit", p.Shell.Page(p.edit))
	mux.Handle("POST /referrals/{id}/edit", p.Shell.Page(p.change))
}

// formData is what form.html sees.
type formData struct {
	Form      shell.Form
	PatientID string
	// Patient and Summary are nil when the record is away.
	Patient *patientrecordv1.Patient
	Summary *patientrecordv1.Summary
	// Known are the texts that the record proposes, by field.
	Known   map[string]string
	Choices choices
	Slots   slotsData
	// Action is where the form is sent; Draft its name in the browser's storage.
	Action, Draft string
	RequestID     string
	// HoldKey names what the form holds; it stays the same when the form is shown again.
	HoldKey   string
	Diagnoses []parts.Diagnosis
	Criteria  parts.Panel
	Complete  parts.Completeness
	Templates templatesData
	// Language names the texts of templates.
	Language string
	// Blanks are the choices of templates that must not be left in a text, one after the other, for the script.
	Blanks string
	// Departments are those of the chosen hospital.
	Departments departmentsData
	// Exams are the lines of what is to be examined, with empty ones to fill.
	Exams []string
	// Open are the patient's referrals that are not over, as far as the visitor may see them, without the one that is edited.
	Open []shell.Row
	// There is what is known of the patient at the hospitals, about which the form asks.
	There []there
	// Existing is the open referral that makes this one a duplicate.
	Existing, ExistingNumber string
	// Editing is the id of the draft or returned referral that is gone on with; Travels are the documents that go with it.
	Editing string
	Travels parts.Travels
	// Returned is the referral that came back for information, Missing where the form has what is asked for; nil where that is not said.
	Returned *referralv1.Referral
	Missing  *parts.Asked
	// Kept is the slot or bed that it still holds; KeptUnknown that scheduling could not be asked.
	Kept        *schedulingv1.Hold
	KeptUnknown bool
	Reason      string
	// SMS is the consent to SMS that holds; NoSMS tells that patients get none here, so that nobody is asked; while that is not known, the form asks.
	SMS     *patientrecordv1.ConsentRecord
	NoSMS   bool
	Problem string
	// Stale is what somebody else did meanwhile; nil otherwise.
	Stale *parts.Stale
}

func (p *Pages) form(w http.ResponseWriter, r *http.Request) error {
	data, err := p.prepare(r, r.PathValue("patient"))
	if err != nil {
		return err
	}
	visitor, _ := door.VisitorFrom(r.Context())
	data.RequestID, data.HoldKey = id.New(), id.New()
	data.Form.Values = url.Values{
		"kind": {kindFor(visitor.Account)}, "urgency": {"ROUTINE"}, "organization": {data.Choices.first()},
		"originatorPhone": {visitor.Account.GetPhone()}, "form.pastHistory": {data.Known["form.pastHistory"]}, "form.treatment": {data.Known["form.treatment"]},
	}
	parts.SetConsent(data.Form.Values, nil, data.Patient)
	return p.render(w, r, http.StatusOK, data)
}

// prepare reads what every showing of the form needs.
func (p *Pages) prepare(r *http.Request, patientID string) (formData, error) {
	data := formData{PatientID: patientID, Action: "/refer/" + patientID, Draft: "refer:" + patientID}
	summary, err := p.Record.GetSummary(r.Context(), &patientrecordv1.GetSummaryRequest{PatientId: patientID})
	if err == nil {
		data.Patient, data.Summary = summary.GetPatient(), summary
	}
	data.Known = map[string]string{"form.pastHistory": p.pastHistory(r, data.Summary), "form.treatment": p.treatment(r, data.Summary)}
	options, cerr := p.choices(r)
	data.Choices = options
	return data, cmp.Or(err, cerr)
}

func (p *Pages) render(w http.ResponseWriter, r *http.Request, status int, data formData) error {
	data.Diagnoses, data.Exams = parts.Chosen(data.Form.Values), examLines(data.Form.Values)
	data.Language = p.Shell.Language(r)
	data.Templates, data.Blanks = p.offered(r, data.Form.Values), strings.Join(slices.Sorted(maps.Keys(p.blanks)), "")
	data.Criteria = p.held(r, data.PatientID, data.Form.Values)
	data.Complete = parts.Complete(p.Shell, r, p.Handover, createRequest(data.Form.Values, data.PatientID))
	slots, err := p.loadSlots(r, data.Form.Values)
	if err != nil {
		// The form is worth more than the slots: without scheduling a referral is sent without one.
		slots = slotsData{Away: true}
	}
	data.Slots = slots
	data.Open = p.open(r, data.PatientID, data.Editing)
	data.There = p.thereOf(r, data.Choices, data.PatientID, data.Editing)
	data.Departments = p.departmentsOf(r, data.Choices, data.Form.Values)
	p.askSMS(r, &data)
	data.Travels = parts.Travelling(r.Context(), p.Attachments, data.PatientID, data.Editing, data.Action)
	title := "refer.title"
	if data.Editing != "" {
		title = "refer.edit"
	}
	return p.Shell.Render(w, r, p.formSet, shell.Page{Title: title, Nav: "referrals", Status: status, Data: data})
}

// held is the form held against the criteria for sending a patient up.
func (p *Pages) held(r *http.Request, patientID string, form url.Values) parts.Panel {
	panel := parts.Criteria(p.Shell, r, p.Criteria, parts.Ask{Direction: commonv1.Direction_UP, PatientID: patientID, Form: form})
	// An emergency goes to its own department, and an examination to where the device stands.
	usual := slices.Contains([]string{"OUTPATIENT", "INPATIENT", "ADVICE"}, form.Get("kind"))
	if options, err := p.choices(r); err == nil && usual && form.Get("department") == "" && options.has(form.Get("organization"), panel.Department) {
		panel.ProposedDepartment = options.name(form.Get("organization"), panel.Department)
	}
	return panel
}

func (p *Pages) criteria(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	return p.Shell.Fragment(w, r, p.formSet, "criteria", p.held(r, r.PathValue("patient"), r.PostForm))
}

// completeness judges the form as typed.
func (p *Pages) completeness(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	typed := createRequest(r.PostForm, r.PathValue("patient"))
	return p.Shell.Fragment(w, r, p.formSet, "completeness", parts.Complete(p.Shell, r, p.Handover, typed))
}
