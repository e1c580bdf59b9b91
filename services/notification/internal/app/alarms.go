package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// sound begins an alarm with the fact that makes an emergency wait, and rings it the first time.
func (a *App) sound(ctx context.Context, u Unit, f ReferralFact) error {
	rules, err := u.CountyRules(ctx)
	if err != nil {
		return err
	}
	alarm, err := domain.NewAlarm(f.County, id.FromFact("alarm", f.ReferralID, f.ID), f.Fact, rules, u.Now())
	if err != nil {
		return fmt.Errorf("sound for fact %s: %w", f.ID, err)
	}
	u.AddAlarm(alarm)
	f.Ring.AlarmID = alarm.Data().ID
	if err := a.deliver(ctx, u, f); err != nil {
		return err
	}
	return a.ring(ctx, u, alarm)
}

// climb has the alarm of an answer that is overdue ring further up from the next ring on.
func climb(ctx context.Context, u Unit, f ReferralFact) error {
	ringing, err := u.RingingAlarms(ctx, f.ReferralID)
	for _, alarm := range ringing {
		alarm.Climb(f.Deadline.Level)
	}
	return err
}

// ring raises the entries of whom the tables mean now, and makes those that are missing. What has not gone out of the ring before is dropped.
func (a *App) ring(ctx context.Context, u Unit, alarm *domain.Alarm) error {
	rules, err := u.CountyRules(ctx)
	if err != nil {
		return err
	}
	about := alarm.Data().About
	f := ReferralFact{County: alarm.Data().County, Fact: alarm.Ring(rules, u.Now())}
	addressed := a.table.Addressed(f.Fact)
	people, err := a.listeners(ctx, u, f, addressed)
	if err != nil {
		return err
	}
	u.CancelRings(f.Ring.AlarmID)
	if err := a.outside(ctx, u, f, addressed); err != nil {
		return err
	}
	var accounts []string
	entry := f
	entry.Event = about.Event
	for _, who := range people {
		key, rings, err := ringAt(ctx, u, entry, who.account)
		if err != nil {
			return err
		}
		if !rings {
			continue
		}
		accounts = append(accounts, who.account)
		if err := a.message(ctx, u, f, who, key); err != nil {
			return err
		}
	}
	u.RaiseEntries(alarm, accounts)
	if alarm.CallIsDue(u.Now()) {
		return a.makeCall(ctx, u, alarm)
	}
	return nil
}

// ringAt makes the entry of a person at whom an alarm rings, unless there is one. At a person who acknowledged a ring it rings no more; it may at the
// others. Who acknowledged the news that began the wait before it rang at them has said nothing of the rings: they get another entry.
func ringAt(ctx context.Context, u Unit, f ReferralFact, account string) (key string, rings bool, err error) {
	key = id.FromFact("entry", f.ID, account)
	before, err := u.Exists(ctx, key)
	if err != nil {
		return key, false, err
	}
	if before {
		e, err := u.Entry(ctx, account, key)
		if err != nil || e.Data().AcknowledgeTime.IsZero() {
			return key, err == nil, err
		}
		if e.Data().Rings > 0 || f.ID == f.Ring.AlarmID {
			return key, false, nil
		}
		f.ID, f.Event = f.Ring.AlarmID, domain.AlarmRang
		return ringAt(ctx, u, f, account)
	}
	e, err := domain.NewEntry(f.County, key, account, f.Fact, u.Now())
	if err != nil {
		return key, false, fmt.Errorf("make entry for alarm %s: %w", f.Ring.AlarmID, err)
	}
	u.Add(e)
	return key, true, nil
}

// silence tells everybody at whom it rang that it is over, and drops what is still to go out, and the call.
func silence(ctx context.Context, u Unit, alarm *domain.Alarm) error {
	d := alarm.Data()
	u.CancelDeliveries("", d.ID)
	accounts, err := u.AlarmAccounts(ctx, d.ID)
	if err != nil {
		return err
	}
	u.TellEnd(alarm, accounts)
	return endCall(ctx, u, callID(alarm))
}

// stop silences an alarm for everybody, when whoever acknowledged it answers for the receiver.
func stop(ctx context.Context, u Unit, alarm *domain.Alarm, by domain.By) error {
	organization, err := u.Works(ctx, by.AccountID)
	if err != nil || !alarm.StoppedBy(organization) || !alarm.Acknowledge(by.AccountID, by.Channel, u.Now()) {
		return err
	}
	return silence(ctx, u, alarm)
}

