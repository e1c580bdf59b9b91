// Package exports holds the pages of what leaves: a patient's own copy, to download or to print, and the ledger of exports. The printed copy is
// in Chinese whatever the visitor reads. Owns nothing; who may have what is patient-record's.
package exports

import (
	"embed"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/copies"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

//go:embed *.html
var files embed.FS

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell     *shell.Shell
	Record    patientrecordv1.PatientRecordServiceClient
	Exports   patientrecordv1.ExportServiceClient
	Directory directoryv1.DirectoryServiceClient
	Maker     *copies.Maker
}

// Pages serves them.
type Pages struct {
	Deps
	copySet, printSet, ledgerSet *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	for file, set := range map[string]**shell.Set{"copy.html": &p.copySet, "print.html": &p.printSet, "ledger.html": &p.ledgerSet} {
		parsed, err := deps.Shell.Parse(files, file, "rows.html")
		if err != nil {
			return nil, err
		}
		*set = parsed
	}
	return p, nil
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /patients/{id}/copy", p.Shell.Page(p.form))
	mux.Handle("POST /patients/{id}/copy", p.Shell.Page(p.make))
	mux.Handle("GET /exports", p.Shell.Page(p.ledger))
}

type copyData struct {
	Patient *patientrecordv1.Patient
	Form    shell.Form
	Problem string
	// Ledger of the patient, if the visitor may see it: then Home.
	Home    bool
	Exports []row
	Next    string
}

func (p *Pages) form(w http.ResponseWriter, r *http.Request) error {
	return p.show(w, r, http.StatusOK, copyData{Form: shell.Form{Values: url.Values{"statement.askedBy": {"PATIENT"}, "statement.identityCheck": {"IDENTITY_CARD"}, "statement.purpose": {"SELF"}}}})
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, d copyData) error {
	patient := r.PathValue("id")
	var err error
	if d.Patient, err = p.Record.GetPatient(r.Context(), &patientrecordv1.GetPatientRequest{Id: patient}); err != nil {
		return err
	}
	// Only the home centre sees what left before.
	if list, err := p.Exports.ListExports(r.Context(), &patientrecordv1.ListExportsRequest{PatientId: patient, PageToken: r.URL.Query().Get("page")}); err == nil {
		d.Home, d.Exports, d.Next = true, p.rows(r, list.GetExports(), nil), list.GetNextPageToken()
	}
	return p.Shell.Render(w, r, p.copySet, shell.Page{Title: "copy.title", Nav: "patients", Status: status, Data: d})
}

// make hands out a copy: as a file, or as a sheet to print. It answers the form itself, so that no address leads to it.
func (p *Pages) make(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	var made copies.Made
	st, err := p.statement(r.PostForm)
	if err == nil {
		made, err = p.Maker.Make(r.Context(), r.PathValue("id"), st)
	}
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error {
			return p.show(w, r, again.Status, copyData{Form: again.Form, Problem: again.Problem})
		})
	}
	w.Header().Set("Cache-Control", "no-store")
	if st.GetForm() == "PRINT" {
		return p.Shell.Render(w, r, p.printSet, shell.Page{Title: "copy.title", Nav: "patients", Data: printed(made)})
	}
	w.Header().Set("Content-Type", copies.MediaType)
	w.Header().Set("Content-Disposition", `attachment; filename="`+copies.FileName+`"`)
	_, err = w.Write(made.Document)
	return err
}

// statement reads the form. What does not belong to who asks is left out: the page shows all fields to browsers without the script.
func (p *Pages) statement(form url.Values) (*patientrecordv1.CopyStatement, error) {
	get := func(name string) string { return strings.TrimSpace(form.Get("statement." + name)) }
	st := &patientrecordv1.CopyStatement{
		AskedBy: get("askedBy"), IdentityCheck: get("identityCheck"), Purpose: get("purpose"), Note: get("note"),
		IncludeSensitive: get("includeSensitive") != "", Form: form.Get("form"),
	}
	if st.GetAskedBy() != "PATIENT" {
		st.Name, st.Relation = get("name"), get("relation")
	}
	var wrong []errs.Field
	st.From, st.To = p.day(get("from"), 0, "statement.from", &wrong), p.day(get("to"), 1, "statement.to", &wrong)
	if len(wrong) > 0 {
		return nil, errs.Invalid(wrong...)
	}
	return st, nil
}

