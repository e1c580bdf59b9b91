package figures_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

// An answer is due at one o'clock on the second.
func TestAnAnswerCountsOnceItIsDue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(*domain.Snapshot)
		due  bool
		fact figures.Fact
	}{
		"within the limit":  {func(*domain.Snapshot) {}, false, figures.AnswerAhead},
		"the limit passed":  {func(s *domain.Snapshot) { s.MissedSteps = []domain.Step{domain.StepAnswer} }, true, figures.AnswerOverdue},
		"answered in time":  {func(s *domain.Snapshot) { s.AnswerTime = at(2, 0) }, true, figures.AnsweredInTime},
		"answered late":     {func(s *domain.Snapshot) { s.AnswerTime = at(2, 3) }, true, figures.AnsweredLate},
		"taken back before": {func(s *domain.Snapshot) { s.State, s.CloseTime = domain.StateCancelled, at(2, 0) }, false, figures.Withdrawn},
		"taken back after":  {func(s *domain.Snapshot) { s.State, s.CloseTime = domain.StateCancelled, at(2, 3) }, true, figures.AnswerOverdue},
		"taken back after an answer": {func(s *domain.Snapshot) {
			s.State, s.AnswerTime, s.CloseTime = domain.StateCancelled, at(2, 0), at(2, 1)
		}, true, figures.AnsweredInTime},
		"without a limit":        {func(s *domain.Snapshot) { s.FirstDue, s.AnswerTime = time.Time{}, at(9, 0) }, false, figures.WithoutLimit},
		"no limit and no answer": {func(s *domain.Snapshot) { s.FirstDue = time.Time{} }, false, figures.Unanswered},
	} {
		s := sent()
		c.edit(&s)
		if c.due {
			has(t, s, []string{"answer_due 2026-03-01"})
		} else {
			has(t, s, nil, "answer_due")
		}
		if got := figures.FactOf("answer_due", s); got != c.fact {
			t.Errorf("%s: %s, want %s", name, got, c.fact)
		}
	}
}

func TestAnOutcomeIsJudgedOnceNothingIsWaitedForWithinItsLimit(t *testing.T) {
	t.Parallel()
	state := func(to domain.State, missed ...domain.Step) func(*domain.Snapshot) {
		return func(s *domain.Snapshot) { s.State, s.MissedSteps = to, missed }
	}
	for name, c := range map[string]struct {
		edit func(*domain.Snapshot)
		fact figures.Fact // "": judged
	}{
		"sent":            {state(domain.StateSubmitted), figures.AnswerAhead},
		"unanswered":      {state(domain.StateSubmitted, domain.StepAnswer), ""},
		"being completed": {state(domain.StateReturned), figures.InformationAhead},
		"not completed":   {state(domain.StateReturned, domain.StepMissingInformation), ""},
		"expected":        {state(domain.StateAccepted, domain.StepAnswer), figures.DayAhead},
		"stayed away":     {state(domain.StateNoShow), ""},
		"declined":        {state(domain.StateDeclined), ""},
		"arrived":         {func(s *domain.Snapshot) { s.State, s.ArriveTime = domain.StateArrived, at(3, 9) }, figures.CareAhead},
		"arrived and left alone": {func(s *domain.Snapshot) {
			s.State, s.ArriveTime, s.MissedSteps = domain.StateArrived, at(3, 9), []domain.Step{domain.StepReply}
		}, ""},
		"admitted": {func(s *domain.Snapshot) {
			s.State, s.ArriveTime, s.AdmitTime = domain.StateAdmitted, at(3, 9), at(3, 10)
		}, ""},
		"taken back early": {state(domain.StateCancelled), figures.IsCancelled},
	} {
		s := sent()
		c.edit(&s)
		if c.fact == "" {
			has(t, s, []string{"settled 2026-03-01"})
			continue
		}
		has(t, s, nil, "settled")
		if got := figures.FactOf("settled", s); got != c.fact {
			t.Errorf("%s: %s, want %s", name, got, c.fact)
		}
	}
	s := sent()
	s.State, s.AcceptTime = domain.StateCancelled, at(2, 0)
	has(t, s, []string{"settled 2026-03-01"}, "day_reached")
	s.State, s.NoShowTime = domain.StateNoShow, at(5, 0)
	has(t, s, []string{"day_reached 2026-03-01", "no_show 2026-03-01"})
	s.State, s.NoShowTime, s.ArriveTime = domain.StateArrived, time.Time{}, at(5, 0)
	has(t, s, []string{"day_reached 2026-03-01"}, "no_show")
}

func TestALoopIsDueWhenItIsClosedOrItsNextStepIsLate(t *testing.T) {
	t.Parallel()
	s := sent()
	s.State, s.ArriveTime = domain.StateAdmitted, at(3, 9)
	has(t, s, nil, "loop_due")
	if got := figures.FactOf("loop_due", s); got != figures.ReplyAhead {
		t.Errorf("in care: %s", got)
	}
	s.MissedSteps = []domain.Step{domain.StepReply}
	has(t, s, []string{"loop_due 2026-03-03"}, "closed_loop")
	s.State, s.ConcludeTime = domain.StateConcluded, at(4, 9)
	has(t, s, nil, "loop_due")
	s.State = domain.StateClosed
	has(t, s, []string{"loop_due 2026-03-03", "closed_loop 2026-03-03"}, "contact_due")

	s = followed()
	has(t, s, []string{"loop_due 2026-03-03", "contact_due 2026-03-03"})
	s.State, s.FollowUpTime = domain.StateArrived, time.Time{}
	has(t, s, nil, "loop_due", "contact_due")
	if got := figures.FactOf("contact_due", s); got != figures.ContactAhead {
		t.Errorf("just back: %s", got)
	}
	s.MissedSteps = []domain.Step{domain.StepFirstContact}
	has(t, s, []string{"loop_due 2026-03-03", "contact_due 2026-03-03"}, "follow_up_begun")
}
