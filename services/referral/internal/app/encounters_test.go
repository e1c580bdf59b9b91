package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// stroke is a stay of five days at the county hospital that the hospital's system has coded, as its first fact.
func stroke(h house) app.Encounter {
	now := h.clock.Now()
	return app.Encounter{
		County: county, FactID: id.New(), ID: id.New(), PatientID: id.New(), OrganizationID: hospital, DepartmentCode: "0304", Class: "IMP",
		HomeOrganizationID: centre, Codes: []string{"I63.9"}, DischargeWay: "1", Start: now.AddDate(0, 0, -5), End: now, Version: 1,
	}
}

// next is the encounter as it is told again.
func next(e app.Encounter, change func(*app.Encounter)) app.Encounter {
	e.FactID, e.Version = id.New(), e.Version+1
	change(&e)
	return e
}

func (h house) opened(t *testing.T, e app.Encounter) {
	t.Helper()
	if err := h.EncounterOpened(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

func (h house) cancelled(t *testing.T, e app.Encounter) {
	t.Helper()
	if err := h.EncounterCancelled(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

// discharged are the conditions of the discharges that are kept; the figures say the same as all that is kept.
func (h house) discharged(t *testing.T, want ...string) {
	t.Helper()
	got := []string{}
	err := h.db.View(t.Context(), func(tx *sqldb.Tx) error {
		rows, err := tx.Query(t.Context(), "SELECT condition FROM discharge WHERE county_code = $1 ORDER BY condition", county)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var one string
			if err := rows.Scan(&one); err != nil {
				return err
			}
			got = append(got, one)
		}
		return rows.Err()
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("discharges %q, %v; want %q", got, err, want)
	}
	check, err := h.CheckFigures(t.Context(), county)
	if err != nil || len(check.Differences) > 0 {
		t.Errorf("the figures are not what is kept: %v, %v", check.Differences, err)
	}
}

func TestADischargeThatIsCodedLaterCountsOnceWithItsCondition(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		coded := stroke(h)
		first := coded
		first.FactID, first.Codes, first.DischargeWay = id.New(), nil, ""
		h.closed(t, first)
		h.discharged(t, "")
		if all := h.candidates(t); len(all) > 0 {
			t.Fatalf("a candidate for %q before anything is known", all[0].Reasons)
		}
		h.clock.Advance(72 * time.Hour)
		coded.Version = 2
		for range 2 {
			h.closed(t, coded)
		}
		h.discharged(t, "I63")
		if c := h.only(t, domain.CandidateOpen); c.EncounterID != coded.ID || !slices.Contains(c.Reasons, "DN-STR-01") {
			t.Errorf("found for %q", c.Reasons)
		}
		// The first fact comes again, by another way.
		first.FactID = id.New()
		h.closed(t, first)
		h.discharged(t, "I63")

		h.closed(t, next(coded, func(e *app.Encounter) {
			e.Codes, e.DepartmentCode, e.End = []string{"I61.9", "I10"}, "0303", e.End.AddDate(0, 0, -1)
		}))
		h.discharged(t, "I61")
		if c := h.only(t, domain.CandidateOpen); c.DepartmentCode != "0303" || h.told(t, "candidate_found") != 1 {
			t.Errorf("in department %s, facts %q", c.DepartmentCode, h.facts(t))
		}
	})
}

func TestADischargeThatTurnsOutADeathLeavesTheListAndStaysCounted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		e := stroke(h)
		h.closed(t, e)
		h.only(t, domain.CandidateOpen)
		h.closed(t, next(e, func(e *app.Encounter) { e.DischargeWay = "5" }))
		if c := h.only(t, domain.CandidateDismissed); c.ReasonCode != "DIED" {
			t.Errorf("dismissed as %s", c.ReasonCode)
		}
		h.discharged(t, "I63")
	})
}

func TestAStayThatNeverWasLeavesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		e := stroke(h)
		h.closed(t, e)
		h.discharged(t, "I63")
		cancelled := next(e, func(*app.Encounter) {})
		for range 2 {
			h.cancelled(t, cancelled)
		}
		h.discharged(t)
		if c := h.only(t, domain.CandidateDismissed); c.ReasonCode != "ENTERED_IN_ERROR" || h.told(t, "candidate_dismissed") != 1 {
			t.Errorf("dismissed as %s", c.ReasonCode)
		}
		// It was after all.
		h.clock.Advance(time.Hour)
		h.closed(t, next(cancelled, func(*app.Encounter) {}))
		h.discharged(t, "I63")
		if c := h.only(t, domain.CandidateOpen); c.ReasonCode != "" || h.told(t, "candidate_found") != 2 {
			t.Errorf("facts %q", h.facts(t))
		}
	})
}

