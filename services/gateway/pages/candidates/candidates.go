// Package candidates holds the list of patients who could go down and have not (应转未转): why each was found, where it would
// go and whether the medicines are to be had there, with one click to the down-referral and a dismissal for a coded reason.
package candidates

import (
	"embed"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

//go:embed *.html
var files embed.FS

// pageSize is how many candidates a list shows at once.
const pageSize = 50

// day is the shortest time that is counted in days; below it the clock runs.
const day = 24 * time.Hour

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell     *shell.Shell
	Candidate referralv1.CandidateServiceClient
	Referral  referralv1.ReferralServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	set *shell.Set
}

// New parses the page.
func New(deps Deps) (*Pages, error) {
	set, err := deps.Shell.Parse(files, "list.html")
	return &Pages{Deps: deps, set: set}, err
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /candidates", p.Shell.Page(p.list))
	mux.Handle("POST /candidates/{id}/refer", p.Shell.Page(p.refer))
	mux.Handle("POST /candidates/{id}/dismiss", p.Shell.Page(p.dismiss))
}

// tabs are the parts of the list, as the service calls them.
func tabs() []string { return []string{"OPEN", "DISMISSED", "CLOSED"} }

// place is which part of the list somebody looks at.
type place struct {
	Tab, Department, Token string
}

func placeOf(query url.Values) place {
	at := place{Tab: query.Get("tab"), Department: query.Get("department"), Token: query.Get("page")}
	if !slices.Contains(tabs(), at.Tab) {
		at.Tab = tabs()[0]
	}
	return at
}

// Path is the address of the place without its page.
func (at place) Path() string {
	path := "/candidates?tab=" + at.Tab
	if at.Department != "" {
		path += "&department=" + url.QueryEscape(at.Department)
	}
	return path
}

// On is the address of another tab.
func (at place) On(tab string) string { return place{Tab: tab, Department: at.Department}.Path() }

// More is the address of a further page.
func (at place) More(token string) string { return at.Path() + "&page=" + url.QueryEscape(token) }

// Here is the whole address.
func (at place) Here() string {
	if at.Token == "" {
		return at.Path()
	}
	return at.More(at.Token)
}

// item is one candidate.
type item struct {
	*referralv1.Candidate
	Diagnosis          string
	Others             int
	Centre, Department string
	// Reason words why it was dismissed.
	Reason string
	// Days is how many whole days are left to decide, or have passed since; 0 for less than one.
	Days int
	Over bool
	// RequestID is that of the forms, Form what was typed into the dismissal and what was wrong.
	RequestID, Problem string
	Form               shell.Form
}

// Waiting tells that the department has still to decide.
func (i item) Waiting() bool { return i.GetState() == "OPEN" || i.GetState() == "REFERRED" }

// Rests tells that the patient comes up again, or is back: nobody is to decide now.
func (i item) Rests() bool { return i.Waiting() && i.GetUpAgainId() != "" }

// Dismissing tells that it was the dismissal that was refused.
func (i item) Dismissing() bool { return i.Form.Values.Has("reasonCode") }

// choice is an entry of a list.
type choice struct{ Value, Name string }

// listData is what list.html sees.
type listData struct {
	place
	Tabs        []string
	Items       []item
	Next        string
	Departments []choice
	Reasons     []*referralv1.Reason
	// Problem and Typed are of a form whose candidate is not on the list any more.
	Problem, Typed string
}

// Late counts those on this page whose time to decide is over.
func (d listData) Late() int {
	n := 0
	for _, one := range d.Items {
		if one.Waiting() && one.Over {
			n++
		}
	}
	return n
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	data, err := p.load(r, placeOf(r.URL.Query()))
	if err != nil {
		return err
	}
	if r.Header.Get("X-Fragment") == "rows" {
		return p.Shell.Fragment(w, r, p.set, "rows", data)
	}
	return p.show(w, r, http.StatusOK, data)
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, data listData) error {
	return p.Shell.Render(w, r, p.set, shell.Page{Title: "candidates.title", Nav: "candidates", Status: status, Data: data})
}

func (p *Pages) load(r *http.Request, at place) (listData, error) {
	answer, err := p.Candidate.ListCandidates(r.Context(), &referralv1.ListCandidatesRequest{
		State: at.Tab, Department: at.Department, PageSize: pageSize, PageToken: at.Token,
	})
	if err != nil {
		return listData{}, err
	}
	data := listData{place: at, Tabs: tabs(), Next: answer.GetNextPageToken()}
	// Without its reasons the list still says whom it is about.
	if reasons, err := p.Referral.ListReasons(r.Context(), &referralv1.ListReasonsRequest{Action: "dismiss_candidate"}); err == nil {
		data.Reasons = shell.Offered(reasons.GetReasons())
	}
	county, err := p.Shell.Names().County(r.Context())
	if err == nil {
		data.Departments = p.departments(r, county)
	}
	for _, c := range answer.GetCandidates() {
		data.Items = append(data.Items, p.item(r, c, county, data.Reasons))
	}
	return data, nil
}

