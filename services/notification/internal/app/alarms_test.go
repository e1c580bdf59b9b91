package app_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/duty"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
	"github.com/tongzhen/tongzhen/services/notification/internal/events"
	"github.com/tongzhen/tongzhen/services/notification/internal/store"
)

func (f *fixture) emergency(event string) app.ReferralFact {
	fact := f.fact(event)
	fact.Urgency, fact.Version = domain.UrgencyEmergency, 1
	fact.PatientID = "patient"
	return fact
}

// roster has one on duty at a post around the clock, with one behind.
func (f *fixture) roster(organization, department, first, second string) {
	f.t.Helper()
	r := app.Roster{Post: domain.Post{OrganizationID: organization, DepartmentCode: department}, Version: 1}
	for day := 1; day <= 7; day++ {
		r.Plan.Shifts = append(r.Plan.Shifts, duty.Shift{Weekday: day, AccountID: first}, duty.Shift{Weekday: day, AccountID: second, Line: 1})
	}
	if err := f.OnRoster(f.t.Context(), "rosters", id.New(), county, r); err != nil {
		f.t.Fatal(err)
	}
}

// later lets time pass and rings what is due.
func (f *fixture) later(d time.Duration) {
	f.t.Helper()
	f.clk.Advance(d)
	if err := f.RingDue(f.t.Context(), "test"); err != nil {
		f.t.Fatal(err)
	}
}

// ringing are the rings of the one alarm that rings at a person, 0 if none does.
func (f *fixture) ringing(account string) int {
	f.t.Helper()
	alarms, err := f.Alarms(f.t.Context(), app.AlarmQuery{County: county, AccountID: account, Limit: 9})
	if err != nil || len(alarms) > 1 {
		f.t.Fatalf("%d alarms at %s, %v", len(alarms), account, err)
	}
	if len(alarms) == 0 {
		return 0
	}
	return alarms[0].Rings
}

func (f *fixture) caller(account string) app.Caller {
	return app.Caller{County: county, AccountID: account, OrganizationID: "hospital"}
}

func (f *fixture) entryOf(account string) domain.EntryData {
	f.t.Helper()
	list, _, err := f.List(f.t.Context(), app.EntryQuery{County: county, AccountID: account, Limit: 10})
	if err != nil || len(list) == 0 {
		f.t.Fatalf("%s has no entry, %v", account, err)
	}
	return list[0]
}

func (f *fixture) rung() int {
	return f.count("SELECT count(*) FROM outbox WHERE type = 'tongzhen.notification.v1.AlarmRang'")
}

func TestAnEmergencyRingsEveryMinuteAtThoseOnDutyUntilOneAcknowledges(t *testing.T) {
	each(t, func(f *fixture) {
		f.directory.add("second desk", "hospital", "INTAKE_DESK")
		f.roster("hospital", "DESK", "desk", "second desk")
		f.handle(f.emergency("submitted"))
		// The desk is on duty; of the department nobody is planned, so all are told.
		for account, want := range map[string]int{"desk": 1, "specialist": 1, "head": 1, "second desk": 0, "doctor": 0, "admin": 0} {
			if got := f.ringing(account); got != want {
				t := f.t
				t.Errorf("rings at %s: %d, want %d", account, got, want)
			}
		}
		f.later(59 * time.Second)
		if got := f.ringing("desk"); got != 1 {
			f.t.Errorf("before a minute: %d", got)
		}
		f.later(time.Second)
		f.later(time.Minute)
		if got := f.ringing("second desk"); got != 3 {
			f.t.Errorf("the second line at the third ring: %d", got)
		}
		if e := f.entryOf("desk"); e.Rings != 3 || e.Event != "submitted" || e.AlarmID == "" {
			f.t.Errorf("entry %+v", e)
		}
		// Down for an hour: one ring, not sixty.
		f.later(time.Hour)
		if got := f.ringing("desk"); got != 4 || f.rung() != 4 {
			f.t.Errorf("after an hour: %d rings, %d facts", got, f.rung())
		}
		if _, err := f.Acknowledge(f.t.Context(), f.caller("head"), f.entryOf("head").ID); err != nil {
			f.t.Fatal(err)
		}
		f.later(10 * time.Minute)
		for _, account := range []string{"desk", "second desk", "head"} {
			if got := f.ringing(account); got != 0 {
				f.t.Errorf("it rings on at %s", account)
			}
		}
		if n := f.count("SELECT count(*) FROM outbox WHERE type = 'tongzhen.notification.v1.AlarmAcknowledged'"); n != 1 || f.rung() != 4 {
			f.t.Errorf("%d ends, %d rings", n, f.rung())
		}
		if n := f.count("SELECT count(*) FROM delivery WHERE alarm_id <> '' AND state = 'PENDING'"); n != 0 {
			f.t.Errorf("%d messages are still to go out", n)
		}
		if e := f.entryOf("desk"); !e.AcknowledgeTime.IsZero() {
			f.t.Error("another's entry was acknowledged, too")
		}
	})
}

