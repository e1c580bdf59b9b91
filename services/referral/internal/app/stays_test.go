package app_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func TestADischargeAloneFindsACandidate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		now := h.clock.Now()
		whole := app.Encounter{
			County: county, PatientID: id.New(), OrganizationID: hospital, DepartmentCode: "0304", Class: "IMP", HomeOrganizationID: centre,
			Codes: []string{"I63.9"}, Start: now.AddDate(0, 0, -5), End: now,
		}
		for name, x := range map[string]struct {
			change func(*app.Encounter)
			found  bool
		}{
			"a stroke on orders":        {func(*app.Encounter) {}, true},
			"a stroke, died":            {func(e *app.Encounter) { e.DischargeWay = "5" }, false},
			"a stroke, to another":      {func(e *app.Encounter) { e.DischargeWay = "2" }, false},
			"a stroke, against advice":  {func(e *app.Encounter) { e.DischargeWay = "4" }, false},
			"anything, to a centre":     {func(e *app.Encounter) { e.DischargeWay, e.Codes = "3", []string{"K35.8"} }, true},
			"a fracture on orders":      {func(e *app.Encounter) { e.Codes = []string{"S72.0"} }, false},
			"a visit":                   {func(e *app.Encounter) { e.Class = "AMB" }, false},
			"a ward of a centre":        {func(e *app.Encounter) { e.OrganizationID = centre }, false},
			"an unknown organisation":   {func(e *app.Encounter) { e.OrganizationID = "nowhere" }, false},
			"of a patient without name": {func(e *app.Encounter) { e.PatientID = "stranger" }, true},
		} {
			e := whole
			e.FactID, e.ID, e.PatientID = id.New(), id.New(), id.New()
			x.change(&e)
			h.closed(t, e)
			all := h.candidates(t)
			is := func(c app.CandidateView) bool { return c.EncounterID == e.ID }
			if i := slices.IndexFunc(all, is); (i >= 0) != x.found || i >= 0 && all[i].CentreID != centre {
				t.Errorf("%s: %v", name, i >= 0)
			}
		}
		h.peers.patientsAway = errs.New(errs.KindUnavailable, errs.ReasonPeerAway, "away", nil)
		e := whole
		e.FactID, e.ID, e.PatientID = id.New(), id.New(), id.New()
		expectReason(t, h.EncounterClosed(t.Context(), e), errs.ReasonPeerAway)
		h.peers.patientsAway = nil
		before := len(h.candidates(t))
		h.closed(t, e)
		if after := len(h.candidates(t)); after != before+1 {
			t.Error("a fact that could not be taken is lost")
		}
	})
}

func TestAHomeThatIsNoCentreIsNotWhereThePatientWouldGo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		now := h.clock.Now()
		h.closed(t, app.Encounter{
			County: county, FactID: id.New(), ID: id.New(), PatientID: id.New(), OrganizationID: hospital, Class: "IMP", HomeOrganizationID: second,
			Codes: []string{"I63.9"}, Start: now.AddDate(0, 0, -5), End: now,
		})
		if c := h.only(t, domain.CandidateOpen); c.CentreID != "" {
			t.Errorf("it would go to %s", c.CentreID)
		}
	})
}

func TestALongStayOfAReferralIsPromptedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := admitted(t, h)
		h.clock.Advance(9 * 24 * time.Hour)
		if err := h.FireDeadlines(t.Context(), "i"); err != nil {
			t.Fatal(err)
		}
		before := h.told(t, "deadline_passed")
		h.clock.Advance(25 * time.Hour)
		if err := h.FireDeadlines(t.Context(), "i"); err != nil {
			t.Fatal(err)
		}
		if got := h.told(t, "deadline_passed"); got <= before {
			t.Errorf("the limit of the stay is not told: %q", h.facts(t))
		}
		for range 2 {
			if err := h.StayDeadline(t.Context(), county, "fact-1", v.ID); err != nil {
				t.Fatal(err)
			}
		}
		if c := h.only(t, domain.CandidateOpen); c.Origin != domain.OriginLengthOfStay || !slices.Equal(c.Reasons, []string{"LOS-I63"}) || !c.End.IsZero() {
			t.Errorf("found as %s for %q", c.Origin, c.Reasons)
		}
		h.conclude(t, v, "DIED")
		if c := h.only(t, domain.CandidateDismissed); c.ReasonCode != "DIED" {
			t.Errorf("dismissed as %s", c.ReasonCode)
		}
		// A limit that is told late: the patient has left.
		if err := h.StayDeadline(t.Context(), county, "fact-2", v.ID); err != nil {
			t.Fatal(err)
		}
		h.only(t, domain.CandidateDismissed)
	})
}

func TestALongStayOfAnEncounterIsPromptedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		e := app.Encounter{
			County: county, FactID: id.New(), ID: id.New(), PatientID: id.New(), OrganizationID: hospital, DepartmentCode: "0304", Class: "IMP",
			HomeOrganizationID: centre, Codes: []string{"I10", "I63.9", "S72.0"}, Start: h.clock.Now(),
		}
		for range 2 {
			if err := h.EncounterOpened(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		look := func() {
			t.Helper()
			if err := h.FindLongStays(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		// Of several diagnoses the longest usual stay counts.
		h.clock.Advance(9 * 24 * time.Hour)
		look()
		if all := h.candidates(t); len(all) > 0 {
			t.Fatal("prompted too early")
		}
		h.clock.Advance(24 * time.Hour)
		look()
		look()
		if c := h.only(t, domain.CandidateOpen); c.Origin != domain.OriginLengthOfStay || c.CentreID != centre || c.Patient.Name == "" {
			t.Errorf("found as %s", c.Origin)
		}
		e.FactID, e.End, e.DischargeWay = id.New(), h.clock.Now(), "1"
		h.closed(t, e)
		if c := h.only(t, domain.CandidateOpen); c.Origin != domain.OriginDischarged || !c.End.Equal(e.End) || h.told(t, "candidate_found") != 1 {
			t.Errorf("at its end: %s", c.Origin)
		}
	})
}

func TestRacingSourcesLeaveOneCandidateAndTheWayBackClosesIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := admitted(t, h)
		e := encounter(v)
		e.End = h.clock.Now().Add(time.Minute)
		again := e
		again.FactID = id.New()
		var group sync.WaitGroup
		for name, source := range map[string]func() error{
			"conclusion": func() error {
				_, err := h.Transition(t.Context(), by(specialist()), app.Step{ID: v.ID, Version: v.Version, Action: domain.ActionConclude, Carry: domain.Carry{
					Outcome: "IMPROVED", Reply: domain.Reply{Diagnosis: "脑梗死", Treatment: "溶栓", NextSteps: "康复"},
				}})
				return err
			},
			"discharge":       func() error { return h.EncounterClosed(t.Context(), e) },
			"discharge again": func() error { return h.EncounterClosed(t.Context(), again) },
			"long stay":       func() error { return h.StayDeadline(t.Context(), county, "fact-1", v.ID) },
			"down-referral": func() error {
				_, err := h.Create(t.Context(), by(specialist()), back(v.PatientID))
				return err
			},
		} {
			group.Go(func() {
				if err := source(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		group.Wait()
		if c := h.only(t, domain.CandidateClosed); c.ReferralID != v.ID || c.DownReferral == "" || h.told(t, "candidate_found") > 1 {
			t.Errorf("facts %q", h.facts(t))
		}
	})
}
