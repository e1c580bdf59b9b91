// Package desk holds the county's pages: the queue, most urgent first with a running clock, and today's arrivals.
package desk

import (
	"embed"
	"net/http"
	"net/url"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

//go:embed *.html
var files embed.FS

// pageSize is how many referrals a list shows at once: a queue longer than that is worked from the top.
const pageSize = 100

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell    *shell.Shell
	Referral referralv1.ReferralServiceClient
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
func (p *Pages) Routes(mux *http.ServeMux) {
	mux.Handle("GET /desk", p.Shell.Page(p.queue))
	mux.Handle("GET /desk/arrivals", p.Shell.Page(p.arrivals))
	mux.Handle("POST /desk/find", p.Shell.Page(p.find))
}

// tab is a part of the queue, by states.
type tab struct {
	Name   string
	Active bool
	Order  string
	Clock  string
	states []referralv1.State_Code
}

func tabs(active string) (all []tab, chosen tab) {
	all = []tab{
		{Name: "waiting", Order: "due", Clock: "due", states: []referralv1.State_Code{referralv1.State_SUBMITTED}},
		{Name: "returned", Order: "due", Clock: "due", states: []referralv1.State_Code{referralv1.State_RETURNED}},
		{Name: "expected", Order: "due", Clock: "expected", states: []referralv1.State_Code{referralv1.State_ACCEPTED, referralv1.State_NO_SHOW}},
		{Name: "inside", Order: "due", Clock: "due", states: []referralv1.State_Code{referralv1.State_ARRIVED, referralv1.State_ADMITTED}},
		{Name: "ended", Order: "newest", Clock: "due", states: []referralv1.State_Code{
			referralv1.State_CONCLUDED, referralv1.State_CLOSED, referralv1.State_DECLINED, referralv1.State_CANCELLED,
		}},
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

type queueData struct {
	Tabs []tab
	Tab  tab
	Rows []shell.Row
	Next string
	Path string
}

func (p *Pages) queue(w http.ResponseWriter, r *http.Request) error {
	all, chosen := tabs(r.URL.Query().Get("tab"))
	answer, err := p.Referral.ListReferrals(r.Context(), &referralv1.ListReferralsRequest{
		View: "inbox", State: chosen.states, Order: chosen.Order, PageSize: pageSize, PageToken: r.URL.Query().Get("page"),
	})
	if err != nil {
		return err
	}
	data := queueData{Tabs: all, Tab: chosen, Rows: p.Shell.Rows(r, answer.GetReferrals()), Next: answer.GetNextPageToken(), Path: r.URL.RequestURI()}
	if r.Header.Get("X-Fragment") == "rows" {
		return p.Shell.Fragment(w, r, p.queueSet, "rows", data)
	}
	return p.Shell.Render(w, r, p.queueSet, shell.Page{Title: "desk.title", Nav: "desk", Data: data})
}

type arrivalsData struct {
	Rows   []shell.Row
	Form   shell.Form
	Number string
}

func (p *Pages) arrivals(w http.ResponseWriter, r *http.Request) error {
	return p.showArrivals(w, r, http.StatusOK, shell.Form{})
}

func (p *Pages) showArrivals(w http.ResponseWriter, r *http.Request, status int, form shell.Form) error {
	answer, err := p.Referral.ListReferrals(r.Context(), &referralv1.ListReferralsRequest{
		View: "inbox", State: []referralv1.State_Code{referralv1.State_ACCEPTED, referralv1.State_NO_SHOW},
		ExpectedOn: p.Shell.Now().Format("2006-01-02"), Order: "due", PageSize: pageSize,
	})
	if err != nil {
		return err
	}
	data := arrivalsData{Rows: p.Shell.Rows(r, answer.GetReferrals()), Form: form}
	if r.Header.Get("X-Fragment") == "rows" {
		return p.Shell.Fragment(w, r, p.arrivalsSet, "rows", data)
	}
	return p.Shell.Render(w, r, p.arrivalsSet, shell.Page{Title: "arrivals.title", Nav: "arrivals", Status: status, Data: data})
}

// find opens a referral by the number on the patient's slip.
func (p *Pages) find(w http.ResponseWriter, r *http.Request) error {
	number := r.PostFormValue("number")
	referral, err := p.Referral.FindReferral(r.Context(), &referralv1.FindReferralRequest{Number: number})
	switch errs.KindOf(err) {
	case errs.KindNotFound, errs.KindInvalid:
		form := shell.Form{Values: url.Values{"number": {number}}, Errors: []shell.FieldError{{Name: "number", Text: p.Shell.T(r, "arrivals.unknown")}}}
		return p.showArrivals(w, r, errs.HTTPStatus(err), form)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/referrals/"+referral.GetId(), http.StatusSeeOther)
	return nil
}