// day reads a day, plus some; nil when there is none.
func (p *Pages) day(text string, plus int, field string, wrong *[]errs.Field) *timestamppb.Timestamp {
	if text == "" {
		return nil
	}
	at, err := time.ParseInLocation(time.DateOnly, text, p.Shell.Zone())
	if err != nil {
		*wrong = append(*wrong, errs.Bad(field, errs.ReasonFieldInvalid))
		return nil
	}
	return timestamppb.New(at.AddDate(0, 0, plus))
}

// row is one of the ledger with names.
type row struct {
	*patientrecordv1.Export
	Person, Organization string
}

func (p *Pages) rows(r *http.Request, list []*patientrecordv1.Export, people shell.People) []row {
	county, err := p.Shell.Names().County(r.Context())
	out := make([]row, len(list))
	for i, e := range list {
		out[i] = row{Export: e, Person: people.Name(e.GetAccountId()), Organization: e.GetOrganizationId()}
		if people[e.GetAccountId()] == nil && e.GetAccountName() != "" {
			out[i].Person = e.GetAccountName()
		}
		if err == nil && county.Organization(e.GetOrganizationId()) != nil {
			out[i].Organization = county.OrganizationName(p.Shell.Language(r), e.GetOrganizationId())
		}
	}
	return out
}

type ledgerData struct {
	Form          shell.Form
	Organizations []*directoryv1.Organization
	Exports       []row
	query         url.Values
	next          string
}

// Next is the address of the next page, "" after the last.
func (d ledgerData) Next() string {
	if d.next == "" {
		return ""
	}
	query := url.Values{"page": {d.next}}
	for _, key := range []string{"person", "patient", "organization", "kind", "from", "until"} {
		if v := d.query.Get(key); v != "" {
			query.Set(key, v)
		}
	}
	return "/exports?" + query.Encode()
}

// ledger is the auditor's, of the whole county.
func (p *Pages) ledger(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	d := ledgerData{Form: shell.Form{Values: query}, query: query}
	if county, err := p.Shell.Names().County(r.Context()); err == nil {
		d.Organizations = county.Organizations
	}
	people, peopleErr := shell.ReadPeople(r.Context(), p.Directory)
	ask, err := p.ask(query, people)
	if err == nil && query.Get("person") != "" && peopleErr != nil {
		return peopleErr
	}
	status := http.StatusOK
	if err == nil {
		var list *patientrecordv1.ListExportsResponse
		if list, err = p.Exports.ListExports(r.Context(), ask); err == nil {
			d.Exports, d.next = p.rows(r, list.GetExports(), people), list.GetNextPageToken()
		}
	}
	if err != nil {
		if d.Form.Errors = p.Shell.FieldErrors(r, shell.Called(err, map[string]string{"kind": "exports.what"})); d.Form.Errors == nil {
			return err
		}
		status = errs.HTTPStatus(err)
	}
	return p.Shell.Render(w, r, p.ledgerSet, shell.Page{Title: "exports.title", Nav: "exports", Status: status, Data: d})
}

func (p *Pages) ask(query url.Values, people shell.People) (*patientrecordv1.ListExportsRequest, error) {
	ask := &patientrecordv1.ListExportsRequest{
		PatientId: query.Get("patient"), OrganizationId: query.Get("organization"), Kind: query.Get("kind"), PageToken: query.Get("page"),
	}
	var wrong []errs.Field
	ask.From, ask.To = p.day(query.Get("from"), 0, "from", &wrong), p.day(query.Get("until"), 1, "until", &wrong)
	if ask.GetFrom() != nil && ask.GetTo() != nil && !ask.GetFrom().AsTime().Before(ask.GetTo().AsTime()) {
		wrong = append(wrong, errs.Bad("until", errs.ReasonFieldOutOfRange))
	}
	if person := query.Get("person"); person != "" && people != nil {
		if found := people.Named(person); len(found) == 1 {
			ask.AccountId = found[0].GetId()
		} else {
			wrong = append(wrong, errs.Bad("person", errs.ReasonFieldInvalid))
		}
	}
	if len(wrong) > 0 {
		return nil, errs.Invalid(wrong...)
	}
	return ask, nil
}
