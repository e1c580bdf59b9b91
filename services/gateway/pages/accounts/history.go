package accounts

import (
	"net/http"
	"strings"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// difference is what a change did to one field, in words; From or To is empty where there was nothing, or nothing is left.
type difference struct{ Field, From, To string }

// change is one line of the history.
type change struct {
	*directoryv1.AccountChange
	// By is who did it, "" if that is not known.
	By          string
	Differences []difference
}

// changesOf are the changes, the newest first, each with what it did to the one before.
func (p *Pages) changesOf(r *http.Request, county *shell.County, list []*directoryv1.AccountChange) []change {
	out := make([]change, len(list))
	for i, c := range list {
		out[i] = change{AccountChange: c, By: c.GetActor().GetName()}
		if strings.HasPrefix(c.GetActor().GetAccountId(), "service:") {
			out[i].By = p.Shell.T(r, "accounts.by-machine")
		}
		if i+1 == len(list) {
			continue
		}
		before, now := p.worded(r, county, list[i+1].GetAccount()), p.worded(r, county, c.GetAccount())
		for f, name := range []string{"name", "place", "roles", "phone", "email"} {
			if before[f] != now[f] {
				out[i].Differences = append(out[i].Differences, difference{name, before[f], now[f]})
			}
		}
	}
	return out
}

// worded is what an account says, in the order of the form.
func (p *Pages) worded(r *http.Request, county *shell.County, a *directoryv1.Account) [5]string {
	where := p.rowOf(r, county, &directoryv1.AccountDetail{Account: a})
	place := where.Organization
	if where.Department != "" {
		place += " · " + where.Department
	}
	held := make([]string, len(a.GetRoles()))
	for i, role := range a.GetRoles() {
		held[i] = p.Shell.T(r, "role."+role.String())
	}
	return [5]string{a.GetName(), place, strings.Join(held, p.Shell.T(r, "accounts.between")), a.GetPhone(), a.GetEmail()}
}
