// Package followups holds the township's work list of follow-ups (随访): who is to be seen today, who is overdue, and the form
// for the checks that the national norms ask for after a referral.
//
// A planned visit is recorded on the page of its referral; a check is recorded here. The list is careful: while somebody writes
// in one of its forms, news is announced and not put over it.
package followups

import (
	"embed"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

//go:embed *.html
var files embed.FS

// pageSize is how many follow-ups a list shows at once: more than a doctor makes in a day.
const pageSize = 50

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell    *shell.Shell
	FollowUp referralv1.FollowUpServiceClient
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
	mux.Handle("GET /follow-ups", p.Shell.Page(p.list))
	mux.Handle("POST /follow-ups/{id}/check", p.Shell.Page(p.check))
}

// tabs are the parts of the work list, as the service calls them.
func tabs() []string { return []string{"today", "overdue", "week", "done", "all"} }

// place is which part of the list somebody looks at.
type place struct {
	Tab string
	// Mine leaves out those of other family doctors.
	Mine bool
	// Village is the clinic whose patients are shown alone, "" for those of all.
	Village string
	token   string
}

func placeOf(query url.Values) place {
	at := place{Tab: query.Get("tab"), Mine: query.Get("who") == "mine", Village: query.Get("village"), token: query.Get("page")}
	if !slices.Contains(tabs(), at.Tab) {
		at.Tab = tabs()[0]
	}
	return at
}

// Path is the address of the place without its page.
func (at place) Path() string {
	path := "/follow-ups?tab=" + at.Tab
	if at.Mine {
		path += "&who=mine"
	}
	if at.Village != "" {
		path += "&village=" + url.QueryEscape(at.Village)
	}
	return path
}

// On is the address of another tab.
func (at place) On(tab string) string {
	return place{Tab: tab, Mine: at.Mine, Village: at.Village}.Path()
}

// To is the address of the same tab for those of the visitor alone, or for all.
func (at place) To(mine bool) string {
	return place{Tab: at.Tab, Mine: mine, Village: at.Village}.Path()
}

// In is the address of the same tab for one village, "" for all.
func (at place) In(village string) string {
	return place{Tab: at.Tab, Mine: at.Mine, Village: village}.Path()
}

// More is the address of a further page.
func (at place) More(token string) string { return at.Path() + "&page=" + url.QueryEscape(token) }

// Token is that of the page that is shown, "" for the first.
func (at place) Token() string { return at.token }

// Here is the whole address.
func (at place) Here() string {
	if at.token == "" {
		return at.Path()
	}
	return at.More(at.token)
}

// item is one follow-up.
type item struct {
	*referralv1.FollowUp
	Diagnosis string
	Others    int
	// Today tells that it is due today, Weekday the day of the week otherwise.
	Today   bool
	Weekday string
	// Mine tells that the visitor is the family doctor.
	Mine bool
	// Organization makes it, when that is not the visitor's; Place is the clinic of the patient's village.
	Organization, Place string
	// RequestID is that of the check's form, Form what was typed into it and what was wrong.
	RequestID, Problem string
	Form               shell.Form
}

// Late tells that it should have been done before today.
func (i item) Late() bool { return i.GetState() == "OPEN" && i.GetOverdueDays() > 0 }

// Check tells that it is a check of a norm that can be recorded here.
func (i item) Check() bool { return i.GetSource() == "NORM" && i.GetState() == "OPEN" }

// Failed tells that its form was refused.
func (i item) Failed() bool { return i.Problem != "" }

// listData is what list.html sees.
type listData struct {
	place
	Tabs []string
	// Villages are the clinics below the visitor's centre.
	Villages     []shell.Named
	Items        []item
	Next         string
	Due, Overdue int32
	// Problem and Typed are of a check that has no place on the list any more.
	Problem, Typed string
}

