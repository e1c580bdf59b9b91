package cache

import (
	"bytes"
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
)

// MemoryEntries is how many entries Memory holds, and how many windows of limits beside them. When it is full, what
// was not used for the longest time goes.
const MemoryEntries = 50_000

// Memory is a store within the process. It starts nothing: what is over is removed when it is met or pushed out.
func Memory(clk clock.Clock) Store {
	return &memory{clk: clk, values: newTable[[]byte](), windows: newTable[int]()}
}

type memory struct {
	clk     clock.Clock
	mu      sync.Mutex
	values  *table[[]byte]
	windows *table[int] // how many calls were allowed
	closed  bool
}

func (m *memory) Get(ctx context.Context, key string) ([]byte, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, false, ErrClosed
	}
	e := m.values.get(key, m.clk.Now())
	if e == nil {
		return nil, false, nil
	}
	return bytes.Clone(e.value), true, nil
}

func (m *memory) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if ttl < time.Millisecond {
		return ErrTTL
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	// An empty value is a value: it must not come back as nil.
	m.values.put(key, append([]byte{}, value...), m.clk.Now().Add(ttl))
	return nil
}

func (m *memory) Delete(ctx context.Context, keys ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	for _, key := range keys {
		m.values.remove(key)
	}
	return nil
}

func (m *memory) Allow(ctx context.Context, key string, n int, per time.Duration) (bool, time.Duration, error) {
	if err := checkLimit(n, per); err != nil {
		return false, 0, err
	}
	if err := ctx.Err(); err != nil {
		return false, 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false, 0, ErrClosed
	}
	now := m.clk.Now()
	w := m.windows.get(key, now)
	switch {
	case w == nil:
		m.windows.put(key, 1, now.Add(per))
		return true, 0, nil
	case w.value < n:
		w.value++
		return true, 0, nil
	default:
		return false, min(w.until.Sub(now), per), nil
	}
}

func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.values, m.windows = nil, nil
	return nil
}

// table is a map that forgets what is over, and what was unused for the longest time when there are too many.
type table[V any] struct {
	byKey map[string]*list.Element
	used  *list.List // of *entry[V], last used in front
}

type entry[V any] struct {
	key   string
	value V
	until time.Time
}

func newTable[V any]() *table[V] {
	return &table[V]{byKey: make(map[string]*list.Element), used: list.New()}
}

// get answers nil when there is none or its time is over.
func (t *table[V]) get(key string, now time.Time) *entry[V] {
	el, ok := t.byKey[key]
	if !ok {
		return nil
	}
	e, _ := el.Value.(*entry[V]) // the list holds nothing else
	if !now.Before(e.until) {
		t.remove(key)
		return nil
	}
	t.used.MoveToFront(el)
	return e
}

func (t *table[V]) put(key string, value V, until time.Time) {
	t.remove(key)
	t.byKey[key] = t.used.PushFront(&entry[V]{key: key, value: value, until: until})
	if len(t.byKey) > MemoryEntries {
		e, _ := t.used.Back().Value.(*entry[V])
		t.remove(e.key)
	}
}

func (t *table[V]) remove(key string) {
	if el, ok := t.byKey[key]; ok {
		t.used.Remove(el)
		delete(t.byKey, key)
	}
}
