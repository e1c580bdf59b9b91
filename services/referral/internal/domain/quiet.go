package domain

import (
	"cmp"
	"slices"
	"time"
)

// QuietDays is how many days are looked at for a centre's habit: a season, so that a holiday or a harvest is not taken for one.
const QuietDays = 120

// A centre is called quiet after quietTimes its usual distance between two referrals, but not before quietLeast days; from fewer than quietFew
// referrals no habit is known.
const (
	quietLeast = 14
	quietTimes = 4
	quietFew   = 3
)

// QuietCentre is a centre that used to send patients and does not any more, or sent none.
type QuietCentre struct {
	ID string
	// Last is the local day on which it last sent ("2006-01-02"), "" when on none of those looked at.
	Last string
	// Days since then, QuietDays when it sent none; Sent is how many it sent in the days looked at.
	Days int
	Sent int64
}

// SentOn is how many a centre sent on a local day ("2006-01-02").
type SentOn struct {
	Centre, Day string
	N           int64
}

// QuietCentres finds, among centres, those that went quiet, the longest silence first and then the busiest; sent are of the [QuietDays] that end
// with today ("2006-01-02"). A centre that sent fewer than three is quiet only if it sent none at all.
//
// The rule is the product's own: a centre is held against its own habit and not against the others, because a township of 3,000 people sends seldom
// by right. With referrals at random (a Poisson process) a silence of four mean distances has a chance of e⁻⁴, about 2 %; two weeks are the least
// because below that a doctor's leave explains it.
func QuietCentres(centres []string, sent []SentOn, today string) []QuietCentre {
	type habit struct {
		n    int64
		last string
	}
	habits := map[string]habit{}
	for _, s := range sent {
		if s.N > 0 {
			h := habits[s.Centre]
			habits[s.Centre] = habit{h.n + s.N, max(h.last, s.Day)}
		}
	}
	var out []QuietCentre
	for _, id := range centres {
		h := habits[id]
		if h.n == 0 {
			out = append(out, QuietCentre{ID: id, Days: QuietDays})
			continue
		}
		since, ok := daysBetween(h.last, today)
		if !ok || h.n < quietFew {
			continue
		}
		usual := float64(QuietDays-since) / float64(h.n)
		if since >= quietLeast && float64(since) >= quietTimes*usual {
			out = append(out, QuietCentre{ID: id, Last: h.last, Days: since, Sent: h.n})
		}
	}
	slices.SortStableFunc(out, func(a, b QuietCentre) int { return cmp.Or(cmp.Compare(b.Days, a.Days), cmp.Compare(b.Sent, a.Sent)) })
	return out
}

// daysBetween two local days; false when one is none.
func daysBetween(from, to string) (int, bool) {
	a, err := time.Parse(time.DateOnly, from)
	b, err2 := time.Parse(time.DateOnly, to)
	return int(b.Sub(a).Hours() / 24), err == nil && err2 == nil
}
