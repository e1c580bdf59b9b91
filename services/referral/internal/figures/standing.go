package figures

import (
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Stand is how a case stands in one measure.
type Stand struct {
	Measure string
	Ground
}

// everPast and everAhead hold every day that a case can count on.
const everPast, everAhead = stats.Date("1900-01-01"), stats.Date("9999-12-31")

// Standings are how a referral stands in every share whose first denominator counts it, or leaves it out, whenever that is; the steps of a way, which
// its course tells, are left out. today ends what counts only days that are over.
func (b *Book) Standings(s domain.Snapshot, zone *time.Location, today stats.Date) []Stand {
	cells := Cells(s, zone)
	fact := func(counter string) Fact { return FactOf(counter, s) }
	var out []Stand
	for _, m := range b.Measures {
		if !Share(m) || strings.HasPrefix(m.Code, "STAGE-") {
			continue
		}
		below := m.Denominators[0]
		q := stats.Query{County: s.County, From: everPast, To: everAhead}
		if below.Past {
			q.To = today
		}
		if !NamesOrigin(m) {
			q.Where = map[string][]string{Origin: {Regular}}
		}
		above := often(cells, q, m.Numerator)
		switch left, leaves := ExcludedOf(m, below); {
		case often(cells, q, below) > 0:
			out = append(out, Stand{m.Code, Judged(m, below, above, false, fact)})
		case leaves && often(cells, q, left) > 0:
			out = append(out, Stand{m.Code, Judged(m, below, above, true, fact)})
		}
	}
	return out
}

// often is how often cells count in a part.
func often(cells []stats.Cell, within stats.Query, part stats.Part) (n int64) {
	for i, t := range slices.Concat(part.Plus, part.Minus) {
		term := within.Of(t)
		for _, c := range cells {
			switch {
			case !term.Has(c):
			case i < len(part.Plus):
				n += c.N
			default:
				n -= c.N
			}
		}
	}
	return n
}
