package stats

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Unit is what the value of a figure means.
type Unit string

// The units. The first four need a denominator, the last two have none.
const (
	Percent  Unit = "PERCENT"
	Permille Unit = "PERMILLE"
	Ratio    Unit = "RATIO"
	Mean     Unit = "MEAN" // the numerator is a sum of points, the denominator the cases
	Count    Unit = "COUNT"
	Duration Unit = "DURATION" // median and 90th percentile
)

// Scale is what a quotient, or a number, is multiplied by to be in the unit.
func (u Unit) Scale() float64 {
	switch u {
	case Percent:
		return 100
	case Permille:
		return 1000
	}
	return 1
}

// Direction tells which way a measure should move.
type Direction string

// The directions.
const (
	HigherBetter Direction = "HIGHER_BETTER"
	LowerBetter  Direction = "LOWER_BETTER"
	Neutral      Direction = "NEUTRAL"
)

// Certainty is how far a source carries its definition.
type Certainty string

// The certainties.
const (
	Found     Certainty = "FOUND"     // read at the source that is named
	Mirror    Certainty = "MIRROR"    // read at a copy; the wording is unverified
	Known     Certainty = "KNOWN"     // common knowledge, not to be quoted
	Suggested Certainty = "SUGGESTED" // this product's own proposal
)

// Words are a text for people in the languages of the product.
type Words struct {
	Zh string `yaml:"zh"`
	En string `yaml:"en"`
}

// Measure is a published definition. API and pages show it beside every figure.
type Measure struct {
	Code         string    `yaml:"code"` // e.g. IND-DN-A
	Name         Words     `yaml:"name"`
	Unit         Unit      `yaml:"unit"`
	Direction    Direction `yaml:"direction"`
	Event        Words     `yaml:"event"` // on whose day a case counts, in numerator and denominator alike
	Source       Source    `yaml:"source"`
	Numerator    Part      `yaml:"numerator"`
	Denominators []Part    `yaml:"denominators"` // to choose from; the first is the default. None: a count or a duration
}

// Source says where a definition comes from.
type Source struct {
	Text      string    `yaml:"text"`
	Certainty Certainty `yaml:"certainty"`
}

// Part is a numerator or a denominator: the sum of some counters less the sum of others. The cases behind a figure are
// those of its terms.
type Part struct {
	Code  string `yaml:"code"` // of a denominator, by which it is chosen
	Words Words  `yaml:"words"`
	Plus  []Term `yaml:"plus"`
	Minus []Term `yaml:"minus"`
	// Past counts only days that are over, and the numerator over it likewise: for what lies ahead on the day on which it is due.
	Past bool `yaml:"past"`
	// Within is the code of a wider denominator of the measure, of which this one counts a part.
	Within string `yaml:"within"`
}

// Term is a counter, or its cases with these values of dimensions.
type Term struct {
	Counter string              `yaml:"counter"`
	Where   map[string][]string `yaml:"where"`
}

// Denominator finds one by its code; "" is the first.
func (m Measure) Denominator(code string) (Part, bool) {
	i := slices.IndexFunc(m.Denominators, func(p Part) bool { return code == "" || p.Code == code })
	if i < 0 {
		return Part{}, false
	}
	return m.Denominators[i], true
}

// LoadMeasures reads the data file of a service: one key, measures, with a list of [Measure]. It refuses keys that it
// does not know, what is missing or twice, and counters and dimensions that the schema does not know or keep; the error
// names every fault as file:line, file being the name given.
func (s *Schema) LoadMeasures(file string, text []byte) ([]Measure, error) {
	var root struct {
		Measures []Measure `yaml:"measures"`
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&root); err != nil {
		return nil, located(file, err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s:1: the file holds more than one document", file)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, located(file, err)
	}
	c := checker{schema: s, file: file}
	for i, m := range root.Measures {
		at := find(find(document.Content[0], "measures"), i)
		if slices.ContainsFunc(root.Measures[:i], func(o Measure) bool { return o.Code == m.Code }) {
			c.fault(find(at, "code"), "the code %q is there twice", m.Code)
		}
		c.measure(at, m)
	}
	return root.Measures, errors.Join(c.faults...)
}

// located puts the file's name before the "line N:" of the parser.
func located(file string, err error) error {
	var several *yaml.TypeError
	lines := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	if errors.As(err, &several) {
		lines = several.Errors
	}
	var all []error
	for _, l := range lines {
		if rest, ok := strings.CutPrefix(l, "line "); ok {
			l = rest
		} else {
			l = "1: " + l
		}
		all = append(all, fmt.Errorf("%s:%s", file, l))
	}
	return errors.Join(all...)
}

// find goes into a mapping by key or into a list by place. What is not there answers the node itself, so that its line
// is still near.
func find(at *yaml.Node, step any) *yaml.Node {
	switch step := step.(type) {
	case string:
		for i := 0; i+1 < len(at.Content); i += 2 {
			if at.Kind == yaml.MappingNode && at.Content[i].Value == step {
				return at.Content[i+1]
			}
		}
	case int:
		if at.Kind == yaml.SequenceNode && step < len(at.Content) {
			return at.Content[step]
		}
	}
	return at
}

// checker collects faults with their lines.
type checker struct {
	schema *Schema
	file   string
	faults []error
}

func (c *checker) fault(at *yaml.Node, format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf("%s:%d: %s", c.file, at.Line, fmt.Sprintf(format, args...)))
}

