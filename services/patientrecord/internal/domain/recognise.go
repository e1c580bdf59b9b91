package domain

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Finding is what of a record's observation or report decides whether it can be recognised, and what is shown of it. A doctor's conclusion is
// no part of it: it is never recognised.
type Finding struct {
	EntryID string
	Version int32
	// Codes as "system|code".
	Codes                     []string
	Name, Value, Normal, Sign string
	Method, Unit, Status      string
	// Time of the sample or the image; zero if the source does not say.
	Time time.Time
	// Organization that made it; empty if not known.
	Organization string
	// Elsewhere names who made it, when that is neither the sender nor an organisation of the county.
	Elsewhere string
}

// Format prints the entry's id in every verb.
func (r Finding) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "result %s", r.EntryID) }

// Viewpoint is from where, for what and when somebody looks at results.
type Viewpoint struct {
	Organization string
	Setting      Setting
	At           time.Time
	Accepts      Directions
	// Tiers of organisations, the own one's included.
	Tiers map[string]Tier
}

// From is the direction of what an organisation made.
func (v Viewpoint) From(performer string) Direction {
	if performer != "" && performer == v.Organization {
		return FromOwn
	}
	own, theirs := v.Tiers[v.Organization], v.Tiers[performer]
	switch {
	case performer == "" || theirs == TierUnknown || own == TierUnknown:
		return FromUnknown
	case theirs == TierOutside:
		return FromOutside
	case theirs > own:
		return FromUpper
	case theirs < own:
		return FromLower
	}
	return FromPeer
}

// Hindrance is why a result is not recognised; empty when it is.
type Hindrance string

// Hindrances, in the order in which they are looked for.
const (
	NotFinal     Hindrance = "STATUS"
	Undated      Hindrance = "UNDATED"
	OtherUnit    Hindrance = "UNIT"
	OtherMethod  Hindrance = "METHOD"
	Nobodys      Hindrance = "UNKNOWN_ORGANIZATION"
	NotThisWay   Hindrance = "DIRECTION"
	OutOfRange   Hindrance = "RANGE"
	NotQualified Hindrance = "QUALITY"
	NeverValid   Hindrance = "NEVER"
	Expired      Hindrance = "EXPIRED"
)

// Recognisable is an item of which a patient has a result: a valid one, or (Refusal) the newest with why it is not.
type Recognisable struct {
	Item      Item
	Results   []Finding
	Performer string
	From      Direction
	// Time of the oldest value; Until the result is valid, zero without limit.
	Time, Until time.Time
	Refusal     Hindrance
	// Noted: the organisation that looks has recognised these results already.
	Noted bool
}

// Format prints the item's code in every verb.
func (r Recognisable) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "recognisable %s", r.Item.Code) }

// Recognise holds the results of a patient against an item: ok is false when there is none of it. Of several valid ones it answers the
// newest; a panel of single values counts only when it is whole, from one organisation and within a day.
func Recognise(item Item, results []Finding, v Viewpoint) (best Recognisable, ok bool) {
	for _, r := range results {
		if item.Disabled || !anyOf(r.Codes, item.Codes) {
			continue
		}
		best, ok = newer(best, v.judged(item, r), ok), true
	}
	if panel, there := v.panel(item, results); there {
		best, ok = newer(best, panel, ok), true
	}
	return best, ok
}

// newer prefers what is valid, then what is younger.
func newer(a, b Recognisable, there bool) Recognisable {
	if !there || (a.Refusal == "") != (b.Refusal == "") && b.Refusal == "" {
		return b
	}
	if (a.Refusal == "") == (b.Refusal == "") && b.Time.After(a.Time) {
		return b
	}
	return a
}

func anyOf(codes, wanted []string) bool {
	return slices.ContainsFunc(codes, func(c string) bool { return slices.Contains(wanted, c) })
}

// judged is one result as the item.
func (v Viewpoint) judged(item Item, r Finding) Recognisable {
	out := Recognisable{Item: item, Results: []Finding{r}, Performer: r.Organization, From: v.From(r.Organization), Time: r.Time}
	out.Refusal = v.refusal(item, r)
	if days := item.Days[v.Setting]; days > 0 {
		out.Until = r.Time.Add(time.Duration(days) * 24 * time.Hour)
	}
	return out
}

// refusal is the one place that decides whether a result counts.
func (v Viewpoint) refusal(item Item, r Finding) Hindrance {
	from, days := v.From(r.Organization), item.Days[v.Setting]
	switch {
	case !slices.Contains([]string{"final", "amended", "corrected"}, r.Status):
		return NotFinal
	case r.Time.IsZero() || r.Time.After(v.At):
		return Undated
	case item.Unit != "" && r.Unit != "" && !strings.EqualFold(item.Unit, r.Unit):
		return OtherUnit
	case len(item.Methods) > 0 && !slices.ContainsFunc(item.Methods, func(m string) bool { return strings.EqualFold(m, r.Method) }):
		return OtherMethod
	case from == FromUnknown && !v.Accepts.Unknown:
		return Nobodys
	case !v.Accepts.accepts(from):
		return NotThisWay
	case from == FromOutside && item.Range == RangeCounty:
		return OutOfRange
	case item.NeedsQuality && from != FromOwn && !slices.Contains(item.Qualified, r.Organization):
		return NotQualified
	case days == 0:
		return NeverValid
	case days != NoLimit && v.At.After(r.Time.Add(time.Duration(days)*24*time.Hour)):
		return Expired
	}
	return ""
}

// panel puts an item together from single values. One that lacks a part is not there at all: a haemoglobin is no blood count.
func (v Viewpoint) panel(item Item, results []Finding) (best Recognisable, ok bool) {
	if item.Disabled || len(item.Parts) == 0 {
		return Recognisable{}, false
	}
	parts := make([][]Recognisable, len(item.Parts))
	for i, codes := range item.Parts {
		for _, r := range results {
			if anyOf(r.Codes, codes) {
				parts[i] = append(parts[i], v.judged(item, r))
			}
		}
	}
	for _, anchor := range parts[0] {
		if whole, complete := around(anchor, parts[1:]); complete {
			best, ok = newer(best, whole, ok), true
		}
	}
	return best, ok
}

// around adds to the first value of a panel the others of the same organisation that lie nearest to it, within a day.
func around(anchor Recognisable, parts [][]Recognisable) (Recognisable, bool) {
	whole := anchor
	whole.Results = slices.Clone(anchor.Results)
	for _, candidates := range parts {
		var nearest Recognisable
		found := false
		for _, c := range candidates {
			apart := c.Time.Sub(anchor.Time).Abs()
			if c.Performer != anchor.Performer || c.Results[0].Elsewhere != anchor.Results[0].Elsewhere || apart > partsApart || found && apart >= nearest.Time.Sub(anchor.Time).Abs() {
				continue
			}
			nearest, found = c, true
		}
		if !found {
			return Recognisable{}, false
		}
		whole.Results = append(whole.Results, nearest.Results...)
		if nearest.Time.Before(whole.Time) {
			whole.Time, whole.Until = nearest.Time, nearest.Until
		}
		if whole.Refusal == "" {
			whole.Refusal = nearest.Refusal
		}
	}
	return whole, true
}
