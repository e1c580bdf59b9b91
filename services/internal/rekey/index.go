package rekey

import (
	"context"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// Hashed is a table with hashes of what nobody keeps in plain: they cannot be made anew under another index key, and are looked up by every
// key of the ring.
type Hashed struct {
	Table string
	// Time is the column that says when a row was written.
	Time string
	// Where selects the rows that have such a hash; empty: all.
	Where string
}

// Terms is how far search terms are under the current index key.
type Terms struct {
	Table string
	// Done: all are. Remaining counts the rows that are not.
	Done      bool
	Remaining int64
}

const (
	// settled is how long after a new index key was noted every process hashes with it: they read the ring's file every crypt.FollowEvery.
	settled = 5 * crypt.FollowEvery
	// overlap is how far around the time of a key rows are counted as its own: processes begin with a key at moments of their own.
	overlap = time.Minute
)

// note writes down since when the current index key is used.
func (w *Walker) note(ctx context.Context) error {
	key := w.Ring.Keys().Index
	known := false
	err := w.DB.Read(ctx, func(tx *sqldb.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM index_key_use WHERE key_id = $1", key).Scan(&n); err != nil {
			return err
		}
		known = n > 0
		return nil
	})
	if err != nil || known {
		return err
	}
	return w.DB.Update(ctx, func(tx *sqldb.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM index_key_use").Scan(&n); err != nil {
			return fmt.Errorf("count index keys: %w", err)
		}
		since := tx.Now()
		if n == 0 {
			since = time.Unix(0, 0).UTC()
		}
		_, err := tx.Exec(ctx, "INSERT INTO index_key_use (key_id, first_time) VALUES ($1, $2) ON CONFLICT (key_id) DO NOTHING", key, since)
		return err
	})
}

// IndexSettled tells whether every process hashes with the current index key by now, so that what is made anew under it stays under it.
func (w *Walker) IndexSettled(ctx context.Context) (ok bool, err error) {
	key := w.Ring.Keys().Index
	err = w.DB.Read(ctx, func(tx *sqldb.Tx) error {
		var since time.Time
		err := tx.QueryRow(ctx, "SELECT first_time FROM index_key_use WHERE key_id = $1", key).Scan(&since)
		if sqldb.NoRows(err) {
			return nil
		}
		ok = err == nil && !since.Add(settled).After(tx.Now())
		return err
	})
	return ok, err
}

// Need is a former index key without which rows would not be found.
type Need struct {
	Key, Table string
	Rows       int64
}

// Needs counts, for each former index key of the ring, the rows that only it finds. Of a key whose time is not known it is all rows.
func (w *Walker) Needs(ctx context.Context) (list []Need, err error) {
	keys := w.Ring.Keys()
	err = w.DB.View(ctx, func(tx *sqldb.Tx) error {
		list = nil
		spans, err := indexSpans(ctx, tx)
		if err != nil {
			return err
		}
		for _, key := range keys.AllIndex {
			if key == keys.Index {
				continue
			}
			for _, h := range w.Hashed {
				n, err := h.count(ctx, tx, spans[key])
				if err != nil {
					return err
				}
				if n > 0 {
					list = append(list, Need{Key: key, Table: h.Table, Rows: n})
				}
			}
		}
		return nil
	})
	return list, err
}

// span is when a key was the current one; a zero end is open.
type span struct{ from, to time.Time }

func indexSpans(ctx context.Context, tx *sqldb.Tx) (map[string]span, error) {
	rows, err := tx.Query(ctx, "SELECT key_id, first_time FROM index_key_use ORDER BY first_time, key_id")
	if err != nil {
		return nil, fmt.Errorf("load index keys: %w", err)
	}
	defer rows.Close()
	out, last := map[string]span{}, ""
	for rows.Next() {
		var key string
		var since time.Time
		if err := rows.Scan(&key, &since); err != nil {
			return nil, fmt.Errorf("load index keys: %w", err)
		}
		if before, ok := out[last]; ok {
			out[last] = span{before.from, since.UTC().Add(overlap)}
		}
		out[key], last = span{from: since.UTC().Add(-overlap)}, key
	}
	return out, rows.Err()
}

func (h Hashed) count(ctx context.Context, tx *sqldb.Tx, s span) (n int64, err error) {
	text, args := "SELECT count(*) FROM "+h.Table+" WHERE "+h.Time+" >= $1", []any{s.from}
	if !s.to.IsZero() {
		text, args = text+" AND "+h.Time+" < $2", append(args, s.to)
	}
	if h.Where != "" {
		text += " AND " + h.Where
	}
	if err := tx.QueryRow(ctx, text, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count rows of %s: %w", h.Table, err)
	}
	return n, nil
}
