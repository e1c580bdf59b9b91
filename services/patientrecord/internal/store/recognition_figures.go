package store

import (
	"context"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/figures"
)

// RecognitionFigures implements app.RecognitionStore.
func (s *Store) RecognitionFigures(ctx context.Context, asked []app.FigureRead) (out [][]stats.Figure, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		out = make([][]stats.Figure, len(asked))
		for i, a := range asked {
			if out[i], err = figures.Schema().Figures(ctx, tx, a.Measure, "", a.Query); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// ordersAtOnce bounds the orders that are in memory while cases are looked for or figures recomputed.
const ordersAtOnce = 200

// RecognitionCases implements app.RecognitionStore. The cursor's id names order and line.
func (s *Store) RecognitionCases(ctx context.Context, q app.CaseScan) (page []app.RecognitionCase, next *app.Cursor, err error) {
	counts := countedBy(q)
	err = s.view(ctx, q.Query.County, func(c scope) error {
		page, next = nil, nil
		order, line := placeOf(q.After)
		for {
			// The order of the cursor itself is read again: lines of it may be left.
			orders, err := c.orders(ctx, "o.day >= $2 AND o.day < $3 AND o.id >= $4 ORDER BY o.id LIMIT $5",
				string(q.Query.From), string(q.Query.To), order, ordersAtOnce)
			if err != nil {
				return err
			}
			for _, o := range orders {
				for i, l := range o.Lines {
					if o.ID == order && i <= line || !counts(figures.LineCells(c.county, o, l)) {
						continue
					}
					if len(page) == q.Limit {
						last := page[len(page)-1]
						next = &app.Cursor{Time: last.Order.Time, ID: last.Order.ID + "/" + strconv.Itoa(last.Number)}
						return nil
					}
					page = append(page, app.RecognitionCase{Order: o, Number: i, Line: l})
				}
			}
			if len(orders) < ordersAtOnce {
				return nil
			}
			end := orders[len(orders)-1]
			order, line = end.ID, len(end.Lines)
		}
	})
	for i := range page {
		page[i].Order.PatientID, page[i].Order.Lines = "", nil
	}
	return page, next, err
}

// placeOf is the last order and line that a page had; a cursor that is none begins anew.
func placeOf(c app.Cursor) (order string, line int) {
	order, text, _ := strings.Cut(c.ID, "/")
	line, err := strconv.Atoi(text)
	if err != nil {
		return "", -1
	}
	return order, line
}

// countedBy tells whether cells contribute to the part of the scan.
func countedBy(q app.CaseScan) func([]stats.Cell) bool {
	return func(cells []stats.Cell) bool {
		return slices.ContainsFunc(q.Part.Plus, func(t stats.Term) bool { return slices.ContainsFunc(cells, q.Query.Of(t).Has) })
	}
}

// CheckRecognition implements app.RecognitionStore.
func (s *Store) CheckRecognition(ctx context.Context, county string) (out app.RecognitionCheck, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		out = app.RecognitionCheck{}
		out.Differences, err = figures.Schema().Compare(ctx, tx, county, s.recomputed(&out))
		return err
	})
	return out, err
}

// RebuildRecognition implements app.RecognitionStore.
func (s *Store) RebuildRecognition(ctx context.Context, county string) (out app.RecognitionCheck, err error) {
	out.Differences, err = figures.Schema().Rebuild(ctx, s.db, county, s.recomputed(&out))
	return out, err
}

// recomputed tells what all orders of a county contribute, some at a time.
func (s *Store) recomputed(seen *app.RecognitionCheck) stats.History {
	return func(ctx context.Context, tx *sqldb.Tx, county string) iter.Seq2[stats.Cell, error] {
		c := scope{tx: tx, ring: s.ring, county: county}
		return func(yield func(stats.Cell, error) bool) {
			for after := ""; ; {
				orders, err := c.orders(ctx, "o.id > $2 ORDER BY o.id LIMIT $3", after, ordersAtOnce)
				if err != nil {
					yield(stats.Cell{}, err)
					return
				}
				for _, o := range orders {
					seen.Orders++
					for _, cell := range figures.Cells(county, o) {
						seen.Cells++
						if !yield(cell, nil) {
							return
						}
					}
					after = o.ID
				}
				if len(orders) < ordersAtOnce {
					return
				}
			}
		}
	}
}
