package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

const (
	changedBatch = 50
	staleBatch   = 50
	endBatch     = 200
	offerBatch   = 200
	// tries is how many places are tried for an entry when others are faster.
	tries = 5
)

func self(county string) Command {
	return Command{Caller: Caller{County: county, AccountID: Self}}
}

// Allocate works the fallback lists and the waiting times of the departments whose capacity changed; with all, also of those where time alone may have
// opened a place, and waiting times of before today. Entries whose time is over end first. One bounded batch a call; one department that cannot be
// dealt with does not stop the others. Several instances may run it at once: each step is decided again in its transaction.
func (a *App) Allocate(ctx context.Context, now time.Time, all bool) error {
	changed, err := a.store.Changed(ctx, changedBatch)
	if err != nil {
		return fmt.Errorf("list changed departments: %w", err)
	}
	if len(changed) == 0 && !all {
		return nil
	}
	failed := []error{a.endEntries(ctx, now), a.enterDisplaced(ctx, now), a.leavePlaced(ctx)}
	done := map[Department]bool{}
	work := func(c CapacityChange) {
		if done[c.Department] {
			return
		}
		done[c.Department] = true
		if err := a.allocate(ctx, c, now); err != nil {
			failed = append(failed, fmt.Errorf("allocate places of %s %s: %w", c.OrganizationID, c.Code, err))
		}
	}
	for _, c := range changed {
		work(c)
	}
	if !all {
		return errors.Join(failed...)
	}
	expecting, err := a.store.Expecting(ctx)
	if err != nil {
		return errors.Join(append(failed, fmt.Errorf("list departments with a fallback list: %w", err))...)
	}
	stale, err := a.store.Stale(ctx, a.midnight(now), staleBatch)
	if err != nil {
		return errors.Join(append(failed, fmt.Errorf("list departments of yesterday: %w", err))...)
	}
	for _, d := range append(expecting, stale...) {
		work(CapacityChange{Department: d})
	}
	return errors.Join(failed...)
}

func (a *App) allocate(ctx context.Context, c CapacityChange, now time.Time) error {
	var failed []error
	failed = append(failed, a.PlaceDisplaced(ctx, c.County, c.OrganizationID, c.Code))
	policies, err := a.store.Policies(ctx, c.County)
	if err != nil {
		return errors.Join(append(failed, err)...)
	}
	v := view{caller: Caller{County: c.County, Township: true}, policies: policies, now: now.In(a.zone)}
	failed = append(failed, a.offerPlaces(ctx, c.Department, v))
	bounds := WaitingBounds{Bounds: v.before(c.OrganizationID), Until: now.AddDate(0, 0, domain.WaitingHorizon)}
	failed = append(failed, a.store.Change(ctx, self(c.County), func(u Unit) error {
		return u.ComputeWaiting(ctx, c.Department, bounds, c.Rows)
	}))
	return errors.Join(failed...)
}

// offerPlaces offers what is free in a department to those who wait for it, in order.
func (a *App) offerPlaces(ctx context.Context, d Department, v view) error {
	// Where one whom a township sends found nothing, the next with the same wish finds nothing, for whom a slot has to be as far ahead at least. Whom
	// another hospital sends, or sends down, has the common slots alone.
	nothing := map[domain.Wish]bool{}
	var failed []error
	var after EntryKey
	for {
		waiting, err := a.store.WaitingFor(ctx, d, after, offerBatch)
		if err != nil {
			return errors.Join(append(failed, fmt.Errorf("list who waits: %w", err))...)
		}
		for _, e := range waiting {
			after = EntryKey{Rank: e.Rank(), CreateTime: e.CreateTime, ID: e.ID}
			if nothing[e.Wish] {
				continue
			}
			if v.referral, err = a.store.Case(ctx, e.County, e.ReferralID); err != nil {
				return errors.Join(append(failed, err)...)
			}
			v.caller = Caller{County: e.County, OrganizationID: e.SenderOrganizationID}
			found, err := a.offerOne(ctx, e, v)
			if err != nil {
				failed = append(failed, fmt.Errorf("offer to %s: %w", e, err))
				continue
			}
			nothing[e.Wish] = !found && v.referral.Sent(e.OrganizationID)
		}
		if len(waiting) < offerBatch {
			return errors.Join(failed...)
		}
	}
}

