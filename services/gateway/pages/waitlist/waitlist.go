// Package waitlist shows the fallback list (候补): who waits for a place, department by department, in the order in which it is worked, with the
// places that are offered; who waits is put on it and taken off it here.
//
// The scheduling service decides who sees and changes what. Safe for concurrent use.
package waitlist

import (
	"embed"
	"net/http"
	"net/url"
	"slices"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

//go:embed *.html
var files embed.FS

const (
	// pageSize is how many entries are shown at once: a list is worked from the top.
	pageSize = 100
	// mostCandidates is about how many there are to choose from; any other is put on the list from its own page.
	mostCandidates = 500
)

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell      *shell.Shell
	Allocation schedulingv1.AllocationServiceClient
	Scheduling schedulingv1.SchedulingServiceClient
	Referral   referralv1.ReferralServiceClient
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
	mux.Handle("GET /waitlist", p.Shell.Page(p.show))
	mux.Handle("POST /waitlist", p.Shell.Page(p.join))
	mux.Handle("POST /waitlist/{id}/leave", p.Shell.Page(p.leave))
}

// entry is somebody who waits.
type entry struct {
	*schedulingv1.WaitlistEntry
	// Row is the referral, nil when the visitor may not read it or it is away.
	Row       *shell.Row
	From      string
	RequestID string
	// Place is what is offered; nil where nothing is, and while it cannot be read.
	Place *schedulingv1.Hold
}

// Offered tells that there is a place which waits for the answer.
func (e entry) Offered() bool { return e.GetState() == schedulingv1.WaitlistState_OFFERED }

// Waits tells that the entry has not ended.
func (e entry) Waits() bool {
	return e.GetState() == schedulingv1.WaitlistState_WAITING || e.GetState() == schedulingv1.WaitlistState_OFFERED
}

// Leaves tells that it can be taken off the list. Who lost a place with its session stays until there is another, or the referral is cancelled.
func (e entry) Leaves() bool { return e.Waits() && e.GetDisplacedBookingId() == "" }

// group are those who wait for one department.
type group struct {
	Name, To string
	Entries  []entry
}

type listData struct {
	Groups []group
	Ended  bool
	Next   string
	// Candidates can be put on the list: they wait for an answer and have no place.
	Candidates []shell.Row
	Form       shell.Form
	Problem    string
	RequestID  string
	// Chosen is the one that the refused form named, if it is no candidate any more.
	Chosen *shell.Row
	// Sender: the visitor sends patients and does not answer.
	Sender bool
	Path   string
}

// Kinds are what a referral up can wait for. Experts come to centres, which send up and do not receive.
func (listData) Kinds() []string { return []string{"CLINIC", "EXAM", "BED"} }

func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	data, err := p.load(r)
	if err != nil {
		return err
	}
	if r.Header.Get("X-Fragment") == "rows" {
		return p.Shell.Fragment(w, r, p.set, "rows", data)
	}
	p.candidates(r, &data)
	return p.draw(w, r, http.StatusOK, data)
}

func (p *Pages) draw(w http.ResponseWriter, r *http.Request, status int, data listData) error {
	return p.Shell.Render(w, r, p.set, shell.Page{Title: "waitlist.title", Nav: "waitlist", Status: status, Data: data})
}

func (p *Pages) load(r *http.Request) (listData, error) {
	query := r.URL.Query()
	visitor, _ := door.VisitorFrom(r.Context())
	data := listData{Ended: query.Get("ended") != "", RequestID: id.New(), Sender: !shell.IsCounty(visitor.Account), Path: "/waitlist"}
	if len(query) > 0 {
		data.Path += "?" + query.Encode() // the same page of the same department
	}
	answer, err := p.Allocation.ListWaitlist(r.Context(), &schedulingv1.ListWaitlistRequest{
		Department: query.Get("department"), Ended: data.Ended, PageSize: pageSize, PageToken: query.Get("page"),
	})
	if err != nil {
		return data, err
	}
	data.Groups, data.Next = p.groups(r, answer.GetEntries()), answer.GetNextPageToken()
	return data, nil
}

// groups are the entries by receiver and department, in the order of the list.
func (p *Pages) groups(r *http.Request, entries []*schedulingv1.WaitlistEntry) []group {
	county, err := p.Shell.Names().County(r.Context())
	language := p.Shell.Language(r)
	ids := make([]string, 0, len(entries))
	for _, e := range entries {
		ids = append(ids, e.GetReferralId())
	}
	places := p.places(r, entries)
	rows := p.Shell.RowsOf(r, p.Referral, ids) // where there is none the list shows the number
	var out []group
	at := map[string]int{}
	for _, e := range entries {
		key := e.GetOrganizationId() + "|" + e.GetDepartmentCode()
		i, known := at[key]
		if !known {
			i = len(out)
			at[key] = i
			one := group{Name: e.GetDepartmentCode()}
			if err == nil {
				one.Name = county.DepartmentName(language, e.GetOrganizationId(), e.GetDepartmentCode())
				one.To = county.OrganizationName(language, e.GetOrganizationId())
			}
			out = append(out, one)
		}
		one := entry{WaitlistEntry: e, RequestID: id.New()}
		if row, ok := rows[e.GetReferralId()]; ok {
			one.Row = &row
		}
		one.Place = places[e.GetHoldId()]
		if err == nil {
			one.From = county.OrganizationName(language, e.GetSenderOrganizationId())
		}
		out[i].Entries = append(out[i].Entries, one)
	}
	return out
}

