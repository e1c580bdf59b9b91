package rekey

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// progress is how far a column is under a key. An empty position is the beginning.
type progress struct {
	key        string
	position   []any
	resealed   int64
	unreadable int64
	done       bool
}

func (c Column) progress(ctx context.Context, tx *sqldb.Tx) (p progress, err error) {
	var position string
	err = tx.QueryRow(ctx, "SELECT key_id, position, resealed, unreadable, done FROM rekey_progress WHERE table_name = $1 AND column_name = $2", c.Table, c.Name).
		Scan(&p.key, &position, &p.resealed, &p.unreadable, &p.done)
	if sqldb.NoRows(err) {
		return progress{}, nil
	}
	if err == nil {
		p.position, err = readPosition(position)
	}
	if err != nil {
		return p, fmt.Errorf("load progress of %s.%s: %w", c.Table, c.Name, err)
	}
	return p, nil
}

func (c Column) keep(p progress, now time.Time) sqldb.Stmt {
	position, err := json.Marshal(p.position)
	if err != nil {
		position = []byte("null") // a key of texts and whole numbers is always JSON
	}
	return sqldb.Stmt{
		SQL: `INSERT INTO rekey_progress (table_name, column_name, key_id, position, resealed, unreadable, done, update_time)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (table_name, column_name) DO UPDATE SET key_id = excluded.key_id, position = excluded.position,
			resealed = excluded.resealed, unreadable = excluded.unreadable, done = excluded.done, update_time = excluded.update_time`,
		Args: []any{c.Table, c.Name, p.key, string(position), p.resealed, p.unreadable, p.done, now}, Want: 1,
	}
}

// readPosition keeps whole numbers whole.
func readPosition(text string) (position []any, err error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	if err := d.Decode(&position); err != nil {
		return nil, err
	}
	for i, v := range position {
		if n, ok := v.(json.Number); ok {
			if position[i], err = n.Int64(); err != nil {
				return nil, err
			}
		}
	}
	return position, nil
}

// row is a value to be sealed anew.
type row struct {
	key, with []any
	sealed    []byte
}

func (r row) texts() []string {
	all := slices.Concat(r.key, r.with)
	out := make([]string, len(all))
	for i, v := range all {
		out[i] = fmt.Sprint(v)
	}
	return out
}

// old is the condition of a value that is not under the current key; prefix is the argument with its first bytes. An empty value holds
// nothing: its first bytes are ” on PostgreSQL and NULL on SQLite.
func (c Column) old(prefix string) string {
	return "length(" + c.Name + ") > 0 AND substr(" + c.Name + ", 1, 4) <> " + prefix
}

// stale are the next rows behind a position whose value is not under the current key.
func (w *Walker) stale(ctx context.Context, tx *sqldb.Tx, c Column, after []any) (list []row, err error) {
	keys := strings.Join(c.Key, ", ")
	args := []any{w.Ring.Prefix()}
	where := c.old("$1")
	if len(after) > 0 {
		places := make([]string, len(after))
		for i, v := range after {
			args = append(args, v)
			places[i] = fmt.Sprintf("$%d", len(args))
		}
		where += " AND (" + keys + ") > (" + strings.Join(places, ", ") + ")"
	}
	columns := strings.Join(slices.Concat(c.Key, c.With), ", ")
	rows, err := tx.Query(ctx, fmt.Sprintf("SELECT %s, %s FROM %s WHERE %s ORDER BY %s LIMIT %d", columns, c.Name, c.Table, where, keys, batchRows), args...)
	if err != nil {
		return nil, fmt.Errorf("find values of %s.%s: %w", c.Table, c.Name, err)
	}
	defer rows.Close()
	for rows.Next() {
		r := row{key: make([]any, len(c.Key)), with: make([]any, len(c.With))}
		into := make([]any, 0, len(c.Key)+len(c.With)+1)
		for _, part := range [][]any{r.key, r.with} {
			for i := range part {
				into = append(into, &part[i])
			}
		}
		if err := rows.Scan(append(into, &r.sealed)...); err != nil {
			return nil, fmt.Errorf("read values of %s.%s: %w", c.Table, c.Name, err)
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// Status is how far a column is.
type Status struct {
	Table, Column string
	// Resealed counts the values that were sealed anew since the key became the current one.
	Resealed int64
	// Done: a whole walk under the current key found nothing to do.
	Done bool
	// Remaining counts the values under other keys, Unreadable the damaged ones that the last walk left as they are.
	Remaining, Unreadable int64
}

// Status is how far each column is; with count also how much is left, which reads every sealed value's beginning. A column that was done and
// has values left is walked again.
func (w *Walker) Status(ctx context.Context, count bool) (list []Status, err error) {
	current := w.Ring.Keys().Data
	for _, c := range w.Columns {
		var p progress
		s := Status{Table: c.Table, Column: c.Name}
		err := w.DB.View(ctx, func(tx *sqldb.Tx) error {
			if p, err = c.progress(ctx, tx); err != nil || !count {
				return err
			}
			if err := tx.QueryRow(ctx, "SELECT count(*) FROM "+c.Table+" WHERE "+c.old("$1"), w.Ring.Prefix()).Scan(&s.Remaining); err != nil {
				return fmt.Errorf("count values of %s.%s: %w", c.Table, c.Name, err)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if p.key == current {
			s.Resealed, s.Unreadable, s.Done = p.resealed, p.unreadable, p.done
		}
		if s.Done && s.Remaining > s.Unreadable {
			s.Done = false
			if err := w.again(ctx, c, current); err != nil {
				return nil, err
			}
		}
		list = append(list, s)
	}
	return list, nil
}

// again has a column walked once more.
func (w *Walker) again(ctx context.Context, c Column, current string) error {
	return w.DB.Update(ctx, func(tx *sqldb.Tx) error {
		p, err := c.progress(ctx, tx)
		if err != nil || p.key != current || !p.done {
			return err
		}
		p.done = false
		return tx.Batch(ctx, c.keep(p, tx.Now()))
	})
}
