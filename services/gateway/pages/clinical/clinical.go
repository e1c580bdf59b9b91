// Package clinical holds the pages of a patient's record as people write and read it: the list of entries, one entry with all its versions, the
// forms on which something is written, amended, corrected or taken out, and the trends of what was measured.
//
// Nothing is decided here: what may be done to an entry comes with it. Every form carries the request id it was shown with, and a refusal keeps what
// was typed. Filters stand in the address, patient data does not. Safe for concurrent use after New.
package clinical

import (
	"embed"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"google.golang.org/protobuf/types/known/timestamppb"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/chart"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

//go:embed *.html
var files embed.FS

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell    *shell.Shell
	Record   patientrecordv1.PatientRecordServiceClient
	Clinical patientrecordv1.ClinicalRecordServiceClient
	Referral referralv1.ReferralServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	listSet, entrySet, formSet, trendsSet *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	var err error
	if p.listSet, err = deps.Shell.Parse(files, "list.html", "rows.html"); err != nil {
		return nil, err
	}
	if p.entrySet, err = deps.Shell.Parse(files, "entry.html", "rows.html"); err != nil {
		return nil, err
	}
	if p.formSet, err = parts.Parse(deps.Shell, files, "form.html", "fields.html", "rows.html"); err != nil {
		return nil, err
	}
	p.trendsSet, err = deps.Shell.Parse(chart.With(files), "trends.html", "rows.html", "chart.html")
	return p, err
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /patients/{id}/record", p.Shell.Page(p.list))
	mux.Handle("GET /patients/{id}/record/new/{kind}", p.Shell.Page(p.newForm))
	mux.Handle("POST /patients/{id}/record/new/{kind}", p.Shell.Page(p.write))
	mux.Handle("GET /patients/{id}/entries/{entry}", p.Shell.Page(p.entry))
	mux.Handle("GET /patients/{id}/entries/{entry}/amend", p.Shell.Page(p.changeForm))
	mux.Handle("POST /patients/{id}/entries/{entry}/amend", p.Shell.Page(p.change))
	mux.Handle("GET /patients/{id}/entries/{entry}/correct", p.Shell.Page(p.changeForm))
	mux.Handle("POST /patients/{id}/entries/{entry}/correct", p.Shell.Page(p.change))
	mux.Handle("GET /patients/{id}/entries/{entry}/withdraw", p.Shell.Page(p.changeForm))
	mux.Handle("POST /patients/{id}/entries/{entry}/withdraw", p.Shell.Page(p.change))
	mux.Handle("GET /patients/{id}/trends", p.Shell.Page(p.trends))
}

// forms are the kinds of forms in the order in which they are offered; values are the vital signs of one visit.
func forms() []string {
	return []string{"values", "problem", "allergy", "medication", "result", "note", "encounter", "procedure", "immunization", "report"}
}

// filters are the kinds that a list may be narrowed to.
func filters() []string {
	return []string{"PROBLEM", "ALLERGY", "MEDICATION", "OBSERVATION", "REPORT", "NOTE", "ENCOUNTER", "PROCEDURE", "IMMUNIZATION"}
}

// spans are how far back a list may go, in days.
func spans() []string { return []string{"30", "90", "365"} }

// head is what stands on top of every page: who it is, and what must not be overlooked.
type head struct {
	PatientID string
	// Patient and Summary are nil while the record is away.
	Patient *patientrecordv1.Patient
	Summary *patientrecordv1.Summary
	// Allergies without "none known", which is said alone.
	Allergies []*patientrecordv1.Allergy
	NoneKnown bool
}

func (p *Pages) head(r *http.Request) (head, error) {
	id := r.PathValue("id")
	summary, err := p.Record.GetSummary(r.Context(), &patientrecordv1.GetSummaryRequest{PatientId: id})
	if err != nil {
		return head{PatientID: id}, err
	}
	h := head{PatientID: id, Patient: summary.GetPatient(), Summary: summary}
	for _, a := range summary.GetAllergies() {
		if shell.NoKnownAllergy(a) {
			h.NoneKnown = true
			continue
		}
		h.Allergies = append(h.Allergies, a)
	}
	return h, nil
}

// filter is a link of the list.
type filter struct {
	Name, Href string
	Active     bool
}

type listData struct {
	Head                   head
	Rows                   []row
	Kinds, Spans           []filter
	All, Ever              filter
	WithErrors             bool
	Errors, Next, First    string
	Forms                  []string
	Withheld               int32
	WithheldChild, Started bool
}

// Narrowed tells that the list does not show all of the record that counts.
func (d listData) Narrowed() bool { return !d.All.Active || !d.Ever.Active || d.WithErrors }

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	h, err := p.head(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	kind, days := known(q.Get("kind"), filters()), known(q.Get("days"), spans())
	in := &patientrecordv1.ListEntriesRequest{PatientId: h.PatientID, PageSize: 30, PageToken: q.Get("page"), WithErrors: q.Get("errors") == "1"}
	if kind != "" {
		in.Kinds = []string{kind}
	}
	if days != "" {
		n, _ := strconv.Atoi(days)
		in.From = timestamppb.New(p.Shell.Now().AddDate(0, 0, -n))
	}
	list, err := p.Clinical.ListEntries(r.Context(), in)
	if err != nil {
		return err
	}
	at := func(kind, days, wrong, page string) string {
		v := url.Values{}
		for name, value := range map[string]string{"kind": kind, "days": days, "errors": wrong, "page": page} {
			if value != "" {
				v.Set(name, value)
			}
		}
		return "/patients/" + h.PatientID + "/record?" + v.Encode()
	}
	shown, other := "", "1"
	if in.WithErrors {
		shown, other = "1", ""
	}
	data := listData{
		Head: h, Rows: p.rows(r, list.GetEntries()), Forms: forms(), WithErrors: in.WithErrors, Errors: at(kind, days, other, ""),
		All: filter{Href: at("", days, shown, ""), Active: kind == ""}, Ever: filter{Href: at(kind, "", shown, ""), Active: days == ""},
		Withheld: list.GetWithheld().GetCount(), WithheldChild: list.GetWithheld().GetChild(), Started: in.GetPageToken() != "", First: at(kind, days, shown, ""),
	}
	for _, name := range filters() {
		data.Kinds = append(data.Kinds, filter{name, at(name, days, shown, ""), name == kind})
	}
	for _, name := range spans() {
		data.Spans = append(data.Spans, filter{name, at(kind, name, shown, ""), name == days})
	}
	if list.GetNextPageToken() != "" {
		data.Next = at(kind, days, shown, list.GetNextPageToken())
	}
	return p.Shell.Render(w, r, p.listSet, shell.Page{Title: "clinical.title", Nav: "patients", Data: data})
}

// known is the word if it is one of the list.
func known(word string, list []string) string {
	if slices.Contains(list, word) {
		return word
	}
	return ""
}

type entryData struct {
	Head     head
	Now      row
	Versions []row
}

func (p *Pages) entry(w http.ResponseWriter, r *http.Request) error {
	h, err := p.head(r)
	if err != nil {
		return err
	}
	list, err := p.Clinical.ListEntryVersions(r.Context(), &patientrecordv1.GetEntryRequest{PatientId: h.PatientID, Id: r.PathValue("entry")})
	if err != nil {
		return err
	}
	rows := p.rows(r, list.GetVersions())
	return p.Shell.Render(w, r, p.entrySet, shell.Page{Title: "clinical.entry", Nav: "patients", Data: entryData{Head: h, Now: rows[0], Versions: rows}})
}
