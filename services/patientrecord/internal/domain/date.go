package domain

import (
	"fmt"
	"strconv"
	"time"
)

// Date is a calendar date. Month and day may be missing (0): the age of a patient without papers is an estimate.
// The zero Date is "not known".
type Date struct{ Year, Month, Day int }

// ParseDate reads YYYY-MM-DD, YYYY-MM or YYYY; ok is false for anything else and for dates that do not exist.
func ParseDate(s string) (d Date, ok bool) {
	layouts := map[int]string{10: "2006-01-02", 7: "2006-01", 4: "2006"}
	layout, known := layouts[len(s)]
	if !known {
		return Date{}, false
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return Date{}, false
	}
	d = Date{Year: t.Year()}
	if len(s) > 4 {
		d.Month = int(t.Month())
	}
	if len(s) > 7 {
		d.Day = t.Day()
	}
	return d, true
}

// DateOf is the calendar date of t in t's own zone.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{Year: y, Month: int(m), Day: d}
}

// IsZero reports that the date is not known.
func (d Date) IsZero() bool { return d == Date{} }

// Whole reports that year, month and day are known.
func (d Date) Whole() bool { return d.Year != 0 && d.Month != 0 && d.Day != 0 }

// Text is YYYY-MM-DD, shortened to what is known, empty for the zero Date.
func (d Date) Text() string {
	switch {
	case d.Year == 0:
		return ""
	case d.Month == 0:
		return fmt.Sprintf("%04d", d.Year)
	case d.Day == 0:
		return fmt.Sprintf("%04d-%02d", d.Year, d.Month)
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// String hides the date: a birth date is patient data.
func (d Date) String() string { return "date" }

// After compares what both know: 1950 is not after 1950-03-01, nor before it.
func (d Date) After(e Date) bool {
	if d.Year != e.Year {
		return d.Year > e.Year
	}
	if d.Month == 0 || e.Month == 0 || d.Month == e.Month {
		return d.Month == e.Month && d.Day != 0 && e.Day != 0 && d.Day > e.Day
	}
	return d.Month > e.Month
}

// Agrees reports that both could be the same day.
func (d Date) Agrees(e Date) bool { return !d.After(e) && !e.After(d) }

// AgeOn is the age in whole years on the given day; a missing month or day counts as the last, so that an estimated
// age errs towards the child.
func (d Date) AgeOn(today Date) int {
	month, day := d.Month, d.Day
	if month == 0 {
		month = 12
	}
	if day == 0 {
		day = 31
	}
	age := today.Year - d.Year
	if today.Month < month || today.Month == month && today.Day < day {
		age--
	}
	return age
}

// dateFromDigits reads YYYYMMDD.
func dateFromDigits(s string) (Date, bool) {
	if _, err := strconv.Atoi(s); err != nil || len(s) != 8 {
		return Date{}, false
	}
	return ParseDate(s[:4] + "-" + s[4:6] + "-" + s[6:])
}
