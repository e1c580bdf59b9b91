package statistics

import (
	"testing"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

func TestOnlyTotalsThatDifferAreExplained(t *testing.T) {
	t.Parallel()
	agree := []*referralv1.Figure{
		{Measure: "UP-N", Numerator: 5}, {Measure: "STAGE-UP-ANSWERED", Numerator: 4, Denominator: 5}, {Measure: "DN-N", Numerator: 2}, {Measure: "IND-T3-2", Numerator: 2},
		{Measure: rateA, Numerator: 2}, {Measure: rateB, Numerator: 2}, {Measure: "STAGE-UP-SENT-DOWN", Numerator: 2}, {Measure: "RETURNED-N", Numerator: 3},
	}
	if out := sums(agree); len(out) > 0 {
		t.Errorf("all agree, and %v is said", out)
	}
	differ := []*referralv1.Figure{
		{Measure: "UP-N", Numerator: 9}, {Measure: "STAGE-UP-ANSWERED", Numerator: 4, Denominator: 5}, {Measure: "DN-N", Numerator: 4}, {Measure: "IND-T3-2", Numerator: 3},
		{Measure: rateA, Numerator: 6}, {Measure: "RETURNED-N", Numerator: 3}, {Measure: "DECLINED-N", Numerator: 1},
	}
	out := sums(differ)
	if len(out) != 4 || out[0].With["rest"] != int64(4) || out[1].With["off"] != int64(1) || out[2].With["discharges"] != int64(6) || out[3].With["declined"] != int64(1) {
		t.Errorf("%v", out)
	}
}

func TestAChartBeginsWithItsFirstCase(t *testing.T) {
	t.Parallel()
	counts := func(n int) bool { return n > 0 }
	if got := begun([]int{0, 0, 3, 0, 1}, counts); len(got) != 3 || got[1] != 0 {
		t.Errorf("%v", got)
	}
	if got := begun([]int{0, 0}, counts); got != nil {
		t.Errorf("nothing counts, and %v is drawn", got)
	}
}
