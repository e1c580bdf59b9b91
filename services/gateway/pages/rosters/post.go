package rosters

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/gateway/text"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// spare are the empty lines of the form of a week.
const spare = 4

// line is a shift of the form, as it stands or was typed.
type line struct {
	Weekday, From, To, Account, Line string
	// First and Last are the days of a shift that does not hold for ever, Days says so in words.
	First, Last, Days string
	// Left tells that it is nobody's, because whose it is has left.
	Left bool
}

// gap is a span of the coming week in which nobody is on duty.
type gap struct{ Start, End *timestamppb.Timestamp }

type postData struct {
	Organization, Code, Name string
	Roster                   *directoryv1.Roster
	// Version is what the form of the week stands on, Was what it says at first, Changed what somebody else made of it meanwhile.
	Version      int32
	Was, Changed string
	Lines        []line
	Gaps         []gap
	// Doubles are spans in which one person is on two lines: a hand-over can bring that about.
	Doubles []double
	// People may have duties; Names has those who left too.
	People []*directoryv1.Account
	Names  map[string]string
	// TakeBacks are the requests of taking back each hand-over.
	TakeBacks map[string]string
	// Away: the people of the organisation cannot be read.
	Away bool
	// Plans: the visitor may change the week; Gives: hand duty over. Closed: nobody may, the post is.
	Plans, Gives, Closed bool
	Self                 string
	Form                 shell.Form
	Problem              string
	RequestID            string
	// Handing is set when the form of the hand-over was refused, and not that of the week; Replacing when it was that of the replacement.
	Handing, Replacing bool
	Replace            replacing
	// Gone are the names of those in the week who have left.
	Gone     []string
	Weekdays []string
	Levels   []string
}

func weekdays() []string {
	return []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
}

func (p *Pages) showOne(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	return p.draw(w, r, place{q.Get("organization"), q.Get("department")}, nil)
}

// place is a post.
type place struct{ organization, code string }

// draw shows a post; refused is one of its forms that was refused.
func (p *Pages) draw(w http.ResponseWriter, r *http.Request, at place, refused *shell.Refused) error {
	return p.drawWith(w, r, at, refused, nil)
}

// drawWith shows a post with what a replacement would make of it.
func (p *Pages) drawWith(w http.ResponseWriter, r *http.Request, at place, refused *shell.Refused, would *directoryv1.Roster) error {
	visitor, _ := door.VisitorFrom(r.Context())
	roster, err := p.Roster.GetRoster(r.Context(), &directoryv1.GetRosterRequest{OrganizationId: at.organization, DepartmentCode: at.code})
	if err != nil {
		return err
	}
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return err
	}
	a := visitor.Account
	// The week of a closed department stands until somebody empties it.
	shut := closed(county, at) && (county.Organization(at.organization).GetDisabled() || len(roster.GetShifts()) == 0)
	people, read := p.colleagues(r, at.organization)
	data := postData{
		Organization: at.organization, Code: at.code, Name: county.OrganizationName(p.Shell.Language(r), at.organization) + " · " + p.postName(r, county, at.organization, at.code),
		Roster: roster, Gaps: p.gaps(roster.GetDuties()), Doubles: doubles(roster.GetDuties()), Away: !read,
		// Without the people a form would lose who is planned.
		Plans: read && !shut && plans(a, at.organization, at.code), Closed: shut, Self: a.GetId(),
		Names: map[string]string{}, TakeBacks: map[string]string{}, RequestID: id.New(), Weekdays: weekdays(), Levels: []string{"0", "1", "2"},
	}
	data.name(people)
	data.Gives = !shut && (read && data.Gives || data.Plans && len(roster.GetShifts()) > 0)
	for _, s := range roster.GetShifts() {
		data.Lines = append(data.Lines, line{
			Weekday: strconv.Itoa(int(s.GetWeekday())), From: s.GetFrom(), To: s.GetTo(), Account: s.GetAccountId(), Line: strconv.Itoa(int(s.GetLine())),
			First: s.GetFirstDay(), Last: s.GetLastDay(),
		})
	}
	data.Version, data.Was = roster.GetVersion(), asText(data.Lines)
	p.offer(r, &data, people)
	status := http.StatusOK
	if refused != nil {
		status = refused.Status
		p.sent(r, &data, refused, would)
	}
	if data.Gives && !data.Handing {
		data.Form.Values = p.likely(data, data.Form.Values)
	}
	p.word(r, &data)
	return p.Shell.Render(w, r, p.one, shell.Page{Title: "rosters.post", Nav: "rosters", Status: status, Data: data})
}

