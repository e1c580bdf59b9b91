package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/figures"
)

const (
	byDay   = "day"
	byMonth = "month"

	maxStatisticYears = 3
	defaultCases      = 50
	maxCases          = 200
	// avoidedMeasure is what the estimate of money goes by.
	avoidedMeasure = "AVOIDED"
)

// FigureQuery is what somebody wants to know. From and To are local days, the second is not in.
type FigureQuery struct {
	Measures               []string
	From, To               string
	GroupBy                []string
	Organization, ItemCode string
	Reason                 string
}

// RecognitionFigures are figures with their definitions, and the estimate.
type RecognitionFigures struct {
	Rows        []FigureRow
	Definitions []stats.Measure
	// HasSaving: at least one item has a price. Saving is in fen; Unpriced are avoided examinations of items without one.
	HasSaving        bool
	Saving, Unpriced int64
}

// FigureRow is one figure of a measure. Key are the values of GroupBy without day and month.
type FigureRow struct {
	Measure string
	stats.Figure
}

// FigureGroups are the names by which figures can be grouped.
func FigureGroups() []string { return append([]string{byMonth, byDay}, figures.Dimensions()...) }

// Figures answers a county's administrators, and everybody else about the own organisation. Errors: fields; ROLE for another organisation.
func (r *Recognition) Figures(ctx context.Context, caller authn.Identity, q FigureQuery) (RecognitionFigures, error) {
	measures, query, err := r.figureQuery(caller, q)
	if err != nil {
		return RecognitionFigures{}, err
	}
	asked := make([]FigureRead, 0, len(measures)+1)
	for _, m := range measures {
		asked = append(asked, FigureRead{m, query})
	}
	avoided, _ := figures.Measure(r.Published, avoidedMeasure)
	byItem := query
	byItem.Grain, byItem.GroupBy = stats.Whole, []string{figures.Item}
	found, err := r.Store.RecognitionFigures(ctx, append(asked, FigureRead{avoided, byItem}))
	if err != nil {
		return RecognitionFigures{}, err
	}
	out := RecognitionFigures{Definitions: measures}
	for i, m := range measures {
		for _, f := range found[i] {
			if query.Grain == stats.Whole {
				f.Period = ""
			}
			out.Rows = append(out.Rows, FigureRow{m.Code, f})
		}
	}
	err = r.price(ctx, caller.County, found[len(measures)], &out)
	return out, err
}

// price adds the estimate: what was avoided times what the county entered.
func (r *Recognition) price(ctx context.Context, county string, avoided []stats.Figure, out *RecognitionFigures) error {
	set, err := r.Store.RecognitionSet(ctx, county)
	if err != nil {
		return err
	}
	prices := map[string]int64{}
	for _, item := range r.catalogue(set) {
		if item.Price > 0 {
			prices[item.Code] = item.Price
		}
	}
	out.HasSaving = len(prices) > 0
	for _, f := range avoided {
		price, priced := prices[f.Key[0]]
		if !priced {
			out.Unpriced += f.Numerator
		}
		out.Saving += price * f.Numerator
	}
	return nil
}