// acknowledge marks entries as read by their person. The first of an alarm's of somebody at the receiver stops it for everybody.
func acknowledge(ctx context.Context, u Unit, by Caller, channel string, entries ...*domain.Entry) error {
	for _, e := range entries {
		e.Acknowledge(u.Now())
		d := e.Data()
		u.CancelDeliveries(d.ID, "")
		if d.AlarmID == "" {
			continue
		}
		alarm, err := u.Alarm(ctx, d.AlarmID)
		if err != nil {
			return err
		}
		if err := stop(ctx, u, alarm, domain.By{AccountID: by.AccountID, Channel: channel}); err != nil {
			return err
		}
	}
	return nil
}

// Alarms are those that ring at an account.
func (a *App) Alarms(ctx context.Context, q AlarmQuery) ([]AlarmView, error) {
	return a.store.RingingAt(ctx, q)
}

// AcknowledgeAlarm stops one that the caller was told of, for everybody unless the caller is of who sent the patient; again it answers the same.
func (a *App) AcknowledgeAlarm(ctx context.Context, caller Caller, alarmID string) (AlarmView, error) {
	view, err := a.store.Alarm(ctx, caller.County, caller.AccountID, alarmID)
	if err != nil {
		return AlarmView{}, err
	}
	err = a.store.Change(ctx, Command{Caller: caller}, func(u Unit) error {
		open, err := u.OpenEntries(ctx, caller.AccountID, view.About.ReferralID)
		if err != nil {
			return err
		}
		open = slices.DeleteFunc(open, func(e *domain.Entry) bool { return e.Data().AlarmID != alarmID })
		if err := acknowledge(ctx, u, caller, domain.InInbox, open...); err != nil {
			return err
		}
		alarm, err := u.Alarm(ctx, alarmID)
		if err != nil {
			return err
		}
		return stop(ctx, u, alarm, domain.By{AccountID: caller.AccountID, Channel: domain.InInbox})
	})
	if err != nil {
		return AlarmView{}, err
	}
	return a.store.Alarm(ctx, caller.County, caller.AccountID, alarmID)
}

// StopByLink stops the alarm of a message whose link was opened, as AcknowledgeAlarm does, within the change of the link.
func (a *App) StopByLink(ctx context.Context, u Unit, l Link) error {
	alarm, err := u.Alarm(ctx, l.AlarmID)
	if err != nil {
		return err
	}
	return stop(ctx, u, alarm, domain.By{AccountID: l.AccountID, Channel: domain.ByLink})
}

const (
	claimBatch = 50
	// claimLease is long beside the ringing of a batch and short beside a minute.
	claimLease = 20 * time.Second
)

// RingDue rings every alarm that is due, once, however long ago it was. Any number of instances may do so at once. One that cannot ring does not
// keep the others from it.
func (a *App) RingDue(ctx context.Context, owner string) error {
	return a.due(ctx, func(ctx context.Context) ([]DueClaim, error) {
		return a.store.ClaimAlarms(ctx, owner, claimLease, claimBatch)
	},
		func(ctx context.Context, u Unit, c DueClaim) error {
			alarm, err := u.Alarm(ctx, c.ID)
			if err != nil || !alarm.Ringing() || alarm.Data().Fence != c.Fence || !alarm.RingIsDue(u.Now()) {
				return err
			}
			return a.ring(ctx, u, alarm)
		})
}

// due works the claims off, each in a change of its own.
func (a *App) due(ctx context.Context, claim func(context.Context) ([]DueClaim, error), work func(context.Context, Unit, DueClaim) error) error {
	var failed []error
	for ctx.Err() == nil {
		claims, err := claim(ctx)
		if err != nil {
			return errors.Join(append(failed, err)...)
		}
		for _, c := range claims {
			cmd := Command{Caller: Caller{County: c.County, AccountID: Self}}
			err := a.store.Change(ctx, cmd, func(u Unit) error { return work(ctx, u, c) })
			// Stale: another holds the claim, and has done it.
			if err != nil && errs.KindOf(err) != errs.KindStale {
				failed = append(failed, fmt.Errorf("work off %s: %w", c.ID, err))
			}
		}
		if len(claims) < claimBatch {
			break
		}
	}
	return errors.Join(failed...)
}
