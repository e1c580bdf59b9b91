// Package figures says what patient-record counts: the decisions about results that could be recognised. It owns the schema of the
// counts, what an order contributes, and the published definitions.
package figures

import (
	_ "embed"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

//go:embed measures.yaml
var measuresFile []byte

// Dimensions. Their order is the tables': append only.
const (
	Organization = "organization" // that ordered
	Performer    = "performer"    // that had made the result
	Item         = "item"
	Reason       = "reason" // of repeats, RT1 to RT6
	Direction    = "direction"
	Setting      = "setting"
)

// Dimensions are their names.
func Dimensions() []string {
	return []string{Organization, Performer, Item, Reason, Direction, Setting}
}

// The counters.
const (
	decided    = "decided"
	recognised = "recognised"
	avoided    = "avoided"
	repeated   = "repeated"
)

// Schema is what is counted. A test makes it anew, so that it is known to be sound.
func Schema() *stats.Schema { return schema }

var schema, _ = NewSchema()

// NewSchema makes the schema; an error is a fault of the program.
func NewSchema() (*stats.Schema, error) {
	return stats.NewSchema(Dimensions(),
		[]stats.Counter{{Name: decided}, {Name: recognised}, {Name: avoided}, {Name: repeated}},
		[]stats.Cube{
			{Grain: stats.Month, Dimensions: []string{Organization, Item, Reason, Direction}},
			{Grain: stats.Day, Dimensions: Dimensions()},
		})
}

// Load reads the published definitions.
func Load() ([]stats.Measure, error) {
	return Schema().LoadMeasures("figures/measures.yaml", measuresFile)
}

// Measure finds a definition.
func Measure(all []stats.Measure, code string) (stats.Measure, bool) {
	i := slices.IndexFunc(all, func(m stats.Measure) bool { return m.Code == code })
	if i < 0 {
		return stats.Measure{}, false
	}
	return all[i], true
}

// Cells is what an order contributes, line by line: a plain order nothing.
func Cells(county string, o domain.Order) []stats.Cell {
	var out []stats.Cell
	for _, line := range o.Lines {
		out = append(out, LineCells(county, o, line)...)
	}
	return out
}

// LineCells is what one line contributes.
func LineCells(county string, o domain.Order, line domain.OrderLine) []stats.Cell {
	if line.Evidence == nil {
		return nil
	}
	counters := []string{decided}
	switch line.Decision {
	case domain.Recognised:
		counters = append(counters, recognised)
	case domain.Dropped:
		counters = append(counters, recognised, avoided)
	case domain.Repeated:
		counters = append(counters, repeated)
	case domain.Ordered:
		return nil
	}
	dimensions := map[string]string{
		Organization: o.Organization, Performer: line.Evidence.Performer, Item: line.ItemCode, Reason: line.Reason,
		Direction: string(line.Evidence.From), Setting: string(o.Setting),
	}
	out := make([]stats.Cell, len(counters))
	for i, c := range counters {
		out[i] = stats.Cell{County: county, Counter: c, Day: stats.Date(o.Day), Dimensions: dimensions, N: 1}
	}
	return out
}
