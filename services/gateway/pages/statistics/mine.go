package statistics

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// verdicts begin the codes of the measures of appropriateness (转诊评价): each is the share of one verdict among those given.
const verdicts = "VERDICT-"

// mineData is what mine.html sees: the county's verdicts on the visitor's own referrals.
type mineData struct {
	Period  period
	Periods []string
	// Measures are the verdicts, in the order of the columns.
	Measures []*referralv1.Measure
	Rows     []mineRow
	// Months are the cases themselves, the newest month first.
	Months []judgedMonth
}

// Query is the address of another period.
func (mineData) Query(name string) string {
	return here("/statistics/mine", url.Values{"period": {name}})
}

// mineRow is one month and condition.
type mineRow struct {
	Month, Condition string
	// Assessed is how many got a verdict; Verdicts has the figure of each measure.
	Assessed figure
	Verdicts []figure

	code string
}

// mine shows a doctor the verdicts on the doctor's own referrals, month by month and condition by condition.
func (p *Pages) mine(w http.ResponseWriter, r *http.Request) error {
	definitions, err := p.Statistics.ListDefinitions(r.Context(), &referralv1.ListDefinitionsRequest{})
	if err != nil {
		return err
	}
	visitor, _ := door.VisitorFrom(r.Context())
	query := r.URL.Query()
	if query.Get("period") == "" {
		query.Set("period", "year")
	}
	data := mineData{Period: periodOf(query, p.Shell.Now()), Periods: slices.DeleteFunc(periods(), func(name string) bool { return name == "custom" })}
	var codes []string
	for _, m := range definitions.GetMeasures() {
		if strings.HasPrefix(m.GetCode(), verdicts) {
			data.Measures, codes = append(data.Measures, m), append(codes, m.GetCode())
		}
	}
	if codes != nil {
		about := scope{from: data.Period.From(), to: data.Period.To(), doctor: visitor.Account.GetId()}
		found, err := p.query(r, about, codes, "month", "condition")
		if err != nil {
			return err
		}
		data.Rows = p.mineRows(r, data.Measures, found, about)
		if data.Months, err = p.judged(r, codes[0], about); err != nil {
			return err
		}
	}
	return p.Shell.Render(w, r, p.mineSet, shell.Page{Title: "statistics.mine", Nav: "referrals", Data: data})
}

// mineRows puts the figures of all verdicts of one month and condition into one row, the newest month first.
func (p *Pages) mineRows(r *http.Request, measures []*referralv1.Measure, figures []*referralv1.Figure, about scope) []mineRow {
	var rows []mineRow
	p.learn(r, keysOf(figures))
	names := p.namer(r, "")
	for _, f := range figures {
		month, ok := monthFrom(f.GetPeriod())
		if !ok || len(f.GetKey()) != 1 {
			continue
		}
		within := about.of("condition", f.GetKey()[0])
		within.from, within.to = month.From(), month.To()
		i := slices.IndexFunc(rows, func(known mineRow) bool { return known.Month == month.Label() && known.code == f.GetKey()[0] })
		if i < 0 {
			i = len(rows)
			row := mineRow{Month: month.Label(), Condition: names("condition", f.GetKey()[0]), code: f.GetKey()[0], Verdicts: make([]figure, len(measures))}
			for j, m := range measures {
				row.Verdicts[j] = figureOf(m, &referralv1.Figure{Measure: m.GetCode()}, within)
			}
			rows = append(rows, row)
		}
		for j, m := range measures {
			if m.GetCode() == f.GetMeasure() {
				rows[i].Verdicts[j] = figureOf(m, f, within)
				rows[i].Assessed = rows[i].Verdicts[j]
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b mineRow) int {
		return cmp.Or(cmp.Compare(b.Month, a.Month), cmp.Compare(a.code, b.code))
	})
	return rows
}
