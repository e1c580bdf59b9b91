// Package sessions shows what takes place when: the week of a department with what is free, and one session with its slots and who has them, where
// it is given to somebody else, cancelled, blocked, and a booking is moved.
//
// Scheduling knows ids only; names come from the referrals that the visitor may read. Who may change what is decided by the scheduling service.
// Safe for concurrent use.
package sessions

import (
	"cmp"
	"embed"
	"net/http"
	"slices"
	"time"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

//go:embed *.html
var files embed.FS

const (
	// weekDays is what the list shows at once.
	weekDays = 7
	pageSize = 200
)

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell      *shell.Shell
	Calendar   schedulingv1.CalendarServiceClient
	Allocation schedulingv1.AllocationServiceClient
	Referral   referralv1.ReferralServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	week, one *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	week, err := deps.Shell.Parse(files, "week.html", "parts.html")
	if err != nil {
		return nil, err
	}
	one, err := deps.Shell.Parse(files, "session.html", "parts.html")
	return &Pages{Deps: deps, week: week, one: one}, err
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /sessions", p.Shell.Page(p.showWeek))
	mux.Handle("GET /sessions/{id}", p.Shell.Page(p.showOne))
	mux.Handle("POST /sessions/{id}/substitute", p.Shell.Page(p.substitute))
	mux.Handle("POST /sessions/{id}/cancel", p.Shell.Page(p.cancel))
	mux.Handle("POST /sessions/{id}/slots", p.Shell.Page(p.slots))
	mux.Handle("POST /sessions/{id}/move", p.Shell.Page(p.move))
}

// sitting is a session with its bar.
type sitting struct {
	*schedulingv1.Session
	Department string
	Bar        []part
}

// Open tells that the session takes place.
func (s sitting) Open() bool { return s.GetState() == schedulingv1.SessionState_OPEN }

// part is a stretch of the bar: its state, how many slots, and its width in per cent.
type part struct {
	Name  string
	N     int32
	X, At int32
}

// barOf cuts the bar. Reserved are those of the free slots that townships come first for.
func barOf(s *schedulingv1.Session) []part {
	if s.GetSlots() == 0 {
		return nil
	}
	var out []part
	at := int32(0)
	for _, one := range []part{{Name: "taken", N: s.GetTaken()}, {Name: "blocked", N: s.GetBlocked()}, {Name: "free", N: s.GetFree()}} {
		if one.N == 0 {
			continue
		}
		one.At, one.X = at, one.N*100/s.GetSlots()
		at += one.X
		out = append(out, one)
	}
	return out
}

type day struct {
	Date, Weekday string
	Today         bool
	Sessions      []sitting
}

type weekData struct {
	Place          shell.Workplace
	From           string
	Before, After  string
	Days           []day
	More           bool
	Plans          bool
	Tab            string
	FromForm       shell.Form
	Free, Sessions int32
}

// Tabs are those of planning.
func (weekData) Tabs() []shell.Named {
	return []shell.Named{
		{ID: "sessions", Name: "/sessions"},
		{ID: "templates", Name: "/schedules"},
		{ID: "exceptions", Name: "/schedules/exceptions"},
		{ID: "equipment", Name: "/schedules/equipment"},
		{ID: "policy", Name: "/schedules/policy"},
		{ID: "files", Name: "/schedules/files"},
	}
}

func (p *Pages) showWeek(w http.ResponseWriter, r *http.Request) error {
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	today := p.Shell.Now()
	from, err := time.ParseInLocation(time.DateOnly, r.URL.Query().Get("from"), p.Shell.Zone())
	if err != nil {
		from = today
	}
	visitor, _ := door.VisitorFrom(r.Context())
	data := weekData{Place: place, From: from.Format(time.DateOnly), Tab: "sessions", Plans: shell.Plans(visitor.Account)}
	data.Before, data.After = from.AddDate(0, 0, -weekDays).Format(time.DateOnly), from.AddDate(0, 0, weekDays).Format(time.DateOnly)
	answer, err := p.Calendar.ListSessions(r.Context(), &schedulingv1.ListSessionsRequest{
		OrganizationId: place.ID, Department: place.Department, From: data.From, To: data.After, PageSize: pageSize,
	})
	if err != nil {
		return err
	}
	data.More = answer.GetNextPageToken() != ""
	for n := range weekDays {
		at := from.AddDate(0, 0, n)
		data.Days = append(data.Days, day{Date: at.Format(time.DateOnly), Weekday: at.Weekday().String(), Today: at.Format(time.DateOnly) == today.Format(time.DateOnly)})
	}
	for _, s := range answer.GetSessions() {
		on := s.GetStart().AsTime().In(p.Shell.Zone()).Format(time.DateOnly)
		if i := slices.IndexFunc(data.Days, func(d day) bool { return d.Date == on }); i >= 0 {
			data.Days[i].Sessions = append(data.Days[i].Sessions, sitting{s, place.DepartmentName(s.GetDepartmentCode()), barOf(s)})
			data.Sessions++
			data.Free += s.GetFree()
		}
	}
	for _, d := range data.Days {
		slices.SortStableFunc(d.Sessions, func(a, b sitting) int {
			return cmp.Or(a.GetStart().AsTime().Compare(b.GetStart().AsTime()), cmp.Compare(a.GetDepartmentCode(), b.GetDepartmentCode()))
		})
	}
	if r.Header.Get("X-Fragment") == "days" {
		return p.Shell.Fragment(w, r, p.week, "days", data)
	}
	return p.Shell.Render(w, r, p.week, shell.Page{Title: "sessions.title", Nav: "sessions", Data: data})
}
