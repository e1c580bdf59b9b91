// Package lunar tells the lunar date (农历) of a day, for markets and clinics that go by it.
//
// Owns: the way from a day to the library's calendar. Refuses: to decide anything by it; that is domain's. A day is midnight UTC of its date.
package lunar

import (
	"time"

	"github.com/6tail/lunar-go/calendar"
)

// Day of the lunar month, 1 to 30; a leap month counts like any other.
func Day(day time.Time) int {
	return of(day).GetDay()
}

// Name of the lunar date as people say it, e.g. 九月初三, 闰六月初一.
func Name(day time.Time) string {
	l := of(day)
	return l.GetMonthInChinese() + "月" + l.GetDayInChinese()
}

func of(day time.Time) *calendar.Lunar {
	return calendar.NewSolarFromYmd(day.Year(), int(day.Month()), day.Day()).GetLunar()
}
