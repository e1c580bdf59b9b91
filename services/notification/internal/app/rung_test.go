package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// fromCentre is a doctor of who sent the patient.
func fromCentre() app.Caller {
	return app.Caller{County: county, AccountID: "colleague", OrganizationID: "centre"}
}

func TestWhoSentThePatientSeesAtWhomItRang(t *testing.T) {
	each(t, func(f *fixture) {
		f.roster("hospital", "DESK", "desk", "specialist")
		fact := f.emergency("submitted")
		if _, err := f.Rung(f.t.Context(), fromCentre(), fact.ReferralID); errs.KindOf(err) != errs.KindNotFound {
			f.t.Fatalf("before it rings: %v", err)
		}
		f.handle(fact)
		f.later(time.Minute)
		v, err := f.Rung(f.t.Context(), fromCentre(), fact.ReferralID)
		if err != nil || v.State != domain.AlarmRinging || v.Rings == 0 {
			f.t.Fatalf("%+v, %v", v, err)
		}
		at := slices.IndexFunc(v.People, func(p app.RungPerson) bool { return p.AccountID == "desk" })
		if at < 0 || v.People[at].Name == "" || len(v.People[at].Roles) == 0 || v.People[at].Told.IsZero() || !v.People[at].Acknowledged.IsZero() || len(v.People[at].Ways) == 0 {
			f.t.Errorf("%+v", v.People)
		}
		if slices.ContainsFunc(v.People, func(p app.RungPerson) bool { return p.AccountID == "doctor" || p.AccountID == "colleague" }) {
			f.t.Error("the sender's own people are among those of the receiver")
		}
		if _, err := f.Rung(f.t.Context(), f.caller("desk"), fact.ReferralID); err != nil {
			f.t.Errorf("the receiver: %v", err)
		}
		stranger := app.Caller{County: county, AccountID: "stranger", OrganizationID: "another centre"}
		if _, err := f.Rung(f.t.Context(), stranger, fact.ReferralID); errs.KindOf(err) != errs.KindNotFound {
			f.t.Errorf("a stranger: %v", err)
		}
		if _, err := f.AcknowledgeAlarm(f.t.Context(), f.caller("desk"), v.ID); err != nil {
			f.t.Fatal(err)
		}
		if v, err = f.Rung(f.t.Context(), fromCentre(), fact.ReferralID); err != nil || v.State != domain.AlarmAcknowledged || v.AcknowledgeAccount != "desk" || v.Taker == "" || v.AcknowledgeTime.IsZero() {
			f.t.Errorf("who took it on: %+v, %v", v, err)
		}
	})
}

func TestWhoSentThePatientSaysThatTheyTelephoned(t *testing.T) {
	each(t, func(f *fixture) {
		f.roster("hospital", "DESK", "desk", "specialist")
		fact := f.emergency("submitted")
		f.handle(fact)
		said := app.Telephoning{ReferralID: fact.ReferralID, ReachedName: "韦护士", RequestID: id.New()}
		for range 2 {
			v, err := f.RecordTelephoned(f.t.Context(), fromCentre(), said)
			if err != nil || v.State != domain.AlarmRinging || len(v.Call.Records) != 1 || v.Call.Records[0].ReachedName != "韦护士" || v.Call.Names["colleague"] == "" {
				f.t.Fatalf("%+v, %v", v, err)
			}
		}
		if n := f.count("SELECT count(*) FROM audit_entry WHERE account_id = 'colleague' AND action = 'call.record'"); n != 1 {
			f.t.Errorf("%d audit entries", n)
		}
		calls, err := f.Calls(f.t.Context(), app.CallQuery{County: county, OrganizationID: "hospital", Limit: 10})
		if err != nil || len(calls) != 1 || calls[0].State != domain.CallOpen || len(calls[0].Records) != 1 || f.ringing("desk") != 1 {
			f.t.Fatalf("the county's list: %+v, %v", calls, err)
		}
		// Nobody took the patient in: the task is told at its time all the same.
		due := func() int {
			return f.count("SELECT count(*) FROM entry WHERE event = 'call_due' AND account_id = 'doctor'")
		}
		if due() != 0 {
			f.t.Error("the task is told before its time")
		}
		f.later(6 * time.Minute)
		if due() != 1 || f.count("SELECT count(*) FROM call_task") != 1 {
			f.t.Error("the task is not told at its time, or there are two")
		}
		for name, c := range map[string]struct {
			who    app.Caller
			change func(*app.Telephoning)
			reason string
		}{
			"the receiver":  {f.caller("desk"), func(*app.Telephoning) {}, errs.ReasonRole},
			"in the future": {fromCentre(), func(t *app.Telephoning) { t.Time = f.clk.Now().Add(time.Hour) }, errs.ReasonFieldOutOfRange},
			"yesterday":     {fromCentre(), func(t *app.Telephoning) { t.Time = f.clk.Now().Add(-24 * time.Hour) }, errs.ReasonFieldInvalid},
		} {
			again := app.Telephoning{ReferralID: fact.ReferralID, RequestID: id.New()}
			c.change(&again)
			if _, err := f.RecordTelephoned(f.t.Context(), c.who, again); errs.ReasonOf(err) != c.reason {
				f.t.Errorf("%s: %v", name, err)
			}
		}
		v, err := f.Rung(f.t.Context(), f.caller("desk"), fact.ReferralID)
		if err != nil {
			f.t.Fatal(err)
		}
		if _, err := f.AcknowledgeAlarm(f.t.Context(), f.caller("desk"), v.ID); err != nil {
			f.t.Fatal(err)
		}
		if _, err := f.RecordTelephoned(f.t.Context(), fromCentre(), app.Telephoning{ReferralID: fact.ReferralID, RequestID: id.New()}); errs.KindOf(err) != errs.KindWrongState {
			f.t.Errorf("after somebody took it on: %v", err)
		}
	})
}

// A task that was begun early goes with its alarm.
func TestATaskBegunEarlyEndsWithTheAlarm(t *testing.T) {
	each(t, func(f *fixture) {
		fact := f.emergency("submitted")
		f.handle(fact)
		if _, err := f.RecordTelephoned(f.t.Context(), fromCentre(), app.Telephoning{ReferralID: fact.ReferralID, RequestID: id.New()}); err != nil {
			f.t.Fatal(err)
		}
		f.later(time.Minute)
		f.handle(f.emergency("accepted"))
		if n := f.count("SELECT count(*) FROM call_task WHERE state = 'OBSOLETE'"); n != 1 {
			f.t.Errorf("%d ended", n)
		}
	})
}
