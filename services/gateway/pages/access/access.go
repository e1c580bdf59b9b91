// Package access holds the pages of who may look: stating a purpose before what is sensitive is shown, ways to a record of another
// organisation, and the review of those ways.
package access

import (
	"embed"
	"net/http"
	"net/url"
	"regexp"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

//go:embed *.html
var files embed.FS

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell  *shell.Shell
	Record patientrecordv1.PatientRecordServiceClient
	Access patientrecordv1.AccessServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	purposeSet, glassSet, reviewsSet, reviewSet *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	for file, set := range map[string]**shell.Set{
		"purpose.html": &p.purposeSet, "glass.html": &p.glassSet, "reviews.html": &p.reviewsSet, "review.html": &p.reviewSet,
	} {
		parsed, err := deps.Shell.Parse(files, file)
		if err != nil {
			return nil, err
		}
		*set = parsed
	}
	return p, nil
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /access/{id}/purpose", p.Shell.Page(p.purposeForm))
	mux.Handle("POST /access/{id}/purpose", p.Shell.Page(p.statePurpose))
	mux.Handle("GET /access/{id}/glass", p.Shell.Page(p.glassForm))
	mux.Handle("POST /access/{id}/glass", p.Shell.Page(p.breakGlass))
	mux.Handle("POST /access/{id}/visit", p.Shell.Page(p.declareVisit))
	mux.Handle("GET /reviews", p.Shell.Page(p.reviews))
	mux.Handle("GET /reviews/{id}", p.Shell.Page(p.review))
	mux.Handle("POST /reviews/{id}", p.Shell.Page(p.judge))
}

// own are the pages that a stated purpose leads back to.
var own = regexp.MustCompile(`^/(patients|referrals)/[0-9a-f-]{36}(/[a-z]+(/[0-9a-f-]{36})?)?$`)

// backTo is the page from which the visitor came, or the patient's own.
func backTo(path, patient string) string {
	if own.MatchString(path) {
		return path
	}
	return "/patients/" + patient
}

type purposeData struct {
	PatientID, Back, RequestID, Problem string
	Form                                shell.Form
}

func (p *Pages) purposeForm(w http.ResponseWriter, r *http.Request) error {
	from := ""
	if referer, err := url.Parse(r.Referer()); err == nil && referer.Host == r.Host {
		from = referer.Path
	}
	patient := r.PathValue("id")
	return p.showPurpose(w, r, http.StatusOK, purposeData{PatientID: patient, Back: backTo(from, patient), RequestID: id.New()})
}

func (p *Pages) showPurpose(w http.ResponseWriter, r *http.Request, status int, d purposeData) error {
	return p.Shell.Render(w, r, p.purposeSet, shell.Page{Title: "purpose.title", Nav: "patients", Status: status, Data: d})
}

func (p *Pages) statePurpose(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	patient := r.PathValue("id")
	_, err := p.Access.StatePurpose(r.Context(), &patientrecordv1.StatePurposeRequest{
		PatientId: patient, RequestId: r.PostFormValue("requestId"),
		Purpose: patientrecordv1.Purpose_Code(patientrecordv1.Purpose_Code_value[r.PostFormValue("purpose")]),
	})
	back := backTo(r.PostFormValue("back"), patient)
	if err == nil {
		http.Redirect(w, r, back, http.StatusSeeOther)
		return nil
	}
	return p.Shell.Again(w, r, err, func(again shell.Refused) error {
		d := purposeData{PatientID: patient, Back: back, RequestID: again.RequestID, Problem: again.Problem, Form: again.Form}
		return p.showPurpose(w, r, again.Status, d)
	})
}
