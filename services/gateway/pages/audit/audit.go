// Package audit holds the auditor's pages: who did and who saw what, by person, patient, organisation, time and kind of action, with an
// export of what is shown; and where the chains of the record stand, with their verification.
//
// Owns nothing and decides nothing about access: every service refuses whoever is no auditor. Every look, also each further page, is
// itself an entry of the record.
package audit

import (
	"embed"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/gateway/trail"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

//go:embed *.html
var files embed.FS

const (
	pageSize = 50
	// days is the period shown when none was chosen.
	days = 7
)

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell     *shell.Shell
	Trail     *trail.Trail
	Directory directoryv1.DirectoryServiceClient
	Exports   patientrecordv1.ExportServiceClient
	// Index tells under which ids a person is known; Cache and Ring keep what was looked for.
	Index patientrecordv1.PatientIndexServiceClient
	Cache cache.Cache
	Ring  *crypt.Ring
}

// Pages serves them.
type Pages struct {
	Deps
	listSet, chainSet, patientSet *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	var err error
	if p.listSet, err = deps.Shell.Parse(files, "list.html", "find.html"); err != nil {
		return nil, err
	}
	if p.patientSet, err = deps.Shell.Parse(files, "patients.html", "find.html"); err != nil {
		return nil, err
	}
	p.chainSet, err = deps.Shell.Parse(files, "chains.html")
	return p, err
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /audit", p.Shell.Page(p.list))
	mux.Handle("GET /audit/export", p.Shell.Page(p.export))
	mux.Handle("POST /audit/patients", p.Shell.Page(p.find))
	mux.Handle("GET /audit/patients/{search}", p.Shell.Page(p.found))
	mux.Handle("GET /audit/chains", p.Shell.Page(p.chains))
	mux.Handle("POST /audit/chains", p.Shell.Page(p.verify))
}

// group is a kind of actions as the page offers it.
type group struct {
	Name    string
	actions []string
}

func groups() []group {
	return []group{
		{"reading", []string{"patient.*", "record.*", "relation.*"}},
		{"referral", []string{"referral.*", "candidate.*", "package.*", "capacity.*"}},
		{"sign-in", []string{"sign_in", "sign_in.*", "sign_out"}},
		{"directory", []string{"account.*", "organization.*", "capabilities.*", "formulary.*"}},
		{"notification", []string{"notification.*"}},
		{"audit", []string{"audit.*"}},
	}
}

// row is an entry with the names of who did it.
type row struct {
	*commonv1.AuditEntry
	Person, Organization string
	// Said is the detail in words, where there are some.
	Said string
}

// organization with its name in the visitor's language.
type organization struct{ ID, Name string }

// listData is what list.html sees.
type listData struct {
	Form          shell.Form
	Groups        []group
	Organizations []organization
	Rows          []row
	Away          []string
	query         url.Values
	next          string
	groupName     string
}

// Chosen are the words of what was chosen, for the heading under which the form folds.
func (d listData) Chosen() string {
	var words []string
	if from, until := d.query.Get("from"), d.query.Get("until"); from != "" || until != "" {
		words = append(words, from+" – "+until)
	}
	words = append(words, d.query.Get("person"))
	for _, o := range d.Organizations {
		if o.ID == d.query.Get("organization") {
			words = append(words, o.Name)
		}
	}
	words = append(words, d.groupName, tail(d.query.Get("patient")))
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " · ")
}

// shownID is how much of an id is shown: its end tells two apart, the beginning only when they were made.
const shownID = 10

// Tail is tail.
func (listData) Tail(id string) string { return tail(id) }

// tail is an id as lists show it; the whole of it is in the link and the title.
func tail(id string) string {
	if len(id) <= shownID {
		return id
	}
	return "…" + id[len(id)-shownID:]
}

// Next is the address of the next page, "" after the last.
func (d listData) Next() string {
	if d.next == "" {
		return ""
	}
	return d.at("/audit", "page", d.next)
}

// Export is the address of the same selection as a file.
func (d listData) Export(format string) string { return d.at("/audit/export", "format", format) }

// About is the address of everything about one patient in the same period.
func (d listData) About(patient string) string {
	return "/audit?" + url.Values{"patient": {patient}, "from": d.query["from"], "until": d.query["until"]}.Encode()
}

func (d listData) at(path, name, value string) string {
	query := url.Values{}
	for _, key := range filters() {
		if v := d.query.Get(key); v != "" {
			query.Set(key, v)
		}
	}
	query.Set(name, value)
	return path + "?" + query.Encode()
}

