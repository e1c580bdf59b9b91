package stats_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
)

func TestASchemaThatCannotServeIsRefused(t *testing.T) {
	t.Parallel()
	month := func(d ...string) stats.Cube { return stats.Cube{Grain: stats.Month, Dimensions: d} }
	for name, c := range map[string]struct {
		dimensions []string
		counters   []stats.Counter
		cubes      []stats.Cube
		says       string
	}{
		"13 dimensions":             {dimensions: strings.Split("a b c d e f g h i j k l m", " "), says: "at most 12"},
		"dimension twice":           {dimensions: []string{"a", "a"}, says: `dimension "a"`},
		"dimension's name":          {dimensions: []string{"A;"}, says: `dimension "A;"`},
		"counter twice":             {counters: []stats.Counter{{Name: "a"}, {Name: "a"}}, says: `counter "a"`},
		"counter's name":            {counters: []stats.Counter{{}}, says: `counter ""`},
		"cube's grain":              {cubes: []stats.Cube{{Grain: stats.Whole}}, says: "cube 0: its grain"},
		"cube's dimension":          {dimensions: []string{"a"}, cubes: []stats.Cube{month("b")}, says: `cube 0: its dimension "b"`},
		"dimension twice in a cube": {dimensions: []string{"a"}, cubes: []stats.Cube{month("a", "a")}, says: `dimension "a"`},
		"a cube of no counter":      {cubes: []stats.Cube{{Grain: stats.Month, Counters: []string{"b"}}}, says: `cube 0: its counter "b"`},
		"the same cube again":       {dimensions: []string{"a", "b"}, cubes: []stats.Cube{month("a", "b"), month("b", "a")}, says: "cube 1 is never read"},
		"a cube behind a larger":    {dimensions: []string{"a", "b"}, cubes: []stats.Cube{{Grain: stats.Day, Dimensions: []string{"a", "b"}}, month("a")}, says: "cube 1 is never read"},
	} {
		if _, err := stats.NewSchema(c.dimensions, c.counters, c.cubes); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestADayIsThatOfTheCounty(t *testing.T) {
	t.Parallel()
	shanghai := time.FixedZone("CST", 8*60*60)
	at := time.Date(2026, time.March, 31, 16, 0, 0, 0, time.UTC)
	if d := stats.DateOf(at, shanghai); d != "2026-04-01" || d.Month() != "2026-04-01" {
		t.Errorf("got %s", d)
	}
	if d := stats.DateOf(at.Add(-time.Microsecond), shanghai); d != "2026-03-31" || d.Month() != "2026-03-01" {
		t.Errorf("got %s", d)
	}
}

func TestAPeriodFillsForThirtyDaysAfterItsEnd(t *testing.T) {
	t.Parallel()
	q := func(g stats.Grain) stats.Query { return stats.Query{From: "2026-01-01", To: "2026-04-01", Grain: g} }
	for today, want := range map[stats.Date]map[stats.Grain]bool{
		"2026-03-02": {stats.Day: true, stats.Month: true, stats.Whole: true},
		"2026-03-03": {stats.Day: false, stats.Month: true, stats.Whole: true},
		"2026-03-30": {stats.Day: false, stats.Month: true, stats.Whole: true},
		"2026-03-31": {stats.Day: false, stats.Month: false, stats.Whole: true},
		"2026-04-30": {stats.Day: false, stats.Month: false, stats.Whole: true},
		"2026-05-01": {stats.Day: false, stats.Month: false, stats.Whole: false},
	} {
		for _, g := range slices.Sorted(maps.Keys(want)) {
			period := stats.Date("2026-02-01")
			if g == stats.Day {
				period = "2026-01-31"
			}
			if got := q(g).Filling(period, today); got != want[g] {
				t.Errorf("%s of %s on %s: filling is %t", g, period, today, got)
			}
		}
	}
}

func TestAFingerprintTellsSchemasApartThatNeedARebuild(t *testing.T) {
	t.Parallel()
	of := func(dimensions []string, counters []stats.Counter, cubes ...stats.Cube) string {
		s, err := stats.NewSchema(dimensions, counters, cubes)
		if err != nil {
			t.Fatal(err)
		}
		return s.Fingerprint()
	}
	a, b, cube := stats.Counter{Name: "a"}, stats.Counter{Name: "b"}, stats.Cube{Grain: stats.Month, Dimensions: []string{"x"}}
	base := of([]string{"x", "y"}, []stats.Counter{a, b}, cube)
	if len(base) != 16 || base != of([]string{"x", "y"}, []stats.Counter{b, a}, cube) {
		t.Errorf("%q hangs on the order of the counters", base)
	}
	day := cube
	day.Grain = stats.Day
	for what, other := range map[string]string{
		"a dimension":     of([]string{"x", "y", "z"}, []stats.Counter{a, b}, cube),
		"a counter":       of([]string{"x", "y"}, []stats.Counter{a}, cube),
		"a timed counter": of([]string{"x", "y"}, []stats.Counter{a, {Name: "b", Timed: true}}, cube),
		"a grain":         of([]string{"x", "y"}, []stats.Counter{a, b}, day),
		"a total more":    of([]string{"x", "y"}, []stats.Counter{a, b}, cube, day),
	} {
		if other == base {
			t.Errorf("%s makes no difference", what)
		}
	}
}

func TestACubeOfSomeCountersAnswersThoseAlone(t *testing.T) {
	t.Parallel()
	s, err := stats.NewSchema([]string{"organization", "kind", "doctor"}, []stats.Counter{{Name: "submitted"}, {Name: "arrived"}}, []stats.Cube{
		{Grain: stats.Month, Dimensions: []string{"organization", "doctor"}},
		{Grain: stats.Day, Dimensions: []string{"organization", "doctor"}, Counters: []string{"arrived"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	dbtest.Each(t, sets(), func(t *testing.T, db *sqldb.DB) {
		cells := []stats.Cell{cell("submitted", "2026-01-15", "wl", ""), cell("arrived", "2026-01-15", "wl", ""), cell("arrived", "2026-01-20", "wl", "")}
		for _, c := range cells {
			delete(c.Dimensions, "kind")
		}
		write(t, db, s, cells...)
		part := stats.Query{County: county, Counters: []string{"arrived"}, From: "2026-01-10", To: "2026-01-16", Grain: stats.Whole, GroupBy: []string{"doctor"}}
		for range 2 {
			same(t, lines(read(t, db, s, part)), "2026-01-10 dr-wl arrived 1")
			fold(t, db, s)
		}
		if n := count(t, db, "SELECT count(*) FROM statistics_total WHERE cube LIKE 'D%' AND counter = 'submitted'"); n != 0 {
			t.Errorf("the cube keeps %d totals of another counter", n)
		}
		same(t, compare(t, db, s, told(cells...)))
		part.Counters = []string{"submitted"}
		err := db.View(t.Context(), func(tx *sqldb.Tx) error { _, err := s.Read(t.Context(), tx, part); return err })
		refused(t, err, "from", errs.ReasonFieldCombination)
	})
}
