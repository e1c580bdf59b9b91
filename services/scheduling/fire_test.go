package scheduling_test

import (
	"context"
	"errors"
	"fmt"
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
	"github.com/tongzhen/tongzhen/services/internal/placetest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/events"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/store"
)

const (
	fireClients = 64
	// fireRound bounds a history, so that its check stays quick: a longer fight is several, each in a county of its own.
	fireRound = 10 * time.Second
	// firePatience is how much longer clients may fight on a machine on which little happens in a time.
	firePatience = 30 * time.Second
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

// keeper answers for the referral service: every hold is still wanted, and referrals are as clients said last.
type keeper struct{ cases sync.Map }

func (*keeper) Settle(context.Context, string, string, string) (app.Verdict, error) {
	return app.Verdict{Keep: true}, nil
}

func (k *keeper) Case(_ context.Context, _, referral string) (domain.Case, error) {
	if c, ok := k.cases.Load(referral); ok {
		if c, ok := c.(domain.Case); ok {
			return c, nil
		}
	}
	return domain.Case{}, errs.NotFound("referral")
}

// life is one life of an instance: its own connections, its own background work.
type life struct {
	*app.App
	plans *app.Planner
	ctx   context.Context
	kill  func()
	next  chan struct{} // closed when the instance lives again
}

// fire is a county in which everybody wants the same slots.
type fire struct {
	t         *testing.T
	cfg       sqldb.Config
	zone      *time.Location
	own       *sqldb.DB // of the test, not killed
	instances []atomic.Pointer[life]
	hospital  string
	groups    []*group
	record    *placetest.Record
	facts     *watcher
	keeper    keeper
	kills     atomic.Int64
}

func openFire(t *testing.T, engine sqldb.Engine, instances int) *fire {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	f := &fire{t: t, cfg: dbtest.Config(t, engine), zone: zone, instances: make([]atomic.Pointer[life], instances), hospital: id.New(),
		record: placetest.NewRecord(clock.System())}
	f.own = dbtest.Reopen(t, f.cfg, clock.System())
	if err := sqldb.Migrate(t.Context(), f.own, scheduling.Migrations()...); err != nil {
		t.Fatal(err)
	}
	f.cfg.MaxOpen = 8
	f.live()
	t.Cleanup(f.stop)
	// Without a reserve, as that of the slots that are left would change with every session; what it opens to whom is not fought about.
	policy := app.BookingPolicy{Policy: domain.DefaultPolicy()}
	policy.ReservePercent = 0
	if _, err := f.instances[0].Load().plans.SetPolicy(t.Context(), f.planning(id.New()), policy); err != nil {
		t.Fatal(err)
	}
	f.openGroups()
	f.facts = newWatcher(f)
	return f
}

// live lets all instances live, stop ends them.
func (f *fire) live() {
	for i := range f.instances {
		f.instances[i].Store(f.begin(true))
	}
}

func (f *fire) stop() {
	for i := range f.instances {
		f.instances[i].Load().kill()
	}
}

// caller sends patients from a township.
func (f *fire) caller(account string) app.Caller {
	return app.Caller{County: county, AccountID: account, OrganizationID: id.FromFact("township"), Township: true}
}

// planning is somebody of the hospital who plans the whole county.
func (f *fire) planning(account string) app.Planning {
	return app.Planning{Caller: app.Caller{County: county, AccountID: account, OrganizationID: f.hospital}, Whole: true}
}

// begin opens an instance. It ends without warning: what it does is cut off, its connections are dropped.
func (f *fire) begin(busy bool) *life {
	ctx, cancel := context.WithCancel(context.Background())
	db, err := sqldb.Open(ctx, f.cfg, clock.System())
	if err != nil {
		cancel()
		f.t.Errorf("open an instance: %v", err)
		return &life{ctx: ctx, kill: cancel, next: make(chan struct{})}
	}
	l := &life{ctx: ctx, next: make(chan struct{}), App: app.New(store.New(db, events.Encode, func() {}), &f.keeper, f.zone, slog.New(slog.DiscardHandler))}
	l.plans = app.NewPlanner(l.App, app.Calendar{Holiday: func(time.Time) bool { return false }, HorizonDays: 30})
	var work sync.WaitGroup
	if busy {
		work.Go(func() { l.background() })
	}
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
func (l *life) background() {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
			_ = l.work()
		}
	}
}

