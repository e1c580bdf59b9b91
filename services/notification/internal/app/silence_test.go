package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
	"github.com/tongzhen/tongzhen/services/notification/internal/events"
	"github.com/tongzhen/tongzhen/services/notification/internal/store"
)

// Who sent the patient knows of the emergency; that says nothing of whoever is to receive.
func TestWhoSentThePatientSilencesItForThemselvesOnly(t *testing.T) {
	each(t, func(f *fixture) {
		rings := func(when string, want map[string]int) {
			f.t.Helper()
			for account, n := range want {
				if got := f.ringing(account); got != n {
					f.t.Errorf("%s it rang %d times at %s, want %d", when, got, account, n)
				}
			}
		}
		f.handle(f.emergency("redirected"))
		if _, err := f.Acknowledge(f.t.Context(), f.caller("doctor"), f.entryOf("doctor").ID); err != nil {
			f.t.Fatal(err)
		}
		rings("after the sender knows where to,", map[string]int{"desk": 1, "specialist": 1})
		// Nobody answers at the new receiver either: that is other news than where the patient goes.
		f.clk.Advance(time.Second)
		second := f.emergency("deadline_passed")
		second.Deadline = domain.Deadline{Step: "ANSWER", Level: 2, Due: f.clk.Now()}
		f.handle(second)
		f.later(time.Minute)
		rings("on the second rung of the new receiver,", map[string]int{"desk": 2, "doctor": 2})
		f.later(time.Minute)
		rings("a minute on,", map[string]int{"desk": 3, "doctor": 3})
		rung := f.entryOf("doctor")
		if rung.Event != domain.AlarmRang {
			f.t.Fatalf("%+v", rung)
		}
		if _, err := f.Acknowledge(f.t.Context(), f.caller("doctor"), rung.ID); err != nil {
			f.t.Fatal(err)
		}
		f.later(time.Minute)
		rings("after the sender heard it,", map[string]int{"desk": 4, "doctor": 0})
		f.clk.Advance(time.Second)
		f.handle(f.emergency("accepted"))

		again := func(event string) app.ReferralFact {
			fact := f.emergency(event)
			fact.ReferralID = "again"
			return fact
		}
		f.handle(again("submitted"))
		passed := again("deadline_passed")
		passed.Deadline = domain.Deadline{Step: "ANSWER", Level: 2, Due: f.clk.Now()}
		f.handle(passed)
		f.later(time.Minute)
		rings("on the second rung", map[string]int{"desk": 2, "doctor": 2})
		alarms, err := f.Alarms(f.t.Context(), app.AlarmQuery{County: county, AccountID: "doctor", Limit: 9})
		if err != nil || len(alarms) != 1 {
			f.t.Fatalf("%v, %v", alarms, err)
		}
		if _, err := f.AcknowledgeReferral(f.t.Context(), f.caller("doctor"), "again"); err != nil {
			f.t.Fatal(err)
		}
		if _, err := f.AcknowledgeAlarm(f.t.Context(), f.caller("doctor"), alarms[0].ID); err != nil {
			f.t.Fatal(err)
		}
		err = store.New(f.db, crypt.TestRing(), events.Encode, store.Wakes{}).Change(f.t.Context(), app.Command{Caller: f.caller("doctor"), ByLink: true}, func(u app.Unit) error {
			return f.StopByLink(f.t.Context(), u, app.Link{AccountID: "doctor", AlarmID: alarms[0].ID})
		})
		if err != nil {
			f.t.Fatal(err)
		}
		rings("after the sender acknowledged", map[string]int{"desk": 2, "doctor": 0})
		f.later(time.Minute)
		rings("a minute later", map[string]int{"desk": 3, "doctor": 0})
		if n := f.count("SELECT count(*) FROM delivery WHERE account_id = 'doctor' AND ring = 3 AND referral_id = 'again'"); n != 0 {
			f.t.Errorf("%d messages to who knows", n)
		}
		if _, err := f.Acknowledge(f.t.Context(), f.caller("desk"), f.entryOf("desk").ID); err != nil {
			f.t.Fatal(err)
		}
		rings("after the receiver acknowledged", map[string]int{"desk": 0, "specialist": 0})
	})
}

func TestAGroupIsToldOnceAndNotAfterTheAcknowledgement(t *testing.T) {
	each(t, func(f *fixture) {
		waiting := func() int {
			return f.count("SELECT count(*) FROM delivery WHERE organization_id = 'hospital' AND account_id = '' AND state = 'PENDING'")
		}
		f.handle(f.emergency("submitted"))
		told := waiting()
		f.later(time.Minute)
		if n := waiting(); told == 0 || n != told {
			f.t.Errorf("%d messages to groups, %d after the next ring", told, n)
		}
		if _, err := f.Acknowledge(f.t.Context(), f.caller("head"), f.entryOf("head").ID); err != nil {
			f.t.Fatal(err)
		}
		if n := waiting(); n != 0 {
			f.t.Errorf("%d groups are still to be told that nobody has acknowledged", n)
		}
	})
}

func TestWhoWorksElsewhereNowIsNotOnDuty(t *testing.T) {
	each(t, func(f *fixture) {
		f.directory.add("moved", "elsewhere", "INTAKE_DESK")
		f.roster("hospital", "DESK", "moved", "moved")
		f.handle(f.emergency("submitted"))
		for account, want := range map[string]int{"moved": 0, "desk": 1} {
			if got := f.ringing(account); got != want {
				f.t.Errorf("rings at %s: %d, want %d", account, got, want)
			}
		}
	})
}
