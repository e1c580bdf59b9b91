package rosters

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// versionRow is a version with what it changed.
type versionRow struct {
	*directoryv1.RosterVersion
	Changes []shell.Difference
	// Restores: its week is another than the one that stands.
	Restores bool
}

type historyData struct {
	Organization, Code, Name string
	Rows                     []versionRow
	Names                    map[string]string
	Plans                    bool
	Version                  int32
	RequestID                string
	// Would is the week that is to be set again, once it was asked for.
	Would *shell.Restoring
}

func (p *Pages) showHistory(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	at := place{q.Get("organization"), q.Get("department")}
	found, err := p.Roster.ListRosterVersions(r.Context(), &directoryv1.ListRosterVersionsRequest{OrganizationId: at.organization, DepartmentCode: at.code})
	if err != nil {
		return err
	}
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return err
	}
	visitor, _ := door.VisitorFrom(r.Context())
	data := historyData{
		Organization: at.organization, Code: at.code, Name: county.OrganizationName(p.Shell.Language(r), at.organization) + " · " + p.postName(r, county, at.organization, at.code),
		Names: found.GetNames(), Plans: !closed(county, at) && plans(visitor.Account, at.organization, at.code), RequestID: id.New(),
	}
	versions := found.GetVersions()
	for i, v := range versions {
		data.Version = max(data.Version, v.GetVersion())
		row := versionRow{RosterVersion: v, Restores: !slices.EqualFunc(v.GetShifts(), versions[0].GetShifts(), sameShift)}
		var before map[string]string
		if i+1 < len(versions) {
			before = p.week(r, found.GetNames(), versions[i+1].GetShifts())
		}
		row.Changes = shell.Differences(before, p.week(r, found.GetNames(), v.GetShifts()))
		p.inWeek(r, row.Changes)
		data.Rows = append(data.Rows, row)
	}
	data.Would = p.would(r, at, versions, &data)
	return p.Shell.Render(w, r, p.versions, shell.Page{Title: "rosters.history", Nav: "rosters", Data: data})
}

// would is what setting the week again would change that the address asks for; nil for none.
func (p *Pages) would(r *http.Request, at place, versions []*directoryv1.RosterVersion, data *historyData) *shell.Restoring {
	wanted := number(r.URL.Query().Get("restore"))
	i := slices.IndexFunc(versions, func(v *directoryv1.RosterVersion) bool { return v.GetVersion() == wanted })
	if i < 1 || !data.Plans {
		return nil
	}
	out := &shell.Restoring{
		Restore: wanted, Version: data.Version, Action: "/rosters/history", Back: historyURL(at), RequestID: data.RequestID,
		Hidden:  map[string]string{"organization": at.organization, "department": at.code},
		Changes: shell.Differences(p.week(r, data.Names, versions[0].GetShifts()), p.week(r, data.Names, versions[i].GetShifts())),
	}
	p.inWeek(r, out.Changes)
	return out
}

func historyURL(at place) string {
	return "/rosters/history?" + url.Values{"organization": {at.organization}, "department": {at.code}}.Encode()
}

func sameShift(a, b *directoryv1.Shift) bool {
	return a.GetWeekday() == b.GetWeekday() && a.GetFrom() == b.GetFrom() && a.GetTo() == b.GetTo() && a.GetAccountId() == b.GetAccountId() && a.GetLine() == b.GetLine() &&
		a.GetFirstDay() == b.GetFirstDay() && a.GetLastDay() == b.GetLastDay()
}

// week is who has which duty, in words: a line for each time.
func (p *Pages) week(r *http.Request, names map[string]string, shifts []*directoryv1.Shift) map[string]string {
	out := map[string]string{}
	for _, s := range shifts {
		key := strings.Join([]string{p.Shell.T(r, "schedules.weekday."+strconv.Itoa(int(s.GetWeekday()))), s.GetFrom() + "–" + s.GetTo(), p.Shell.T(r, "rosters.line."+strconv.Itoa(int(s.GetLine())))}, " ")
		name := cmp.Or(names[s.GetAccountId()], p.Shell.T(r, "rosters.gone")) + p.days(r, s.GetFirstDay(), s.GetLastDay())
		if out[key] != "" {
			name = out[key] + "、" + name
		}
		out[key] = name
	}
	return out
}

// days words from when until when a shift holds; nothing for always.
func (p *Pages) days(r *http.Request, first, last string) (out string) {
	if first != "" {
		out += " " + p.Shell.T(r, "rosters.first-day", "day", first)
	}
	if last != "" {
		out += " " + p.Shell.T(r, "rosters.last-day", "day", last)
	}
	return out
}

// inWeek puts changes in the order of the week.
func (p *Pages) inWeek(r *http.Request, changes []shell.Difference) {
	day := func(d shell.Difference) int {
		return slices.IndexFunc(weekdays(), func(weekday string) bool {
			n := slices.Index(weekdays(), weekday) + 1
			return strings.HasPrefix(d.Name, p.Shell.T(r, "schedules.weekday."+strconv.Itoa(n))+" ")
		})
	}
	slices.SortStableFunc(changes, func(a, b shell.Difference) int { return cmp.Compare(day(a), day(b)) })
}

// restore sets an older week again. What cannot be set so, because somebody in it has left, stands in the form of the week, to be mended there.
func (p *Pages) restore(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	f := r.PostForm
	at := place{f.Get("organization"), f.Get("department")}
	found, err := p.Roster.ListRosterVersions(r.Context(), &directoryv1.ListRosterVersionsRequest{OrganizationId: at.organization, DepartmentCode: at.code})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(found.GetVersions(), func(v *directoryv1.RosterVersion) bool { return v.GetVersion() == number(f.Get("restore")) })
	if i < 0 {
		return errs.NotFound("version")
	}
	shifts := found.GetVersions()[i].GetShifts()
	_, err = p.Roster.SetRoster(r.Context(), &directoryv1.SetRosterRequest{
		OrganizationId: at.organization, DepartmentCode: at.code, Version: number(f.Get("version")), Shifts: shifts, RequestId: f.Get("requestId"),
	})
	if err != nil {
		r.PostForm = weekForm(at, shifts)
		return p.Shell.Again(w, r, left(err), func(again shell.Refused) error { return p.draw(w, r, at, &again) })
	}
	p.Shell.Flash(w, "settings.restored")
	http.Redirect(w, r, postURL(at.organization, at.code), http.StatusSeeOther)
	return nil
}

// weekForm is the form of a week as if it was typed.
func weekForm(at place, shifts []*directoryv1.Shift) url.Values {
	f := url.Values{"organization": {at.organization}, "department": {at.code}}
	for _, s := range shifts {
		for name, value := range map[string]string{
			"weekday": strconv.Itoa(int(s.GetWeekday())), "from": s.GetFrom(), "to": s.GetTo(), "account": s.GetAccountId(), "line": strconv.Itoa(int(s.GetLine())),
			"firstDay": s.GetFirstDay(), "lastDay": s.GetLastDay(),
		} {
			f.Add(name, value)
		}
	}
	return f
}
