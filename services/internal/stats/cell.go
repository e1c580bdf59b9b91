package stats

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// Cell is what cases contribute to one counter at one place: usually one case and N = 1. A negative N takes away.
type Cell struct {
	County  string
	Counter string
	Day     Date // the local day of the event that the counter's definition names
	// Dimensions by name: ids and codes of at most 100 bytes, never what a patient can be known by. One that is missing
	// is "", a value like any other.
	Dimensions map[string]string
	Bucket     int // of a timed counter: Bucket of the duration; else 0
	N          int64
}

// maxValue keeps a row of totals small enough for an index of PostgreSQL.
const maxValue = 100

// Diff corrects what a case contributed: before is taken away, after is added. What is in both cancels out when it is
// written.
func Diff(before, after []Cell) []Cell {
	out := make([]Cell, 0, len(before)+len(after))
	for _, c := range before {
		c.N = -c.N
		out = append(out, c)
	}
	return append(out, after...)
}

// place is a Cell without its number, the dimensions by their place. The day is a number; of a
// total it is the first of the period.
type place struct {
	county, cube, counter string
	day                   int
	key                   [maxDimensions]string
	bucket                int
}

// compare is the order of the key of statistics_total.
func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(p.county, q.county), cmp.Compare(p.cube, q.cube), cmp.Compare(p.counter, q.counter),
		cmp.Compare(p.day, q.day), slices.Compare(p.key[:], q.key[:]), cmp.Compare(p.bucket, q.bucket))
}

// in is where the cell at p is counted in a cube.
func (p place) in(c cube) place {
	out := place{county: p.county, cube: c.key, counter: p.counter, day: p.day, bucket: p.bucket}
	if c.grain == Month {
		out.day = monthOf(p.day)
	}
	for _, i := range c.places {
		out.key[i] = p.key[i]
	}
	return out
}

// place refuses a cell that the schema does not know, for it would be counted and never read.
func (s *Schema) place(c Cell) (place, error) {
	timed, known := s.timed[c.Counter]
	day := c.Day.number()
	switch {
	case !known:
		return place{}, fmt.Errorf("statistics: unknown counter %q", c.Counter)
	case c.Bucket < 0 || c.Bucket > len(bounds) || !timed && c.Bucket != 0:
		return place{}, fmt.Errorf("statistics: counter %q has no bucket %d", c.Counter, c.Bucket)
	case day == 0:
		return place{}, fmt.Errorf("statistics: a cell of %q has no valid day", c.Counter)
	}
	p := place{county: c.County, counter: c.Counter, day: day, bucket: c.Bucket}
	for d, value := range c.Dimensions {
		i := slices.Index(s.dimensions, d)
		if i < 0 {
			return place{}, fmt.Errorf("statistics: unknown dimension %q", d)
		}
		if len(value) > maxValue {
			return place{}, fmt.Errorf("statistics: a value of dimension %q is no code: it has more than %d bytes", d, maxValue)
		}
		p.key[i] = value
	}
	return p, nil
}

// sums adds up numbers by place.
type sums map[place]int64

// sorted are the places whose number is not nought, in the order of the key.
func (s sums) sorted() []place {
	out := make([]place, 0, len(s))
	for p, n := range s {
		if n != 0 {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, place.compare)
	return out
}

// Stmts writes the cells as deltas, for the batch of the change that causes them: inserts only, usually one statement.
// Equal cells are merged and those that come to nothing are left out. The error is that the schema does not know a
// cell, which is a fault of the program.
func (s *Schema) Stmts(cells ...Cell) ([]sqldb.Stmt, error) {
	merged := make(sums, len(cells))
	for _, c := range cells {
		p, err := s.place(c)
		if err != nil {
			return nil, err
		}
		merged[p] += c.N
	}
	t := table{name: "statistics_delta", columns: append([]string{"county_code", "batch_id", "line", "counter", "day", "bucket", "n"}, s.columns()...)}
	batch := id.New()
	for line, p := range merged.sorted() {
		t.add(append([]any{p.county, batch, line, p.counter, p.day, p.bucket, merged[p]}, s.values(p)...))
	}
	return t.stmts(), nil
}

// totalStmts adds to the totals, row by row in the order of the key, so that nobody who does so waits in a circle.
func (s *Schema) totalStmts(totals sums) []sqldb.Stmt {
	key := append(append([]string{"county_code", "cube", "counter", "period"}, s.columns()...), "bucket")
	t := table{name: "statistics_total", columns: append(key, "n")}
	t.suffix = " ON CONFLICT (" + totalKey() + ") DO UPDATE SET n = statistics_total.n + excluded.n"
	for _, p := range totals.sorted() {
		row := append([]any{p.county, p.cube, p.counter, p.day}, s.values(p)...)
		t.add(append(row, p.bucket, totals[p]))
	}
	return t.stmts()
}

// totalKey is the whole key, also of dimensions that the schema does not use.
func totalKey() string {
	key := []string{"county_code", "cube", "counter", "period"}
	for i := range maxDimensions {
		key = append(key, column(i))
	}
	return strings.Join(append(key, "bucket"), ", ")
}

func (s *Schema) values(p place) []any {
	out := make([]any, len(s.dimensions))
	for i := range out {
		out[i] = p.key[i]
	}
	return out
}

// maxRows bounds one INSERT: few enough that PostgreSQL keeps a plan for every number of rows.
const maxRows = 40

// table collects rows for INSERTs of many rows each.
type table struct {
	name    string
	columns []string
	suffix  string
	args    []any
}

func (t *table) add(row []any) { t.args = append(t.args, row...) }

func (t *table) stmts() []sqldb.Stmt {
	var out []sqldb.Stmt
	for args := range slices.Chunk(t.args, maxRows*len(t.columns)) {
		var text strings.Builder
		fmt.Fprintf(&text, "INSERT INTO %s (%s) VALUES ", t.name, strings.Join(t.columns, ", "))
		for i := range args {
			switch {
			case i == 0:
				text.WriteString("($")
			case i%len(t.columns) == 0:
				text.WriteString("), ($")
			default:
				text.WriteString(", $")
			}
			text.WriteString(strconv.Itoa(i + 1))
		}
		text.WriteString(")" + t.suffix)
		out = append(out, sqldb.Stmt{SQL: text.String(), Args: args, Want: -1})
	}
	return out
}
