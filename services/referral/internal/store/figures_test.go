package store_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/store"
	"github.com/tongzhen/tongzhen/services/referral/internal/store/storetest"
)

// What figures cost is one insert for each change that moves them, and none for one that does not.
func TestAChangeWritesItsFiguresWithOneInsert(t *testing.T) {
	t.Parallel()
	clk := dbtest.Clock(t)
	db := dbtest.OpenClock(t, sqldb.SQLite, clk, sets())
	s := store.New(store.Deps{DB: db, Ring: crypt.TestRing(), Wire: wire{}, Wake: func() {}})
	id := sent(t, s)
	inserts := func() int { return len(column(t, db, "SELECT DISTINCT batch_id FROM statistics_delta")) }
	if n := inserts(); n != 1 {
		t.Fatalf("the submission wrote %d inserts", n)
	}
	for _, action := range []domain.Action{domain.ActionAccept, domain.ActionArrive, domain.ActionAdmit, domain.ActionConclude, domain.ActionAcknowledge} {
		before := inserts()
		decide(t, s, clk, id, action)
		if moved := inserts() - before; moved != 1 {
			t.Errorf("%s wrote %d inserts", action, moved)
		}
	}
	before := inserts()
	if _, err := s.Change(t.Context(), app.Command{Caller: storetest.Doctor()}, func(u app.Unit) error {
		r, err := u.Referral(t.Context(), id)
		if err == nil {
			err = r.Mark(domain.MarkCommand{Action: domain.MarkMessage, Side: domain.Originator, At: u.Now(), Text: "谢谢"})
		}
		if err == nil {
			u.Save(r)
		}
		return err
	}); err != nil || inserts() != before {
		t.Errorf("a message wrote %d inserts, %v", inserts()-before, err)
	}
	if rows := len(column(t, db, "SELECT counter FROM statistics_delta")); rows > 30 {
		t.Errorf("a referral's life wrote %d rows", rows)
	}
}

func sent(t *testing.T, s *store.Store) (id string) {
	t.Helper()
	v, err := s.Change(t.Context(), app.Command{Caller: storetest.Doctor()}, func(u app.Unit) error {
		r, err := storetest.Creation(u, storetest.Doctor(), storetest.Draft("patient-1", domain.KindInpatient), "4503212600001234")
		if err == nil {
			u.Save(r)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return v.ID
}

// decide does an action for the side that may.
func decide(t *testing.T, s *store.Store, clk clock.Clock, id string, action domain.Action) {
	t.Helper()
	from := clk.Now().Add(time.Hour)
	_, err := s.Change(t.Context(), app.Command{Caller: authn.Identity{Subject: "desk-1", County: storetest.County}}, func(u app.Unit) error {
		r, err := u.Referral(t.Context(), id)
		if err != nil {
			return err
		}
		c := domain.Command{Action: action, Version: r.Snapshot().Version, Side: domain.Receiver, At: u.Now(), Carry: domain.Carry{
			WalkIn: true, Expected: domain.Window{From: from, To: from.Add(time.Hour)}, Ward: "内科", Outcome: "IMPROVED",
			Reply: domain.Reply{Diagnosis: "脑梗死", Findings: "CT", Treatment: "溶栓", NextSteps: "随访"},
		}}
		if action == domain.ActionAcknowledge {
			c.Side = domain.Originator
		}
		u.Save(r)
		return r.Decide(c, domain.NewCalendar(time.UTC, domain.Settings{}, nil))
	})
	if err != nil {
		t.Fatalf("%s: %v", action, err)
	}
}
