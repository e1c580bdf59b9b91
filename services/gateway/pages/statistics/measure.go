package statistics

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// measureData is what measure.html sees: one measure, how it moved, and who moved it.
type measureData struct {
	Head        headline
	When, Prior period
	Running     bool
	Periods     []string
	// Chosen is the code of the denominator.
	Chosen string
	// Hidden are the filters that the form keeps, Of words them; Reset leaves them out.
	Hidden map[string]string
	Of     []string
	Reset  string
	// Parts are by department and by centre; none for a measure whose values do not add up.
	Parts  []movement
	Months chart
	// List is the address of the cases.
	List string
}

// movement is a measure by one dimension with what each value did to the whole.
type movement struct {
	// By is department or centre.
	By   string
	Rows []movedRow
	// Change of the whole, with its sign; "" when there is nothing to compare.
	Change      string
	Now, Before figure
	Problem     string
}

// movedRow is a department or a centre.
type movedRow struct {
	Name        string
	Now, Before figure
	// Change of the own value and Contribution to that of the whole, with their signs; "" when not known.
	Change, Contribution string
	by                   float64 // the contribution itself
	// Good is how the contribution is to be taken: 1 better, -1 worse, 0 neither.
	Good int
}

// measure shows one measure and what moved it.
func (p *Pages) measure(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	definitions, err := p.Statistics.ListDefinitions(r.Context(), &referralv1.ListDefinitionsRequest{})
	if err != nil {
		return err
	}
	measures, _ := derived(definitions.GetMeasures())
	m := find(measures, query.Get("measure"))
	if m == nil {
		return errs.NotFound("measure")
	}
	now := p.Shell.Now()
	when := periodOf(query, now)
	d := &picture{When: when, Prior: when.before(now), Within: p.chosen(r, query), Measures: measures, County: administers(r)}
	d.Within.from, d.Within.to, d.Within.denominator = when.From(), when.To(), denominatorOf(m, query.Get("denominator"))
	data := measureData{
		When: when, Prior: d.Prior, Running: when.running(now), Periods: periods(), Chosen: d.Within.denominator, Of: p.filters(r, d.Within, m.GetCode()),
		Hidden: hidden(d.Within), Reset: measureAt(m.GetCode(), when, scope{}), List: d.Within.cases(m.GetCode(), "NUMERATOR"),
	}
	aimed := d.Within
	aimed.targets = true
	if d.Now, err = p.query(r, aimed, []string{m.GetCode()}); err != nil {
		return err
	}
	if m.GetUnit() != "DURATION" {
		for _, by := range []string{"department", "centre"} {
			data.Parts = append(data.Parts, p.movement(r, m, d, by))
		}
	}
	if d.Past, err = p.past(r, m, d, data.Parts); err != nil {
		return err
	}
	data.Head = d.headOf(m)
	span := when.months(now)
	months := d.Within
	months.from, months.to = span.From(), span.To()
	byMonth, err := p.query(r, months, []string{m.GetCode()}, "month")
	if err != nil {
		return err
	}
	data.Months = chartOf(m, byMonth, months)
	return p.Shell.Render(w, r, p.measureSet, shell.Page{Title: "statistics.measure", Nav: "statistics", Data: data})
}

// past is the figure of the period before: that of the contributions, and asked for where there are none.
func (p *Pages) past(r *http.Request, m *referralv1.Measure, d *picture, parts []movement) ([]*referralv1.Figure, error) {
	for _, one := range parts {
		if before := one.Before.Figure; before != nil {
			before.Measure = m.GetCode()
			return []*referralv1.Figure{before}, nil
		}
	}
	return p.query(r, d.earlier(), []string{m.GetCode()})
}

// hidden are the filters of a scope as fields of a form.
func hidden(within scope) map[string]string {
	out := map[string]string{
		"organization": within.organization, "department": within.department, "urgency": within.urgency, "kind": within.kind,
	}
	if within.retrospective {
		out["retrospective"] = "1"
	}
	return out
}