func (l *life) work() error {
	now := clock.System().Now()
	return errors.Join(l.Sweep(l.ctx), l.plans.Work(l.ctx, now), l.Allocate(l.ctx, now, true))
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
		f.instances[i].Store(f.begin(true))
		close(old.next)
		f.kills.Add(1)
	}
}

// fightFor lets all clients fight while instances are killed, and where little comes of it in that time, until everything was done once.
func (f *fire) fightFor(limit time.Duration) {
	seed := rand.Uint64()
	f.t.Logf("seed %d", seed)
	ctx, cancel := context.WithTimeout(f.t.Context(), limit+firePatience)
	defer cancel()
	enough := time.AfterFunc(limit, func() { f.untilTested(ctx); cancel() })
	defer enough.Stop()
	var all sync.WaitGroup
	for n := range fireClients {
		all.Go(func() {
			c := client{fire: f, number: n, random: rand.New(rand.NewPCG(seed, uint64(n)))}
			c.run(ctx)
		})
	}
	all.Go(func() { f.torment(ctx, rand.New(rand.NewPCG(seed, fireClients))) })
	all.Go(func() { f.facts.follow(ctx) })
	all.Wait()
}

func (f *fire) untilTested(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil && len(f.untested()) > 0 {
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// untested is what has not happened yet.
func (f *fire) untested() (missing []string) {
	_, done, _ := f.record.Tally()
	for _, v := range []placetest.Verb{placetest.Confirm, placetest.Move, placetest.Block, placetest.Cancel, placetest.Relocate, placetest.Offer} {
		if done[v] == 0 {
			missing = append(missing, fmt.Sprintf("nothing of verb %d was done", v))
		}
	}
	if f.kills.Load() == 0 {
		missing = append(missing, "nobody was killed")
	}
	return missing
}

// tell logs what was done.
func (f *fire) tell() {
	calls, done, open := f.record.Tally()
	all := 0
	for _, n := range calls {
		all += n
	}
	f.t.Logf("%d instances, %d kills, %d calls, %d of them without an answer; done of asked: creates %d/%d, attaches %d/%d, confirms %d/%d, releases %d/%d, facts %d/%d, "+
		"moves %d/%d, blocks %d/%d, unblocks %d/%d, sessions cancelled %d/%d, rebooked %d, offers %d, left the list %d/%d, looks %d",
		len(f.instances), f.kills.Load(), all, open, done[placetest.Create], calls[placetest.Create], done[placetest.Attach], calls[placetest.Attach],
		done[placetest.Confirm], calls[placetest.Confirm], done[placetest.Release], calls[placetest.Release], done[placetest.Free], calls[placetest.Free],
		done[placetest.Move], calls[placetest.Move], done[placetest.Block], calls[placetest.Block], done[placetest.Unblock], calls[placetest.Unblock],
		done[placetest.Cancel], calls[placetest.Cancel], done[placetest.Relocate], done[placetest.Offer], done[placetest.Leave], calls[placetest.Leave],
		calls[placetest.Look])
	for _, missing := range f.untested() {
		f.t.Errorf("nothing was tested: %s", missing)
	}
}

// Invariants 1, 11 and 13, while everything is killed that can be.
func TestNoSlotIsGivenTwiceOrLostUnderFire(t *testing.T) {
	for engine, instances := range map[sqldb.Engine]int{sqldb.SQLite: 1, sqldb.Postgres: 3} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			for left := fireTime(t); left > 0; left -= fireRound {
				f := openFire(t, engine, instances)
				f.fightFor(min(left, fireRound))
				f.settle()
				f.tell()
				began := time.Now()
				if result := f.record.Check(t); result != porcupine.Ok {
					t.Errorf("the history is not that of slots which one has at a time: %s", result)
				}
				t.Logf("checked in %s", time.Since(began).Round(time.Millisecond))
				if t.Failed() {
					return
				}
			}
		})
	}
}

