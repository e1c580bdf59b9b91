package stats

import (
	"strconv"
	"time"
)

// Date is a local day of a county, "2026-03-18". Dates compare as text.
type Date string

// DateOf is the day on which t falls in the zone of the county.
func DateOf(t time.Time, zone *time.Location) Date { return Date(t.In(zone).Format(time.DateOnly)) }

// Month is the first day of the month of d, which must be valid.
func (d Date) Month() Date { return d[:len("2006-01")] + "-01" }

// Valid tells whether d is a day of the calendar.
func (d Date) Valid() bool {
	t, err := time.Parse(time.DateOnly, string(d))
	return err == nil && t.Format(time.DateOnly) == string(d)
}

// add is the date that many months and days later. d must be valid.
func (d Date) add(months, days int) Date {
	// What is not a date counts from the zero time, so that a wrong one is seen and harms nothing.
	t, _ := time.Parse(time.DateOnly, string(d))
	return Date(t.AddDate(0, months, days).Format(time.DateOnly))
}

// number is 20260318, as the tables keep it; 0 for what is no date.
func (d Date) number() int {
	if !d.Valid() {
		return 0
	}
	n, _ := strconv.Atoi(string(d[:4] + d[5:7] + d[8:]))
	return n
}

// date is the reverse of number.
func date(n int) Date {
	return Date(time.Date(n/10000, time.Month(n/100%100), n%100, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
}

// monthOf is the number of the first day of the month.
func monthOf(n int) int { return n/100*100 + 1 }

// Grain is the length of the periods by which figures are read or kept.
type Grain string

// The grains. Whole is one period, from the first to the last day that was asked for; its Period is the first.
const (
	Whole Grain = "WHOLE"
	Month Grain = "MONTH"
	Day   Grain = "DAY"
)

// fillingDays is for how long cases that were counted on a day may still reach what they are measured by.
const fillingDays = 30

// Filling tells whether the period of a row that q answered was going on within the 30 days before today: its figures
// are exact, and will still move, because what happens to a case counts on the day of the case (cohort).
func (q Query) Filling(period, today Date) bool {
	end := q.To
	switch q.Grain {
	case Month:
		end = min(end, period.Month().add(1, 0))
	case Day:
		end = min(end, period.add(0, 1))
	}
	return end > today.add(0, -fillingDays)
}