// measureAt is the address of a measure's page for a period and place.
func measureAt(code string, when period, within scope) string {
	query := url.Values{"measure": {code}, "period": {when.Name}}
	if when.Name == "custom" {
		query.Set("from", when.From())
		query.Set("to", when.Last())
	}
	for name, value := range hidden(within) {
		if value != "" {
			query.Set(name, value)
		}
	}
	return here("/statistics/measure", query)
}

// movement asks who moved a measure. A refusal is the problem of the table.
func (p *Pages) movement(r *http.Request, m *referralv1.Measure, d *picture, by string) movement {
	out := movement{By: by}
	dimensions := []string{by}
	if by == "department" {
		dimensions = []string{"hospital", "department"}
	}
	within := d.Within
	found, err := p.Statistics.ListContributions(r.Context(), &referralv1.ListContributionsRequest{
		Measure: m.GetCode(), From: within.from, To: within.to, BeforeFrom: d.Prior.From(), BeforeTo: d.Prior.To(), GroupBy: dimensions,
		OrganizationId: within.organization, Department: within.department, Urgency: urgencyOf(within.urgency), Kind: kindOf(within.kind),
		Denominator: within.denominator, WithRetrospective: within.retrospective,
	})
	if err != nil {
		out.Problem = p.problem(r, err)
		return out
	}
	names := p.namer(r, m.GetCode())
	several := slices.ContainsFunc(found.GetContributions(), func(c *referralv1.Contribution) bool {
		return len(dimensions) > 1 && c.GetKey()[0] != found.GetContributions()[0].GetKey()[0]
	})
	for _, c := range found.GetContributions() {
		if len(c.GetKey()) != len(dimensions) {
			continue
		}
		now, before := within, d.earlier()
		var words []string
		for i, dimension := range dimensions {
			now, before = now.of(dimension, c.GetKey()[i]), before.of(dimension, c.GetKey()[i])
			if dimension != "hospital" || several {
				words = append(words, names(dimension, c.GetKey()[i]))
			}
		}
		row := movedRow{Name: strings.Join(words, " "), Now: figureOf(m, c.GetNow(), now), Before: figureOf(m, c.GetBefore(), before)}
		if valued(row.Now) && valued(row.Before) {
			row.Change = signed(m, amountOf(m, row.Now.Figure)-amountOf(m, row.Before.Figure))
		}
		if found.GetHasChange() {
			row.by, row.Contribution, row.Good = c.GetContribution(), signed(m, c.GetContribution()), good(m, c.GetContribution())
		}
		out.Rows = append(out.Rows, row)
	}
	out.Now, out.Before = figureOf(m, found.GetNow(), within), figureOf(m, found.GetBefore(), d.earlier())
	if found.GetHasChange() {
		out.Change = signed(m, found.GetChange())
	}
	return out
}

// signed writes a difference with its sign: of a share in points to two decimals, so that rounded rows still add up.
func signed(m *referralv1.Measure, by float64) string {
	digits := 2
	switch m.GetUnit() {
	case "COUNT":
		digits = 0
	case "RATIO":
		digits = 3
	}
	text := strconv.FormatFloat(by, 'f', digits, 64)
	switch zero := strconv.FormatFloat(0, 'f', digits, 64); {
	case text == zero || text == "-"+zero:
		return zero
	case by > 0:
		return "+" + text
	}
	return text
}

// good tells whether a difference is for the better: 1 yes, -1 no, 0 neither.
func good(m *referralv1.Measure, by float64) int {
	sign := map[string]int{"HIGHER_BETTER": 1, "LOWER_BETTER": -1}[m.GetDirection()]
	switch text := strings.Trim(signed(m, by), "+-0."); {
	case text == "":
		return 0
	case by > 0:
		return sign
	}
	return -sign
}
