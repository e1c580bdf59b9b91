package outbox_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// fakeBus is a bus whose faults the test decides; it embeds none of the rest.
type fakeBus struct {
	bus.Bus
	mu       sync.Mutex
	stored   map[string]int
	messages []bus.Msg
	calls    int
	// fault answers for a message why it is not stored, nil if it is.
	fault func(call int, m bus.Msg) error
	ready func() error
	// changed is signalled after every Publish and Ready.
	changed chan struct{}
}

func newFakeBus() *fakeBus {
	return &fakeBus{
		stored: map[string]int{}, changed: make(chan struct{}, 1),
		fault: func(int, bus.Msg) error { return nil }, ready: func() error { return nil },
	}
}

func (b *fakeBus) Publish(_ context.Context, msgs ...bus.Msg) (map[string]error, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	failed := map[string]error{}
	for _, m := range msgs {
		if err := b.fault(b.calls, m); err != nil {
			failed[m.ID] = err
			continue
		}
		b.stored[m.ID]++
		b.messages = append(b.messages, m)
	}
	b.signal()
	if len(failed) > 0 {
		return failed, errs.Unavailable("bus", errors.New("fault"))
	}
	return nil, nil
}

func (b *fakeBus) Ready(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.signal()
	return b.ready()
}

func (b *fakeBus) signal() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// until waits for a signal of the bus after which done is true.
func (b *fakeBus) until(t *testing.T, done func() bool) {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		b.mu.Lock()
		ok := done()
		b.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-b.changed:
		case <-limit:
			t.Fatal("the bus did not get what it should")
		}
	}
}
