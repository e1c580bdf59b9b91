package statistics

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// casesShown is how many cases a page lists.
const casesShown = 50

// pagesAtMost is how often a page of cases is filled up.
const pagesAtMost = 4

// caseRow is one case with its names; it names no patient.
type caseRow struct {
	*referralv1.StatisticCase
	From, To, ConditionName string
	// Department is the hospital's; "" where none is known.
	Department string
	// At is where the visitor opens it: the referral, or for who sees figures and no records, how far it has come; "" where there is none.
	At string
	// Place is its id in a list to which its course leads back.
	Place string
	// Own words a reason of the county's own, for a case that carries one.
	Own string
}

// casesData is what cases.html sees.
type casesData struct {
	Measure *referralv1.Measure
	// Part is one of parts, Divisor the denominator that is meant.
	Part    string
	Divisor *referralv1.Denominator
	// Parts lead to the other cases of the measure.
	Parts []partLink
	// Export is the address of the workbook, Reset that of the same measure and period without filters; "" without one.
	Export, Reset string
	From          string
	Last          string
	// Of words the filters.
	Of []string
	// Total is the figure itself; of what is excluded there is none.
	Total int64
	Rows  []caseRow
	Next  string
	// Further tells that this is not the first page.
	Further bool
	// Facts are how many of the listed cases have each fact, the most frequent first.
	Facts []factCount
	// Owns are the county's own reasons that are counted under the shipped one asked for.
	Owns []ownReason
}

// factCount is how many of the listed cases have a fact.
type factCount struct {
	Fact  string
	Count int
}

// factsOf counts the facts of cases.
func factsOf(rows []caseRow) (out []factCount) {
	for _, row := range rows {
		fact := row.GetGround().GetFact()
		if fact == "" {
			continue
		}
		i := slices.IndexFunc(out, func(known factCount) bool { return known.Fact == fact })
		if i < 0 {
			i = len(out)
			out = append(out, factCount{Fact: fact})
		}
		out[i].Count++
	}
	slices.SortStableFunc(out, func(a, b factCount) int { return cmp.Compare(b.Count, a.Count) })
	return out
}

// partLink leads to some cases of a measure.
type partLink struct {
	Part, At string
	Here     bool
}

// parts of a measure that can be listed: what its denominator counts without the numerator only of a share, what it leaves out only where it does.
func parts(m *referralv1.Measure, divisor *referralv1.Denominator) []string {
	out := []string{"NUMERATOR"}
	if divisor != nil {
		out = append(out, "DENOMINATOR")
	}
	if isShare(m) {
		out = append(out, "MISSED")
		if divisor.GetExcludes() {
			out = append(out, "EXCLUDED")
		}
	}
	return out
}

// Grounded tells that the cases say why they count.
func (d casesData) Grounded() bool {
	return slices.ContainsFunc(d.Rows, func(c caseRow) bool { return c.GetGround().GetPlace() != "" })
}

// ownReason is a reason of the county's own with the cases that carry it.
type ownReason struct{ Name, At string }

// Points tells that each case brings points to a mean.
func (d casesData) Points() bool { return d.Measure.GetUnit() == "MEAN" && d.Part == "NUMERATOR" }

// Repeated tells that a case on this page counts more than once.
func (d casesData) Repeated() bool {
	return !d.Points() && slices.ContainsFunc(d.Rows, func(c caseRow) bool { return c.GetCount() > 1 })
}

// cases lists exactly what a figure counts.
func (p *Pages) cases(w http.ResponseWriter, r *http.Request) error {
	data, within, err := p.casesOf(r)
	if err != nil {
		return err
	}
	found, next, err := p.page(r, data.Measure.GetCode(), data.Part, within, r.URL.Query().Get("page"))
	if err != nil {
		return err
	}
	data.Rows = p.rows(r, found)
	for i := range data.Rows {
		row := &data.Rows[i]
		row.Place = "case-" + strconv.Itoa(i+1)
		row.At = returning(r, row.At, row.Place)
	}
	p.wordOwn(r, data.Measure.GetCode(), data.Rows)
	data.Facts, data.Further = factsOf(data.Rows), r.URL.Query().Has("page")
	if query := r.URL.Query(); next != "" {
		query.Set("page", next)
		data.Next = here("/statistics/cases", query)
	}
	return p.Shell.Render(w, r, p.casesSet, shell.Page{Title: "statistics.cases", Nav: "statistics", Data: data})
}

// casesOf is what an address of cases means, without the cases.
func (p *Pages) casesOf(r *http.Request) (casesData, scope, error) {
	query := r.URL.Query()
	within, code := scopeOf(query), query.Get("measure")
	definitions, err := p.Statistics.ListDefinitions(r.Context(), &referralv1.ListDefinitionsRequest{})
	if err != nil {
		return casesData{}, within, err
	}
	measures, _ := derived(definitions.GetMeasures())
	m := find(measures, code)
	if m == nil {
		return casesData{}, within, errs.NotFound("measure")
	}
	data := casesData{
		Measure: m, Part: "NUMERATOR", From: within.from, Last: within.to, Of: p.filters(r, within, code), Owns: p.owns(r, within, code),
		Divisor: figureOf(m, nil, within).Divisor,
	}
	if when, ok := monthFrom(within.to); ok {
		data.Last = period{to: when.from}.Last()
	}
	if all := parts(m, data.Divisor); slices.Contains(all, query.Get("part")) {
		data.Part = query.Get("part")
	}
	for _, part := range parts(m, data.Divisor) {
		data.Parts = append(data.Parts, partLink{part, within.cases(code, part), part == data.Part})
	}
	if len(data.Of) > 0 {
		data.Reset = scope{from: within.from, to: within.to, denominator: within.denominator, retrospective: within.retrospective}.cases(code, data.Part)
	}
	query.Del("page")
	query.Set("part", data.Part)
	data.Export = here("/statistics/cases/export", query)
	data.Total, err = p.total(r, code, data.Part, within)
	return data, within, err
}

