// Package refer holds the page on which a patient is sent up: one form, filled from what is known, sent once.
//
// The form carries a request id made when it was shown; a second click or a repeated request with it makes no second
// referral. A slot or bed is held when the form is sent, and a refusal keeps everything that was typed.
package refer

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

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
	if p.formSet, err = parts.Parse(deps.Shell, files, "form.html", "slots.html", "templates.html"); err != nil {
		return nil, err
	}
	p.slotsSet, err = deps.Shell.Parse(files, "slots.html")
	return p, err
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /refer/{patient}", p.Shell.Page(p.form))
	mux.Handle("POST /refer/{patient}", p.Shell.Page(p.send))
	mux.Handle("POST /refer/{patient}/criteria", p.Shell.Page(p.criteria))
	mux.Handle("POST /refer/{patient}/completeness", p.Shell.Page(p.completeness))
	mux.Handle("POST /refer/{patient}/templates", p.Shell.Page(p.suitable))
	mux.Handle("GET /refer/templates/{code}", p.Shell.Page(p.template))
	mux.Handle("GET /refer/slots", p.Shell.Page(p.slots))
	mux.Handle("GET /refer/diagnoses", p.Shell.Page(p.diagnoses))
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
	// Waits is how long one waits for each department of the chosen hospital, by code.
	Waits map[string]*schedulingv1.WaitingTime
	// Exams are the lines of what is to be examined, with empty ones to fill.
	Exams []string
	// Open are the patient's referrals that are not over, as far as the visitor may see them, without the one that is edited.
	Open []shell.Row
	// Existing is the open referral that makes this one a duplicate.
	Existing, ExistingNumber string
	// Editing is the id of the draft or returned referral that is gone on with; Travels are the documents that go with it.
	Editing string
	Travels parts.Travels
	// Returned is the referral that came back for information.
	Returned *referralv1.Referral
	// Kept is the slot or bed that it still holds; KeptUnknown that scheduling could not be asked.
	Kept        *schedulingv1.Hold
	KeptUnknown bool
	Reason      string
	// SMS is the consent to SMS that holds; NoSMS tells that patients get none here, so that nobody is asked; while that is not known, the form asks.
	SMS     *patientrecordv1.ConsentRecord
	NoSMS   bool
	Problem string
	// Stale is what somebody else did meanwhile, StaleWords what that means for the form; nil otherwise.
	Stale      *staleData
	StaleWords string
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
		"originatorPhone": {visitor.Account.GetPhone()}, "form.pastHistory": {p.pastHistory(r, data.Summary)}, "form.treatment": {p.treatment(r, data.Summary)},
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
	options, cerr := p.choices(r)
	data.Choices = options
	return data, cmp.Or(err, cerr)
}

func (p *Pages) render(w http.ResponseWriter, r *http.Request, status int, data formData) error {
	data.Diagnoses, data.Exams = parts.Chosen(data.Form.Values), examLines(data.Form.Values)
	data.Templates = p.offered(r, data.Form.Values)
	data.Criteria = p.held(r, data.PatientID, data.Form.Values)
	data.Complete = parts.Complete(p.Shell, r, p.Handover, createRequest(data.Form.Values, data.PatientID))
	slots, err := p.loadSlots(r, data.Form.Values, true)
	if err != nil {
		// The form is worth more than the slots: without scheduling a referral is sent without one.
		slots = slotsData{Away: true}
	}
	data.Slots = slots
	data.Open = p.open(r, data.PatientID, data.Editing)
	data.Waits = p.waitingTimes(r, data.Form.Value("organization"), data.Form.Value("kind"))
	p.askSMS(r, &data)
	data.Travels = parts.Travelling(r.Context(), p.Attachments, data.PatientID, data.Editing)
	title := "refer.title"
	if data.Editing != "" {
		title = "refer.edit"
	}
	return p.Shell.Render(w, r, p.formSet, shell.Page{Title: title, Nav: "referrals", Status: status, Data: data})
}

// openShown is how many open referrals the form names; a patient hardly ever has more.
const openShown = 20

