package store

import (
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

// figures writes what the change means for the county's figures: the cells of what was read taken away, those of what is saved added. The
// deltas of all that one transaction saves are one statement.
func (u *unit) figures() {
	var cells []stats.Cell
	for _, r := range u.saved {
		cells = append(cells, stats.Diff(figures.Cells(r.Loaded(), u.s.Zone), figures.Cells(r.Snapshot(), u.s.Zone))...)
	}
	for _, c := range u.candidates {
		cells = append(cells, stats.Diff(figures.CandidateCells(c.Loaded(), u.s.Zone), figures.CandidateCells(c.Snapshot(), u.s.Zone))...)
	}
	for _, r := range u.discharged {
		cells = append(cells, stats.Diff(figures.DischargeCells(r.before, u.s.Zone), figures.DischargeCells(r.after, u.s.Zone))...)
	}
	stmts, err := figures.Schema().Stmts(cells...)
	if err != nil && u.err == nil {
		u.err = err
	}
	for _, s := range stmts {
		u.stmt(s)
	}
}
