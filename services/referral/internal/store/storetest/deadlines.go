package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

const lease = time.Minute

// stroke is a draft of which no norm asks a check.
func stroke(patient string, kind domain.Kind) domain.Draft {
	d := Draft(patient, kind)
	d.Diagnoses = d.Diagnoses[:1]
	return d
}

func claim(t *testing.T, f Fixture, owner string) []app.Claim {
	t.Helper()
	claims, err := f.Store.Claim(t.Context(), owner, lease, 100)
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

// claimOne is the one rung that must be due.
func claimOne(t *testing.T, f Fixture, owner string) app.Claim {
	t.Helper()
	claims := claim(t, f, owner)
	if len(claims) != 1 {
		t.Fatalf("%d rungs are due, want 1", len(claims))
	}
	return claims[0]
}

// fire tells a rung, the next one after an hour, or never.
func fire(t *testing.T, f Fixture, c app.Claim, again bool) bool {
	t.Helper()
	fired, err := f.Store.Fire(t.Context(), c, func(u app.Unit, r *domain.Referral) (time.Time, error) {
		r.Expire(c.Rung, domain.Actor{AccountID: app.Self}, u.Now(), calendar())
		if again {
			return u.Now().Add(time.Hour), nil
		}
		return time.Time{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fired
}

func rungs(t *testing.T, f Fixture) {
	v := submitted(t, f, stroke("patient-1", domain.KindEmergency))
	if due := claim(t, f, "a"); len(due) > 0 {
		t.Fatalf("%d rungs are due before their time", len(due))
	}
	f.Clock.Advance(10 * time.Minute)
	first := claimOne(t, f, "a")
	if first.ReferralID != v.ID || first.Step != domain.StepAnswer || first.Level != 1 || !first.Due.Equal(v.DueTime) || !first.Limit.Equal(v.DueTime) {
		t.Errorf("claimed %+v", first)
	}
	if due := claim(t, f, "b"); len(due) > 0 {
		t.Errorf("another claims %d of the same", len(due))
	}
	woken := f.Woken()
	if !fire(t, f, first, true) || fire(t, f, first, true) || f.Woken() != woken+1 {
		t.Error("the rung was not told once")
	}
	if due := claim(t, f, "b"); len(due) > 0 {
		t.Errorf("%d rungs are due before the next", len(due))
	}
	f.Clock.Advance(time.Hour)
	next := claimOne(t, f, "b")
	if next.Level != 2 || !next.Due.Equal(f.Clock.Now()) || !next.Limit.Equal(v.DueTime) || !fire(t, f, next, false) {
		t.Errorf("then %+v", next)
	}
	f.Clock.Advance(1000 * time.Hour)
	if due := claim(t, f, "b"); len(due) > 0 {
		t.Error("it is not quiet after the last rung")
	}
	expectList(t, "deadlines", f.Deadlines(t), "ANSWER OPEN")
	expectList(t, "facts", f.Facts(t), "created", "submitted", "deadline_passed", "deadline_passed")
	expectList(t, "audit", f.Entries(t), "referral.submit", "referral.deadline_passed", "referral.deadline_passed")
	rows, err := f.Store.History(t.Context(), County, v.ID)
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if h := rows[3]; !h.Mark || h.Action != domain.MarkDeadlinePassed || h.By.AccountID != app.Self || h.Detail["step"] != "ANSWER" || h.Detail["level"] != "2" {
		t.Errorf("the timeline has %+v", h)
	}
	if got, err := f.Store.Get(t.Context(), desk(), v.ID); err != nil || got.Version != v.Version || got.State != v.State {
		t.Errorf("it is %s at version %d, %v", got.State, got.Version, err)
	}
}

func deadHolder(t *testing.T, f Fixture) {
	submitted(t, f, stroke("patient-1", domain.KindEmergency))
	f.Clock.Advance(10 * time.Minute)
	dead := claimOne(t, f, "dead")
	f.Clock.Advance(lease - time.Second)
	if due := claim(t, f, "heir"); len(due) > 0 {
		t.Fatal("a lease that runs was taken over")
	}
	f.Clock.Advance(time.Second)
	heir := claimOne(t, f, "heir")
	if heir.Fence <= dead.Fence {
		t.Errorf("the fence is %d after %d", heir.Fence, dead.Fence)
	}
	before := f.Dump(t)
	if fire(t, f, dead, true) || f.Dump(t) != before {
		t.Error("a holder that was overtaken wrote something")
	}
	if !fire(t, f, heir, true) {
		t.Error("the heir told nothing")
	}
	if fire(t, f, dead, true) {
		t.Error("a holder that was overtaken told it again")
	}
	expectList(t, "facts", f.Facts(t), "created", "submitted", "deadline_passed")
}

func answered(t *testing.T, f Fixture) {
	v := submitted(t, f, stroke("patient-1", domain.KindEmergency))
	other := submitted(t, f, stroke("patient-2", domain.KindEmergency))
	must(t, f, desk(), other, domain.Command{Action: domain.ActionDecline, Carry: domain.Carry{Reason: "NO_BED"}})
	f.Clock.Advance(10 * time.Minute)
	claimed := claimOne(t, f, "a")
	if claimed.ReferralID != v.ID {
		t.Error("a limit that was kept is due")
	}
	v = must(t, f, desk(), v, domain.Command{Action: domain.ActionReturn, Carry: domain.Carry{Reason: "MISSING_RESULTS", Note: Secret}})
	before := f.Dump(t)
	if fire(t, f, claimed, true) || f.Dump(t) != before {
		t.Error("a step that has ended was told")
	}
	// The same step begins anew: a claim of before means nothing.
	must(t, f, Doctor(), v, domain.Command{Action: domain.ActionResubmit})
	if fire(t, f, claimed, true) {
		t.Error("a step that begins anew was told by an old claim")
	}
	open := f.Deadlines(t)
	slices.Sort(open)
	expectList(t, "deadlines", open, "ANSWER OPEN", "ANSWER STOPPED", "MISSING_INFORMATION STOPPED")
	f.Clock.Advance(10 * time.Minute)
	if anew := claimOne(t, f, "a"); anew.Level != 1 || !fire(t, f, anew, false) {
		t.Errorf("the step that begins anew is at %+v", anew)
	}
}

func noShows(t *testing.T, f Fixture) {
	v := submitted(t, f, stroke("patient-1", domain.KindOutpatient))
	v = must(t, f, desk(), v, domain.Command{Action: domain.ActionAccept, Carry: walkIn(f)})
	f.Clock.Advance(v.DueTime.Sub(f.Clock.Now()))
	c := claimOne(t, f, "a")
	if c.Step != domain.StepArrival || !fire(t, f, c, false) {
		t.Errorf("claimed %+v", c)
	}
	got, err := f.Store.Get(t.Context(), Doctor(), v.ID)
	if err != nil || got.State != domain.StateNoShow || got.Version != v.Version+1 || !got.DueTime.IsZero() {
		t.Errorf("it is %s at version %d, due %v, %v", got.State, got.Version, got.DueTime, err)
	}
	expectList(t, "deadlines", f.Deadlines(t), "ANSWER STOPPED", "ARRIVAL STOPPED")
	facts := f.Facts(t)[3:]
	slices.Sort(facts) // both of one instant
	expectList(t, "facts", facts, "deadline_passed", "no_show")
	expectList(t, "audit", f.Entries(t)[2:], "referral.no_show")
}

func aside(t *testing.T, f Fixture) {
	d := stroke("patient-1", domain.KindEmergency)
	d.Consent = domain.Consent{DeferredReason: Secret}
	v := submitted(t, f, d)
	v = must(t, f, desk(), v, domain.Command{Action: domain.ActionArrive})
	expectList(t, "deadlines", f.Deadlines(t), "ANSWER STOPPED", "CONSENT OPEN", "REPLY OPEN")
	f.Clock.Advance(24 * time.Hour)
	if c := claimOne(t, f, "a"); c.Step != domain.StepConsent || !fire(t, f, c, true) {
		t.Errorf("claimed %+v", c)
	}
	_, err := f.Store.Change(t.Context(), command(Doctor(), "", ""), func(u app.Unit) error {
		r, err := u.Referral(t.Context(), v.ID)
		if err != nil {
			return err
		}
		u.Save(r)
		return r.Mark(domain.MarkCommand{
			Action: domain.MarkConsent, Side: domain.Originator, At: u.Now(), Consent: domain.Consent{GivenBy: Secret, Relation: "2", Method: "SIGNED"},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	expectList(t, "deadlines", f.Deadlines(t), "ANSWER STOPPED", "CONSENT STOPPED", "REPLY OPEN")
}

// claimRace has many ask at once: each rung is claimed by one of them.
func claimRace(t *testing.T, f Fixture) {
	const cases = 60
	for i := range cases {
		submitted(t, f, stroke(fmt.Sprint("patient-", i), domain.KindEmergency))
	}
	f.Clock.Advance(10 * time.Minute)
	var mu sync.Mutex
	owners := map[string]int{}
	race(func(i int) error {
		for {
			claims, err := f.Store.Claim(t.Context(), fmt.Sprint("instance-", i), lease, 10)
			if err != nil || len(claims) == 0 {
				return err
			}
			mu.Lock()
			for _, c := range claims {
				owners[c.ReferralID]++
			}
			mu.Unlock()
		}
	})
	if len(owners) != cases {
		t.Errorf("%d of %d rungs were claimed", len(owners), cases)
	}
	for id, n := range owners {
		if n != 1 {
			t.Errorf("referral %s was claimed %d times", id, n)
		}
	}
}
