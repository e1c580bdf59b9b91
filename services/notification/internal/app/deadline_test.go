package app_test

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// late is the fact that the limit of a step passed on a rung; due tells one round of the step from the next.
func (f *fixture) late(step string, level int32, due time.Time) app.ReferralFact {
	fact := f.fact(domain.DeadlinePassed)
	fact.Deadline = domain.Deadline{Step: step, Level: level, Due: due}
	return fact
}

// open are the accounts with open entries of passed limits.
func (f *fixture) open() (accounts []string) {
	f.t.Helper()
	all, err := f.Delivered(f.t.Context(), county, "", app.Page{Limit: 200})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, e := range all {
		if e.Event == domain.DeadlinePassed && e.AcknowledgeTime.IsZero() {
			accounts = append(accounts, e.AccountID)
		}
	}
	slices.Sort(accounts)
	return accounts
}

func (f *fixture) wantOpen(want ...string) {
	f.t.Helper()
	if got := f.open(); !slices.Equal(got, want) {
		f.t.Errorf("open for %v, want %v", got, want)
	}
}

// Invariant 6.
func TestTheLadderIsClimbedAndNoRungIsToldTwice(t *testing.T) {
	each(t, func(f *fixture) {
		due := f.clk.Now()
		desk := app.Caller{County: county, AccountID: "desk", OrganizationID: "hospital"}
		for i, c := range []struct {
			level int32
			due   time.Time
			told  []string
		}{
			{1, due, []string{"desk"}}, {1, due, nil}, {2, due, []string{"head"}}, {3, due, []string{"admin"}}, {3, due, nil}, {4, due, []string{"admin"}},
			{1, due.Add(time.Hour), []string{"desk"}},
		} {
			fact := f.late("ANSWER", c.level, c.due)
			f.handle(fact)
			f.wantTold(fact, c.told...)
			if i == 0 {
				if n, err := f.AcknowledgeReferral(f.t.Context(), desk, "r"); err != nil || n != 1 {
					f.t.Errorf("acknowledged %d, %v", n, err)
				}
			}
		}
	})
}

// Invariant 7.
func TestAnAnswerAcknowledgesForEverybodyWhatWasLate(t *testing.T) {
	each(t, func(f *fixture) {
		due := f.clk.Now()
		f.handle(f.late("ANSWER", 1, due))
		f.handle(f.late("ANSWER", 2, due))
		f.handle(f.late("CONSENT", 1, due))
		f.wantOpen("desk", "doctor", "head")
		f.clk.Advance(time.Minute)
		f.handle(f.fact("accepted"))
		f.wantOpen("doctor") // the consent is still to come
		if n := f.count("SELECT count(*) FROM audit_entry WHERE account_id = $1 AND action = 'notification.acknowledge'", app.Self); n != 2 {
			f.t.Errorf("%d audit entries", n)
		}
		f.clk.Advance(time.Minute)
		f.handle(f.fact("consent_recorded"))
		f.wantOpen()
	})
}

// Invariant 7, whatever the order: the limit had passed before the answer, and is told after it.
func TestALimitThatIsToldAfterItsAnswerIsNoNews(t *testing.T) {
	each(t, func(f *fixture) {
		late := f.late("ANSWER", 1, f.clk.Now())
		f.clk.Advance(time.Minute)
		answer := f.fact("returned")
		f.clk.Advance(time.Minute)
		next := f.late("MISSING_INFORMATION", 1, f.clk.Now())
		f.handle(next) // of what the answer began: the answer does not end it
		f.handle(answer)
		f.handle(late)
		f.wantTold(late)
		f.wantTold(next, "doctor")
		f.wantOpen("doctor")
	})
}

// Invariant 7, at the same moment.
func TestAnswerAndLimitAtTheSameMomentLeaveNothingOpen(t *testing.T) {
	each(t, func(f *fixture) {
		f.handle(f.fact("submitted")) // the accounts are read
		var all sync.WaitGroup
		for i := range 10 {
			late, answer := f.late("ANSWER", 1, f.clk.Now()), f.fact("accepted")
			late.ReferralID, answer.ReferralID = "r"+strconv.Itoa(i), "r"+strconv.Itoa(i)
			late.OccurTime = answer.OccurTime.Add(-time.Second)
			for _, fact := range []app.ReferralFact{late, answer} {
				all.Go(func() {
					if err := f.OnReferral(f.t.Context(), fact); err != nil {
						f.t.Error(err)
					}
				})
			}
		}
		all.Wait()
		f.wantOpen()
	})
}

