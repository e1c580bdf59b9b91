package bench

import (
	"context"
	"fmt"
	"time"

	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/check"
)

const (
	// settleTimeout is how long the last facts may take to settle bookings and to become inbox entries.
	settleTimeout = time.Minute
	settlePoll    = 200 * time.Millisecond
)

// outcome is what became of one referral of the run.
type outcome struct {
	check.Referral
	doctor  *person
	entries []*notificationv1.Notification
}

// check waits until what the run made is at rest and holds it against the invariants of package check, and that nothing
// is lost or doubled. It answers when the last inbox entry was written. It reads what this run made, not the whole
// county, which may be large.
func (r *runner) check(ctx context.Context) (delivered time.Time, err error) {
	outcomes, err := r.existing(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("list the referrals of the run: %w", err)
	}
	base := check.World{Accounts: r.place.accounts}
	if base.Lifecycle, err = r.lifecycle(ctx); err != nil {
		return time.Time{}, fmt.Errorf("read life cycle: %w", err)
	}
	if err := forEach(ctx, outcomes, r.readHistory); err != nil {
		return time.Time{}, fmt.Errorf("read histories: %w", err)
	}
	live, err := r.settle(ctx, base, outcomes)
	if err != nil {
		return time.Time{}, fmt.Errorf("read what became of the facts: %w", err)
	}
	r.checkPlaces(base, live, outcomes)
	if err := r.checkFigures(ctx); err != nil {
		return time.Time{}, fmt.Errorf("check figures: %w", err)
	}
	return r.deliveries(outcomes), nil
}

func (r *runner) lifecycle(ctx context.Context) ([]*referralv1.Action, error) {
	as, err := r.doctors[0].as(ctx)
	if err != nil {
		return nil, err
	}
	table, err := r.Referral.GetLifecycle(as, &referralv1.GetLifecycleRequest{})
	return table.GetActions(), err
}

