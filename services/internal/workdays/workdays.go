// Package workdays holds the public holidays as data.
//
// Owns: the days of china.yaml, each year with its source and how certain it is. Refuses: to compute a limit or a schedule; those are of the
// services that ask.
package workdays

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

// Days are the local days, "2006-01-02", that are not as their weekday: worked, or free. Monday to Friday are worked else.
type Days map[string]bool

// Free tells whether the day, "2006-01-02", is a public holiday. A weekend that no notice names is none.
func (d Days) Free(day string) bool {
	worked, named := d[day]
	return named && !worked
}

// Through is the last year of which anything is known; 0 for none.
func (d Days) Through() (year int) {
	for day := range d {
		if at, err := time.Parse(time.DateOnly, day); err == nil {
			year = max(year, at.Year())
		}
	}
	return year
}

//go:embed china.yaml
var china []byte

type file struct{ Years []year }

type year struct {
	Year      int
	Source    string
	URL       string
	Certainty string
	Breaks    []pause
}

type pause struct {
	Name     string
	From, To string
	Worked   []string
}

// certainties are how a source may have been read, as everywhere in the data that is shipped.
func certainties() []string {
	return []string{"FOUND", "FOUND_MIRROR", "OWN_HIGH", "OWN_MEDIUM", "SUGGESTED"}
}

// China is the shipped calendar of mainland China.
func China() (Days, error) { return Read(china) }

// Read makes the days of a calendar in the form of china.yaml. It refuses unknown keys, a year without source and certainty, what is no
// date or not of its year, a worked day that is a weekday anyway, and a day that is said twice.
func Read(content []byte) (Days, error) {
	d := yaml.NewDecoder(bytes.NewReader(content))
	d.KnownFields(true)
	var f file
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("read the calendar: %w", err)
	}
	days := Days{}
	for _, y := range f.Years {
		if err := y.into(days); err != nil {
			return nil, fmt.Errorf("calendar of %d: %w", y.Year, err)
		}
	}
	return days, nil
}

func (y year) into(days Days) error {
	if y.Source == "" || !slices.Contains(certainties(), y.Certainty) {
		return fmt.Errorf("the source or its certainty is missing")
	}
	for _, p := range y.Breaks {
		from, err := y.date(p.From)
		if err != nil {
			return err
		}
		to, err := y.date(p.To)
		if err != nil {
			return err
		}
		if to.Before(from) {
			return fmt.Errorf("%s ends before it begins", p.Name)
		}
		for t := from; !t.After(to); t = t.AddDate(0, 0, 1) {
			if err := put(days, t, false); err != nil {
				return err
			}
		}
		for _, w := range p.Worked {
			t, err := y.date(w)
			if err != nil {
				return err
			}
			if t.Weekday() != time.Saturday && t.Weekday() != time.Sunday {
				return fmt.Errorf("%s is worked anyway", w)
			}
			if err := put(days, t, true); err != nil {
				return err
			}
		}
	}
	return nil
}

func (y year) date(text string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil || t.Year() != y.Year {
		return time.Time{}, fmt.Errorf("%q is no day of the year", text)
	}
	return t, nil
}

func put(days Days, t time.Time, worked bool) error {
	day := t.Format(time.DateOnly)
	if _, twice := days[day]; twice {
		return fmt.Errorf("%s is said twice", day)
	}
	days[day] = worked
	return nil
}
