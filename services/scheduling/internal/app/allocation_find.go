package app

import (
	"context"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

const (
	findDays  = 90
	findLimit = 10
	noon      = 12
)

// Find is a search for the earliest free slots.
type Find struct {
	FindQuery
	FromDay, ToDay string // local dates, half-open; default now and 90 days
	Half           string // AM, PM or empty
	Weekdays       []int  // 1 Monday … 7 Sunday; none: all
}

// FindSlots answers the earliest free slots that the asker may take, at most one a session.
func (a *App) FindSlots(ctx context.Context, asker Asker, f Find, now time.Time) ([]SlotView, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	q := f.FindQuery
	var err error
	if q.From, q.To, err = a.span(f.FromDay, f.ToDay, now, findDays); err != nil {
		return nil, err
	}
	view, err := a.viewOf(ctx, asker, now)
	if err != nil {
		return nil, err
	}
	q.County, q.Before, q.Fits = asker.County, view.before, f.fits(a.zone)
	if q.Limit <= 0 {
		q.Limit = findLimit
	}
	slots, err := a.store.FindSlots(ctx, q)
	if err != nil {
		return nil, err
	}
	for i := range slots {
		slots[i] = view.see(slots[i])
	}
	return slots, nil
}

func (f Find) check() error {
	var bad []errs.Field
	if !slices.Contains([]string{"", domain.KindClinic, domain.KindExam, domain.KindExpert}, f.Kind) {
		bad = append(bad, errs.Bad("kind", errs.ReasonFieldUnknown))
	}
	if !slices.Contains([]string{"", domain.General, domain.Expert}, f.Grade) {
		bad = append(bad, errs.Bad("grade", errs.ReasonFieldUnknown))
	}
	if f.Modality != "" && f.Kind != "" && f.Kind != domain.KindExam {
		bad = append(bad, errs.Bad("modality", errs.ReasonFieldCombination))
	}
	if len(bad) > 0 {
		return errs.Invalid(bad...)
	}
	return nil
}

// fits tells by the local time of a start; nil if any does.
func (f Find) fits(zone *time.Location) func(time.Time) bool {
	if f.Half == "" && len(f.Weekdays) == 0 {
		return nil
	}
	return func(start time.Time) bool {
		local := start.In(zone)
		if f.Half != "" && (f.Half == "AM") != (local.Hour() < noon) {
			return false
		}
		weekday := int(local.Weekday())
		if weekday == 0 {
			weekday = 7
		}
		return len(f.Weekdays) == 0 || slices.Contains(f.Weekdays, weekday)
	}
}

// ListWaitingTimes answers how long one waits, as it was computed last.
func (a *App) ListWaitingTimes(ctx context.Context, d Department) ([]domain.WaitingTime, error) {
	return a.store.WaitingTimes(ctx, d)
}

// Days are those of a waiting time, from now on by the county's calendar.
func (a *App) Days(w domain.WaitingTime, now time.Time) int { return w.Days(now.In(a.zone)) }

// ListDay answers a local day of the caller's own organisation; default today. NOT_FOUND for another's.
func (a *App) ListDay(ctx context.Context, caller Caller, d Department, date string, now time.Time) ([]DaySession, error) {
	if d.OrganizationID != caller.OrganizationID {
		return nil, errs.NotFound("organization")
	}
	from := a.midnight(now)
	if date != "" {
		var err error
		if from, err = time.ParseInLocation(time.DateOnly, date, a.zone); err != nil {
			return nil, errs.Invalid(errs.Bad("date", errs.ReasonFieldInvalid))
		}
	}
	return a.store.Day(ctx, d, from, from.AddDate(0, 0, 1))
}
