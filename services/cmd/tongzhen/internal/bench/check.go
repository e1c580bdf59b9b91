package bench

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

const (
	// checkers work side by side; the load is over.
	checkers = 4
	// deliveryTimeout is how long the last facts may take to become inbox entries.
	deliveryTimeout = time.Minute
	deliveryPoll    = 200 * time.Millisecond
)

// check holds what the run made against the invariants, and answers when the last inbox entry was written.
//
//  1. Every acknowledged referral exists, and its patient has no other of this run.
//  2. No slot or bed is live twice; what was promised a place has it, and every live place its referral.
//  3. Histories are paths through the life-cycle table, versions without a gap.
//  4. Every fact became the entries that the rules ask for, each once.
func (r *runner) check(ctx context.Context) (delivered time.Time, err error) {
	referrals, err := r.checkExistence(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("check existence: %w", err)
	}
	if err := r.checkCapacity(ctx, referrals); err != nil {
		return time.Time{}, fmt.Errorf("check capacity: %w", err)
	}
	histories, err := r.checkHistories(ctx, referrals)
	if err != nil {
		return time.Time{}, fmt.Errorf("check histories: %w", err)
	}
	delivered, err = r.checkDelivery(ctx, histories)
	if err != nil {
		return time.Time{}, fmt.Errorf("check delivery: %w", err)
	}
	return delivered, nil
}

