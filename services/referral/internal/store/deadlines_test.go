package store_test

import (
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/store"
)

// The search runs every few seconds on every instance: it must not read the limits that are far or over.
func TestDueRungsAreFoundByTheirIndex(t *testing.T) {
	t.Parallel()
	db := dbtest.OpenClock(t, sqldb.SQLite, dbtest.Clock(t), sets())
	var plan []string
	err := db.View(t.Context(), func(tx *sqldb.Tx) error {
		rows, err := tx.Query(t.Context(), "EXPLAIN QUERY PLAN "+store.DueRows, tx.Now(), 100)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var node, parent, unused int
			var detail string
			if err := rows.Scan(&node, &parent, &unused, &detail); err != nil {
				return err
			}
			plan = append(plan, detail)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(plan, "; "); !strings.Contains(text, "USING INDEX deadline_next") || strings.Contains(text, "TEMP B-TREE") {
		t.Errorf("the plan is %q", text)
	}
}
