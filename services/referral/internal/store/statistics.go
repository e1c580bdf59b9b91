package store

import (
	"context"
	"fmt"
	"iter"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

var _ app.Statistics = (*Store)(nil)

// Figures implements [app.Statistics].
func (s *Store) Figures(ctx context.Context, asked []app.FigureRead) (out [][]stats.Figure, err error) {
	err = s.DB.View(ctx, func(tx *sqldb.Tx) error {
		out = make([][]stats.Figure, len(asked))
		for i, a := range asked {
			if out[i], err = figures.Schema().Figures(ctx, tx, a.Measure, a.Denominator, a.Query); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// CheckFigures implements [app.Statistics].
func (s *Store) CheckFigures(ctx context.Context, county string) (out app.FigureCheck, err error) {
	err = s.DB.View(ctx, func(tx *sqldb.Tx) error {
		out = app.FigureCheck{}
		out.Differences, err = figures.Schema().Compare(ctx, tx, county, s.recomputed(&out))
		return err
	})
	return out, err
}

// RebuildFigures implements [app.Statistics].
func (s *Store) RebuildFigures(ctx context.Context, county string) (out app.FigureCheck, err error) {
	out.Differences, err = figures.Schema().Rebuild(ctx, s.DB, county, s.recomputed(&out))
	return out, err
}

// recomputed tells what all cases of a county contribute by their histories, some at a time. It counts them into seen.
func (s *Store) recomputed(seen *app.FigureCheck) stats.History {
	return func(ctx context.Context, tx *sqldb.Tx, county string) iter.Seq2[stats.Cell, error] {
		return func(yield func(stats.Cell, error) bool) {
			seen.Referrals, seen.Cells = 0, 0
			for _, read := range []func(context.Context, *sqldb.Tx, string, string) ([]counted, error){s.replayed, s.foundCandidates, s.reportedDischarges} {
				for after := ""; ; {
					rows, err := read(ctx, tx, county, after)
					if err != nil {
						yield(stats.Cell{}, err)
						return
					}
					for _, c := range rows {
						if c.StayID == "" {
							seen.Referrals++
						}
						for _, cell := range c.cells {
							seen.Cells++
							if !yield(cell, nil) {
								return
							}
						}
						after = c.key()
					}
					if len(rows) < batch {
						break
					}
				}
			}
		}
	}
}

// replayed are the next referrals by id, as their histories tell them.
func (s *Store) replayed(ctx context.Context, tx *sqldb.Tx, county, after string) ([]counted, error) {
	rows, err := tx.Query(ctx, fmt.Sprintf("SELECT %s FROM referral WHERE county_code = $1 AND id > $2 AND number <> '' ORDER BY id LIMIT %d",
		countedColumns, batch), county, after)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []domain.Snapshot
	var ids []string
	for rows.Next() {
		r, err := s.scanCounted(rows, county)
		if err != nil {
			return nil, err
		}
		found, ids = append(found, r), append(ids, r.ID)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	_ = rows.Close()
	histories, err := steps(ctx, tx, county, ids)
	if err != nil {
		return nil, err
	}
	out := make([]counted, len(found))
	for i, r := range found {
		r = figures.Replay(r, histories[r.ID])
		out[i] = counted{StatisticCase: app.StatisticCase{Referral: r}, cells: figures.Cells(r, s.Zone)}
	}
	return out, nil
}

// steps are the histories of some referrals, oldest first.
func steps(ctx context.Context, tx *sqldb.Tx, county string, ids []string) (map[string][]figures.Step, error) {
	frag, list := tx.List("referral_id", 2, ids)
	rows, err := tx.Query(ctx, "SELECT referral_id, action, to_state, occur_time, reason_code FROM history WHERE county_code = $1 AND "+frag+
		" ORDER BY referral_id, version", county, list)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make(map[string][]figures.Step, len(ids))
	for rows.Next() {
		var id string
		var h figures.Step
		if err := rows.Scan(&id, &h.Action, &h.To, &h.At, &h.Reason); err != nil {
			return nil, err
		}
		h.At = h.At.UTC()
		out[id] = append(out[id], h)
	}
	return out, rows.Err()
}

// foundCandidates are the next candidates by id.
func (s *Store) foundCandidates(ctx context.Context, tx *sqldb.Tx, county, after string) ([]counted, error) {
	rows, err := tx.Query(ctx, fmt.Sprintf("SELECT %s FROM candidate WHERE county_code = $1 AND id > $2 ORDER BY id LIMIT %d", countedCandidate, batch),
		county, after)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []counted
	for rows.Next() {
		c, err := s.countedCandidate(rows, county)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// reportedDischarges are the next discharges by encounter, tied to the referrals that belong to them.
func (s *Store) reportedDischarges(ctx context.Context, tx *sqldb.Tx, county, after string) ([]counted, error) {
	found, err := discharges(ctx, tx, county, fmt.Sprintf("encounter_id > $2 ORDER BY encounter_id LIMIT %d", batch), after)
	if err != nil {
		return nil, err
	}
	patients := make([]string, len(found))
	for i, d := range found {
		patients[i] = d.PatientID
	}
	referrals, err := s.countedOf(ctx, tx, county, patients)
	if err != nil {
		return nil, err
	}
	out := make([]counted, len(found))
	for i, d := range found {
		d.ReferralID, d.DownReferral = "", ""
		for _, r := range referrals[d.PatientID] {
			if d.Concludes(r) {
				d.ReferralID = r.ID
			}
			if d.FollowedBy(r) {
				d.DownReferral = r.ID
			}
		}
		out[i] = counted{StatisticCase: app.StatisticCase{StayID: d.EncounterID}, cells: figures.DischargeCells(d, s.Zone)}
	}
	return out, nil
}

// countedOf are the referrals of some patients that were sent.
func (s *Store) countedOf(ctx context.Context, tx *sqldb.Tx, county string, patients []string) (map[string][]domain.Snapshot, error) {
	frag, list := tx.List("patient_id", 2, patients)
	rows, err := tx.Query(ctx, "SELECT "+countedColumns+", patient_id FROM referral WHERE county_code = $1 AND number <> '' AND "+frag, county, list)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string][]domain.Snapshot{}
	for rows.Next() {
		var patient string
		r, err := s.scanCounted(with{rows, &patient}, county)
		if err != nil {
			return nil, err
		}
		r.PatientID = patient
		out[patient] = append(out[patient], r)
	}
	return out, rows.Err()
}