// existing finds the acknowledged referrals again, by patient, so that one that nobody was told of is seen too.
func (r *runner) existing(ctx context.Context) ([]*outcome, error) {
	known, patients := map[string]*made{}, map[string]*made{}
	for _, m := range r.made {
		known[m.id], patients[m.patient] = m, m
	}
	var outcomes []*outcome
	err := forEach(ctx, values(patients), func(ctx context.Context, m *made) error {
		all, err := r.referralsOf(ctx, m)
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, referral := range all {
			switch {
			case known[referral.GetId()] != nil:
				outcomes = append(outcomes, &outcome{Referral: check.Referral{Referral: referral}, doctor: m.doctor})
				delete(known, referral.GetId())
			case r.failed.Load() == 0 && !referral.GetCreateTime().AsTime().Before(r.begin):
				// When calls have failed, a referral may be there whose answer got lost.
				r.breaches = append(r.breaches, "referral "+referral.GetId()+" exists and nobody was told: a request was doubled")
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for id := range known {
		r.breach("referral " + id + " was acknowledged and is lost")
	}
	return outcomes, nil
}

func (r *runner) referralsOf(ctx context.Context, m *made) ([]*referralv1.Referral, error) {
	ctx, err := m.doctor.as(ctx)
	if err != nil {
		return nil, err
	}
	var all []*referralv1.Referral
	for token := ""; ; {
		page, err := r.Referral.ListReferrals(ctx, &referralv1.ListReferralsRequest{View: "outbox", PatientId: m.patient, PageSize: 200, PageToken: token})
		if err != nil {
			return nil, err
		}
		all = append(all, page.GetReferrals()...)
		if token = page.GetNextPageToken(); token == "" {
			return all, nil
		}
	}
}

func (r *runner) readHistory(ctx context.Context, o *outcome) error {
	ctx, err := o.doctor.as(ctx)
	if err != nil {
		return err
	}
	answer, err := r.Referral.ListHistory(ctx, &referralv1.ListHistoryRequest{Id: o.GetId()})
	o.History = answer.GetHistory()
	return err
}

// settle reads places and inbox entries until no referral has a problem or patience ends. What is still wrong then is a breach.
func (r *runner) settle(ctx context.Context, base check.World, waiting []*outcome) (places, error) {
	until := r.options.Clock.Now().Add(settleTimeout)
	total := len(waiting)
	for {
		last := r.options.Clock.Now().After(until)
		live, err := r.live(ctx)
		if err != nil {
			return live, err
		}
		if err := forEach(ctx, waiting, r.readEntries); err != nil {
			return live, err
		}
		var again []*outcome
		for _, o := range waiting {
			problems := o.world(base, live).Problems()
			if len(problems) > 0 && !last {
				again = append(again, o)
				continue
			}
			for _, p := range problems {
				r.breach(p)
			}
		}
		if len(again) == 0 {
			return live, nil
		}
		r.progress(total-len(again), total, "settled")
		if err := pause(ctx, settlePoll); err != nil {
			return live, err
		}
		waiting = again
	}
}

func (r *runner) readEntries(ctx context.Context, o *outcome) error {
	o.entries = nil
	for token := ""; ; {
		page, err := r.Notification.ListDelivered(ctx, &notificationv1.ListDeliveredRequest{
			County: r.options.County, ReferralId: o.GetId(), PageSize: 200, PageToken: token,
		})
		if err != nil {
			return err
		}
		o.entries = append(o.entries, page.GetNotifications()...)
		if token = page.GetNextPageToken(); token == "" {
			return nil
		}
	}
}

// places are the holds and bookings that take capacity.
type places struct {
	holds    []*schedulingv1.Hold
	bookings []*schedulingv1.Booking
	// Of one referral.
	holdsOf    map[string][]*schedulingv1.Hold
	bookingsOf map[string][]*schedulingv1.Booking
}

func (r *runner) live(ctx context.Context) (places, error) {
	p := places{holdsOf: map[string][]*schedulingv1.Hold{}, bookingsOf: map[string][]*schedulingv1.Booking{}}
	for token := ""; ; {
		page, err := r.Scheduling.ListLive(ctx, &schedulingv1.ListLiveRequest{County: r.options.County, PageSize: 200, PageToken: token})
		if err != nil {
			return p, err
		}
		p.holds = append(p.holds, page.GetHolds()...)
		p.bookings = append(p.bookings, page.GetBookings()...)
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	for _, h := range p.holds {
		p.holdsOf[h.GetReferralId()] = append(p.holdsOf[h.GetReferralId()], h)
	}
	for _, b := range p.bookings {
		p.bookingsOf[b.GetReferralId()] = append(p.bookingsOf[b.GetReferralId()], b)
	}
	return p, nil
}

// world is the county as if there were this referral only.
func (o *outcome) world(base check.World, live places) check.World {
	base.Referrals = []check.Referral{o.Referral}
	base.Holds, base.Bookings = live.holdsOf[o.GetId()], live.bookingsOf[o.GetId()]
	base.Entries = o.entries
	return base
}

// checkPlaces finds places that are taken twice, whoever took them, and bookings that two referrals name.
func (r *runner) checkPlaces(base check.World, live places, outcomes []*outcome) {
	all := check.World{Lifecycle: base.Lifecycle}
	for _, o := range outcomes {
		all.Referrals = append(all.Referrals, o.Referral)
		all.Bookings = append(all.Bookings, live.bookingsOf[o.GetId()]...)
	}
	for _, p := range all.Problems() {
		r.breach(p)
	}
	taken := map[string]string{}
	take := func(place, what string) {
		if other, twice := taken[place]; twice {
			r.breach("place " + place + " is taken by " + other + " and by " + what)
		}
		taken[place] = what
	}
	for _, h := range live.holds {
		take(h.GetSlotId()+h.GetBedId(), "hold "+h.GetId())
	}
	for _, b := range live.bookings {
		take(b.GetSlotId()+b.GetBedId(), "booking "+b.GetId())
	}
}

// checkFigures holds what is counted against a recount of the whole county from history.
func (r *runner) checkFigures(ctx context.Context) error {
	checked, err := r.Statistics.CheckStatistics(ctx, &referralv1.CheckStatisticsRequest{County: r.options.County})
	if err != nil {
		return err
	}
	for _, p := range (check.World{Figures: checked.GetDifferences()}).Problems() {
		r.breach(p)
	}
	return nil
}

// deliveries takes the times from each transition to the inbox entries that it caused, and answers the last of them.
func (r *runner) deliveries(outcomes []*outcome) (last time.Time) {
	for _, o := range outcomes {
		happened := map[string]time.Time{}
		for _, row := range o.History {
			happened[event(row.GetAction())] = row.GetTime().AsTime()
		}
		// A candidate is found in the transaction that concludes.
		happened["candidate_found"] = happened["concluded"]
		for _, e := range o.entries {
			at := e.GetCreateTime().AsTime()
			if from := happened[e.GetEvent()]; !from.IsZero() {
				r.meter.add("commit to inbox", from, at)
				if heard := r.screens.at(e.GetId()); !heard.IsZero() {
					r.meter.add("commit to screen", from, heard)
				}
			}
			if at.After(last) {
				last = at
			}
		}
	}
	return last
}

// event is the name of the fact of an action that a run uses; "" for the others.
func event(action string) string {
	return map[string]string{
		"submit": "submitted", "accept": "accepted", "arrive": "arrived", "admit": "admitted", "conclude": "concluded", "acknowledge": "acknowledged",
	}[action]
}
