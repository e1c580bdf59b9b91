package rest

import (
	"bytes"
	"net/http"
	"slices"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/sheets"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// figuresRoute answers the figures of GET /statistics/referrals, asked with the same words, as a workbook (format=xlsx, the default) with a sheet
// of definitions, or as CSV (format=csv). grpc-gateway answers JSON only.
const figuresRoute = "GET " + Prefix + "/statistics/referrals:export"

func (a *api) exports(routes *http.ServeMux) {
	client := referralv1.NewStatisticsServiceClient(a.deps.Conns.Referral)
	routes.Handle(figuresRoute, a.person(func(w http.ResponseWriter, r *http.Request) error {
		query := r.URL.Query()
		format := query.Get("format")
		if !slices.Contains([]string{"", "xlsx", "csv"}, format) {
			return errs.Invalid(errs.Bad("format", errs.ReasonFieldUnknown, "allowed", "xlsx csv"))
		}
		query.Del("format")
		asked := &referralv1.QueryStatisticsRequest{}
		if err := runtime.PopulateQueryParameters(asked, query, utilities.NewDoubleArray(nil)); err != nil {
			return errs.Invalid(errs.Bad("query", errs.ReasonFieldInvalid))
		}
		definitions, err := client.ListDefinitions(r.Context(), &referralv1.ListDefinitionsRequest{})
		if err != nil {
			return err
		}
		answer, err := client.QueryStatistics(r.Context(), asked)
		if err != nil {
			return err
		}
		tables := figureTables(asked, definitions.GetMeasures(), answer.GetFigures())
		var b bytes.Buffer
		if format == "csv" {
			w.Header().Set("Content-Type", "text/csv; charset=utf-8")
			err = sheets.CSV(&b, tables[0])
		} else {
			format = "xlsx"
			w.Header().Set("Content-Type", sheets.MediaType)
			err = sheets.Workbook(&b, tables, a.deps.Clock.Now())
		}
		if err != nil {
			return err
		}
		w.Header().Set("Content-Disposition", `attachment; filename="statistics-`+asked.GetFrom()+`.`+format+`"`)
		_, err = b.WriteTo(w)
		return err
	}))
}

// figureTables are the figures and their definitions; the heads are Chinese, as those are who read the sheets. Keys stay ids and codes.
func figureTables(asked *referralv1.QueryStatisticsRequest, measures []*referralv1.Measure, figures []*referralv1.Figure) []sheets.Table {
	var dimensions []string
	dated := false
	for _, by := range asked.GetGroupBy() {
		if by == "day" || by == "month" {
			dated = true
		} else {
			dimensions = append(dimensions, by)
		}
	}
	out := sheets.Table{Name: "指标", Title: "转诊指标", Notes: []string{asked.GetFrom() + " – " + asked.GetTo()}, Heads: []string{"指标代码", "指标"}}
	if dated {
		out.Heads = append(out.Heads, "日期")
	}
	out.Heads = append(append(out.Heads, dimensions...), "数值", "单位", "分子", "分母", "中位数（分钟）", "第90百分位（分钟）")
	for _, f := range figures {
		i := slices.IndexFunc(measures, func(m *referralv1.Measure) bool { return m.GetCode() == f.GetMeasure() })
		if i < 0 {
			continue
		}
		row := []any{f.GetMeasure(), measures[i].GetName()}
		if dated {
			at, _ := time.Parse(time.DateOnly, f.GetPeriod()) // the service's own
			row = append(row, sheets.Day(at))
		}
		for _, key := range f.GetKey() {
			row = append(row, key)
		}
		out.Rows = append(out.Rows, append(row, figureCells(measures[i], f)...))
	}
	defined := sheets.Table{Name: "指标说明", Title: "指标说明", Heads: []string{"指标代码", "指标", "分子", "分母", "按哪天计", "来源", "说明"}}
	for _, m := range measures {
		divisor := ""
		for _, d := range m.GetDenominators() {
			divisor += d.GetCode() + "：" + d.GetText() + " "
		}
		defined.Rows = append(defined.Rows, []any{m.GetCode(), m.GetName(), m.GetNumerator(), divisor, m.GetCountedOn(), m.GetSource(), m.GetNote()})
	}
	return []sheets.Table{out, defined}
}

// figureCells are value, unit, both sides of the line and times; what there is not is empty.
func figureCells(m *referralv1.Measure, f *referralv1.Figure) []any {
	cells := []any{nil, m.GetUnit(), f.GetNumerator(), nil, nil, nil}
	if len(m.GetDenominators()) > 0 {
		cells[3] = f.GetDenominator()
	}
	switch {
	case m.GetUnit() == "COUNT":
		cells[0] = f.GetNumerator()
	case !f.GetHasValue():
	case m.GetUnit() == "PERCENT":
		cells[0] = sheets.Percent(f.GetValue())
	case m.GetUnit() == "DURATION":
		cells[4], cells[5] = f.GetMedian(), f.GetPercentile_90()
	default:
		cells[0] = f.GetValue()
	}
	return cells
}
