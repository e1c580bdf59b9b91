package domain_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// The design's marks: in which states, what, by whom, for whom. "sent" is every state but DRAFT.
const markDesign = `
SUBMITTED,ACCEPTED,NO_SHOW depart originator allButAdvice
sent message originator,receiver allButOut
ARRIVED,ADMITTED,CONCLUDED,CLOSED,DECLINED assess receiver UP:OUTPATIENT,INPATIENT,EMERGENCY,EXAM
SUBMITTED,ACCEPTED,NO_SHOW,ARRIVED,ADMITTED,CONCLUDED,FOLLOW_UP,CLOSED,DECLINED,CANCELLED correct originator,receiver all
sent record_consent originator EMERGENCY
SUBMITTED,RETURNED,CONCLUDED,CLOSED,DECLINED convert originator ADVICE`

func marked(direction domain.Direction, kind domain.Kind, state domain.State, mark domain.Action, side domain.Side) bool {
	for line := range strings.Lines(strings.TrimSpace(markDesign)) {
		f := strings.Fields(line)
		in := f[0] == "sent" && state != domain.StateDraft || slices.Contains(strings.Split(f[0], ","), string(state))
		if f[1] == string(mark) && in && slices.Contains(strings.Split(f[2], ","), string(side)) && appliesTo(f[3])(direction, kind) {
			return true
		}
	}
	return false
}

func TestTheMarksAreTheDesign(t *testing.T) {
	t.Parallel()
	if got, want := len(domain.Marks()), len(strings.Split(strings.TrimSpace(markDesign), "\n")); got != want {
		t.Fatalf("%d marks, want %d", got, want)
	}
	for _, p := range pairs() {
		for _, state := range domain.States() {
			for _, side := range []domain.Side{domain.Originator, domain.Receiver, domain.System} {
				s := inState(p.k, state)
				if p.k == domain.KindEmergency {
					s.Consent = domain.Consent{DeferredReason: "昏迷"}
				}
				offered := domain.Restore(s).MarksFor(side)
				for _, m := range domain.Marks() {
					got := slices.ContainsFunc(offered, func(o domain.Mark) bool { return o.Action == m.Action })
					if want := marked(p.d, p.k, state, m.Action, side); got != want {
						t.Errorf("%v in %s: %s by %s offered %v, want %v", p, state, m.Action, side, got, want)
					}
				}
			}
		}
	}
}

func (m model) mayMark(a domain.Action, side domain.Side) bool {
	return marked(m.direction, m.kind, m.state, a, side) && (a != domain.MarkConsent || m.owesConsent)
}

// mark tries one of the marks that people set on a referral; convert makes another one and is none of these.
func (l *life) mark() error {
	c := domain.MarkCommand{
		Action: rapid.SampledFrom([]domain.Action{
			domain.MarkDepart, domain.MarkMessage, domain.MarkAssess, domain.MarkCorrect, domain.MarkConsent,
		}).Draw(l.T, "mark"),
		Side: l.side(), By: doctor(), At: l.at, Transport: "AMBULANCE", Text: "血压已稳", Verdict: domain.VerdictTooLate, Note: "说明",
		Consent: domain.Consent{GivenBy: "家属", Relation: "2", Method: "SIGNED"},
	}
	if c.Action == domain.MarkCorrect {
		return l.correct(c)
	}
	empty := rapid.IntRange(0, 5).Draw(l.T, "carries nothing") == 0
	if empty {
		c = domain.MarkCommand{Action: c.Action, Side: c.Side, By: c.By, At: c.At}
	}
	want := domain.Why(0)
	switch {
	case !l.m.mayMark(c.Action, c.Side):
		want = domain.NotAvailable
	case empty:
		want = domain.Content
	}
	err := l.do(func(r *domain.Referral) error { return r.Mark(c) })
	l.check(string(c.Action), c.Side, want, err)
	if err == nil {
		l.m.owesConsent = l.m.owesConsent && c.Action != domain.MarkConsent
		l.m.assessed = l.m.assessed || c.Action == domain.MarkAssess
	}
	return err
}

// correct tries a new text in the place of one that is sealed. The originator's is the form, the receiver's the reply.
func (l *life) correct(c domain.MarkCommand) error {
	text := fmt.Sprint("更正 ", len(l.done))
	c.Reason = rapid.SampledFrom([]string{"TYPING_ERROR", "TYPING_ERROR", "", "BECAUSE"}).Draw(l.T, "reason")
	c.Content = domain.Correction{
		Form:  domain.Form{PastHistory: text, RehabilitationAdvice: text},
		Reply: domain.Reply{Treatment: text, Answer: text},
	}
	form, reply := "form.past_history", "reply.treatment"
	if l.m.direction == domain.Down {
		form = "form.rehabilitation_advice"
	}
	if l.m.kind == domain.KindAdvice {
		reply = "reply.answer"
	}
	field := rapid.SampledFrom([]string{form, reply, "patient_id"}).Draw(l.T, "field")
	c.Fields = []string{field}
	want := domain.Content
	switch {
	case !l.m.mayMark(c.Action, c.Side):
		want = domain.NotAvailable
	case c.Reason != "TYPING_ERROR":
	case c.Side == domain.Originator && field == form, c.Side == domain.Receiver && field == reply && l.m.concluded:
		want = 0
	}
	err := l.do(func(r *domain.Referral) error { return r.Mark(c) })
	l.check("correct "+field, c.Side, want, err)
	if err != nil {
		return err
	}
	l.m.corrections++
	changes := l.r.Changes()
	if got := changes[len(changes)-1].Detail; got["after."+field] != text || got["before."+field] == text {
		l.Fatalf("what stood there is kept as %q", got)
	}
	return nil
}
