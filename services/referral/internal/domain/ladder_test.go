package domain_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// down is a down-referral in a state, with a first visit on the given local day.
func down(state domain.State, visit string) domain.Snapshot {
	s := inState(domain.KindChronic, state)
	s.Plan = domain.FollowUpPlan{Condition: domain.ConditionHypertension, Visits: []domain.PlannedVisit{{Number: 1, Due: visit, Mode: "HOME"}}}
	if state == domain.StateAccepted {
		s.WalkIn, s.Expected = true, domain.Window{From: now, To: now.Add(time.Hour)}
	}
	return s
}

func TestTheStepsAfterTheVisitHaveTheirLimits(t *testing.T) {
	t.Parallel()
	tb := down(domain.StateAccepted, "2026-04-01")
	tb.Diagnoses = []domain.Diagnosis{{Code: "A15.0"}, {Code: "I10"}}
	second := down(domain.StateAccepted, "2026-04-01")
	second.Diagnoses = []domain.Diagnosis{{Code: "I10"}, {Code: "A15.0"}}
	late := inState(domain.KindOutpatient, domain.StateArrived)
	late.ArriveTime, late.Expected = now.Add(-20*time.Hour), domain.Window{From: now.Add(-24 * time.Hour), To: now.Add(-23 * time.Hour)}
	const week = 7 * 24 * time.Hour
	for _, c := range []struct {
		name   string
		s      domain.Snapshot
		action domain.Action
		step   domain.Step
		due    time.Time
		shown  bool
	}{
		{"the sender's acknowledgement", inState(domain.KindOutpatient, domain.StateArrived), domain.ActionConclude, domain.StepAcknowledge, now.Add(week), false},
		{"the first contact", down(domain.StateAccepted, "2026-04-01"), domain.ActionArrive, domain.StepFirstContact, now.Add(week), true},
		{"the first contact with tuberculosis", tb, domain.ActionArrive, domain.StepFirstContact, now.Add(72 * time.Hour), true},
		{"tuberculosis beside another first diagnosis", second, domain.ActionArrive, domain.StepFirstContact, now.Add(week), true},
		{"an arrival undone on the next day: today", late, domain.ActionUndoArrive, domain.StepArrival, inZone(t, "2026-03-19 00:00"), true},
	} {
		r := domain.Restore(c.s)
		if err := r.Decide(command(r, c.action, domain.Receiver), calendar(t)); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := r.Changes()[0].Deadline; got.Step != c.step || !got.Due.Equal(c.due) {
			t.Errorf("%s: got %s at %v, want %s at %v", c.name, got.Step, got.Due, c.step, c.due)
		}
		if shown := !r.Snapshot().DueTime.IsZero(); shown != c.shown {
			t.Errorf("%s: shown %v", c.name, shown)
		}
	}
}

func TestAPlannedVisitIsDueAtTheEndOfItsLocalDay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ visit, due string }{
		{"2026-04-01", "2026-04-02 00:00"},
		{"2026-03-18", "2026-03-19 00:00"},
	} {
		r := domain.Restore(down(domain.StateArrived, c.visit))
		cmd := command(r, domain.ActionBeginFollowUp, domain.Receiver)
		cmd.Carry.Plan, cmd.Carry.FamilyDoctor = nil, account
		if err := r.Decide(cmd, calendar(t)); err != nil {
			t.Fatal(err)
		}
		if got := r.Changes()[0].Deadline; got.Step != domain.StepVisit || !got.Due.Equal(inZone(t, c.due)) {
			t.Errorf("%s: got %s at %v", c.visit, got.Step, got.Due)
		}
	}
}