// Results are those of a check.
func (listData) Results() []string { return []string{"WENT", "NOT_GONE", "NOT_REACHED", "DIED"} }

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
	return p.Shell.Render(w, r, p.set, shell.Page{Title: "followups.title", Nav: "followups", Status: status, Data: data})
}

// request asks for what the place shows.
func (at place) request() *referralv1.ListFollowUpsRequest {
	ask := &referralv1.ListFollowUpsRequest{Due: at.Tab, PageSize: pageSize, PageToken: at.token, VillageClinicId: at.Village}
	if at.Mine {
		ask.FamilyDoctor = "me"
	}
	return ask
}

func (p *Pages) load(r *http.Request, at place) (listData, error) {
	answer, err := p.FollowUp.ListFollowUps(r.Context(), at.request())
	if err != nil {
		return listData{}, err
	}
	visitor, _ := door.VisitorFrom(r.Context())
	data := listData{place: at, Tabs: tabs(), Next: answer.GetNextPageToken(), Due: answer.GetDueToday(), Overdue: answer.GetOverdue()}
	today := p.Shell.Now().Format(time.DateOnly)
	county, cerr := p.Shell.Names().County(r.Context())
	name := func(id string) string {
		if cerr != nil || id == "" {
			return ""
		}
		return county.OrganizationName(p.Shell.Language(r), id)
	}
	if cerr == nil {
		for _, o := range county.Organizations {
			if o.GetParentId() == visitor.Account.GetOrganizationId() && o.GetType() == directoryv1.OrganizationType_VILLAGE_CLINIC && !o.GetDisabled() {
				data.Villages = append(data.Villages, shell.Named{ID: o.GetId(), Name: name(o.GetId())})
			}
		}
	}
	for _, f := range answer.GetFollowUps() {
		one := item{FollowUp: f, Others: len(f.GetDiagnoses()) - 1, Today: f.GetDue() == today, Mine: f.GetFamilyDoctor() == visitor.Account.GetId(), RequestID: id.New()}
		if one.Place = name(f.GetVillageClinicId()); f.GetTheirs() {
			one.Organization = name(f.GetOrganizationId())
		}
		if len(f.GetDiagnoses()) > 0 {
			one.Diagnosis = f.GetDiagnoses()[0].GetDisplay()
		}
		if day, err := time.Parse(time.DateOnly, f.GetDue()); err == nil {
			one.Weekday = day.Weekday().String()
		}
		data.Items = append(data.Items, one)
	}
	return data, nil
}

// check records a check of a norm and goes back to the list it was made from.
func (p *Pages) check(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	at := placeOf(r.PostForm)
	_, err := p.FollowUp.RecordCheck(r.Context(), &referralv1.RecordCheckRequest{
		Id: r.PathValue("id"), RequestId: r.PostFormValue("requestId"), Result: r.PostFormValue("result"), Note: strings.TrimSpace(r.PostFormValue("note")),
	})
	if err != nil {
		return p.refused(w, r, at, err)
	}
	p.Shell.Flash(w, "followups.recorded")
	http.Redirect(w, r, at.Here(), http.StatusSeeOther)
	return nil
}

// refused shows the list again with the form as it was typed; when the check is done or gone meanwhile, what was typed stands
// above the list.
func (p *Pages) refused(w http.ResponseWriter, r *http.Request, at place, cause error) error {
	return p.Shell.Again(w, r, cause, func(again shell.Refused) error {
		data, err := p.load(r, at)
		if err != nil {
			return err
		}
		problem := again.Problem
		if problem == "" {
			problem = p.Shell.ErrorText(r, cause)
		}
		i := slices.IndexFunc(data.Items, func(one item) bool { return one.GetId() == r.PathValue("id") && one.Check() })
		if i < 0 {
			data.Problem, data.Typed = problem, strings.TrimSpace(r.PostFormValue("note"))
			return p.show(w, r, again.Status, data)
		}
		one := &data.Items[i]
		one.Problem, one.Form, one.RequestID = problem, again.Form, again.RequestID
		return p.show(w, r, again.Status, data)
	})
}
