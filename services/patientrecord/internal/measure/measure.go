// Package measure holds the measures that ship with the product as data: codes, units, what is plausible, what is usual with its source, and
// which are drawn together. It decides nothing: the domain does, with what is read here.
package measure

import (
	_ "embed"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

//go:embed measures.yaml
var shipped []byte

// loinc is the code system of FHIR for LOINC.
const loinc = "http://loinc.org|"

type file struct {
	Measures []row      `yaml:"measures"`
	Charts   []chartRow `yaml:"charts"`
}

type row struct {
	Name    string                `yaml:"name"`
	Label   string                `yaml:"label"`
	LabelEn string                `yaml:"label_en"`
	Unit    string                `yaml:"unit"`
	Units   map[string]conversion `yaml:"units"`
	Min     float64               `yaml:"min"`
	Max     float64               `yaml:"max"`
	LOINC   []string              `yaml:"loinc"`
	Ranges  []rangeRow            `yaml:"ranges"`
}

type conversion struct {
	Factor float64 `yaml:"factor"`
	Offset float64 `yaml:"offset"`
}

type rangeRow struct {
	Sex       string   `yaml:"sex"`
	FromAge   int      `yaml:"from_age"`
	ToAge     int      `yaml:"to_age"`
	Low       *float64 `yaml:"low"`
	High      *float64 `yaml:"high"`
	Source    string   `yaml:"source"`
	Certainty string   `yaml:"certainty"`
}

type chartRow struct {
	Name     string   `yaml:"name"`
	Label    string   `yaml:"label"`
	LabelEn  string   `yaml:"label_en"`
	Measures []string `yaml:"measures"`
	Low      float64  `yaml:"low"`
	High     float64  `yaml:"high"`
}

// Shipped are the measures of this build.
func Shipped() (domain.Measures, error) { return Parse(shipped) }

// Parse reads and checks measures: each code belongs to one, every range says where it comes from, and what is drawn together has one unit.
func Parse(text []byte) (domain.Measures, error) {
	var f file
	if err := yaml.Unmarshal(text, &f); err != nil {
		return domain.Measures{}, fmt.Errorf("parse measures: %w", err)
	}
	var list []domain.Measure
	codes := map[string]string{}
	for _, r := range f.Measures {
		m, err := r.domain()
		if err != nil {
			return domain.Measures{}, err
		}
		for _, code := range m.Codes {
			if other, taken := codes[code]; taken {
				return domain.Measures{}, fmt.Errorf("measure %s: the code %s is already that of %s", r.Name, code, other)
			}
			codes[code] = r.Name
		}
		list = append(list, m)
	}
	var charts []domain.Chart
	for _, c := range f.Charts {
		out := domain.Chart{Name: c.Name, Label: c.Label, LabelEn: c.LabelEn, Measures: c.Measures, Low: c.Low, High: c.High}
		for _, name := range c.Measures {
			i := slices.IndexFunc(list, func(m domain.Measure) bool { return m.Name == name })
			if i < 0 || out.Unit != "" && out.Unit != list[i].Unit {
				return domain.Measures{}, fmt.Errorf("chart %s: %s is no measure, or has another unit", c.Name, name)
			}
			out.Unit = list[i].Unit
		}
		charts = append(charts, out)
	}
	return domain.NewMeasures(list, charts), nil
}

func (r row) domain() (domain.Measure, error) {
	m := domain.Measure{
		Name: r.Name, Label: r.Label, LabelEn: r.LabelEn, Unit: r.Unit, Min: r.Min, Max: r.Max, Units: map[string]domain.Conversion{},
	}
	if r.Name == "" || r.Label == "" || r.LabelEn == "" || r.Unit == "" || r.Min >= r.Max || len(r.LOINC) == 0 {
		return m, fmt.Errorf("measure %q: name, labels, unit, codes or bounds are missing", r.Name)
	}
	for _, code := range r.LOINC {
		m.Codes = append(m.Codes, loinc+code)
	}
	for unit, c := range r.Units {
		if c.Factor <= 0 {
			return m, fmt.Errorf("measure %s: the unit %s has no factor", r.Name, unit)
		}
		m.Units[unit] = domain.Conversion(c)
	}
	sexes := map[string]domain.Sex{"": domain.SexUnset, "MALE": domain.Male, "FEMALE": domain.Female}
	for _, one := range r.Ranges {
		sex, known := sexes[one.Sex]
		if !known || one.Source == "" || one.Certainty == "" || one.Low == nil && one.High == nil {
			return m, fmt.Errorf("measure %s: a range has no source, no certainty or no end", r.Name)
		}
		m.Ranges = append(m.Ranges, domain.Range{
			Sex: sex, FromAge: one.FromAge, ToAge: one.ToAge, Low: one.Low, High: one.High, Source: one.Source, Certainty: one.Certainty,
		})
	}
	return m, nil
}
