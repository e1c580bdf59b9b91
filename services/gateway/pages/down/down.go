// Package down holds the page on which the county sends a patient down (回转单): filled from the reply to the up-referral or from
// a draft, with the medicines held against what the township centre has and a plan for the follow-up.
//
// A medicine that the centre lacks needs a decision before the patient is sent. The form carries a request id made when it was
// shown; a refusal keeps everything that was typed.
package down

import (
	"cmp"
	"embed"
	"net/http"
	"net/url"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

//go:embed *.html
var files embed.FS

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell     *shell.Shell
	Record    patientrecordv1.PatientRecordServiceClient
	Referral  referralv1.ReferralServiceClient
	Criteria  referralv1.CriteriaServiceClient
	Candidate referralv1.CandidateServiceClient
	FollowUp  referralv1.FollowUpServiceClient
	Handover  referralv1.HandoverServiceClient
	Clinical  patientrecordv1.ClinicalRecordServiceClient
	// Attachments says which documents will travel.
	Attachments patientrecordv1.AttachmentServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	formSet *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	set, err := parts.Parse(deps.Shell, files, "form.html", "medicines.html", "plan.html", "reply.html")
	return &Pages{Deps: deps, formSet: set}, err
}

// Routes adds the pages to a mux. The query names what the form answers (reply_to) or goes on with (draft).
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /down/{patient}", p.Shell.Page(p.form))
	mux.Handle("POST /down/{patient}", p.Shell.Page(p.send))
	mux.Handle("POST /down/{patient}/{part}", p.Shell.Page(p.part))
}

// formData is what form.html sees.
type formData struct {
	Form      shell.Form
	PatientID string
	// Patient and Summary are nil when the record is away.
	Patient *patientrecordv1.Patient
	Summary *patientrecordv1.Summary
	// Up is the up-referral that is answered, Draft the down-referral that is gone on with; nil for none.
	Up, Draft *referralv1.Referral
	// Action is where the form is sent; Query names Up or Draft, with its question mark; Kept is the form's name in the browser's storage.
	Action, Query, Kept string
	RequestID           string
	Centres             []centre
	Diagnoses           []parts.Diagnosis
	Criteria            parts.Panel
	Complete            parts.Completeness
	Medicines           medicinesData
	Plan                planData
	Travels             parts.Travels
	// Replies: the up-referral waits for a reply, which may go out with this; Reply is that reply as typed.
	Replies bool
	Reply   *referralv1.Reply
	// Existing is the open referral that makes this one a duplicate.
	Existing, ExistingNumber string
	// Reason words why the draft came back.
	Reason, Problem string
	// Stale is what somebody else did to the draft, or to the up-referral that is replied to, meanwhile; nil otherwise.
	Stale *parts.Stale
}

// Missing is where the form has what the township asks for; nil where that is not said.
func (d formData) Missing() *parts.Asked { return parts.AskedOf(d.Draft) }

// First tells that nobody has written on the draft yet: it was made of a candidate.
func (d formData) First() bool {
	return d.Draft.GetState() == referralv1.State_DRAFT && d.Draft.GetVersion() == 1
}

// Returned tells that the township asks for more.
func (d formData) Returned() bool { return d.Draft.GetState() == referralv1.State_RETURNED }

func (p *Pages) form(w http.ResponseWriter, r *http.Request) error {
	data, err := p.load(r)
	if err != nil {
		return err
	}
	data.RequestID = id.New()
	if data.Draft != nil {
		data.Form.Values = parts.Original(p.present(r, data), p.groups(r))
		parts.SetCriteria(data.Form.Values, data.Draft)
	} else {
		data.Form.Values = p.proposed(r, data)
	}
	if waits(data.Up) {
		data.Form.Values.Set("reply", "1")
		data.Form.Values.Set("replyVersion", standing(data.Up))
	}
	return p.render(w, r, http.StatusOK, data)
}

// load reads what every showing of the form needs. Without the record the form is shown without what it adds.
func (p *Pages) load(r *http.Request) (formData, error) {
	data := formData{PatientID: r.PathValue("patient")}
	data.Action, data.Kept = "/down/"+data.PatientID, "down:"+data.PatientID
	up := r.URL.Query().Get("reply_to")
	if draft := r.URL.Query().Get("draft"); draft != "" {
		referral, err := p.Referral.GetReferral(r.Context(), &referralv1.GetReferralRequest{Id: draft})
		if err != nil {
			return data, err
		}
		if referral.GetPatientId() != data.PatientID || referral.GetDirection() != commonv1.Direction_DOWN {
			return data, errs.NotFound("referral")
		}
		data.Draft, up = referral, referral.GetReplyTo()
		data.Query = "?draft=" + url.QueryEscape(draft)
		data.Kept = "edit:" + draft
		if data.Returned() {
			data.Reason = p.Shell.ReasonOf(r, referral)
		}
	} else if up != "" {
		data.Query = "?reply_to=" + url.QueryEscape(up)
	}
	if up != "" {
		referral, err := p.Referral.GetReferral(r.Context(), &referralv1.GetReferralRequest{Id: up})
		switch {
		case err != nil && data.Draft == nil:
			return data, err
		case err == nil && (referral.GetPatientId() != data.PatientID || referral.GetDirection() != commonv1.Direction_UP):
			return data, errs.NotFound("referral")
		}
		data.Up = referral
	}
	data.Action += data.Query
	summary, err := p.Record.GetSummary(r.Context(), &patientrecordv1.GetSummaryRequest{PatientId: data.PatientID})
	if err == nil {
		data.Patient, data.Summary = summary.GetPatient(), summary
	} else if errs.KindOf(err) != errs.KindUnavailable {
		return data, err
	}
	data.Centres, err = p.centres(r)
	if errs.KindOf(err) == errs.KindUnavailable && r.Method == http.MethodPost {
		err = nil // what was typed is worth more than the list of centres
	}
	return data, err
}

