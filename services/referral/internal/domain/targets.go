package domain

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Targets are what a county wants its figures to reach.
type Targets struct {
	// Version is 0 until a county has set something.
	Version int32
	Targets []Target
}

// Target is the value that one measure is to reach, in the measure's unit; of a count, in a month.
type Target struct {
	Measure string
	// OrganizationID is empty for the county, DepartmentCode for the whole organisation.
	OrganizationID, DepartmentCode string
	// FromMonth and ToMonth are the first and the last month, "2006-01"; an open end is empty.
	FromMonth, ToMonth string
	Value              float64
}

// Unit is how a measure may be aimed at.
type Unit string

// The units of targets.
const (
	Percentage Unit = "PERCENT"
	Amount     Unit = "COUNT"
)

const (
	monthLayout = "2006-01"
	maxTargets  = 300
	mostOfCount = 1_000_000
)

// Check refuses targets that no county can have; the names are those of the fields below "targets". unit tells the unit of a measure, "" of
// one at which nobody can aim.
func (t Targets) Check(unit func(measure string) Unit) []Field {
	var bad []Field
	if len(t.Targets) > maxTargets {
		bad = append(bad, outOfRange("targets.targets"))
	}
	for i, one := range t.Targets {
		at := func(name string) string { return fmt.Sprintf("targets.targets[%d].%s", i, name) }
		bad = append(bad, one.check(at, unit(one.Measure))...)
		if slices.ContainsFunc(t.Targets[:i], one.collides) {
			bad = append(bad, combination(at("fromMonth")))
		}
	}
	return bad
}

func (t Target) check(at func(string) string, unit Unit) []Field {
	var bad []Field
	tenths := t.Value * 10
	switch whole := math.Abs(tenths-math.Round(tenths)) < 1e-6; {
	case t.Measure == "":
		bad = append(bad, required(at("measure")))
	case unit == "":
		bad = append(bad, unknown(at("measure")))
	case !whole || unit == Amount && t.Value != math.Trunc(t.Value):
		bad = append(bad, invalid(at("value")))
	case t.Value < 0 || unit == Percentage && t.Value > 100 || t.Value > mostOfCount:
		bad = append(bad, outOfRange(at("value")))
	}
	if t.DepartmentCode != "" && t.OrganizationID == "" {
		bad = append(bad, combination(at("departmentCode")))
	}
	for name, month := range map[string]string{"fromMonth": t.FromMonth, "toMonth": t.ToMonth} {
		if _, err := time.Parse(monthLayout, month); month != "" && err != nil {
			bad = append(bad, invalid(at(name)))
		}
	}
	if t.FromMonth != "" && t.ToMonth != "" && t.ToMonth < t.FromMonth {
		bad = append(bad, combination(at("toMonth")))
	}
	return bad
}

// collides tells whether two targets of the same measure and place share a month.
func (t Target) collides(o Target) bool {
	same := t.Measure == o.Measure && t.OrganizationID == o.OrganizationID && t.DepartmentCode == o.DepartmentCode
	before := func(a, b Target) bool { return a.ToMonth != "" && b.FromMonth != "" && a.ToMonth < b.FromMonth }
	return same && !before(t, o) && !before(o, t)
}
