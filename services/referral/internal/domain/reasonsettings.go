package domain

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ReasonSettings are what a county hides of the shipped reasons, and words anew, and its own reasons. Codes stay, and every own reason counts as a
// shipped one, so that counties can be compared and old cases are understood.
type ReasonSettings struct {
	// Version is 0 until a county has set something.
	Version int32
	Reasons []ReasonSetting
}

// ReasonSetting is about one reason of one action; an empty text is as shipped. One with CountsAs is the county's own: its code is empty until
// [ReasonSettings.Numbered] gives it one.
type ReasonSetting struct {
	Action       Action
	Code         string
	Text, TextEn string
	Hidden       bool
	// CountsAs is the shipped code under which an own reason is counted; empty for a shipped one.
	CountsAs string
}

// SetReason is a reason as a county has it.
type SetReason struct {
	Reason
	Hidden bool
	// CountsAs is empty for a shipped reason.
	CountsAs string
}

// ownMark stands in the code of an own reason between the shipped code and its number: "NO_BED.1". So a code says by itself what it counts as, in
// histories and figures and at whoever receives facts, and nothing that the county sets later can count an old case anew.
const ownMark = "."

// CountsAs is the shipped code under which a reason is counted: its own, unless it is a county's.
func CountsAs(code string) string {
	shipped, _, _ := strings.Cut(code, ownMark)
	return shipped
}

// isOwn tells whether a code is one that a county made.
func isOwn(code string) bool { return strings.Contains(code, ownMark) }

// ownMost is how many own reasons an action may have: a list that is longer than a screen is not read, and everything is called other.
const ownMost = 20

// always is the reason that ends every list: who finds no other has to have one.
const always = "OTHER"

const (
	longestReason   = 60
	longestReasonEn = 120
)

// ReasonedActions are those whose reasons a county may set, in the order shown.
func ReasonedActions() []Action {
	return []Action{
		ActionReturn, ActionDecline, ActionRedirect, ActionCancel, DismissCandidate, ActionRecordArrival, ActionRecordOut, DismissRegistration,
	}
}

// ShippedReasons are all reasons in the words in which they are shipped: what holds where a county has set nothing.
func ShippedReasons() (out ReasonSettings) {
	for _, a := range ReasonedActions() {
		for _, r := range Reasons(a) {
			out.Reasons = append(out.Reasons, ReasonSetting{Action: a, Code: r.Code, Text: r.Text, TextEn: r.TextEn})
		}
	}
	return out
}

// Check refuses settings of what there is not; the names are those of the fields below "settings".
func (s ReasonSettings) Check() []Field {
	var bad []Field
	for i, r := range s.Reasons {
		at := func(name string) string { return fmt.Sprintf("settings.reasons[%d].%s", i, name) }
		switch known := slices.Contains(ReasonedActions(), r.Action) && isShipped(r.Action, CountsAs(cmp.Or(r.CountsAs, r.Code))); {
		case r.Code == "" && r.CountsAs == "":
			bad = append(bad, required(at("countsAs")))
		case !known && r.CountsAs != "":
			bad = append(bad, unknown(at("countsAs")))
		case !known:
			bad = append(bad, unknown(at("code")))
		case isOwn(r.CountsAs) || r.Code != "" && r.CountsAs != "" && (!isOwn(r.Code) || CountsAs(r.Code) != r.CountsAs):
			bad = append(bad, combination(at("countsAs")))
		case (r.CountsAs != "" || isOwn(r.Code)) && r.Text == "":
			bad = append(bad, required(at("text")))
		case r.Code != "" && slices.ContainsFunc(s.Reasons[:i], r.same):
			bad = append(bad, combination(at("code")))
		case r.Hidden && r.Code == always:
			bad = append(bad, combination(at("hidden")))
		case utf8.RuneCountInString(r.Text) > longestReason:
			bad = append(bad, outOfRange(at("text")))
		case utf8.RuneCountInString(r.TextEn) > longestReasonEn:
			bad = append(bad, outOfRange(at("textEn")))
		}
	}
	for _, a := range ReasonedActions() {
		own := slices.DeleteFunc(slices.Clone(s.Reasons), func(r ReasonSetting) bool { return r.Action != a || r.CountsAs == "" || r.Hidden })
		if len(own) > ownMost {
			bad = append(bad, outOfRange("settings.reasons"))
		}
	}
	return bad
}

func isShipped(a Action, code string) bool {
	return slices.ContainsFunc(Reasons(a), func(k Reason) bool { return k.Code == code })
}

