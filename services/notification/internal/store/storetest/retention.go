package storetest

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// finished brings a message to its end, with one attempt.
func finished(t *testing.T, o Opened, state string) string {
	t.Helper()
	d := dispatch(o)
	send(t, o, d)
	claim(t, o, app.Claim{Lease: d.ID, Limit: 1})
	begun, _, err := o.Deliveries.Begin(t.Context(), app.Begin{Lease: d.ID, Until: o.Clock.Now().Add(time.Minute), Tries: []app.Try{{County: County, ID: d.ID}}})
	if err != nil || len(begun) != 1 {
		t.Fatalf("%v, %v", begun, err)
	}
	done := app.Done{Delivery: begun[0], Ended: domain.Ended{Outcome: domain.OutcomeTaken}, Step: domain.Step{State: state, Due: o.Clock.Now()}}
	if err := o.Deliveries.Finish(t.Context(), d.ID, []app.Done{done}); err != nil {
		t.Fatal(err)
	}
	return d.ID
}

// booked is a reminder.
func booked(t *testing.T, o Opened, start time.Time) string {
	t.Helper()
	b := app.Booked{ID: id.New(), ReferralID: id.New(), Version: 1, Start: start, Due: start.Add(-time.Hour)}
	change(t, o, func(u app.Unit) error {
		u.RemindOf(b)
		return nil
	})
	return b.ID
}

// call is a telephone task that is open.
func call(t *testing.T, o Opened) string {
	t.Helper()
	key := id.New()
	change(t, o, func(u app.Unit) error {
		about := domain.Fact{ReferralID: id.New(), Urgency: "EMERGENCY", ReceiverOrganizationID: "hospital"}
		u.AddCall(domain.NewCall(key, domain.AlarmData{County: County, ID: id.New(), About: about}, nil, u.Now()))
		return nil
	})
	return key
}

// displacedStays: a booking that lost its session has no time, and is not old for that: what is told of it late, from before, starts no reminder.
func displacedStays(t *testing.T, o Opened) {
	t.Helper()
	start := o.Clock.Now()
	key := booked(t, o, start)
	change(t, o, func(u app.Unit) error {
		u.RemindOf(app.Booked{ID: key, Version: 3})
		return nil
	})
	if n, err := o.Retention.Prune(t.Context(), County, start.Add(-time.Hour), 10); err != nil || n != 0 {
		t.Errorf("of a booking that is to be moved: %d, %v", n, err)
	}
	change(t, o, func(u app.Unit) error {
		u.RemindOf(app.Booked{ID: key, Version: 2, Start: start, Due: start.Add(-time.Hour)})
		return nil
	})
	due, err := o.Store.ClaimReminders(t.Context(), "late", time.Second, 10)
	for _, d := range due {
		if d.ID == key {
			t.Error("a reminder of the time that was cancelled is due")
		}
	}
	if err != nil {
		t.Error(err)
	}
}

func pruned(t *testing.T, o Opened) {
	displacedStays(t, o)
	begun := o.Clock.Now()
	sent, dead := finished(t, o, domain.StateSent), finished(t, o, domain.StateDead)
	waits := dispatch(o)
	waits.DueTime = begun.Add(1000 * time.Hour)
	send(t, o, waits)
	open, freed := booked(t, o, begun), booked(t, o, begun)
	change(t, o, func(u app.Unit) error {
		u.Forget(app.Booked{ID: freed})
		return nil
	})
	called, toCall := call(t, o), call(t, o)
	change(t, o, func(u app.Unit) error {
		c, err := u.Call(t.Context(), called)
		if err != nil {
			return err
		}
		return c.Record(domain.CallRecord{Outcome: domain.Reached, ReachedName: "值班医生", Account: "desk", Time: u.Now()})
	})
	o.Clock.Advance(time.Hour)
	young := finished(t, o, domain.StateSent)
	before := begun.Add(time.Minute)
	if n, err := o.Retention.Prune(t.Context(), "450322", before, 10); err != nil || n != 0 {
		t.Errorf("of another county: %d, %v", n, err)
	}
	for want := range 3 {
		if n, err := o.Retention.Prune(t.Context(), County, before, 1); err != nil || n != min(1, 2-want) {
			t.Errorf("round %d: %d, %v", want, n, err)
		}
	}
	for _, gone := range []string{sent, dead} {
		if _, err := o.Deliveries.Delivery(t.Context(), County, gone); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("an old one: %v", err)
		}
	}
	if _, err := o.Store.Call(t.Context(), County, "", called); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("an old call: %v", err)
	}
	if _, err := o.Store.Call(t.Context(), County, "", toCall); err != nil {
		t.Errorf("a call that is to be made: %v", err)
	}
	delivery(t, o, waits.ID)
	if d := delivery(t, o, young); len(d.Attempts) != 1 {
		t.Errorf("a young one has %v", d.Attempts)
	}
	// A reminder that waits is still there; one of a booking that was freed may come again, as if it were unknown.
	due, err := o.Store.ClaimReminders(t.Context(), "one", time.Minute, 10)
	if err != nil || len(due) != 1 || due[0].ID != open {
		t.Errorf("%v, %v", due, err)
	}
}
