package app_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/events"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/store"
)

const county = "450321"

// referral answers for the referral service; while away it cannot be reached.
type referral struct {
	mu      sync.Mutex
	away    bool
	verdict app.Verdict
	// verdicts are those of single holds.
	verdicts map[string]app.Verdict
	before   func() // runs while the question is under way
	asked    []string
	cases    map[string]domain.Case
	askedFor []string
}

func (r *referral) Settle(_ context.Context, _, holdID, _ string) (app.Verdict, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, holdID)
	if r.away {
		return app.Verdict{}, errs.Unavailable("referral", nil)
	}
	if r.before != nil {
		r.before()
	}
	if v, ok := r.verdicts[holdID]; ok {
		return v, nil
	}
	return r.verdict, nil
}

// Case answers what the test put there.
func (r *referral) Case(_ context.Context, _, referralID string) (domain.Case, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.askedFor = append(r.askedFor, referralID)
	if r.away {
		return domain.Case{}, errs.Unavailable("referral", nil)
	}
	c, ok := r.cases[referralID]
	if !ok {
		return c, errs.NotFound("referral")
	}
	return c, nil
}

// fixture is the use cases on a real database.
type fixture struct {
	*app.App
	t        *testing.T
	db       *sqldb.DB
	clk      *clock.Fixed
	referral *referral
	org      string
	patient  string
	logs     *bytes.Buffer
}

// each runs the test on every engine.
func each(t *testing.T, test func(*fixture)) {
	t.Helper()
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			clk := dbtest.Clock(t)
			db := dbtest.OpenClock(t, engine, clk, []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations, audit.Migrations, store.Migrations})
			zone, err := time.LoadLocation("Asia/Shanghai")
			if err != nil {
				t.Fatal(err)
			}
			r, logs := &referral{cases: map[string]domain.Case{}}, &bytes.Buffer{}
			a := app.New(store.New(db, events.Encode, func() {}), r, zone, slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})))
			test(&fixture{App: a, t: t, db: db, clk: clk, referral: r, org: id.New(), patient: id.New(), logs: logs})
		})
	}
}

func (f *fixture) caller(account string) app.Caller {
	return app.Caller{County: county, AccountID: account, OrganizationID: f.org}
}

// slots makes a session of n slots of five minutes that begins in an hour.
func (f *fixture) slots(n int) []domain.Slot {
	f.t.Helper()
	start := f.clk.Now().Add(time.Hour)
	s := domain.Session{ID: id.New(), OrganizationID: f.org, DepartmentCode: "0304", Kind: "CLINIC", Start: start,
		End: start.Add(time.Duration(n) * 5 * time.Minute), SlotMinutes: 5}
	if made, _, err := f.CreateSchedules(f.t.Context(), f.caller("manager"), []domain.Session{s}, nil); err != nil || made != n {
		f.t.Fatalf("%d slots, %v", made, err)
	}
	views, err := f.ListSlots(f.t.Context(), app.Asker{Caller: f.caller("desk")}, app.SlotQuery{County: county, OrganizationID: f.org, Limit: 200}, "", "", f.clk.Now())
	if err != nil || len(views) != n {
		f.t.Fatalf("%d slots, %v", len(views), err)
	}
	slots := make([]domain.Slot, n)
	for i, v := range views {
		slots[i] = v.Slot
	}
	return slots
}

func (f *fixture) hold(slotID string) app.HoldView {
	f.t.Helper()
	v, err := f.CreateHold(f.t.Context(), f.caller("desk"), app.HoldRequest{PatientID: f.patient, SlotID: slotID})
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

// attached is a hold of a new slot, tied to the referral for two days.
func (f *fixture) attached(referralID string) app.HoldView {
	f.t.Helper()
	v := f.hold(f.slots(1)[0].ID)
	f.attach(v.ID, referralID)
	return v
}

func (f *fixture) attach(holdID, referralID string) {
	f.t.Helper()
	if _, err := f.AttachHold(f.t.Context(), f.caller("service:referral"), app.Tie{HoldID: holdID, ReferralID: referralID, PatientID: f.patient},
		f.clk.Now().AddDate(0, 0, 2)); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) confirm(holdID, referralID string) app.HoldView {
	f.t.Helper()
	v, err := f.ConfirmHold(f.t.Context(), f.caller("service:referral"), app.Tie{HoldID: holdID, ReferralID: referralID, PatientID: f.patient})
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

func (f *fixture) fact(event string, fact app.ReferralFact) {
	f.t.Helper()
	fact.Consumer, fact.County, fact.Event = "scheduling-referral", county, event
	if fact.FactID == "" {
		fact.FactID = id.New()
	}
	if err := f.OnReferral(f.t.Context(), fact); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) sweep() {
	f.t.Helper()
	if err := f.Sweep(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) wantState(holdID string, want domain.State) {
	f.t.Helper()
	v, err := f.GetHold(f.t.Context(), f.caller("desk"), holdID)
	if err != nil {
		f.t.Fatal(err)
	}
	if v.State != want {
		f.t.Errorf("hold is %s, want %s", v.State, want)
	}
}

// count counts rows.
func (f *fixture) count(query string, args ...any) (n int) {
	f.t.Helper()
	err := f.db.View(f.t.Context(), func(tx *sqldb.Tx) error {
		return tx.QueryRow(f.t.Context(), query, args...).Scan(&n)
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

func (f *fixture) wantFacts(event string, want int) {
	f.t.Helper()
	if n := f.count("SELECT count(*) FROM outbox WHERE subject = $1", "scheduling.v1."+county+"."+event); n != want {
		f.t.Errorf("%d facts %s, want %d", n, event, want)
	}
}
