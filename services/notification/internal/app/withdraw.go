package app

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Withdraw ends a message under its lease whose recipient is not one any more. An emergency goes on to who is on duty now, in the same change: an alarm
// that still rings rings again at once, and of anything else they are told what the recipient was. Without the lease nothing changes.
func (a *App) Withdraw(ctx context.Context, lease string, d domain.Delivery) error {
	err := a.store.Change(ctx, Command{Caller: Caller{County: d.County, AccountID: Self}}, func(u Unit) error {
		u.Withdraw(lease, d)
		switch {
		case d.Urgency != domain.UrgencyEmergency, d.Unneeded, d.EntryID == "":
			return nil
		case d.AlarmID != "":
			alarm, err := u.Alarm(ctx, d.AlarmID)
			if err == nil {
				alarm.Hasten(u.Now())
			}
			return err
		}
		return a.goOn(ctx, u, d)
	})
	if errs.KindOf(err) == errs.KindStale {
		return nil // another has the message
	}
	if err != nil {
		return fmt.Errorf("withdraw %s: %w", d, err)
	}
	return nil
}

// goOn tells those who stand in for the recipient of a message, unless they were told or the recipient has acknowledged.
func (a *App) goOn(ctx context.Context, u Unit, d domain.Delivery) error {
	entry, err := u.Entry(ctx, d.AccountID, d.EntryID)
	if err != nil || !entry.Data().AcknowledgeTime.IsZero() {
		return err
	}
	d.FactID = entry.Data().FactID
	told, err := u.ToldOf(ctx, d.FactID)
	if err != nil {
		return err
	}
	var people []listener
	for _, m := range d.Meant {
		r := m.Instead()
		accounts, onDuty, err := a.resolve(ctx, u, r)
		if err != nil {
			return err
		}
		for _, account := range accounts {
			if slices.Contains(told, account) {
				continue
			}
			told = append(told, account)
			people = append(people, listener{account: account, template: d.Template, channels: domain.ForPersons(), meant: []domain.Meant{{Recipient: r, OnDuty: onDuty}}})
		}
	}
	if len(people) == 0 {
		a.logger.WarnContext(ctx, "nobody else to tell", slog.String("fact_id", d.FactID), slog.String("event", d.Event))
	}
	ids := make([]string, len(people))
	for i, who := range people {
		ids[i] = who.account
	}
	wants, err := u.Preferences(ctx, ids)
	if err != nil {
		return err
	}
	for _, who := range people {
		who.wants = wants[who.account]
		key := id.FromFact("entry", d.FactID, who.account)
		u.Add(entry.For(key, who.account, u.Now()))
		if err := a.message(ctx, u, again(d), who, key); err != nil {
			return err
		}
	}
	return nil
}

// again is the fact of a message, as far as another message of it needs it.
func again(d domain.Delivery) ReferralFact {
	return ReferralFact{County: d.County, Fact: domain.Fact{
		ID: d.FactID, Event: d.Event, ReferralID: d.ReferralID, ReferralNumber: d.ReferralNumber, Urgency: d.Urgency, ActorOrganizationID: d.FromOrganizationID,
		BookingID: d.BookingID, Deadline: domain.Deadline{Step: d.Step},
	}}
}
