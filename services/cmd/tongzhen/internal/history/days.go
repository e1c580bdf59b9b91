package history

import "time"

// beijing is the county's time, which knows no summer time.
func beijing() *time.Location { return time.FixedZone("Asia/Shanghai", 8*60*60) }

func day(t time.Time) string { return t.In(beijing()).Format(time.DateOnly) }

func startOfDay(t time.Time) time.Time {
	y, mo, d := t.In(beijing()).Date()
	return time.Date(y, mo, d, 0, 0, 0, 0, beijing())
}

// The hours of a county's practice.
const (
	opens  = 8 * time.Hour
	closes = 18 * time.Hour
)

// working is t, or the next opening when t is at night.
func working(t time.Time) time.Time {
	midnight := startOfDay(t)
	switch since := t.Sub(midnight); {
	case since < opens:
		return midnight.Add(opens + since/16)
	case since > closes:
		return midnight.Add(24*time.Hour + opens + (since-closes)/16)
	}
	return t
}

// office is working, on a day from Monday to Friday.
func office(t time.Time) time.Time {
	for t = working(t); weekend(t); {
		t = working(startOfDay(t).Add(24*time.Hour + opens + time.Hour))
	}
	return t
}

func weekend(t time.Time) bool {
	d := t.In(beijing()).Weekday()
	return d == time.Saturday || d == time.Sunday
}

// moment draws when a patient is sent up: mostly in the morning of a working day, Mondays most, emergencies at any hour.
func (m *maker) moment(emergency bool) time.Time {
	span := m.options.Until.Add(-26 * time.Hour).Sub(m.begin.Add(12 * time.Hour))
	for {
		t := m.begin.Add(12*time.Hour + m.between(0, max(span, time.Hour)))
		local := t.In(beijing())
		weight := [7]int{35, 100, 90, 85, 85, 80, 45}[local.Weekday()]
		hour := [24]int{2, 1, 1, 1, 1, 2, 4, 25, 90, 100, 95, 60, 12, 10, 50, 75, 70, 40, 8, 6, 5, 4, 3, 2}[local.Hour()]
		if emergency {
			hour = [24]int{25, 20, 20, 18, 20, 30, 45, 60, 80, 90, 85, 70, 60, 60, 70, 75, 75, 70, 65, 65, 60, 50, 40, 30}[local.Hour()]
		}
		if m.chance(weight) && m.chance(hour) {
			return t
		}
	}
}
