package app

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// ContributionQuery asks what moved one measure: FigureQuery is of the period, BeforeFrom and BeforeTo are local days of the one before, the second
// not in.
type ContributionQuery struct {
	FigureQuery
	BeforeFrom, BeforeTo string
}

// Contribution is a value of the dimensions with its figures of both periods, and how far it moved the whole, in the unit of the measure.
type Contribution struct {
	Now, Before FigureRow
	By          float64
}

// Contributions are what moved a measure. Known tells that both periods have a value; without it Change and every By are 0.
type Contributions struct {
	Parts       []Contribution // those that moved the most first
	Now, Before FigureRow
	Change      float64
	Known       bool
}

// Contributions answers which values of the dimensions moved a measure between two periods. Errors as [Service.Figures]; FIELD_COMBINATION on
// measure for a duration: medians do not add up; and on groupBy for days and months.
func (s *Service) Contributions(ctx context.Context, q ContributionQuery) (Contributions, error) {
	measures, bad := s.measures(q.FigureQuery)
	for _, f := range period(q.BeforeFrom, q.BeforeTo) {
		f.Name = map[string]string{"from": "beforeFrom", "to": "beforeTo"}[f.Name]
		bad = append(bad, f)
	}
	if len(q.Measures) != 1 {
		bad = append(bad, errs.Required("measure"))
	}
	if grain, _, _ := grainOf(q.GroupBy); grain != stats.Whole {
		bad = append(bad, errs.Bad("groupBy", errs.ReasonFieldCombination))
	}
	if len(bad) == 0 && measures[0].Unit == stats.Duration {
		bad = append(bad, errs.Bad("measure", errs.ReasonFieldCombination))
	}
	if len(bad) > 0 {
		return Contributions{}, errs.Invalid(bad...)
	}
	earlier := q.FigureQuery
	earlier.From, earlier.To = q.BeforeFrom, q.BeforeTo
	now, err := s.Figures(ctx, q.FigureQuery)
	if err != nil {
		return Contributions{}, err
	}
	before, err := s.Figures(ctx, earlier)
	if err != nil {
		return Contributions{}, err
	}
	return contributions(measures[0], now, before), nil
}

func contributions(m stats.Measure, now, before []FigureRow) Contributions {
	out := Contributions{Now: FigureRow{Measure: m.Code}, Before: FigureRow{Measure: m.Code}}
	at := func(key []string) *Contribution {
		i := slices.IndexFunc(out.Parts, func(c Contribution) bool { return slices.Equal(c.Now.Key, key) })
		if i < 0 {
			i = len(out.Parts)
			none := FigureRow{Measure: m.Code, Figure: stats.Figure{Key: key}}
			out.Parts = append(out.Parts, Contribution{Now: none, Before: none})
		}
		return &out.Parts[i]
	}
	for _, r := range now {
		at(r.Key).Now = r
		add(&out.Now, r)
	}
	for _, r := range before {
		at(r.Key).Before = r
		add(&out.Before, r)
	}
	share := len(m.Denominators) > 0
	parts := make([]domain.Moved, len(out.Parts))
	for i, p := range out.Parts {
		parts[i] = domain.Moved{Now: p.Now.Numerator, NowOf: p.Now.Denominator, Before: p.Before.Numerator, BeforeOf: p.Before.Denominator}
	}
	each, whole, ok := domain.Contributions(parts, share)
	scale := m.Unit.Scale()
	for _, row := range []*FigureRow{&out.Now, &out.Before} {
		row.Known, row.Value = !share || row.Denominator != 0, float64(row.Numerator)
		if share && row.Known {
			row.Value = scale * float64(row.Numerator) / float64(row.Denominator)
		}
	}
	if out.Known = ok; ok {
		out.Change = scale * whole
		for i := range out.Parts {
			out.Parts[i].By = scale * each[i]
		}
	}
	slices.SortStableFunc(out.Parts, func(a, b Contribution) int {
		return cmp.Or(cmp.Compare(math.Abs(b.By), math.Abs(a.By)), slices.Compare(a.Now.Key, b.Now.Key))
	})
	return out
}

// add adds a part to the whole.
func add(whole *FigureRow, part FigureRow) {
	whole.Numerator += part.Numerator
	whole.Denominator += part.Denominator
	whole.Filling = whole.Filling || part.Filling
}
