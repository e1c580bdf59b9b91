package stats

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

const (
	rebuildLease = "statistics-rebuild"
	rebuildTime  = 10 * time.Minute
	rebuildStmts = 100 // in one round trip
)

// Difference is one cell of one cube in which the figures and the history disagree.
type Difference struct {
	Cube    string // "MONTH by receiver_org, kind"
	Counter string
	Period  Date
	Key     []string // the values of the cube's dimensions, in the order of the schema
	Bucket  int
	Want    int64 // from the history
	Got     int64 // totals and what is not folded yet

	at place
}

// History tells every cell of one county as the service recomputes it from what happened. It reads in tx; an error ends
// it. It may tell a cell in parts.
type History func(ctx context.Context, tx *sqldb.Tx, county string) iter.Seq2[Cell, error]

// Compare holds every cube of a county against its history and answers where they differ, sorted by cube, counter,
// period, key and bucket. tx must be that of a View, so that history and figures are of one moment; people may go on
// working and folding meanwhile. It holds the cells of all cubes in memory, about half a kilobyte each.
func (s *Schema) Compare(ctx context.Context, tx *sqldb.Tx, county string, history History) ([]Difference, error) {
	all := pairs{}
	err := s.addHistory(history(ctx, tx, county), county, all)
	if err == nil {
		err = s.addTotals(ctx, tx, county, all)
	}
	if err == nil {
		err = s.addDeltas(ctx, tx, county, all)
	}
	if err != nil {
		return nil, fmt.Errorf("compare statistics with history: %w", err)
	}
	return s.differences(all), nil
}

// Rebuild makes every cube of a county what Compare would have it be, and answers what it mended. It adds the
// differences to the totals, in one transaction, so people may go on working and folding meanwhile. A second Rebuild
// that begins at the same time is refused with Conflict, or overtakes one that takes longer than ten minutes, which
// then writes nothing.
func (s *Schema) Rebuild(ctx context.Context, db *sqldb.DB, county string, history History) ([]Difference, error) {
	fence, ok, err := sqldb.AcquireLease(ctx, db, rebuildLease, id.New(), rebuildTime)
	if err != nil {
		return nil, fmt.Errorf("rebuild statistics of county %s: %w", county, err)
	}
	if !ok {
		return nil, errs.Conflict(errs.ReasonActionNotAvailable, "statistics are being rebuilt already: try again in some minutes")
	}
	var mended []Difference
	err = db.View(ctx, func(tx *sqldb.Tx) error {
		mended, err = s.Compare(ctx, tx, county, history)
		return err
	})
	if err == nil {
		err = s.mend(ctx, db, sqldb.FenceStmt(rebuildLease, fence), mended)
	}
	release := sqldb.ReleaseLease(context.WithoutCancel(ctx), db, rebuildLease, fence)
	if err := errors.Join(err, release); err != nil {
		return nil, fmt.Errorf("rebuild statistics of county %s: %w", county, err)
	}
	return mended, nil
}

// mend adds what is missing. It does not matter what was written or folded since the comparison: both change neither
// the history's share in a cell nor the difference.
func (s *Schema) mend(ctx context.Context, db *sqldb.DB, fence sqldb.Stmt, mended []Difference) error {
	missing := make(sums, len(mended))
	for _, d := range mended {
		missing[d.at] = d.Want - d.Got
	}
	stmts := append([]sqldb.Stmt{fence}, s.totalStmts(missing)...)
	err := db.Update(ctx, func(tx *sqldb.Tx) error {
		for some := range slices.Chunk(stmts, rebuildStmts) {
			if err := tx.Batch(ctx, some...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write the differences: %w", err)
	}
	return nil
}

// pair is what the history and the figures say of one place.
type pair struct{ want, got int64 }

type pairs map[place]pair

func (all pairs) add(at place, more pair) {
	n := all[at]
	all[at] = pair{want: n.want + more.want, got: n.got + more.got}
}

func (s *Schema) addHistory(cells iter.Seq2[Cell, error], county string, all pairs) error {
	for cell, err := range cells {
		if err != nil {
			return err
		}
		p, err := s.place(cell)
		if err != nil {
			return err
		}
		if p.county != county {
			return fmt.Errorf("the history told a cell of county %s", p.county)
		}
		for _, c := range s.cubes {
			if c.keeps(p.counter) {
				all.add(p.in(c), pair{want: cell.N})
			}
		}
	}
	return nil
}

func (s *Schema) addTotals(ctx context.Context, tx *sqldb.Tx, county string, all pairs) error {
	keys := make([]string, len(s.cubes))
	for i, c := range s.cubes {
		keys[i] = c.key
	}
	ours, arg := tx.List("cube", 2, keys)
	rows, err := tx.Query(ctx, "SELECT "+placeColumns("cube", "period")+" FROM statistics_total WHERE county_code = $1 AND "+ours, county, arg)
	if err != nil {
		return err
	}
	_, err = scan(rows, func(at place, number int64) { all.add(at, pair{got: number}) })
	return err
}

func (s *Schema) addDeltas(ctx context.Context, tx *sqldb.Tx, county string, all pairs) error {
	rows, err := tx.Query(ctx, "SELECT "+placeColumns("''", "day")+" FROM statistics_delta WHERE county_code = $1", county)
	if err != nil {
		return err
	}
	_, err = scan(rows, func(p place, number int64) {
		for _, c := range s.cubes {
			if c.keeps(p.counter) {
				all.add(p.in(c), pair{got: number})
			}
		}
	})
	return err
}

// differences are the places on which the two sides do not agree, in order.
func (s *Schema) differences(all pairs) []Difference {
	missing := make(sums, len(all))
	for at, n := range all {
		missing[at] = n.want - n.got
	}
	var out []Difference
	for _, at := range missing.sorted() {
		c := s.cubes[slices.IndexFunc(s.cubes, func(c cube) bool { return c.key == at.cube })]
		d := Difference{
			Cube: string(c.grain), Counter: at.counter, Period: date(at.day), Bucket: at.bucket,
			Want: all[at].want, Got: all[at].got, at: at,
		}
		var by []string
		for _, i := range c.places {
			by, d.Key = append(by, s.dimensions[i]), append(d.Key, at.key[i])
		}
		if len(by) > 0 {
			d.Cube += " by " + strings.Join(by, ", ")
		}
		out = append(out, d)
	}
	return out
}
