package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// ReferralFact is a fact that is to be told: of the referral service, or of patient-record about a use of break-glass or a stay.
type ReferralFact struct {
	Consumer, County string
	// Version of the referral after it; 0 when the fact does not say how the referral stands.
	Version int32
	domain.Fact
}

// errReadFirst ends a delivery whose recipients the projection cannot know yet.
var errReadFirst = errors.New("the accounts must be read first")

// OnReferral makes one entry for each person whom the rules name, once for each fact, and acknowledges what the fact has made untrue.
// When the projection does not know an organisation and was read before the fact occurred, it is read again first; while the directory is
// away that is an error, and the fact comes again.
func (a *App) OnReferral(ctx context.Context, f ReferralFact) error {
	if _, waits := domain.Ends(f.Fact); len(a.table.Addressed(f.Fact))+len(waits) == 0 && f.Version == 0 {
		return nil
	}
	return a.take(ctx, f, a.table.Recipients(f.Fact), func(u Unit) error { return a.tell(ctx, u, f) })
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

// tell takes the fact into account: what it ends, then whom it reaches, unless it came too late to be true. An emergency that waits begins to ring.
func (a *App) tell(ctx context.Context, u Unit, f ReferralFact) error {
	if f.Version > 0 && f.ReferralID != "" {
		u.SaveReferral(domain.KnownReferral{Version: f.Version, Fact: f.Fact})
	}
	if domain.FreesBooking(f.Fact) {
		u.Forget(Booked{ID: f.BookingID, ReferralID: f.ReferralID})
	}
	if err := a.settle(ctx, u, f); err != nil {
		return err
	}
	rings := domain.Alarms(f.Fact)
	if f.Event == domain.DeadlinePassed || rings {
		wait := domain.StateWait
		if !rings {
			wait = domain.WaitOf(f.Deadline.Step)
		}
		over, err := u.Settle(ctx, f.ReferralID, wait, time.Time{})
		switch {
		case err != nil:
			return err
		case f.OccurTime.Before(over) && !rings:
			return nil
		case f.OccurTime.Before(over):
			rings = false
		}
	}
	if f.Event == domain.DeadlinePassed && f.Deadline.Step == answerStep {
		if err := climb(ctx, u, f); err != nil {
			return err
		}
	}
	if !rings {
		return a.deliver(ctx, u, f)
	}
	return a.sound(ctx, u, f)
}

// answerStep is the limit within which an emergency is answered.
const answerStep = "ANSWER"

// settle acknowledges for everybody what was told of the waits that the fact ends, and silences what rings for them.
func (a *App) settle(ctx context.Context, u Unit, f ReferralFact) error {
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
			u.CancelDeliveries(d.ID, "")
		}
	}
	if !slices.Contains(waits, domain.StateWait) {
		return nil
	}
	ringing, err := u.RingingAlarms(ctx, referral)
	if err != nil {
		return err
	}
	for _, alarm := range ringing {
		if alarm.Data().About.OccurTime.Before(f.OccurTime) && alarm.End(u.Now()) {
			if err := silence(ctx, u, alarm); err != nil {
				return err
			}
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

// deliver makes the entries and messages that the tables name.
func (a *App) deliver(ctx context.Context, u Unit, f ReferralFact) error {
	addressed := a.table.Addressed(f.Fact)
	people, err := a.listeners(ctx, u, f, addressed)
	if err != nil {
		return err
	}
	if err := a.outside(ctx, u, f, addressed); err != nil {
		return err
	}
	for _, who := range people {
		key := entryID(f, who.account)
		before, err := u.Exists(ctx, key)
		if err != nil {
			return err
		}
		if before {
			continue
		}
		e, err := domain.NewEntry(f.County, key, who.account, f.Fact, u.Now())
		if err != nil {
			return fmt.Errorf("make entry for fact %s: %w", f.ID, err)
		}
		u.Add(e)
		if err := a.message(ctx, u, f, who, key); err != nil {
			return err
		}
	}
	return nil
}
