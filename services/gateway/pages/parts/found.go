package parts

import (
	"cmp"
	"maps"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// SetValues fills a form with what the doctor found.
func SetValues(form url.Values, values []*referralv1.ClinicalValue) {
	for _, v := range values {
		switch found := v.GetValue().(type) {
		case *referralv1.ClinicalValue_Number:
			form.Set(valuePrefix+v.GetName(), strconv.FormatFloat(found.Number, 'f', -1, 64))
		case *referralv1.ClinicalValue_Finding:
			field := finding
			if !found.Finding {
				field = findingNot
			}
			form.Add(field, v.GetName())
		}
	}
}

// FoundGroup is the panel's fields as a group of a form that somebody else may change meanwhile.
func FoundGroup(sh *shell.Shell, r *http.Request) Group {
	return Group{"values", "field.values", []string{valuePrefix, finding, findingNot, findingAsked, findingRest, findingAsked + folded, findingRest + folded}, func(form url.Values) string {
		var said []string
		for _, one := range usedOf(sh, r, Values(form)) {
			said = append(said, one.said(sh, r))
		}
		return strings.Join(said, "；")
	}}
}

// Matched is a criterion that was met when the referral was sent, with what the doctor found of what it asks for.
type Matched struct {
	Text string
	Used []Used
}

// MatchedOf words what was met and what was found; rest is what was found and no met criterion asks for.
func MatchedOf(sh *shell.Shell, r *http.Request, referral *referralv1.Referral) (matched []Matched, rest []Used) {
	found := usedOf(sh, r, referral.GetValues())
	shown := map[string]bool{}
	for _, c := range sh.Criteria(r, referral.GetMatchedCriteria()) {
		one := Matched{Text: c.Text}
		for _, name := range c.Values { // in the order of the rule: systolic before diastolic
			if i := slices.IndexFunc(found, func(u Used) bool { return u.name == name }); i >= 0 {
				shown[name] = true
				if !found[i].repeats(c.Text) {
					one.Used = append(one.Used, found[i])
				}
			}
		}
		matched = append(matched, one)
	}
	for _, u := range found {
		if !shown[u.name] {
			rest = append(rest, u)
		}
	}
	return matched, rest
}

// usedOf words what was found; what no rule of today asks for is named by its code.
func usedOf(sh *shell.Shell, r *http.Request, values []*referralv1.ClinicalValue) []Used {
	if len(values) == 0 {
		return nil
	}
	known, w := sh.ClinicalValues(r), words{english: sh.Language(r) == "en"}
	out := make([]Used, 0, len(values))
	for _, v := range values {
		d := known[v.GetName()]
		one := Used{name: v.GetName(), Label: cmp.Or(w.of(d.GetLabel(), d.GetLabelEn()), v.GetName()), Unit: d.GetUnit(), Number: v.GetNumber(), Present: v.GetFinding(), Time: v.GetTime()}
		_, one.Finding = v.GetValue().(*referralv1.ClinicalValue_Finding)
		out = append(out, one)
	}
	return out
}

// Used is a value that a rule was held against; Time is nil for what was typed.
type Used struct {
	name        string
	Label, Unit string
	Number      float64
	// Finding tells that it is a finding, which is there or not.
	Finding, Present bool
	Time             *timestamppb.Timestamp
}

// repeats tells that the value says no more than the rule's own words: "the equipment is not here".
func (u Used) repeats(text string) bool { return u.Finding && u.Present && u.Label == text }

// said is the value in one line of plain text.
func (u Used) said(sh *shell.Shell, r *http.Request) string {
	switch {
	case !u.Finding:
		return u.Label + " " + strconv.FormatFloat(u.Number, 'f', -1, 64)
	case u.Present:
		return u.Label + " " + sh.T(r, "refer.criteria.yes")
	default:
		return u.Label + " " + sh.T(r, "refer.criteria.no")
	}
}

// Values reads the panel; what is no number is left out.
func Values(form url.Values) []*referralv1.ClinicalValue {
	var out []*referralv1.ClinicalValue
	for _, field := range slices.Sorted(maps.Keys(form)) {
		name, ok := strings.CutPrefix(field, valuePrefix)
		if number, err := Number(form.Get(field)); ok && err == nil {
			out = append(out, &referralv1.ClinicalValue{Name: name, Value: &referralv1.ClinicalValue_Number{Number: number}})
		}
	}
	for _, name := range form[finding] {
		out = append(out, &referralv1.ClinicalValue{Name: name, Value: &referralv1.ClinicalValue_Finding{Finding: true}})
	}
	for _, name := range denied(form) {
		out = append(out, &referralv1.ClinicalValue{Name: name, Value: &referralv1.ClinicalValue_Finding{Finding: false}})
	}
	return out
}

// fullWidth turns the digits of a Chinese input method into plain ones.
var fullWidth = strings.NewReplacer("０", "0", "１", "1", "２", "2", "３", "3", "４", "4", "５", "5", "６", "6", "７", "7", "８", "8", "９", "9", "．", ".", "。", ".", "，", ".", ",", ".", "－", "-")

// thousands is 1,200, of which nobody knows whether the comma stands for a point.
var thousands = regexp.MustCompile(`^[1-9]\d{0,2}([,，]\d{3})+$`)

// Number reads a number as people type it: full-width, and with a comma or a full stop for the point. A comma before three digits is refused: it may part
// thousands.
func Number(typed string) (float64, error) {
	if thousands.MatchString(strings.TrimSpace(typed)) {
		return 0, strconv.ErrSyntax
	}
	number, err := strconv.ParseFloat(strings.TrimSpace(fullWidth.Replace(typed)), 64)
	if err == nil && (math.IsNaN(number) || math.IsInf(number, 0)) {
		err = strconv.ErrRange
	}
	return number, err
}

// denied are the findings said not to be there; a tick comes first.
func denied(form url.Values) []string {
	names := slices.Clone(form[findingNot])
	for _, part := range []string{"", folded} {
		if form.Get(findingRest+part) != "" {
			names = append(names, form[findingAsked+part]...)
		}
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return slices.Contains(form[finding], name) })
}
