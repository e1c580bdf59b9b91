package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// daysAhead is how far a list of slots looks when nothing is said.
const daysAhead = 14

// ListSlots answers the slots of a query whose local dates are from and to, half-open, as they are for the caller; default today and 14 days.
func (a *App) ListSlots(ctx context.Context, asker Asker, q SlotQuery, from, to string, now time.Time) ([]SlotView, error) {
	var err error
	if q.From, q.To, err = a.span(from, to, now, daysAhead); err != nil {
		return nil, err
	}
	view, err := a.viewOf(ctx, asker, now)
	if err != nil {
		return nil, err
	}
	q.Before = view.before(q.OrganizationID)
	slots, err := a.store.Slots(ctx, q)
	if err != nil {
		return nil, err
	}
	for i := range slots {
		slots[i] = view.see(slots[i])
	}
	return slots, nil
}

// FreeDay is how many slots are free on a local day.
type FreeDay struct {
	Date string
	Free int
}

// ListFreeDays counts what ListSlots would answer as free, by local day; days without are left out.
func (a *App) ListFreeDays(ctx context.Context, asker Asker, q SlotQuery, from, to string, now time.Time) ([]FreeDay, error) {
	var err error
	if q.From, q.To, err = a.span(from, to, now, daysAhead); err != nil {
		return nil, err
	}
	view, err := a.viewOf(ctx, asker, now)
	if err != nil {
		return nil, err
	}
	q.Before = view.before(q.OrganizationID)
	starts, err := a.store.FreeStarts(ctx, q)
	if err != nil {
		return nil, err
	}
	var days []FreeDay
	for _, s := range starts {
		date := s.At.In(a.zone).Format(time.DateOnly)
		if len(days) == 0 || days[len(days)-1].Date != date {
			days = append(days, FreeDay{Date: date})
		}
		days[len(days)-1].Free += s.Free
	}
	return days, nil
}

// span reads local dates, half-open; default today and some days.
func (a *App) span(from, to string, now time.Time, days int) (start, end time.Time, err error) {
	start = a.midnight(now)
	if from != "" {
		if start, err = time.ParseInLocation(time.DateOnly, from, a.zone); err != nil {
			return start, end, errs.Invalid(errs.Bad("from", errs.ReasonFieldInvalid))
		}
	}
	end = start.AddDate(0, 0, days)
	if to != "" {
		if end, err = time.ParseInLocation(time.DateOnly, to, a.zone); err != nil {
			return start, end, errs.Invalid(errs.Bad("to", errs.ReasonFieldInvalid))
		}
	}
	return start, end, nil
}

// midnight is the beginning of the instant's local day.
func (a *App) midnight(now time.Time) time.Time {
	local := now.In(a.zone)
	return time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, a.zone)
}

// Asker is who looks for a place, and for which referral, if there is one.
type Asker struct {
	Caller
	ReferralID string
}

// view is what slots are to an asker.
type view struct {
	caller   Caller
	referral domain.Case
	policies domain.Policies
	now      time.Time // in the county's zone
}

// viewOf reads what decides what the asker may take. A referral that does not concern the asker's organisation is FIELD_UNKNOWN.
func (a *App) viewOf(ctx context.Context, asker Asker, now time.Time) (view, error) {
	v := view{caller: asker.Caller, now: now.In(a.zone)}
	var err error
	if v.referral, err = a.referralOf(ctx, asker); err != nil {
		return v, err
	}
	v.policies, err = a.store.Policies(ctx, asker.County)
	return v, err
}

// referralOf is the case that the asker names; the zero Case if none is named.
func (a *App) referralOf(ctx context.Context, asker Asker) (domain.Case, error) {
	if asker.ReferralID == "" {
		return domain.Case{}, nil
	}
	if !id.Valid(asker.ReferralID) {
		return domain.Case{}, errs.Invalid(errs.Bad("referralId", errs.ReasonFieldInvalid))
	}
	c, err := a.caseOf(ctx, asker.County, asker.ReferralID, false)
	own := asker.OrganizationID
	if errs.KindOf(err) == errs.KindNotFound || err == nil && own != c.SenderOrganizationID && own != c.ReceiverOrganizationID {
		return domain.Case{}, errs.Invalid(errs.Bad("referralId", errs.ReasonFieldUnknown))
	}
	return c, err
}

// caseOf is the referral as its facts told it; one that is not known yet, or on demand any, is asked for once. Never inside a transaction.
func (a *App) caseOf(ctx context.Context, county, referralID string, fresh bool) (domain.Case, error) {
	if !fresh {
		c, err := a.store.Case(ctx, county, referralID)
		if err != nil || c.Known() {
			return c, err
		}
	}
	c, err := a.referral.Case(ctx, county, referralID)
	if err != nil {
		return domain.Case{}, err
	}
	err = a.store.Change(ctx, Command{Caller: Caller{County: county, AccountID: Self}}, func(u Unit) error { return u.NoteCase(ctx, c) })
	return c, err
}

// township tells whether a slot of the organisation would be taken for a patient whom a township sends. An expert comes to a centre for the centre's own
// patients, too.
func (v view) township(organizationID, kind string) bool {
	return v.caller.Township && (kind == domain.KindExpert || v.caller.OrganizationID != organizationID) || v.referral.Sent(organizationID)
}

// before are the bounds of a query.
func (v view) before(organizationID string) Bounds {
	p := v.policies.Of(organizationID)
	return Bounds{
		Common:   p.OpenBefore(domain.Common, v.now, false),
		Reserved: p.OpenBefore(domain.Reserved, v.now, v.township(organizationID, domain.KindClinic)),
		Expert:   p.OpenBefore(domain.Reserved, v.now, v.township(organizationID, domain.KindExpert)),
	}
}

// see is the slot as it is for the asker.
func (v view) see(s SlotView) SlotView {
	org := s.Session.OrganizationID
	if s.SessionState != domain.StateOpen && s.ClosedBy == "" {
		s.ClosedBy = "CANCELLED"
	}
	opens := v.policies.Of(org).Opens(s.Pool, s.Start.In(v.now.Location()), v.township(org, s.Session.Kind))
	if v.now.Before(opens) {
		s.Opens = opens.UTC()
	}
	s.Free = s.Free && s.ClosedBy == "" && s.Opens.IsZero()
	s.Pool = v.policies.Of(org).PoolAt(s.Pool, s.Start.In(v.now.Location()), v.now)
	return s
}

// ListBeds counts the beds of an organisation by ward.
func (a *App) ListBeds(ctx context.Context, county, organizationID, department string) ([]domain.WardCount, error) {
	return a.store.Wards(ctx, county, organizationID, department)
}

// ListLive lists what takes capacity.
func (a *App) ListLive(ctx context.Context, county, after string, limit int) ([]HoldView, error) {
	return a.store.Live(ctx, county, after, limit)
}
