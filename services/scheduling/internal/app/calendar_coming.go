package app

import (
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/id"
)

// Coming answers what is to come, in all and in parts; the caller is let in by the policy. Of two people of one name those are meant who are known by
// one of the ids, and those of whom no account is named: a number of the staff that is written by hand need not be the account's.
func (p *Planner) Coming(ctx context.Context, q ComingQuery) (all ComingPart, parts []ComingPart, err error) {
	parts, err = p.app.store.Coming(ctx, q)
	if err != nil {
		return ComingPart{}, nil, err
	}
	parts = slices.DeleteFunc(parts, func(one ComingPart) bool {
		return len(q.IDs) > 0 && !slices.Contains(q.IDs, one.PractitionerID) && id.Valid(one.PractitionerID)
	})
	for _, one := range parts {
		all.Sessions += one.Sessions
		all.Taken += one.Taken
	}
	return all, parts, nil
}
