package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// daysAhead is how far a list of slots looks when nothing is said.
const daysAhead = 14

// ListSlots answers the slots of a query whose local dates are from and to, half-open; default today and 14 days.
func (a *App) ListSlots(ctx context.Context, q SlotQuery, from, to string, now time.Time) ([]domain.Slot, error) {
	local := now.In(a.zone)
	q.From = time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, a.zone)
	var err error
	if from != "" {
		if q.From, err = time.ParseInLocation(time.DateOnly, from, a.zone); err != nil {
			return nil, errs.Invalid(errs.Bad("from", errs.ReasonFieldInvalid))
		}
	}
	q.To = q.From.AddDate(0, 0, daysAhead)
	if to != "" {
		if q.To, err = time.ParseInLocation(time.DateOnly, to, a.zone); err != nil {
			return nil, errs.Invalid(errs.Bad("to", errs.ReasonFieldInvalid))
		}
	}
	return a.store.Slots(ctx, q)
}

// ListBeds counts the beds of an organisation by ward.
func (a *App) ListBeds(ctx context.Context, county, organizationID, department string) ([]domain.WardCount, error) {
	return a.store.Wards(ctx, county, organizationID, department)
}

// ListLive lists what takes capacity.
func (a *App) ListLive(ctx context.Context, county, after string, limit int) ([]HoldView, error) {
	return a.store.Live(ctx, county, after, limit)
}