// name takes the names of the people, and who hands what over.
func (d *postData) name(people []*directoryv1.Account) {
	for _, one := range people {
		d.Names[one.GetId()] = one.GetName()
		if !one.GetDisabled() {
			d.People = append(d.People, one)
		}
	}
	for _, h := range d.Roster.GetHandOvers() {
		d.TakeBacks[h.GetId()] = id.FromFact("take back", h.GetId())
	}
	for _, on := range d.Roster.GetDuties() {
		d.Names[on.GetAccountId()] = on.GetAccountName()
		d.Gives = d.Gives || on.GetAccountId() == d.Self
	}
}

// sent takes one of the forms as it was sent.
func (p *Pages) sent(r *http.Request, data *postData, refused *shell.Refused, would *directoryv1.Roster) {
	data.Form, data.Problem, data.RequestID = refused.Form, refused.Problem, refused.RequestID
	data.Handing, data.Replacing = refused.Form.Values.Has("toAccountId"), refused.Form.Values.Has("successorId")
	switch {
	case data.Replacing:
		p.replaced(r, data, refused, would)
		data.Form, data.Problem = shell.Form{}, ""
	case !data.Handing:
		data.Version = refused.Version(data.Version)
		p.typed(r, data, refused)
	}
}

// word says of each line of the week from when until when it holds and whether it is nobody's, and adds empty lines.
func (p *Pages) word(r *http.Request, data *postData) {
	for i, l := range data.Lines {
		data.Lines[i].Days = p.days(r, l.First, l.Last)
		data.Lines[i].Left = l.Account != "" && !data.Away && !slices.ContainsFunc(data.People, func(a *directoryv1.Account) bool { return a.GetId() == l.Account })
	}
	for range spare {
		data.Lines = append(data.Lines, line{})
	}
}

// likely fills the form of a hand-over with what is mostly meant: the duty that runs now, the visitor's own before others', from now until its end,
// to whoever comes next. What else was sent with the form stays.
func (p *Pages) likely(data postData, sent url.Values) url.Values {
	now := p.Shell.Now()
	duties := slices.SortedStableFunc(slices.Values(data.Roster.GetDuties()), func(a, b *directoryv1.Duty) int {
		return cmp.Or(a.GetStart().AsTime().Compare(b.GetStart().AsTime()), cmp.Compare(a.GetLine(), b.GetLine()))
	})
	runs := func(d *directoryv1.Duty) bool {
		return !d.GetStart().AsTime().After(now) && d.GetEnd().AsTime().After(now)
	}
	own := func(d *directoryv1.Duty) bool { return d.GetAccountId() == data.Self && d.GetEnd().AsTime().After(now) }
	i := slices.IndexFunc(duties, own)
	if i < 0 && data.Plans {
		i = slices.IndexFunc(duties, runs)
	}
	if i < 0 {
		return sent
	}
	given := duties[i]
	out := url.Values{}
	maps.Copy(out, sent)
	start := given.GetStart().AsTime()
	if start.Before(now) {
		start = now
	}
	const field = "2006-01-02T15:04"
	out.Set("start", start.In(p.Shell.Zone()).Format(field))
	out.Set("end", given.GetEnd().AsTime().In(p.Shell.Zone()).Format(field))
	if given.GetAccountId() != data.Self {
		out.Set("fromAccountId", given.GetAccountId())
	}
	next := func(d *directoryv1.Duty) bool {
		return d.GetAccountId() != given.GetAccountId() && !d.GetStart().AsTime().Before(given.GetEnd().AsTime())
	}
	if i := slices.IndexFunc(duties, next); i >= 0 {
		out.Set("toAccountId", duties[i].GetAccountId())
	}
	return out
}

