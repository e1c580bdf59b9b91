package shell

import "time"

// FreshDays are the first days of a month in which pages of figures open on the month before: most of what was sent since the first is neither answered nor
// due, and the report of the month before is being written.
const FreshDays = 7

// OpeningMonth is the first day of the month on which pages of figures open when nobody has chosen a period, and the day of the running month if
// that is too young and the month before is shown instead; 0 otherwise. now is in the county's zone.
func OpeningMonth(now time.Time) (first time.Time, fresh int) {
	first = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	if now.Day() <= FreshDays {
		return first.AddDate(0, -1, 0), now.Day()
	}
	return first, 0
}
