package rosters

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// replacing is the form that gives all shifts of one person to another one.
type replacing struct {
	Form shell.Form
	// People are those who have shifts, who left first.
	People []shell.Named
	// Changes are what it would do to the week; shown before it is done.
	Changes []shell.Difference
	Sure    bool
	Problem string
}

// replace shows what it would do, and with do=replace does it.
func (p *Pages) replace(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	f := r.PostForm
	at := place{f.Get("organization"), f.Get("department")}
	in := &directoryv1.ReplaceOnRosterRequest{
		OrganizationId: at.organization, DepartmentCode: at.code, Version: number(f.Get("version")), FromAccountId: f.Get("leaverId"), ToAccountId: f.Get("successorId"),
		FromDay: f.Get("fromDay"), Preview: f.Get("do") != "replace", RequestId: f.Get("requestId"),
	}
	var missing []errs.Field
	for _, name := range []string{"leaverId", "successorId"} {
		if f.Get(name) == "" {
			missing = append(missing, errs.Required(name))
		}
	}
	var would *directoryv1.Roster
	var err error
	if len(missing) > 0 {
		err = errs.Invalid(missing...)
	} else {
		would, err = p.Roster.ReplaceOnRoster(r.Context(), in)
	}
	if err != nil {
		return p.Shell.Again(w, r, successor(err), func(again shell.Refused) error { return p.draw(w, r, at, &again) })
	}
	if in.GetPreview() {
		return p.drawWith(w, r, at, &shell.Refused{Form: shell.Form{Values: f}, RequestID: in.GetRequestId(), Status: http.StatusOK}, would)
	}
	p.Shell.Flash(w, "rosters.replaced")
	http.Redirect(w, r, postURL(at.organization, at.code), http.StatusSeeOther)
	return nil
}

// successor gives the fields that directory refuses the names that the form has, and says in words that there is nothing to give.
func successor(cause error) error {
	if errs.ReasonOf(cause) == errs.ReasonActionNotAvailable {
		return errs.Invalid(errs.Bad("leaverId", errs.ReasonFieldUnknown))
	}
	e, ok := errs.As(cause)
	if !ok || e.Kind != errs.KindInvalid {
		return cause
	}
	fields := slices.Clone(e.Fields)
	for i, f := range fields {
		switch f.Name {
		case "toAccountId":
			fields[i].Name = "successorId"
		case "fromAccountId":
			fields[i].Name = "leaverId"
		}
	}
	return errs.Invalid(fields...)
}

// offer fills in the form: who left, or whom the address names, and who may take it: of the same department and not yet on the week before others.
func (p *Pages) offer(r *http.Request, data *postData, people []*directoryv1.Account) {
	gone := func(id string) bool {
		return !slices.ContainsFunc(data.People, func(a *directoryv1.Account) bool { return a.GetId() == id })
	}
	var ids []string
	for _, s := range data.Roster.GetShifts() {
		if id := s.GetAccountId(); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(rank(gone(a)), rank(gone(b))) })
	for _, id := range ids {
		name := cmp.Or(data.Names[id], p.Shell.T(r, "rosters.unknown"))
		if gone(id) {
			name += " · " + p.Shell.T(r, "rosters.gone")
			data.Gone = append(data.Gone, cmp.Or(data.Names[id], p.Shell.T(r, "rosters.unknown")))
		}
		data.Replace.People = append(data.Replace.People, shell.Named{ID: id, Name: name})
	}
	v := url.Values{"fromDay": {p.Shell.Now().Format(time.DateOnly)}}
	leaver := r.URL.Query().Get("leaves")
	if !slices.Contains(ids, leaver) {
		leaver = ""
		if len(data.Gone) > 0 {
			leaver = ids[0]
		}
	}
	v.Set("leaverId", leaver)
	v.Set("successorId", heir(leaver, data.Roster.GetShifts(), people, data.People))
	data.Replace.Form.Values = v
}

// rank puts what holds before what does not.
func rank(holds bool) int {
	if holds {
		return 0
	}
	return 1
}

// heir is who takes it most likely: a colleague of the department who does the same, rather one who has no shift in the week; of those who have, only
// one who is on no other line, because nobody is on two at once. Nobody when there is none.
func heir(leaver string, week []*directoryv1.Shift, all, active []*directoryv1.Account) string {
	i := slices.IndexFunc(all, func(a *directoryv1.Account) bool { return a.GetId() == leaver })
	if i < 0 {
		return ""
	}
	was, best, points := all[i], "", 0
	lines := linesBy(week)
	for _, a := range active {
		shares := slices.ContainsFunc(a.GetRoles(), func(role commonv1.Role_Code) bool { return slices.Contains(was.GetRoles(), role) })
		if a.GetId() == leaver || !shares || a.GetDepartmentCode() != was.GetDepartmentCode() {
			continue
		}
		n := 1 + rank(len(lines[a.GetId()]) > 0)
		if both := slices.Concat(lines[leaver], lines[a.GetId()]); n == 1 && slices.Min(both) != slices.Max(both) {
			continue
		}
		if n > points {
			best, points = a.GetId(), n
		}
	}
	return best
}

// linesBy are the lines on which each person is.
func linesBy(week []*directoryv1.Shift) map[string][]int32 {
	out := map[string][]int32{}
	for _, s := range week {
		out[s.GetAccountId()] = append(out[s.GetAccountId()], s.GetLine())
	}
	return out
}

// replaced takes the form as it was sent, with what it would do, if that is known.
func (p *Pages) replaced(r *http.Request, data *postData, sent *shell.Refused, would *directoryv1.Roster) {
	data.Replace.Form, data.Replace.Problem = sent.Form, sent.Problem
	if would != nil {
		data.Replace.Sure = true
		data.Replace.Changes = shell.Differences(p.week(r, data.Names, data.Roster.GetShifts()), p.week(r, data.Names, would.GetShifts()))
		p.inWeek(r, data.Replace.Changes)
	}
}
