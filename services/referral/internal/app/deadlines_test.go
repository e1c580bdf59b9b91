package app_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/store"
)

// send submits a referral of an urgency.
func send(t *testing.T, s *app.Service, patient string, u domain.Urgency) app.View {
	t.Helper()
	in := creation(patient)
	if in.Draft.Urgency = u; u == domain.UrgencyEmergency {
		in.Draft.Kind = domain.KindEmergency
	}
	v, err := s.Create(t.Context(), by(doctor()), in)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func look(t *testing.T, s *app.Service) {
	t.Helper()
	if err := s.FireDeadlines(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
}

// count tells how often each event was told.
func (h house) count(t *testing.T) map[string]int {
	t.Helper()
	n := map[string]int{}
	for _, subject := range h.facts(t) {
		n[subject[strings.LastIndex(subject, ".")+1:]]++
	}
	return n
}

func TestTheLadderOfAnAnswerKeepsToItsTimes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		// Wednesday, 18 March 2026, 09:30.
		send(t, h.Service, "patient-1", domain.UrgencyRoutine)
		told := 0
		for _, step := range []struct {
			wait time.Duration
			told int
		}{
			{24*time.Hour - time.Second, 0},
			{time.Second, 1},              // Thursday 09:30
			{23 * time.Hour, 1},           //
			{time.Hour, 2},                // Friday 09:30
			{2 * 24 * time.Hour, 2},       // Sunday
			{24*time.Hour - time.Hour, 2}, //
			{time.Hour, 3},                // Monday 09:30
			{365 * 24 * time.Hour, 3},     // then it is quiet
		} {
			h.clock.Advance(step.wait)
			look(t, h.Service)
			if told = h.count(t)["deadline_passed"]; told != step.told {
				t.Errorf("at %v: told %d times, want %d", h.clock.Now(), told, step.told)
			}
		}
	})
}

func TestAPatientWhoDidNotComeIsANoShowAndMayStillCome(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := send(t, h.Service, "patient-1", domain.UrgencyUrgent)
		now := h.clock.Now()
		v, err := h.Accept(t.Context(), by(desk()), app.Acceptance{
			ID: v.ID, Version: v.Version, Action: domain.ActionAccept, WalkIn: &domain.Window{From: now, To: now.Add(time.Hour)},
		})
		if err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(v.DueTime.Sub(now))
		for range 2 {
			look(t, h.Service)
		}
		if n := h.count(t); n["no_show"] != 1 || n["deadline_passed"] != 1 {
			t.Errorf("told %v", n)
		}
		late, err := h.Transition(t.Context(), by(desk()), app.Step{ID: v.ID, Version: v.Version + 1, Action: domain.ActionArrive})
		if err != nil || late.State != domain.StateArrived {
			t.Errorf("late arrival: %s, %v", late.State, err)
		}
	})
}

func TestAReplyThatNobodyAcknowledgesClosesAfterAWeek(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := send(t, h.Service, "patient-1", domain.UrgencyEmergency)
		reply := domain.Reply{Diagnosis: "脑梗死", Treatment: "溶栓", NextSteps: "随访"}
		for _, step := range []app.Step{
			{Action: domain.ActionArrive},
			{Action: domain.ActionConclude, Carry: domain.Carry{Outcome: "IMPROVED", Reply: reply}},
		} {
			step.ID, step.Version = v.ID, v.Version
			var err error
			if v, err = h.Transition(t.Context(), by(desk()), step); err != nil {
				t.Fatal(err)
			}
		}
		h.clock.Advance(7*24*time.Hour - time.Second)
		look(t, h.Service)
		if n := h.count(t); n["acknowledged"] != 0 {
			t.Fatal("closed before its time")
		}
		h.clock.Advance(time.Second)
		look(t, h.Service)
		rows, err := h.History(t.Context(), doctor(), v.ID)
		if err != nil {
			t.Fatal(err)
		}
		last := rows[slices.IndexFunc(rows, func(r app.HistoryRow) bool { return r.Action == domain.ActionAcknowledge })]
		if last.To != domain.StateClosed || last.By.AccountID != app.Self || h.count(t)["acknowledged"] != 1 {
			t.Errorf("%+v", last)
		}
	})
}

func TestOneLimitThatCannotBeToldDoesNotHoldTheOthersBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		send(t, h.Service, "patient-1", domain.UrgencyEmergency)
		send(t, h.Service, "patient-2", domain.UrgencyEmergency)
		ports := h.ports
		broken := &brokenOnce{Deadlines: ports.Deadlines}
		ports.Deadlines = broken
		h.clock.Advance(10 * time.Minute)
		if err := app.New(ports).FireDeadlines(t.Context(), "a"); !errors.Is(err, errBroken) {
			t.Errorf("got %v", err)
		}
		if n := h.count(t)["deadline_passed"]; n != 1 {
			t.Errorf("%d told", n)
		}
		h.clock.Advance(time.Minute)
		look(t, h.Service)
		if n := h.count(t)["deadline_passed"]; n != 2 {
			t.Errorf("%d told after the lease", n)
		}
	})
}

