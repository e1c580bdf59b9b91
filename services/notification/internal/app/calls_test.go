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

func TestAfterFiveMinutesSomebodyIsToBeTelephoned(t *testing.T) {
	each(t, func(f *fixture) {
		f.roster("hospital", "DESK", "desk", "specialist")
		f.handle(f.emergency("submitted"))
		f.later(4 * time.Minute)
		calls := func(ended bool) []app.CallView {
			out, err := f.Calls(f.t.Context(), app.CallQuery{County: county, OrganizationID: "hospital", Ended: ended, Limit: 10})
			if err != nil {
				f.t.Fatal(err)
			}
			return out
		}
		if len(calls(true)) != 0 {
			f.t.Error("a call before its time")
		}
		f.later(time.Minute)
		f.later(time.Minute)
		open := calls(false)
		if len(open) != 1 {
			f.t.Fatalf("%d calls", len(open))
		}
		var as []string
		for _, c := range open[0].Callees {
			as = append(as, c.AccountID+" "+c.As)
		}
		if want := []string{"desk ON_DUTY", "head ON_DUTY", "specialist ON_DUTY", " SWITCHBOARD"}; !slices.Equal(as, want) {
			f.t.Errorf("to call %q, want %q", as, want)
		}
		if open[0].Phones["desk"] != "120 desk" || open[0].Phones[""] == "" || open[0].Names["desk"] == "" {
			f.t.Errorf("names %v, numbers %v", open[0].Names, open[0].Phones)
		}
		// Numbers are the directory's: without it the calls are listed all the same.
		f.directory.away = true
		if without := calls(false); len(without) != 1 || without[0].Phones["desk"] != "" || without[0].Names["desk"] == "" {
			f.t.Errorf("%+v", without)
		}
		f.directory.away = false
		outcome := app.CallOutcome{ID: open[0].ID, Version: 1, Record: domain.CallRecord{Outcome: "NO_ANSWER", Note: "无人接听"}, RequestID: id.New()}
		for range 2 {
			if v, err := f.RecordCall(f.t.Context(), f.caller("desk"), false, outcome); err != nil || v.State != domain.CallOpen || v.Version != 2 {
				f.t.Fatalf("no answer: %+v, %v", v, err)
			}
		}
		stale := outcome
		stale.RequestID = id.New()
		if _, err := f.RecordCall(f.t.Context(), f.caller("desk"), false, stale); errs.ReasonOf(err) != errs.ReasonStaleVersion {
			f.t.Errorf("an old version: %v", err)
		}
		if _, err := f.RecordCall(f.t.Context(), app.Caller{County: county, AccountID: "stranger", OrganizationID: "another centre"}, false, stale); errs.KindOf(err) != errs.KindNotFound {
			f.t.Errorf("another organisation's call: %v", err)
		}
		elsewhere := outcome
		elsewhere.Version, elsewhere.RequestID, elsewhere.Record = 2, id.New(), domain.CallRecord{Outcome: domain.Reached, ReachedAccount: "colleague"}
		if _, err := f.RecordCall(f.t.Context(), f.caller("desk"), false, elsewhere); errs.ReasonOf(err) != errs.ReasonFieldInvalid {
			f.t.Errorf("who was never to be called was reached: %v", err)
		}
		reached := app.CallOutcome{ID: open[0].ID, Version: 2, Record: domain.CallRecord{Outcome: domain.Reached, ReachedAccount: "head"}, RequestID: id.New()}
		v, err := f.RecordCall(f.t.Context(), f.caller("admin"), true, reached)
		if err != nil || v.State != domain.CallDone || len(v.Records) != 2 {
			f.t.Fatalf("reached: %+v, %v", v, err)
		}
		if n := f.count("SELECT count(*) FROM alarm WHERE state = 'ACKNOWLEDGED' AND acknowledge_channel = 'CALL' AND acknowledge_account_id = 'head'"); n != 1 || f.ringing("desk") != 0 {
			f.t.Error("who was reached has not stopped the alarm")
		}
		// There is nobody to call any more.
		if all := calls(true); len(all) != 1 || all[0].Phones["desk"] != "" {
			f.t.Errorf("%+v", all)
		}
	})
}

// The patient is with the doctor who sent them: who hears that nobody answers, and may telephone, too.
func TestWhoSentThePatientIsAskedToTelephone(t *testing.T) {
	each(t, func(f *fixture) {
		told := func(want int) {
			f.t.Helper()
			if n := f.count("SELECT count(*) FROM entry WHERE event = 'call_due' AND account_id = 'doctor' AND acknowledge_time IS NULL"); n != want {
				f.t.Errorf("%d open notices, want %d", n, want)
			}
		}
		sender := app.Caller{County: county, AccountID: "colleague", OrganizationID: "centre"}
		open := func(want int) []app.CallView {
			f.t.Helper()
			n, err := f.OpenCalls(f.t.Context(), county, "centre")
			list, err2 := f.Calls(f.t.Context(), app.CallQuery{County: county, OrganizationID: "centre", Limit: 10})
			if err != nil || err2 != nil || n != want || len(list) != want {
				f.t.Fatalf("%d counted, %d listed, want %d (%v, %v)", n, len(list), want, err, err2)
			}
			return list
		}
		f.handle(f.emergency("submitted"))
		told(0)
		f.later(6 * time.Minute)
		told(1)
		waits := func() int {
			return f.count("SELECT count(*) FROM delivery WHERE event = 'call_due' AND account_id = 'doctor' AND state = 'PENDING'")
		}
		if waits() == 0 {
			f.t.Error("no message asks the sender to telephone")
		}
		call := open(1)[0]
		if e := f.entryOf("doctor"); e.Event != domain.CallDue || e.FromOrganizationID != "hospital" || e.AlarmID != "" {
			f.t.Errorf("told is %+v", e)
		}
		if n, err := f.OpenCalls(f.t.Context(), county, "elsewhere"); err != nil || n != 0 {
			f.t.Errorf("a stranger counts %d, %v", n, err)
		}
		f.later(time.Minute)
		told(1)
		v, err := f.RecordCall(f.t.Context(), sender, false, app.CallOutcome{
			ID: call.ID, Version: call.Version, Record: domain.CallRecord{Outcome: domain.Reached, ReachedName: "总值班室"}, RequestID: id.New(),
		})
		if err != nil || v.State != domain.CallDone || f.ringing("desk") != 0 {
			f.t.Errorf("%+v, %v", v, err)
		}
		told(0)
		open(0)
		// Whom it could not reach so far it does not ask any more.
		if n := waits(); n != 0 {
			f.t.Errorf("%d messages still ask to telephone", n)
		}
	})
}

func TestACallThatNobodyNeedsIsObsolete(t *testing.T) {
	each(t, func(f *fixture) {
		f.handle(f.emergency("submitted"))
		f.later(6 * time.Minute)
		f.handle(f.emergency("accepted"))
		if n := f.count("SELECT count(*) FROM call_task WHERE state = 'OBSOLETE'"); n != 1 {
			f.t.Error("the call is still to be made")
		}
	})
}
