package domain_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestContributionsAddUpToTheChangeOfTheWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		n := func(name string, most int64) int64 { return rapid.Int64Range(0, most).Draw(r, name) }
		var parts []domain.Moved
		for range rapid.IntRange(1, 12).Draw(r, "parts") {
			now, before := n("now of", 500), n("before of", 500)
			parts = append(parts, domain.Moved{Now: n("now", now), NowOf: now, Before: n("before", before), BeforeOf: before})
		}
		for _, share := range []bool{true, false} {
			each, whole, ok := domain.Contributions(parts, share)
			if !ok {
				continue
			}
			sum := 0.0
			for _, one := range each {
				sum += one
			}
			if len(each) != len(parts) || !near(sum, whole) {
				r.Errorf("%v of %+v is %v, the whole moved by %v", each, parts, sum, whole)
			}
		}
	})
}

func TestAContributionIsOfThePartThatMoved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		parts []domain.Moved
		want  []float64
		whole float64
	}{
		"one part got better":            {[]domain.Moved{{8, 10, 4, 10}, {4, 10, 4, 10}}, []float64{0.2, 0}, 0.2},
		"one grew and is as the rest":    {[]domain.Moved{{10, 20, 5, 10}, {5, 10, 5, 10}}, []float64{0, 0}, 0},
		"one that is better than it was": {[]domain.Moved{{10, 10, 5, 10}}, []float64{0.5}, 0.5},
		"the good one grew":              {[]domain.Moved{{30, 30, 10, 10}, {0, 10, 0, 10}}, []float64{0.09375, 0.15625}, 0.25},
		"one is new":                     {[]domain.Moved{{5, 10, 0, 0}, {5, 10, 5, 10}}, []float64{0, 0}, 0},
	} {
		each, whole, ok := domain.Contributions(c.parts, true)
		if !ok || !near(whole, c.whole) {
			t.Errorf("%s: the whole moved by %v, want %v", name, whole, c.whole)
		}
		for i, want := range c.want {
			if !near(each[i], want) {
				t.Errorf("%s: part %d moved it by %v, want %v", name, i, each[i], want)
			}
		}
	}
	if each, whole, ok := domain.Contributions([]domain.Moved{{Now: 7, Before: 9}, {Now: 4}}, false); !ok || whole != 2 || each[0] != -2 || each[1] != 4 {
		t.Errorf("a count: %v, %v, %v", each, whole, ok)
	}
	if each, _, ok := domain.Contributions([]domain.Moved{{1, 2, 0, 0}}, true); ok || each != nil {
		t.Error("a period without cases is compared")
	}
}