var errBroken = errors.New("broken")

// brokenOnce fails to tell the first rung that it is given.
type brokenOnce struct {
	app.Deadlines
	failed bool
}

func (b *brokenOnce) Fire(ctx context.Context, c app.Claim, decide func(app.Unit, *domain.Referral) (time.Time, error)) (bool, error) {
	if !b.failed {
		b.failed = true
		return false, errBroken
	}
	return b.Deadlines.Fire(ctx, c, decide)
}

// instance is one process over a database that others use as well.
type instance struct {
	*app.Service
	store *store.Store
	db    *sqldb.DB
}

func instances(t *testing.T, engine sqldb.Engine, n int) ([]instance, *clock.Fixed) {
	t.Helper()
	clk, cfg := dbtest.Clock(t), dbtest.Config(t, engine)
	out := make([]instance, n)
	for i := range out {
		db := dbtest.Reopen(t, cfg, clk)
		if i == 0 {
			if err := sqldb.Migrate(t.Context(), db, sqldb.Migrations, outbox.Migrations, audit.Migrations, stats.Migrations, store.Migrations); err != nil {
				t.Fatal(err)
			}
		}
		s := store.New(store.Deps{DB: db, Ring: crypt.TestRing(), Wire: wire{}, Wake: func() {}})
		p := &peers{holds: map[string]string{}, attached: map[string]app.Attachment{}, booked: map[string]string{}}
		out[i] = instance{app.New(app.Ports{
			Referrals: s, Reader: s, Numbers: s, Organizations: s, Directory: p, Patients: p, Capacity: p, Diagnoses: noList{},
			Clock: clk, Deadlines: s, Settings: s, Versions: s, Calendars: app.NewCalendars(time.FixedZone("CST", 8*3600), nil, s, clk),
			Formularies: s, Lists: p, Criteria: shipped(t), Records: p, Candidates: s, Registrations: s,
		}), s, db}
	}
	return out, clk
}

// told lists the rungs of the facts, each as "referral STEP level", with how often it was told.
func (i instance) told(t *testing.T) map[string]int {
	t.Helper()
	out := map[string]int{}
	err := i.db.View(t.Context(), func(tx *sqldb.Tx) error {
		rows, err := tx.Query(t.Context(), "SELECT payload FROM outbox WHERE subject LIKE '%deadline_passed'")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var payload []byte
			if err := rows.Scan(&payload); err != nil {
				return err
			}
			var m referralv1.DeadlinePassed
			if err := proto.Unmarshal(payload, &m); err != nil {
				return err
			}
			out[fmt.Sprintf("%s %s %d", m.GetReferral().GetReferralId(), m.GetDeadline().GetStep(), m.GetDeadline().GetLevel())]++
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Three instances look at once, and now and then one dies between claiming and telling. On SQLite, which one process uses, they take turns.
func TestThreeInstancesTellEveryRungOnce(t *testing.T) {
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			three, clk := instances(t, engine, 3)
			want := map[string]int{}
			const cases = 240
			for n := range cases {
				u := []domain.Urgency{domain.UrgencyEmergency, domain.UrgencyUrgent}[n%2]
				v := send(t, three[n%3].Service, fmt.Sprint("patient-", n), u)
				for level := range 3 {
					want[fmt.Sprintf("%s ANSWER %d", v.ID, level+1)] = 1
				}
			}
			// Urgent cases are due after 2, 3 and 4 hours; what the dead leave behind is a minute late.
			for round := range 20 {
				clk.Advance(15 * time.Minute)
				if round%3 == 0 {
					if _, err := three[0].store.Claim(t.Context(), "dead", time.Minute, 17); err != nil {
						t.Fatal(err)
					}
				}
				lookAll(t, engine, three)
				clk.Advance(time.Minute)
				lookAll(t, engine, three)
			}
			if got := three[0].told(t); !maps.Equal(got, want) {
				t.Errorf("%d rungs of %d were told", len(got), len(want))
				for rung, n := range got {
					if want[rung] != n {
						t.Errorf("%s: %d times", rung, n)
					}
				}
			}
		})
	}
}

func lookAll(t *testing.T, engine sqldb.Engine, all []instance) {
	t.Helper()
	var wg sync.WaitGroup
	for i, one := range all {
		wg.Go(func() {
			if err := one.FireDeadlines(t.Context(), fmt.Sprint("instance-", i)); err != nil {
				t.Error(err)
			}
		})
		if engine == sqldb.SQLite {
			wg.Wait()
		}
	}
	wg.Wait()
}
