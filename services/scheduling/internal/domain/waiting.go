package domain

import "time"

// WaitingHorizon is within how many days free slots are counted.
const WaitingHorizon = 14

// WaitingTime is how long one waits in a department for a kind of place, as it was computed.
type WaitingTime struct {
	County, OrganizationID, DepartmentCode string
	Kind, Modality                         string
	NextStart, ThirdStart                  time.Time // zero: there is none
	Free, Waiting                          int
	ComputeTime                            time.Time
}

// Days are whole local days from now to the third next free slot, in now's location; -1 if there is none, or it has passed. For a bed 0 if one is
// free, else -1.
func (w WaitingTime) Days(now time.Time) int {
	if w.Kind == KindBed {
		if w.Free > 0 {
			return 0
		}
		return -1
	}
	if w.ThirdStart.IsZero() || w.ThirdStart.Before(now) {
		return -1
	}
	return days(now, w.ThirdStart.In(now.Location()))
}

// days between the dates of two instants, whatever the zone's clocks do in between.
func days(from, to time.Time) int {
	date := func(t time.Time) time.Time {
		y, m, d := t.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(date(to).Sub(date(from)) / (24 * time.Hour))
}