// Numbered is the settings as they may stand after others: every own reason that is new has a code, none has a code that the county did not give,
// and one that stood before and is left out is hidden, for cases may have it.
func (s ReasonSettings) Numbered(before ReasonSettings) (ReasonSettings, []Field) {
	out := s
	out.Reasons = nil
	var bad []Field
	for i, r := range s.Reasons {
		if isOwn(r.Code) {
			at := slices.IndexFunc(before.Reasons, r.same)
			if at < 0 {
				bad = append(bad, unknown(fmt.Sprintf("settings.reasons[%d].code", i)))
				continue
			}
			r.CountsAs = before.Reasons[at].CountsAs
		}
		out.Reasons = append(out.Reasons, r)
	}
	for _, r := range before.Reasons {
		if r.CountsAs != "" && !slices.ContainsFunc(out.Reasons, r.same) {
			r.Hidden = true
			out.Reasons = append(out.Reasons, r)
		}
	}
	for i := range out.Reasons {
		if r := &out.Reasons[i]; r.Code == "" {
			r.Code = out.next(r.Action, r.CountsAs)
		}
	}
	return out, bad
}

// next is the code of the next own reason that counts as a shipped one.
func (s ReasonSettings) next(a Action, countsAs string) string {
	last := 0
	for _, r := range s.Reasons {
		if head, tail, own := strings.Cut(r.Code, ownMark); own && r.Action == a && head == countsAs {
			n, _ := strconv.Atoi(tail) // one that is none was refused
			last = max(last, n)
		}
	}
	return countsAs + ownMark + strconv.Itoa(last+1)
}

// CountedAs are the codes that are counted under one, itself first; an own one stands alone.
func (s ReasonSettings) CountedAs(code string) []string {
	out := []string{code}
	for _, r := range s.Reasons {
		if r.CountsAs == code && r.CountsAs != "" && !slices.Contains(out, r.Code) {
			out = append(out, r.Code)
		}
	}
	return out
}

// Knows tells whether an action may carry a code: a shipped one, or one that the county made, hidden or not.
func (s ReasonSettings) Knows(a Action, code string) bool {
	return !isOwn(code) || slices.ContainsFunc(s.Reasons, ReasonSetting{Action: a, Code: code}.same)
}

func (r ReasonSetting) same(o ReasonSetting) bool { return r.Action == o.Action && r.Code == o.Code }

// Apply are all reasons of an action as the county has them, those it does not offer included; each own one after that which it counts as.
func (s ReasonSettings) Apply(a Action) []SetReason {
	var out []SetReason
	for _, r := range Reasons(a) {
		one := SetReason{Reason: r}
		if i := slices.IndexFunc(s.Reasons, (ReasonSetting{Action: a, Code: r.Code}).same); i >= 0 {
			set := s.Reasons[i]
			one.Hidden = set.Hidden
			if set.Text != "" {
				one.Text = set.Text
			}
			if set.TextEn != "" {
				one.TextEn = set.TextEn
			}
		}
		out = append(out, one)
		for _, own := range s.Reasons {
			if own.Action == a && own.CountsAs == r.Code {
				made := Reason{Code: own.Code, Text: own.Text, TextEn: cmp.Or(own.TextEn, own.Text), NoteRequired: noteRequired(r, own.Code), Only: r.Only}
				out = append(out, SetReason{Reason: made, Hidden: own.Hidden, CountsAs: r.Code})
			}
		}
	}
	slices.SortStableFunc(out, func(x, y SetReason) int { return cmp.Compare(last(x), last(y)) })
	return out
}

// last keeps the reason that ends every list at its end.
func last(r SetReason) int {
	if r.Code == always {
		return 1
	}
	return 0
}

// Own is the settings without what is as it is shipped anyway.
func (s ReasonSettings) Own() ReasonSettings {
	own := s
	own.Reasons = nil
	for _, r := range s.Reasons {
		if r.CountsAs != "" {
			own.Reasons = append(own.Reasons, r)
			continue
		}
		i := slices.IndexFunc(Reasons(r.Action), func(k Reason) bool { return k.Code == r.Code })
		if i < 0 {
			continue
		}
		forget(&r.Text, Reasons(r.Action)[i].Text)
		forget(&r.TextEn, Reasons(r.Action)[i].TextEn)
		if r.Hidden || r.Text != "" || r.TextEn != "" {
			own.Reasons = append(own.Reasons, r)
		}
	}
	return own
}
