package bench_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/bench"
)

func TestAQuantileIsAMeasuredValueThatSoManyPercentDoNotExceed(t *testing.T) {
	t.Parallel()
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(i+1))
	}
	for percent, want := range map[int]time.Duration{50: 50, 95: 95, 99: 99, 100: 100} {
		if got := bench.Quantile(hundred, percent); got != want {
			t.Errorf("p%d = %d, want %d", percent, got, want)
		}
	}
	if got := bench.Quantile([]time.Duration{7}, 50); got != 7 {
		t.Errorf("of one value: %d", got)
	}
	if got := bench.Quantile(nil, 99); got != 0 {
		t.Errorf("of none: %d", got)
	}
}

func TestAtARateEachJourneyHasItsTurn(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]time.Duration{0: 0, 1: 400 * time.Millisecond, 5: 2 * time.Second} {
		if got := bench.Turn(n, 2.5); got != want {
			t.Errorf("journey %d begins after %s, want %s", n, got, want)
		}
	}
	if got := bench.Turn(1000, 0); got != 0 {
		t.Errorf("without a rate one waits %s", got)
	}
}

func TestInventedIdentityNumbersHaveTheCheckCharacterOfGB11643(t *testing.T) {
	t.Parallel()
	// The example of the standard.
	if got := bench.CheckCharacter("11010519491231002"); got != "X" {
		t.Errorf("got %s", got)
	}
}
