package stats_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tongzhen/tongzhen/services/internal/stats"
)

func TestBoundsGrowByAFactorOfTwoAtMostAndHoldTheLimitsOfTheDeadlines(t *testing.T) {
	t.Parallel()
	b := stats.Bounds()
	for i := 1; i < len(b); i++ {
		if b[i] <= b[i-1] || b[i] > 2*b[i-1] {
			t.Errorf("%s follows %s", b[i], b[i-1])
		}
	}
	for _, limit := range []time.Duration{10 * time.Minute, 2 * time.Hour, 4 * time.Hour, 24 * time.Hour, 72 * time.Hour, 7 * 24 * time.Hour} {
		if !slices.Contains(b, limit) {
			t.Errorf("%s is no bound", limit)
		}
	}
}

func TestADurationFallsIntoTheBucketThatItsBoundEnds(t *testing.T) {
	t.Parallel()
	b := stats.Bounds()
	for d, want := range map[time.Duration]int{
		-time.Hour: 0, 0: 0, time.Minute: 0, time.Minute + 1: 1, 2 * time.Minute: 1,
		b[len(b)-1]: len(b) - 1, b[len(b)-1] + 1: len(b),
	} {
		if got := stats.Bucket(d); got != want {
			t.Errorf("%s is in bucket %d, want %d", d, got, want)
		}
	}
}

func TestAPercentileIsInterpolatedWithinItsBucket(t *testing.T) {
	t.Parallel()
	histogram := func(n ...int64) []int64 { return append(n, make([]int64, len(stats.Bounds())+1-len(n))...) }
	beyond := histogram()
	beyond[len(beyond)-1] = 1
	for name, c := range map[string]struct {
		buckets []int64
		p       float64
		want    time.Duration
		some    bool
	}{
		"none":               {histogram(), 0.5, 0, false},
		"nothing at all":     {nil, 0.5, 0, false},
		"half of the first":  {histogram(10), 0.5, 30 * time.Second, true},
		"half of the second": {histogram(0, 10), 0.5, 90 * time.Second, true},
		"at the border":      {histogram(5, 5), 0.5, time.Minute, true},
		"after the border":   {histogram(5, 5), 0.9, 108 * time.Second, true},
		"over a gap":         {histogram(1, 0, 1), 0.75, 150 * time.Second, true},
		"the last of all":    {histogram(1, 1), 1, 2 * time.Minute, true},
		"90 days or more":    {beyond, 0.5, 90 * 24 * time.Hour, true},
		"taken away":         {histogram(-1, 10), 0.5, 90 * time.Second, true},
	} {
		if got, some := stats.Percentile(c.buckets, c.p); got != c.want || some != c.some {
			t.Errorf("%s: got %s, %t", name, got, some)
		}
	}
}

func TestAPercentileLiesInTheBucketOfTheTrueOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Int64Range(0, int64(89*24*time.Hour)), 1, 50).Draw(t, "durations")
		p := rapid.SampledFrom([]float64{0.5, 0.9}).Draw(t, "p")
		buckets := make([]int64, len(stats.Bounds())+1)
		for _, d := range all {
			buckets[stats.Bucket(time.Duration(d))]++
		}
		slices.Sort(all)
		rank := int(p * float64(len(all)))
		if float64(rank) < p*float64(len(all)) {
			rank++
		}
		truth := time.Duration(all[rank-1])
		got, some := stats.Percentile(buckets, p)
		lower := time.Duration(0)
		if i := stats.Bucket(truth); i > 0 {
			lower = stats.Bounds()[i-1]
		}
		if !some || got < lower || got > stats.Bounds()[stats.Bucket(truth)] {
			t.Fatalf("got %s, the truth is %s", got, truth)
		}
	})
}
