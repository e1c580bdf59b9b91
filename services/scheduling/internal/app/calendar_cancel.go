package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Cancellation ends a session.
type Cancellation struct {
	SessionID        string
	Version          int32
	ReasonCode, Note string
}

// rebookDays is how far ahead a place is looked for when a session is cancelled.
const rebookDays = 14

// CancelSession ends a session that has not ended and gives everybody in it another place, in one transaction; more than twenty in batches, which Work
// goes on with should the process end. Whoever finds no place is displaced. STALE_VERSION, ROLE, ACTION_NOT_AVAILABLE, fields.
func (p *Planner) CancelSession(ctx context.Context, by Planning, in Cancellation) (SessionView, []Rebooked, error) {
	if err := by.checkRequest(); err != nil {
		return SessionView{}, nil, err
	}
	if !slices.Contains(domain.ReasonCodes(), in.ReasonCode) {
		return SessionView{}, nil, errs.Invalid(errs.Bad("reasonCode", errs.ReasonFieldUnknown))
	}
	err := p.write(ctx, by.command("CancelSession", in), in.SessionID, func(u Unit) error {
		s, err := p.lockOpen(ctx, u, by, in.SessionID, "cancel")
		if err != nil {
			return err
		}
		if err := version(in.Version, s.Version); err != nil {
			return err
		}
		s.ReasonCode, s.Note = in.ReasonCode, in.Note
		u.Note("session.cancel", "session", s.ID, s.ReasonCode)
		free, err := p.app.lockAround(ctx, u, s)
		if err != nil {
			return err
		}
		if err := p.recordCancelled(ctx, u, s); err != nil {
			return err
		}
		if err := u.Cancel(ctx, s); err != nil {
			return err
		}
		u.TellCancelled(s)
		return p.app.rebookSome(ctx, u, s, free)
	})
	if err != nil {
		return SessionView{}, nil, err
	}
	if err := p.app.rebook(ctx, by.Caller, in.SessionID); err != nil {
		return SessionView{}, nil, err
	}
	s, err := p.app.store.Session(ctx, by.County, in.SessionID)
	if err != nil {
		return s, nil, err
	}
	moved, err := p.app.store.Rebooked(ctx, by.County, in.SessionID)
	if by.Whole {
		for i, m := range moved {
			moved[i] = Rebooked{Outcome: m.Outcome, SlotID: m.SlotID, Slot: m.Slot}
		}
	}
	return s, moved, err
}

// recordCancelled keeps the cancellation with the slots that were blocked before it, which it closes like all others.
func (p *Planner) recordCancelled(ctx context.Context, u Unit, s SessionView) error {
	blocked, err := u.ClosedIn(ctx, s.ID)
	if err != nil {
		return err
	}
	was := s
	was.ReasonCode, was.Note, s.Cancelled = "", "", true
	return u.Record(ctx, changeOfSession(ChangeBefore, was), changeOfSession(ChangeCancelled, s, blocked...))
}

