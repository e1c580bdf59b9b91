package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// of is the candidate of an up-referral.
func (h house) of(t *testing.T, referralID string) app.CandidateView {
	t.Helper()
	for _, c := range h.candidates(t) {
		if c.ReferralID == referralID {
			return c
		}
	}
	t.Fatalf("referral %s has no candidate", referralID)
	return app.CandidateView{}
}

// Who is sent up again is not to go down before it is known what comes of that; the candidate stays, and has its whole time when that came to nothing.
func TestACandidateRestsWhileThePatientIsSentUpAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		first := h.conclude(t, admitted(t, h), "IMPROVED")
		h.clock.Advance(time.Hour)
		again := h.make(t, family(), creation(first.PatientID))
		c := h.only(t, domain.CandidateOpen)
		if c.UpAgainBy != again.ID || c.UpAgainNumber != again.Number || c.Urges() || h.limit(t, first.ID, domain.StepDownDecision) != "STOPPED" {
			t.Errorf("it rests on %q, limit %s", c.UpAgainBy, h.limit(t, first.ID, domain.StepDownDecision))
		}
		if found, rested := h.told(t, "candidate_found"), h.told(t, "candidate_rested"); found != 1 || rested != 1 {
			t.Errorf("found %d times, rested %d", found, rested)
		}
		h.clock.Advance(days(10))
		h.do(t, family(), again, domain.ActionCancel)
		c = h.only(t, domain.CandidateOpen)
		if c.UpAgainBy != "" || !c.Due.Equal(h.clock.Now().Add(days(3))) || h.limit(t, first.ID, domain.StepDownDecision) != "OPEN" {
			t.Errorf("it waits until %s, limit %s", c.Due, h.limit(t, first.ID, domain.StepDownDecision))
		}
		if found, rested, resumed := h.told(t, "candidate_found"), h.told(t, "candidate_rested"), h.told(t, "candidate_resumed"); found != 1 || rested != 1 || resumed != 1 {
			t.Errorf("found %d times, rested %d, resumed %d", found, rested, resumed)
		}
	})
}

func TestACandidateRestsFromTheBeginningAndFollowsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		first := admitted(t, h)
		again := h.make(t, family(), creation(first.PatientID))
		h.conclude(t, first, "IMPROVED")
		if c := h.of(t, first.ID); c.UpAgainBy != again.ID || h.limit(t, first.ID, domain.StepDownDecision) == "OPEN" {
			t.Errorf("who is on the way already is urged about: %q, %s", c.UpAgainBy, h.limit(t, first.ID, domain.StepDownDecision))
		}
		// An examination brings nobody into care, and another hospital's patient is not this one's.
		h.do(t, family(), again, domain.ActionCancel)
		in := creation(first.PatientID)
		in.Draft.Kind, in.Draft.ExamItems = domain.KindExam, []domain.Diagnosis{{Display: "CT"}}
		if _, err := h.Create(t.Context(), by(family()), in); err != nil {
			t.Fatal(err)
		}
		if c := h.of(t, first.ID); c.UpAgainBy != "" || h.limit(t, first.ID, domain.StepDownDecision) != "OPEN" {
			t.Errorf("it rests on %q", c.UpAgainBy)
		}
	})
}

// The stay that followed tells what became of the patient.
func TestWhatBecameOfThePatientEndsACandidateThatRests(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		first := h.conclude(t, admitted(t, h), "IMPROVED")
		again := h.accept(t, desk(), h.make(t, family(), creation(first.PatientID)))
		again = h.do(t, desk(), again, domain.ActionArrive)
		if c := h.only(t, domain.CandidateOpen); c.UpAgainBy != again.ID {
			t.Fatalf("it rests on %q", c.UpAgainBy)
		}
		h.conclude(t, again, "DIED")
		if c := h.only(t, domain.CandidateDismissed); c.ReasonCode != "DIED" {
			t.Errorf("who died is urged about: %s", c.ReasonCode)
		}
		other := h.conclude(t, admitted(t, h), "IMPROVED")
		again = h.do(t, desk(), h.accept(t, desk(), h.make(t, family(), creation(other.PatientID))), domain.ActionArrive)
		h.clock.Advance(days(1))
		h.conclude(t, again, "IMPROVED")
		c := h.of(t, other.ID)
		if c.State != domain.CandidateOpen || c.UpAgainBy != "" || !c.Due.Equal(h.clock.Now().Add(days(3))) {
			t.Errorf("%s, rests on %q, due %s", c.State, c.UpAgainBy, c.Due)
		}
	})
}

