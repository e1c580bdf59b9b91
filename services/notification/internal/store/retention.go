package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// over is a kind of rows that end: whose key is found by the query, and deleted from the tables in order.
type over struct {
	find   string // of a county ($1) before an instant ($2), at most $3
	tables [][2]string
}

func overs() []over {
	return []over{
		{
			"SELECT id FROM delivery WHERE county_code = $1 AND create_time < $2 AND state NOT IN ('PENDING', 'SENDING') ORDER BY create_time, id LIMIT $3",
			[][2]string{{"acknowledge_link", "delivery_id"}, {"delivery_attempt", "delivery_id"}, {"delivery", "id"}},
		},
		{
			"SELECT booking_id FROM reminder WHERE county_code = $1 AND start_time < $2 AND state <> 'WAITING' ORDER BY start_time LIMIT $3",
			[][2]string{{"reminder", "booking_id"}},
		},
		{
			"SELECT id FROM call_task WHERE county_code = $1 AND create_time < $2 AND state <> 'OPEN' ORDER BY create_time, id LIMIT $3",
			[][2]string{{"call_record", "call_id"}, {"call_task", "id"}},
		},
	}
}

// Prune implements app.Retention, each kind in a transaction of its own.
func (s *Store) Prune(ctx context.Context, county string, before time.Time, limit int) (most int, err error) {
	for _, kind := range overs() {
		var keys []string
		err := s.db.Update(ctx, func(tx *sqldb.Tx) error {
			rows, err := tx.Query(ctx, kind.find+tx.SkipLocked(), county, before, limit)
			if err != nil {
				return err
			}
			if keys, err = collect(rows, func(row scanner) (key string, err error) { return key, row.Scan(&key) }); err != nil || len(keys) == 0 {
				return err
			}
			var stmts []sqldb.Stmt
			for _, table := range kind.tables {
				list, arg := tx.List(table[1], 2, keys)
				stmts = append(stmts, sqldb.Stmt{SQL: "DELETE FROM " + table[0] + " WHERE county_code = $1 AND " + list, Args: []any{county, arg}, Want: -1})
			}
			return tx.Last(ctx, stmts...)
		})
		if err != nil {
			return most, fmt.Errorf("delete old rows: %w", err)
		}
		most = max(most, len(keys))
	}
	return most, nil
}
