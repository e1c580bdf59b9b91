package statistics

import (
	"net/http"
	"slices"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// casesShown is how many cases a page lists.
const casesShown = 50

// caseRow is one case with its names; it names no patient.
type caseRow struct {
	*referralv1.StatisticCase
	From, To, ConditionName string
}

// casesData is what cases.html sees.
type casesData struct {
	Measure *referralv1.Measure
	// Part is NUMERATOR or DENOMINATOR, Divisor the denominator that is meant.
	Part    string
	Divisor *referralv1.Denominator
	From    string
	Last    string
	// Of words the filters.
	Of []string
	// Total is the figure itself.
	Total int64
	Rows  []caseRow
	// Links tells that the visitor may open a referral: administrators see figures, not records.
	Links bool
	Next  string
}

// Points tells that each case brings points to a mean.
func (d casesData) Points() bool { return d.Measure.GetUnit() == "MEAN" && d.Part == "NUMERATOR" }

// Repeated tells that a case on this page counts more than once.
func (d casesData) Repeated() bool {
	return !d.Points() && slices.ContainsFunc(d.Rows, func(c caseRow) bool { return c.GetCount() > 1 })
}

// cases lists exactly what a figure counts.
func (p *Pages) cases(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	within, code := scopeOf(query), query.Get("measure")
	definitions, err := p.Statistics.ListDefinitions(r.Context(), &referralv1.ListDefinitionsRequest{})
	if err != nil {
		return err
	}
	measures, _ := derived(definitions.GetMeasures())
	m := find(measures, code)
	if m == nil {
		return errs.NotFound("measure")
	}
	visitor, _ := door.VisitorFrom(r.Context())
	data := casesData{
		Measure: m, Part: "NUMERATOR", From: within.from, Last: within.to, Of: p.filters(r, within, code),
		Links: shell.IsCounty(visitor.Account) || shell.IsTownship(visitor.Account),
	}
	if when, ok := monthFrom(within.to); ok {
		data.Last = period{to: when.from}.Last()
	}
	if query.Get("part") == "DENOMINATOR" {
		data.Part = "DENOMINATOR"
		data.Divisor = figureOf(m, nil, within).Divisor
	}
	if data.Total, err = p.total(r, code, data.Part, within); err != nil {
		return err
	}
	found, next, err := p.page(r, code, data.Part, within)
	if err != nil {
		return err
	}
	data.Rows = p.rows(r, found)
	if next != "" {
		query.Set("page", next)
		data.Next = here("/statistics/cases", query)
	}
	return p.Shell.Render(w, r, p.casesSet, shell.Page{Title: "statistics.cases", Nav: "statistics", Data: data})
}

// total is the figure that the cases add up to.
func (p *Pages) total(r *http.Request, code, part string, within scope) (int64, error) {
	var by []string
	if within.reason != "" {
		by = []string{"reason"}
	}
	found, err := p.query(r, within, []string{code}, by...)
	if err != nil {
		return 0, err
	}
	for _, f := range found {
		if by != nil && (len(f.GetKey()) != 1 || f.GetKey()[0] != within.reason) {
			continue
		}
		if part == "DENOMINATOR" {
			return f.GetDenominator(), nil
		}
		return f.GetNumerator(), nil
	}
	return 0, nil
}

// page is one page of cases. Those of one reason are picked out here, so that such a page takes as many of the service's as it needs.
func (p *Pages) page(r *http.Request, code, part string, within scope) (cases []*referralv1.StatisticCase, next string, err error) {
	next = r.URL.Query().Get("page")
	for {
		answer, err := p.Statistics.ListStatisticCases(r.Context(), &referralv1.ListStatisticCasesRequest{
			Measure: code, From: within.from, To: within.to, Part: part, OrganizationId: within.organization, Department: within.department,
			Doctor: within.doctor, Condition: within.condition, Urgency: urgencyOf(within.urgency), Kind: kindOf(within.kind),
			Denominator: within.denominator, WithRetrospective: within.retrospective, PageSize: casesShown, PageToken: next,
		})
		if err != nil {
			return nil, "", err
		}
		for _, c := range answer.GetCases() {
			if within.reason == "" || c.GetReasonCode() == within.reason {
				cases = append(cases, c)
			}
		}
		next = answer.GetNextPageToken()
		if next == "" || within.reason == "" || len(cases) >= casesShown {
			return cases, next, nil
		}
	}
}

func (p *Pages) rows(r *http.Request, cases []*referralv1.StatisticCase) []caseRow {
	names := p.namer(r, "")
	var out []caseRow
	for _, c := range cases {
		row := caseRow{StatisticCase: c, ConditionName: names("condition", c.GetCondition())}
		if id := c.GetOriginator().GetOrganizationId(); id != "" {
			row.From = names("organization", id)
		}
		if id := c.GetReceiver().GetOrganizationId(); id != "" {
			row.To = names("organization", id)
		}
		out = append(out, row)
	}
	return out
}

// filters words what the cases are of.
func (p *Pages) filters(r *http.Request, within scope, measure string) []string {
	names := p.namer(r, measure)
	var out []string
	for _, one := range []struct{ dimension, value string }{
		{"organization", within.organization}, {"department", within.department}, {"doctor", within.doctor}, {"condition", within.condition},
		{"urgency", within.urgency}, {"kind", within.kind}, {"reason", within.reason},
	} {
		if one.value != "" {
			out = append(out, names(one.dimension, one.value))
		}
	}
	return out
}
