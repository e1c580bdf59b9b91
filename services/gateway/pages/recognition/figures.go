package recognition

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// figure is a figure as it is shown; Above and Below lead to its cases, "" where there are none to open.
type figure struct {
	*patientrecordv1.RecognitionFigure
	Measure *patientrecordv1.RecognitionMeasure
	// Name of what it is grouped by.
	Name         string
	Above, Below string
}

// figuresData is what figures.html sees.
type figuresData struct {
	From, Last string
	Wrong      bool
	// Fresh is the day of the running month when the page opens on the month before, Present the address of the running one.
	Fresh       int
	Present     string
	Overall     []figure
	By          string
	Dimensions  []string
	Grouped     []figure
	Saving      string
	HasSaving   bool
	Unpriced    int64
	Measures    []*patientrecordv1.RecognitionMeasure
	MeasureCode string
}

// dimensions by which the page groups.
func dimensions() []string {
	return []string{"organization", "item", "reason", "performer", "direction", "month"}
}

// span reads the days of the address, the last one included; otherwise the month of [shell.OpeningMonth].
func (p *Pages) span(query url.Values) (from, to time.Time, wrong bool) {
	now := p.Shell.Now()
	if query.Get("from") == "" && query.Get("to") == "" {
		from, _ = shell.OpeningMonth(now)
		return from, from.AddDate(0, 1, 0), false
	}
	from = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	to = from.AddDate(0, 1, 0)
	first, err := time.Parse(time.DateOnly, query.Get("from"))
	last, err2 := time.Parse(time.DateOnly, query.Get("to"))
	if err != nil || err2 != nil || last.Before(first) || !last.Before(first.AddDate(yearsMost, 0, 0)) {
		return from, to, true
	}
	return first, last.AddDate(0, 0, 1), false
}

// yearsMost is how long a period may be.
const yearsMost = 3

func (p *Pages) figures(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	from, to, wrong := p.span(query)
	data := figuresData{
		From: from.Format(time.DateOnly), Last: to.AddDate(0, 0, -1).Format(time.DateOnly), Wrong: wrong, Dimensions: dimensions(), By: query.Get("by"),
		MeasureCode: query.Get("measure"),
	}
	if month, fresh := shell.OpeningMonth(p.Shell.Now()); fresh > 0 && query.Get("from") == "" && query.Get("to") == "" {
		query.Set("from", month.AddDate(0, 1, 0).Format(time.DateOnly))
		query.Set("to", month.AddDate(0, 2, -1).Format(time.DateOnly))
		data.Fresh, data.Present = fresh, "/statistics/recognition?"+query.Encode()
	}
	if !slices.Contains(data.Dimensions, data.By) {
		data.By = data.Dimensions[0]
	}
	ask := &patientrecordv1.GetRecognitionStatisticsRequest{From: data.From, To: to.Format(time.DateOnly)}
	overall, err := p.Recognition.GetRecognitionStatistics(r.Context(), ask)
	if err != nil {
		return err
	}
	data.Measures = overall.GetDefinitions()
	if !slices.ContainsFunc(data.Measures, func(m *patientrecordv1.RecognitionMeasure) bool { return m.GetCode() == data.MeasureCode }) && len(data.Measures) > 0 {
		data.MeasureCode = data.Measures[0].GetCode()
	}
	data.HasSaving, data.Saving, data.Unpriced = overall.GetHasSaving(), yuan(overall.GetSaving()), overall.GetUnpriced()
	for _, m := range data.Measures {
		i := slices.IndexFunc(overall.GetFigures(), func(f *patientrecordv1.RecognitionFigure) bool { return f.GetMeasure() == m.GetCode() })
		f := &patientrecordv1.RecognitionFigure{Measure: m.GetCode()}
		if i >= 0 {
			f = overall.GetFigures()[i]
		}
		data.Overall = append(data.Overall, p.figure(f, m, opened(data, url.Values{})))
	}
	ask.GroupBy, ask.Measure = []string{data.By}, []string{data.MeasureCode}
	by, err := p.Recognition.GetRecognitionStatistics(r.Context(), ask)
	if err != nil {
		return err
	}
	items, err := p.names(r)
	if err != nil {
		return err
	}
	for _, f := range by.GetFigures() {
		key := f.GetPeriod()
		if len(f.GetKey()) > 0 {
			key = f.GetKey()[0]
		}
		within := url.Values{}
		if data.By == "organization" || data.By == "item" || data.By == "reason" {
			within.Set(data.By, key)
		}
		one := p.figure(f, by.GetDefinitions()[0], opened(data, within))
		if len(within) == 0 || key == "" {
			// Of these dimensions the cases cannot be asked for one by one.
			one.Above, one.Below = "", ""
		}
		one.Name = p.named(r, data.By, key, items)
		data.Grouped = append(data.Grouped, one)
	}
	return p.Shell.Render(w, r, p.figuresSet, shell.Page{Title: "recognition.figures.title", Nav: "statistics", Data: data})
}