// offerOne offers the entry the earliest place that suits. False if there is none.
func (a *App) offerOne(ctx context.Context, e domain.EntryData, v view) (bool, error) {
	first, err := time.ParseInLocation(time.DateOnly, e.Wish.FirstDay, a.zone)
	if err != nil {
		return false, err
	}
	if e.Wish.Kind == domain.KindBed {
		if v.now.Before(first) {
			return false, nil // it would be empty until then
		}
		return a.offer(ctx, e, func(u Unit, claim domain.Claim) (bool, error) {
			return takeBed(ctx, u, domain.BedWish{
				OrganizationID: e.OrganizationID, DepartmentCode: e.DepartmentCode, Sex: e.Wish.Sex, Class: e.Wish.Class, From: first,
			}, claim)
		})
	}
	last, err := time.ParseInLocation(time.DateOnly, e.Wish.LastDay, a.zone)
	if err != nil {
		return false, err
	}
	if soon := v.now.Add(domain.OfferLead(e.Urgency)); first.Before(soon) {
		first = soon
	}
	slots, err := a.store.FindSlots(ctx, FindQuery{
		County: e.County, OrganizationIDs: []string{e.OrganizationID}, Departments: []string{e.DepartmentCode}, Kind: e.Wish.Kind,
		Modality: e.Wish.Modality, PractitionerID: e.Wish.PractitionerID, From: first, To: last.AddDate(0, 0, 1), Before: v.before, Limit: tries,
	})
	if err != nil || len(slots) == 0 {
		return false, err
	}
	for _, slot := range slots {
		ok, err := a.offer(ctx, e, func(u Unit, claim domain.Claim) (bool, error) {
			s, err := u.Slot(ctx, slot.ID)
			if err != nil || !v.see(s).Free {
				return false, err
			}
			claim.Place = s.Place()
			return u.Take(ctx, claim)
		})
		if ok || err != nil {
			return ok, err
		}
	}
	// Others were faster: the next wish like this may still find one.
	return true, nil
}

// offer takes a place for the entry, tied to its referral, unless it does not wait any more; then, too, the answer is true.
func (a *App) offer(ctx context.Context, e domain.EntryData, take func(Unit, domain.Claim) (bool, error)) (ok bool, err error) {
	err = a.store.Change(ctx, self(e.County), func(u Unit) error {
		ok = true
		entry, err := u.Entry(ctx, e.ID)
		if err != nil || entry.Data().State != domain.Waiting {
			return err
		}
		c, err := u.Case(ctx, e.ReferralID)
		if err != nil || c.State != "SUBMITTED" {
			return err
		}
		if has, err := u.HasPlace(ctx, c); err != nil || has {
			return err
		}
		claim := domain.Claim{County: e.County, ID: id.New(), AccountID: Self, OrganizationID: e.SenderOrganizationID, PatientID: e.PatientID}
		if ok, err = take(u, claim); err != nil || !ok {
			return err
		}
		h := u.Taken(claim.ID)
		if h == nil {
			return errs.New(errs.KindInternal, errs.ReasonInternal, "a hold was taken and is not there", nil)
		}
		if err := h.Attach(e.ReferralID, keepOffer(c, u.Now()), u.Now()); err != nil {
			return err
		}
		// The referral does not know of it, so it is not asked.
		h.AskAgain(time.Time{})
		return entry.Offer(h.Data())
	})
	return ok, err
}

// keepOffer is a day after the answer is due, at least a day from now: an offer to one that is late is worth something, too.
func keepOffer(c domain.Case, now time.Time) time.Time {
	until := now.Add(domain.KeepAfterDue)
	if due := c.DueTime.Add(domain.KeepAfterDue); !c.DueTime.IsZero() && due.After(until) {
		return due
	}
	return until
}

// endEntries ends those whose last day passed, and lets those whose offer is over go on or end.
func (a *App) endEntries(ctx context.Context, now time.Time) error {
	over, err := a.store.ToEnd(ctx, now.In(a.zone).Format(time.DateOnly), endBatch)
	if err != nil {
		return fmt.Errorf("list entries whose time is over: %w", err)
	}
	var failed []error
	for _, o := range over {
		if err := a.endEntry(ctx, o); err != nil {
			failed = append(failed, fmt.Errorf("end %s: %w", o.Entry, err))
		}
	}
	return errors.Join(failed...)
}