// open are the referrals of a patient that are not over, so that nobody fills the form to be refused as a duplicate. Without an answer the
// form is worth having all the same.
func (p *Pages) open(r *http.Request, patientID, editing string) []shell.Row {
	list, err := p.Referral.ListReferrals(r.Context(), &referralv1.ListReferralsRequest{View: "all", PatientId: patientID, PageSize: openShown, State: []referralv1.State_Code{
		referralv1.State_DRAFT, referralv1.State_SUBMITTED, referralv1.State_RETURNED, referralv1.State_ACCEPTED, referralv1.State_NO_SHOW,
		referralv1.State_ARRIVED, referralv1.State_ADMITTED, referralv1.State_CONCLUDED, referralv1.State_FOLLOW_UP,
	}})
	if err != nil {
		return nil
	}
	return p.Shell.Rows(r, slices.DeleteFunc(list.GetReferrals(), func(one *referralv1.Referral) bool { return one.GetId() == editing }))
}

func (p *Pages) send(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	patientID := r.PathValue("patient")
	settle(r.PostForm)
	p.applyTemplate(r)
	if onlyLooks(r) {
		return p.again(w, r, patientID, nil)
	}
	request := createRequest(r.PostForm, patientID)
	request.Submit = r.PostFormValue("do") != "draft"
	request.BlankNumber = strings.TrimSpace(r.PostFormValue("blankNumber"))
	if at, bad := time.ParseInLocation("2006-01-02T15:04", r.PostFormValue("writtenTime"), p.Shell.Zone()); bad == nil {
		request.WrittenTime = timestamppb.New(at)
	}
	var err error
	lost := false
	if request.Submit {
		if err = p.unfinished(r.PostForm); err == nil {
			lost, err = p.agree(r, patientID)
		}
	}
	if request.Submit && err == nil {
		request.HoldId, err = p.hold(r.Context(), r.PostForm, patientID)
	}
	var made *referralv1.Referral
	if err == nil {
		made, err = p.Referral.CreateReferral(r.Context(), request)
	}
	if err != nil {
		return p.again(w, r, patientID, err)
	}
	flash := "refer.sent"
	switch {
	case !request.Submit:
		flash = "refer.drafted"
	case request.GetUrgency() == commonv1.Urgency_EMERGENCY:
		flash = "refer.sent-emergency" // the page says what to do if nobody answers
	case made.GetHoldLost():
		flash = "refer.sent-without-hold"
	default:
		flash = cmp.Or(p.wait(r.Context(), r.PostForm, made), flash)
	}
	if lost {
		flash = "refer.sent-without-sms"
	}
	p.Shell.Flash(w, flash)
	w.Header().Set(shell.NumberHeader, made.GetNumber())
	http.Redirect(w, r, "/referrals/"+made.GetId(), http.StatusSeeOther)
	return nil
}

// onlyLooks tells that the form was sent to be shown anew, by a browser without scripts.
func onlyLooks(r *http.Request) bool {
	switch r.PostFormValue("do") {
	case "kind", "criteria", "slots", "complete", "template":
		return true
	default:
		return false
	}
}

// held is the form held against the criteria for sending a patient up.
func (p *Pages) held(r *http.Request, patientID string, form url.Values) parts.Panel {
	return parts.Criteria(p.Shell, r, p.Criteria, parts.Ask{Direction: commonv1.Direction_UP, PatientID: patientID, Form: form})
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

// again shows the form with everything that was typed and what was wrong, or only anew without a cause. Without the record or the directory it is shown
// without what they add.
func (p *Pages) again(w http.ResponseWriter, r *http.Request, patientID string, cause error) error {
	return p.answer(w, r, cause, func(again shell.Refused) error {
		data, err := p.prepare(r, patientID)
		if err != nil && errs.KindOf(err) != errs.KindUnavailable {
			return err
		}
		return p.refused(w, r, data, again)
	})
}

// answer shows a form that was refused, or that was only to be shown anew.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request, cause error, show func(shell.Refused) error) error {
	if cause == nil {
		return show(shell.Refused{Form: shell.Form{Values: r.PostForm}, RequestID: r.PostFormValue("requestId"), Status: http.StatusOK})
	}
	return p.Shell.Again(w, r, cause, func(again shell.Refused) error {
		again.Form.Errors = p.fieldErrors(r, cause)
		return show(again)
	})
}

