package statistics

import "testing"

func TestAChangeIsOfThePeriodBefore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		got, want change
	}{
		"more":            {changeOf(110, 100, true, true, false), change{true, 10}},
		"fewer":           {changeOf(1, 3, true, true, false), change{true, -66.7}},
		"from nought":     {changeOf(5, 0, true, true, false), change{}},
		"points":          {changeOf(31.25, 30, true, true, true), change{true, 1.3}},
		"no share before": {changeOf(31, 0, true, false, true), change{}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, not %+v", name, c.got, c.want)
		}
	}
}