// rebook goes on until nobody in a cancelled session is left without an answer.
func (a *App) rebook(ctx context.Context, caller Caller, sessionID string) error {
	for more := true; more; {
		err := a.store.Change(ctx, Command{Caller: caller}, func(u Unit) error {
			s, err := u.LockSession(ctx, sessionID)
			if err != nil {
				return err
			}
			if more = s.Rebooking; !more {
				return nil
			}
			free, err := a.lockAround(ctx, u, s)
			if err != nil {
				return err
			}
			return a.rebookSome(ctx, u, s, free)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// places are slots that people from a session may be given, best first: by whether a township sends them.
type places map[bool][]domain.Slot

func (p places) ids() []string {
	var out []string
	for _, slots := range p {
		for _, s := range slots {
			out = append(out, s.ID)
		}
	}
	return out
}

// lockAround looks for the places that people from the session may be given, and locks them together with its own slots: one order for all.
func (a *App) lockAround(ctx context.Context, u Unit, s SessionView) (places, error) {
	free := places{}
	for _, township := range []bool{true, false} {
		slots, err := a.freeLike(ctx, u, s, s.Start, township)
		if err != nil {
			return nil, err
		}
		free[township] = slots
	}
	return free, u.LockPlaces(ctx, s.ID, free.ids())
}

// freeLike are the places, instead of one at the old time, for people from the session whom a township sends, or others.
func (a *App) freeLike(ctx context.Context, u Unit, s SessionView, old time.Time, township bool) ([]domain.Slot, error) {
	policy, err := u.PolicyFor(ctx, s.OrganizationID)
	if err != nil {
		return nil, err
	}
	now := u.Now().In(a.zone)
	return u.FreeLike(ctx, s, Like{Between: a.rebookBetween(old, u.Now()), Limit: 2 * rebookBatch, Bounds: Bounds{
		Common: policy.OpenBefore(domain.Common, now, township), Reserved: policy.OpenBefore(domain.Reserved, now, township),
		Expert: policy.OpenBefore(domain.Reserved, now, true), // whoever had a place with the expert came from a township, or is of the centre
	}})
}

// rebookSome deals with at most a batch of those who have a place in a cancelled session: the earliest appointment chooses first.
func (a *App) rebookSome(ctx context.Context, u Unit, s SessionView, free places) error {
	holds, err := u.HoldsIn(ctx, s.ID, "", rebookBatch)
	if err != nil {
		return err
	}
	slices.SortStableFunc(holds, func(x, y *domain.Hold) int { return x.Data().Place.Start.Compare(y.Data().Place.Start) })
	for _, h := range holds {
		r := Rebooked{HoldID: h.Data().ID, BookingID: h.Data().BookingID, ReferralID: h.Data().ReferralID, Outcome: OutcomeEnded}
		switch d := h.Data(); {
		case d.State == domain.Held:
			if err := h.Release(); err != nil {
				return classify("cancel", err)
			}
		case d.State == domain.Attached && d.AccountID == Self:
			h.Free() // an offer: the entry gets another
		default:
			moved, err := moveToFirst(ctx, u, h, free, s.ReasonCode)
			if err != nil {
				return err
			}
			if r.Outcome, r.SlotID = OutcomeMoved, h.Data().Place.SlotID; !moved {
				r.Outcome, r.SlotID = OutcomeDisplaced, ""
				if err := h.Displace(s.ID, s.ReasonCode, u.Now()); err != nil {
					return classify("cancel", err)
				}
			}
		}
		if err := u.Rebooked(ctx, s.ID, r); err != nil {
			return err
		}
	}
	if len(holds) < rebookBatch {
		return u.RebookingDone(ctx, s.ID)
	}
	return nil
}

// rebookBetween is within what places are looked for, instead of one at the old time: up to a local midnight.
func (a *App) rebookBetween(old, now time.Time) Between {
	y, m, d := now.In(a.zone).Date()
	return Between{After: domain.MoveFrom(old, now).UTC(), Before: time.Date(y, m, d+rebookDays+1, 0, 0, 0, 0, a.zone).UTC()}
}

// moveToFirst gives the hold the first of the places that is still free, and not too early. What is too early for one is so for who has a later
// appointment.
func moveToFirst(ctx context.Context, u Unit, h *domain.Hold, free places, reason string) (bool, error) {
	township, err := sentUp(ctx, u, h.Data())
	if err != nil {
		return false, err
	}
	for len(free[township]) > 0 {
		to := free[township][0]
		free[township] = free[township][1:]
		if to.Start.Before(domain.MoveFrom(h.Data().Place.Start, u.Now())) {
			continue
		}
		moved, err := u.Move(ctx, h, to, reason)
		if err != nil {
			return false, classify("move", err)
		}
		if moved {
			return true, nil
		}
	}
	return false, nil
}

// PlaceDisplaced gives displaced bookings of a department places that have become free, the longest displaced first. Whatever frees a slot calls it
// before anybody else gets the slot. One that fails does not stop the others.
func (a *App) PlaceDisplaced(ctx context.Context, county, organizationID, department string) error {
	d := Department{County: county, OrganizationID: organizationID, Code: department}
	var after domain.HoldData
	var failed []error
	for {
		displaced, err := a.store.DisplacedIn(ctx, d, after, rebookBatch)
		if err != nil {
			return errors.Join(append(failed, err)...)
		}
		for _, h := range displaced {
			if err := a.store.Change(ctx, self(county), func(u Unit) error { return a.placeOne(ctx, u, h) }); err != nil {
				failed = append(failed, fmt.Errorf("place %s: %w", h, err))
			}
			after = h
		}
		if len(displaced) < rebookBatch || ctx.Err() != nil {
			return errors.Join(failed...)
		}
	}
}

// placeOne gives a booking that was displaced a place, unless it is not displaced any more.
func (a *App) placeOne(ctx context.Context, u Unit, was domain.HoldData) error {
	s, _, err := u.SessionOfSlot(ctx, was.Place.SlotID)
	if err != nil {
		return err
	}
	township, err := sentUp(ctx, u, was)
	if err != nil {
		return err
	}
	slots, err := a.freeLike(ctx, u, s, was.Place.Start, township)
	if err != nil {
		return err
	}
	free := places{township: slots}
	if err := u.LockPlaces(ctx, "", append(free.ids(), was.Place.SlotID)); err != nil {
		return err
	}
	h, err := u.Hold(ctx, was.ID)
	if err != nil || h.Data().Displaced.IsZero() || h.Data().Place.SlotID != was.Place.SlotID {
		return err
	}
	if !h.Data().LiveAt(u.Now()) {
		h.Expire(u.Now())
		return nil
	}
	if c, err := u.Case(ctx, was.ReferralID); err != nil || !c.Awaited() {
		return err
	}
	moved, err := moveToFirst(ctx, u, h, free, s.ReasonCode)
	if err != nil || !moved {
		return err
	}
	d := h.Data()
	return u.Rebooked(ctx, s.ID, Rebooked{HoldID: d.ID, BookingID: d.BookingID, ReferralID: d.ReferralID, Outcome: OutcomeMoved, SlotID: d.Place.SlotID})
}
