// Package patients holds the pages on which a doctor finds or registers a patient and sees the summary.
//
// Search words never stand in a URL: they are sent by POST, kept encrypted by nobody but this process's cache for ten
// minutes, and the page redirects to their random id.
package patients

import (
	"context"
	"embed"
	"net/http"
	"net/url"
	"slices"
	"strings"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

//go:embed *.html
var files embed.FS

// referralsShown is how many referrals a patient's page lists.
const referralsShown = 10

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell    *shell.Shell
	Record   patientrecordv1.PatientRecordServiceClient
	Index    patientrecordv1.PatientIndexServiceClient
	Referral referralv1.ReferralServiceClient
	Cache    cache.Cache
	Ring     *crypt.Ring
}

// Pages serves them.
type Pages struct {
	Deps
	searchSet, registerSet, patientSet *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	for file, set := range map[string]**shell.Set{"search.html": &p.searchSet, "register.html": &p.registerSet, "patient.html": &p.patientSet} {
		parsed, err := deps.Shell.Parse(files, file, "begin.html")
		if err != nil {
			return nil, err
		}
		*set = parsed
	}
	return p, nil
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /patients", p.Shell.Page(p.search))
	mux.Handle("POST /patients/search", p.Shell.Page(p.find))
	mux.Handle("GET /patient-searches/{search}", p.Shell.Page(p.found))
	mux.Handle("GET /patients/new", p.Shell.Page(p.registerForm))
	mux.Handle("POST /patients/new", p.Shell.Page(p.register))
	mux.Handle("GET /patients/{id}", p.Shell.Page(p.patient))
}

// offered is what the visitor can begin for a patient: refer is a township's, recording an arrival the county's.
type offered struct{ Township, County bool }

func offer(r *http.Request) offered {
	visitor, _ := door.VisitorFrom(r.Context())
	return offered{Township: shell.IsTownship(visitor.Account), County: shell.IsCounty(visitor.Account)}
}

type searchData struct {
	offered
	Query    string
	Searched bool
	Patients []*patientrecordv1.Patient
	More     bool
}

func (p *Pages) search(w http.ResponseWriter, r *http.Request) error {
	return p.Shell.Render(w, r, p.searchSet, shell.Page{Title: "patients.title", Nav: "patients", Data: searchData{offered: offer(r)}})
}

// find keeps the words under a random id and goes there, so that a reload and the way back work.
func (p *Pages) find(w http.ResponseWriter, r *http.Request) error {
	words := strings.TrimSpace(r.PostFormValue("query"))
	if words == "" {
		http.Redirect(w, r, "/patients", http.StatusSeeOther)
		return nil
	}
	search, err := p.searches().Keep(r.Context(), words)
	if err != nil {
		// Without a cache the answer is shown in place; only the way back is lost.
		return p.answer(w, r, words)
	}
	http.Redirect(w, r, "/patient-searches/"+search, http.StatusSeeOther)
	return nil
}

func (p *Pages) searches() shell.Searches {
	return shell.Searches{Cache: p.Cache, Ring: p.Ring, Kind: "words"}
}

// found shows a kept search again; one that is gone or cannot be read begins anew.
func (p *Pages) found(w http.ResponseWriter, r *http.Request) error {
	words, ok := p.searches().Words(r.Context(), r.PathValue("search"))
	if !ok {
		http.Redirect(w, r, "/patients", http.StatusSeeOther)
		return nil
	}
	return p.answer(w, r, words)
}

func (p *Pages) answer(w http.ResponseWriter, r *http.Request, words string) error {
	request := &patientrecordv1.SearchPatientsRequest{Query: words, PageSize: 30}
	if looksLikeIdentityNumber(words) {
		request = &patientrecordv1.SearchPatientsRequest{IdentityNumber: words}
	}
	list, err := p.Record.SearchPatients(r.Context(), request)
	if err != nil && errs.KindOf(err) != errs.KindInvalid {
		return err
	}
	return p.Shell.Render(w, r, p.searchSet, shell.Page{Title: "patients.title", Nav: "patients", Data: searchData{
		offered: offer(r), Query: words, Searched: true, Patients: list.GetPatients(), More: list.GetNextPageToken() != "",
	}})
}

// looksLikeIdentityNumber: 18 characters, digits but for the last.
func looksLikeIdentityNumber(words string) bool {
	if len(words) != 18 {
		return false
	}
	return strings.Trim(words[:17], "0123456789") == ""
}

type registerData struct {
	Form      shell.Form
	Known     string // id of the patient who has this identity number already
	RequestID string
	Problem   string
	// Likely are records that may be of this patient; they are shown once, before anything is written.
	Likely []*patientrecordv1.LikelyPatient
}

func (p *Pages) registerForm(w http.ResponseWriter, r *http.Request) error {
	values := url.Values{"documentType": {"RESIDENT_IDENTITY_CARD"}}
	if r.URL.Query().Get("as") == "newborn" {
		values = url.Values{"documentType": {"NONE"}, "noDocumentReason": {"NEWBORN"}, "newborn": {"1"}}
		if mother := r.URL.Query().Get("mother"); id.Valid(mother) {
			values.Set("motherPatientId", mother)
		}
	}
	return p.renderRegister(w, r, http.StatusOK, registerData{Form: shell.Form{Values: values}, RequestID: id.New()})
}

func (p *Pages) renderRegister(w http.ResponseWriter, r *http.Request, status int, data registerData) error {
	return p.Shell.Render(w, r, p.registerSet, shell.Page{Title: "register.title", Nav: "patients", Status: status, Data: data})
}