// fieldErrors calls the fields what the form calls them: an advice asks a question where the others tell the illness.
func (p *Pages) fieldErrors(r *http.Request, cause error) []shell.FieldError {
	labels := map[string]string{"modality": "refer.modality"}
	if shows("advice", r.PostFormValue("kind")) {
		labels["form.presentIllness"] = "refer.question"
	}
	wrong := p.Shell.FieldErrors(r, shell.Called(cause, labels))
	for i, e := range wrong {
		if p.left(r.PostFormValue(e.Name)) {
			label := cmp.Or(labels[e.Name], "field."+e.Name)
			wrong[i].Text = p.Shell.T(r, "refer.template.left", "field", p.Shell.T(r, label))
		}
	}
	return shell.InOrder(wrong, fields()...)
}

// fields are in the order of the form.
func fields() []string {
	return append(strings.Fields(`kind urgency diagnoses examItems form.initialImpression form.presentIllness values form.pastHistory form.treatment
		receiver receiver.organizationId receiver.departmentCode slot consent consent.method consent.givenBy consent.relation consent.deferredReason
		transport transferNote originatorPhone blankNumber writtenTime`), smsFields()...)
}

// refused shows the form with what can be mended on it.
func (p *Pages) refused(w http.ResponseWriter, r *http.Request, data formData, again shell.Refused) error {
	data.Form, data.Problem, data.RequestID, data.HoldKey = again.Form, again.Problem, again.RequestID, r.PostFormValue("holdKey")
	switch errs.ReasonOf(again.Cause) {
	case errs.ReasonOpenReferralExists:
		if e, ok := errs.As(again.Cause); ok {
			data.Existing, data.ExistingNumber, data.Problem = e.Meta["referralId"], e.Meta["number"], ""
		}
	case errs.ReasonSlotTaken, errs.ReasonHoldExpired, errs.ReasonNotYetOpen:
		data.Form.Errors = []shell.FieldError{{Name: "slot", Text: p.Shell.ErrorText(r, again.Cause)}}
		data.Form.Values.Del("slot")
		data.HoldKey, data.Problem = id.New(), ""
	case errs.ReasonRequestIDReused:
		data.HoldKey = id.New()
	}
	if again.Cause == nil {
		data.propose()
	}
	return p.render(w, r, again.Status, data)
}

// hold takes the chosen slot or bed; "" when none was chosen. The same form sent again gets the same hold, also when it
// was corrected in between.
func (p *Pages) hold(ctx context.Context, form url.Values, patientID string) (string, error) {
	request := &schedulingv1.CreateHoldRequest{PatientId: patientID}
	key := []string{form.Get("holdKey")}
	switch {
	case form.Get("slot") != "" && offers(form):
		request.SlotId = form.Get("slot")
		key = append(key, "slot", request.SlotId)
	case form.Get("kind") == "INPATIENT" && form.Get("bed") != "":
		request.Bed = &schedulingv1.BedRequest{OrganizationId: form.Get("organization"), DepartmentCode: form.Get("department"), Sex: p.sex(ctx, patientID)}
		key = append(key, "bed", form.Get("organization"), form.Get("department"))
	default:
		return "", nil
	}
	hold, err := p.Shell.Hold(ctx, p.Scheduling, request, key...)
	switch {
	case err == nil:
		return hold.GetId(), nil
	case errs.KindOf(err) == errs.KindUnavailable:
		// Without scheduling the referral goes without a hold; the desk finds a time.
		return "", nil
	default:
		return "", err
	}
}

// sex is the patient's, for the ward; unknown when the record is away, and then only a bed for both is asked for.
func (p *Pages) sex(ctx context.Context, patientID string) string {
	patient, err := p.Record.GetPatient(ctx, &patientrecordv1.GetPatientRequest{Id: patientID})
	if err != nil {
		return ""
	}
	return shell.BedSex(patient.GetSex())
}

func (p *Pages) diagnoses(w http.ResponseWriter, r *http.Request) error {
	list, err := p.Referral.SearchDiagnoses(r.Context(), &referralv1.SearchDiagnosesRequest{Query: r.URL.Query().Get("query")})
	if err != nil {
		return err
	}
	type item struct {
		Code    string `json:"code"`
		Display string `json:"display"`
	}
	items := []item{}
	for _, d := range list.GetDiagnoses() {
		items = append(items, item{d.GetCode(), d.GetDisplay()})
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(items)
}
