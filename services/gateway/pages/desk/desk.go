// Package desk holds the pages of whoever receives: the queue, most urgent first with a running clock, and who is expected
// today or on the way. A county answers what was sent up, a township takes who comes down; both see the same queue, in their
// own words.
package desk

import (
	"embed"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/queue"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	ids "github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

//go:embed *.html
var files embed.FS

// pageSize is how many referrals a list shows at once: a queue longer than that is worked from the top.
const pageSize = 100

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell    *shell.Shell
	Referral referralv1.ReferralServiceClient
	Handover referralv1.HandoverServiceClient
	// Record finds the patients of a name.
	Record patientrecordv1.PatientRecordServiceClient
	Queue  *queue.Queue
	// Limiter counts the pictures that are sent to be read, by account.
	Limiter cache.Limiter
	// Cache and Ring keep the words of a search.
	Cache cache.Cache
	Ring  *crypt.Ring
}

// Pages serves them.
type Pages struct {
	Deps
	queueSet, arrivalsSet *shell.Set
	// reading has a place for each picture that is read at a time.
	reading chan struct{}
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps, reading: make(chan struct{}, readers)}
	var err error
	if p.queueSet, err = deps.Shell.Parse(queue.With(files), "desk.html", "queue.html"); err != nil {
		return nil, err
	}
	p.arrivalsSet, err = deps.Shell.Parse(queue.With(files), "arrivals.html", "queue.html")
	return p, err
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /desk", p.Shell.Page(p.queue))
	mux.Handle("GET /desk/arrivals", p.Shell.Page(p.arrivals))
	mux.Handle("POST /desk/find", p.Shell.Page(p.find))
	mux.Handle("POST /desk/code", p.Shell.Page(p.code))
	mux.Handle("POST /desk/registrations/{id}/dismiss", p.Shell.Page(p.dismiss))
}

type queueData struct {
	queue.List
	// Who is "county" or "township".
	Who string
	// Departments and Senders to choose from.
	Departments, Senders []shell.Named
	Answered             *queue.Answered
	// Focus is the row in which to go on, "" for none.
	Focus string
	// Path is where the rows are fetched again.
	Path string
}

func (p *Pages) queue(w http.ResponseWriter, r *http.Request) error {
	part, f := r.Header.Get("X-Fragment"), queue.FilterOf(r)
	if len(r.URL.Query()) == 0 {
		f.Tab = "" // the filter stays; who comes to the desk sees first what waits for an answer
	}
	list, err := p.Queue.Read(r, f, r.URL.Query().Get("page"))
	if err != nil {
		return err
	}
	if part == "list" {
		return p.Shell.Fragment(w, r, p.queueSet, "queue-list", list)
	}
	p.Queue.Suggest(r, list.Rows)
	data := queueData{List: list, Who: "county", Path: list.Filter.Path()}
	if page := r.URL.Query().Get("page"); page != "" {
		data.Path = list.Filter.More(page)
	}
	title := "desk.title"
	if queue.Township(r) {
		data.Who = "township"
		title = "desk.title.township"
	}
	if part == "rows" {
		return p.Shell.Fragment(w, r, p.queueSet, "rows", data)
	}
	list.Filter.Remember(w, r)
	if data.Answered = p.Queue.TakeAnswered(w, r); data.Answered != nil {
		data.Focus = data.Answered.Next
	}
	p.choices(r, &data)
	return p.Shell.Render(w, r, p.queueSet, shell.Page{Title: title, Nav: "desk", Data: data})
}

// choices are the departments and the senders that the queue can be narrowed to; none without directory.
func (p *Pages) choices(r *http.Request, data *queueData) {
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return
	}
	visitor, _ := door.VisitorFrom(r.Context())
	own, language := visitor.Account.GetOrganizationId(), p.Shell.Language(r)
	for _, d := range county.Departments(own) {
		data.Departments = append(data.Departments, shell.Named{ID: d.GetCode(), Name: county.DepartmentName(language, own, d.GetCode())})
	}
	for _, o := range county.Organizations {
		if t := o.GetType(); o.GetId() != own && !o.GetDisabled() && (t == directoryv1.OrganizationType_COUNTY_HOSPITAL || t == directoryv1.OrganizationType_TOWNSHIP_CENTRE) {
			data.Senders = append(data.Senders, shell.Named{ID: o.GetId(), Name: county.OrganizationName(language, o.GetId())})
		}
	}
}

