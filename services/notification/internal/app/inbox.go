package app

import (
	"context"

	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// List answers a person's entries, newest first, and how many are open.
func (a *App) List(ctx context.Context, q EntryQuery) ([]domain.EntryData, int, error) {
	if q.State == "" {
		q.State = "OPEN"
	}
	return a.store.Entries(ctx, q)
}

// Acknowledge marks one entry of the caller; again it answers the same.
func (a *App) Acknowledge(ctx context.Context, caller Caller, id string) (domain.EntryData, error) {
	var out domain.EntryData
	err := a.store.Change(ctx, Command{Caller: caller}, func(u Unit) error {
		e, err := u.Entry(ctx, caller.AccountID, id)
		if err != nil {
			return err
		}
		err = acknowledge(ctx, u, caller, domain.InInbox, e)
		out = e.Data()
		return err
	})
	return out, err
}

// AcknowledgeReferral marks the caller's open entries for a referral and answers how many there were. An emergency that rings goes on: to have looked at
// it is not to have taken it on (lifecycle: "seen stops nothing").
func (a *App) AcknowledgeReferral(ctx context.Context, caller Caller, referralID string) (int, error) {
	n := 0
	err := a.store.Change(ctx, Command{Caller: caller}, func(u Unit) error {
		entries, err := u.OpenEntries(ctx, caller.AccountID, referralID)
		if err != nil {
			return err
		}
		if entries, err = stopped(ctx, u, entries); err != nil {
			return err
		}
		n = len(entries)
		return acknowledge(ctx, u, caller, domain.InInbox, entries...)
	})
	return n, err
}

// stopped leaves out the entries whose alarm rings.
func stopped(ctx context.Context, u Unit, entries []*domain.Entry) (out []*domain.Entry, err error) {
	for _, e := range entries {
		if id := e.Data().AlarmID; id != "" {
			alarm, err := u.Alarm(ctx, id)
			if err != nil {
				return nil, err
			}
			if alarm.Ringing() {
				continue
			}
		}
		out = append(out, e)
	}
	return out, nil
}

// Told lists who of the caller's organisation was told of a referral, oldest first; everywhere asks for the whole county.
func (a *App) Told(ctx context.Context, caller Caller, q ToldQuery, everywhere bool) ([]Told, error) {
	q.County, q.OrganizationID = caller.County, caller.OrganizationID
	switch {
	case everywhere:
		q.OrganizationID = ""
	case q.OrganizationID == "":
		return nil, nil
	}
	return a.store.Told(ctx, q)
}

// Delivered lists what was delivered in a county.
func (a *App) Delivered(ctx context.Context, county, referralID string, p Page) ([]domain.EntryData, error) {
	return a.store.Delivered(ctx, county, referralID, p)
}
