// Package desk holds the pages of whoever receives: the queue, most urgent first with a running clock, and who is expected
// today or on the way. A county answers what was sent up, a township takes who comes down; both see the same queue, in their
// own words.
package desk

import (
	"embed"
	"net/http"
	"net/url"
	"slices"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

//go:embed *.html
var files embed.FS

// pageSize is how many referrals a list shows at once: a queue longer than that is worked from the top.
const pageSize = 100

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell      *shell.Shell
	Referral   referralv1.ReferralServiceClient
	Allocation schedulingv1.AllocationServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	queueSet, arrivalsSet *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	var err error
	if p.queueSet, err = deps.Shell.Parse(files, "queue.html"); err != nil {
		return nil, err
	}
	p.arrivalsSet, err = deps.Shell.Parse(files, "arrivals.html")
	return p, err
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /desk", p.Shell.Page(p.queue))
	mux.Handle("GET /desk/arrivals", p.Shell.Page(p.arrivals))
	mux.Handle("POST /desk/find", p.Shell.Page(p.find))
	mux.Handle("POST /desk/registrations/{id}/dismiss", p.Shell.Page(p.dismiss))
}

// tab is a part of the queue, by states.
type tab struct {
	Name   string
	Active bool
	Order  string
	Clock  string
	states []referralv1.State_Code
}

// tabs are those of a county's queue, or of a township's, where those who came down are followed up.
func tabs(active string, township bool) (all []tab, chosen tab) {
	all = []tab{
		{Name: "waiting", Order: "due", Clock: "due", states: []referralv1.State_Code{referralv1.State_SUBMITTED}},
		{Name: "returned", Order: "due", Clock: "due", states: []referralv1.State_Code{referralv1.State_RETURNED}},
		{Name: "expected", Order: "due", Clock: "expected", states: []referralv1.State_Code{referralv1.State_ACCEPTED, referralv1.State_NO_SHOW}},
		{Name: "inside", Order: "due", Clock: "due", states: []referralv1.State_Code{referralv1.State_ARRIVED, referralv1.State_ADMITTED}},
		{Name: "followed", Order: "due", Clock: "due", states: []referralv1.State_Code{referralv1.State_FOLLOW_UP}},
		{Name: "ended", Order: "newest", Clock: "due", states: []referralv1.State_Code{
			referralv1.State_CONCLUDED, referralv1.State_CLOSED, referralv1.State_DECLINED, referralv1.State_CANCELLED,
		}},
	}
	if !township {
		all = slices.DeleteFunc(all, func(t tab) bool { return t.Name == "followed" })
	}
	chosen = all[0]
	for _, t := range all {
		if t.Name == active {
			chosen = t
		}
	}
	for i := range all {
		all[i].Active = all[i].Name == chosen.Name
	}
	return all, chosen
}

// receives tells in whose words the page speaks: "county", or "township" for those who work at a centre alone.
func receives(r *http.Request) string {
	visitor, _ := door.VisitorFrom(r.Context())
	if shell.IsTownship(visitor.Account) && !shell.IsCounty(visitor.Account) {
		return "township"
	}
	return "county"
}

type queueData struct {
	// Who is "county" or "township".
	Who  string
	Tabs []tab
	Tab  tab
	// Direction is UP or DOWN, "" for both.
	Direction string
	Rows      []shell.Row
	Next      string
	Path      string
}

func (p *Pages) queue(w http.ResponseWriter, r *http.Request) error {
	query, who := r.URL.Query(), receives(r)
	all, chosen := tabs(query.Get("tab"), who == "township")
	direction := commonv1.Direction_Code(commonv1.Direction_Code_value[query.Get("direction")])
	answer, err := p.Referral.ListReferrals(r.Context(), &referralv1.ListReferralsRequest{
		View: "inbox", Direction: direction, State: chosen.states, Order: chosen.Order, PageSize: pageSize, PageToken: query.Get("page"),
	})
	if err != nil {
		return err
	}
	data := queueData{Who: who, Tabs: all, Tab: chosen, Rows: p.Shell.Rows(r, answer.GetReferrals()), Next: answer.GetNextPageToken(), Path: r.URL.RequestURI()}
	if direction != commonv1.Direction_UNSPECIFIED {
		data.Direction = direction.String()
	}
	if r.Header.Get("X-Fragment") == "rows" {
		return p.Shell.Fragment(w, r, p.queueSet, "rows", data)
	}
	title := "desk.title"
	if who == "township" {
		title = "desk.title.township"
	}
	return p.Shell.Render(w, r, p.queueSet, shell.Page{Title: title, Nav: "desk", Data: data})
}