// typed puts the week as it was typed in the place of the one that stands, unless only somebody else changed it; a change is told in words.
func (p *Pages) typed(r *http.Request, data *postData, refused *shell.Refused) {
	typed, was := linesOf(refused.Form.Values), refused.Form.Original("shifts")
	if errs.KindOf(refused.Cause) != errs.KindStale {
		data.Lines, data.Was = typed, was
		return
	}
	if was != data.Was {
		var words []string
		for _, l := range data.Lines {
			day := min(max(number(l.Weekday), 1), 7)
			words = append(words, strings.Join([]string{p.Shell.T(r, "weekday."+weekdays()[day-1]), l.From + "–" + l.To, data.Names[l.Account]}, " "))
		}
		data.Changed = strings.Join(words, "；")
	}
	if asText(typed) != was {
		data.Lines = typed
	}
}

// asText is a week as one text, to be held against another.
func asText(lines []line) string {
	var out []string
	for _, l := range lines {
		out = append(out, strings.TrimSpace(strings.Join([]string{l.Weekday, l.From, l.To, l.Account, l.Line, l.First, l.Last}, " ")))
	}
	return strings.Join(out, "；")
}

// gaps of the coming seven days.
func (p *Pages) gaps(duties []*directoryv1.Duty) (out []gap) {
	free := p.Shell.Now()
	end := free.AddDate(0, 0, 7)
	sorted := slices.SortedFunc(slices.Values(duties), func(a, b *directoryv1.Duty) int { return a.GetStart().AsTime().Compare(b.GetStart().AsTime()) })
	for _, d := range sorted {
		if start := d.GetStart().AsTime(); start.After(free) {
			out = append(out, gap{timestamppb.New(free), d.GetStart()})
		}
		if until := d.GetEnd().AsTime(); until.After(free) {
			free = until
		}
	}
	if free.Before(end) {
		out = append(out, gap{timestamppb.New(free), timestamppb.New(end)})
	}
	return out
}

// double is a span in which somebody is on two lines.
type double struct {
	gap
	Name string
}

// doubles are the spans in which a person is on two lines at once: then the second line is the first again, and a ring goes on to nobody.
func doubles(duties []*directoryv1.Duty) (out []double) {
	for i, a := range duties {
		for _, b := range duties[:i] {
			start, end := a.GetStart(), a.GetEnd()
			if b.GetStart().AsTime().After(start.AsTime()) {
				start = b.GetStart()
			}
			if b.GetEnd().AsTime().Before(end.AsTime()) {
				end = b.GetEnd()
			}
			if a.GetAccountId() == b.GetAccountId() && a.GetLine() != b.GetLine() && start.AsTime().Before(end.AsTime()) {
				out = append(out, double{gap{start, end}, a.GetAccountName()})
			}
		}
	}
	return out
}

// linesOf are the lines of the form in which a person is named.
func linesOf(form url.Values) (out []line) {
	nth := func(name string, i int) string {
		if all := form[name]; i < len(all) {
			return strings.TrimSpace(all[i])
		}
		return ""
	}
	for i := range form["account"] {
		l := line{Weekday: nth("weekday", i), From: nth("from", i), To: nth("to", i), Account: nth("account", i), Line: nth("line", i), First: nth("firstDay", i), Last: nth("lastDay", i)}
		if l.Account != "" {
			out = append(out, l)
		}
	}
	return out
}

