package domain_test

import (
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func correction(side domain.Side, field string, content domain.Correction) domain.MarkCommand {
	return domain.MarkCommand{
		Action: domain.MarkCorrect, Side: side, By: doctor(), At: now, Reason: "TYPING_ERROR", Fields: []string{field}, Content: content,
	}
}

func concluded(kind domain.Kind) domain.Snapshot {
	s := inState(kind, domain.StateClosed)
	s.ConcludeTime, s.Outcome = now, "IMPROVED"
	s.Reply = domain.Reply{Diagnosis: "脑梗死", Findings: "低密度影", Treatment: "溶栓", NextSteps: "随访"}
	if kind == domain.KindAdvice {
		s.Outcome, s.Reply = "", domain.Reply{Answer: "继续抗血小板"}
	}
	return s
}

func TestACorrectionLeavesWhatWasCompleteComplete(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		s    domain.Snapshot
		c    domain.MarkCommand
		want string
	}{
		"an emptied field of the form":  {concluded(domain.KindOutpatient), correction(domain.Originator, "form.present_illness", domain.Correction{}), "form.presentIllness FIELD_REQUIRED"},
		"an emptied field of the reply": {concluded(domain.KindOutpatient), correction(domain.Receiver, "reply.treatment", domain.Correction{}), "reply.treatment FIELD_REQUIRED"},
		"an emptied answer":             {concluded(domain.KindAdvice), correction(domain.Receiver, "reply.answer", domain.Correction{}), "reply.answer FIELD_REQUIRED"},
		"a code that is none":           {concluded(domain.KindOutpatient), correction(domain.Originator, "diagnoses", domain.Correction{Diagnoses: []domain.Diagnosis{{Code: "?"}}}), "diagnoses[0].code FIELD_INVALID"},
		"an outcome that is none":       {concluded(domain.KindOutpatient), correction(domain.Receiver, "outcome_code", domain.Correction{Outcome: "WELL"}), "updateMask FIELD_UNKNOWN"},
		"the other side's text":         {concluded(domain.KindOutpatient), correction(domain.Originator, "reply.treatment", domain.Correction{Reply: domain.Reply{Treatment: "x"}}), "updateMask FIELD_UNKNOWN"},
		"a reply that is not given yet": {inState(domain.KindOutpatient, domain.StateArrived), correction(domain.Receiver, "reply.treatment", domain.Correction{Reply: domain.Reply{Treatment: "x"}}), "updateMask FIELD_UNKNOWN"},
		"the same text again":           {concluded(domain.KindOutpatient), correction(domain.Receiver, "reply.treatment", domain.Correction{Reply: domain.Reply{Treatment: "溶栓"}}), "reply.treatment FIELD_COMBINATION"},
	} {
		r := domain.Restore(c.s)
		if got := refusedFields(t, r.Mark(c.c)); !slices.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestWhatNeverWasCompleteCanBeCorrectedAllTheSame(t *testing.T) {
	t.Parallel()
	s := concluded(domain.KindOutpatient)
	s.Retrospective, s.Form, s.Consent = true, domain.Form{}, domain.Consent{}
	r := domain.Restore(s)
	if err := r.Mark(correction(domain.Receiver, "outcome_code", domain.Correction{Outcome: "CURED"})); err != nil {
		t.Fatal(err)
	}
	if got := r.Snapshot(); got.Outcome != "CURED" || got.Corrections != 1 || got.Version != s.Version || got.State != s.State {
		t.Errorf("%s at %d, outcome %s", got.State, got.Version, got.Outcome)
	}
	if d := r.Changes()[0].Detail; d["before.outcome_code"] != "IMPROVED" || d["after.outcome_code"] != "CURED" {
		t.Errorf("kept %q", d)
	}
}

// A consent that comes later is reminded of until it comes, however it comes, or nobody needs it any more.
func TestTheReminderOfAConsentEndsWithIt(t *testing.T) {
	t.Parallel()
	given := domain.Consent{GivenBy: "家属", Relation: "2", Method: "SIGNED"}
	owing := func(state domain.State) *domain.Referral {
		s := inState(domain.KindEmergency, state)
		s.Consent = domain.Consent{DeferredReason: "昏迷"}
		if state == domain.StateDraft {
			s.Number = ""
		}
		return domain.Restore(s)
	}
	decide := func(r *domain.Referral, action domain.Action, side domain.Side) *domain.Referral {
		t.Helper()
		c := command(r, action, side)
		c.Carry.Fields, c.Carry.Draft.Consent = []string{"consent"}, given
		if err := r.Decide(c, calendar(t)); err != nil {
			t.Fatal(err)
		}
		return r
	}
	marked := owing(domain.StateArrived)
	if err := marked.Mark(domain.MarkCommand{Action: domain.MarkConsent, Side: domain.Originator, By: doctor(), At: now, Consent: given}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		r      *domain.Referral
		starts bool
		stops  bool
	}{
		"sent":           {decide(owing(domain.StateDraft), domain.ActionSubmit, domain.Originator), true, false},
		"given by mark":  {marked, false, true},
		"given by edit":  {decide(owing(domain.StateReturned), domain.ActionEdit, domain.Originator), false, true},
		"written before": {decide(owing(domain.StateDraft), domain.ActionEdit, domain.Originator), false, false},
		"sent again":     {decide(owing(domain.StateReturned), domain.ActionResubmit, domain.Originator), false, false},
		"declined":       {decide(owing(domain.StateSubmitted), domain.ActionDecline, domain.Receiver), false, true},
		"cancelled":      {decide(owing(domain.StateAccepted), domain.ActionCancel, domain.Originator), false, true},
	} {
		var starts, stops bool
		for _, d := range c.r.Changes()[0].Aside {
			if d.Step == domain.StepConsent {
				starts, stops = starts || !d.Due.IsZero(), stops || d.Due.IsZero()
			}
		}
		if starts != c.starts || stops != c.stops {
			t.Errorf("%s: starts %v, stops %v", name, starts, stops)
		}
	}
}
