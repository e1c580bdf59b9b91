package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// ReferralFact is a fact of the referral service that is to be told.
type ReferralFact struct {
	Consumer, County string
	OccurTime        time.Time
	domain.Fact
}

// errReadFirst ends a delivery whose recipients the projection cannot know yet.
var errReadFirst = errors.New("the accounts must be read first")

// OnReferral makes one entry for each person whom the rules name, once for each fact. When the projection does not
// know an organisation and was read before the fact occurred, it is read again first; while the directory is away
// that is an error, and the fact comes again.
func (a *App) OnReferral(ctx context.Context, f ReferralFact) error {
	recipients := domain.Recipients(f.Fact)
	if len(recipients) == 0 {
		return nil
	}
	cmd := Command{Caller: Caller{County: f.County, AccountID: Self}, Consumer: f.Consumer, FactID: f.ID}
	err := a.store.Change(ctx, cmd, func(u Unit) error {
		if err := mayDeliver(ctx, u, f.OccurTime, recipients); err != nil {
			return err
		}
		return a.deliver(ctx, u, f, recipients)
	})
	if !errors.Is(err, errReadFirst) {
		return err
	}
	if err := a.ReadAccounts(ctx, f.County, f.OccurTime); err != nil {
		return fmt.Errorf("read accounts for fact %s: %w", f.ID, err)
	}
	return a.store.Change(ctx, cmd, func(u Unit) error { return a.deliver(ctx, u, f, recipients) })
}

// mayDeliver refuses until the projection can know everybody who was there when the fact occurred.
func mayDeliver(ctx context.Context, u Unit, occurred time.Time, recipients []domain.Recipient) error {
	read, err := u.ReadTime(ctx)
	if err != nil {
		return err
	}
	if read.IsZero() {
		return errReadFirst
	}
	if !read.Before(occurred) {
		return nil
	}
	for _, r := range recipients {
		_, known, err := u.Resolve(ctx, r)
		if err != nil {
			return err
		}
		if !known {
			return errReadFirst
		}
	}
	return nil
}

func (a *App) deliver(ctx context.Context, u Unit, f ReferralFact, recipients []domain.Recipient) error {
	told := map[string]bool{}
	for _, r := range recipients {
		accounts, _, err := u.Resolve(ctx, r)
		if err != nil {
			return err
		}
		if len(accounts) == 0 {
			a.logger.WarnContext(ctx, "nobody to tell", slog.String("fact_id", f.ID), slog.String("event", f.Event),
				slog.String("organization_id", r.OrganizationID))
		}
		for _, account := range accounts {
			if told[account] {
				continue
			}
			told[account] = true
			e, err := domain.NewEntry(f.County, id.FromFact("entry", f.ID, account), account, f.Fact, u.Now())
			if err != nil {
				return fmt.Errorf("make entry for fact %s: %w", f.ID, err)
			}
			u.Add(e)
		}
	}
	return nil
}