// figureQuery checks a question and narrows it to what the caller may see.
func (r *Recognition) figureQuery(caller authn.Identity, q FigureQuery) ([]stats.Measure, stats.Query, error) {
	bad := period(q.From, q.To)
	measures := make([]stats.Measure, 0, len(q.Measures))
	for i, code := range q.Measures {
		m, ok := figures.Measure(r.Published, code)
		if !ok {
			bad = append(bad, errs.Bad(fmt.Sprintf("measure[%d]", i), errs.ReasonFieldUnknown))
		}
		measures = append(measures, m)
	}
	if len(q.Measures) == 0 {
		measures = r.Published
	}
	out := stats.Query{County: caller.County, From: stats.Date(q.From), To: stats.Date(q.To), Grain: stats.Whole, Where: map[string][]string{}}
	for i, name := range q.GroupBy {
		switch {
		case !slices.Contains(FigureGroups(), name):
			bad = append(bad, errs.Bad(fmt.Sprintf("groupBy[%d]", i), errs.ReasonFieldUnknown, "allowed", strings.Join(FigureGroups(), " ")))
		case slices.Contains(figures.Dimensions(), name):
			out.GroupBy = append(out.GroupBy, name)
		case out.Grain != stats.Whole:
			bad = append(bad, errs.Bad(fmt.Sprintf("groupBy[%d]", i), errs.ReasonFieldCombination))
		case name == byDay:
			out.Grain = stats.Day
		default:
			out.Grain = stats.Month
		}
	}
	if len(bad) > 0 {
		return nil, out, errs.Invalid(bad...)
	}
	organization := q.Organization
	if !caller.Has("COUNTY_ADMIN") {
		if organization != "" && organization != caller.Organization || caller.Organization == "" {
			return nil, out, errs.Denied(errs.ReasonRole)
		}
		organization = caller.Organization
	}
	for dimension, value := range map[string]string{figures.Organization: organization, figures.Item: q.ItemCode, figures.Reason: q.Reason} {
		if value != "" {
			out.Where[dimension] = []string{value}
		}
	}
	return measures, out, nil
}

// period refuses days that are none, that end before they begin, or more than three years.
func period(from, to string) (bad []errs.Field) {
	for _, f := range [][2]string{{"from", from}, {"to", to}} {
		switch {
		case f[1] == "":
			bad = append(bad, errs.Required(f[0]))
		case !stats.Date(f[1]).Valid():
			bad = append(bad, errs.Bad(f[0], errs.ReasonFieldInvalid))
		}
	}
	if len(bad) > 0 {
		return bad
	}
	// Checked above.
	begin, _ := time.Parse(time.DateOnly, from)
	if to <= from || to > begin.AddDate(maxStatisticYears, 0, 0).Format(time.DateOnly) {
		bad = append(bad, errs.Bad("to", errs.ReasonFieldOutOfRange, "maxYears", fmt.Sprint(maxStatisticYears)))
	}
	return bad
}

// CaseQuery asks for the cases behind one figure.
type CaseQuery struct {
	FigureQuery
	// OfDenominator: of what is below the line, not above it.
	OfDenominator bool
	After         Cursor
	Size          int
}

// Cases answers a page of exactly the decisions that a figure of the same query counts, oldest first; next is zero after the last.
func (r *Recognition) Cases(ctx context.Context, caller authn.Identity, q CaseQuery) (page []RecognitionCase, next Cursor, err error) {
	if len(q.Measures) != 1 {
		return nil, Cursor{}, errs.Invalid(errs.Required("measure"))
	}
	measures, query, err := r.figureQuery(caller, q.FigureQuery)
	if err != nil {
		return nil, Cursor{}, err
	}
	scan := CaseScan{Query: query, Part: measures[0].Numerator, After: q.After, Limit: q.Size}
	if q.OfDenominator {
		below, ok := measures[0].Denominator("")
		if !ok {
			return nil, Cursor{}, errs.Invalid(errs.Bad("part", errs.ReasonFieldCombination))
		}
		scan.Part = below
	}
	if scan.Limit <= 0 {
		scan.Limit = defaultCases
	}
	scan.Limit = min(scan.Limit, maxCases)
	page, after, err := r.Store.RecognitionCases(ctx, scan)
	if err != nil || after == nil {
		return page, Cursor{}, err
	}
	return page, *after, nil
}

// Check holds a county's figures against its orders.
func (r *Recognition) Check(ctx context.Context, county string) (RecognitionCheck, error) {
	return r.Store.CheckRecognition(ctx, county)
}

// Rebuild makes a county's figures what its orders say, and answers what it mended.
func (r *Recognition) Rebuild(ctx context.Context, county string) (RecognitionCheck, error) {
	return r.Store.RebuildRecognition(ctx, county)
}
