package stats

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// Query asks for counters of one county, from the day From to the day before To.
type Query struct {
	County   string
	Counters []string
	From, To Date
	Grain    Grain
	GroupBy  []string            // dimensions
	Where    map[string][]string // dimension → the values that count; none of them matches nothing
}

// Row is what one counter came to in one period and group. Rows that come to nothing are left out.
type Row struct {
	Period  Date     // its first day: of Month the first of the month, of Whole the From of the query
	Key     []string // the values of GroupBy, in its order
	Counter string
	N       int64   // cases
	Buckets []int64 // of a timed counter: the cases by bucket, one more than Bounds has; else nil
}

// Read answers a query from the first declared cube that has its dimensions and whose periods make up its own, and from
// what is not folded yet, in one statement: the answer is exact at the moment of the statement, whatever kind of
// transaction it is made in. Several reads that must agree belong in one View.
//
// Rows are sorted by period, key and counter. Months serve only a query that begins and ends on the first of a month
// and does not ask for days. Invalid names the first field that no cube serves, FIELD_COMBINATION, or that the schema
// does not know, FIELD_UNKNOWN.
func (s *Schema) Read(ctx context.Context, tx *sqldb.Tx, q Query) ([]Row, error) {
	if err := s.check(q); err != nil {
		return nil, err
	}
	c, err := s.choose(q)
	if err != nil {
		return nil, err
	}
	text, args := s.sql(tx, q, c)
	found, err := tx.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read statistics: %w", err)
	}
	defer found.Close()
	var rows []Row
	for found.Next() {
		r := Row{Key: make([]string, len(q.GroupBy))}
		var period, bucket int
		dest := []any{&r.Counter, &period, &bucket, &r.N}
		for i := range r.Key {
			dest = append(dest, &r.Key[i])
		}
		if err := found.Scan(dest...); err != nil {
			return nil, fmt.Errorf("read statistics: %w", err)
		}
		r.Period = date(period)
		if s.timed[r.Counter] {
			rows = appendBucket(rows, r, bucket)
		} else {
			rows = append(rows, r)
		}
	}
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("read statistics: %w", err)
	}
	return rows, nil
}

// appendBucket adds a bucket to the last row, if it is of the same cell; else it begins one.
func appendBucket(rows []Row, r Row, bucket int) []Row {
	if len(rows) == 0 || rows[len(rows)-1].compare(r) != 0 {
		rows = append(rows, Row{Period: r.Period, Key: r.Key, Counter: r.Counter, Buckets: make([]int64, len(bounds)+1)})
	}
	last := &rows[len(rows)-1]
	last.N += r.N
	last.Buckets[bucket] += r.N
	return rows
}

// compare is the order of the query.
func (r Row) compare(other Row) int {
	return cmp.Or(cmp.Compare(r.Period, other.Period), slices.Compare(r.Key, other.Key), cmp.Compare(r.Counter, other.Counter))
}

// sql is the query over totals and deltas. Both halves name the same columns; the halves are one statement because two
// would see a delta before it was folded and its total after.
func (s *Schema) sql(tx *sqldb.Tx, q Query, c cube) (text string, args []any) {
	args = []any{q.County, c.key, q.From.number(), q.To.number()}
	counters, arg := tx.List("counter", 5, q.Counters)
	args = append(args, arg)
	filter := counters
	for _, d := range slices.Sorted(maps.Keys(q.Where)) {
		frag, arg := tx.List(column(slices.Index(s.dimensions, d)), len(args)+1, q.Where[d])
		args = append(args, arg)
		filter += " AND " + frag
	}
	var keys strings.Builder
	for _, d := range q.GroupBy {
		keys.WriteString(", " + column(slices.Index(s.dimensions, d)))
	}
	half := func(table, day, more string) string {
		period := day
		switch {
		case q.Grain == Whole:
			period = "CAST($3 AS integer)"
		case q.Grain == Month:
			period = day + " / 100 * 100 + 1"
		}
		return "SELECT counter, " + period + " AS period, bucket, n" + keys.String() + " FROM " + table +
			" WHERE county_code = $1" + more + " AND " + day + " >= $3 AND " + day + " < $4 AND " + filter
	}
	return "SELECT counter, period, bucket, CAST(sum(n) AS bigint)" + keys.String() + " FROM (" +
		half("statistics_total", "period", " AND cube = $2") + " UNION ALL " + half("statistics_delta", "day", "") +
		") AS both_halves GROUP BY period" + keys.String() + ", counter, bucket HAVING sum(n) <> 0 ORDER BY period" + keys.String() +
		", counter, bucket", args
}

func (s *Schema) check(q Query) error {
	var bad []errs.Field
	for i, c := range q.Counters {
		if _, known := s.timed[c]; !known {
			bad = append(bad, errs.Bad(fmt.Sprintf("counters[%d]", i), errs.ReasonFieldUnknown))
		}
	}
	if !q.From.Valid() {
		bad = append(bad, errs.Bad("from", errs.ReasonFieldInvalid))
	}
	if !q.To.Valid() {
		bad = append(bad, errs.Bad("to", errs.ReasonFieldInvalid))
	} else if q.To < q.From {
		bad = append(bad, errs.Bad("to", errs.ReasonFieldOutOfRange))
	}
	if q.Grain != Whole && q.Grain != Month && q.Grain != Day {
		bad = append(bad, errs.Bad("grain", errs.ReasonFieldUnknown))
	}
	for i, d := range q.GroupBy {
		if !slices.Contains(s.dimensions, d) {
			bad = append(bad, errs.Bad(fmt.Sprintf("groupBy[%d]", i), errs.ReasonFieldUnknown))
		} else if slices.Contains(q.GroupBy[:i], d) {
			bad = append(bad, errs.Bad(fmt.Sprintf("groupBy[%d]", i), errs.ReasonFieldInvalid))
		}
	}
	for _, d := range slices.Sorted(maps.Keys(q.Where)) {
		if !slices.Contains(s.dimensions, d) {
			bad = append(bad, errs.Bad("where."+d, errs.ReasonFieldUnknown))
		}
	}
	if len(bad) > 0 {
		return errs.Invalid(bad...)
	}
	return nil
}

// choose finds the cube that serves a query that was checked.
func (s *Schema) choose(q Query) (cube, error) {
	grain := Day
	if q.Grain != Day && q.From == q.From.Month() && q.To == q.To.Month() {
		grain = Month
	}
	fields := make([]string, 0, len(q.GroupBy)+len(q.Where))
	var places []int
	for i, d := range q.GroupBy {
		fields, places = append(fields, fmt.Sprintf("groupBy[%d]", i)), append(places, slices.Index(s.dimensions, d))
	}
	for _, d := range slices.Sorted(maps.Keys(q.Where)) {
		fields, places = append(fields, "where."+d), append(places, slices.Index(s.dimensions, d))
	}
	if c, ok := s.first(grain, places, q.Counters); ok {
		return c, nil
	}
	for i := range places {
		if _, ok := s.first(Month, places[:i+1], q.Counters); !ok {
			return cube{}, errs.Invalid(errs.Bad(fields[i], errs.ReasonFieldCombination))
		}
	}
	field := "to"
	switch {
	case q.Grain == Day:
		field = "grain"
	case q.From != q.From.Month():
		field = "from"
	}
	return cube{}, errs.Invalid(errs.Bad(field, errs.ReasonFieldCombination))
}

func (s *Schema) first(grain Grain, places []int, counters []string) (cube, bool) {
	for _, c := range s.cubes {
		if c.serves(grain) && c.has(places) && c.keepsAll(counters) {
			return c, true
		}
	}
	return cube{}, false
}
