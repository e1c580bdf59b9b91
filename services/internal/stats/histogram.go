package stats

import (
	"slices"
	"time"
)

const (
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * time.Hour
)

// bounds are the upper ends of the buckets; each belongs to the bucket that it ends. They are stored by their place and
// so never change. From one minute on each is at most twice the one before; the limits of lifecycle deadlines are among
// them, so that a count up to one of these is exact.
var bounds = []time.Duration{
	1 * minute, 2 * minute, 3 * minute, 5 * minute, 10 * minute, 15 * minute, 20 * minute, 30 * minute, 45 * minute,
	1 * hour, 90 * minute, 2 * hour, 3 * hour, 4 * hour, 6 * hour, 8 * hour, 12 * hour, 18 * hour,
	1 * day, 36 * hour, 2 * day, 3 * day, 5 * day, 7 * day, 10 * day, 14 * day, 21 * day, 30 * day, 45 * day, 60 * day, 90 * day,
}

// Bounds are the upper ends of the buckets, all but the last, which has none. Bucket 0 is from nought to Bounds()[0].
func Bounds() []time.Duration { return slices.Clone(bounds) }

// Bucket is the place in a histogram of something that took d. A negative d, from clocks that differ, counts as nought.
func Bucket(d time.Duration) int {
	i, _ := slices.BinarySearch(bounds, d)
	return i
}

// Percentile is the duration that the share p (0 to 1) of the cases did not exceed, and false without a case. Within its
// bucket it is interpolated in a straight line: the true value lies in the same bucket, so the answer is less than
// the bucket's width off, at worst a factor of two and below one minute a minute. Cases beyond the last bound answer
// that bound, 90 days, which stands for "or more".
func Percentile(buckets []int64, p float64) (time.Duration, bool) {
	var cases int64
	for _, n := range buckets {
		cases += max(n, 0)
	}
	if cases == 0 {
		return 0, false
	}
	rank, below := p*float64(cases), 0.0
	for i, n := range buckets {
		if n <= 0 || below+float64(n) < rank {
			below += float64(max(n, 0))
			continue
		}
		if i >= len(bounds) {
			break
		}
		var from time.Duration
		if i > 0 {
			from = bounds[i-1]
		}
		return from + time.Duration((rank-below)/float64(n)*float64(bounds[i]-from)), true
	}
	return bounds[len(bounds)-1], true
}
