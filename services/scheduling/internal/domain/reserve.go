package domain

import (
	"cmp"
	"slices"
	"time"
)

// ReserveSlot is a slot of a department's day as the reserve sees it.
type ReserveSlot struct {
	ID, SessionID, Grade string
	Start                time.Time
	Pool                 string
	Fixed                bool // taken or blocked: it keeps its pool
}

// Spread decides which slots of a department's day are reserved for townships and answers those whose pool is to change, by id. ReservePercent of all
// slots, rounded up, are reserved; ExpertPercent of these, rounded up, are of grade EXPERT as far as there are as many, and where one grade has too
// few the other gives. Fixed slots count as they are. Within a grade they lie evenly over each session. It depends on the slots alone, not on
// their order.
func (p Policy) Spread(slots []ReserveSlot) map[string]string {
	experts, generals := grade(slots, true), grade(slots, false)
	want := ceilPercent(len(slots), p.ReservePercent)
	wantExperts := experts.near(ceilPercent(want, p.ExpertPercent))
	wantGenerals := generals.near(want - wantExperts)
	wantExperts = experts.near(want - wantGenerals)
	changed := map[string]string{}
	experts.reserve(wantExperts, changed)
	generals.reserve(wantGenerals, changed)
	return changed
}

func ceilPercent(n, percent int) int { return (n*percent + 99) / 100 }

// graded are the slots of one grade, by session and time; held are those reserved that cannot be changed.
type graded struct {
	free []ReserveSlot
	held int
}

func grade(slots []ReserveSlot, expert bool) graded {
	var g graded
	for _, s := range slots {
		switch {
		case (s.Grade == Expert) != expert:
		case !s.Fixed:
			g.free = append(g.free, s)
		case s.Pool == Reserved:
			g.held++
		}
	}
	slices.SortFunc(g.free, func(a, b ReserveSlot) int {
		return cmp.Or(cmp.Compare(a.SessionID, b.SessionID), a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
	return g
}

// near is what can be reserved of what is wanted: not fewer than are held, not more than there are.
func (g graded) near(want int) int { return min(max(want, g.held), g.held+len(g.free)) }

// reserve lays what is wanted beyond the held ones over the free slots at equal distances.
func (g graded) reserve(want int, changed map[string]string) {
	n, need := len(g.free), max(want-g.held, 0)
	for i, s := range g.free {
		pool := Common
		if (i+1)*need/n > i*need/n {
			pool = Reserved
		}
		if pool != cmp.Or(s.Pool, Common) {
			changed[s.ID] = pool
		}
	}
}
