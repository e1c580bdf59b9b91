package clock_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
)

func TestTheSystemClockTellsUTCInMicroseconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		<-time.After(1234567 * time.Nanosecond) // the bubble's time, not the machine's
		now := clock.System().Now()
		if now.Location() != time.UTC {
			t.Errorf("location %v, want UTC", now.Location())
		}
		if want := time.Date(2000, 1, 1, 0, 0, 0, 1234000, time.UTC); !now.Equal(want) {
			t.Errorf("now %v, want %v", now, want)
		}
		if now.Nanosecond()%1000 != 0 {
			t.Errorf("%v is finer than a microsecond", now)
		}
	})
}

func TestAFixedClockMovesOnlyWhenAdvanced(t *testing.T) {
	t.Parallel()
	shanghai := time.FixedZone("UTC+8", 8*3600)
	c := clock.NewFixed(time.Date(2026, 3, 2, 8, 0, 0, 999, shanghai))
	want := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	if got := c.Now(); got != want {
		t.Fatalf("now %v, want %v", got, want)
	}
	if got := c.Now(); got != want {
		t.Fatalf("it moved to %v", got)
	}
	c.Advance(time.Hour)
	if got := c.Now(); got != want.Add(time.Hour) {
		t.Fatalf("after an hour %v", got)
	}
}