// item words a candidate; county is nil when directory is away.
func (p *Pages) item(r *http.Request, c *referralv1.Candidate, county *shell.County, reasons []*referralv1.Reason) item {
	one := item{Candidate: c, Others: len(c.GetDiagnoses()) - 1, Department: c.GetDepartmentCode(), Reason: c.GetReasonCode(), RequestID: id.New()}
	if len(c.GetDiagnoses()) > 0 {
		one.Diagnosis = c.GetDiagnoses()[0].GetDisplay()
	}
	if county != nil {
		one.Centre = county.OrganizationName(p.Shell.Language(r), c.GetCentreId())
		one.Department = county.DepartmentName(p.Shell.Language(r), c.GetOrganizationId(), c.GetDepartmentCode())
	}
	if i := slices.IndexFunc(reasons, func(known *referralv1.Reason) bool { return known.GetCode() == c.GetReasonCode() }); i >= 0 {
		one.Reason = p.Shell.T(r, "reason-text", "zh", reasons[i].GetText(), "en", reasons[i].GetTextEn())
	}
	if !one.Rests() {
		one.Days, one.Over = p.left(c.GetDueTime())
	}
	return one
}

// left is how many whole days lie between now and an end, and whether it has passed.
func (p *Pages) left(end *timestamppb.Timestamp) (days int, over bool) {
	if end == nil {
		return 0, false
	}
	left := end.AsTime().Sub(p.Shell.Now())
	return int(left.Abs() / day), left < 0
}

// departments are those that the visitor may choose from: who belongs to one sees that alone.
func (p *Pages) departments(r *http.Request, county *shell.County) []choice {
	visitor, _ := door.VisitorFrom(r.Context())
	if !seesAll(visitor.Account) {
		return nil
	}
	own := visitor.Account.GetOrganizationId()
	var all []choice
	for _, d := range county.Departments(own) {
		all = append(all, choice{d.GetCode(), county.DepartmentName(p.Shell.Language(r), own, d.GetCode())})
	}
	return all
}

// seesAll tells whether the account sees every department's candidates: the desk, and who belongs to none.
func seesAll(a *directoryv1.Account) bool {
	return a.GetDepartmentCode() == "" || slices.Contains(a.GetRoles(), commonv1.Role_INTAKE_DESK)
}

// refer makes the draft of the down-referral and opens it.
func (p *Pages) refer(w http.ResponseWriter, r *http.Request) error {
	draft, err := p.Candidate.ReferCandidate(r.Context(), &referralv1.ReferCandidateRequest{Id: r.PathValue("id"), RequestId: r.PostFormValue("requestId")})
	if err != nil {
		return p.refused(w, r, err)
	}
	http.Redirect(w, r, "/down/"+url.PathEscape(draft.GetPatientId())+"?draft="+url.QueryEscape(draft.GetId()), http.StatusSeeOther)
	return nil
}

// dismiss takes a candidate off the list for a coded reason.
func (p *Pages) dismiss(w http.ResponseWriter, r *http.Request) error {
	version, err := strconv.ParseInt(r.PostFormValue("version"), 10, 32)
	if err != nil {
		return errs.Invalid(errs.Bad("version", errs.ReasonFieldInvalid))
	}
	_, err = p.Candidate.DismissCandidate(r.Context(), &referralv1.DismissCandidateRequest{
		Id: r.PathValue("id"), Version: int32(version), RequestId: r.PostFormValue("requestId"),
		ReasonCode: r.PostFormValue("reasonCode"), Note: strings.TrimSpace(r.PostFormValue("note")),
	})
	if err != nil {
		return p.refused(w, r, err)
	}
	p.Shell.Flash(w, "candidates.dismissed")
	http.Redirect(w, r, placeOf(r.PostForm).Here(), http.StatusSeeOther)
	return nil
}

// refused shows the list as it is now, with the form as it was typed; when its candidate is not on the list any more, what was
// typed stands above it.
func (p *Pages) refused(w http.ResponseWriter, r *http.Request, cause error) error {
	return p.Shell.Again(w, r, cause, func(again shell.Refused) error {
		data, err := p.load(r, placeOf(r.PostForm))
		if err != nil {
			return err
		}
		problem := again.Problem
		if problem == "" {
			problem = p.Shell.ErrorText(r, cause)
		}
		i := slices.IndexFunc(data.Items, func(one item) bool { return one.GetId() == r.PathValue("id") && one.Waiting() })
		if i < 0 {
			data.Problem, data.Typed = problem, strings.TrimSpace(r.PostFormValue("note"))
			return p.show(w, r, again.Status, data)
		}
		one := &data.Items[i]
		one.Problem, one.Form, one.RequestID = problem, again.Form, again.RequestID
		one.Version = again.Version(one.GetVersion())
		return p.show(w, r, again.Status, data)
	})
}
