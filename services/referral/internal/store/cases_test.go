package store_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
	"github.com/tongzhen/tongzhen/services/referral/internal/store"
	"github.com/tongzhen/tongzhen/services/referral/internal/store/storetest"
)

func TestOnlyCountersHaveConditions(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"referral", "candidate", "discharge"} {
		for counter := range store.Rare(table) {
			if figures.EventOf(counter) == "" {
				t.Errorf("%s is no counter", counter)
			}
		}
	}
}

// copies adds referrals like one, an hour apart before it.
const copies = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5200)
	INSERT INTO referral (county_code, id, number, version, state, direction, kind, urgency, urgency_rank, patient_id, originator_org,
		originator_department, originator_practitioner, account_id, receiver_org, receiver_department, receiver_practitioner, diagnosis_codes,
		guard, transport, hold_id, hold_lost, booking_id, booking_hold_id, walk_in, outcome_code, reason_code, arrived_from, submit_time, due_order,
		create_time, update_time, patient, content)
	SELECT county_code, 'copy-' || i, 'copy-' || i, version, state, direction, kind, urgency, urgency_rank, patient_id, originator_org,
		originator_department, originator_practitioner, account_id, receiver_org, receiver_department, receiver_practitioner, diagnosis_codes,
		'', transport, hold_id, hold_lost, booking_id, booking_hold_id, walk_in, outcome_code, reason_code, arrived_from, $1, due_order,
		create_time, update_time, patient, content FROM referral, n`

// Where few of many count, a page ends before it is full, and its token leads on.
func TestAPageOfCasesLooksAtABoundedNumberOfRows(t *testing.T) {
	t.Parallel()
	clk := dbtest.Clock(t)
	dbtest.EachClock(t, clk, sets(), func(t *testing.T, db *sqldb.DB) {
		s := store.New(store.Deps{DB: db, Ring: crypt.TestRing(), Wire: wire{}, Wake: func() {}})
		id := sent(t, s)
		if err := db.Update(t.Context(), func(tx *sqldb.Tx) error {
			_, err := tx.Exec(t.Context(), copies, tx.Now().Add(-time.Hour))
			if err == nil {
				_, err = tx.Exec(t.Context(), "UPDATE referral SET answer_time = submit_time, first_answer = 'decline', state = 'DECLINED' WHERE id = $1", id)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		today := stats.DateOf(clk.Now(), time.UTC)
		ask := func(counter string, after *app.Cursor) ([]app.StatisticCase, *app.Cursor) {
			cases, next, err := s.Cases(t.Context(), app.CaseScan{
				Query: stats.Query{County: storetest.County, From: today, To: stats.DateOf(clk.Now().AddDate(0, 0, 1), time.UTC)},
				Part:  stats.Part{Plus: []stats.Term{{Counter: counter}}}, After: after, Limit: 50,
			})
			if err != nil {
				t.Fatal(err)
			}
			return cases, next
		}
		cases, next := ask("answered", nil)
		if len(cases) != 0 || next == nil {
			t.Fatalf("the first page has %d cases, next %v", len(cases), next)
		}
		if cases, next = ask("answered", next); len(cases) != 1 || cases[0].Referral.ID != id || next != nil {
			t.Errorf("the second page has %d cases, next %v", len(cases), next)
		}
		// What the row itself tells is found at once.
		if cases, next = ask("declined", nil); len(cases) != 1 || next != nil {
			t.Errorf("a rare one: %d cases, next %v", len(cases), next)
		}
	})
}
