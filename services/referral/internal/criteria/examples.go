package criteria

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// Check loads the shipped rules with a county's folder over them, or alone for nil, and holds every rule against the examples beside it. The
// error joins all that do not hold, each with file and line.
func Check(overrides fs.FS) error {
	b, err := New(overrides)
	if err != nil {
		return err
	}
	// Values of examples have no time, so that any moment will do.
	moment := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var broken []error
	for _, r := range b.rules {
		for i, e := range r.examples {
			if err := e.disagrees(b.result(r, b.gather(e.input, moment))); err != nil {
				broken = append(broken, r.errorf("rule %s: example %d: %w", r.Code, i+1, err))
			}
		}
	}
	return errors.Join(broken...)
}

func (e example) disagrees(got Result) error {
	if got.Status != e.result {
		return fmt.Errorf("the rule says %s, the example %s", got.Status, e.result)
	}
	var missing []string
	for _, m := range got.Missing {
		missing = append(missing, m.Name)
	}
	slices.Sort(missing)
	if want := slices.Sorted(slices.Values(e.missing)); e.missing != nil && !slices.Equal(missing, want) {
		return fmt.Errorf("the rule misses %s, the example %s", strings.Join(missing, ", "), strings.Join(want, ", "))
	}
	return nil
}