func (a *App) endEntry(ctx context.Context, o EndedOffer) error {
	return a.store.Change(ctx, self(o.Entry.County), func(u Unit) error {
		entry, err := u.Entry(ctx, o.Entry.ID)
		if err != nil || entry.Data().Version != o.Entry.Version {
			return err
		}
		if o.Hold == "" {
			return entry.Lapse()
		}
		h, err := u.Hold(ctx, o.Entry.HoldID)
		if err != nil {
			return err
		}
		h.Expire(u.Now())
		if h.Data().State.Takes() {
			return nil
		}
		return entry.OfferEnded(h.Data())
	})
}

// enterDisplaced puts bookings and attached holds whose session was cancelled before all others on the list.
func (a *App) enterDisplaced(ctx context.Context, now time.Time) error {
	displaced, err := a.store.DisplacedUnlisted(ctx, endBatch)
	if err != nil {
		return fmt.Errorf("list displaced bookings: %w", err)
	}
	today := now.In(a.zone)
	var failed []error
	for _, d := range displaced {
		w := domain.Wish{Kind: d.SessionKind, Modality: d.Device.Modality, FirstDay: today.Format(time.DateOnly),
			LastDay: today.AddDate(0, 0, domain.WaitDays).Format(time.DateOnly)}
		err := a.store.Change(ctx, self(d.County), func(u Unit) error {
			if other, err := u.EntryOf(ctx, d.ReferralID); err != nil || other != nil {
				return err
			}
			c, err := u.Case(ctx, d.ReferralID)
			if err != nil {
				return err
			}
			c.County, c.ReferralID = d.County, d.ReferralID
			if c.SenderOrganizationID == "" && d.ReaderOrganizationID != d.Place.OrganizationID {
				c.SenderOrganizationID = d.ReaderOrganizationID
			}
			// The same booking displaced at two moments is on the list twice, one after the other.
			entry, err := domain.NewDisplaced(id.New(), Self, d.HoldData, c, w, u.Now())
			if err == nil {
				u.AddEntry(entry)
			}
			return err
		})
		if err != nil && !errors.Is(err, ErrOnList) {
			failed = append(failed, fmt.Errorf("enter displaced %s: %w", d.HoldData, err))
		}
	}
	return errors.Join(failed...)
}

// leavePlaced ends the entries of bookings and attached holds that have another place, or none is wanted for any more. One whose hold ended while its
// referral has no answer goes on waiting as the others do.
func (a *App) leavePlaced(ctx context.Context) error {
	replaced, err := a.store.Replaced(ctx, endBatch)
	if err != nil {
		return fmt.Errorf("list bookings that have a place again: %w", err)
	}
	var failed []error
	for _, r := range replaced {
		err := a.store.Change(ctx, self(r.Entry.County), func(u Unit) error {
			return leaveReplaced(ctx, u, r.Entry)
		})
		if err != nil {
			failed = append(failed, fmt.Errorf("place %s: %w", r.Entry, err))
		}
	}
	return errors.Join(failed...)
}

// leaveReplaced decides on the entry and its hold as they are now: what listed them is older.
func leaveReplaced(ctx context.Context, u Unit, listed domain.EntryData) error {
	entry, err := u.Entry(ctx, listed.ID)
	if err != nil || entry.Data().Version != listed.Version {
		return err
	}
	h, err := u.Hold(ctx, listed.HoldID)
	if err != nil {
		return err
	}
	c, err := u.Case(ctx, listed.ReferralID)
	if err != nil {
		return err
	}
	switch d := h.Data(); {
	case d.State.Takes() && !d.Displaced.IsZero() && c.Awaited():
		return nil // the place that it was given was lost, too
	case d.State.Takes():
		return entry.Place()
	case c.Unanswered(listed.OrganizationID, listed.DepartmentCode):
		return entry.Undisplaced()
	case c.State == "ACCEPTED":
		return entry.Place()
	}
	return entry.End()
}