// total is the figure that the cases add up to.
func (p *Pages) total(r *http.Request, code, part string, within scope) (int64, error) {
	found, err := p.query(r, within, []string{code})
	if err != nil {
		return 0, err
	}
	switch f := first(found, code); part {
	case "DENOMINATOR":
		return f.GetDenominator(), nil
	case "MISSED":
		return f.GetDenominator() - f.GetNumerator(), nil
	default:
		return f.GetNumerator(), nil
	}
}

// page is one page of cases. Where few of many count the service ends a page before it is full: then a few more are asked for.
func (p *Pages) page(r *http.Request, code, part string, within scope, from string) (cases []*referralv1.StatisticCase, next string, err error) {
	next = from
	for range pagesAtMost {
		answer, err := p.Statistics.ListStatisticCases(r.Context(), &referralv1.ListStatisticCasesRequest{
			Measure: code, From: within.from, To: within.to, Part: part, OrganizationId: within.organization, PartnerOrganizationId: within.partner, Department: within.department,
			Doctor: within.doctor, Condition: within.condition, Urgency: urgencyOf(within.urgency), Kind: kindOf(within.kind), Reason: within.reason,
			Denominator: within.denominator, WithRetrospective: within.retrospective, PageSize: int32(casesShown - len(cases)), PageToken: next,
		})
		if err != nil {
			return nil, "", err
		}
		cases, next = append(cases, answer.GetCases()...), answer.GetNextPageToken()
		if next == "" || len(cases) >= casesShown {
			break
		}
	}
	return cases, next, nil
}

// owns are the county's own reasons under the shipped one that is asked for.
func (p *Pages) owns(r *http.Request, within scope, measure string) []ownReason {
	if within.reason == "" {
		return nil
	}
	var out []ownReason
	for _, one := range p.reasonList(r, measure) {
		if one.GetCountsAs() == within.reason {
			narrower := within
			narrower.reason = one.GetCode()
			out = append(out, ownReason{p.Shell.T(r, "reason-text", "zh", one.GetText(), "en", one.GetTextEn()), narrower.cases(measure, "NUMERATOR")})
		}
	}
	return out
}

// wordOwn words the own reasons that cases carry.
func (p *Pages) wordOwn(r *http.Request, measure string, rows []caseRow) {
	for _, one := range p.reasonList(r, measure) {
		for i := range rows {
			if one.GetCountsAs() != "" && rows[i].GetReasonCode() == one.GetCode() {
				rows[i].Own = p.Shell.T(r, "reason-text", "zh", one.GetText(), "en", one.GetTextEn())
			}
		}
	}
}

// reasonList are the reasons that a measure counts; none without the service, which is no reason to show no cases.
func (p *Pages) reasonList(r *http.Request, measure string) []*referralv1.Reason {
	action := reasonAction(measure)
	if action == "" {
		return nil
	}
	list, err := p.Referral.ListReasons(r.Context(), &referralv1.ListReasonsRequest{Action: action})
	if err != nil {
		return nil
	}
	return list.GetReasons()
}

func (p *Pages) rows(r *http.Request, cases []*referralv1.StatisticCase) []caseRow {
	var conditions []string
	for _, c := range cases {
		conditions = append(conditions, c.GetCondition())
	}
	p.learn(r, conditions)
	names := p.namer(r, "")
	visitor, _ := door.VisitorFrom(r.Context())
	var out []caseRow
	for _, c := range cases {
		row := caseRow{StatisticCase: c, ConditionName: names("condition", c.GetCondition()), At: shell.ReferralAt(visitor.Account, c.GetReferralId())}
		if id := c.GetOriginator().GetOrganizationId(); id != "" {
			row.From = names("organization", id)
		}
		if id := c.GetReceiver().GetOrganizationId(); id != "" {
			row.To = names("organization", id)
		}
		if code := departmentOf(c); code != "" {
			row.Department = names("department", code)
		}
		out = append(out, row)
	}
	return out
}

// departmentOf is the code of the hospital's department: the receiver's, of who was sent down or out of the county the sender's.
func departmentOf(c *referralv1.StatisticCase) string {
	if d := c.GetDirection(); d == commonv1.Direction_DOWN || d == commonv1.Direction_OUT {
		return c.GetOriginator().GetDepartmentCode()
	}
	return c.GetReceiver().GetDepartmentCode()
}

// filters words what the cases are of.
func (p *Pages) filters(r *http.Request, within scope, measure string) []string {
	names := p.namer(r, measure)
	var out []string
	for _, one := range []struct{ dimension, value string }{
		{"organization", within.organization}, {"organization", within.partner}, {"department", within.department}, {"doctor", within.doctor}, {"condition", within.condition},
		{"urgency", within.urgency}, {"kind", within.kind}, {"reason", within.reason},
	} {
		if one.value != "" {
			out = append(out, names(one.dimension, one.value))
		}
	}
	return out
}
