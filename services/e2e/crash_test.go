package e2e_test

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/check"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// crashTime is how long processes are killed: TONGZHEN_CRASH_SECONDS, or what is bearable in every test run.
func crashTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("TONGZHEN_CRASH_SECONDS")
	if text == "" {
		return 12 * time.Second
	}
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds <= 0 {
		t.Fatalf("TONGZHEN_CRASH_SECONDS=%q is no number of seconds", text)
	}
	return time.Duration(seconds) * time.Second
}

// crashSeed makes two runs kill alike, as far as two runs are alike.
func crashSeed(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("TONGZHEN_CRASH_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		must(t, err)
	}
	t.Logf("TONGZHEN_CRASH_SEED=%d", seed)
	return seed
}

func TestNoCrashLosesOrDoublesAnythingOnSQLite(t *testing.T) {
	t.Parallel()
	s := harness.Together(t, binary, false)
	s.Seed(t)
	crash(t, s)
}

// crash kills random processes of the system under load, and then holds what is left against the promises.
func crash(t *testing.T, s *harness.System) {
	t.Helper()
	seed, limit := crashSeed(t), crashTime(t)
	l := newLoad(signInAll(t, s))
	ctx, cancel := context.WithTimeout(t.Context(), limit+5*time.Minute)
	defer cancel()
	var clients sync.WaitGroup
	for i := range 6 {
		doctor := []*harness.Person{l.cast.township, l.cast.township2}[i%2]
		random := rand.New(rand.NewPCG(seed, uint64(i+1)))
		clients.Go(func() { l.run(ctx, doctor, random) })
	}
	killer := tormentor{T: t, ctx: ctx, system: s, random: rand.New(rand.NewPCG(seed, 0))}
	killer.run(limit)
	close(l.rest)
	clients.Wait()
	patience := settleTime
	if limit > time.Minute {
		patience = 3 * time.Minute // the sweep asks about what was left behind after a minute
	}
	world := l.cast.rests(t, s, patience)
	t.Logf("%d kills, %d journeys, %d repeated calls, %d referrals, %d candidates, %d entries",
		killer.kills, l.journeys, l.repeats, len(world.Referrals), len(world.Candidates), len(world.Entries))
	if killer.kills == 0 || l.journeys == 0 {
		t.Error("nothing was tested: no process was killed, or no journey came to its end")
	}
	l.judge(t, world)
	s.Stop(t)
	s.CheckAudit(t, false)
}

// judge: nobody was refused without a reason, what was answered exists, and no request made more than one referral.
func (l *load) judge(t *testing.T, world check.World) {
	t.Helper()
	for _, fault := range l.faults[:min(len(l.faults), 20)] {
		t.Error(fault)
	}
	existing, made := map[string]bool{}, map[string]int{}
	for _, r := range world.Referrals {
		existing[r.GetId()] = true
		made[r.GetTransferNote()]++
	}
	for request, referral := range l.created {
		if !existing[referral] {
			t.Errorf("referral %s of request %s was answered and is lost", referral, request)
		}
	}
	for request, n := range made {
		if n > 1 || !l.asked[request] {
			t.Errorf("request %q made %d referrals (asked for: %v)", request, n, l.asked[request])
		}
	}
}

// tormentor kills and starts processes.
type tormentor struct {
	*testing.T
	ctx    context.Context
	system *harness.System
	random *rand.Rand
	kills  int
}

func (k *tormentor) run(limit time.Duration) {
	k.Helper()
	end, told := time.Now().Add(limit), time.Now()
	for time.Now().Before(end) {
		k.pause(1500 * time.Millisecond)
		if k.random.IntN(8) == 0 && k.interrupt() {
			continue
		}
		k.kill()
		if time.Since(told) > time.Minute {
			told = time.Now()
			k.Logf("%d kills, %s to go", k.kills, time.Until(end).Round(time.Second))
		}
	}
}

// kill one process; now and then it is killed again while it starts.
func (k *tormentor) kill() {
	k.Helper()
	p := k.system.Processes[k.random.IntN(len(k.system.Processes))]
	p.Kill()
	k.kills++
	if k.random.IntN(4) == 0 {
		must(k.T, p.Start())
		k.pause(400 * time.Millisecond)
		p.Kill()
		k.kills++
	}
	must(k.T, p.Start())
	k.ready()
}

// interrupt takes the event bus away for a while, if it is a process of its own.
func (k *tormentor) interrupt() bool {
	k.Helper()
	restore, ok := k.system.InterruptBus()
	if !ok {
		return false
	}
	k.pause(2 * time.Second)
	restore(k.T)
	k.ready()
	return true
}

func (k *tormentor) ready() {
	k.Helper()
	ctx, cancel := context.WithTimeout(k.ctx, time.Minute)
	defer cancel()
	if err := k.system.WaitReady(ctx); err != nil {
		k.Fatalf("after %d kills: %v", k.kills, err)
	}
}

// pause waits a random time of at most limit.
func (k *tormentor) pause(limit time.Duration) {
	timer := time.NewTimer(time.Duration(k.random.Int64N(int64(limit))))
	defer timer.Stop()
	select {
	case <-k.ctx.Done():
	case <-timer.C:
	}
}