func (p *Pages) render(w http.ResponseWriter, r *http.Request, status int, data formData) error {
	form := data.Form.Values
	data.Diagnoses = parts.Chosen(form)
	data.Criteria = p.held(r, data.PatientID, form)
	data.Complete = p.complete(r, data.PatientID, form)
	data.Medicines = p.medicines(r, form, data.Form.Errors)
	data.Plan = p.plan(r, form, data.Form.Errors)
	data.Replies, data.Reply = p.mayReply(r, data.Up), replyOf(form)
	data.Travels = parts.Travelling(r.Context(), p.Attachments, data.PatientID, data.Draft.GetId(), data.Action)
	title := "down.title"
	if data.Draft != nil && !data.First() {
		title = "down.edit"
	}
	return p.Shell.Render(w, r, p.formSet, shell.Page{Title: title, Nav: "desk", Status: status, Data: data})
}

func (p *Pages) held(r *http.Request, patientID string, form url.Values) parts.Panel {
	query := r.URL.Query()
	return parts.Criteria(p.Shell, r, p.Criteria, parts.Ask{
		Direction: commonv1.Direction_DOWN, PatientID: patientID, ReplyTo: cmp.Or(query.Get("draft"), query.Get("reply_to")), Form: form,
	})
}

// complete judges the form as typed.
func (p *Pages) complete(r *http.Request, patientID string, form url.Values) parts.Completeness {
	return parts.Complete(p.Shell, r, p.Handover, createRequest(form, formData{PatientID: patientID}))
}

// part answers with one part of the form, worded anew.
func (p *Pages) part(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	var data any
	switch r.PathValue("part") {
	case "criteria":
		data = p.held(r, r.PathValue("patient"), r.PostForm)
	case "medicines":
		data = p.medicines(r, r.PostForm, nil)
	case "completeness":
		data = p.complete(r, r.PathValue("patient"), r.PostForm)
	case "plan":
		data = p.plan(r, r.PostForm, nil)
	case "reply":
		data = replyOf(r.PostForm)
	default:
		return errs.NotFound("page")
	}
	return p.Shell.Fragment(w, r, p.formSet, r.PathValue("part"), data)
}

// send keeps the form as a draft or sends it; any other button only shows it anew, for browsers without scripts.
func (p *Pages) send(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	data, err := p.load(r)
	if err != nil {
		return p.Shell.Again(w, r, err, func(shell.Refused) error { return err })
	}
	do := r.PostFormValue("do")
	if do != "send" && do != "draft" {
		r.PostForm = filled(r.PostForm, do)
		return p.again(w, r, data, nil)
	}
	r.PostForm = p.planned(r, r.PostForm)
	var made *referralv1.Referral
	if do == "send" {
		err = overtaken(r.PostForm, data)
	}
	if err == nil {
		err = p.ready(r, data, do == "send")
	}
	if err == nil {
		made, err = p.store(r, data, do == "send")
	}
	if err != nil {
		return p.again(w, r, data, err)
	}
	flash, next := "down.sent", ""
	switch {
	case do == "draft":
		flash = "down.drafted"
	case replies(r.PostForm, data):
		flash, next = p.reply(r, data)
	}
	p.Shell.Flash(w, flash, data.Kept)
	http.Redirect(w, r, cmp.Or(next, "/referrals/"+made.GetId()), http.StatusSeeOther)
	return nil
}

// ready finds what this page alone can see: days that are no number and, before sending, values for the criteria that cannot be, and the outcome that a
// reply lacks: of two that go out together neither waits for the other. With something of
// that it also asks what the referral service would say, so that all of it is told at once.
func (p *Pages) ready(r *http.Request, data formData, send bool) error {
	wrong := countable(r.PostForm)
	if send {
		wrong = append(wrong, p.held(r, data.PatientID, r.PostForm).Wrong()...)
		if replies(r.PostForm, data) && r.PostFormValue("outcomeCode") == "" {
			wrong = append(wrong, errs.Required("outcomeCode"))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	if send {
		check := createRequest(r.PostForm, data)
		for _, m := range check.GetMedicines() {
			m.Days = max(0, m.GetDays())
		}
		check.RequestId, check.Submit, check.ValidateOnly = id.New(), true, true
		_, refused := p.Referral.CreateReferral(r.Context(), check)
		if e, ok := errs.As(refused); ok && e.Kind == errs.KindInvalid {
			wrong = append(wrong, e.Fields...)
		}
	}
	return errs.Invalid(wrong...)
}

// again shows the form with everything that was typed and what was wrong, or only anew without a cause.
func (p *Pages) again(w http.ResponseWriter, r *http.Request, data formData, cause error) error {
	if cause == nil {
		data.Form, data.RequestID = shell.Form{Values: r.PostForm}, r.PostFormValue("requestId")
		return p.render(w, r, http.StatusOK, data)
	}
	return p.Shell.Again(w, r, cause, func(again shell.Refused) error {
		again.Form.Errors = p.fieldErrors(r, cause)
		parts.Stored(again)
		data.Form, data.Problem, data.RequestID = again.Form, again.Problem, again.RequestID
		switch {
		case r.PostFormValue("do") == "send" && overtaken(r.PostForm, data) != nil:
			p.rest(r, &data)
		case outdated(data, cause):
			p.reapply(r, &data, cause)
		}
		if e, ok := errs.As(cause); ok && e.Reason == errs.ReasonOpenReferralExists {
			data.Existing, data.ExistingNumber, data.Problem = e.Meta["referralId"], e.Meta["number"], ""
		}
		return p.render(w, r, again.Status, data)
	})
}
