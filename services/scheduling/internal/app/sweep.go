package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

const (
	expireBatch = 200
	settleBatch = 50
	// askAttached is the pause between two questions about a hold that waits for an answer, which may take a day.
	askAttached = 10 * time.Minute
	// askUnsettled is the same for a booking whose fact has not come, and after a question that failed.
	askUnsettled = time.Minute
)

// Sweep ends holds whose time is over, then asks the referral service about holds and bookings that have waited.
// While that service cannot be reached nothing it would have to be asked about is freed. One hold that cannot be dealt with does not stop
// the others. One bounded batch a call.
func (a *App) Sweep(ctx context.Context) error {
	overdue, err := a.store.Overdue(ctx, expireBatch)
	if err != nil {
		return fmt.Errorf("list overdue holds: %w", err)
	}
	var failed []error
	for _, d := range overdue {
		if err := a.sweepOne(ctx, d, func(h *domain.Hold, now time.Time) { h.Expire(now) }); err != nil {
			failed = append(failed, fmt.Errorf("expire %s: %w", d, err))
		}
	}
	waiting, err := a.store.ToSettle(ctx, settleBatch)
	if err != nil {
		return fmt.Errorf("list unsettled holds: %w", err)
	}
	for _, d := range waiting {
		err := a.settleOne(ctx, d)
		if err != nil {
			failed = append(failed, fmt.Errorf("settle %s: %w", d, err))
		}
		if errs.KindOf(err) == errs.KindUnavailable {
			break
		}
	}
	return errors.Join(failed...)
}

func (a *App) settleOne(ctx context.Context, d domain.HoldData) error {
	v, err := a.referral.Settle(ctx, d.County, d.ID, d.ReferralID)
	if errs.KindOf(err) == errs.KindUnavailable {
		return err
	}
	if err != nil {
		// One that cannot be answered must not stand before the others for ever.
		a.logger.ErrorContext(ctx, "referral did not settle a hold", slog.String("hold_id", d.ID), slog.Any("error", err))
		return a.sweepOne(ctx, d, func(h *domain.Hold, now time.Time) { h.AskAgain(now.Add(askUnsettled)) })
	}
	return a.sweepOne(ctx, d, func(h *domain.Hold, now time.Time) {
		switch {
		case h.Data().Version != d.Version:
			// It changed since the question was asked: the answer is about the past.
		case v.Settled:
			h.Settle()
			h.AskAgain(now.Add(askAttached))
		case !v.Keep:
			h.Free()
		case d.State == domain.Attached:
			h.AskAgain(now.Add(askAttached))
		default:
			h.AskAgain(now.Add(askUnsettled))
		}
	})
}

func (a *App) sweepOne(ctx context.Context, d domain.HoldData, do func(h *domain.Hold, now time.Time)) error {
	return a.store.Change(ctx, Command{Caller: Caller{County: d.County, AccountID: Self}}, func(u Unit) error {
		h, err := u.Hold(ctx, d.ID)
		if err != nil {
			return err
		}
		do(h, u.Now())
		return nil
	})
}
