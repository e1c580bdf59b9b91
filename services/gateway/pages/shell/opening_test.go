package shell_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

func TestFiguresOpenOnTheLastWholeMonthUntilTheRunningOneHasAWeek(t *testing.T) {
	t.Parallel()
	county := time.FixedZone("Asia/Shanghai", 8*60*60)
	for _, c := range []struct {
		now, first string
		fresh      int
	}{
		{"2026-12-01T00:00:00+08:00", "2026-11-01", 1}, {"2026-11-30T23:59:59+08:00", "2026-11-01", 0}, {"2026-12-07T23:59:59+08:00", "2026-11-01", 7},
		{"2026-12-08T00:00:00+08:00", "2026-12-01", 0}, {"2026-01-03T09:30:00+08:00", "2025-12-01", 3}, {"2026-03-31T12:00:00+08:00", "2026-03-01", 0},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		if first, fresh := shell.OpeningMonth(now.In(county)); first.Format(time.DateOnly) != c.first || fresh != c.fresh {
			t.Errorf("at %s: %s, day %d", c.now, first.Format(time.DateOnly), fresh)
		}
	}
}