func (c *checker) measure(at *yaml.Node, m Measure) {
	if m.Code == "" {
		c.fault(at, "a measure has no code")
	}
	c.words(find(at, "name"), "name", m.Name)
	c.words(find(at, "event"), "event", m.Event)
	if !slices.Contains([]Direction{HigherBetter, LowerBetter, Neutral}, m.Direction) {
		c.fault(find(at, "direction"), "unknown direction %q", m.Direction)
	}
	if m.Source.Text == "" {
		c.fault(find(at, "source"), "the source has no text")
	}
	if !slices.Contains([]Certainty{Found, Mirror, Known, Suggested}, m.Source.Certainty) {
		c.fault(find(find(at, "source"), "certainty"), "unknown certainty %q", m.Source.Certainty)
	}
	switch m.Unit {
	case Percent, Permille, Ratio, Mean:
		if len(m.Denominators) == 0 {
			c.fault(find(at, "unit"), "the unit %s needs a denominator", m.Unit)
		}
	case Count, Duration:
		if len(m.Denominators) > 0 {
			c.fault(find(at, "denominators"), "the unit %s has no denominator", m.Unit)
		}
	default:
		c.fault(find(at, "unit"), "unknown unit %q", m.Unit)
	}
	c.part(find(at, "numerator"), m.Numerator, m.Unit)
	for i, p := range m.Denominators {
		below := find(find(at, "denominators"), i)
		if p.Code == "" || slices.ContainsFunc(m.Denominators[:i], func(o Part) bool { return o.Code == p.Code }) {
			c.fault(below, "the denominator's code %q is empty or there twice", p.Code)
		}
		if _, known := m.Denominator(p.Within); p.Within == p.Code || !known {
			c.fault(find(below, "within"), "%q is no other denominator", p.Within)
		}
		c.part(below, p, m.Unit)
	}
}

func (c *checker) words(at *yaml.Node, what string, w Words) {
	if w.Zh == "" || w.En == "" {
		c.fault(at, "%s needs words in zh and en", what)
	}
}

func (c *checker) part(at *yaml.Node, p Part, unit Unit) {
	c.words(find(at, "words"), "words", p.Words)
	if len(p.Plus) == 0 {
		c.fault(at, "nothing is counted: plus is empty")
	}
	if unit == Duration && len(p.Minus) > 0 {
		c.fault(find(at, "minus"), "a duration takes nothing away")
	}
	for i, t := range p.Plus {
		c.term(find(find(at, "plus"), i), t, unit)
	}
	for i, t := range p.Minus {
		c.term(find(find(at, "minus"), i), t, unit)
	}
}

func (c *checker) term(at *yaml.Node, t Term, unit Unit) {
	timed, known := c.schema.timed[t.Counter]
	if !known {
		c.fault(find(at, "counter"), "unknown counter %q", t.Counter)
	} else if unit == Duration && !timed {
		c.fault(find(at, "counter"), "the counter %q is not timed", t.Counter)
	}
	var places []int
	where := find(at, "where")
	for _, d := range slices.Sorted(maps.Keys(t.Where)) {
		i := slices.Index(c.schema.dimensions, d)
		if i < 0 {
			c.fault(find(where, d), "unknown dimension %q", d)
			continue
		}
		if len(t.Where[d]) == 0 {
			c.fault(find(where, d), "no value of %q would count", d)
		}
		places = append(places, i)
	}
	if _, kept := c.schema.first(Month, places, []string{t.Counter}); !kept {
		c.fault(where, "no cube keeps these dimensions together")
	}
}
