package domain

import (
	"maps"
	"time"
)

// Days are the local days, "2006-01-02", that are not as their weekday: worked, or free. Monday to Friday are worked else.
type Days map[string]bool

// Calendar computes limits in a county's local time, by its settings. It is never changed and safe for concurrent use.
type Calendar struct {
	zone          *time.Location
	settings      Settings
	days          Days
	opens, closes int // minutes of the local day
}

// NewCalendar is the calendar of a county in a time zone, with settings that were checked and the days that are shipped.
func NewCalendar(zone *time.Location, s Settings, shipped Days) Calendar {
	c := Calendar{zone: zone, settings: s.Whole(), days: Days{}}
	maps.Copy(c.days, shipped)
	for _, day := range s.Holidays {
		c.days[day] = false
	}
	for _, day := range s.Workdays {
		c.days[day] = true
	}
	c.opens, _ = minuteOf(c.settings.Opens)
	c.closes, _ = minuteOf(c.settings.Closes)
	return c
}

// Zone is the county's: that of its days.
func (c Calendar) Zone() *time.Location { return c.zone }

// BounceBackDays: a patient back within so many days of a down-referral is a bounce-back.
func (c Calendar) BounceBackDays() int { return c.settings.BounceBackDays }

// Year is the local year of an instant.
func (c Calendar) Year(at time.Time) int { return at.In(c.zone).Year() }

// DayOf is the local day of an instant, "2006-01-02".
func (c Calendar) DayOf(at time.Time) string { return at.In(c.zone).Format(time.DateOnly) }

// Today is DayOf, for an instant that is now.
func (c Calendar) Today(at time.Time) string { return c.DayOf(at) }

// Day is the local day [start, end) that an ISO date names.
func (c Calendar) Day(date string) (Window, bool) {
	t, err := time.ParseInLocation(time.DateOnly, date, c.zone)
	if err != nil {
		return Window{}, false
	}
	return Window{t.UTC(), t.AddDate(0, 0, 1).UTC()}, true
}

// workingDaysLater is the same clock time n working days on; outside working hours the clock starts at the next opening.
func (c Calendar) workingDaysLater(at time.Time, n int) time.Time {
	t := c.opening(at.In(c.zone))
	for ; n > 0; n-- {
		t = c.worked(t.AddDate(0, 0, 1))
	}
	return t.UTC()
}

// opening is t itself within working hours, else the next opening.
func (c Calendar) opening(t time.Time) time.Time {
	minute := t.Hour()*60 + t.Minute()
	day := c.worked(t)
	switch {
	case day.Equal(t) && minute >= c.opens && minute < c.closes:
		return t
	case day.Equal(t) && minute >= c.closes:
		day = c.worked(t.AddDate(0, 0, 1))
	}
	return time.Date(day.Year(), day.Month(), day.Day(), 0, c.opens, 0, 0, c.zone)
}

// worked is the same clock time on the first worked day from that of t on. Only finitely many days are named, so there is one.
func (c Calendar) worked(t time.Time) time.Time {
	for !c.works(t) {
		t = t.AddDate(0, 0, 1)
	}
	return t
}

func (c Calendar) works(t time.Time) bool {
	if worked, named := c.days[t.Format(time.DateOnly)]; named {
		return worked
	}
	return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday
}

// endOfDay is the local midnight that ends the day of t.
func (c Calendar) endOfDay(t time.Time) time.Time {
	l := t.In(c.zone)
	return time.Date(l.Year(), l.Month(), l.Day()+1, 0, 0, 0, 0, c.zone).UTC()
}
