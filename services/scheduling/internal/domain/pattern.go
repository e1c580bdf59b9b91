package domain

import (
	"slices"
	"time"
)

// PatternCode names the way in which a template comes back.
type PatternCode string

// The ways.
const (
	Weekly      PatternCode = "WEEKLY"       // on Weekdays of every Every-th week, counted from that of Anchor
	Interval    PatternCode = "INTERVAL"     // every Every-th day from Anchor on, and before it likewise
	SolarDigits PatternCode = "SOLAR_DIGITS" // on days of the month that end in one of Digits
	LunarDigits PatternCode = "LUNAR_DIGITS" // the same of the lunar month, a leap month like any other
)

// Pattern says on which local days a template has a session. A day is midnight UTC of its date.
type Pattern struct {
	Code     PatternCode
	Weekdays []int // 1 Monday … 7 Sunday
	Every    int   // weeks or days; 0 is 1 week
	Anchor   time.Time
	Digits   []int // 0 is the 10th, 20th and 30th
}

// LunarDay is the day of the lunar month, 1 to 30, of a day.
type LunarDay func(day time.Time) int

const maxEvery = 60

// Faults are the fields that are missing or out of range, by their names in the contract.
func (p Pattern) Faults() []Fault {
	var bad []Fault
	switch p.Code {
	case Weekly:
		if len(p.Weekdays) == 0 {
			bad = append(bad, Fault{"weekdays", FaultRequired})
		}
		if p.Every > 1 && p.Anchor.IsZero() {
			bad = append(bad, Fault{"anchor", FaultRequired})
		}
	case Interval:
		if p.Every < 1 {
			bad = append(bad, Fault{"every", FaultRequired})
		}
		if p.Anchor.IsZero() {
			bad = append(bad, Fault{"anchor", FaultRequired})
		}
	case SolarDigits, LunarDigits:
		if len(p.Digits) == 0 {
			bad = append(bad, Fault{"digits", FaultRequired})
		}
	default:
		bad = append(bad, Fault{"pattern", FaultUnknown})
	}
	if p.Every < 0 || p.Every > maxEvery {
		bad = append(bad, Fault{"every", FaultRange})
	}
	if slices.ContainsFunc(p.Weekdays, func(n int) bool { return n < 1 || n > 7 }) {
		bad = append(bad, Fault{"weekdays", FaultRange})
	}
	if slices.ContainsFunc(p.Digits, func(n int) bool { return n < 0 || n > 9 }) {
		bad = append(bad, Fault{"digits", FaultRange})
	}
	return bad
}

// On tells whether the pattern has the day. weekday, 1 to 7, is what the day works as: its own, or that of the day it makes up for.
func (p Pattern) On(day time.Time, weekday int, lunar LunarDay) bool {
	switch p.Code {
	case Weekly:
		return slices.Contains(p.Weekdays, weekday) && (p.Every <= 1 || floorMod(dayNumber(monday(day))-dayNumber(monday(p.Anchor)), 7*p.Every) == 0)
	case Interval:
		return p.Every > 0 && floorMod(dayNumber(day)-dayNumber(p.Anchor), p.Every) == 0
	case SolarDigits:
		return slices.Contains(p.Digits, day.Day()%10)
	case LunarDigits:
		return slices.Contains(p.Digits, lunar(day)%10)
	default:
		return false
	}
}

// Weekday of a day, 1 Monday to 7 Sunday.
func Weekday(day time.Time) int {
	return (int(day.Weekday())+6)%7 + 1
}

func monday(day time.Time) time.Time { return day.AddDate(0, 0, 1-Weekday(day)) }

// dayNumber counts days; all are midnight UTC, so that they are 24 hours apart.
func dayNumber(day time.Time) int { return int(day.Unix() / (24 * 60 * 60)) }

func floorMod(a, n int) int { return ((a % n) + n) % n }

// Date is the day as it is written, YYYY-MM-DD; empty for none.
func Date(day time.Time) string {
	if day.IsZero() {
		return ""
	}
	return day.Format(time.DateOnly)
}

// ReadDate is the day that is written; false for what is none. Nothing is the zero day.
func ReadDate(text string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	day, err := time.Parse(time.DateOnly, text)
	return day, err == nil
}

// DayOf is the local day of an instant.
func DayOf(at time.Time, zone *time.Location) time.Time {
	y, m, d := at.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
