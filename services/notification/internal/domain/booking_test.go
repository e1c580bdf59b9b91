package domain_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

func TestPatientsAreRemindedInDecentHours(t *testing.T) {
	t.Parallel()
	hours, err := domain.NewHours("08:00", "20:00")
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 3, day, hour, minute, 0, 0, zone(t)) }
	for now, want := range map[time.Time]time.Time{
		at(18, 3, 0): at(18, 8, 0), at(18, 8, 0): at(18, 8, 0), at(18, 19, 59): at(18, 19, 59), at(18, 20, 0): at(19, 8, 0), at(31, 23, 59): at(32, 8, 0),
	} {
		if got := hours.Next(now); !got.Equal(want) {
			t.Errorf("at %v: %v, want %v", now, got, want)
		}
	}
	for _, bad := range [][2]string{{"20:00", "08:00"}, {"8:00", "20:00"}, {"08:00", ""}, {"08:00", "08:00"}} {
		if _, err := domain.NewHours(bad[0], bad[1]); err == nil {
			t.Errorf("%v are hours", bad)
		}
	}
}
