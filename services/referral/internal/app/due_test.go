package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

func TestAnAnswerIsMissedOnlyWhenItsLimitHasPassed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		expect := func(why, due, all string) {
			t.Helper()
			q := march(admin(), "IND-ACK")
			if got := h.shares(t, q)["IND-ACK"]; got != due {
				t.Errorf("%s: %q of what is due, want %q", why, got, due)
			}
			q.Denominator = "SUBMITTED"
			if got := h.shares(t, q)["IND-ACK"]; got != all {
				t.Errorf("%s: %q of all, want %q", why, got, all)
			}
			if check, err := h.CheckFigures(t.Context(), county); err != nil || len(check.Differences) > 0 {
				t.Errorf("%s: %v, %v", why, check.Differences, err)
			}
		}
		taken := h.make(t, family(), creation(id.New()))
		h.make(t, family(), creation(id.New()))
		h.do(t, family(), taken, domain.ActionCancel)
		h.accept(t, desk(), h.make(t, family(), creation(id.New())))
		expect("within the limit", "1/1", "1/3")
		q := march(admin(), "IND-ACK")
		out := h.grounds(t, q, app.Excluded)
		if len(out) != 2 || out[figures.Ground{Place: figures.Excluded, Fact: figures.AnswerAhead}] != 1 || out[figures.Ground{Place: figures.Excluded, Fact: figures.Withdrawn}] != 1 {
			t.Errorf("left out: %v", out)
		}
		h.clock.Advance(100 * time.Hour)
		look(t, h.Service)
		expect("after the limit", "1/2", "1/3")
		if missed := h.grounds(t, q, app.Missed); len(missed) != 1 || missed[figures.Ground{Place: figures.Missed, Fact: figures.AnswerOverdue}] != 1 {
			t.Errorf("missed: %v", missed)
		}
	})
}

func TestVisitsThatLieAheadAreNeitherKeptNorMissed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		down := h.arrive(t, family(), h.accept(t, family(), h.make(t, specialist(), back(id.New()))))
		day := func(n int) string { return h.clock.Now().AddDate(0, 0, n).Format(time.DateOnly) }
		plan := domain.FollowUpPlan{Condition: domain.ConditionStroke, Visits: []domain.PlannedVisit{
			{Number: 1, Due: day(1), Mode: "CLINIC"}, {Number: 2, Due: day(2), Mode: "HOME"}, {Number: 3, Due: day(9), Mode: "HOME"},
		}}
		down = h.step(t, family(), down, domain.ActionBeginFollowUp, domain.Carry{Plan: &plan, FamilyDoctor: family().Subject})
		expect := func(why, over, all string) {
			t.Helper()
			q := march(admin(), "FU-KEPT")
			if got := h.shares(t, q)["FU-KEPT"]; got != over {
				t.Errorf("%s: %q, want %q", why, got, over)
			}
			// By doctor and condition a month that is cut off is answered too.
			q.GroupBy = []string{"doctor", "condition"}
			if got := h.shares(t, q)["FU-KEPT "+specialist().Subject+" I63"]; got != over {
				t.Errorf("%s, by doctor: %q, want %q", why, got, over)
			}
			q.GroupBy, q.Denominator = nil, "DUE"
			if got := h.shares(t, q)["FU-KEPT"]; got != all {
				t.Errorf("%s: %q of all, want %q", why, got, all)
			}
		}
		expect("nothing is due", "", "0/3")
		h.step(t, family(), down, domain.ActionRecordVisit, domain.Carry{Visit: 1, Findings: domain.Findings{Result: "STABLE"}})
		h.clock.Advance(72 * time.Hour)
		expect("two days are over", "1/2", "1/3")
		cases, _, err := h.Cases(t.Context(), app.CaseQuery{FigureQuery: march(admin(), "FU-KEPT"), Part: app.BelowLine})
		if err != nil || len(cases) != 1 || cases[0].Count != 2 || cases[0].Ground.Above != 1 {
			t.Errorf("behind it: %+v, %v", cases, err)
		}
		q := march(admin(), "FU-KEPT")
		q.Reason = "NO_BED"
		if got := h.shares(t, q)["FU-KEPT"]; got != "" {
			t.Errorf("of a reason that no visit has: %q", got)
		}
	})
}
