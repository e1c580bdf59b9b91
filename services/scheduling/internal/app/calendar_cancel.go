package app

import (
	"context"
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
		if err := u.Cancel(ctx, s); err != nil {
			return err
		}
		u.TellCancelled(s)
		return p.app.rebookSome(ctx, u, s)
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
	return s, moved, err
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
			return a.rebookSome(ctx, u, s)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rebookSome deals with at most a batch of those who have a place in a cancelled session: the earliest appointment chooses first.
func (a *App) rebookSome(ctx context.Context, u Unit, s SessionView) error {
	holds, err := u.HoldsIn(ctx, s.ID, "", rebookBatch)
	if err != nil {
		return err
	}
	slices.SortStableFunc(holds, func(x, y *domain.Hold) int { return x.Data().Place.Start.Compare(y.Data().Place.Start) })
	free, err := u.FreeLike(ctx, s, a.rebookBetween(s.Start, u.Now()), 2*rebookBatch)
	if err != nil {
		return err
	}
	for _, h := range holds {
		r := Rebooked{HoldID: h.Data().ID, BookingID: h.Data().BookingID, ReferralID: h.Data().ReferralID, Outcome: OutcomeEnded}
		if h.Data().State == domain.Held {
			if err := h.Release(); err != nil {
				return classify("cancel", err)
			}
		} else {
			var moved bool
			if moved, free, err = moveToFirst(ctx, u, h, free, s.ReasonCode); err != nil {
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

// moveToFirst gives the hold the first of the slots that is still free, and not too early, and answers what is left of them. What is too early for one
// is so for who has a later appointment.
func moveToFirst(ctx context.Context, u Unit, h *domain.Hold, free []domain.Slot, reason string) (bool, []domain.Slot, error) {
	for len(free) > 0 {
		to := free[0]
		free = free[1:]
		if to.Start.Before(domain.MoveFrom(h.Data().Place.Start, u.Now())) {
			continue
		}
		moved, err := u.Move(ctx, h, to, reason)
		if err != nil {
			return false, free, classify("move", err)
		}
		if moved {
			return true, free, nil
		}
	}
	return false, nil, nil
}

// PlaceDisplaced gives displaced bookings of a department places that have become free, the longest displaced first. Whatever frees a slot calls it
// before anybody else gets the slot.
func (a *App) PlaceDisplaced(ctx context.Context, county, organizationID, department string) error {
	var after domain.HoldData
	for more := true; more; {
		err := a.store.Change(ctx, Command{Caller: Caller{County: county, AccountID: Self}}, func(u Unit) error {
			holds, err := u.DisplacedIn(ctx, organizationID, department, after, rebookBatch)
			if err != nil {
				return err
			}
			if more = len(holds) == rebookBatch; len(holds) == 0 {
				return nil
			}
			last := holds[len(holds)-1].Data()
			for _, h := range holds {
				if err := a.placeOne(ctx, u, h); err != nil {
					return err
				}
			}
			after = last
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *App) placeOne(ctx context.Context, u Unit, h *domain.Hold) error {
	if !h.Data().LiveAt(u.Now()) {
		h.Expire(u.Now())
		return nil
	}
	s, _, err := u.SessionOfSlot(ctx, h.Data().Place.SlotID)
	if err != nil {
		return err
	}
	free, err := u.FreeLike(ctx, s, a.rebookBetween(h.Data().Place.Start, u.Now()), rebookBatch)
	if err != nil {
		return err
	}
	moved, _, err := moveToFirst(ctx, u, h, free, s.ReasonCode)
	if err != nil || !moved {
		return err
	}
	d := h.Data()
	return u.Rebooked(ctx, s.ID, Rebooked{HoldID: d.ID, BookingID: d.BookingID, ReferralID: d.ReferralID, Outcome: OutcomeMoved, SlotID: d.Place.SlotID})
}