func TestTheLadderHasThreeRungsAndThenIsQuiet(t *testing.T) {
	t.Parallel()
	cal := county(t, domain.Settings{Limits: []domain.Limit{
		{Step: domain.StepMissingInformation, Direction: domain.Up, Urgency: domain.UrgencyRoutine, RepeatMinutes: 30},
	}})
	for _, c := range []struct {
		name    string
		step    domain.Step
		d       domain.Direction
		u       domain.Urgency
		due     string
		second  string
		quickly bool
	}{
		{"an emergency every ten minutes", domain.StepAnswer, domain.Up, domain.UrgencyEmergency, "2026-10-01 23:55", "2026-10-02 00:05", true},
		{"an urgent one every hour", domain.StepAnswer, domain.Down, domain.UrgencyUrgent, "2026-10-01 23:55", "2026-10-02 00:55", true},
		{"a routine one on the next working day", domain.StepAnswer, domain.Up, domain.UrgencyRoutine, "2026-09-30 09:30", "2026-10-08 09:30", false},
		{"a reply likewise, however urgent the case was", domain.StepReply, domain.Up, domain.UrgencyEmergency, "2026-03-20 00:00", "2026-03-23 08:00", false},
		{"as the county set it", domain.StepMissingInformation, domain.Up, domain.UrgencyRoutine, "2026-10-01 09:00", "2026-10-01 09:30", true},
		{"a visit every three days", domain.StepVisit, domain.Down, domain.UrgencyRoutine, "2026-04-02 00:00", "2026-04-05 00:00", true},
		{"the first contact likewise", domain.StepFirstContact, domain.Down, domain.UrgencyUrgent, "2026-04-02 10:00", "2026-04-05 10:00", true},
		{"a norm's check likewise", domain.StepNormCheck, domain.Up, domain.UrgencyEmergency, "2026-04-02 00:00", "2026-04-05 00:00", true},
		{"a down-decision likewise", domain.StepDownDecision, domain.Up, domain.UrgencyUrgent, "2026-04-02 00:00", "2026-04-05 00:00", true},
		{"a deferred consent every day", domain.StepConsent, domain.Up, domain.UrgencyEmergency, "2026-04-02 00:00", "2026-04-03 00:00", true},
	} {
		s := domain.Snapshot{Direction: c.d, Urgency: c.u}
		rung := domain.Rung{Step: c.step, Level: 1, Due: inZone(t, c.due)}
		next := cal.NextRung(s, rung, rung.Due.Add(time.Second))
		if !next.Equal(inZone(t, c.second)) {
			t.Errorf("%s: second rung at %v, want %s", c.name, next, c.second)
		}
		rung.Level, rung.Due = 2, next
		third := cal.NextRung(s, rung, next.Add(time.Second))
		if !third.After(next) || c.quickly && third.Sub(next) != next.Sub(inZone(t, c.due)) {
			t.Errorf("%s: third rung at %v after %v", c.name, third, next)
		}
		rung.Level, rung.Due = 3, third
		if after := cal.NextRung(s, rung, third); !after.IsZero() {
			t.Errorf("%s: a fourth rung at %v", c.name, after)
		}
	}
}

func TestWhatWasToldLateDoesNotHurryTheRest(t *testing.T) {
	t.Parallel()
	s := domain.Snapshot{Direction: domain.Up, Urgency: domain.UrgencyEmergency}
	late := now.Add(3 * time.Hour)
	got := calendar(t).NextRung(s, domain.Rung{Step: domain.StepAnswer, Level: 1, Due: now}, late)
	if !got.Equal(late.Add(10 * time.Minute)) {
		t.Errorf("next at %v", got)
	}
}

func TestARungThatWasReachedIsNotedAndOnlyTwoStepsEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		step        domain.Step
		from, after domain.State
		quiet       bool
	}{
		{domain.StepAnswer, domain.StateSubmitted, domain.StateSubmitted, false},
		{domain.StepMissingInformation, domain.StateReturned, domain.StateReturned, false},
		{domain.StepArrival, domain.StateAccepted, domain.StateNoShow, true},
		{domain.StepReply, domain.StateArrived, domain.StateArrived, false},
		{domain.StepAcknowledge, domain.StateConcluded, domain.StateClosed, true},
		{domain.StepDownDecision, domain.StateClosed, domain.StateClosed, false},
		{domain.StepStay, domain.StateAdmitted, domain.StateAdmitted, false},
	} {
		r := domain.Restore(inState(domain.KindOutpatient, c.from))
		next := r.Expire(domain.Rung{Step: c.step, Level: 1, Due: now}, domain.Actor{AccountID: "system"}, now, calendar(t))
		if got := r.Snapshot().State; got != c.after {
			t.Errorf("%s in %s: now %s, want %s", c.step, c.from, got, c.after)
		}
		if next.IsZero() != c.quiet {
			t.Errorf("%s: next at %v", c.step, next)
		}
		changes := r.Changes()
		if m := changes[0]; m.Action != domain.MarkDeadlinePassed || !m.Mark || !m.KeepDeadline || m.Detail["step"] != string(c.step) || m.Detail["level"] != "1" {
			t.Errorf("%s: noted as %+v", c.step, m)
		}
		if ends := len(changes) == 2; ends != c.quiet {
			t.Errorf("%s: %d changes", c.step, len(changes))
		}
	}
}

func TestStepsAsideRunBesideTheMainOne(t *testing.T) {
	t.Parallel()
	for _, s := range []domain.Step{domain.StepConsent, domain.StepDownDecision, domain.StepNormCheck, domain.StepStay} {
		if !s.Aside() || s.Shown() {
			t.Errorf("%s: aside %v, shown %v", s, s.Aside(), s.Shown())
		}
	}
	for _, s := range append(domain.MainSteps(), domain.StepNone) {
		if s.Aside() {
			t.Errorf("%s is aside", s)
		}
	}
}
