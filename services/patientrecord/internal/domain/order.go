package domain

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// OrderDecision is what an order says of one item.
type OrderDecision string

// Decisions.
const (
	// Ordered: there was no valid result.
	Ordered OrderDecision = "ORDER"
	// Dropped: it was named in the order, and not done because a valid result is recognised.
	Dropped OrderDecision = "DROP"
	// Repeated: ordered in spite of a valid result, for one of the six reasons.
	Repeated OrderDecision = "REPEAT"
	// Recognised: a result was recognised without an order.
	Recognised OrderDecision = "RECOGNISE"
)

// RepeatReasons are the six national exceptions (domain.md §4). The last needs words.
func RepeatReasons() []string { return []string{"RT1", "RT2", "RT3", "RT4", "RT5", otherNeed} }

const (
	otherNeed     = "RT6"
	maxReasonText = 200
)

// EntryRef names one version of a clinical entry.
type EntryRef struct {
	ID      string
	Version int32
}

// Evidence is the result that was there when somebody decided.
type Evidence struct {
	Entries     []EntryRef
	Performer   string
	From        Direction
	Time, Until time.Time
	Mark        string
}

// OrderLine is one item of an order. Evidence is set for every decision but Ordered.
type OrderLine struct {
	ItemCode   string
	Decision   OrderDecision
	Reason     string
	ReasonText string
	// Explained: purpose and necessity of the repeat were explained to the patient or the family.
	Explained bool
	Evidence  *Evidence
}

// Order is the note of what was ordered for a patient, and what was recognised. It never changes.
type Order struct {
	ID, PatientID         string
	Organization, Account string
	Setting               Setting
	ReferralID            string
	Time                  time.Time
	// Day is the county's local day of Time, YYYY-MM-DD: figures count on it.
	Day   string
	Lines []OrderLine
}

// Format prints the id in every verb.
func (o Order) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "order %s", o.ID) }

// Decide holds the lines of an order against what the patient has. An item with a valid result is recognised or repeated for a reason, and
// nothing else; a repeat of what is not valid any more is a plain order. The order is whole or refused.
func Decide(lines []OrderLine, items map[string]Item, found map[string]Recognisable) (out []OrderLine, ps Problems) {
	if len(lines) == 0 {
		return nil, Problems{{Field: "lines", Reason: ReasonRequired}}
	}
	seen := map[string]bool{}
	for i, line := range lines {
		at := fmt.Sprintf("lines[%d].", i)
		item, known := items[line.ItemCode]
		switch {
		case !known || item.Disabled:
			ps = append(ps, Problem{Field: at + "itemCode", Reason: ReasonUnknown})
			continue
		case seen[line.ItemCode]:
			ps = append(ps, Problem{Field: at + "itemCode", Reason: ReasonCombination, Cause: "itemCode"})
			continue
		}
		seen[line.ItemCode] = true
		there, ok := found[line.ItemCode]
		decided, wrong := decide(line, there, ok && there.Refusal == "")
		for _, w := range wrong {
			w.Field = at + w.Field
			ps = append(ps, w)
		}
		out = append(out, decided)
	}
	if len(ps) > 0 {
		return nil, ps
	}
	return out, nil
}

func decide(line OrderLine, there Recognisable, valid bool) (OrderLine, Problems) {
	switch line.Decision {
	case Ordered:
		if valid {
			return line, Problems{{Field: "decision", Reason: ReasonRecognisable}}
		}
		return OrderLine{ItemCode: line.ItemCode, Decision: Ordered}, nil
	case Dropped, Recognised:
		if !valid || line.Decision == Recognised && there.Noted {
			return line, Problems{{Field: "decision", Reason: ReasonNotRecognisable}}
		}
		return OrderLine{ItemCode: line.ItemCode, Decision: line.Decision, Evidence: evidence(there)}, nil
	case Repeated:
		if !valid {
			return OrderLine{ItemCode: line.ItemCode, Decision: Ordered}, nil
		}
		line.ReasonText = strings.TrimSpace(line.ReasonText)
		line.Evidence = evidence(there)
		return line, repeatProblems(line)
	}
	return line, Problems{{Field: "decision", Reason: ReasonUnknown}}
}

func repeatProblems(line OrderLine) (ps Problems) {
	switch {
	case line.Reason == "":
		ps = append(ps, Problem{Field: "reasonCode", Reason: ReasonRequired})
	case !slices.Contains(RepeatReasons(), line.Reason):
		ps = append(ps, Problem{Field: "reasonCode", Reason: ReasonUnknown})
	case line.Reason == otherNeed && line.ReasonText == "":
		ps = append(ps, Problem{Field: "reasonText", Reason: ReasonRequired})
	}
	if utf8.RuneCountInString(line.ReasonText) > maxReasonText {
		ps = append(ps, Problem{Field: "reasonText", Reason: ReasonTooLong})
	}
	if !line.Explained {
		ps = append(ps, Problem{Field: "explained", Reason: ReasonRequired})
	}
	return ps
}

func evidence(r Recognisable) *Evidence {
	e := &Evidence{Performer: r.Performer, From: r.From, Time: r.Time, Until: r.Until, Mark: r.Item.Mark}
	for _, x := range r.Results {
		e.Entries = append(e.Entries, EntryRef{ID: x.EntryID, Version: x.Version})
	}
	return e
}
