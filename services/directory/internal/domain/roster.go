package domain

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Desk is the department code of the post of a hospital's intake desk.
const Desk = "DESK"

// MostHandOver is how long a duty may be handed over at once.
const MostHandOver = 31 * 24 * time.Hour

// mostLine is the highest line that a shift may be on: 0 is told first.
const mostLine = 2

// Post is what has a roster: a department of an organisation, the intake desk of a hospital (Department is Desk), or a whole township centre
// (Department is empty).
type Post struct{ County, OrganizationID, Department string }

// In tells whether the organisation has the post.
func (p Post) In(o Organization) bool {
	switch p.Department {
	case Desk:
		return o.data.Type == CountyHospital
	case "":
		return o.data.Type == TownshipCentre
	}
	return o.HasDepartment(p.Department)
}

// Shift is a weekly duty. Weekday is 1 Monday … 7 Sunday; From and To are local HH:MM, To at or before From is on the next day. Line 0 is told
// first. FirstDay and LastDay are the local dates, YYYY-MM-DD, of the first and the last day on which it begins; empty for always.
type Shift struct {
	Weekday           int
	From, To          string
	AccountID         string
	Line              int
	FirstDay, LastDay string
}

// HandOver gives what an account has in a span to another one. AccountID is who wrote it.
type HandOver struct {
	ID, From, To string
	Start, End   time.Time
	Note         string
	AccountID    string
	CreateTime   time.Time
}

// Roster is who is planned at a post. Version 0 is a post of which nothing was said yet.
type Roster struct {
	post    Post
	version int32
	shifts  []Shift    // by weekday, beginning, line and account
	overs   []HandOver // by id
}

// RestoreRoster is a roster as it was kept.
func RestoreRoster(p Post, version int32, shifts []Shift, overs []HandOver) Roster {
	return Roster{post: p, version: version, shifts: inWeek(shifts), overs: overs}
}

// Replace is the roster after its whole week was said anew, and whether that differs; or Violations. people are the accounts of the
// organisation that may have duties; shifts whose last day is before since are over and left out.
func (r Roster) Replace(shifts []Shift, people map[string]bool, since string) (Roster, bool, error) {
	var v Violations
	for i, s := range shifts {
		if s.over(since) {
			continue
		}
		if s.Weekday < 1 || s.Weekday > 7 {
			v.add(at("shifts", i, "weekday"), ReasonOutOfRange)
		}
		for field, clock := range map[string]string{"from": s.From, "to": s.To} {
			if _, ok := MinuteOf(clock); !ok {
				v.add(at("shifts", i, field), ReasonInvalid)
			}
		}
		if !people[s.AccountID] {
			v.add(at("shifts", i, "accountId"), ReasonUnknown)
		}
		if s.Line < 0 || s.Line > mostLine {
			v.add(at("shifts", i, "line"), ReasonOutOfRange)
		}
		s.checkDays(&v, i)
	}
	if len(v) == 0 {
		twice(shifts, since, &v)
	}
	if err := v.err(); err != nil {
		return Roster{}, false, err
	}
	next := inWeek(slices.DeleteFunc(slices.Clone(shifts), func(s Shift) bool { return s.over(since) }))
	if slices.Equal(next, r.shifts) {
		return r, false, nil
	}
	r.shifts = next
	r.version++
	return r, true, nil
}

// HandOver is the roster with one more hand-over, or Violations. It begins now at the earliest.
func (r Roster) HandOver(h HandOver, people map[string]bool, now time.Time) (Roster, HandOver, error) {
	if h.Start.Before(now) {
		h.Start = now
	}
	h.Note = strings.TrimSpace(h.Note)
	var v Violations
	switch {
	case h.End.IsZero():
		v.add("end", ReasonRequired)
	case !h.Start.Before(h.End):
		v.add("end", ReasonInvalid)
	case h.End.Sub(h.Start) > MostHandOver:
		v.add("end", ReasonOutOfRange)
	}
	if h.To == h.From || !people[h.To] {
		v.add("toAccountId", ReasonUnknown)
	}
	v.text("note", h.Note, false, 200)
	if err := v.err(); err != nil {
		return Roster{}, HandOver{}, err
	}
	h.CreateTime = now
	r.overs = append(slices.Clone(r.overs), h)
	r.version++
	return r, h, nil
}

// TakeBack is the roster after a hand-over ended, and whether it had not; one that has not begun never was.
func (r Roster) TakeBack(id string, now time.Time) (Roster, bool) {
	i := slices.IndexFunc(r.overs, func(h HandOver) bool { return h.ID == id })
	if i < 0 || !now.Before(r.overs[i].End) || !r.overs[i].Start.Before(r.overs[i].End) {
		return r, false
	}
	r.overs = slices.Clone(r.overs)
	r.overs[i].End = now
	if now.Before(r.overs[i].Start) {
		r.overs[i].End = r.overs[i].Start
	}
	r.version++
	return r, true
}

// Post is whose roster it is.
func (r Roster) Post() Post { return r.post }

// Version grows by one with every change, hand-overs included.
func (r Roster) Version() int32 { return r.version }

// Shifts are by weekday, beginning, line and account.
func (r Roster) Shifts() []Shift { return slices.Clone(r.shifts) }

// HandOvers are by id.
func (r Roster) HandOvers() []HandOver { return slices.Clone(r.overs) }

// String is the post's organisation: a roster never formats as more.
func (r Roster) String() string { return "roster of " + r.post.OrganizationID }

// MinuteOf is a local HH:MM in minutes since midnight.
func MinuteOf(clock string) (int, bool) {
	if len(clock) != 5 || clock[2] != ':' || !digits(clock[:2]) || !digits(clock[3:]) {
		return 0, false
	}
	hour, minute := int(clock[0]-'0')*10+int(clock[1]-'0'), int(clock[3]-'0')*10+int(clock[4]-'0')
	return hour*60 + minute, hour < 24 && minute < 60
}

// inWeek puts shifts in order, each once: what one person has twice at a time of the week is one shift for the days of both.
func inWeek(shifts []Shift) []Shift {
	out := slices.SortedFunc(slices.Values(shifts), func(a, b Shift) int {
		return cmp.Or(cmp.Compare(a.Weekday, b.Weekday), strings.Compare(a.From, b.From), cmp.Compare(a.Line, b.Line),
			strings.Compare(a.AccountID, b.AccountID), strings.Compare(a.To, b.To), strings.Compare(a.FirstDay, b.FirstDay),
			strings.Compare(a.LastDay, b.LastDay))
	})
	return joined(out)
}
