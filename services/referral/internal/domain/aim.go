package domain

import (
	"math"
	"slices"
	"time"
)

// Aim is a target and how a value stands to it.
type Aim struct {
	Target float64
	// Reached is false where there is no value.
	Reached bool
	// Apart is the value less the target, to one decimal: percentage points, or cases.
	Apart float64
}

// Holding is the value of the target of a measure that holds for a place in a month ("2006-01"): the department's that covers it, else the
// organisation's, else the county's, as [Targets] says.
func (t Targets) Holding(measure, organization, department, month string) (float64, bool) {
	for _, place := range [][2]string{{organization, department}, {organization, ""}, {"", ""}} {
		i := slices.IndexFunc(t.Targets, func(one Target) bool {
			return one.Measure == measure && one.OrganizationID == place[0] && one.DepartmentCode == place[1] && one.covers(month)
		})
		if i >= 0 {
			return t.Targets[i].Value, true
		}
	}
	return 0, false
}

func (t Target) covers(month string) bool {
	return (t.FromMonth == "" || t.FromMonth <= month) && (t.ToMonth == "" || month <= t.ToMonth)
}

// AimedMonth is the month ("2006-01") whose targets a figure of the local days [from, to) is held against: that in which it ends. False for a count
// of anything but one whole month, because counts are aimed at by the month; and for what nobody can aim at.
func AimedMonth(unit Unit, from, to string) (string, bool) {
	begin, err := time.Parse(time.DateOnly, from)
	end, err2 := time.Parse(time.DateOnly, to)
	if err != nil || err2 != nil || !begin.Before(end) {
		return "", false
	}
	whole := begin.Day() == 1 && begin.AddDate(0, 1, 0).Equal(end)
	return end.AddDate(0, 0, -1).Format(monthLayout), unit == Percentage || unit == Amount && whole
}

// Against holds a value against a target. A measure that is better low is reached from above; both are reached by the target itself. Values are
// compared as they are shown, to one decimal, so that nobody reads 80.0 % of 80 % and "missed".
func Against(target, value float64, known, lowerBetter bool) Aim {
	out := Aim{Target: target}
	if known {
		out.Apart = math.Round((value-target)*10) / 10
		out.Reached = out.Apart >= 0
		if lowerBetter {
			out.Reached = out.Apart <= 0
		}
	}
	return out
}
