package bustest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

func impossibleConsumer(t *testing.T, b bus.Bus) {
	ctx, cancel := context.WithTimeout(t.Context(), waitTime)
	defer cancel()
	for name, c := range map[string]bus.Consumer{
		"no name":        {Subjects: []string{all}},
		"name with dots": {Name: "a.b", Subjects: []string{all}},
		"no subjects":    {Name: "test-none"},
		"overlapping":    {Name: "test-overlap", Subjects: []string{all, submitted}},
	} {
		if err := b.Consume(ctx, c, func(context.Context, bus.Msg) error { return nil }); err == nil {
			t.Errorf("%s: consumed", name)
		}
	}
}

func drains(t *testing.T, b bus.Bus) {
	publish(t, b, Fact(submitted))
	begun, finish := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var ended atomic.Bool
	stop := Start(t, b, bus.Consumer{Name: "test-drain", Subjects: []string{all}}, func(ctx context.Context, _ bus.Msg) error {
		once.Do(func() { close(begun) })
		<-finish
		ended.Store(ctx.Err() == nil)
		return nil
	})
	Receive(t, begun, "begin of the handler")
	time.AfterFunc(100*time.Millisecond, func() { close(finish) })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if !ended.Load() {
		t.Error("the handler was cut off")
	}
}

func tailFrom(t *testing.T, b bus.Bus) {
	for range 5 {
		publish(t, b, Fact(submitted), Fact("record.v1.450321.glass_broken"))
	}
	got := make(chan bus.Msg, 100)
	stop := background(t, func(ctx context.Context) error {
		return b.Tail(ctx, 4, []string{all}, func(m bus.Msg) { got <- m })
	})
	publish(t, b, Fact(accepted))
	last := uint64(3)
	for {
		m := Receive(t, got, "message")
		if m.Sequence <= last {
			t.Errorf("%d after %d", m.Sequence, last)
		}
		last = m.Sequence
		if m.Subject == accepted {
			break
		}
	}
	if last != 11 {
		t.Errorf("the last is %d, want 11", last)
	}
	if err := stop(); err != nil {
		t.Errorf("tail ended with %v", err)
	}
}

func tailNew(t *testing.T, b bus.Bus) {
	old := Fact(submitted)
	publish(t, b, old)
	got := make(chan bus.Msg, 1000)
	background(t, func(ctx context.Context) error {
		return b.Tail(ctx, 0, []string{all}, func(m bus.Msg) { got <- m })
	})
	// Nothing tells when the tail has begun, so publish until one is seen.
	for range 1000 {
		publish(t, b, Fact(accepted))
		timer := time.NewTimer(20 * time.Millisecond)
		select {
		case m := <-got:
			if m.ID == old.ID {
				t.Error("an old message came")
			}
			return
		case <-timer.C:
		}
	}
	t.Error("nothing came")
}

func tailTooOld(t *testing.T, b bus.Bus) {
	publish(t, b, Fact(submitted))
	ctx, cancel := context.WithTimeout(t.Context(), waitTime)
	defer cancel()
	if err := b.Tail(ctx, 100, []string{all}, func(bus.Msg) {}); !errors.Is(err, bus.ErrTooOld) {
		t.Errorf("got %v, want ErrTooOld", err)
	}
}

func closing(t *testing.T, b bus.Bus) {
	handled := make(chan struct{}, 10)
	publish(t, b, Fact(submitted))
	consuming := Start(t, b, bus.Consumer{Name: "test-close", Subjects: []string{all}},
		func(context.Context, bus.Msg) error { handled <- struct{}{}; return nil })
	Receive(t, handled, "message")
	done := make(chan error, 1)
	go func() { done <- b.Tail(context.Background(), 1, []string{all}, func(bus.Msg) {}) }()
	for range 2 {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := Receive(t, done, "end of the tail"); err != nil {
		t.Error(err)
	}
	if err := consuming(); err != nil {
		t.Error(err)
	}
	m := Fact(submitted)
	if failed, err := b.Publish(t.Context(), m); errs.KindOf(err) != errs.KindUnavailable || failed[m.ID] == nil {
		t.Errorf("published on a closed bus: %v", err)
	}
	if b.Ready(t.Context()) == nil {
		t.Error("a closed bus is ready")
	}
	if err := b.Consume(t.Context(), bus.Consumer{Name: "test-closed", Subjects: []string{all}},
		func(context.Context, bus.Msg) error { return nil }); err != nil {
		t.Error(err)
	}
}

func present(t *testing.T, b bus.Bus) {
	if err := b.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if last, err := b.LastSequence(t.Context()); err != nil || last != 0 {
		t.Errorf("empty stream: %d, %v", last, err)
	}
	publish(t, b, Fact(submitted), Fact(accepted))
	if last, err := b.LastSequence(t.Context()); err != nil || last != 2 {
		t.Errorf("after two: %d, %v", last, err)
	}
}
