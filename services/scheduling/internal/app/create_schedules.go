package app

import (
	"context"
	"strconv"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// CreateSchedules adds sessions cut into slots, and wards with beds. Ids of slots and beds follow from those of the
// session and ward, so a repeat adds nothing.
func (a *App) CreateSchedules(ctx context.Context, caller Caller, sessions []domain.Session, wards []domain.Ward) (slots, beds int, err error) {
	var c Capacity
	for i, s := range sessions {
		cut, err := a.cut(caller.County, s)
		if err != nil {
			return 0, 0, refuseItem("schedules", i)
		}
		c.Sessions = append(c.Sessions, cut)
	}
	for i, w := range wards {
		furnished, err := w.Furnish(func(n int) string { return id.FromFact("bed", caller.County, w.ID, strconv.Itoa(n)) })
		if err != nil {
			return 0, 0, refuseItem("wards", i)
		}
		c.Wards = append(c.Wards, Furnished{Ward: w, Beds: furnished})
	}
	return a.store.AddCapacity(ctx, Command{Caller: caller}, c)
}

func refuseItem(list string, i int) error {
	return errs.Invalid(errs.Bad(list+"["+strconv.Itoa(i)+"]", errs.ReasonFieldInvalid))
}
