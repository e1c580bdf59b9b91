package app_test

import (
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Invariant 2.
func TestAFactDeliveredAgainAlsoAtTheSameMomentMakesNoSecondEntry(t *testing.T) {
	each(t, func(f *fixture) {
		fact := f.fact("submitted")
		fact.Urgency = "EMERGENCY"
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := f.OnReferral(f.t.Context(), fact); err != nil {
					f.t.Error(err)
				}
			})
		}
		all.Wait()
		f.handle(fact)
		f.wantTold(fact, "desk", "head", "specialist")
		if n := f.count("SELECT count(*) FROM outbox WHERE subject = $1", "notification.v1."+county+".entry_created"); n != 3 {
			f.t.Errorf("%d facts entry_created", n)
		}
		if f.directory.read != 1 {
			f.t.Errorf("the directory was read %d times", f.directory.read)
		}
	})
}

// Invariant 1.
func TestTheJourneyReachesDeskAndOriginator(t *testing.T) {
	each(t, func(f *fixture) {
		for _, c := range []struct{ event, told string }{
			{"submitted", "desk"}, {"returned", "doctor"}, {"resubmitted", "desk"}, {"accepted", "doctor"}, {"arrived", "doctor"},
			{"admitted", "doctor"}, {"concluded", "doctor"}, {"acknowledged", "desk"}, {"cancelled", "desk"},
		} {
			fact := f.fact(c.event)
			f.handle(fact)
			f.wantTold(fact, c.told)
		}
		seen := f.fact("seen")
		f.handle(seen)
		f.wantTold(seen)
	})
}

func TestWithoutTheOriginatorTheCentresDoctorsAreTold(t *testing.T) {
	each(t, func(f *fixture) {
		f.handle(f.fact("accepted"))
		gone := domain.Account{County: county, ID: "doctor", Version: 2, OrganizationID: "centre", Roles: []string{"TOWNSHIP_DOCTOR"}, Disabled: true}
		if err := f.OnAccount(f.t.Context(), "notification-account", id.New(), gone); err != nil {
			f.t.Fatal(err)
		}
		fact := f.fact("concluded")
		f.handle(fact)
		f.wantTold(fact, "colleague")
	})
}

// Invariant 3.
func TestNothingIsToldBeforeTheDirectoryWasRead(t *testing.T) {
	each(t, func(f *fixture) {
		f.directory.away = true
		fact := f.fact("submitted")
		if err := f.OnReferral(f.t.Context(), fact); errs.KindOf(err) != errs.KindUnavailable {
			f.t.Errorf("without the directory: %v", err)
		}
		f.wantTold(fact)
		f.directory.away = false
		f.handle(fact)
		f.wantTold(fact, "desk")
	})
}

// Invariant 3.
func TestAnUnknownOrganisationIsReadOnceAndOnlyIfItMayBeNew(t *testing.T) {
	each(t, func(f *fixture) {
		f.handle(f.fact("submitted"))
		old := f.fact("submitted")
		old.ReceiverOrganizationID = "new hospital"
		f.handle(old) // as old as the reading: the organisation had nobody
		f.wantTold(old)
		f.clk.Advance(time.Minute)
		f.directory.add("new desk", "new hospital", "INTAKE_DESK")
		fact := f.fact("submitted")
		fact.ReceiverOrganizationID = "new hospital"
		f.handle(fact)
		f.wantTold(fact, "new desk")
		nobody := f.fact("submitted")
		nobody.ReceiverOrganizationID = "nowhere"
		f.handle(nobody)
		f.wantTold(nobody)
		if f.directory.read != 2 {
			f.t.Errorf("the directory was read %d times, want 2", f.directory.read)
		}
	})
}

func TestAReadingBringsEveryKnownCountyUpToDate(t *testing.T) {
	each(t, func(f *fixture) {
		if err := f.ReadKnown(f.t.Context()); err != nil || f.directory.read != 0 {
			f.t.Fatalf("with no county: %v, read %d times", err, f.directory.read)
		}
		f.handle(f.fact("submitted"))
		f.clk.Advance(10 * time.Minute)
		f.directory.add("second desk", "hospital", "INTAKE_DESK")
		if err := f.ReadKnown(f.t.Context()); err != nil {
			f.t.Fatal(err)
		}
		fact := f.fact("submitted")
		f.handle(fact)
		f.wantTold(fact, "desk", "second desk")
		f.directory.away = true
		f.clk.Advance(10 * time.Minute)
		if err := f.ReadKnown(f.t.Context()); errs.KindOf(err) != errs.KindUnavailable {
			f.t.Error(err)
		}
	})
}

// Invariants 4 and 5.
func TestAPersonAcknowledgesTheOwnEntriesOnce(t *testing.T) {
	each(t, func(f *fixture) {
		for _, event := range []string{"accepted", "arrived", "concluded"} {
			f.handle(f.fact(event))
		}
		doctor, desk := app.Caller{County: county, AccountID: "doctor", OrganizationID: "centre"}, app.Caller{County: county, AccountID: "desk"}
		list, open, err := f.List(f.t.Context(), app.EntryQuery{County: county, AccountID: "doctor", Limit: 10})
		if err != nil || len(list) != 3 || open != 3 {
			f.t.Fatalf("%d entries, %d open, %v", len(list), open, err)
		}
		if _, err := f.Acknowledge(f.t.Context(), desk, list[0].ID); errs.KindOf(err) != errs.KindNotFound {
			f.t.Errorf("somebody else: %v", err)
		}
		first, err := f.Acknowledge(f.t.Context(), doctor, list[0].ID)
		if err != nil {
			f.t.Fatal(err)
		}
		f.clk.Advance(time.Minute)
		if again, err := f.Acknowledge(f.t.Context(), doctor, list[0].ID); err != nil || !again.AcknowledgeTime.Equal(first.AcknowledgeTime) {
			f.t.Errorf("again: %s, want %s, %v", again.AcknowledgeTime, first.AcknowledgeTime, err)
		}
		if n, err := f.AcknowledgeReferral(f.t.Context(), desk, "r"); err != nil || n != 0 {
			f.t.Errorf("the desk acknowledged %d, %v", n, err)
		}
		for _, want := range []int{2, 0} {
			if n, err := f.AcknowledgeReferral(f.t.Context(), doctor, "r"); err != nil || n != want {
				f.t.Errorf("acknowledged %d, want %d, %v", n, want, err)
			}
		}
		if n := f.count("SELECT count(*) FROM outbox WHERE subject = $1", "notification.v1."+county+".entry_acknowledged"); n != 3 {
			f.t.Errorf("%d facts", n)
		}
		if n := f.count("SELECT count(*) FROM audit_entry WHERE account_id = 'doctor' AND action = 'notification.acknowledge'"); n != 3 {
			f.t.Errorf("%d audit entries", n)
		}
	})
}
