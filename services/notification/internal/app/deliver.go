package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// ReferralFact is a fact that is to be told: of the referral service, or of patient-record about a use of break-glass or a stay.
type ReferralFact struct {
	Consumer, County string
	domain.Fact
}

// errReadFirst ends a delivery whose recipients the projection cannot know yet.
var errReadFirst = errors.New("the accounts must be read first")

// OnReferral makes one entry for each person whom the rules name, once for each fact, and acknowledges what the fact has made untrue.
// When the projection does not know an organisation and was read before the fact occurred, it is read again first; while the directory is
// away that is an error, and the fact comes again.
func (a *App) OnReferral(ctx context.Context, f ReferralFact) error {
	recipients := domain.Recipients(f.Fact)
	if _, waits := domain.Ends(f.Fact); len(recipients)+len(waits) == 0 {
		return nil
	}
	return a.take(ctx, f, recipients, func(u Unit) error { return a.tell(ctx, u, f, recipients) })
}

// take runs do in the change of a fact, once the projection can know the recipients.
func (a *App) take(ctx context.Context, f ReferralFact, recipients []domain.Recipient, do func(Unit) error) error {
	cmd := Command{Caller: Caller{County: f.County, AccountID: Self}, Consumer: f.Consumer, FactID: f.ID}
	err := a.store.Change(ctx, cmd, func(u Unit) error {
		if err := mayDeliver(ctx, u, f.OccurTime, recipients); err != nil {
			return err
		}
		return do(u)
	})
	if !errors.Is(err, errReadFirst) {
		return err
	}
	if err := a.ReadAccounts(ctx, f.County, f.OccurTime); err != nil {
		return fmt.Errorf("read accounts for fact %s: %w", f.ID, err)
	}
	return a.store.Change(ctx, cmd, do)
}

// tell takes the fact into account: what it ends, then whom it reaches, unless it came too late to be true.
func (a *App) tell(ctx context.Context, u Unit, f ReferralFact, recipients []domain.Recipient) error {
	if err := settle(ctx, u, f); err != nil {
		return err
	}
	if f.Event == domain.DeadlinePassed {
		over, err := u.Settle(ctx, f.ReferralID, domain.WaitOf(f.Deadline.Step), time.Time{})
		if err != nil || f.OccurTime.Before(over) {
			return err
		}
	}
	return a.deliver(ctx, u, f, recipients)
}

// settle acknowledges for everybody what was told of the waits that the fact ends.
func settle(ctx context.Context, u Unit, f ReferralFact) error {
	referral, waits := domain.Ends(f.Fact)
	if len(waits) == 0 {
		return nil
	}
	for _, w := range waits {
		if _, err := u.Settle(ctx, referral, w, f.OccurTime); err != nil {
			return err
		}
	}
	open, err := u.OpenDeadlines(ctx, referral)
	if err != nil {
		return err
	}
	for _, e := range open {
		// What passed since is of another round.
		if d := e.Data(); slices.Contains(waits, domain.WaitOf(d.Step)) && d.OccurTime.Before(f.OccurTime) {
			e.Acknowledge(u.Now())
		}
	}
	return nil
}

// entryID follows from the fact and the account; of a passed limit from the rung of this round, so that nobody is told of one twice.
func entryID(f ReferralFact, account string) string {
	if d := f.Deadline; f.Event == domain.DeadlinePassed {
		return id.FromFact("deadline", f.ReferralID, d.Step, strconv.Itoa(int(d.Level)), d.Due.UTC().Format(time.RFC3339Nano), account)
	}
	return id.FromFact("entry", f.ID, account)
}

// mayDeliver refuses until the projection can know everybody who was there when the fact occurred.
func mayDeliver(ctx context.Context, u Unit, occurred time.Time, recipients []domain.Recipient) error {
	if len(recipients) == 0 {
		return nil
	}
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
			key := entryID(f, account)
			before, err := u.Exists(ctx, key)
			if err != nil {
				return err
			}
			if before {
				continue
			}
			e, err := domain.NewEntry(f.County, key, account, f.Fact, u.Now())
			if err != nil {
				return fmt.Errorf("make entry for fact %s: %w", f.ID, err)
			}
			u.Add(e)
		}
	}
	return nil
}
