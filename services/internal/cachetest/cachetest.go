// Package cachetest owns the conformance suite of the cache.
package cachetest

import (
	"context"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// Open gives an empty store that lives by the clock, for one test.
type Open func(t *testing.T, clk clock.Clock) cache.Store

// Memory is the store within the process.
func Memory(t *testing.T, clk clock.Clock) cache.Store {
	t.Helper()
	return closing(t, cache.Memory(clk))
}

// Redis is a store on TEST_REDIS_URL, kept apart by a prefix and emptied at the end of the test. When it is not set the
// test is skipped, or fails with TEST_REQUIRE_SERVICES=1.
func Redis(t *testing.T, clk clock.Clock) cache.Store {
	t.Helper()
	url := os.Getenv("TEST_REDIS_URL")
	if url == "" {
		if os.Getenv("TEST_REQUIRE_SERVICES") == "1" {
			t.Fatal("TEST_REDIS_URL is not set, and TEST_REQUIRE_SERVICES=1")
		}
		t.Skip("TEST_REDIS_URL is not set")
	}
	prefix := "test:" + id.New() + ":"
	t.Cleanup(func() { remove(t, url, prefix) })
	s, err := cache.RedisPrefix(t.Context(), url, prefix, clk)
	if err != nil {
		t.Fatal(err)
	}
	return closing(t, s)
}

// Each runs fn with a store of each kind.
func Each(t *testing.T, clk clock.Clock, fn func(t *testing.T, s cache.Store)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) { t.Parallel(); fn(t, Memory(t, clk)) })
	t.Run("redis", func(t *testing.T) { t.Parallel(); fn(t, Redis(t, clk)) })
}

func closing(t *testing.T, s cache.Store) cache.Store {
	t.Helper()
	t.Cleanup(func() {
		for range 2 {
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
	})
	return s
}

func remove(t *testing.T, url, prefix string) {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(o)
	defer client.Close()
	ctx := context.Background()
	keys := client.Scan(ctx, 0, prefix+"*", 1000).Iterator()
	for keys.Next(ctx) {
		if err := client.Del(ctx, keys.Val()).Err(); err != nil {
			t.Error(err)
		}
	}
	if err := keys.Err(); err != nil {
		t.Error(err)
	}
}

// Suite is the contract of cache.Store as tests.
func Suite(t *testing.T, open Open) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, cache.Store, *clock.Fixed){
		"what is set is got until its time is over":  untilOver,
		"setting replaces value and time":            replaces,
		"deleting removes, and what is not there":    deletes,
		"nothing and empty differ":                   emptyIsAValue,
		"callers may change their bytes":             noSharing,
		"a ttl below a millisecond is refused":       noTTL,
		"a limit lets n pass in a window":            limit,
		"limits of different keys do not touch":      limitKeys,
		"a limit counts exactly under concurrency":   limitConcurrent,
		"a senseless limit is refused":               senselessLimit,
		"an ended context is an error":               endedContext,
		"a window is not moved by a clock set back":  clockBack,
		"values and windows do not share their keys": apart,
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			clk := clock.NewFixed(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC))
			test(t, open(t, clk), clk)
		})
	}
}

func set(t *testing.T, s cache.Store, key, value string, ttl time.Duration) {
	t.Helper()
	if err := s.Set(t.Context(), key, []byte(value), ttl); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, s cache.Store, key, value string, present bool) {
	t.Helper()
	got, ok, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if ok != present || string(got) != value {
		t.Errorf("%s: got %q, %v, want %q, %v", key, got, ok, value, present)
	}
}

func untilOver(t *testing.T, s cache.Store, clk *clock.Fixed) {
	expect(t, s, "k", "", false)
	set(t, s, "k", "v", time.Minute)
	clk.Advance(time.Minute - time.Microsecond)
	expect(t, s, "k", "v", true)
	clk.Advance(time.Microsecond)
	expect(t, s, "k", "", false)
}

func replaces(t *testing.T, s cache.Store, clk *clock.Fixed) {
	set(t, s, "k", "old", time.Minute)
	clk.Advance(50 * time.Second)
	set(t, s, "k", "new", time.Minute)
	clk.Advance(50 * time.Second)
	expect(t, s, "k", "new", true)
	set(t, s, "k", "short", time.Second)
	clk.Advance(time.Second)
	expect(t, s, "k", "", false)
}

