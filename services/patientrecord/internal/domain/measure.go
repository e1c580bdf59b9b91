package domain

import (
	"slices"
	"time"
)

// Measures whose values are held against one another.
const (
	Systolic  = "sbp"
	Diastolic = "dbp"
)

// Measure is something that is measured: how it is coded, in which units it may come, what a patient can have, and what is usual.
type Measure struct {
	Name, Label, LabelEn string
	// Codes are system|code.
	Codes []string
	// Unit is UCUM. Units are the others it may come in: own = value × Factor + Offset.
	Unit  string
	Units map[string]Conversion
	// Min and Max are what a patient can have.
	Min, Max float64
	Ranges   []Range
}

// Conversion of a unit.
type Conversion struct{ Factor, Offset float64 }

// Range is what is usual for some patients, with where that is said and how certain it is. A nil end is open.
type Range struct {
	// Sex is SexUnset for any.
	Sex Sex
	// FromAge is inclusive, ToAge exclusive, in years; a ToAge of 0 is open.
	FromAge, ToAge    int
	Low, High         *float64
	Source, Certainty string
}

// Chart is what is drawn together: measures of one unit on one axis that reaches at least from Low to High.
type Chart struct {
	Name, Label, LabelEn string
	Unit                 string
	Measures             []string
	Low, High            float64
}

// Measures are all that are known, and how they are drawn.
type Measures struct {
	list   []Measure
	charts []Chart
	byCode map[string]int
}

// NewMeasures trusts its loader to have checked that no code belongs to two.
func NewMeasures(list []Measure, charts []Chart) Measures {
	m := Measures{list: list, charts: charts, byCode: map[string]int{}}
	for i, one := range list {
		for _, code := range one.Codes {
			m.byCode[code] = i
		}
	}
	return m
}

// ByCode finds a measure by system|code.
func (m Measures) ByCode(code string) (Measure, bool) {
	i, ok := m.byCode[code]
	if !ok {
		return Measure{}, false
	}
	return m.list[i], true
}

// ByName finds a measure.
func (m Measures) ByName(name string) (Measure, bool) {
	i := slices.IndexFunc(m.list, func(one Measure) bool { return one.Name == name })
	if i < 0 {
		return Measure{}, false
	}
	return m.list[i], true
}

// Charts with these names; all when there are none. ok is false if one is not known.
func (m Measures) Charts(names ...string) (charts []Chart, ok bool) {
	if len(names) == 0 {
		return m.charts, true
	}
	for _, name := range names {
		i := slices.IndexFunc(m.charts, func(c Chart) bool { return c.Name == name })
		if i < 0 {
			return nil, false
		}
		charts = append(charts, m.charts[i])
	}
	return charts, true
}

// Convert a value into the measure's own unit; ok is false for a unit that is not known.
func (m Measure) Convert(value float64, unit string) (own float64, ok bool) {
	if unit == m.Unit {
		return value, true
	}
	c, ok := m.Units[unit]
	return value*c.Factor + c.Offset, ok
}

// RangeFor is what is usual for a person of this sex and age; the first that fits.
func (m Measure) RangeFor(sex Sex, age int) (Range, bool) {
	for _, r := range m.Ranges {
		if (r.Sex == SexUnset || r.Sex == sex) && age >= r.FromAge && (r.ToAge == 0 || age < r.ToAge) {
			return r, true
		}
	}
	return Range{}, false
}

// Reading is one value that was measured.
type Reading struct {
	Measured
	Time         time.Time
	EntryID      string
	Version      int32
	Organization string
}

// Line is the readings of one measure in its unit, oldest first.
type Line struct {
	Measure  Measure
	Readings []Reading
	Range    Range
	HasRange bool
}

// Trend is one chart's lines. LeftOut counts what came in a unit that is not known.
type Trend struct {
	Chart   Chart
	Lines   []Line
	LeftOut int
}

// Trends arranges readings, in any order, for a person of this sex and age; with an age below 0 (not known) no range is usual.
func (m Measures) Trends(charts []Chart, readings []Reading, sex Sex, age int) []Trend {
	out := make([]Trend, len(charts))
	for i, chart := range charts {
		out[i].Chart = chart
		for _, name := range chart.Measures {
			measure, _ := m.ByName(name)
			line := Line{Measure: measure}
			if age >= 0 {
				line.Range, line.HasRange = measure.RangeFor(sex, age)
			}
			for _, r := range readings {
				if of, known := m.ByCode(r.Code); !known || of.Name != name {
					continue
				}
				value, ok := measure.Convert(r.Value, r.Unit)
				if !ok {
					out[i].LeftOut++
					continue
				}
				r.Value, r.Unit = value, measure.Unit
				line.Readings = append(line.Readings, r)
			}
			slices.SortStableFunc(line.Readings, func(a, b Reading) int { return a.Time.Compare(b.Time) })
			out[i].Lines = append(out[i].Lines, line)
		}
	}
	return out
}
