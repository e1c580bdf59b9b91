package queue

import (
	"embed"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

//go:embed queue.html
var files embed.FS

// With is the files of a page and "queue.html", which defines "queue-bar", "queue-list", "answered" and "suggest".
func With(own fs.FS) fs.FS { return shell.Over(own, files) }

const (
	// pageSize is how many referrals a list shows at once: a queue longer than that is worked from the top.
	pageSize = 100
	// suggested is how many rows of the queue have an answer with one click: each asks what is free for it.
	suggested = 20
)

// Queue reads it; all fields are required.
type Queue struct {
	Shell      *shell.Shell
	Referral   referralv1.ReferralServiceClient
	Scheduling schedulingv1.SchedulingServiceClient
	Allocation schedulingv1.AllocationServiceClient
}

// Row is a referral in the queue.
type Row struct {
	shell.Row
	// Suggestion is nil where one click does not answer. Short ends the text key that says why, where there are too few places for all who wait.
	Suggestion *Suggestion
	Short      string
	RequestID  string
	// Current: the one that is open.
	Current bool
}

// List is a page of the queue.
type List struct {
	Filter Filter
	Tabs   []Tab
	Tab    Tab
	Rows   []Row
	// Next is the token of a further page.
	Next string
	// At is the id of the referral that is open, "" for none.
	At string
}

// Path is where the list beside an open referral is fetched again.
func (l List) Path() string { return l.Filter.Path() + "&at=" + l.At }

// Read is a page of the queue.
func (q *Queue) Read(r *http.Request, f Filter, page string) (List, error) {
	all, chosen := Tabs(f.Tab, Township(r))
	f.Tab = chosen.Name
	answer, err := q.Referral.ListReferrals(r.Context(), &referralv1.ListReferralsRequest{
		View: "inbox", State: chosen.states, Order: chosen.Order, PageSize: pageSize, PageToken: page, Count: true,
		Direction: commonv1.Direction_Code(commonv1.Direction_Code_value[f.Direction]), Urgency: commonv1.Urgency_Code(commonv1.Urgency_Code_value[f.Urgency]),
		ReceiverDepartment: f.Department, OriginatorOrganizationId: f.Sender, Late: f.Late,
	})
	if err != nil {
		return List{}, err
	}
	for i := range all {
		all[i].Counted = all[i].Name != "ended"
		for _, c := range answer.GetCounts() {
			if slices.Contains(all[i].states, c.GetState()) {
				all[i].Count += c.GetCount()
				all[i].Late += c.GetLate()
			}
		}
		if all[i].Active {
			chosen = all[i]
		}
	}
	out := List{Filter: f, Tabs: all, Tab: chosen, Next: answer.GetNextPageToken(), At: r.URL.Query().Get("at")}
	for _, row := range q.Shell.Rows(r, answer.GetReferrals()) {
		out.Rows = append(out.Rows, Row{Row: row, RequestID: id.New(), Current: row.GetId() == out.At})
	}
	return out, nil
}

// Suggest adds to the first rows what one click would book, where the visitor may accept: no two the same bed or slot.
func (q *Queue) Suggest(r *http.Request, rows []Row) { q.suggest(r, rows[:min(len(rows), suggested)]) }

// SuggestFor is what one click books for a referral that is open, and why there is nothing, as its row of the queue says; where it has none, after all
// that have.
func (q *Queue) SuggestFor(r *http.Request, referral *referralv1.Referral, own Capacity) (*Suggestion, string) {
	f := FilterOf(r)
	f.Tab = waiting
	all := own.choices()
	if referral.GetState() != referralv1.State_SUBMITTED || own.Bed != "" || len(all) > 0 && all[0].place == "" {
		return own.Suggestion(), ""
	}
	list, err := q.Read(r, f, "")
	if err != nil {
		return own.Suggestion(), ""
	}
	rows := list.Rows[:min(len(list.Rows), suggested)]
	at := slices.IndexFunc(rows, func(one Row) bool { return one.GetId() == referral.GetId() })
	if at < 0 {
		at, rows = len(rows), append(slices.Clone(rows), Row{Row: shell.Row{Referral: referral}})
	}
	q.suggest(r, rows)
	return rows[at].Suggestion, rows[at].Short
}

func (q *Queue) suggest(r *http.Request, rows []Row) {
	may := map[string]bool{}
	found := make([]*Capacity, len(rows))
	var all sync.WaitGroup
	for i := range rows {
		row := &rows[i]
		if row.GetState() != referralv1.State_SUBMITTED {
			continue
		}
		// What can be done depends on who asks, on direction, kind and state: one of each stands for all.
		like := strings.Join([]string{row.GetDirection().String(), row.GetKind().String()}, " ")
		if _, asked := may[like]; !asked {
			list, err := q.Referral.ListActions(r.Context(), &referralv1.ListActionsRequest{Id: row.GetId()})
			may[like] = err == nil && slices.ContainsFunc(list.GetActions(), func(a *referralv1.Action) bool { return a.GetName() == "accept" })
		}
		if may[like] {
			all.Go(func() {
				c := q.Capacity(r, row.Referral, int32(i+1)) // those before it may be given as many
				found[i] = &c
			})
		}
	}
	all.Wait()
	share(rows, found)
}

// Bar is where a referral stands in the queue that is worked through.
type Bar struct {
	List
	// Place is its number from one, 0 when it is not in the queue any more.
	Place int
	// Before and After are its neighbours, "" for none.
	Before, After string
	Answered      *Answered
}

// More tells that the queue is longer than what was counted.
func (b Bar) More() bool { return b.Next != "" }

// Bar reads the queue around a referral.
func (q *Queue) Bar(r *http.Request, referralID string) (Bar, error) {
	list, err := q.Read(r, FilterOf(r), "")
	if err != nil {
		return Bar{}, err
	}
	list.At = referralID
	b := Bar{List: list}
	for i := range b.Rows {
		b.Rows[i].Current = b.Rows[i].GetId() == referralID
		if b.Rows[i].Current {
			b.Place = i + 1
			if i > 0 {
				b.Before = b.Rows[i-1].GetId()
			}
			if next := b.Rows[(i+1)%len(b.Rows)].GetId(); next != referralID {
				b.After = next // who leafs through sees everybody, also past an emergency
			}
		}
	}
	if b.Place == 0 {
		b.After = following(list.Rows, referralID)
	}
	return b, nil
}

// following is who comes after a referral: an emergency before all others, else the next in the order and from the last on the first; ""
// when no other waits.
func following(rows []Row, referralID string) string {
	at := slices.IndexFunc(rows, func(one Row) bool { return one.GetId() == referralID })
	if len(rows) == 0 || len(rows) == 1 && at == 0 {
		return ""
	}
	if first := rows[0]; at != 0 && first.GetUrgency() == commonv1.Urgency_EMERGENCY && (at < 0 || rows[at].GetUrgency() != commonv1.Urgency_EMERGENCY) {
		return first.GetId()
	}
	return rows[(at+1)%len(rows)].GetId()
}

// FromList is what a form of the list says for "queue": its answer stays there. One of an open referral says "1" and leads to the next.
const FromList = "list"

// After is the address to go on to when a referral has been answered, and who is next there: from the list the list, else the next one that waits, and
// the list when nobody does. It is asked for before the answer, while the referral still has its place.
func (q *Queue) After(r *http.Request, referralID, from string) (address, next string) {
	f := FilterOf(r)
	f.Tab = waiting
	list, err := q.Read(r, f, "")
	if err != nil {
		return f.Path(), ""
	}
	next = following(list.Rows, referralID)
	if next == "" || from == FromList {
		return f.Path(), next
	}
	return "/referrals/" + next + "?queue=1", ""
}
