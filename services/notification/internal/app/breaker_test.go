package app_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
)

func TestAfterItsRestExactlyOneCallDecides(t *testing.T) {
	t.Parallel()
	clk := clock.NewFixed(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
	b := app.NewBreaker(clk, 3, time.Minute)
	late := b.Enter()
	for range 3 {
		b.Enter()(app.Fails)
	}
	if b.State() != "OPEN" || b.Enter() != nil {
		t.Fatalf("%s after three failures", b.State())
	}
	clk.Advance(time.Minute)
	var all sync.WaitGroup
	var in atomic.Int64
	var probe atomic.Value
	for range 8 {
		all.Go(func() {
			if ends := b.Enter(); ends != nil {
				in.Add(1)
				probe.Store(ends)
			}
		})
	}
	all.Wait()
	if in.Load() != 1 {
		t.Fatalf("%d calls decide", in.Load())
	}
	// One that began before tells nothing now.
	late(app.Works)
	if b.State() != "HALF_OPEN" {
		t.Errorf("%s by an old answer", b.State())
	}
	// A call that was not made decides nothing, and the next one does.
	end, _ := probe.Load().(func(int))
	end(app.Silent)
	if b.State() != "HALF_OPEN" {
		t.Errorf("%s after a call that was not made", b.State())
	}
	again := b.Enter()
	if again == nil || b.Enter() != nil {
		t.Fatal("not exactly one more")
	}
	again(app.Fails)
	if b.State() != "OPEN" {
		t.Errorf("%s after the probe failed", b.State())
	}
	clk.Advance(time.Minute)
	b.Enter()(app.Works)
	if b.State() != "CLOSED" || b.Enter() == nil || b.Enter() == nil {
		t.Errorf("%s after the probe went well", b.State())
	}
}

func TestAPermitThatWasNotUsedGoesToTheNext(t *testing.T) {
	t.Parallel()
	clk := clock.NewFixed(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
	p := app.NewPermits(cache.Memory(clk))
	takes := func() (n int) {
		for p.Take(t.Context(), 2, clk.Now()) == 0 {
			n++
		}
		return n
	}
	if n := takes(); n != 2 {
		t.Fatalf("%d in the first minute, want two", n)
	}
	p.Keep(2, clk.Now())
	if n := takes(); n != 1 {
		t.Errorf("%d, want the one that was given back", n)
	}
	p.Keep(2, clk.Now())
	clk.Advance(time.Minute)
	if n := takes(); n != 2 {
		t.Errorf("%d in the next minute, want two", n)
	}
}