// A long stay that the hospital's system told is not the referral that brought the patient to it.
func TestALongStayDoesNotRestOnTheReferralThatBroughtThePatient(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	stay := domain.Stay{County: county, PatientID: "p", OrganizationID: hospital, EncounterID: id.New(), Start: start}
	c, err := domain.NewCandidate(id.New(), domain.Match{Stay: stay, Origin: domain.OriginLengthOfStay, Reasons: []string{"LOS"}}, "", start.AddDate(0, 0, 20))
	if err != nil {
		t.Fatal(err)
	}
	up := func(sent, arrived time.Time) domain.Snapshot {
		return domain.Snapshot{ID: id.New(), PatientID: "p", Direction: domain.Up, Kind: domain.KindInpatient, State: domain.StateAdmitted,
			Receiver: domain.Party{OrganizationID: hospital}, SubmitTime: sent, ArriveTime: arrived}
	}
	emergency := func(sent time.Time) domain.Snapshot {
		s := up(sent, time.Time{})
		s.Kind, s.State = domain.KindEmergency, domain.StateSubmitted
		return s
	}
	for name, one := range map[string]struct {
		up    domain.Snapshot
		rests bool
	}{
		"its own":                            {up(start.Add(-time.Hour), start), false},
		"its own, whose arrival is not told": {up(start.Add(-time.Hour), time.Time{}), false},
		"a new one":                          {up(start.AddDate(0, 0, 18), time.Time{}), true},
		"the paper of its emergency":         {emergency(start.Add(2 * time.Hour)), false},
		"a new emergency":                    {emergency(start.AddDate(0, 0, 18)), true},
	} {
		c.UpAgain([]domain.Snapshot{one.up}, start, domain.Actor{}, start)
		if got := c.Snapshot().UpAgainBy != ""; got != one.rests {
			t.Errorf("%s: rests %v", name, got)
		}
		c.UpAgain(nil, start, domain.Actor{}, start)
	}
}

// A down-referral that is taken back puts the candidate on the list as the patient is by then: on the way up again, or back from there.
func TestACandidateThatComesBackOntoTheListRestsAsThePatientIsByThen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		first := h.conclude(t, admitted(t, h), "IMPROVED")
		h.clock.Advance(time.Hour)
		down := h.make(t, specialist(), back(first.PatientID))
		again := h.make(t, family(), creation(first.PatientID))
		h.do(t, family(), down, domain.ActionDecline)
		if c := h.of(t, first.ID); c.UpAgainBy != again.ID || h.limit(t, first.ID, domain.StepDownDecision) == "OPEN" {
			t.Fatalf("who is on the way up is urged about: %q, %s", c.UpAgainBy, h.limit(t, first.ID, domain.StepDownDecision))
		}
		down = h.make(t, specialist(), back(first.PatientID))
		h.clock.Advance(time.Hour)
		h.do(t, family(), again, domain.ActionCancel)
		h.clock.Advance(days(5))
		h.do(t, family(), down, domain.ActionDecline)
		c := h.of(t, first.ID)
		if c.UpAgainBy != "" || !c.Due.Equal(h.clock.Now().Add(days(3))) || h.limit(t, first.ID, domain.StepDownDecision) != "OPEN" {
			t.Errorf("it rests on %q, which is over; limit %s", c.UpAgainBy, h.limit(t, first.ID, domain.StepDownDecision))
		}
	})
}

// A referral whose patient does not come may stand for ever; what it was to bring is not waited for. With a new date it is.
func TestACandidateDoesNotRestOnWhoDidNotCome(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		first := h.conclude(t, admitted(t, h), "IMPROVED")
		waits := func(who string) {
			t.Helper()
			c := h.of(t, first.ID)
			if c.UpAgainBy != "" || !c.Due.Equal(h.clock.Now().Add(days(3))) || h.limit(t, first.ID, domain.StepDownDecision) != "OPEN" {
				t.Errorf("%s: it rests on %q until %s, limit %s", who, c.UpAgainBy, c.Due, h.limit(t, first.ID, domain.StepDownDecision))
			}
		}
		again := h.accept(t, desk(), h.make(t, family(), creation(first.PatientID)))
		h.clock.Advance(again.DueTime.Sub(h.clock.Now()))
		look(t, h.Service)
		again = h.now(t, desk(), again.ID)
		if again.State != domain.StateNoShow {
			t.Fatalf("%s", again.State)
		}
		waits("the limit found")
		in := acceptance(again, "")
		in.Action, in.WalkIn = domain.ActionRebook, &domain.Window{From: h.clock.Now(), To: h.clock.Now().Add(days(1))}
		again, err := h.Accept(t.Context(), by(desk()), in)
		if err != nil {
			t.Fatal(err)
		}
		if c := h.of(t, first.ID); c.UpAgainBy != again.ID || h.limit(t, first.ID, domain.StepDownDecision) != "STOPPED" {
			t.Errorf("who is to come after all is urged about, limit %s", h.limit(t, first.ID, domain.StepDownDecision))
		}
		again = h.do(t, desk(), again, domain.ActionNoShow)
		waits("the desk found")
		again = h.arrive(t, desk(), again)
		if c := h.of(t, first.ID); c.UpAgainBy != again.ID {
			t.Error("who came late is urged about")
		}
		h.do(t, desk(), again, domain.ActionUndoArrive)
		waits("an arrival undone")
	})
}

