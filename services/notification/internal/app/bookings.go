package app

import (
	"context"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// CapacityFact is a fact of scheduling. Version is the hold's after it. A referral of which nothing was heard is told by the sides that the
// fact itself names.
type CapacityFact = ReferralFact

// OnCapacity tells of bookings that moved, sessions that were cancelled and places of the fallback list, and keeps when a patient is reminded.
func (a *App) OnCapacity(ctx context.Context, f CapacityFact) error {
	version := f.Version
	f.Version = 0
	if f.ReferralID != "" {
		known, err := a.store.KnownReferral(ctx, f.County, f.ReferralID)
		if err != nil {
			return err
		}
		if known.Version > 0 {
			f.Fact = known.With(f.Fact)
		}
	}
	return a.take(ctx, f, a.table.Recipients(f.Fact), func(u Unit) error {
		b := Booked{ID: f.BookingID, ReferralID: f.ReferralID, Version: version, Start: f.Start}
		switch {
		case f.BookingID == "":
		case f.Event == domain.BookingConfirmed || f.Event == domain.BookingMoved:
			b.Due = domain.ReminderTime(f.Start, u.Now(), a.zone)
			if !f.Start.IsZero() {
				u.RemindOf(b)
			}
		case f.Event == domain.SessionCancelled:
			// Displaced: it has no time until it is moved, and keeps its id then.
			u.RemindOf(b)
		case f.Event == domain.BookingReleased:
			u.Forget(b)
		}
		return a.deliver(ctx, u, f)
	})
}

// RemindDue reminds the patients whose evening has come. One whose day has come meanwhile is not.
func (a *App) RemindDue(ctx context.Context, owner string) error {
	return a.due(ctx, func(ctx context.Context) ([]DueClaim, error) {
		return a.store.ClaimReminders(ctx, owner, claimLease, claimBatch)
	},
		func(ctx context.Context, u Unit, c DueClaim) error {
			b, waits, err := u.Reminder(ctx, c)
			if err != nil || !waits {
				return err
			}
			u.Reminded(b.ID)
			if !u.Now().Before(b.Start) {
				return nil
			}
			known, err := u.KnownReferral(ctx, b.ReferralID)
			if err != nil {
				return fmt.Errorf("remind of booking %s: %w", b.ID, err)
			}
			f := known.With(domain.Fact{
				ID: id.FromFact("reminder", b.ID, b.Start.UTC().Format("20060102T150405")), Event: domain.Reminder, OccurTime: u.Now(), ReferralID: b.ReferralID,
				BookingID: b.ID, Start: b.Start,
			})
			return a.deliver(ctx, u, ReferralFact{County: c.County, Fact: f})
		})
}
