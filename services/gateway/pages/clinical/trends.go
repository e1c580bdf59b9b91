package clinical

import (
	"net/http"
	"slices"
	"strconv"

	"google.golang.org/protobuf/types/known/timestamppb"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/chart"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// trend is one chart with the table behind it.
type trend struct {
	*patientrecordv1.Trend
	Title   string
	Drawing chart.Drawing
	Lines   []trendLine
	Table   []reading
}

type trendLine struct {
	*patientrecordv1.TrendLine
	Number int
	Title  string
}

// reading is a row of the table, newest first.
type reading struct {
	Time    *timestamppb.Timestamp
	Line    string
	Value   float64
	Where   string
	EntryID string
	Outside bool
}

type trendsData struct {
	Head          head
	Trends        []trend
	Empty         []string
	Spans         []filter
	Ever          filter
	Truncated     bool
	Withheld      int32
	WithheldChild bool
}

func (p *Pages) trends(w http.ResponseWriter, r *http.Request) error {
	h, err := p.head(r)
	if err != nil {
		return err
	}
	in := &patientrecordv1.GetTrendsRequest{PatientId: h.PatientID}
	days := known(r.URL.Query().Get("days"), spans())
	if days != "" {
		n, _ := strconv.Atoi(days)
		in.From = timestamppb.New(p.Shell.Now().AddDate(0, 0, -n))
	}
	answer, err := p.Clinical.GetTrends(r.Context(), in)
	if err != nil {
		return err
	}
	at := "/patients/" + h.PatientID + "/trends"
	data := trendsData{
		Head: h, Truncated: answer.GetTruncated(), Ever: filter{Href: at, Active: days == ""},
		Withheld: answer.GetWithheld().GetCount(), WithheldChild: answer.GetWithheld().GetChild(),
	}
	for _, name := range spans() {
		data.Spans = append(data.Spans, filter{name, at + "?days=" + name, name == days})
	}
	for _, t := range answer.GetTrends() {
		if one, ok := p.draw(r, t); ok {
			data.Trends = append(data.Trends, one)
		} else {
			data.Empty = append(data.Empty, one.Title)
		}
	}
	return p.Shell.Render(w, r, p.trendsSet, shell.Page{Title: "clinical.trends", Nav: "patients", Data: data})
}

// draw is a chart; ok is false when there is nothing to draw.
func (p *Pages) draw(r *http.Request, t *patientrecordv1.Trend) (trend, bool) {
	english := p.Shell.Language(r) == "en"
	word := func(chinese, other string) string {
		if english {
			return other
		}
		return chinese
	}
	county, err := p.Shell.Names().County(r.Context())
	out := trend{Trend: t, Title: word(t.GetLabel(), t.GetLabelEn())}
	plot := chart.Plot{Low: t.GetAxisLow(), High: t.GetAxisHigh()}
	for i, l := range t.GetLines() {
		line := chart.Line{Name: word(l.GetLabel(), l.GetLabelEn())}
		if l.GetRange() != nil {
			line.Low, line.High = l.Range.Low, l.Range.High
		}
		for _, point := range l.GetPoints() {
			v := point.GetValue()
			line.Points = append(line.Points, chart.Point{At: point.GetTime().AsTime().In(p.Shell.Zone()), Value: v})
			row := reading{
				Time: point.GetTime(), Line: line.Name, Value: v, EntryID: point.GetEntryId(),
				Outside: line.Low != nil && v < *line.Low || line.High != nil && v > *line.High,
			}
			if err == nil {
				row.Where = county.OrganizationName(p.Shell.Language(r), point.GetOrganizationId())
			}
			out.Table = append(out.Table, row)
		}
		if len(line.Points) > 0 {
			out.Lines = append(out.Lines, trendLine{l, i + 1, line.Name})
		}
		// On the chart there is room for a short name only; alone a line needs none.
		if len(t.GetLines()) == 1 {
			line.Name = ""
		}
		plot.Lines = append(plot.Lines, line)
	}
	slices.SortStableFunc(out.Table, func(a, b reading) int { return b.Time.AsTime().Compare(a.Time.AsTime()) })
	var ok bool
	out.Drawing, ok = chart.Draw(plot)
	return out, ok
}
