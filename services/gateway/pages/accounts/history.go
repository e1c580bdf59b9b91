package accounts

import (
	"net/http"
	"strings"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// change is one line of the history.
type change struct {
	*directoryv1.AccountChange
	// By is who did it, "" if that is not known.
	By string
	// Differences are what it did, by field.
	Differences []shell.Difference
}

// changesOf are the changes, the newest first, each with what it did to the one before.
func (p *Pages) changesOf(r *http.Request, county *shell.County, list []*directoryv1.AccountChange) []change {
	out := make([]change, len(list))
	for i, c := range list {
		out[i] = change{AccountChange: c, By: c.GetActor().GetName()}
		if strings.HasPrefix(c.GetActor().GetAccountId(), "service:") {
			out[i].By = p.Shell.T(r, "accounts.by-machine")
		}
		if i+1 < len(list) {
			out[i].Differences = shell.Differences(p.worded(r, county, list[i+1].GetAccount()), p.worded(r, county, c.GetAccount()))
		}
	}
	return out
}

// worded is what an account says, by field.
func (p *Pages) worded(r *http.Request, county *shell.County, a *directoryv1.Account) map[string]string {
	where := p.rowOf(r, county, &directoryv1.AccountDetail{Account: a})
	place := where.Organization
	if where.Department != "" {
		place += " · " + where.Department
	}
	held := make([]string, len(a.GetRoles()))
	for i, role := range a.GetRoles() {
		held[i] = p.Shell.T(r, "role."+role.String())
	}
	return map[string]string{
		"name": a.GetName(), "place": place, "roles": strings.Join(held, p.Shell.T(r, "accounts.between")), "phone": a.GetPhone(), "email": a.GetEmail(),
	}
}
