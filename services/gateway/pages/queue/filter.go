// Package queue holds what whoever receives works through: the part of the queue and the filter that stay, what is listed by them, who
// is next, and the place that an answer with one click books.
//
// The filter stands in the address, and in a cookie without anything about a patient, so that it is there again for who comes back.
// Owns no page. Safe for concurrent use.
package queue

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// Filter is which part of the queue is looked at; what is "" is not asked for.
type Filter struct {
	Tab string
	// Direction is UP or DOWN, Urgency EMERGENCY, URGENT or ROUTINE.
	Direction, Urgency string
	// Department is a code of the own organisation, Sender the id of an organisation.
	Department, Sender string
	// Late: only what has passed its limit.
	Late bool
}

const (
	cookieName = "queue"
	// kept is how long a browser keeps a filter, in seconds: 30 days.
	kept = 30 * 24 * 3600
	// longest value of a filter that is listened to: an id.
	longest = 36
)

// FilterOf is the filter of the address, else the one that the visitor used last.
func FilterOf(r *http.Request) Filter {
	query := r.URL.Query()
	if !slices.ContainsFunc(strings.Fields("tab direction urgency department sender late"), query.Has) {
		query = remembered(r)
	}
	value := func(name string) string {
		if v := query.Get(name); len(v) <= longest {
			return v
		}
		return ""
	}
	f := Filter{Tab: value("tab"), Direction: value("direction"), Urgency: value("urgency"), Department: value("department"), Sender: value("sender"), Late: value("late") != ""}
	if commonv1.Direction_Code_value[f.Direction] == 0 {
		f.Direction = ""
	}
	if commonv1.Urgency_Code_value[f.Urgency] == 0 {
		f.Urgency = ""
	}
	return f
}

// remembered is what the cookie holds of this account: a PC at a desk has several users.
func remembered(r *http.Request) url.Values {
	visitor, _ := door.VisitorFrom(r.Context())
	c, err := r.Cookie(cookieName)
	if err != nil {
		return url.Values{}
	}
	account, text, _ := strings.Cut(c.Value, "|")
	query, err := url.ParseQuery(text)
	if err != nil || account != visitor.Account.GetId() {
		return url.Values{}
	}
	return query
}

// Remember keeps the filter in the browser.
func (f Filter) Remember(w http.ResponseWriter, r *http.Request) {
	visitor, _ := door.VisitorFrom(r.Context())
	door.Keep(w, cookieName, visitor.Account.GetId()+"|"+f.query().Encode(), kept)
}

func (f Filter) query() url.Values {
	out := url.Values{"tab": {f.Tab}}
	for name, value := range map[string]string{"direction": f.Direction, "urgency": f.Urgency, "department": f.Department, "sender": f.Sender} {
		if value != "" {
			out.Set(name, value)
		}
	}
	if f.Late {
		out.Set("late", "1")
	}
	return out
}

// Path is the address of the list.
func (f Filter) Path() string { return "/desk?" + f.query().Encode() }

// At is the address of another part under the same filter.
func (f Filter) At(tab string) string {
	f.Tab = tab
	return f.Path()
}

// LateAt is the address with what is late alone, or without that.
func (f Filter) LateAt(late bool) string {
	f.Late = late
	return f.Path()
}

// More is the address of a further page.
func (f Filter) More(token string) string { return f.Path() + "&page=" + url.QueryEscape(token) }

// Narrowed tells that not all is shown.
func (f Filter) Narrowed() bool {
	return f.Direction != "" || f.Urgency != "" || f.Department != "" || f.Sender != "" || f.Late
}

// Tab is a part of the queue, by states.
type Tab struct {
	Name   string
	Active bool
	Order  string
	Clock  string
	// Count is how many are in it; Counted tells that it is known. What is over is not counted.
	Count   int32
	Counted bool
	// Late is how many of them have passed their limit, whether or not those alone are shown.
	Late   int32
	states []referralv1.State_Code
}

// waiting is the part that waits for an answer.
const waiting = "waiting"

// Tabs are those of a county's queue, or of a township's, where those who came down are followed up. An unknown one is the first.
func Tabs(active string, township bool) (all []Tab, chosen Tab) {
	all = []Tab{
		{Name: waiting, Order: "due", Clock: "due", states: []referralv1.State_Code{referralv1.State_SUBMITTED}},
		{Name: "returned", Order: "due", Clock: "due", states: []referralv1.State_Code{referralv1.State_RETURNED}},
		{Name: "expected", Order: "due", Clock: "expected", states: []referralv1.State_Code{referralv1.State_ACCEPTED, referralv1.State_NO_SHOW}},
		{Name: "inside", Order: "due", Clock: "due", states: []referralv1.State_Code{referralv1.State_ARRIVED, referralv1.State_ADMITTED}},
		{Name: "followed", Order: "due", Clock: "due", states: []referralv1.State_Code{referralv1.State_FOLLOW_UP}},
		{Name: "ended", Order: "newest", Clock: "due", states: []referralv1.State_Code{
			referralv1.State_CONCLUDED, referralv1.State_CLOSED, referralv1.State_DECLINED, referralv1.State_CANCELLED,
		}},
	}
	if !township {
		all = slices.DeleteFunc(all, func(t Tab) bool { return t.Name == "followed" })
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

// Township tells that the page speaks in the words of a centre: to those who work at one alone.
func Township(r *http.Request) bool {
	visitor, _ := door.VisitorFrom(r.Context())
	return shell.IsTownship(visitor.Account) && !shell.IsCounty(visitor.Account)
}