type arrivalsData struct {
	// Coming are those who have set out, the soonest first, Rows those expected today; Cut tells that there are more of either.
	Coming, Rows []arriving
	Cut          bool
	// Path is where the lists are fetched again, on the page of registrations that is shown.
	Path string
	// Day is today by session.
	Day  []sitting
	Form shell.Form
	// County: the visitor may record who came without a referral.
	County bool
	// Found is whom the number on a slip belongs to; nil before one was read.
	Found *arriving
	// Sought are those of a name or the end of a number, SoughtLater those of them who are expected on a later day, More that there are others.
	Sought, SoughtLater []arriving
	More                bool
	Answered            *queue.Answered
	// Registered is what the hospital's own system said; nothing at a township's.
	Registered registrations
}

// arriving is a referral whose patient is expected, or stands at the desk.
type arriving struct {
	shell.Row
	RequestID string
	// Arrives: the patient can be checked in.
	Arrives bool
	// Later: the patient is expected on a day after today and has not set out, so that a check-in asks first.
	Later bool
}

func (p *Pages) arrivingOf(row shell.Row, arrives bool) arriving {
	from := row.GetExpectedFrom()
	later := from != nil && row.GetDepartTime() == nil && from.AsTime().In(p.Shell.Zone()).Format(time.DateOnly) > p.Shell.Now().Format(time.DateOnly)
	return arriving{Row: row, RequestID: ids.New(), Arrives: arrives, Later: later}
}

// arriving adds to rows whether the visitor can check the patient in.
func (p *Pages) arriving(r *http.Request, referrals []*referralv1.Referral) (out []arriving) {
	may := map[string]bool{}
	for _, row := range p.Shell.Rows(r, referrals) {
		// What can be done depends on who asks, on direction, kind and state: one of each stands for all.
		like := strings.Join([]string{row.GetDirection().String(), row.GetKind().String(), row.GetState().String()}, " ")
		if _, asked := may[like]; !asked {
			may[like] = p.arrives(r, row.GetId())
		}
		out = append(out, p.arrivingOf(row, may[like]))
	}
	return out
}

func (p *Pages) arrives(r *http.Request, id string) bool {
	list, err := p.Referral.ListActions(r.Context(), &referralv1.ListActionsRequest{Id: id})
	return err == nil && slices.ContainsFunc(list.GetActions(), func(a *referralv1.Action) bool { return a.GetName() == "arrive" })
}

// found reads the referral that the address names; nil for none, and for one that the visitor may not read.
func (p *Pages) found(r *http.Request) *arriving {
	id := r.URL.Query().Get("found")
	row, ok := p.Shell.RowsOf(r, p.Referral, []string{id})[id]
	if !ok {
		return nil
	}
	found := p.arrivingOf(row, p.arrives(r, id))
	return &found
}

func (p *Pages) arrivals(w http.ResponseWriter, r *http.Request) error {
	find := r.URL.Query().Get("find")
	if find == "" || r.Header.Get("X-Fragment") != "" {
		return p.showArrivals(w, r, shownArrivals{status: http.StatusOK})
	}
	words, known := p.searches().Words(r.Context(), find)
	if !known {
		wrong := []shell.FieldError{{Name: "number", Text: p.Shell.T(r, "referrals.search.gone")}}
		return p.showArrivals(w, r, shownArrivals{status: http.StatusOK, form: shell.Form{Errors: wrong}})
	}
	return p.answer(w, r, words)
}

