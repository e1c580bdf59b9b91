// Package statistics holds the pages of the figures: the two down-referral rates side by side, every measure with its published
// definition, months against months, figures by organisation, department, doctor or condition, and the cases behind each.
//
// Nothing is computed here: values, definitions and cases come from the referral service, and every number leads to exactly the
// cases that it counts. Addresses hold codes and dates only.
package statistics

import (
	"embed"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

//go:embed *.html
var files embed.FS

// The two rates that stand side by side.
const rateA, rateB = "IND-DN-A", "IND-DN-B"

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell       *shell.Shell
	Statistics  referralv1.StatisticsServiceClient
	Referral    referralv1.ReferralServiceClient
	Setting     referralv1.SettingServiceClient
	Recognition patientrecordv1.RecognitionServiceClient
	Roster      directoryv1.RosterServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	// conditions are the names of diagnoses by code, which do not change while a process runs.
	conditions                                                                                          sync.Map
	overviewSet, casesSet, mineSet, dischargesSet, glanceSet, lateSet, reportSet, courseSet, measureSet *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	var err error
	for _, one := range []struct {
		set   **shell.Set
		files []string
	}{
		{&p.overviewSet, []string{"overview.html", "parts.html"}}, {&p.casesSet, []string{"cases.html", "parts.html"}},
		{&p.dischargesSet, []string{"discharges.html", "parts.html"}}, {&p.mineSet, []string{"mine.html", "parts.html"}},
		{&p.glanceSet, []string{"glance.html", "panels.html", "parts.html"}}, {&p.lateSet, []string{"late.html"}},
		{&p.courseSet, []string{"course.html", "parts.html"}}, {&p.measureSet, []string{"measure.html", "panels.html", "parts.html"}},
		{&p.reportSet, []string{"report.html", "panels.html", "parts.html"}},
	} {
		if *one.set, err = deps.Shell.Parse(files, one.files...); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /statistics", p.Shell.Page(p.overview))
	mux.Handle("GET /statistics/measure", p.Shell.Page(p.measure))
	mux.Handle("GET /statistics/cases", p.Shell.Page(p.cases))
	mux.Handle("GET /statistics/cases/export", p.Shell.Page(p.exportCases))
	mux.Handle("GET /statistics/cases/{id}", p.Shell.Page(p.course))
	mux.Handle("GET /statistics/discharges", p.Shell.Page(p.discharges))
	mux.Handle("GET /statistics/mine", p.Shell.Page(p.mine))
	mux.Handle("GET /overview", p.Shell.Page(p.glance))
	mux.Handle("GET /overview/late", p.Shell.Page(p.late))
	mux.Handle("GET /overview/report", p.Shell.Page(p.report))
	mux.Handle("GET /overview/export", p.Shell.Page(p.export))
}

// overviewData is what overview.html sees.
type overviewData struct {
	Period  period
	Periods []string
	// Retrospective tells that what was recorded after the fact counts too.
	Retrospective bool
	Rates         []rate
	Sections      []section
	// Absent are indicators that are asked for and cannot be derived; their notes say why.
	Absent  []*referralv1.Measure
	Reasons []grouped
	Grouped grouped
	// Sums say why totals on the page differ.
	Sums []string
	// Chosen tells that something else is shown than at first.
	Chosen bool
	// Dimensions and Grouping are what the last table can be of.
	Dimensions []string
	Grouping   []*referralv1.Measure
	Measure    string
	By         string
}

// rate is one of the two rates: its figure, its months and the denominators to choose from.
type rate struct {
	figure
	// Chosen is the code of the denominator, Field the name of its field.
	Chosen, Field string
	Months        chart
}

// section is a part of the table of all measures.
type section struct {
	Name    string
	Figures []figure
}

func (p *Pages) overview(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	definitions, err := p.Statistics.ListDefinitions(r.Context(), &referralv1.ListDefinitionsRequest{})
	if err != nil {
		return err
	}
	measures, absent := derived(definitions.GetMeasures())
	data := overviewData{
		Period: periodOf(query, p.Shell.Now()), Periods: periods(), Retrospective: query.Get("retrospective") != "", Dimensions: dimensions(measures),
		Absent: absent, Measure: query.Get("measure"), By: query.Get("by"), Chosen: len(query) > 0,
	}
	about := scope{from: data.Period.From(), to: data.Period.To(), retrospective: data.Retrospective}
	if data.Rates, err = p.rates(r, measures, about, data.Period); err != nil {
		return err
	}
	all, err := p.query(r, about, nil)
	if err != nil {
		return err
	}
	data.Sections, data.Reasons = sections(measures, all, about, data.Period), p.reasons(r, measures, about)
	data.Sums = reckoned(all, func(key string, pairs ...any) string { return p.Shell.T(r, key, pairs...) })
	if !slices.Contains(data.Dimensions, data.By) && len(data.Dimensions) > 0 {
		data.By = data.Dimensions[0]
	}
	data.Grouping = groupedBy(measures, data.By)
	chosen := find(data.Grouping, data.Measure)
	if chosen == nil {
		chosen = find(data.Grouping, rateA)
	}
	if chosen == nil && len(data.Grouping) > 0 {
		chosen = data.Grouping[0]
	}
	if chosen != nil {
		data.Measure, data.Grouped = chosen.GetCode(), p.by(r, chosen, data.By, about, orderOf(query))
	}
	data.Grouped.total(all, about)
	for i := range data.Reasons {
		data.Reasons[i].total(all, about)
	}
	return p.Shell.Render(w, r, p.overviewSet, shell.Page{Title: "statistics.title", Nav: "statistics", Data: data})
}

// derived parts the measures from the indicators that cannot be derived, which have no unit.
func derived(all []*referralv1.Measure) (measures, absent []*referralv1.Measure) {
	for _, m := range all {
		if m.GetUnit() == "" {
			absent = append(absent, m)
		} else {
			measures = append(measures, m)
		}
	}
	return measures, absent
}

func find(measures []*referralv1.Measure, code string) *referralv1.Measure {
	i := slices.IndexFunc(measures, func(m *referralv1.Measure) bool { return m.GetCode() == code })
	if i < 0 {
		return nil
	}
	return measures[i]
}

// rates are the two rates with the chosen denominators, and what they were month by month.
func (p *Pages) rates(r *http.Request, measures []*referralv1.Measure, about scope, when period) ([]rate, error) {
	var out []rate
	for _, code := range []string{rateA, rateB} {
		m := find(measures, code)
		if m == nil {
			continue
		}
		one := rate{Field: "of-" + code}
		within := about
		within.denominator = denominatorOf(m, r.URL.Query().Get(one.Field))
		one.Chosen = within.denominator
		found, err := p.query(r, within, []string{code})
		if err != nil {
			return nil, err
		}
		one.figure = figureOf(m, first(found, code), within)
		span := when.months(p.Shell.Now())
		within.from, within.to = span.From(), span.To()
		byMonth, err := p.query(r, within, []string{code}, "month")
		if err != nil {
			return nil, err
		}
		one.Months = chartOf(m, byMonth, within)
		out = append(out, one)
	}
	return out, nil
}

// denominatorOf is the chosen denominator of a measure, the first when it has no such one.
func denominatorOf(m *referralv1.Measure, code string) string {
	for _, d := range m.GetDenominators() {
		if d.GetCode() == code {
			return code
		}
	}
	if len(m.GetDenominators()) > 0 {
		return m.GetDenominators()[0].GetCode()
	}
	return ""
}

// query asks for figures of measures, all of them when there is none.
func (p *Pages) query(r *http.Request, about scope, codes []string, by ...string) ([]*referralv1.Figure, error) {
	answer, err := p.Statistics.QueryStatistics(r.Context(), &referralv1.QueryStatisticsRequest{
		Measure: codes, From: about.from, To: about.to, GroupBy: by, OrganizationId: about.organization, PartnerOrganizationId: about.partner, Department: about.department,
		Doctor: about.doctor, Condition: about.condition, Urgency: urgencyOf(about.urgency), Kind: kindOf(about.kind),
		Denominator: about.denominator, WithRetrospective: about.retrospective, WithTargets: about.targets, Reason: about.reason,
	})
	return answer.GetFigures(), err
}

// first is the figure of a measure; one without a case has none, which is nought.
func first(figures []*referralv1.Figure, code string) *referralv1.Figure {
	for _, f := range figures {
		if f.GetMeasure() == code {
			return f
		}
	}
	return &referralv1.Figure{Measure: code}
}

// sections are all measures in the parts that people look for.
func sections(measures []*referralv1.Measure, found []*referralv1.Figure, about scope, when period) []section {
	var out []section
	for _, name := range []string{"up", "down", "time", "quality", "apart"} {
		one := section{Name: name}
		for _, m := range measures {
			if sectionOf(m) == name {
				f := figureOf(m, first(found, m.GetCode()), about)
				f.MovedAt = measureAt(m.GetCode(), when, about)
				one.Figures = append(one.Figures, f)
			}
		}
		if one.Figures != nil {
			out = append(out, one)
		}
	}
	return out
}

// sectionOf is where a measure stands. What was cancelled or came back stands apart, so that nobody takes it for work done; a measure
// that is new to this page is among the quality ones.
func sectionOf(m *referralv1.Measure) string {
	begins := func(with ...string) bool {
		return slices.ContainsFunc(with, func(prefix string) bool { return strings.HasPrefix(m.GetCode(), prefix) })
	}
	switch {
	case m.GetUnit() == "DURATION":
		return "time"
	case strings.Contains(m.GetCode(), "CANCELLED"), begins("BOUNCE", "NO-SHOW"):
		return "apart"
	case begins("IND-DN", "IND-T3", "DN-", "CAND-", "FU-", "STAGE-DN"):
		return "down"
	case begins("IND-UP", "UP-", "OUT-", "RETRO", "CRIT-", "ARRIVED-", "STAGE-UP"):
		return "up"
	default:
		return "quality"
	}
}

// reasons are the measures that count by a coded reason, the most frequent first. Without one of them the page stands.
func (p *Pages) reasons(r *http.Request, measures []*referralv1.Measure, about scope) []grouped {
	coded := slices.DeleteFunc(slices.Clone(measures), func(m *referralv1.Measure) bool {
		return reasonAction(m.GetCode()) == "" || !slices.Contains(m.GetGroupBy(), "reason")
	})
	out, _ := p.byReason(r, coded, about) // a refusal is the problem of each
	return out
}

// byReason are measures by their reasons, the most frequent first, asked for at once. What is refused is each one's problem, and the error.
func (p *Pages) byReason(r *http.Request, measures []*referralv1.Measure, about scope) ([]grouped, error) {
	var codes []string
	for _, m := range measures {
		codes = append(codes, m.GetCode())
	}
	if codes == nil {
		return nil, nil
	}
	found, err := p.query(r, about, codes, "reason")
	out := make([]grouped, len(measures))
	for i, m := range measures {
		if out[i] = (grouped{Measure: m}); err != nil {
			out[i].Problem = p.problem(r, err)
			continue
		}
		mine := slices.DeleteFunc(slices.Clone(found), func(f *referralv1.Figure) bool { return f.GetMeasure() != m.GetCode() })
		slices.SortStableFunc(mine, mostFirst)
		out[i].Figures = p.keyed(r, m, "reason", about, mine)
	}
	if errs.KindOf(err) == errs.KindInvalid {
		err = nil // said at each
	}
	return out, err
}

// reasonAction is the action whose reasons a measure counts; "" for none.
func reasonAction(code string) string {
	return map[string]string{"DECLINED-N": "decline", "RETURNED-N": "return", "CANCELLED-N": "cancel", "CAND-DISMISSED-N": "dismiss_candidate", "OUT-N": "record_out"}[code]
}

// here is the address of the page with another choice.
func here(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}