// The township is urged about what was sent back to it, for as long as it does nothing, so that the patient is not lost meanwhile: it is not known yet what
// comes of it. Somebody answers or cancels it, and the department has its whole time.
func TestACandidateRestsWhileTheTownshipIsUrgedToComplete(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		first := h.conclude(t, admitted(t, h), "IMPROVED")
		again := h.do(t, desk(), h.make(t, family(), creation(first.PatientID)), domain.ActionReturn)
		before := h.told(t, "deadline_passed")
		for range 20 {
			h.clock.Advance(days(1))
			look(t, h.Service)
		}
		c, returned := h.of(t, first.ID), h.now(t, desk(), again.ID)
		if c.UpAgainBy != again.ID || returned.State != domain.StateReturned || h.limit(t, again.ID, domain.StepMissingInformation) != "OPEN" {
			t.Errorf("rests on %q, which is %s", c.UpAgainBy, returned.State)
		}
		if n := h.told(t, "deadline_passed") - before; n < 3 {
			t.Errorf("urged %d times: the ladder ends below the administrator", n)
		}
		h.do(t, family(), returned, domain.ActionCancel)
		if c = h.of(t, first.ID); c.UpAgainBy != "" || !c.Due.Equal(h.clock.Now().Add(days(3))) {
			t.Errorf("rests on %q until %s", c.UpAgainBy, c.Due)
		}
	})
}

// Of two patients who are one person the one's referral brings the other; of two who are not after all it does not, and nobody rests for ever.
func TestACandidateRestsOnNobodyElsesReferral(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		first, other := h.conclude(t, admitted(t, h), "IMPROVED"), patient()
		again := h.make(t, family(), creation(other))
		link := app.PatientLink{County: county, Merged: other, Survivor: first.PatientID}
		for i, turned := range []bool{false, true} {
			if turned {
				link.Merged, link.Survivor = link.Survivor, link.Merged
			}
			for _, holds := range []bool{true, false} {
				link.FactID, link.Version, link.Holds = id.New(), link.Version+1, holds
				for range 2 {
					if err := h.OnPerson(t.Context(), link); err != nil {
						t.Fatal(err)
					}
				}
				want, limit := "", "OPEN"
				if holds {
					want, limit = again.ID, "STOPPED"
				}
				if c := h.of(t, first.ID); c.UpAgainBy != want || h.limit(t, first.ID, domain.StepDownDecision) != limit {
					t.Errorf("%d, one person %v: rests on %q, limit %s", i, holds, c.UpAgainBy, h.limit(t, first.ID, domain.StepDownDecision))
				}
				h.clock.Advance(time.Hour)
			}
		}
		if rested, resumed := h.told(t, "candidate_rested"), h.told(t, "candidate_resumed"); rested != 2 || resumed != 2 {
			t.Errorf("rested %d times, resumed %d", rested, resumed)
		}
	})
}

// A death that was told wrongly is taken back for every candidate that it ended.
func TestWhoDidNotDieIsBackOnTheList(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		first := h.conclude(t, admitted(t, h), "IMPROVED")
		again := h.do(t, desk(), h.accept(t, desk(), h.make(t, family(), creation(first.PatientID))), domain.ActionArrive)
		again = h.conclude(t, again, "DIED")
		h.clock.Advance(days(1))
		h.correctOutcome(t, again, "IMPROVED")
		c := h.of(t, first.ID)
		if c.State != domain.CandidateOpen || c.ReasonCode != "" || c.UpAgainBy != "" || !c.Due.Equal(h.clock.Now().Add(days(3))) || h.limit(t, first.ID, domain.StepDownDecision) != "OPEN" {
			t.Errorf("%s for %q, rests on %q, due %s", c.State, c.ReasonCode, c.UpAgainBy, c.Due)
		}
	})
}
