package statistics

import (
	"net/http"
	"slices"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// deskPost is the post of the intake desk on a hospital's roster.
const deskPost = "DESK"

// called are the waits with whom to call about each: who is on duty now at the post whose move it is, then the telephones of the department and of
// the organisation. What the directory does not know, or cannot say at the moment, is left out.
func (p *Pages) called(r *http.Request, waits []lateRow) []waitingRow {
	posts := map[string][]*directoryv1.PostDuty{}
	out := make([]waitingRow, len(waits))
	for i, w := range waits {
		out[i].lateRow = w
		at, department := w.GetWaitingOrganizationId(), w.GetWaitingDepartment()
		if at == "" {
			continue
		}
		if _, asked := posts[at]; !asked {
			on, _ := p.Roster.ListOnDuty(r.Context(), &directoryv1.ListOnDutyRequest{OrganizationId: at}) // without it there are still the telephones
			posts[at] = on.GetPosts()
		}
		post := department
		if w.GetWaitingRole() == commonv1.Role_INTAKE_DESK {
			post = deskPost
		}
		out[i].Lines = append(p.onDuty(r, posts[at], post), p.Shell.Lines(r, at, department)...)
	}
	return out
}

// onDuty are the people on duty at a post with a telephone, the first line first. A health centre has one post for all its departments, without a code.
func (p *Pages) onDuty(r *http.Request, posts []*directoryv1.PostDuty, post string) (out []shell.Line) {
	of := func(code string) int {
		return slices.IndexFunc(posts, func(one *directoryv1.PostDuty) bool { return one.GetDepartmentCode() == code })
	}
	at := of(post)
	if at < 0 {
		at = of("")
	}
	if at < 0 {
		return nil
	}
	duties := slices.Clone(posts[at].GetDuties())
	slices.SortStableFunc(duties, func(a, b *directoryv1.Duty) int { return int(a.GetLine() - b.GetLine()) })
	for _, d := range duties {
		if d.GetPhone() != "" {
			out = append(out, shell.Line{Whose: p.Shell.T(r, "statistics.call.duty", "name", d.GetAccountName()), Number: d.GetPhone()})
		}
	}
	return out
}