func filters() []string {
	return []string{"person", "patient", "organization", "from", "until", "group"}
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	p.defaults(query)
	people, peopleErr := shell.ReadPeople(r.Context(), p.Directory)
	data := listData{Form: shell.Form{Values: query}, Groups: groups(), query: query}
	if county, err := p.Shell.Names().County(r.Context()); err == nil {
		for _, o := range county.Organizations {
			data.Organizations = append(data.Organizations, organization{o.GetId(), county.OrganizationName(p.Shell.Language(r), o.GetId())})
		}
	}
	for _, g := range data.Groups {
		if g.Name == query.Get("group") {
			data.groupName = p.Shell.T(r, "audit.group."+g.Name)
		}
	}
	ask, err := p.ask(query, people)
	if err == nil && query.Get("person") != "" && peopleErr != nil {
		return peopleErr
	}
	status := http.StatusOK
	if err == nil {
		ask.PageSize, ask.PageToken = pageSize, query.Get("page")
		var answer *commonv1.SearchAuditResponse
		if answer, err = p.Trail.SearchAudit(r.Context(), ask); err == nil {
			data.Rows, data.Away, data.next = p.rows(r, answer.GetEntries(), people), answer.GetAway(), answer.GetNextPageToken()
		}
	}
	if err != nil {
		if errs.KindOf(err) != errs.KindInvalid {
			return err
		}
		data.Form.Errors, status = p.Shell.FieldErrors(r, err), errs.HTTPStatus(err)
	}
	return p.Shell.Render(w, r, p.listSet, shell.Page{Title: "audit.title", Nav: "audit", Status: status, Data: data})
}

// defaults fills in the last days where no period was chosen.
func (p *Pages) defaults(query url.Values) {
	if query.Get("from") == "" && query.Get("until") == "" {
		query.Set("from", p.Shell.Now().AddDate(0, 0, 1-days).Format(time.DateOnly))
		query.Set("until", p.Shell.Now().Format(time.DateOnly))
	}
}

// ask is the search that a form stands for.
func (p *Pages) ask(query url.Values, people shell.People) (*commonv1.SearchAuditRequest, error) {
	ask := &commonv1.SearchAuditRequest{PatientId: query.Get("patient"), OrganizationId: query.Get("organization")}
	var wrong []errs.Field
	day := func(name string, plus int) *timestamppb.Timestamp {
		if query.Get(name) == "" {
			return nil
		}
		at, err := time.ParseInLocation(time.DateOnly, query.Get(name), p.Shell.Zone())
		if err != nil {
			wrong = append(wrong, errs.Bad(name, errs.ReasonFieldInvalid))
			return nil
		}
		return timestamppb.New(at.AddDate(0, 0, plus))
	}
	ask.From, ask.To = day("from", 0), day("until", 1)
	if ask.From != nil && ask.To != nil && !ask.GetFrom().AsTime().Before(ask.GetTo().AsTime()) {
		wrong = append(wrong, errs.Bad("until", errs.ReasonFieldOutOfRange))
	}
	for _, g := range groups() {
		if g.Name == query.Get("group") {
			ask.Actions = g.actions
		}
	}
	if person := query.Get("person"); person != "" && people != nil {
		found := people.Named(person)
		if len(found) != 1 {
			wrong = append(wrong, errs.Bad("person", errs.ReasonFieldInvalid))
		} else {
			ask.AccountId = found[0].GetId()
		}
	}
	if len(wrong) > 0 {
		return nil, errs.Invalid(wrong...)
	}
	return ask, nil
}

// said words the detail of an entry; what has no words stands as it is.
func (p *Pages) said(r *http.Request, detail string) string {
	if n, ok := strings.CutPrefix(detail, "version "); ok {
		return p.Shell.T(r, "audit.detail.version", "n", n)
	}
	for _, key := range []string{"audit.detail." + detail, "purpose." + strings.TrimPrefix(detail, "PURPOSE_")} {
		if words := p.Shell.T(r, key); words != key {
			return words
		}
	}
	return detail
}

// rows adds names; without directory the rows stand with ids.
func (p *Pages) rows(r *http.Request, entries []*commonv1.AuditEntry, people shell.People) []row {
	county, err := p.Shell.Names().County(r.Context())
	rows := make([]row, 0, len(entries))
	for _, e := range entries {
		one := row{AuditEntry: e, Said: p.said(r, e.GetDetail()), Person: people.Name(e.GetAccountId()), Organization: e.GetOrganizationId()}
		if service, ok := strings.CutPrefix(e.GetAccountId(), "service:"); ok {
			one.Person = p.Shell.T(r, "audit.system", "service", p.Shell.T(r, "audit.service."+service))
		}
		if err == nil && county.Organization(e.GetOrganizationId()) != nil {
			one.Organization = county.OrganizationName(p.Shell.Language(r), e.GetOrganizationId())
		}
		rows = append(rows, one)
	}
	return slices.Clip(rows)
}