func TestAnAlarmStopsOnEveryChannel(t *testing.T) {
	each(t, func(f *fixture) {
		for name, stop := range map[string]func(app.AlarmView) error{
			"the alarm itself": func(a app.AlarmView) error {
				for range 2 {
					if _, err := f.AcknowledgeAlarm(f.t.Context(), f.caller("desk"), a.ID); err != nil {
						return err
					}
				}
				return nil
			},
			"the link": func(a app.AlarmView) error {
				return store.New(f.db, crypt.TestRing(), events.Encode, store.Wakes{}).Change(f.t.Context(), app.Command{Caller: f.caller("desk"), ByLink: true}, func(u app.Unit) error {
					return f.StopByLink(f.t.Context(), u, app.Link{AccountID: "desk", AlarmID: a.ID})
				})
			},
			"an answer": func(a app.AlarmView) error {
				fact := f.emergency("accepted")
				fact.ReferralID = a.About.ReferralID
				f.handle(fact)
				return nil
			},
		} {
			fact := f.emergency("submitted")
			fact.ReferralID = name
			f.handle(fact)
			alarms, err := f.Alarms(f.t.Context(), app.AlarmQuery{County: county, AccountID: "head", Limit: 9})
			if err != nil || len(alarms) != 1 {
				f.t.Fatalf("%s: %d alarms, %v", name, len(alarms), err)
			}
			f.clk.Advance(time.Second)
			if n, err := f.AcknowledgeReferral(f.t.Context(), f.caller("desk"), name); err != nil || n != 0 || f.ringing("head") != 1 {
				f.t.Fatalf("%s: who only looks at the page silences it: %d, %v", name, n, err)
			}
			if err := stop(alarms[0]); err != nil {
				f.t.Fatalf("%s: %v", name, err)
			}
			if n := f.ringing("head"); n != 0 {
				f.t.Errorf("%s does not stop it", name)
			}
		}
		if _, err := f.AcknowledgeAlarm(f.t.Context(), f.caller("doctor"), id.FromFact("alarm", "an answer", "x")); errs.KindOf(err) != errs.KindNotFound {
			f.t.Errorf("another's alarm: %v", err)
		}
	})
}

func TestEachWaitingRoundHasOneAlarmAndALateFactNone(t *testing.T) {
	each(t, func(f *fixture) {
		first := f.emergency("submitted")
		f.handle(first)
		f.handle(first)
		f.clk.Advance(time.Second)
		answered := f.emergency("returned")
		f.handle(answered)
		if n := f.ringing("desk"); n != 0 {
			f.t.Error("an answered emergency rings")
		}
		f.clk.Advance(time.Second)
		f.handle(f.emergency("resubmitted"))
		f.clk.Advance(time.Second)
		f.handle(f.emergency("redirected"))
		if n := f.ringing("desk"); n != 1 {
			f.t.Errorf("%d", n)
		}
		// The answer came before the fact that it answers.
		late, answer := f.emergency("submitted"), f.emergency("accepted")
		late.ReferralID, answer.ReferralID = "late", "late"
		answer.OccurTime = late.OccurTime.Add(time.Second)
		f.handle(answer)
		f.handle(late)
		if n := f.count("SELECT count(*) FROM alarm"); n != 3 {
			f.t.Errorf("%d alarms, want one for each round", n)
		}
		if n := f.count("SELECT count(*) FROM alarm WHERE state = 'RINGING'"); n != 1 {
			f.t.Errorf("%d ring", n)
		}
		urgent := f.fact("submitted")
		urgent.Urgency, urgent.ReferralID = domain.UrgencyUrgent, "urgent"
		f.handle(urgent)
		if n := f.count("SELECT count(*) FROM alarm WHERE referral_id = 'urgent'"); n != 0 {
			f.t.Error("what is no emergency rings")
		}
	})
}