// forEach runs f over the list side by side and answers the first error.
func forEach[T any](ctx context.Context, list []T, f func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan T)
	var done sync.WaitGroup
	for range checkers {
		done.Go(func() {
			for item := range work {
				if err := limited(ctx, item, f); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, item := range list {
		if ctx.Err() != nil {
			break
		}
		work <- item
	}
	close(work)
	done.Wait()
	return context.Cause(ctx)
}

func limited[T any](ctx context.Context, item T, f func(context.Context, T) error) error {
	if ctx.Err() != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return f(ctx, item)
}

// checkExistence lists every patient's referrals and compares them with those that were acknowledged.
func (r *runner) checkExistence(ctx context.Context) (map[string]*referralv1.Referral, error) {
	known := map[string]*made{}
	patients := map[string]*made{}
	for _, m := range r.made {
		known[m.id], patients[m.patient] = m, m
	}
	found := map[string]*referralv1.Referral{}
	var mu sync.Mutex
	var list []*made
	for _, m := range patients {
		list = append(list, m)
	}
	err := forEach(ctx, list, func(ctx context.Context, m *made) error {
		all, err := r.referralsOf(ctx, m)
		mu.Lock()
		defer mu.Unlock()
		for _, referral := range all {
			if known[referral.GetId()] != nil {
				found[referral.GetId()] = referral
			} else if r.failed.Load() == 0 && referral.GetCreateTime().AsTime().After(r.begin) {
				// After a failed call a referral may be there whose answer got lost.
				r.breach("referral " + referral.GetId() + " exists and nobody was told: a request was doubled")
			}
		}
		return err
	})
	for id := range known {
		if err == nil && found[id] == nil {
			r.breach("referral " + id + " was acknowledged and is lost")
		}
	}
	return found, err
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

// promised tells whether a referral in this state still needs its place.
func promised(s referralv1.State_Code) bool {
	return slices.Contains([]referralv1.State_Code{referralv1.State_ACCEPTED, referralv1.State_ARRIVED, referralv1.State_ADMITTED}, s)
}

// answered tells whether a referral in this state may own a booking.
func answered(s referralv1.State_Code) bool {
	return promised(s) || slices.Contains([]referralv1.State_Code{referralv1.State_CONCLUDED, referralv1.State_FOLLOW_UP, referralv1.State_CLOSED}, s)
}

func (r *runner) checkCapacity(ctx context.Context, referrals map[string]*referralv1.Referral) error {
	owner := map[string]string{}  // place → what has it
	booked := map[string]string{} // referral → live booking
	take := func(place, who string) {
		if place == "" {
			return
		}
		if other, taken := owner[place]; taken && other != who {
			r.breach("place " + place + " is taken by " + other + " and by " + who)
		}
		owner[place] = who
	}
	for token := ""; ; {
		page, err := r.Scheduling.ListLive(rpc.AsService(ctx), &schedulingv1.ListLiveRequest{County: r.options.County, PageSize: 200, PageToken: token})
		if err != nil {
			return err
		}
		for _, h := range page.GetHolds() {
			take(h.GetSlotId()+h.GetBedId(), "hold "+h.GetId())
		}
		for _, b := range page.GetBookings() {
			take(b.GetSlotId()+b.GetBedId(), "hold "+b.GetHoldId())
			booked[b.GetReferralId()] = b.GetId()
			if referral := referrals[b.GetReferralId()]; referral != nil && !answered(referral.GetState()) {
				r.breach("booking " + b.GetId() + " is live, and its referral " + referral.GetId() + " is " + referral.GetState().String())
			}
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	for id, referral := range referrals {
		if promised(referral.GetState()) && referral.GetWalkIn() == nil && (referral.GetBookingId() == "" || booked[id] != referral.GetBookingId()) {
			r.breach("referral " + id + " is " + referral.GetState().String() + " and has neither a live booking nor a walk-in window")
		}
	}
	return nil
}

// history of one referral.
type history struct {
	referral *referralv1.Referral
	rows     []*referralv1.HistoryRow // transitions only
}

func (r *runner) checkHistories(ctx context.Context, referrals map[string]*referralv1.Referral) ([]history, error) {
	as, err := r.doctors[0].as(ctx)
	if err != nil {
		return nil, err
	}
	table, err := r.Referral.GetLifecycle(as, &referralv1.GetLifecycleRequest{})
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var out []history
	err = forEach(ctx, r.made, func(ctx context.Context, m *made) error {
		referral := referrals[m.id]
		if referral == nil {
			return nil
		}
		ctx, err := m.doctor.as(ctx)
		if err != nil {
			return err
		}
		answer, err := r.Referral.ListHistory(ctx, &referralv1.ListHistoryRequest{Id: m.id})
		if err != nil {
			return err
		}
		h := history{referral: referral}
		for _, row := range answer.GetHistory() {
			if row.GetKind() == "TRANSITION" {
				h.rows = append(h.rows, row)
			}
		}
		if problem := h.problem(table.GetActions()); problem != "" {
			r.breach("referral " + m.id + ": " + problem)
		}
		mu.Lock()
		defer mu.Unlock()
		out = append(out, h)
		return nil
	})
	return out, err
}

// problem is what is wrong with the path; "" for nothing.
func (h history) problem(table []*referralv1.Action) string {
	state := referralv1.State_UNSPECIFIED
	for i, row := range h.rows {
		if int(row.GetVersion()) != i+1 {
			return fmt.Sprintf("history row %d has version %d", i+1, row.GetVersion())
		}
		if row.GetFrom() != state || !allowed(table, row) {
			return fmt.Sprintf("%s from %s to %s after %s is no path of the table", row.GetAction(), row.GetFrom(), row.GetTo(), state)
		}
		state = row.GetTo()
	}
	if int(h.referral.GetVersion()) != len(h.rows) || h.referral.GetState() != state {
		return fmt.Sprintf("is %s at version %d, and its history ends with %s at %d", h.referral.GetState(), h.referral.GetVersion(), state, len(h.rows))
	}
	return ""
}

func allowed(table []*referralv1.Action, row *referralv1.HistoryRow) bool {
	return slices.ContainsFunc(table, func(a *referralv1.Action) bool {
		from := slices.Contains(a.GetFrom(), row.GetFrom()) || len(a.GetFrom()) == 0 && row.GetFrom() == referralv1.State_UNSPECIFIED
		to := a.GetTo() == row.GetTo() || a.GetTo() == referralv1.State_UNSPECIFIED && row.GetTo() == row.GetFrom()
		return a.GetName() == row.GetAction() && from && to
	})
}

// checkDelivery waits until every transition that somebody is told of became its entries, and takes the time from the
// transition to the entry.
func (r *runner) checkDelivery(ctx context.Context, histories []history) (last time.Time, err error) {
	until := r.options.Clock.Now().Add(deliveryTimeout)
	waiting := histories
	for {
		var mu sync.Mutex
		var again []history
		err := forEach(ctx, waiting, func(ctx context.Context, h history) error {
			entries, err := r.Notification.ListDelivered(rpc.AsService(ctx), &notificationv1.ListDeliveredRequest{
				County: r.options.County, ReferralId: h.referral.GetId(), PageSize: 200,
			})
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			missing, newest := r.compareEntries(h, entries.GetNotifications())
			if missing != "" && r.options.Clock.Now().After(until) {
				r.breach(missing)
			} else if missing != "" {
				again = append(again, h)
				return nil
			}
			if newest.After(last) {
				last = newest
			}
			return nil
		})
		if err != nil || len(again) == 0 {
			return last, err
		}
		r.progress(len(histories)-len(again), len(histories), "notifications")
		if err := pause(ctx, deliveryPoll); err != nil {
			return last, err
		}
		waiting = again
	}
}

// compareEntries finds a doubled or a missing entry. When nothing is missing it also takes the delivery times.
func (r *runner) compareEntries(h history, entries []*notificationv1.Notification) (missing string, newest time.Time) {
	type key struct{ event, account string }
	there := map[key]*notificationv1.Notification{}
	twice := map[[2]string]bool{}
	for _, e := range entries {
		if fact := [2]string{e.GetFactId(), e.GetAccountId()}; twice[fact] {
			r.breach("fact " + e.GetFactId() + " made two entries for one account")
		} else {
			twice[fact] = true
		}
		there[key{e.GetEvent(), e.GetAccountId()}] = e
	}
	expected := 0
	for _, row := range h.rows {
		event, accounts := r.told(h.referral, row)
		for _, account := range accounts {
			if there[key{event, account}] == nil {
				return "referral " + h.referral.GetId() + ": nobody was told of " + event, time.Time{}
			}
			expected++
		}
	}
	if expected != len(entries) {
		r.breach(fmt.Sprintf("referral %s has %d inbox entries, the rules ask for %d", h.referral.GetId(), len(entries), expected))
	}
	for _, row := range h.rows {
		event, accounts := r.told(h.referral, row)
		for _, account := range accounts {
			at := there[key{event, account}].GetCreateTime().AsTime()
			r.meter.add("commit to inbox", row.GetTime().AsTime(), at)
			if at.After(newest) {
				newest = at
			}
		}
	}
	return "", newest
}
