package statistics

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

func percent(n, of int64) float64 {
	if of == 0 {
		return 0
	}
	return 100 * float64(n) / float64(of)
}

// change is how a value moved from the same span of the period before.
type change struct {
	// Known: there is something to compare with.
	Known bool
	// By is the difference: percentage points of a share, percent of a count.
	By float64
}

// changeOf compares two values. A count that was nought before has no percentage.
func changeOf(now, before float64, knownNow, knownBefore, share bool) change {
	switch {
	case !knownNow || !knownBefore:
		return change{}
	case share:
		return change{Known: true, By: tenth(now - before)}
	case before == 0:
		return change{}
	}
	return change{Known: true, By: tenth(100 * (now - before) / before)}
}

func tenth(v float64) float64 { return math.Round(v*10) / 10 }

// aim is the target that holds, and how the value stands to it.
type aim struct {
	Set     bool
	Value   float64
	Reached bool
	// Apart is the value less the target, in points or cases.
	Apart float64
}

func aimOf(f *referralv1.Figure) aim {
	if f.GetAim() == nil {
		return aim{}
	}
	return aim{Set: true, Value: f.GetAim().GetTarget(), Reached: f.GetAim().GetReached(), Apart: f.GetAim().GetApart()}
}

func dayOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// ranked are figures by one dimension, most cases first; those without cases are left out.
func ranked(figures []*referralv1.Figure, code string) []*referralv1.Figure {
	out := slices.DeleteFunc(slices.Clone(figures), func(f *referralv1.Figure) bool { return f.GetMeasure() != code || f.GetNumerator() <= 0 })
	slices.SortStableFunc(out, func(a, b *referralv1.Figure) int {
		return cmp.Or(cmp.Compare(b.GetNumerator(), a.GetNumerator()), strings.Compare(strings.Join(a.GetKey(), " "), strings.Join(b.GetKey(), " ")))
	})
	return out
}
