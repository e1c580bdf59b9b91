package stats

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// Figure is the value of a measure in one period and group.
type Figure struct {
	Period Date     // as in Row
	Key    []string // the values of GroupBy, in its order

	// Known is false where there is nothing to divide by, or no case to take the time of; Value is 0 then.
	Known bool
	// Value is in the unit of the measure; of a duration it is the median, in minutes.
	Value        float64
	Percentile90 float64 // of a duration, in minutes; else 0
	Numerator    int64   // of a duration: the cases
	Denominator  int64
}

// Figures computes a measure for every period and group of q that has a case in numerator or denominator, sorted by
// period and key. The counters of q are not looked at: they are those of the measure. denominator is the code of one of
// the measure's, or "" for its first. Call it in a View, for its parts are several reads. Invalid is as of Read, where
// the filters of the measure are fields of the query too, or names "denominator".
func (s *Schema) Figures(ctx context.Context, tx *sqldb.Tx, m Measure, denominator string, q Query) ([]Figure, error) {
	below, ok := m.Denominator(denominator)
	if !ok && (denominator != "" || len(m.Denominators) > 0) {
		return nil, errs.Invalid(errs.Bad("denominator", errs.ReasonFieldUnknown))
	}
	groups := map[string]*group{}
	if err := s.add(ctx, tx, m.Numerator, q, func(r Row, sign int64) { at(groups, r).above(r, sign) }); err != nil {
		return nil, err
	}
	if err := s.add(ctx, tx, below, q, func(r Row, sign int64) { at(groups, r).Denominator += sign * r.N }); err != nil {
		return nil, err
	}
	out := make([]Figure, 0, len(groups))
	for _, g := range groups {
		out = append(out, g.figure(m.Unit))
	}
	slices.SortFunc(out, func(a, b Figure) int {
		return cmp.Or(cmp.Compare(a.Period, b.Period), slices.Compare(a.Key, b.Key))
	})
	return out, nil
}

// add reads the terms of a part and tells their rows with the sign that they count with.
func (s *Schema) add(ctx context.Context, tx *sqldb.Tx, p Part, q Query, each func(r Row, sign int64)) error {
	for i, t := range slices.Concat(p.Plus, p.Minus) {
		sign := int64(1)
		if i >= len(p.Plus) {
			sign = -1
		}
		rows, err := s.Read(ctx, tx, q.Of(t))
		if err != nil {
			return err
		}
		for _, r := range rows {
			each(r, sign)
		}
	}
	return nil
}

// Of is the query for one term of a measure, within what q lets through: what Figures reads. The cases behind a figure
// are those that contribute a cell which one of these queries has.
func (q Query) Of(t Term) Query {
	where := maps.Clone(q.Where)
	if where == nil {
		where = make(map[string][]string, len(t.Where))
	}
	for d, allowed := range t.Where {
		values, both := where[d]
		if !both {
			where[d] = allowed
			continue
		}
		where[d] = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return !slices.Contains(allowed, v) })
	}
	q.Counters, q.Where = []string{t.Counter}, where
	return q
}

// Has tells whether a cell is among those that the query counts.
func (q Query) Has(c Cell) bool {
	if c.County != q.County || c.Day < q.From || c.Day >= q.To || !slices.Contains(q.Counters, c.Counter) {
		return false
	}
	for d, values := range q.Where {
		if !slices.Contains(values, c.Dimensions[d]) {
			return false
		}
	}
	return true
}

// group is a figure that is being added up.
type group struct {
	Figure
	buckets []int64
}

func at(groups map[string]*group, r Row) *group {
	key := strings.Join(append([]string{string(r.Period)}, r.Key...), "\x00")
	g, known := groups[key]
	if !known {
		g = &group{Figure: Figure{Period: r.Period, Key: r.Key}, buckets: make([]int64, len(bounds)+1)}
		groups[key] = g
	}
	return g
}

func (g *group) above(r Row, sign int64) {
	g.Numerator += sign * r.N
	for i, n := range r.Buckets {
		g.buckets[i] += sign * n
	}
}

func (g *group) figure(unit Unit) Figure {
	f := g.Figure
	switch unit {
	case Count:
		f.Known, f.Value = true, float64(f.Numerator)
		return f
	case Duration:
		median, some := Percentile(g.buckets, 0.5)
		ninety, _ := Percentile(g.buckets, 0.9)
		f.Known, f.Value, f.Percentile90 = some, median.Minutes(), ninety.Minutes()
		return f
	}
	if f.Denominator != 0 {
		f.Known, f.Value = true, unit.Scale()*float64(f.Numerator)/float64(f.Denominator)
	}
	return f
}
