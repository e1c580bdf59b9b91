package audit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// Query is what entries are looked for by; what is empty does not count.
type Query struct {
	County, Patient, Account, Organization string
	// Actions: any of them; "referral.*" stands for every action of that kind.
	Actions []string
	// From ≤ time < To.
	From, To time.Time
	// After is the place to go on from; the zero Cursor is the beginning.
	After Cursor
	Limit int
}

// Cursor is an entry's place in an order by time. Ids differ between services, so one cursor holds for all of them.
type Cursor struct {
	Time time.Time
	ID   string
}

// Found is an entry as it is stored.
type Found struct {
	Entry
	ID   string
	Time time.Time
	// Seq is its number in the chain, 0 while it is not sealed.
	Seq int64
}

// Search answers the newest entries that fit, and writes the entry about the search, by, before it answers.
func Search(ctx context.Context, db *sqldb.DB, q Query, by Entry) (found []Found, err error) {
	err = db.Update(ctx, func(tx *sqldb.Tx) error {
		found = nil
		text, args := q.statement()
		rows, err := tx.Query(ctx, text, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s stored
			if err := rows.Scan(append(s.fields(), &s.seq)...); err != nil {
				return err
			}
			found = append(found, Found{Entry: s.Entry, ID: s.id, Time: s.time, Seq: s.seq})
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if err := rows.Close(); err != nil {
			return err
		}
		return tx.Batch(ctx, Stmt(by, id.New(), tx.Now()))
	})
	if err != nil {
		return nil, fmt.Errorf("search audit: %w", err)
	}
	return found, nil
}

func (q Query) statement() (text string, args []any) {
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	where := "county_code = " + arg(q.County)
	if q.Patient != "" {
		// The second condition lets the partial index be used.
		where += " AND patient_id = " + arg(q.Patient) + " AND patient_id <> ''"
	}
	if q.Account != "" {
		where += " AND account_id = " + arg(q.Account)
	}
	if q.Organization != "" {
		where += " AND organization_id = " + arg(q.Organization)
	}
	if len(q.Actions) > 0 {
		either := make([]string, len(q.Actions))
		for i, action := range q.Actions {
			if kind, all := strings.CutSuffix(action, "*"); all {
				// A comparison of beginnings, whatever the database takes for the order of letters.
				either[i] = fmt.Sprintf("substr(action, 1, %d) = %s", len(kind), arg(kind))
			} else {
				either[i] = "action = " + arg(action)
			}
		}
		where += " AND (" + strings.Join(either, " OR ") + ")"
	}
	if !q.From.IsZero() {
		where += " AND entry_time >= " + arg(q.From)
	}
	if !q.To.IsZero() {
		where += " AND entry_time < " + arg(q.To)
	}
	if q.After.ID != "" {
		where += " AND (entry_time, id) < (" + arg(q.After.Time) + ", " + arg(q.After.ID) + ")"
	}
	return "SELECT " + entryColumns + ", coalesce(seq, 0) FROM audit_entry WHERE " + where + " ORDER BY entry_time DESC, id DESC LIMIT " + arg(q.Limit), args
}