type arrivalsData struct {
	// Coming are those who have set out, Rows those expected today.
	Coming, Rows []shell.Row
	// Day is today by session.
	Day  []sitting
	Form shell.Form
	// County: the visitor may record who came without a referral.
	County bool
	// Registered is what the hospital's own system said; nothing at a township's.
	Registered registrations
}

func (p *Pages) arrivals(w http.ResponseWriter, r *http.Request) error {
	return p.showArrivals(w, r, http.StatusOK, shell.Form{}, dismissal{})
}

func (p *Pages) showArrivals(w http.ResponseWriter, r *http.Request, status int, form shell.Form, refused dismissal) error {
	today, err := p.Referral.ListReferrals(r.Context(), &referralv1.ListReferralsRequest{
		View: "inbox", State: []referralv1.State_Code{referralv1.State_ACCEPTED, referralv1.State_NO_SHOW},
		ExpectedOn: p.Shell.Now().Format("2006-01-02"), Order: "due", PageSize: pageSize,
	})
	if err != nil {
		return err
	}
	coming, err := p.coming(r)
	if err != nil {
		return err
	}
	visitor, _ := door.VisitorFrom(r.Context())
	day := p.day(r)
	data := arrivalsData{County: shell.IsCounty(visitor.Account), Coming: p.Shell.Rows(r, coming), Day: day, Rows: p.Shell.Rows(r, apart(today.GetReferrals(), day)), Form: form}
	if data.County {
		if data.Registered, err = p.registrations(r, refused); err != nil {
			return err
		}
	}
	if r.Header.Get("X-Fragment") == "rows" {
		return p.Shell.Fragment(w, r, p.arrivalsSet, "rows", data)
	}
	return p.Shell.Render(w, r, p.arrivalsSet, shell.Page{Title: "arrivals.title", Nav: "arrivals", Status: status, Data: data})
}

// coming are the patients on the way (在途), the soonest first. An emergency may be on the way before anybody has answered.
func (p *Pages) coming(r *http.Request) ([]*referralv1.Referral, error) {
	answer, err := p.Referral.ListReferrals(r.Context(), &referralv1.ListReferralsRequest{
		View: "inbox", State: []referralv1.State_Code{referralv1.State_SUBMITTED, referralv1.State_ACCEPTED, referralv1.State_NO_SHOW}, Order: "due", PageSize: pageSize,
	})
	if err != nil {
		return nil, err
	}
	out := slices.DeleteFunc(answer.GetReferrals(), func(one *referralv1.Referral) bool { return one.GetDepartTime() == nil })
	slices.SortStableFunc(out, func(a, b *referralv1.Referral) int {
		return a.GetExpectedArrival().AsTime().Compare(b.GetExpectedArrival().AsTime())
	})
	return out, nil
}

// find opens a referral by the number on the patient's slip.
func (p *Pages) find(w http.ResponseWriter, r *http.Request) error {
	number := r.PostFormValue("number")
	referral, err := p.Referral.FindReferral(r.Context(), &referralv1.FindReferralRequest{Number: number})
	switch errs.KindOf(err) {
	case errs.KindNotFound, errs.KindInvalid:
		form := shell.Form{Values: url.Values{"number": {number}}, Errors: []shell.FieldError{{Name: "number", Text: p.Shell.T(r, "arrivals.unknown")}}}
		return p.showArrivals(w, r, errs.HTTPStatus(err), form, dismissal{})
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/referrals/"+referral.GetId(), http.StatusSeeOther)
	return nil
}
