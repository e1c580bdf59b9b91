package bench_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/bench"
	"github.com/tongzhen/tongzhen/services/internal/clock"
)

func TestARunWithoutAnEndOrWorkersIsRefused(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]bench.Options{
		"no doctor":         {Desks: 1, Journeys: 1},
		"no desk":           {Doctors: 1, Journeys: 1},
		"no end":            {Doctors: 1, Desks: 1},
		"a rate below none": {Doctors: 1, Desks: 1, Journeys: 1, Rate: -1},
	} {
		o.Clock = clock.System()
		if _, err := bench.Run(t.Context(), bench.Clients{}, o, func(int, int, string) {}); err == nil {
			t.Errorf("%s: the run began", name)
		}
	}
}

func TestTheReportTellsRatesErrorsAndBrokenInvariants(t *testing.T) {
	t.Parallel()
	r := bench.Report{
		What: "journeys", Finished: 50, Failed: 1, Rate: 6, Elapsed: 10 * time.Second, Delivered: 20 * time.Second,
		Steps: []bench.Step{{
			Name: "arrive", Count: 50, PerSecond: 5, P50: 1500 * time.Microsecond, P95: 2 * time.Millisecond, P99: 3 * time.Millisecond, Max: 4 * time.Millisecond,
			Failures: map[string]int{"PEER_AWAY": 2, "STALE_VERSION": 1},
		}},
		Violations: []string{"slot s1 was given twice"},
	}
	var out strings.Builder
	r.Print(&out)
	for _, want := range []string{
		"50 journeys in 10.0 s: 5.0/s, begun at 6.0/s", "2.5/s with every fact delivered", "1 failed",
		"arrive     50    5.0     1.5     2.0     3.0     4.0       3", "arrive: 2 × PEER_AWAY", "arrive: 1 × STALE_VERSION",
		"1 invariants broken", "slot s1 was given twice",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "nothing lost") {
		t.Error("a run with a broken invariant says that all is well")
	}
}

func TestAQuietReportSaysThatTheInvariantsHold(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	bench.Report{What: "referrals", Finished: 1, Elapsed: time.Second}.Print(&out)
	if !strings.Contains(out.String(), "nothing lost") {
		t.Errorf("got %s", out.String())
	}
}