func deletes(t *testing.T, s cache.Store, _ *clock.Fixed) {
	set(t, s, "a", "1", time.Minute)
	set(t, s, "b", "2", time.Minute)
	set(t, s, "c", "3", time.Minute)
	if err := s.Delete(t.Context(), "a", "none", "b"); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, s, "a", "", false)
	expect(t, s, "b", "", false)
	expect(t, s, "c", "3", true)
}

func emptyIsAValue(t *testing.T, s cache.Store, _ *clock.Fixed) {
	set(t, s, "k", "", time.Minute)
	expect(t, s, "k", "", true)
}

func noSharing(t *testing.T, s cache.Store, _ *clock.Fixed) {
	mine := []byte("value")
	if err := s.Set(t.Context(), "k", mine, time.Minute); err != nil {
		t.Fatal(err)
	}
	mine[0] = 'X'
	got, _, err := s.Get(t.Context(), "k")
	if err != nil || string(got) != "value" {
		t.Fatalf("got %q, %v", got, err)
	}
	got[0] = 'Y'
	expect(t, s, "k", "value", true)
}

func noTTL(t *testing.T, s cache.Store, _ *clock.Fixed) {
	for _, ttl := range []time.Duration{0, -time.Second, time.Microsecond} {
		if err := s.Set(t.Context(), "k", []byte("v"), ttl); err == nil {
			t.Errorf("%s was taken", ttl)
		}
	}
	expect(t, s, "k", "", false)
}

func allow(t *testing.T, s cache.Store, key string, want bool, wait time.Duration) {
	t.Helper()
	ok, retryAfter, err := s.Allow(t.Context(), key, 3, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if ok != want || retryAfter != wait {
		t.Errorf("%s: %v after %s, want %v after %s", key, ok, retryAfter, want, wait)
	}
}

func limit(t *testing.T, s cache.Store, clk *clock.Fixed) {
	for range 2 {
		for range 3 {
			allow(t, s, "k", true, 0)
		}
		allow(t, s, "k", false, time.Minute)
		clk.Advance(59 * time.Second)
		allow(t, s, "k", false, time.Second)
		clk.Advance(time.Second - time.Microsecond)
		allow(t, s, "k", false, time.Microsecond)
		clk.Advance(time.Microsecond)
	}
}

func limitKeys(t *testing.T, s cache.Store, _ *clock.Fixed) {
	for range 3 {
		allow(t, s, "a", true, 0)
	}
	allow(t, s, "b", true, 0)
	allow(t, s, "a", false, time.Minute)
}

func limitConcurrent(t *testing.T, s cache.Store, _ *clock.Fixed) {
	var passed atomic.Int32
	var callers sync.WaitGroup
	for range 40 {
		callers.Go(func() {
			ok, _, err := s.Allow(context.Background(), "k", 10, time.Minute)
			if err != nil {
				t.Error(err)
			}
			if ok {
				passed.Add(1)
			}
		})
	}
	callers.Wait()
	if n := passed.Load(); n != 10 {
		t.Errorf("%d passed, want 10", n)
	}
}

func senselessLimit(t *testing.T, s cache.Store, _ *clock.Fixed) {
	for _, c := range []struct {
		n   int
		per time.Duration
	}{{0, time.Minute}, {-1, time.Minute}, {1, 0}, {1, time.Microsecond}} {
		if ok, _, err := s.Allow(t.Context(), "k", c.n, c.per); ok || err == nil {
			t.Errorf("%d in %s was taken", c.n, c.per)
		}
	}
}

func endedContext(t *testing.T, s cache.Store, _ *clock.Fixed) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Get(ctx, "k"); err == nil {
		t.Error("got")
	}
	if s.Set(ctx, "k", nil, time.Minute) == nil {
		t.Error("set")
	}
	if s.Delete(ctx, "k") == nil {
		t.Error("deleted")
	}
	if ok, _, err := s.Allow(ctx, "k", 1, time.Minute); ok || err == nil {
		t.Error("allowed")
	}
}

func clockBack(t *testing.T, s cache.Store, clk *clock.Fixed) {
	for range 3 {
		allow(t, s, "k", true, 0)
	}
	clk.Advance(-10 * time.Second)
	allow(t, s, "k", false, time.Minute) // never longer than the window
	clk.Advance(70 * time.Second)
	allow(t, s, "k", true, 0)
}

func apart(t *testing.T, s cache.Store, _ *clock.Fixed) {
	set(t, s, "k", "v", time.Minute)
	allow(t, s, "k", true, 0)
	expect(t, s, "k", "v", true)
}