func (p *Pages) register(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	if likely := p.likely(r); len(likely) > 0 {
		return p.renderRegister(w, r, http.StatusOK, registerData{Form: shell.Form{Values: r.PostForm}, RequestID: id.New(), Likely: likely})
	}
	patient, err := p.Record.RegisterPatient(r.Context(), registerRequest(r.PostForm))
	if err == nil {
		p.Shell.Flash(w, "register.done", "register")
		http.Redirect(w, r, "/patients/"+patient.GetId(), http.StatusSeeOther)
		return nil
	}
	if e, ok := errs.As(err); ok && e.Reason == errs.ReasonBreakGlassRequired {
		// That record has a document: whoever is there shows it, else somebody gives a reason.
		http.Redirect(w, r, "/access/"+e.Meta["patientId"]+"/glass", http.StatusSeeOther)
		return nil
	}
	return p.Shell.Again(w, r, shell.Called(err, map[string]string{"identityNumber": "register.number"}), func(again shell.Refused) error {
		data := registerData{Form: again.Form, RequestID: again.RequestID, Problem: again.Problem}
		if e, ok := errs.As(err); ok && e.Reason == errs.ReasonAlreadyRegistered {
			data.Known, data.Problem = e.Meta["patientId"], ""
		}
		return p.renderRegister(w, r, again.Status, data)
	})
}

// likely are records that the registration would double, unless the visitor has seen them. That they cannot be asked for now keeps nobody from
// registering, and a form that is wrong is refused by the registration itself.
func (p *Pages) likely(r *http.Request) []*patientrecordv1.LikelyPatient {
	if r.PostFormValue("confirmed") != "" || r.PostFormValue("sameAs") != "" {
		return nil
	}
	answer, err := p.Index.FindLikelyPatients(r.Context(), registerRequest(r.PostForm))
	if err != nil {
		return nil
	}
	if slices.ContainsFunc(answer.GetPatients(), func(l *patientrecordv1.LikelyPatient) bool { return slices.Contains(l.GetAgrees(), "identityNumber") }) {
		return nil // one number is one patient: the registration itself leads to that record, and to no other that is only alike
	}
	return answer.GetPatients()
}

func registerRequest(form url.Values) *patientrecordv1.RegisterPatientRequest {
	get := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	return &patientrecordv1.RegisterPatientRequest{
		RequestId: get("requestId"), Name: get("name"),
		Sex: sexOf(get("sex")), BirthDate: get("birthDate"),
		DocumentType:   patientrecordv1.DocumentType_Code(patientrecordv1.DocumentType_Code_value[get("documentType")]),
		IdentityNumber: get("identityNumber"), NoDocumentReason: get("noDocumentReason"),
		Phone: get("phone"), Address: get("address"), Village: get("village"),
		GuardianName: get("guardianName"), GuardianPhone: get("guardianPhone"),
		InsuranceNumber: get("insuranceNumber"), HealthRecordNumber: get("healthRecordNumber"), SameAsPatientId: get("sameAs"),
		MotherIdentityNumber: get("motherIdentityNumber"), MotherPatientId: get("motherPatientId"),
	}
}

type patientData struct {
	offered
	Patient *patientrecordv1.Patient
	Summary *patientrecordv1.Summary
	Home    string
	// Referrals are the newest that the visitor may see.
	Referrals []shell.Row
	// Stays in wards and emergency rooms, the newest first, as far as the summary goes.
	Stays []stay
}

type stay struct {
	*patientrecordv1.Encounter
	Where string
}

// stays are the admissions of a summary.
func stays(summary *patientrecordv1.Summary, where func(id string) string) (out []stay) {
	for _, e := range summary.GetRecentEncounters() {
		if slices.Contains([]string{"IMP", "EMER", "OBSENC"}, e.GetClassCode()) && e.GetStatus() != "cancelled" {
			out = append(out, stay{e, where(e.GetOrganizationId())})
		}
	}
	return out
}

func (p *Pages) patient(w http.ResponseWriter, r *http.Request) error {
	data, err := p.load(r.Context(), r.PathValue("id"), p.Shell.Language(r))
	if err != nil {
		return err
	}
	data.offered = offer(r)
	// Without them the page is still worth having.
	if list, err := p.Referral.ListReferrals(r.Context(), &referralv1.ListReferralsRequest{View: "all", PatientId: r.PathValue("id"), PageSize: referralsShown}); err == nil {
		data.Referrals = p.Shell.Rows(r, list.GetReferrals())
	}
	return p.Shell.Render(w, r, p.patientSet, shell.Page{Title: "patient.title", Nav: "patients", Data: data})
}

func (p *Pages) load(ctx context.Context, patientID, language string) (patientData, error) {
	summary, err := p.Record.GetSummary(ctx, &patientrecordv1.GetSummaryRequest{PatientId: patientID})
	if err != nil {
		return patientData{}, err
	}
	data := patientData{Patient: summary.GetPatient(), Summary: summary}
	// In full it is shown on purpose only, on the page of the patient's identity.
	if p := data.Patient; p != nil {
		p.IdentityNumber = shell.Masked(p.GetIdentityNumber())
	}
	name := func(string) string { return "" }
	if county, cerr := p.Shell.Names().County(ctx); cerr == nil {
		name = func(id string) string { return county.OrganizationName(language, id) }
	}
	data.Home, data.Stays = name(data.Patient.GetHomeOrganizationId()), stays(summary, name)
	return data, nil
}
