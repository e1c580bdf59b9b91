package app

import (
	"context"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// What was done to a roster; the words are stored.
const (
	RosterBefore   = "BEFORE" // as it was before versions were kept: by nobody known
	RosterSet      = "SET"
	RosterReplace  = "REPLACE" // one person by another
	RosterHandOver = "HAND_OVER"
	RosterTakeBack = "TAKE_BACK"
)

// RosterAction is what was done to a roster, and to which hand-over.
type RosterAction struct {
	Code     string
	HandOver domain.HandOver // zero for a week that was set
}

// RosterVersion is a roster as somebody made it.
type RosterVersion struct {
	Version                int32
	Action                 RosterAction
	AccountID, AccountName string
	Time                   time.Time
	Shifts                 []domain.Shift
}

// versionsShown is the most that a list of versions holds.
const versionsShown = 100

// RosterHistory of a post, the newest first, with the names of those in it, for whom [App.GetRoster] answers. Another organisation's is errs.NotFound.
func (a *App) RosterHistory(ctx context.Context, caller authn.Identity, p domain.Post) ([]RosterVersion, map[string]string, error) {
	var err error
	if p.County, err = rosterCounty(caller, ""); err != nil {
		return nil, nil, err
	}
	if !seesRosters(caller, p.OrganizationID) {
		return nil, nil, errs.NotFound("roster")
	}
	versions, err := a.deps.Store.RosterVersions(ctx, p, versionsShown)
	if err != nil {
		return nil, nil, err
	}
	people, err := a.people(ctx, p.County, p.OrganizationID)
	if err != nil {
		return nil, nil, err
	}
	names := map[string]string{}
	for _, v := range versions {
		for _, s := range v.Shifts {
			names[s.AccountID] = people[s.AccountID].Name
		}
		for _, id := range []string{v.Action.HandOver.From, v.Action.HandOver.To} {
			if id != "" {
				names[id] = people[id].Name
			}
		}
	}
	return versions, names, nil
}

// handOver is the one of the id, or the zero one.
func handOver(r domain.Roster, id string) domain.HandOver {
	overs := r.HandOvers()
	if i := slices.IndexFunc(overs, func(h domain.HandOver) bool { return h.ID == id }); i >= 0 {
		return overs[i]
	}
	return domain.HandOver{}
}
