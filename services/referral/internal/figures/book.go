package figures

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/tongzhen/tongzhen/services/internal/stats"
)

//go:embed measures.yaml
var measuresFile []byte

//go:embed absent.yaml
var absentFile []byte

// Absent is an indicator that is asked for and cannot be derived here.
type Absent struct {
	Code   string       `yaml:"code"`
	Name   stats.Words  `yaml:"name"`
	Why    stats.Words  `yaml:"why"`
	Source stats.Source `yaml:"source"`
}

// Book is the published definitions. It is not changed after Load.
type Book struct {
	Measures []stats.Measure
	Absent   []Absent
}

// Load reads the definitions that are shipped and refuses a part whose counters go by several events: its cases could not be listed by
// their day.
func Load() (*Book, error) {
	measures, err := Schema().LoadMeasures("figures/measures.yaml", measuresFile)
	if err != nil {
		return nil, err
	}
	for _, m := range measures {
		for _, p := range append(slices.Clone(m.Denominators), m.Numerator) {
			if err := oneEvent(p); err != nil {
				return nil, fmt.Errorf("figures/measures.yaml: %s: %w", m.Code, err)
			}
		}
	}
	var rest struct {
		Absent []Absent `yaml:"absent"`
	}
	d := yaml.NewDecoder(bytes.NewReader(absentFile))
	d.KnownFields(true)
	if err := d.Decode(&rest); err != nil {
		return nil, fmt.Errorf("figures/absent.yaml: %w", err)
	}
	return &Book{Measures: measures, Absent: rest.Absent}, nil
}

func oneEvent(p stats.Part) error {
	event := EventOfPart(p)
	for _, t := range append(slices.Clone(p.Plus), p.Minus...) {
		if EventOf(t.Counter) != event {
			return fmt.Errorf("%s does not count on the day of %s", t.Counter, event)
		}
	}
	return nil
}

// EventOfPart is the event that the counters of a part go by.
func EventOfPart(p stats.Part) Event { return EventOf(p.Plus[0].Counter) }

// Measure finds one by its code.
func (b *Book) Measure(code string) (stats.Measure, bool) {
	i := slices.IndexFunc(b.Measures, func(m stats.Measure) bool { return m.Code == code })
	if i < 0 {
		return stats.Measure{}, false
	}
	return b.Measures[i], true
}

// Codes are those of the measures, in the order of the file.
func (b *Book) Codes() []string {
	out := make([]string, len(b.Measures))
	for i, m := range b.Measures {
		out[i] = m.Code
	}
	return out
}

// NamesOrigin tells whether a measure says itself what it counts of what was recorded afterwards, so that it is not to be filtered by that.
func NamesOrigin(m stats.Measure) bool {
	return slices.ContainsFunc(slices.Concat(m.Numerator.Plus, m.Numerator.Minus), func(t stats.Term) bool {
		_, named := t.Where[Origin]
		return named
	})
}
