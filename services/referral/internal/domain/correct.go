package domain

import (
	"slices"
	"strings"
)

// correct puts new text in the place of sealed text; what stood there goes into the change's detail, which is sealed and kept. The
// originator corrects what it wrote, the receiver its reply, each once that is sealed.
func (s *Snapshot) correct(c MarkCommand, change *Change) []Field {
	bad := checkReason(MarkCorrect, c.Reason, c.Note)
	if len(c.Fields) == 0 {
		bad = append(bad, required("updateMask"))
	}
	// What was complete stays so; what was recorded afterwards never was.
	check := checkContent
	if len(checkComplete(s)) == 0 {
		check = checkComplete
	}
	change.Detail = map[string]string{}
	for _, path := range c.Fields {
		before, after, ok := s.correctField(path, c)
		switch {
		case !ok:
			bad = append(bad, unknown("updateMask"))
		case before == after:
			bad = append(bad, combination(path))
		default:
			change.Detail["before."+path], change.Detail["after."+path] = before, after
		}
	}
	s.Corrections++
	bad = append(bad, check(s)...)
	switch {
	case s.ConcludeTime.IsZero() || s.Direction != Up:
	case s.Kind != KindAdvice:
		bad = append(bad, checkReply(s.Reply, s.Kind, s.Outcome)...)
	case s.Reply.Answer == "":
		bad = append(bad, required("reply.answer"))
	}
	return bad
}

func (s *Snapshot) correctField(path string, c MarkCommand) (before, after string, ok bool) {
	part, name, _ := strings.Cut(path, ".")
	concluded := !s.ConcludeTime.IsZero()
	var to, from *string
	switch {
	case part == "form" && c.Side == Originator:
		to, ok = s.Form.field(name)
		from, _ = c.Content.Form.field(name)
	case part == "reply" && c.Side == Receiver && concluded:
		to, ok = s.Reply.field(name)
		from, _ = c.Content.Reply.field(name)
	case path == "outcome_code" && c.Side == Receiver && concluded && slices.Contains(Outcomes(), c.Content.Outcome):
		to, from, ok = &s.Outcome, &c.Content.Outcome, true
	case path == "diagnoses" && c.Side == Originator && len(c.Content.Diagnoses) > 0:
		before, after = words(s.Diagnoses), words(c.Content.Diagnoses)
		s.Diagnoses = slices.Clone(c.Content.Diagnoses)
		return before, after, true
	}
	if !ok {
		return "", "", false
	}
	before, after = *to, *from
	*to = *from
	return before, after, true
}

func words(ds []Diagnosis) string {
	out := make([]string, len(ds))
	for i, d := range ds {
		out[i] = strings.TrimSpace(d.Code + " " + d.Display)
	}
	return strings.Join(out, "; ")
}
