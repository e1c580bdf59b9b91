package app_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func (h house) correctOutcome(t *testing.T, v app.View, outcome string) {
	t.Helper()
	h.mark(t, specialist(), v, domain.MarkCommand{
		Action: domain.MarkCorrect, Reason: "TYPING_ERROR", Fields: []string{"outcome_code"}, Content: domain.Correction{Outcome: outcome},
	})
}

func TestACorrectedOutcomeEndsTheCandidateOrFindsOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for outcome, reason := range map[string]string{"DIED": "DIED", "REFERRED_OUT": "NEEDS_SPECIALIST"} {
			v := h.conclude(t, admitted(t, h), "IMPROVED")
			h.correctOutcome(t, v, "CURED")
			if got := h.limit(t, v.ID, domain.StepDownDecision); got != "OPEN" {
				t.Errorf("cured, and the decision is %s", got)
			}
			h.correctOutcome(t, v, outcome)
			all := h.candidates(t)
			i := slices.IndexFunc(all, func(c app.CandidateView) bool { return c.ReferralID == v.ID })
			if all[i].State != domain.CandidateDismissed || all[i].ReasonCode != reason || h.limit(t, v.ID, domain.StepDownDecision) != "STOPPED" {
				t.Errorf("%s: the candidate is %s", outcome, all[i].State)
			}
			_, err := h.ReferCandidate(t.Context(), by(specialist()), all[i].ID)
			expectReason(t, err, errs.ReasonActionNotAvailable)
		}
		if n := h.told(t, "candidate_dismissed"); n != 2 {
			t.Errorf("%d told", n)
		}
		v := h.conclude(t, admitted(t, h), "DIED")
		h.correctOutcome(t, v, "IMPROVED")
		if h.limit(t, v.ID, domain.StepDownDecision) != "OPEN" || h.told(t, "candidate_found") != 3 {
			t.Errorf("who did not die is no candidate: %q", h.facts(t))
		}
	})
}

func TestACandidateThatComesBackHasTimeToBeDecided(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.conclude(t, admitted(t, h), "IMPROVED")
		h.clock.Advance(time.Hour)
		down := h.make(t, specialist(), back(v.PatientID))
		h.clock.Advance(days(10))
		h.do(t, family(), down, domain.ActionDecline)
		if c := h.only(t, domain.CandidateOpen); !c.Due.Equal(h.clock.Now().Add(days(3))) {
			t.Errorf("due %s", c.Due)
		}
		look(t, h.Service)
		decision := string(domain.StepDownDecision)
		if slices.Contains(h.rungs(t), decision) {
			t.Errorf("told at once: %q", h.rungs(t))
		}
		h.clock.Advance(days(3))
		look(t, h.Service)
		if !slices.Contains(h.rungs(t), decision) {
			t.Errorf("never told: %q", h.rungs(t))
		}
	})
}

// picky is patient-record that fails for one patient.
type picky struct {
	app.Records
	fails string
}

func (p *picky) Patient(ctx context.Context, county, patientID, organizationID string) (domain.Patient, error) {
	if patientID == p.fails {
		return domain.Patient{}, errs.New(errs.KindUnavailable, errs.ReasonPeerAway, "away", nil)
	}
	return p.Records.Patient(ctx, county, patientID, organizationID)
}

func TestStaysThatCannotBeLookedAtMakeWayForTheOthers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		const many = 100
		for n := range many + 1 {
			e := app.Encounter{
				County: county, FactID: id.New(), ID: id.New(), PatientID: "unreadable", OrganizationID: hospital, DepartmentCode: "0304", Class: "IMP",
				HomeOrganizationID: centre, Codes: []string{"I63.9"}, Start: h.clock.Now(),
			}
			if n == many {
				e.PatientID, e.Start = id.New(), e.Start.Add(time.Second)
			}
			if err := h.EncounterOpened(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		ports, records := h.ports, &picky{h.ports.Records, "unreadable"}
		ports.Records = records
		service := app.New(ports)
		h.clock.Advance(days(11))
		expectReason(t, service.FindLongStays(t.Context()), errs.ReasonPeerAway)
		if err := service.FindLongStays(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.only(t, domain.CandidateOpen)
		records.fails = ""
		h.clock.Advance(time.Hour)
		if err := service.FindLongStays(t.Context()); err != nil || h.told(t, "candidate_found") != many+1 {
			t.Errorf("%d found, %v", h.told(t, "candidate_found"), err)
		}
	})
}
