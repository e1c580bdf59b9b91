package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/store"
	"github.com/tongzhen/tongzhen/services/referral/internal/store/storetest"
)

// A limit that began before there was a ladder has no next_time: it is due at due_time, once, and after its last rung never again.
func TestALimitOfTheReleaseBeforeIsTold(t *testing.T) {
	t.Parallel()
	clk := dbtest.Clock(t)
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			db := dbtest.OpenClock(t, engine, clk, sets())
			s := store.New(store.Deps{DB: db, Ring: crypt.TestRing(), Wire: wire{}, Wake: func() {}})
			draft := storetest.Draft("patient-1", domain.KindOutpatient)
			draft.Diagnoses = draft.Diagnoses[:1]
			_, err := s.Change(t.Context(), app.Command{Caller: storetest.Doctor()}, func(u app.Unit) error {
				r, err := storetest.Creation(u, storetest.Doctor(), draft, "4503212600001234")
				u.Save(r)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			past := clk.Now().Add(-time.Minute)
			if err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
				_, err := tx.Exec(t.Context(), "UPDATE deadline SET due_time = $1, next_time = NULL", past)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			claims, err := s.Claim(t.Context(), "a", time.Minute, 10)
			if err != nil || len(claims) != 1 || !claims[0].Due.Equal(past) || claims[0].Level != 1 {
				t.Fatalf("claimed %+v, %v", claims, err)
			}
			never := func(*domain.Referral, time.Time) time.Time { return time.Time{} }
			if fired, err := s.Fire(t.Context(), claims[0], never); !fired || err != nil {
				t.Fatalf("told %v, %v", fired, err)
			}
			if claims, err = s.Claim(t.Context(), "a", time.Minute, 10); err != nil || len(claims) != 0 {
				t.Errorf("after its last rung %+v, %v", claims, err)
			}
		})
	}
}

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