// opened is the address of the cases within the period of the page.
func opened(d figuresData, within url.Values) url.Values {
	within.Set("from", d.From)
	within.Set("to", d.Last)
	return within
}

func (p *Pages) figure(f *patientrecordv1.RecognitionFigure, m *patientrecordv1.RecognitionMeasure, address url.Values) figure {
	out := figure{RecognitionFigure: f, Measure: m}
	address.Set("measure", m.GetCode())
	if f.GetNumerator() != 0 {
		out.Above = "/statistics/recognition/cases?" + address.Encode()
	}
	if f.GetDenominator() != 0 {
		address.Set("part", "DENOMINATOR")
		out.Below = "/statistics/recognition/cases?" + address.Encode()
	}
	return out
}

// names are the items' by code.
func (p *Pages) names(r *http.Request) (map[string]*patientrecordv1.RecognitionItem, error) {
	list, err := p.Recognition.ListRecognitionItems(r.Context(), &patientrecordv1.ListRecognitionItemsRequest{WithDisabled: true})
	if err != nil {
		return nil, err
	}
	out := map[string]*patientrecordv1.RecognitionItem{}
	for _, i := range list.GetItems() {
		out[i.GetCode()] = i
	}
	return out, nil
}

// named words a value of a dimension.
func (p *Pages) named(r *http.Request, by, key string, items map[string]*patientrecordv1.RecognitionItem) string {
	switch {
	case key == "":
		return p.Shell.T(r, "recognition.by.none")
	case by == "organization" || by == "performer":
		return p.organization(r, key)
	case by == "item" && items[key] != nil:
		return p.Shell.T(r, "reason-text", "zh", items[key].GetName(), "en", items[key].GetNameEn())
	case by == "reason":
		return p.Shell.T(r, "recognition.repeat."+key)
	case by == "direction":
		return p.Shell.T(r, "recognition.direction."+key)
	case by == "month":
		return key[:len("2006-01")]
	}
	return key
}

// casesData is what cases.html sees.
type casesData struct {
	Measure    *patientrecordv1.RecognitionMeasure
	From, Last string
	Rows       []caseRow
	Next       string
}

type caseRow struct {
	*patientrecordv1.RecognitionCase
	Item, Organization, Performer string
}

func (p *Pages) cases(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	from, to, _ := p.span(query)
	answer, err := p.Recognition.ListRecognitionCases(r.Context(), &patientrecordv1.ListRecognitionCasesRequest{
		Measure: query.Get("measure"), From: from.Format(time.DateOnly), To: to.Format(time.DateOnly), Part: query.Get("part"),
		OrganizationId: query.Get("organization"), ItemCode: query.Get("item"), ReasonCode: query.Get("reason"), PageToken: query.Get("page"),
	})
	if err != nil {
		return err
	}
	definitions, err := p.Recognition.GetRecognitionStatistics(r.Context(), &patientrecordv1.GetRecognitionStatisticsRequest{
		From: from.Format(time.DateOnly), To: to.Format(time.DateOnly), Measure: []string{query.Get("measure")},
	})
	if err != nil {
		return err
	}
	items, err := p.names(r)
	if err != nil {
		return err
	}
	data := casesData{Measure: definitions.GetDefinitions()[0], From: from.Format(time.DateOnly), Last: to.AddDate(0, 0, -1).Format(time.DateOnly)}
	for _, c := range answer.GetCases() {
		data.Rows = append(data.Rows, caseRow{
			c, p.named(r, "item", c.GetItemCode(), items), p.organization(r, c.GetOrganizationId()), p.organization(r, c.GetPerformerId()),
		})
	}
	if next := answer.GetNextPageToken(); next != "" {
		query.Set("page", next)
		data.Next = "/statistics/recognition/cases?" + query.Encode()
	}
	return p.Shell.Render(w, r, p.casesSet, shell.Page{Title: "recognition.cases.title", Nav: "statistics", Data: data})
}
