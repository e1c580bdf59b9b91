package scheduling_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/events"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/store"
)

const (
	fireClients = 64
	fireSlots   = 100
)

// fireTime is how long clients fight and instances are killed: TONGZHEN_CRASH_SECONDS, or what is bearable in every test run.
func fireTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("TONGZHEN_CRASH_SECONDS")
	if text == "" {
		return 3 * time.Second
	}
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds <= 0 {
		t.Fatalf("TONGZHEN_CRASH_SECONDS=%q is no number of seconds", text)
	}
	return time.Duration(seconds) * time.Second
}

// keeper answers for the referral service: every hold is still wanted.
type keeper struct{}

func (keeper) Settle(context.Context, string, string, string) (app.Verdict, error) {
	return app.Verdict{Keep: true}, nil
}

func (keeper) Case(context.Context, string, string) (domain.Case, error) {
	return domain.Case{}, errs.NotFound("referral")
}

// life is one life of an instance: its own connections, its own background work.
type life struct {
	*app.App
	ctx  context.Context
	kill func()
	next chan struct{} // closed when the instance lives again
}

// fire is a county in which everybody wants the same slots.
type fire struct {
	t         *testing.T
	cfg       sqldb.Config
	zone      *time.Location
	own       *sqldb.DB // of the test, not killed
	instances []atomic.Pointer[life]
	slots     []domain.Slot
	from      string
	record    *record
	kills     int
}

func openFire(t *testing.T, engine sqldb.Engine, instances int) *fire {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	f := &fire{t: t, cfg: dbtest.Config(t, engine), zone: zone, instances: make([]atomic.Pointer[life], instances), record: newRecord()}
	f.own = dbtest.Reopen(t, f.cfg, clock.System())
	if err := sqldb.Migrate(t.Context(), f.own, scheduling.Migrations()...); err != nil {
		t.Fatal(err)
	}
	f.cfg.MaxOpen = 8
	for i := range f.instances {
		f.instances[i].Store(f.begin())
	}
	t.Cleanup(func() {
		for i := range f.instances {
			f.instances[i].Load().kill()
		}
	})
	day := time.Now().In(zone).AddDate(0, 0, 2)
	start := time.Date(day.Year(), day.Month(), day.Day(), 8, 0, 0, 0, zone).UTC()
	s := domain.Session{ID: id.New(), OrganizationID: id.New(), DepartmentCode: "0304", Kind: "CLINIC", Start: start, End: start.Add(fireSlots * 5 * time.Minute), SlotMinutes: 5}
	f.from = day.Format(time.DateOnly)
	a := f.instances[0].Load()
	if _, _, err := a.CreateSchedules(t.Context(), f.caller("manager"), []domain.Session{s}, nil); err != nil {
		t.Fatal(err)
	}
	for i := range fireSlots {
		f.slots = append(f.slots, domain.Slot{ID: id.FromFact("slot", county, s.ID, strconv.Itoa(i)), Session: s})
	}
	return f
}

func (f *fire) caller(account string) app.Caller {
	return app.Caller{County: county, AccountID: account}
}

// begin opens an instance. It ends without warning: what it does is cut off, its connections are dropped.
func (f *fire) begin() *life {
	ctx, cancel := context.WithCancel(context.Background())
	db, err := sqldb.Open(ctx, f.cfg, clock.System())
	if err != nil {
		cancel()
		f.t.Errorf("open an instance: %v", err)
		return &life{ctx: ctx, kill: cancel, next: make(chan struct{})}
	}
	l := &life{ctx: ctx, next: make(chan struct{}), App: app.New(store.New(db, events.Encode, func() {}), keeper{}, f.zone, slog.New(slog.DiscardHandler))}
	var work sync.WaitGroup
	work.Go(func() { background(ctx, l.App) })
	l.kill = sync.OnceFunc(func() {
		cancel()
		work.Wait()
		if err := db.Close(); err != nil {
			f.t.Errorf("drop connections: %v", err)
		}
	})
	return l
}

// background is what an instance does for its own account. What it is cut off from the next one does.
func background(ctx context.Context, a *app.App) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = a.Sweep(ctx)
			_ = a.Allocate(ctx, clock.System().Now(), true)
		}
	}
}

// torment kills an instance every now and then and starts it again.
func (f *fire) torment(ctx context.Context, random *rand.Rand) {
	for {
		pause := time.NewTimer(time.Duration(100+random.IntN(400)) * time.Millisecond)
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
		i := random.IntN(len(f.instances))
		old := f.instances[i].Load()
		old.kill()
		f.instances[i].Store(f.begin())
		close(old.next)
		f.kills++
	}
}

// live are the holds that take a place, of an account or of all, by the database itself.
func (f *fire) live(account string) (out []domain.HoldData) {
	err := f.own.View(context.Background(), func(tx *sqldb.Tx) error {
		out = nil
		rows, err := tx.Query(context.Background(), `SELECT id, account_id, patient_id, state, coalesce(booking_id, ''), coalesce(referral_id, '') FROM hold
			WHERE state IN ('HELD', 'ATTACHED', 'UNSETTLED', 'LIVE') AND ($1 = '' OR account_id = $1)`, account)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d domain.HoldData
			if err := rows.Scan(&d.ID, &d.AccountID, &d.PatientID, &d.State, &d.BookingID, &d.ReferralID); err != nil {
				return err
			}
			out = append(out, d)
		}
		return rows.Err()
	})
	if err != nil {
		f.t.Errorf("read what is live: %v", err)
	}
	return out
}