// The proof would be worth nothing if it could not fail: behind the service's back a booking loses its place, or ends, so that its slot is given to
// another.
func TestTheProofFindsASlotThatIsGivenTwiceAndABookingThatIsLost(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string][]string{
		"given twice": {"DELETE FROM occupancy WHERE hold_id = $1"},
		"lost":        {"DELETE FROM occupancy WHERE hold_id = $1", "UPDATE hold SET state = 'RELEASED' WHERE id = $1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := openFire(t, sqldb.SQLite, 1)
			c := &client{fire: f, random: rand.New(rand.NewPCG(2, 2))}
			g, patient := f.groups[0], id.New()
			first := c.take(g, 7, id.New(), patient)
			h := &held{client: c, group: g, slot: 7, hold: first.Hold, tie: app.Tie{HoldID: first.Hold, ReferralID: id.New(), PatientID: patient}}
			h.confirm()
			if second := c.take(g, 7, id.New(), id.New()); first.Outcome != placetest.Done || h.booking == "" || second.Outcome != placetest.Taken {
				t.Fatalf("%+v, %+v", first, second)
			}
			if result := f.record.Check(t); result != porcupine.Ok {
				t.Fatalf("nothing is wrong yet: %s", result)
			}
			f.spoil(faults, first.Hold)
			if again := c.take(g, 7, id.New(), id.New()); again.Outcome != placetest.Done {
				t.Fatalf("%+v", again)
			}
			if result := f.record.Check(t); result != porcupine.Illegal {
				t.Errorf("the booking has no place, and the proof says %s", result)
			}
			if found := f.faults(); name == "given twice" && len(found) == 0 {
				t.Error("a hold has no place, and nobody minds")
			}
		})
	}
}

// Somebody who is displaced and on no list, or on it without being displaced, is found at the end.
func TestTheProofFindsADisplacedBookingThatIsNotListed(t *testing.T) {
	t.Parallel()
	f := openFire(t, sqldb.SQLite, 1)
	c, l := &client{fire: f, random: rand.New(rand.NewPCG(2, 2))}, f.calm()
	g := f.fill(c)
	if !c.end(g, 0) {
		t.Fatal("the session was not cancelled")
	}
	f.work(l)
	if n := f.displaced(g); n != sessionSlots {
		t.Fatalf("%d are displaced", n)
	}
	var one string
	f.each("SELECT id FROM hold WHERE displaced_time IS NOT NULL ORDER BY id LIMIT 1", nil, func(scan func(...any) error) error { return scan(&one) })
	f.spoil([]string{"DELETE FROM waitlist_entry WHERE hold_id = $1"}, one)
	if found := f.faults(); len(found) != 1 {
		t.Errorf("one is not on the list: %q", found)
	}
	f.work(l)
	f.spoil([]string{"UPDATE hold SET displaced_time = NULL WHERE id = $1"}, one)
	if found := f.faults(); len(found) != 2 { // it is in a cancelled session, and waits for what it has
		t.Errorf("one is on the list, and not displaced: %q", found)
	}
}

// spoil changes what is kept of a hold behind the service's back.
func (f *fire) spoil(statements []string, hold string) {
	f.t.Helper()
	if err := f.own.Update(f.t.Context(), func(tx *sqldb.Tx) error {
		for _, statement := range statements {
			n, err := tx.Exec(f.t.Context(), statement, hold)
			if err == nil && n != 1 {
				err = errors.New("there was no such row")
			}
			if err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		f.t.Fatal(err)
	}
}
