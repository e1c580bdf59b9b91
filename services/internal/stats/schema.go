package stats

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxDimensions is how many columns the tables have for them.
const maxDimensions = 12

// Counter is something that is counted. A timed one counts by how long it took: its cells carry a bucket.
type Counter struct {
	Name  string
	Timed bool
}

// Cube is a table of totals that is kept: the counters by period and by some of the dimensions. Its size is the number
// of combinations that occur, however many cases there are.
type Cube struct {
	Grain      Grain // Day or Month
	Dimensions []string
	// Counters are those that it keeps; none for all.
	Counters []string
}

// Schema is what a service counts, by what, and which totals it keeps. It does not change and is safe for concurrent
// use.
type Schema struct {
	dimensions []string
	timed      map[string]bool // by the counter's name
	cubes      []cube
}

// cube is a Cube by the places of its dimensions, ascending.
type cube struct {
	key    string // in the table: "M1.4" is months by the first and the fourth dimension
	grain  Grain
	places []int
	// counters are those that it keeps; nil for all.
	counters []string
}

var name = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// NewSchema checks and makes a schema. The tables know a dimension by its place, so a later release may append to the
// dimensions and may rename one, but must not reorder them. Reading takes the first cube that serves, so cubes stand from
// the smallest to the largest; one that is never read, because an earlier one serves all that it does, is refused.
//
// A cube, counter or dimension that is added later counts from its release on. Rebuild makes it right for the time
// before; until then what it answers about that time is too low.
func NewSchema(dimensions []string, counters []Counter, cubes []Cube) (*Schema, error) {
	if len(dimensions) > maxDimensions {
		return nil, fmt.Errorf("statistics schema: %d dimensions, at most %d", len(dimensions), maxDimensions)
	}
	s := &Schema{dimensions: slices.Clone(dimensions), timed: make(map[string]bool, len(counters))}
	for i, d := range dimensions {
		if !name.MatchString(d) || slices.Contains(dimensions[:i], d) {
			return nil, fmt.Errorf("statistics schema: dimension %q is not a name in lower case, or is there twice", d)
		}
	}
	for _, c := range counters {
		if _, twice := s.timed[c.Name]; twice || !name.MatchString(c.Name) {
			return nil, fmt.Errorf("statistics schema: counter %q is not a name in lower case, or is there twice", c.Name)
		}
		s.timed[c.Name] = c.Timed
	}
	for i, declared := range cubes {
		c, err := s.cube(declared)
		if err != nil {
			return nil, fmt.Errorf("statistics schema: cube %d: %w", i, err)
		}
		for _, earlier := range s.cubes {
			if earlier.key == c.key || earlier.serves(c.grain) && earlier.has(c.places) && earlier.keepsAll(c.counters) {
				return nil, fmt.Errorf("statistics schema: cube %d is never read, an earlier one serves all that it does", i)
			}
		}
		s.cubes = append(s.cubes, c)
	}
	return s, nil
}

// Fingerprint is the same for schemas that count the same, by the same, in the same totals, and another after a change that Rebuild has to
// follow: 16 hex digits.
func (s *Schema) Fingerprint() string {
	const bytes = 8
	h := sha256.New()
	fmt.Fprintln(h, s.dimensions)
	for _, counter := range slices.Sorted(maps.Keys(s.timed)) {
		fmt.Fprintln(h, counter, s.timed[counter])
	}
	for _, c := range s.cubes {
		fmt.Fprintln(h, strings.Join(append([]string{c.key}, c.counters...), " "))
	}
	return hex.EncodeToString(h.Sum(nil)[:bytes])
}

func (s *Schema) cube(declared Cube) (cube, error) {
	c := cube{grain: declared.Grain, counters: slices.Sorted(slices.Values(declared.Counters))}
	for _, counter := range c.counters {
		if _, known := s.timed[counter]; !known {
			return cube{}, fmt.Errorf("its counter %q is unknown", counter)
		}
	}
	if c.grain != Day && c.grain != Month {
		return cube{}, fmt.Errorf("its grain is %q, neither %s nor %s", c.grain, Day, Month)
	}
	var places []string
	for _, d := range declared.Dimensions {
		i := slices.Index(s.dimensions, d)
		if i < 0 || slices.Contains(c.places, i) {
			return cube{}, fmt.Errorf("its dimension %q is unknown, or is there twice", d)
		}
		c.places = append(c.places, i)
	}
	slices.Sort(c.places)
	for _, i := range c.places {
		places = append(places, strconv.Itoa(i+1))
	}
	c.key = string(c.grain[0]) + strings.Join(places, ".")
	return c, nil
}

// serves tells whether periods of this grain can be made of the cube's.
func (c cube) serves(grain Grain) bool { return c.grain == Day || grain == Month }

// keeps tells whether a counter is in the cube.
func (c cube) keeps(counter string) bool {
	return c.counters == nil || slices.Contains(c.counters, counter)
}

// keepsAll tells whether all of these are in the cube; none stands for every counter.
func (c cube) keepsAll(counters []string) bool {
	if len(counters) == 0 {
		return c.counters == nil
	}
	return !slices.ContainsFunc(counters, func(counter string) bool { return !c.keeps(counter) })
}

func (c cube) has(places []int) bool {
	return !slices.ContainsFunc(places, func(i int) bool { return !slices.Contains(c.places, i) })
}

// columns are the columns of all dimensions in use.
func (s *Schema) columns() []string {
	out := make([]string, len(s.dimensions))
	for i := range out {
		out[i] = column(i)
	}
	return out
}

// column is the column of the dimension at this place, counted from 0.
func column(place int) string { return "d" + strconv.Itoa(place+1) }