// holds are all that were ever made, by account.
func (f *fire) holds() map[string]string {
	out := map[string]string{}
	err := f.own.View(context.Background(), func(tx *sqldb.Tx) error {
		rows, err := tx.Query(context.Background(), "SELECT account_id, id FROM hold")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var account, hold string
			if err := rows.Scan(&account, &hold); err != nil {
				return err
			}
			out[account] = hold
		}
		return rows.Err()
	})
	if err != nil {
		f.t.Errorf("read all holds: %v", err)
	}
	return out
}

// fightFor lets all clients fight while instances are killed.
func (f *fire) fightFor(limit time.Duration) {
	seed := rand.Uint64()
	f.t.Logf("seed %d", seed)
	ctx, cancel := context.WithTimeout(f.t.Context(), limit)
	defer cancel()
	var all sync.WaitGroup
	for n := range fireClients {
		all.Go(func() { client{fire: f, number: n, random: rand.New(rand.NewPCG(seed, uint64(n)))}.run(ctx) })
	}
	all.Go(func() { f.torment(ctx, rand.New(rand.NewPCG(seed, fireClients))) })
	all.Wait()
}

// settle gives back what is left, and then takes each slot once more: none is lost.
func (f *fire) settle() {
	c := client{fire: f, number: fireClients, random: rand.New(rand.NewPCG(1, 1))}
	for range 50 {
		if len(f.live("")) == 0 {
			break
		}
		c.recover("")
	}
	f.record.resolve(f.holds())
	c.lookAround()
	for i := range f.slots {
		account := id.New()
		out := c.do(asked{slot: i, verb: create, hold: account}, func(ctx context.Context, a *app.App) (string, error) {
			v, err := a.CreateHold(ctx, f.caller(account), app.HoldRequest{PatientID: id.New(), SlotID: f.slots[i].ID})
			return v.ID, err
		})
		if out.outcome != done {
			f.t.Errorf("slot %d is lost: %+v", i, out)
		}
	}
	c.lookAround()
}

// Invariant 1, while everything is killed that can be.
func TestNoSlotIsGivenTwiceOrLostUnderFire(t *testing.T) {
	for engine, instances := range map[sqldb.Engine]int{sqldb.SQLite: 1, sqldb.Postgres: 3} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			f := openFire(t, engine, instances)
			f.fightFor(fireTime(t))
			f.settle()
			tally := map[asked]int{}
			open := 0
			for _, op := range f.record.ops {
				tally[asked{verb: ask(op.Input).verb}]++
				if answer(op.Output).outcome == unknown && op.Return >= 0 {
					open++
				}
			}
			t.Logf("%d instances, %d kills, %d calls (%d creates, %d attaches, %d confirms, %d releases, %d facts, %d looks at a slot), %d without an answer", instances, f.kills,
				len(f.record.ops), tally[asked{verb: create}], tally[asked{verb: attach}], tally[asked{verb: confirm}], tally[asked{verb: release}],
				tally[asked{verb: free}], tally[asked{verb: look}], open)
			if f.kills == 0 || tally[asked{verb: confirm}] == 0 {
				t.Error("nothing was tested: nobody was killed, or nothing was booked")
			}
			if result := f.record.judge(t); result != porcupine.Ok {
				t.Errorf("the history is not that of slots which one has at a time: %s", result)
			}
		})
	}
}

// The proof would be worth nothing if it could not fail: an occupancy row is taken out behind the service's back, so that a slot is given twice.
func TestTheProofFindsASlotThatIsGivenTwice(t *testing.T) {
	t.Parallel()
	f := openFire(t, sqldb.SQLite, 1)
	c := client{fire: f, random: rand.New(rand.NewPCG(2, 2))}
	take := func() told {
		account := id.New()
		return c.do(asked{slot: 7, verb: create, hold: account}, func(ctx context.Context, a *app.App) (string, error) {
			v, err := a.CreateHold(ctx, f.caller(account), app.HoldRequest{PatientID: id.New(), SlotID: f.slots[7].ID})
			return v.ID, err
		})
	}
	if first, second := take(), take(); first.outcome != done || second.outcome != taken {
		t.Fatalf("%+v, %+v", first, second)
	}
	if result := f.record.judge(t); result != porcupine.Ok {
		t.Fatalf("nothing is wrong yet: %s", result)
	}
	if err := f.own.Update(t.Context(), func(tx *sqldb.Tx) error {
		n, err := tx.Exec(t.Context(), "DELETE FROM occupancy WHERE place_id = $1", f.slots[7].ID)
		if err == nil && n != 1 {
			err = errors.New("there was no such row")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if again := take(); again.outcome != done {
		t.Fatalf("%+v", again)
	}
	if result := f.record.judge(t); result != porcupine.Illegal {
		t.Errorf("a slot was given twice, and the proof says %s", result)
	}
}