func TestADownReferralIsToldTheOtherWayRound(t *testing.T) {
	each(t, func(f *fixture) {
		down := func(event string) app.ReferralFact {
			fact := f.fact(event)
			fact.Direction, fact.OriginatorAccountID, fact.FamilyDoctor = domain.Down, "specialist", "colleague"
			fact.OriginatorOrganizationID, fact.OriginatorDepartmentCode = "hospital", "0304"
			fact.ReceiverOrganizationID, fact.ReceiverDepartmentCode = "centre", ""
			return fact
		}
		for _, c := range []struct {
			event string
			told  []string
		}{
			{"submitted", []string{"centre head", "colleague", "doctor"}}, {"accepted", []string{"specialist"}}, {"follow_up_begun", []string{"specialist"}},
			{"visit_recorded", nil}, {"escalated", []string{"specialist"}},
		} {
			fact := down(c.event)
			f.handle(fact)
			f.wantTold(fact, c.told...)
		}
		visit := down(domain.DeadlinePassed)
		visit.Deadline = domain.Deadline{Step: "VISIT", Level: 1, Due: f.clk.Now()}
		f.handle(visit)
		f.wantTold(visit, "colleague")
	})
}

func TestACandidateWithoutAReferralReachesItsDepartment(t *testing.T) {
	each(t, func(f *fixture) {
		fact := f.fact("candidate_found")
		fact.ReferralID, fact.Candidate = "", domain.Candidate{ID: "c", OrganizationID: "hospital", DepartmentCode: "0304"}
		f.handle(fact)
		f.wantTold(fact, "head", "specialist")
		list, _, err := f.List(f.t.Context(), app.EntryQuery{County: county, AccountID: "head", Limit: 10})
		if err != nil || len(list) != 1 || list[0].CandidateID != "c" {
			f.t.Errorf("%v, %v", list, err)
		}
	})
}

// Invariants 6 and 7. Nobody is urged to send down who is being sent up again; once that is over the limit is a new one, told as such.
func TestWhatWasToldOfACandidateIsOverWhileItRests(t *testing.T) {
	each(t, func(f *fixture) {
		due := f.clk.Now()
		about := func(event string) app.ReferralFact {
			fact := f.fact(event)
			fact.Candidate = domain.Candidate{ID: "c", OrganizationID: "hospital", DepartmentCode: "0304"}
			return fact
		}
		f.handle(f.late("DOWN_DECISION", 1, due))
		f.handle(f.late("DOWN_DECISION", 2, due))
		f.handle(f.late("STAY", 1, due))
		f.handle(f.late("CONSENT", 1, due))
		f.wantOpen("doctor", "head", "head", "head", "specialist", "specialist")
		tardy := f.late("DOWN_DECISION", 3, due)
		f.clk.Advance(time.Minute)
		f.handle(about("candidate_rested"))
		f.wantOpen("doctor") // a consent is no matter of the candidate
		f.handle(tardy)
		f.wantTold(tardy)
		f.clk.Advance(time.Hour)
		resumed := about("candidate_resumed")
		f.handle(resumed)
		f.wantTold(resumed)
		f.clk.Advance(72 * time.Hour)
		anew := f.late("DOWN_DECISION", 1, f.clk.Now())
		f.handle(anew)
		f.wantTold(anew, "head", "specialist")
		f.wantOpen("doctor", "head", "specialist")
	})
}

func TestWhoWasToldIsTheOwnOrganisationsBusiness(t *testing.T) {
	each(t, func(f *fixture) {
		f.handle(f.fact("redirected"))
		for _, c := range []struct {
			caller     app.Caller
			everywhere bool
			want       []string
		}{
			{app.Caller{County: county, AccountID: "specialist", OrganizationID: "hospital"}, false, []string{"name of desk"}},
			{app.Caller{County: county, AccountID: "colleague", OrganizationID: "centre"}, false, []string{"name of doctor"}},
			{app.Caller{County: county, AccountID: "admin", OrganizationID: "authority"}, true, []string{"name of desk", "name of doctor"}},
			{app.Caller{County: county, AccountID: "admin", OrganizationID: "authority"}, false, nil},
			{app.Caller{County: county, AccountID: "nobody"}, false, nil},
		} {
			told, err := f.Told(f.t.Context(), c.caller, app.ToldQuery{ReferralID: "r", Limit: 9}, c.everywhere)
			if err != nil {
				f.t.Fatal(err)
			}
			var names []string
			for _, one := range told {
				names = append(names, one.Name)
			}
			slices.Sort(names)
			if !slices.Equal(names, c.want) {
				f.t.Errorf("%s is shown %q, want %q", c.caller.AccountID, names, c.want)
			}
		}
	})
}
