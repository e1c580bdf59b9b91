// Package record holds the pages on which somebody writes down what happened without a referral: a patient who came to the
// county anyway (补录到诊), and one who left the county (登记外转).
//
// The patient is looked up first, by the search of package patients. Both forms carry a request id made when they were shown;
// a refusal keeps everything that was typed.
package record

import (
	"embed"
	"net/http"
	"net/url"
	"strings"
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

//go:embed *.html
var files embed.FS

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell    *shell.Shell
	Record   patientrecordv1.PatientRecordServiceClient
	Referral referralv1.ReferralServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	searchSet, arrivalSet, outSet *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	var err error
	if p.searchSet, err = deps.Shell.Parse(files, "search.html"); err != nil {
		return nil, err
	}
	if p.arrivalSet, err = parts.Parse(deps.Shell, files, "arrival.html", "fields.html"); err != nil {
		return nil, err
	}
	p.outSet, err = parts.Parse(deps.Shell, files, "out.html", "fields.html")
	return p, err
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /record/arrival", p.Shell.Page(p.search("arrival")))
	mux.Handle("GET /record/out", p.Shell.Page(p.search("out")))
	mux.Handle("GET /record/arrival/{patient}", p.Shell.Page(p.arrival))
	mux.Handle("POST /record/arrival/{patient}", p.Shell.Page(p.recordArrival))
	mux.Handle("GET /record/out/{patient}", p.Shell.Page(p.out))
	mux.Handle("POST /record/out/{patient}", p.Shell.Page(p.recordOut))
}

// search is where a record begins: with finding the patient.
func (p *Pages) search(what string) shell.Handler {
	title := map[string]string{"arrival": "record.arrival", "out": "record.out"}[what]
	return func(w http.ResponseWriter, r *http.Request) error {
		return p.Shell.Render(w, r, p.searchSet, shell.Page{Title: title, Nav: nav(r), Data: what})
	}
}

// nav is the entry of the rail from which the visitor comes.
func nav(r *http.Request) string {
	if visitor, ok := door.VisitorFrom(r.Context()); ok && shell.IsCounty(visitor.Account) {
		return "desk"
	}
	return "patients"
}

// choice is an entry of a list.
type choice struct{ Value, Name string }

// formData is what both forms see.
type formData struct {
	Form      shell.Form
	PatientID string
	// Patient is nil when the record is away.
	Patient   *patientrecordv1.Patient
	RequestID string
	Diagnoses []parts.Diagnosis
	Reasons   []*referralv1.Reason
	// Organizations are the senders of an arrival, the destinations of one who left.
	Organizations []choice
	Departments   []choice
	// Existing is the open referral of the patient that is to be used instead.
	Existing, ExistingNumber string
	Problem                  string
	// Up are the patient's referrals up that are not over: whoever comes with one of them is not recorded as a second one unawares.
	Up []shell.Row
}

// load reads what a form needs. One that was typed into stands without what cannot be read: what was typed is worth more.
func (p *Pages) load(r *http.Request, action string, kinds ...directoryv1.OrganizationType_Code) (formData, error) {
	data := formData{PatientID: r.PathValue("patient")}
	patient, err := p.Record.GetPatient(r.Context(), &patientrecordv1.GetPatientRequest{Id: data.PatientID})
	if err != nil && r.Method == http.MethodGet {
		return data, err
	}
	data.Patient = patient
	reasons, err := p.Referral.ListReasons(r.Context(), &referralv1.ListReasonsRequest{Action: action})
	data.Reasons = shell.Offered(reasons.GetReasons())
	if none := p.places(r, &data, kinds); err == nil {
		err = none
	}
	if r.Method == http.MethodPost {
		err = nil
	}
	return data, err
}

func (p *Pages) places(r *http.Request, data *formData, kinds []directoryv1.OrganizationType_Code) error {
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return err
	}
	visitor, _ := door.VisitorFrom(r.Context())
	own, language := visitor.Account.GetOrganizationId(), p.Shell.Language(r)
	for _, kind := range kinds {
		for _, o := range county.Organizations {
			if o.GetType() == kind && !o.GetDisabled() {
				data.Organizations = append(data.Organizations, choice{o.GetId(), county.OrganizationName(language, o.GetId())})
			}
		}
	}
	for _, d := range county.Departments(own) {
		data.Departments = append(data.Departments, choice{d.GetCode(), county.DepartmentName(language, own, d.GetCode())})
	}
	return nil
}

// done goes to the referral that was recorded.
func (p *Pages) done(w http.ResponseWriter, r *http.Request, made *referralv1.Referral, flash string) error {
	p.Shell.Flash(w, flash)
	http.Redirect(w, r, "/referrals/"+made.GetId(), http.StatusSeeOther)
	return nil
}

// fieldErrors stand in the order of the forms, and call the reason what the form calls it, by a text key.
func (p *Pages) fieldErrors(r *http.Request, reason string, cause error) []shell.FieldError {
	list := p.Shell.FieldErrors(r, shell.Called(cause, map[string]string{"reasonCode": reason, "receiver.organizationId": "record.hospital"}))
	return shell.InOrder(list, strings.Fields("originator.organizationId receiver.organizationId destination reasonCode note kind urgency departmentCode diagnoses arriveTime date")...)
}

// refused shows the form again with everything that was typed and what was wrong; reason is what it calls the reason.
func (p *Pages) refused(w http.ResponseWriter, r *http.Request, data formData, set *shell.Set, title, reason string, cause error) error {
	return p.Shell.Again(w, r, cause, func(again shell.Refused) error {
		again.Form.Errors = p.fieldErrors(r, reason, cause)
		data.Form, data.Problem, data.RequestID = again.Form, again.Problem, again.RequestID
		if e, ok := errs.As(cause); ok && e.Reason == errs.ReasonOpenReferralExists {
			data.Existing, data.ExistingNumber, data.Problem = e.Meta["referralId"], e.Meta["number"], ""
		}
		return p.show(w, r, set, shell.Page{Title: title, Status: again.Status, Data: data})
	})
}

// day is a date as a form sends it.
func (p *Pages) day() string { return p.Shell.Now().Format(time.DateOnly) }

func (p *Pages) show(w http.ResponseWriter, r *http.Request, set *shell.Set, page shell.Page) error {
	data, ok := page.Data.(formData)
	if ok {
		data.Diagnoses = parts.Chosen(data.Form.Values)
		page.Data = data
	}
	page.Nav = nav(r)
	return p.Shell.Render(w, r, set, page)
}

func empty(pairs ...string) url.Values {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}
