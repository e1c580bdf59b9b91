// Package referrals holds the list of what an organisation sent, and the page of one referral: who and why, the record,
// the timeline and whatever can be done now.
//
// Buttons are drawn from referral.ListActions and from nothing else: it names transitions and marks alike. A refused
// action shows the page again with the reason beside its form and everything that was typed; one that came too late also
// shows what has happened since.
package referrals

import (
	"embed"
	"net/http"
	"slices"

	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/queue"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
)

//go:embed *.html
var files embed.FS

// pageSize is how many referrals a list shows at once.
const pageSize = 50

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell        *shell.Shell
	Referral     referralv1.ReferralServiceClient
	FollowUps    referralv1.FollowUpServiceClient
	Record       patientrecordv1.PatientRecordServiceClient
	Recognition  patientrecordv1.RecognitionServiceClient
	Scheduling   schedulingv1.SchedulingServiceClient
	Calendar     schedulingv1.CalendarServiceClient
	Allocation   schedulingv1.AllocationServiceClient
	Notification notificationv1.NotificationServiceClient
	Alarm        notificationv1.AlarmServiceClient
	Handover     referralv1.HandoverServiceClient
	Clinical     patientrecordv1.ClinicalRecordServiceClient
	Candidate    referralv1.CandidateServiceClient
	Queue        *queue.Queue
	// Cache and Ring keep the words of searches.
	Cache cache.Cache
	Ring  *crypt.Ring
}

// Pages serves them.
type Pages struct {
	Deps
	listSet, pageSet, escalateSet *shell.Set
	doers                         map[string]doer
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	var err error
	if p.listSet, err = deps.Shell.Parse(files, "list.html"); err != nil {
		return nil, err
	}
	if p.pageSet, err = parts.Parse(deps.Shell, queue.With(files), "queue.html", "page.html", "content.html", "story.html", "actions.html", "booking.html", "place.html", "followup.html", "marks.html", "rung.html", "package.html", "reply.html", "recognised.html"); err != nil {
		return nil, err
	}
	p.escalateSet, err = parts.Parse(deps.Shell, files, "escalate.html")
	p.doers = p.everything()
	return p, err
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /referrals", p.Shell.Page(p.list))
	mux.Handle("POST /referral-searches", p.Shell.Page(p.find))
	mux.Handle("GET /referrals/{id}", p.Shell.Page(p.page))
	mux.Handle("POST /referrals/{id}/{action}", p.Shell.Page(p.act))
	mux.Handle("POST /referrals/{id}/telephoned", p.Shell.Page(p.telephoned))
	mux.Handle("POST /referrals/{id}/join-waitlist", p.Shell.Page(p.joinWaitlist))
	mux.Handle("POST /referrals/{id}/leave-waitlist", p.Shell.Page(p.leaveWaitlist))
	mux.Handle("POST /referrals/{id}/move", p.Shell.Page(p.moveBooking))
	mux.Handle("GET /referrals/{id}/escalate", p.Shell.Page(p.escalation))
	mux.Handle("POST /referrals/{id}/escalate", p.Shell.Page(p.escalate))
}

// tab is a part of the list, by states.
type tab struct {
	Name   string
	Active bool
	states []referralv1.State_Code
}

func tabs(active string) (all []tab, chosen tab) {
	all = []tab{
		{Name: "open", states: []referralv1.State_Code{
			referralv1.State_SUBMITTED, referralv1.State_RETURNED, referralv1.State_ACCEPTED, referralv1.State_NO_SHOW,
			referralv1.State_ARRIVED, referralv1.State_ADMITTED, referralv1.State_CONCLUDED, referralv1.State_FOLLOW_UP,
		}},
		{Name: "mine", states: []referralv1.State_Code{referralv1.State_RETURNED, referralv1.State_NO_SHOW}},
		{Name: "county", states: []referralv1.State_Code{referralv1.State_SUBMITTED, referralv1.State_ACCEPTED, referralv1.State_ARRIVED, referralv1.State_ADMITTED}},
		{Name: "replied", states: []referralv1.State_Code{referralv1.State_CONCLUDED}},
		{Name: "draft", states: []referralv1.State_Code{referralv1.State_DRAFT}},
		{Name: "ended", states: []referralv1.State_Code{referralv1.State_CLOSED, referralv1.State_DECLINED, referralv1.State_CANCELLED}},
		{Name: "all"},
	}
	chosen = all[0]
	for i := range all {
		if all[i].Name == active {
			chosen = all[i]
		}
	}
	for i := range all {
		all[i].Active = all[i].Name == chosen.Name
	}
	return all, chosen
}

type listData struct {
	Tabs []tab
	Tab  string
	Rows []shell.Row
	Next string
	// Path is where the list is fetched again.
	Path string
	narrowing
	// Empty is what is said of an empty list.
	Empty string
	// Village: the patients of the visitor's village have a page of their own.
	Village bool
	// Township: the visitor sends patients up and may see what the county thinks of it.
	Township bool
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	all, chosen := tabs(r.URL.Query().Get("tab"))
	request := &referralv1.ListReferralsRequest{View: "outbox", State: chosen.states, PageSize: pageSize, PageToken: r.URL.Query().Get("page")}
	narrowed, err := p.narrow(r, request)
	if err != nil {
		return err
	}
	answer := &referralv1.ListReferralsResponse{}
	if !narrowed.Nobody {
		if answer, err = p.Referral.ListReferrals(r.Context(), request); err != nil {
			return err
		}
	}
	found := answer.GetReferrals()
	if chosen.Name == "mine" && request.GetPageToken() == "" && !narrowed.Any() {
		declined, err := p.Shell.DeclinedLately(r, p.Referral)
		if err != nil {
			return err
		}
		found = slices.Concat(declined, found)
	}
	visitor, _ := door.VisitorFrom(r.Context())
	data := listData{
		narrowing: narrowed, Township: shell.IsTownship(visitor.Account), Village: shell.IsVillage(visitor.Account), Tabs: all, Tab: chosen.Name,
		Rows: p.Shell.Rows(r, found), Next: answer.GetNextPageToken(), Path: r.URL.RequestURI(), Empty: "referrals.empty." + chosen.Name,
	}
	switch {
	case narrowed.Any():
		data.Empty = "referrals.empty.narrowed"
	case data.Village:
		data.Empty = "referrals.empty.village"
	}
	if r.Header.Get("X-Fragment") == "rows" {
		return p.Shell.Fragment(w, r, p.listSet, "rows", data)
	}
	title := "referrals.title"
	if visitor, _ := door.VisitorFrom(r.Context()); !shell.IsTownship(visitor.Account) {
		title = "referrals.title.county"
	}
	return p.Shell.Render(w, r, p.listSet, shell.Page{Title: title, Nav: "referrals", Data: data})
}
