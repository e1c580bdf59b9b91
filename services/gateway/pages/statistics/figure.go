package statistics

import (
	"math"
	"net/url"
	"strconv"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// scope is what a figure counts within; all but the period may be empty.
type scope struct {
	from, to                                    string
	organization, department, doctor, condition string
	// partner is the organisation on the other side.
	partner                            string
	urgency, kind, reason, denominator string
	retrospective                      bool
	// targets asks for those that hold; no address has it.
	targets bool
	// unlisted tells that its cases cannot be asked for alone.
	unlisted bool
}

// of is the scope of one value of a dimension. What has no value cannot be asked for alone.
func (s scope) of(dimension, value string) scope {
	switch dimension {
	case "centre", "hospital":
		// Of a chosen organisation the other side is told apart, not the organisation put aside.
		if s.organization == "" || s.organization == value {
			s.organization = value
		} else {
			s.partner = value
		}
	case "organization":
		s.organization = value
	case "department":
		s.department = value
	case "doctor":
		s.doctor = value
	case "condition":
		s.condition = value
	case "urgency":
		s.urgency = value
	case "kind":
		s.kind = value
	case "reason":
		s.reason = value
	}
	s.unlisted = s.unlisted || value == ""
	return s
}

// cases is the address of the cases that a part of a measure counts; "" when they cannot be listed alone.
func (s scope) cases(measure, part string) string {
	if s.unlisted {
		return ""
	}
	query := url.Values{"measure": {measure}, "part": {part}}
	for name, value := range map[string]string{
		"from": s.from, "to": s.to, "organization": s.organization, "with": s.partner, "department": s.department, "doctor": s.doctor, "condition": s.condition,
		"urgency": s.urgency, "kind": s.kind, "reason": s.reason, "denominator": s.denominator,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if s.retrospective {
		query.Set("retrospective", "1")
	}
	return here("/statistics/cases", query)
}

// scopeOf reads the scope from the address of its cases.
func scopeOf(query url.Values) scope {
	get := query.Get
	return scope{
		from: get("from"), to: get("to"), organization: get("organization"), partner: get("with"), department: get("department"), doctor: get("doctor"),
		condition: get("condition"), urgency: get("urgency"), kind: get("kind"), reason: get("reason"), denominator: get("denominator"),
		retrospective: get("retrospective") != "",
	}
}

func urgencyOf(word string) commonv1.Urgency_Code {
	return commonv1.Urgency_Code(commonv1.Urgency_Code_value[word])
}

func kindOf(word string) commonv1.Kind_Code {
	return commonv1.Kind_Code(commonv1.Kind_Code_value[word])
}

// figure is the value of a measure with its words and the addresses of its cases.
type figure struct {
	*referralv1.Figure
	Measure *referralv1.Measure
	// Key words what it is of in a table by one dimension.
	Key string
	// Shown is the value, "" when there is nothing to compute it from; a duration has its Median and its 90th percentile instead.
	Shown          string
	Median, Ninety span
	// Above and Below lead to the cases of numerator and denominator; "" when they cannot be listed alone.
	Above, Below string
	// Divided tells that there is a denominator, and Divisor says which.
	Divided bool
	Divisor *referralv1.Denominator
	// Missed leads to the Apart cases that are below the line of a share and not above it; "" where there is none.
	Missed string
	Apart  int64
	// MovedAt leads to how it moved and who moved it; "" where that is not offered.
	MovedAt string
}

// figureOf words one value.
func figureOf(m *referralv1.Measure, f *referralv1.Figure, within scope) figure {
	out := figure{Figure: f, Measure: m, Divided: len(m.GetDenominators()) > 0, Above: within.cases(m.GetCode(), "NUMERATOR")}
	for _, d := range m.GetDenominators() {
		if out.Divisor == nil || d.GetCode() == within.denominator {
			out.Divisor = d
		}
	}
	if out.Divided {
		out.Below = within.cases(m.GetCode(), "DENOMINATOR")
	}
	if out.Apart = f.GetDenominator() - f.GetNumerator(); isShare(m) && out.Apart > 0 {
		out.Missed = within.cases(m.GetCode(), "MISSED")
	}
	if m.GetUnit() == "COUNT" {
		out.Shown = strconv.FormatInt(f.GetNumerator(), 10)
	} else if f.GetHasValue() {
		out.Shown = shown(m.GetUnit(), f)
	}
	if m.GetUnit() == "DURATION" && f.GetHasValue() {
		out.Median, out.Ninety = spanOf(f.GetMedian()), spanOf(f.GetPercentile_90())
	}
	return out
}

// isShare tells whether the numerator of a measure counts some of the cases of its denominator.
func isShare(m *referralv1.Measure) bool {
	return len(m.GetDenominators()) > 0 && (m.GetUnit() == "PERCENT" || m.GetUnit() == "PERMILLE")
}

// span is a time with its unit, minutes or hours; empty for none.
type span struct{ Number, Unit string }

// spanOf writes what is shorter than an hour in whole minutes, the rest as hours with one digit.
func spanOf(minutes float64) span {
	if whole := math.Round(minutes); whole < 60 {
		return span{strconv.FormatFloat(whole, 'f', 0, 64), "minutes"}
	}
	return span{strconv.FormatFloat(minutes/60, 'f', 1, 64), "hours"}
}

// shown writes a value as a report does: percentages with one digit.
func shown(unit string, f *referralv1.Figure) string {
	switch unit {
	case "PERCENT":
		return strconv.FormatFloat(f.GetValue(), 'f', 1, 64) + "%"
	case "PERMILLE":
		return strconv.FormatFloat(f.GetValue(), 'f', 1, 64) + "‰"
	case "MEAN":
		return strconv.FormatFloat(f.GetValue(), 'f', 1, 64)
	case "DURATION":
		return ""
	default:
		return strconv.FormatFloat(f.GetValue(), 'f', 3, 64)
	}
}

// chart is bars that begin at nought, one for each month, with the table behind them.
type chart struct {
	Bars    []bar
	Figures []figure
	Height  int
	// Since is the first month when the ones before it have no case and are left out.
	Since string
}

// bar is one month: its number is written at its end.
type bar struct {
	Label, Shown string
	// Y is its top, Text the line of its words, Width its length, End where its number stands.
	Y, Text, Width, End int
	Filling             bool
}

// The measures of a chart, in the units of its drawing.
const (
	barStep   = 24
	barLeft   = 62
	barLength = 150
)

// chartOf draws a measure month by month, a share on a scale to 100 %, anything else to its highest value; months without a case between others have an empty bar, so that the distance is true.
func chartOf(m *referralv1.Measure, figures []*referralv1.Figure, within scope) chart {
	var out chart
	most := 0.0
	if m.GetUnit() == "PERCENT" || m.GetUnit() == "MEAN" {
		most = 100
	}
	for _, f := range figures {
		most = max(most, f.GetValue())
	}
	byMonth := make(map[string]*referralv1.Figure, len(figures))
	for _, f := range figures {
		byMonth[f.GetPeriod()] = f
	}
	for month, ok := monthFrom(within.from); ok && month.To() <= within.to; month, ok = monthFrom(month.To()) {
		f := byMonth[month.From()]
		if f == nil {
			f = &referralv1.Figure{Measure: m.GetCode(), Period: month.From()}
		}
		within := within
		within.from, within.to = month.From(), month.To()
		one := figureOf(m, f, within)
		one.Key = month.Label()
		out.Figures = append(out.Figures, one)
	}
	all := len(out.Figures)
	if out.Figures = begun(out.Figures, figure.counted); len(out.Figures) > 0 && len(out.Figures) < all {
		out.Since = out.Figures[0].Key
	}
	for i, f := range out.Figures {
		width := 0
		if most > 0 {
			width = int(f.GetValue() / most * barLength)
		}
		out.Bars = append(out.Bars, bar{
			Label: f.Key, Shown: f.Shown, Y: i*barStep + 4, Text: i*barStep + 17, Width: width, End: barLeft + width + 6, Filling: f.GetFilling(),
		})
	}
	out.Height = len(out.Bars) * barStep
	return out
}
