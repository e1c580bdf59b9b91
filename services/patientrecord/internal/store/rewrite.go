package store

import (
	"context"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/rekey"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Generation of the search terms that this release writes. A county whose patients were written by an earlier one is written anew.
const Generation = 2

// RewriteTokens implements app.IndexStore.
func (s *Store) RewriteTokens(ctx context.Context, county, after string, limit int) (last string, n int, err error) {
	err = s.db.Update(ctx, func(tx *sqldb.Tx) error {
		c := scope{tx: tx, ring: s.ring, county: county}
		last, n, err = c.rewrite(ctx, after, limit)
		return err
	})
	return last, n, err
}

func (c scope) rewrite(ctx context.Context, after string, limit int) (last string, n int, err error) {
	found, ids, err := c.candidates(ctx, query{
		text: "SELECT " + patientColumns + " FROM patient p WHERE p.county_code = $1 AND p.id > $2 ORDER BY p.id LIMIT $3" + c.tx.ForUpdate(),
		args: []any{c.county, after, limit},
	})
	if err != nil || len(found) == 0 {
		return after, 0, err
	}
	merged, err := c.mergedAmong(ctx, ids)
	if err != nil {
		return after, 0, err
	}
	if _, err := c.also(ctx, found, ids, nil); err != nil {
		return after, 0, err
	}
	var stmts []sqldb.Stmt
	for _, f := range found {
		id, d := f.Patient.ID(), f.Patient.Demographics()
		stmts = append(stmts, sqldb.Stmt{
			SQL: `DELETE FROM patient_token WHERE county_code = $1 AND patient_id = $2`, Args: []any{c.county, id}, Want: -1,
		})
		if number := d.Number(); number != "" {
			stmts = append(stmts, sqldb.Stmt{
				// Without a token, another record of the same person has the number now.
				SQL:  `UPDATE patient SET number_token = $3 WHERE county_code = $1 AND id = $2 AND number_token IS NOT NULL`,
				Args: []any{c.county, id, c.ring.Token(numberKind, number)}, Want: -1,
			})
		}
		if !merged[id] {
			stmts = append(stmts, tokenStmts(c, id, app.AllTerms(append([]domain.Details{d.Details()}, f.Also...)...))...)
		}
	}
	return ids[len(ids)-1], len(ids), c.tx.Batch(ctx, stmts...)
}

// mergedAmong are the records of the list that lead to another.
func (c scope) mergedAmong(ctx context.Context, ids []string) (map[string]bool, error) {
	among, list := c.tx.List("m.merged_id", 2, ids)
	held, err := c.merges(ctx, "m.undo_time IS NULL AND "+among, c.county, list)
	if err != nil {
		return nil, err
	}
	out := make(map[string]bool, len(held))
	for _, m := range held {
		out[m.Merged] = true
	}
	return out, nil
}

// Reindexed is how far the search terms of a county are under an index key.
type Reindexed struct {
	County string
	After  string
	// Key is the id of the index key.
	Key string
}

// NextToReindex is the first county of which not all patients have the search terms of this release under the current index key; ok is false
// when there is none.
func (s *Store) NextToReindex(ctx context.Context) (r Reindexed, ok bool, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		r, ok = Reindexed{}, false
		return s.unindexed(ctx, tx, func(next Reindexed) (bool, error) {
			r, ok = next, true
			return false, nil
		})
	})
	return r, ok, err
}

// Terms is how far search terms are under the current index key.
func (s *Store) Terms(ctx context.Context) (out rekey.Terms, err error) {
	err = s.db.View(ctx, func(tx *sqldb.Tx) error {
		out = rekey.Terms{Table: "patient_token", Done: true}
		return s.unindexed(ctx, tx, func(next Reindexed) (bool, error) {
			var n int64
			err := tx.QueryRow(ctx, "SELECT count(*) FROM patient WHERE county_code = $1 AND id > $2", next.County, next.After).Scan(&n)
			if err != nil {
				return false, fmt.Errorf("count patients of county %s: %w", next.County, err)
			}
			out.Done, out.Remaining = false, out.Remaining+n
			return true, nil
		})
	})
	return out, err
}

// unindexed calls fn for each county that is not done, until it answers false.
func (s *Store) unindexed(ctx context.Context, tx *sqldb.Tx, fn func(Reindexed) (bool, error)) error {
	keys, county := s.ring.Keys(), ""
	for {
		// One step of the index for each county, however many patients it has.
		var next *string
		if err := tx.QueryRow(ctx, "SELECT min(county_code) FROM patient WHERE county_code > $1", county).Scan(&next); err != nil {
			return fmt.Errorf("look for counties: %w", err)
		}
		if next == nil {
			return nil
		}
		county = *next
		var generation int
		var after, key string
		var done bool
		err := tx.QueryRow(ctx, "SELECT generation, after_id, done, index_key FROM patient_index WHERE county_code = $1", county).
			Scan(&generation, &after, &done, &key)
		if err != nil && !sqldb.NoRows(err) {
			return fmt.Errorf("load the index of county %s: %w", county, err)
		}
		// Before an index key was ever exchanged none was noted.
		current := key == keys.Index || key == "" && len(keys.AllIndex) == 1
		switch {
		case err != nil || generation < Generation || !current:
			after = ""
		case done || generation > Generation:
			continue
		}
		if more, err := fn(Reindexed{County: county, After: after, Key: keys.Index}); err != nil || !more {
			return err
		}
	}
}

// Reindex writes the search terms of the next patients and how far it came, in one transaction.
func (s *Store) Reindex(ctx context.Context, r Reindexed, limit int) error {
	return s.db.Update(ctx, func(tx *sqldb.Tx) error {
		c := scope{tx: tx, ring: s.ring, county: r.County}
		last, n, err := c.rewrite(ctx, r.After, limit)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO patient_index (county_code, generation, after_id, done, index_key) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (county_code) DO UPDATE SET generation = excluded.generation, after_id = excluded.after_id, done = excluded.done,
			index_key = excluded.index_key`, r.County, Generation, last, n < limit, r.Key)
		return err
	})
}