func TestTheLadderHasTheSameAlarmRingFurtherUp(t *testing.T) {
	each(t, func(f *fixture) {
		f.roster("hospital", "0304", "specialist", "specialist")
		f.handle(f.emergency("submitted"))
		for level := range int32(2) {
			passed := f.emergency("deadline_passed")
			passed.Deadline = domain.Deadline{Step: "ANSWER", Level: level + 1, Due: f.clk.Now()}
			f.handle(passed)
		}
		f.later(time.Minute)
		for account, want := range map[string]int{"desk": 2, "specialist": 2, "head": 2, "doctor": 2, "colleague": 0} {
			if got := f.ringing(account); got != want {
				f.t.Errorf("rings at %s: %d, want %d", account, got, want)
			}
		}
		if n := f.count("SELECT count(*) FROM alarm"); n != 1 {
			f.t.Errorf("%d alarms", n)
		}
	})
}

// Several instances look at once: a minute has one ring.
func TestTwoInstancesRingOnce(t *testing.T) {
	each(t, func(f *fixture) {
		f.handle(f.emergency("submitted"))
		for minute := 2; minute <= 4; minute++ {
			f.clk.Advance(time.Minute)
			var all sync.WaitGroup
			for _, owner := range []string{"one", "two", "three"} {
				all.Go(func() {
					if err := f.RingDue(f.t.Context(), owner); err != nil {
						f.t.Error(err)
					}
				})
			}
			all.Wait()
			if got := f.rung(); got != minute {
				f.t.Errorf("minute %d: %d rings", minute, got)
			}
		}
	})
}

// What a process claimed that was killed is rung by another when its lease has run out, once; the one that comes back late rings nothing.
func TestARingSurvivesTheDeathOfWhoClaimedIt(t *testing.T) {
	each(t, func(f *fixture) {
		f.handle(f.emergency("submitted"))
		f.clk.Advance(time.Minute)
		killed := store.New(f.db, crypt.TestRing(), events.Encode, store.Wakes{})
		if claims, err := killed.ClaimAlarms(f.t.Context(), "killed", 20*time.Second, 10); err != nil || len(claims) != 1 {
			f.t.Fatalf("%d claims, %v", len(claims), err)
		}
		f.later(19 * time.Second)
		if got := f.rung(); got != 1 {
			f.t.Errorf("while another holds it: %d rings", got)
		}
		f.later(time.Second)
		f.later(time.Second)
		if got := f.rung(); got != 2 {
			f.t.Errorf("after its lease: %d rings", got)
		}
	})
}

func TestAlarmsAreListedByPagesOldestFirst(t *testing.T) {
	each(t, func(f *fixture) {
		var want []string
		for i := range 5 {
			fact := f.emergency("submitted")
			fact.ReferralID = string(rune('a' + i))
			if f.handle(fact); i%2 == 0 {
				f.clk.Advance(time.Second) // some share their instant
			}
		}
		whole, err := f.Alarms(f.t.Context(), app.AlarmQuery{County: county, AccountID: "desk", Limit: 9})
		if err != nil {
			f.t.Fatal(err)
		}
		for i, a := range whole {
			if want = append(want, a.ID); i > 0 && a.CreateTime.Before(whole[i-1].CreateTime) {
				f.t.Error("not the oldest first")
			}
		}
		var got []string
		for q := (app.AlarmQuery{County: county, AccountID: "desk", Limit: 2}); len(got) < 9; {
			page, err := f.Alarms(f.t.Context(), q)
			if err != nil {
				f.t.Fatal(err)
			}
			for _, a := range page {
				got = append(got, a.ID)
				q.AfterTime, q.AfterID = a.CreateTime, a.ID
			}
			if len(page) < q.Limit {
				break
			}
		}
		if len(want) != 5 || !slices.Equal(got, want) {
			f.t.Errorf("by pages %v, at once %v", got, want)
		}
	})
}
