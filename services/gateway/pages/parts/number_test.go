package parts_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
)

func TestANumberIsReadAsPeopleTypeIt(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]float64{"6.5": 6.5, "６．５": 6.5, "6,5": 6.5, "6，5": 6.5, "6。5": 6.5, "１２０": 120, "－1": -1, "0,125": 0.125} {
		if got, err := parts.Number(typed); err != nil || got != want {
			t.Errorf("%q is %v, %v", typed, got, err)
		}
	}
	for _, typed := range []string{"", "x", "1,200", "1，200", "NaN", "Inf", "6.5.1"} {
		if got, err := parts.Number(typed); err == nil {
			t.Errorf("%q is %v", typed, got)
		}
	}
}