func TestAStayThatTurnsOutAVisitLeavesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		e := stroke(h)
		h.closed(t, e)
		h.closed(t, next(e, func(e *app.Encounter) { e.Class = "AMB" }))
		h.discharged(t)
		h.only(t, domain.CandidateDismissed)
	})
}

func TestACandidateThatAReferralKnowsOfOrSomebodyHasAnsweredOutlivesItsEncounter(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.conclude(t, admitted(t, h), "IMPROVED")
		e := encounter(v)
		e.Version = 1
		h.closed(t, e)
		h.cancelled(t, next(e, func(*app.Encounter) {}))
		h.only(t, domain.CandidateOpen)

		drafted := stroke(h)
		h.closed(t, drafted)
		i := slices.IndexFunc(h.candidates(t), func(c app.CandidateView) bool { return c.EncounterID == drafted.ID })
		if _, err := h.ReferCandidate(t.Context(), by(specialist()), h.candidates(t)[i].ID); err != nil {
			t.Fatal(err)
		}
		h.cancelled(t, next(drafted, func(*app.Encounter) {}))
		if c := h.candidates(t)[i]; c.State != domain.CandidateReferred {
			t.Errorf("the one with a draft is %s", c.State)
		}
		h.discharged(t)
	})
}

func TestAStayThatGoesOnIsNoDischargeAndIsWatchedAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		e := stroke(h)
		e.DischargeWay = "4"
		h.closed(t, e)
		h.discharged(t, "I63")
		open := next(e, func(e *app.Encounter) { e.End = time.Time{} })
		h.opened(t, open)
		h.discharged(t)
		h.clock.Advance(10 * 24 * time.Hour)
		if err := h.FindLongStays(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c := h.only(t, domain.CandidateOpen); c.Origin != domain.OriginLengthOfStay {
			t.Errorf("found as %s", c.Origin)
		}
		h.closed(t, next(open, func(e *app.Encounter) { e.End, e.DischargeWay = h.clock.Now(), "1" }))
		h.discharged(t, "I63")
		if c := h.only(t, domain.CandidateOpen); c.Origin != domain.OriginDischarged {
			t.Errorf("at its end: %s", c.Origin)
		}
	})
}

func TestTheNewestFactOfAnEncounterIsWhatIsSoInWhateverOrderTheyCome(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for _, order := range [][]int{{3, 2, 1, 0}, {3, 0, 1, 2}, {1, 3, 0, 2}, {2, 0, 3, 1}} {
			open := stroke(h)
			open.End = time.Time{}
			closed := next(open, func(e *app.Encounter) { e.End, e.Codes = h.clock.Now(), nil })
			coded := next(closed, func(e *app.Encounter) { e.Codes = []string{"I63.9"} })
			last := next(coded, func(*app.Encounter) {})
			steps := []func(){func() { h.opened(t, open) }, func() { h.closed(t, closed) }, func() { h.closed(t, coded) }, func() { h.cancelled(t, last) }}
			for _, i := range order {
				steps[i]()
			}
			h.discharged(t)
			for _, c := range h.candidates(t) {
				if c.EncounterID == open.ID && c.State != domain.CandidateDismissed {
					t.Errorf("in the order %v the candidate is %s", order, c.State)
				}
			}
		}
		h.clock.Advance(30 * 24 * time.Hour)
		before := len(h.candidates(t))
		if err := h.FindLongStays(t.Context()); err != nil || len(h.candidates(t)) != before {
			t.Errorf("a stay that never was is watched; %v", err)
		}
	})
}

func TestAnEncounterIsOfOnePatient(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		e := stroke(h)
		h.closed(t, e)
		other := next(e, func(e *app.Encounter) { e.PatientID = id.New() })
		expectReason(t, h.EncounterClosed(t.Context(), other), errs.ReasonAlreadyRegistered)
		expectReason(t, h.EncounterCancelled(t.Context(), other), errs.ReasonAlreadyRegistered)
		h.discharged(t, "I63")
		if c := h.only(t, domain.CandidateOpen); c.PatientID != e.PatientID {
			t.Error("the candidate changed hands")
		}
	})
}
