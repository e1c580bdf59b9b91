package domain

import (
	"slices"
	"time"
)

// minutesOfWeek is how long a week is on the clock on the wall.
const minutesOfWeek = 7 * 24 * 60

// Left counts the shifts that are nobody's, because who has them left: of those that are not over at the local day since.
func (r Roster) Left(people map[string]bool, since string) (n int) {
	for _, s := range r.shifts {
		if !people[s.AccountID] && !s.over(since) {
			n++
		}
	}
	return n
}

// Pass is the roster after all shifts of one person went to another one from a local day on, and whether there were any; or Violations. today is the
// local day: up to it a shift is given away whole, from a later one it is cut in two.
func (r Roster) Pass(from, to, day, today string, people map[string]bool) (Roster, bool, error) {
	var v Violations
	first, err := time.Parse(time.DateOnly, day)
	if err != nil {
		v.add("fromDay", ReasonInvalid)
	} else if now, err := time.Parse(time.DateOnly, today); err != nil || first.Before(now) || first.After(now.AddDate(1, 0, 0)) {
		v.add("fromDay", ReasonOutOfRange)
	}
	if to == from || !people[to] {
		v.add("toAccountId", ReasonUnknown)
	}
	if err := v.err(); err != nil {
		return Roster{}, false, err
	}
	var next []Shift
	passed := false
	for _, s := range r.shifts {
		if s.AccountID != from || s.LastDay != "" && s.LastDay < day {
			next = append(next, s)
			continue
		}
		passed = true
		given := s
		given.AccountID = to
		if day > today && day > s.FirstDay {
			given.FirstDay = day
			s.LastDay = first.AddDate(0, 0, -1).Format(time.DateOnly)
			next = append(next, s)
		}
		next = append(next, given)
	}
	if !passed {
		return r, false, nil
	}
	// What others had before is no reason to refuse it.
	own := slices.DeleteFunc(slices.Clone(next), func(s Shift) bool { return s.AccountID != to })
	if twice(own, today, &v); len(v) > 0 {
		return Roster{}, false, Violations{{Field: "toAccountId", Reason: ReasonCombination}}
	}
	r.shifts = inWeek(next)
	r.version++
	return r, true, nil
}

// over tells whether the last day of the shift is before a local day.
func (s Shift) over(since string) bool { return s.LastDay != "" && s.LastDay < since }

// joined makes one shift of those that are the same but for their days, where the days of one reach those of the next. They are in order of the first day.
func joined(shifts []Shift) (out []Shift) {
	for _, s := range shifts {
		n := len(out) - 1
		if n < 0 || !out[n].reaches(s) {
			out = append(out, s)
			continue
		}
		if last := out[n].LastDay; last != "" && (s.LastDay == "" || s.LastDay > last) {
			out[n].LastDay = s.LastDay
		}
	}
	return out
}

// reaches tells that a shift is the same as another one, which begins on the day after its last at the latest.
func (s Shift) reaches(o Shift) bool {
	same := s
	same.FirstDay, same.LastDay = o.FirstDay, o.LastDay
	if same != o {
		return false
	}
	last, err := time.Parse(time.DateOnly, s.LastDay)
	return err != nil || last.AddDate(0, 0, 1).Format(time.DateOnly) >= o.FirstDay
}

func (s Shift) checkDays(v *Violations, i int) {
	for field, day := range map[string]string{"firstDay": s.FirstDay, "lastDay": s.LastDay} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			v.add(at("shifts", i, field), ReasonInvalid)
		}
	}
	if s.LastDay != "" && s.LastDay < s.FirstDay {
		v.add(at("shifts", i, "lastDay"), ReasonInvalid)
	}
}

// twice finds who is on two lines at once: a ring that nobody answers goes on to the next line, and to call the same person again is no help.
func twice(shifts []Shift, since string, v *Violations) {
	for i, s := range shifts {
		if slices.ContainsFunc(shifts[:i], func(o Shift) bool {
			return o.AccountID == s.AccountID && o.Line != s.Line && !o.over(since) && !s.over(since) && s.meets(o)
		}) {
			v.add(at("shifts", i, "accountId"), ReasonCombination)
		}
	}
}

// meets tells whether two shifts are at the same time in some week.
func (s Shift) meets(o Shift) bool {
	if s.LastDay != "" && s.LastDay < o.FirstDay || o.LastDay != "" && o.LastDay < s.FirstDay {
		return false
	}
	a, long := s.minutes()
	b, other := o.minutes()
	return (b-a+minutesOfWeek)%minutesOfWeek < long || (a-b+minutesOfWeek)%minutesOfWeek < other
}

// minutes are when in the week it begins and how long it is.
func (s Shift) minutes() (begins, long int) {
	from, _ := MinuteOf(s.From)
	to, _ := MinuteOf(s.To)
	if long = to - from; long <= 0 {
		long += 24 * 60
	}
	return (s.Weekday-1)*24*60 + from, long
}