// places are what is offered, by the id of the hold; without an answer nothing is.
func (p *Pages) places(r *http.Request, entries []*schedulingv1.WaitlistEntry) map[string]*schedulingv1.Hold {
	ask := &schedulingv1.BatchGetHoldsRequest{}
	for _, e := range entries {
		if (entry{WaitlistEntry: e}).Offered() && e.GetHoldId() != "" {
			ask.Ids = append(ask.Ids, e.GetHoldId())
		}
	}
	out := map[string]*schedulingv1.Hold{}
	if len(ask.GetIds()) == 0 {
		return out
	}
	if answer, err := p.Scheduling.BatchGetHolds(r.Context(), ask); err == nil {
		for _, h := range answer.GetHolds() {
			out[h.GetId()] = h
		}
	}
	return out
}

// candidates are those who wait for an answer without a place, page after page; what cannot be read is left out, for the list is worth more.
func (p *Pages) candidates(r *http.Request, data *listData) {
	ask := &referralv1.ListReferralsRequest{
		View: "inbox", Direction: commonv1.Direction_UP, State: []referralv1.State_Code{referralv1.State_SUBMITTED}, Order: "due", PageSize: pageSize,
	}
	if data.Sender {
		ask.View = "outbox"
	}
	waits := map[string]bool{}
	for _, g := range data.Groups {
		for _, e := range g.Entries {
			waits[e.GetReferralId()] = e.Waits()
		}
	}
	var found []*referralv1.Referral
	for more := true; more && len(found) < mostCandidates; {
		answer, err := p.Referral.ListReferrals(r.Context(), ask)
		if err != nil {
			break
		}
		for _, one := range answer.GetReferrals() {
			if !waits[one.GetId()] && one.GetHoldId() == "" && one.GetState() == referralv1.State_SUBMITTED && one.GetKind() != commonv1.Kind_ADVICE {
				found = append(found, one)
			}
		}
		ask.PageToken = answer.GetNextPageToken()
		more = ask.PageToken != ""
	}
	data.Candidates = p.Shell.Rows(r, found)
}

func (p *Pages) join(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	get := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	request := &schedulingv1.JoinWaitlistRequest{
		ReferralId: get("referralId"), Kind: get("kind"), FirstDay: get("firstDay"), LastDay: get("lastDay"), RequestId: get("requestId"),
	}
	var err error
	switch {
	case request.GetReferralId() == "":
		err = errs.Invalid(errs.Required("referralId"))
	case request.GetKind() == "EXAM":
		if request.Modality = get("modality"); request.GetModality() == "" {
			err = errs.Invalid(errs.Required("modality"))
		}
	case request.GetKind() == "BED":
		request.Sex, err = p.sexOf(r, request.GetReferralId())
	}
	if err == nil {
		_, err = p.Allocation.JoinWaitlist(r.Context(), request)
	}
	if err != nil {
		return p.again(w, r, err)
	}
	p.Shell.Flash(w, "waitlist.joined")
	http.Redirect(w, r, "/waitlist", http.StatusSeeOther)
	return nil
}

// sexOf is for which beds the referral's patient waits: without it only those that take both would ever be offered.
func (p *Pages) sexOf(r *http.Request, referral string) (string, error) {
	list, err := p.Referral.BatchGetReferrals(r.Context(), &referralv1.BatchGetReferralsRequest{Ids: []string{referral}})
	if err != nil || len(list.GetReferrals()) == 0 {
		return "", err // of one that the visitor may not read the list says so
	}
	return shell.BedSex(list.GetReferrals()[0].GetPatient().GetSex()), nil
}

// chosen keeps the referral that the refused form named.
func (p *Pages) chosen(r *http.Request, data *listData) {
	id := data.Form.Value("referralId")
	if id == "" || slices.ContainsFunc(data.Candidates, func(row shell.Row) bool { return row.GetId() == id }) {
		return
	}
	if row, ok := p.Shell.RowsOf(r, p.Referral, []string{id})[id]; ok {
		data.Chosen = &row
	}
}

// Typed tells that a form was refused that put somebody on the list.
func (d listData) Typed() bool { return d.Form.Value("kind") != "" || len(d.Form.Errors) > 0 }

func (p *Pages) leave(w http.ResponseWriter, r *http.Request) error {
	_, err := p.Allocation.LeaveWaitlist(r.Context(), &schedulingv1.LeaveWaitlistRequest{Id: r.PathValue("id"), RequestId: r.PostFormValue("requestId")})
	if err != nil {
		r.PostForm = url.Values{} // there is nothing typed to keep
		return p.again(w, r, err)
	}
	p.Shell.Flash(w, "waitlist.left")
	http.Redirect(w, r, "/waitlist", http.StatusSeeOther)
	return nil
}

// again shows the list with what was refused.
func (p *Pages) again(w http.ResponseWriter, r *http.Request, cause error) error {
	return p.Shell.Again(w, r, cause, func(again shell.Refused) error {
		data, err := p.load(r)
		if err != nil && errs.KindOf(err) != errs.KindUnavailable {
			return err
		}
		p.candidates(r, &data)
		data.Form, data.Problem, data.RequestID = again.Form, again.Problem, again.RequestID
		p.chosen(r, &data)
		return p.draw(w, r, again.Status, data)
	})
}