// shownArrivals is what the page shows beside who is expected.
type shownArrivals struct {
	status  int
	form    shell.Form
	refused dismissal
	found   *arriving
	// sought may be expected today, later are those expected on a later day.
	sought, later []arriving
	more          bool
}

func (p *Pages) showArrivals(w http.ResponseWriter, r *http.Request, show shownArrivals) error {
	today, cut, err := p.Shell.Whole(r, p.Referral, &referralv1.ListReferralsRequest{
		View: "inbox", State: []referralv1.State_Code{referralv1.State_ACCEPTED, referralv1.State_NO_SHOW},
		ExpectedOn: p.Shell.Now().Format("2006-01-02"), Order: "due",
	})
	if err != nil {
		return err
	}
	coming, many, err := p.Shell.Whole(r, p.Referral, &referralv1.ListReferralsRequest{View: "inbox", OnTheWay: true, Order: "due"})
	if err != nil {
		return err
	}
	slices.SortStableFunc(coming, func(a, b *referralv1.Referral) int {
		return a.GetExpectedArrival().AsTime().Compare(b.GetExpectedArrival().AsTime())
	})
	visitor, _ := door.VisitorFrom(r.Context())
	day := p.day(r)
	data := arrivalsData{County: shell.IsCounty(visitor.Account), Coming: p.arriving(r, coming), Day: day, Rows: p.arriving(r, apart(today, day)), Cut: cut || many, Form: show.form}
	if data.County {
		if data.Registered, err = p.registrations(r, show.refused); err != nil {
			return err
		}
	}
	data.Path = "/desk/arrivals"
	if page := r.URL.Query().Get("registered"); page != "" {
		data.Path += "?registered=" + url.QueryEscape(page)
	}
	if r.Header.Get("X-Fragment") == "rows" {
		return p.Shell.Fragment(w, r, p.arrivalsSet, "rows", data)
	}
	if data.Found, data.Sought, data.SoughtLater, data.More = show.found, show.sought, show.later, show.more; data.Found == nil {
		data.Found = p.found(r)
	}
	data.Answered = p.Queue.TakeAnswered(w, r)
	return p.Shell.Render(w, r, p.arrivalsSet, shell.Page{Title: "arrivals.title", Nav: "arrivals", Status: show.status, Data: data})
}

// slipAddress is what a scanner types, the address of a slip's verification page with number and key; through an input method its signs are wide.
var slipAddress = regexp.MustCompile(`/verify/([0-9-]+)(?:[?？]k[=＝]([A-Za-z0-9]{1,40}))?`)

// find leads to the patient whose slip was scanned, or whose number or name was typed.
func (p *Pages) find(w http.ResponseWriter, r *http.Request) error {
	typed := strings.TrimSpace(r.PostFormValue("number"))
	if typed != "" && !isWhole(typed) {
		return p.keep(w, r, typed)
	}
	number := typed
	again := func(status int, why string) error {
		form := shell.Form{Values: url.Values{"number": {typed}}, Errors: []shell.FieldError{{Name: "number", Text: p.Shell.T(r, why)}}}
		return p.showArrivals(w, r, shownArrivals{status: status, form: form})
	}
	if m := slipAddress.FindStringSubmatch(typed); m != nil {
		number = m[1]
		// A number can be guessed and put into a code; the key of a slip cannot.
		slip, err := p.Handover.VerifySlip(rpc.AsService(r.Context()), &referralv1.VerifySlipRequest{Number: m[1], Key: strings.ToUpper(m[2])})
		if err != nil && errs.KindOf(err) != errs.KindInvalid {
			return err
		}
		if !slip.GetGenuine() {
			return again(http.StatusNotFound, "arrivals.forged")
		}
	}
	referral, err := p.Referral.FindReferral(r.Context(), &referralv1.FindReferralRequest{Number: number})
	switch errs.KindOf(err) {
	case errs.KindNotFound, errs.KindInvalid:
		return again(errs.HTTPStatus(err), "arrivals.unknown")
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/desk/arrivals?found="+referral.GetId(), http.StatusSeeOther)
	return nil
}