func (p *Pages) save(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	f := r.PostForm
	at := place{f.Get("organization"), f.Get("department")}
	in := &directoryv1.SetRosterRequest{
		OrganizationId: at.organization, DepartmentCode: at.code, Version: number(f.Get("version")), RequestId: f.Get("requestId"),
	}
	for _, l := range linesOf(f) {
		// A line for every day.
		days := []int32{number(l.Weekday)}
		if l.Weekday == "8" {
			days = []int32{1, 2, 3, 4, 5, 6, 7}
		}
		for _, day := range days {
			in.Shifts = append(in.Shifts, &directoryv1.Shift{Weekday: day, From: l.From, To: l.To, AccountId: l.Account, Line: number(l.Line), FirstDay: l.First, LastDay: l.Last})
		}
	}
	var err error
	if len(in.GetShifts()) == 0 && f.Get("was.shifts") == "" {
		err = errs.Invalid(errs.Required("shifts")) // a roster is emptied, but not made empty
	} else {
		_, err = p.Roster.SetRoster(r.Context(), in)
	}
	if err != nil {
		return p.Shell.Again(w, r, left(err), func(again shell.Refused) error { return p.draw(w, r, at, &again) })
	}
	p.Shell.Flash(w, "rosters.saved")
	http.Redirect(w, r, postURL(at.organization, at.code), http.StatusSeeOther)
	return nil
}

// left calls a person who can have no duty as the form of the week does.
func left(cause error) error {
	e, ok := errs.As(cause)
	if !ok || e.Kind != errs.KindInvalid {
		return cause
	}
	fields := slices.Clone(e.Fields)
	for i, f := range fields {
		if strings.HasPrefix(f.Name, "shifts[") && strings.HasSuffix(f.Name, ".accountId") {
			fields[i].Meta = map[string]string{text.Label: "rosters.gone"}
			if f.Reason == errs.ReasonFieldCombination {
				fields[i].Meta = map[string]string{"cause": "TWO_LINES"}
			}
		}
	}
	return errs.Invalid(fields...)
}

func (p *Pages) handOver(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	f := r.PostForm
	at := place{f.Get("organization"), f.Get("department")}
	var err error
	switch {
	case f.Get("toAccountId") == "":
		err = errs.Invalid(errs.Required("toAccountId"))
	case p.local(f.Get("end")) == nil:
		err = errs.Invalid(errs.Required("end"))
	default:
		_, err = p.Roster.HandOver(r.Context(), &directoryv1.HandOverRequest{
			OrganizationId: at.organization, DepartmentCode: at.code, FromAccountId: f.Get("fromAccountId"), ToAccountId: f.Get("toAccountId"),
			Start: p.local(f.Get("start")), End: p.local(f.Get("end")), Note: f.Get("note"), RequestId: f.Get("requestId"),
		})
	}
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error { return p.draw(w, r, at, &again) })
	}
	p.Shell.Flash(w, "rosters.handed")
	http.Redirect(w, r, postURL(at.organization, at.code), http.StatusSeeOther)
	return nil
}

func (p *Pages) takeBack(w http.ResponseWriter, r *http.Request) error {
	roster, err := p.Roster.TakeBack(r.Context(), &directoryv1.TakeBackRequest{Id: r.PostFormValue("id"), RequestId: r.PostFormValue("requestId")})
	if err != nil {
		return p.Shell.Again(w, r, err, func(shell.Refused) error { return err })
	}
	p.Shell.Flash(w, "rosters.taken")
	http.Redirect(w, r, postURL(roster.GetOrganizationId(), roster.GetDepartmentCode()), http.StatusSeeOther)
	return nil
}

// local is a moment as a browser's field writes it, in the county's zone; nil for none.
func (p *Pages) local(text string) *timestamppb.Timestamp {
	at, err := time.ParseInLocation("2006-01-02T15:04", text, p.Shell.Zone())
	if err != nil {
		return nil
	}
	return timestamppb.New(at)
}

func number(text string) int32 {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0
	}
	return int32(n)
}
