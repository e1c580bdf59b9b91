// Package alarms holds what rings at the visitor, and the telephone calls that are to be made when nobody acknowledges.
package alarms

import (
	"embed"
	"net/http"
	"net/url"
	"strconv"

	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

//go:embed *.html
var files embed.FS

const pageSize = 30

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell *shell.Shell
	Alarm notificationv1.AlarmServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	alarmSet, callSet *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	var err error
	if p.alarmSet, err = deps.Shell.Parse(files, "alarms.html"); err != nil {
		return nil, err
	}
	p.callSet, err = deps.Shell.Parse(files, "calls.html")
	return p, err
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /alarms", p.Shell.Page(p.alarms))
	mux.Handle("POST /alarms/{id}/acknowledge", p.Shell.Page(p.acknowledge))
	mux.Handle("GET /calls", p.Shell.Page(p.calls))
	mux.Handle("POST /calls/{id}", p.Shell.Page(p.record))
}

// alarms answers the banner alone, for the part of every page that live updates fetch again, or a page with it.
func (p *Pages) alarms(w http.ResponseWriter, r *http.Request) error {
	ringing, err := p.Shell.Ringing(r)
	if err != nil {
		return err // not a banner that is empty: it would fall silent
	}
	if r.Header.Get("X-Fragment") == "alarms" {
		return p.Shell.Fragment(w, r, p.alarmSet, "alarms", ringing.Alarms)
	}
	return p.Shell.Render(w, r, p.alarmSet, shell.Page{Title: "alarm.title", Nav: "inbox", Data: ringing.Alarms})
}

// acknowledge takes the emergency on, which silences it for everybody, and opens the referral; whoever answers it there goes on to the next.
func (p *Pages) acknowledge(w http.ResponseWriter, r *http.Request) error {
	alarm, err := p.Alarm.AcknowledgeAlarm(r.Context(), &notificationv1.AcknowledgeAlarmRequest{Id: r.PathValue("id")})
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/referrals/"+url.PathEscape(alarm.GetReferralId())+"?queue=1", http.StatusSeeOther)
	return nil
}

// call is one of the list. Form has what was typed for it and refused.
type call struct {
	*notificationv1.Call
	Organization string
	Form         shell.Form
	Problem      string
	RequestID    string
}

type callData struct {
	Calls    []call
	Ended    bool
	Path     string // of this list
	Next     string
	Outcomes []string
}

// outcomes are those of the contract, in the order shown.
func outcomes() []string { return []string{"REACHED", "NO_ANSWER", "BUSY", "WRONG_NUMBER"} }

func (p *Pages) calls(w http.ResponseWriter, r *http.Request) error {
	return p.show(w, r, http.StatusOK, nil)
}

// show draws the list; refused is a record that was refused, which is drawn in its place.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, refused *shell.Refused) error {
	data := callData{Ended: r.URL.Query().Get("show") == "all", Path: "/calls", Outcomes: outcomes()}
	if r.Method == http.MethodGet {
		data.Path = r.URL.RequestURI()
	}
	list, err := p.Alarm.ListCalls(r.Context(), &notificationv1.ListCallsRequest{Ended: data.Ended, PageSize: pageSize, PageToken: r.URL.Query().Get("page")})
	if err != nil {
		return err
	}
	county, failed := p.Shell.Names().County(r.Context())
	for _, c := range list.GetCalls() {
		one := call{Call: c, RequestID: id.New()}
		if failed == nil {
			one.Organization = county.OrganizationName(p.Shell.Language(r), c.GetOrganizationId())
		}
		if refused != nil && r.PathValue("id") == c.GetId() {
			one.Form, one.Problem, one.RequestID = refused.Form, refused.Problem, refused.RequestID
		}
		data.Calls = append(data.Calls, one)
	}
	if token := list.GetNextPageToken(); token != "" {
		data.Next = "/calls?page=" + url.QueryEscape(token)
		if data.Ended {
			data.Next += "&show=all"
		}
	}
	if r.Header.Get("X-Fragment") == "calls" {
		return p.Shell.Fragment(w, r, p.callSet, "calls", data)
	}
	return p.Shell.Render(w, r, p.callSet, shell.Page{Title: "calls.title", Nav: "calls", Status: status, Data: data})
}

func (p *Pages) record(w http.ResponseWriter, r *http.Request) error {
	version, err := strconv.ParseInt(r.PostFormValue("version"), 10, 32)
	if err != nil {
		return errs.Invalid(errs.Bad("version", errs.ReasonFieldInvalid))
	}
	in := &notificationv1.RecordCallRequest{
		Id: r.PathValue("id"), Version: int32(version), Outcome: r.PostFormValue("outcome"), ReachedAccountId: r.PostFormValue("reachedAccountId"),
		ReachedName: r.PostFormValue("reachedName"), Note: r.PostFormValue("note"), RequestId: r.PostFormValue("requestId"),
	}
	if in.GetOutcome() == "" {
		err = errs.Invalid(errs.Required("outcome"))
	} else {
		_, err = p.Alarm.RecordCall(r.Context(), in)
	}
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error { return p.show(w, r, again.Status, &again) })
	}
	p.Shell.Flash(w, "calls.recorded")
	http.Redirect(w, r, "/calls", http.StatusSeeOther)
	return nil
}
