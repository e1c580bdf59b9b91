// Package duty says who is on duty when: a weekly plan and the hand-overs upon it become spans of time. It owns that one function, so that
// whoever shows a roster and whoever rings by it never differ. It refuses to keep rosters and to know who may change them; it stands on the
// standard library alone.
//
// Invariants:
//  1. A shift is of the week in the county's zone; one that ends at or before its start ends on the next day.
//  2. Of two hand-overs of the same duty that overlap the one that was written later holds; handing back to whose duty it was undoes it.
//  3. Who is not active any more has no duty, and a hand-over to such a person does not hold.
package duty

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Shift is a weekly duty. Weekday is 1 Monday … 7 Sunday; From and To are minutes since midnight, To at or before From on the next day. FirstDay and
// LastDay are the local dates, YYYY-MM-DD, of the first and the last day on which it begins; empty for always.
type Shift struct {
	Weekday           int
	From, To          int
	AccountID         string
	Line              int
	FirstDay, LastDay string
}

// HandOver gives what From has in a span to To.
type HandOver struct {
	From, To              string
	Start, End, WriteTime time.Time
}

// Duty is one person's span. Instead is whose duty it was, if it was handed over.
type Duty struct {
	AccountID  string
	Line       int
	Start, End time.Time
	Instead    string
}

// Plan is the week of a post with its hand-overs, in any order.
type Plan struct {
	Shifts    []Shift
	HandOvers []HandOver
}

// On lists the duties that touch [from, to), whole, in the order of start, line and account. active tells who may have a duty; nil is everybody.
func (p Plan) On(from, to time.Time, zone *time.Location, active func(account string) bool) []Duty {
	if active == nil {
		active = func(string) bool { return true }
	}
	duties := p.week(from, to, zone)
	overs := slices.SortedStableFunc(slices.Values(p.HandOvers), func(a, b HandOver) int { return a.WriteTime.Compare(b.WriteTime) })
	for _, h := range overs {
		if active(h.To) && h.Start.Before(h.End) {
			duties = h.apply(duties)
		}
	}
	duties = slices.DeleteFunc(duties, func(d Duty) bool { return !active(d.AccountID) || !d.Start.Before(to) || !from.Before(d.End) })
	slices.SortFunc(duties, Duty.compare)
	return duties
}

// At lists who is on duty at an instant, the first line first.
func (p Plan) At(at time.Time, zone *time.Location, active func(account string) bool) []Duty {
	on := p.On(at, at.Add(time.Microsecond), zone, active)
	slices.SortStableFunc(on, func(a, b Duty) int { return cmp.Compare(a.Line, b.Line) })
	return on
}

func (d Duty) compare(o Duty) int {
	return cmp.Or(d.Start.Compare(o.Start), cmp.Compare(d.Line, o.Line), strings.Compare(d.AccountID, o.AccountID))
}

// week lays the shifts on the days; one that began the day before may reach into the first.
func (p Plan) week(from, to time.Time, zone *time.Location) (out []Duty) {
	first := from.In(zone)
	for day := time.Date(first.Year(), first.Month(), first.Day()-1, 12, 0, 0, 0, zone); day.Add(-12 * time.Hour).Before(to); day = day.AddDate(0, 0, 1) {
		weekday, date := (int(day.Weekday())+6)%7+1, day.Format(time.DateOnly)
		for _, s := range p.Shifts {
			if s.Weekday != weekday || date < s.FirstDay || s.LastDay != "" && date > s.LastDay {
				continue
			}
			end := s.To
			if end <= s.From {
				end += 24 * 60
			}
			out = append(out, Duty{AccountID: s.AccountID, Line: s.Line, Start: minute(day, s.From, zone), End: minute(day, end, zone)})
		}
	}
	return out
}

// minute is a local time of a day: by the clock on the wall, also on a day that has not 24 hours.
func minute(day time.Time, n int, zone *time.Location) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 0, n, 0, 0, zone)
}

// apply cuts the duties at the ends of the hand-over and gives its part away.
func (h HandOver) apply(duties []Duty) (out []Duty) {
	for _, d := range duties {
		if d.AccountID != h.From && d.Instead != h.From || !d.Start.Before(h.End) || !h.Start.Before(d.End) {
			out = append(out, d)
			continue
		}
		before, given, after := d, d, d
		if d.Start.Before(h.Start) {
			before.End, given.Start = h.Start, h.Start
			out = append(out, before)
		}
		if h.End.Before(d.End) {
			given.End, after.Start = h.End, h.End
			out = append(out, after)
		}
		owner := cmp.Or(d.Instead, d.AccountID)
		given.AccountID, given.Instead = h.To, owner
		if owner == h.To {
			given.Instead = ""
		}
		out = append(out, given)
	}
	return out
}
