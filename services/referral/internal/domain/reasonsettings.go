package domain

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// ReasonSettings are what a county hides of the shipped reasons, and words anew. Codes stay, so that counties can be compared and old cases are
// understood.
type ReasonSettings struct {
	// Version is 0 until a county has set something.
	Version int32
	Reasons []ReasonSetting
}

// ReasonSetting is about one reason of one action; an empty text is as shipped.
type ReasonSetting struct {
	Action       Action
	Code         string
	Text, TextEn string
	Hidden       bool
}

// SetReason is a reason as a county has it.
type SetReason struct {
	Reason
	Hidden bool
}

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

// Check refuses settings of what there is not; the names are those of the fields below "settings".
func (s ReasonSettings) Check() []Field {
	var bad []Field
	for i, r := range s.Reasons {
		at := func(name string) string { return fmt.Sprintf("settings.reasons[%d].%s", i, name) }
		known := slices.Contains(ReasonedActions(), r.Action) &&
			slices.ContainsFunc(Reasons(r.Action), func(k Reason) bool { return k.Code == r.Code })
		switch {
		case !known:
			bad = append(bad, unknown(at("code")))
		case slices.ContainsFunc(s.Reasons[:i], r.same):
			bad = append(bad, combination(at("code")))
		case r.Hidden && r.Code == always:
			bad = append(bad, combination(at("hidden")))
		case utf8.RuneCountInString(r.Text) > longestReason:
			bad = append(bad, outOfRange(at("text")))
		case utf8.RuneCountInString(r.TextEn) > longestReasonEn:
			bad = append(bad, outOfRange(at("textEn")))
		}
	}
	return bad
}

func (r ReasonSetting) same(o ReasonSetting) bool { return r.Action == o.Action && r.Code == o.Code }

// Apply are all reasons of an action as the county has them, those it does not offer included.
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
	}
	return out
}

// Own is the settings without what is as it is shipped anyway.
func (s ReasonSettings) Own() ReasonSettings {
	own := s
	own.Reasons = nil
	for _, r := range s.Reasons {
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
