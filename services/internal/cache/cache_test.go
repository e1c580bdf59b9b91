package cache_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"go.uber.org/goleak"

	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/cachetest"
	"github.com/tongzhen/tongzhen/services/internal/clock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemoryKeepsTheContract(t *testing.T) { t.Parallel(); cachetest.Suite(t, cachetest.Memory) }

func TestRedisKeepsTheContract(t *testing.T) { t.Parallel(); cachetest.Suite(t, cachetest.Redis) }

func fixed() *clock.Fixed { return clock.NewFixed(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)) }

func TestAFullMemoryForgetsWhatWasUnusedLongest(t *testing.T) {
	t.Parallel()
	s := cachetest.Memory(t, fixed())
	for i := range cache.MemoryEntries {
		if err := s.Set(t.Context(), fmt.Sprint(i), []byte{1}, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok, _ := s.Get(t.Context(), "0"); !ok { // used now
		t.Fatal("forgot before it was full")
	}
	if err := s.Set(t.Context(), "one more", []byte{1}, time.Hour); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{"0": true, "1": false, "2": true, "one more": true} {
		if _, ok, _ := s.Get(t.Context(), key); ok != want {
			t.Errorf("%s: there is %v, want %v", key, ok, want)
		}
	}
}

func TestAClosedMemoryAnswersWithAnError(t *testing.T) {
	t.Parallel()
	s := cache.Memory(fixed())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Get(t.Context(), "k"); !errors.Is(err, cache.ErrClosed) {
		t.Errorf("get: %v", err)
	}
	if err := s.Set(t.Context(), "k", nil, time.Minute); !errors.Is(err, cache.ErrClosed) {
		t.Errorf("set: %v", err)
	}
	if _, _, err := s.Allow(t.Context(), "k", 1, time.Minute); !errors.Is(err, cache.ErrClosed) {
		t.Errorf("allow: %v", err)
	}
}

func mini(t *testing.T) (*miniredis.Miniredis, cache.Store) {
	t.Helper()
	server := miniredis.RunT(t)
	s, err := cache.Redis(t.Context(), "redis://"+server.Addr(), fixed())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return server, s
}

func TestRedisLeavesNothingBehindForGood(t *testing.T) {
	t.Parallel()
	server, s := mini(t)
	if err := s.Set(t.Context(), "k", []byte("v"), time.Minute); err != nil {
		t.Fatal(err)
	}
	if ok, _, err := s.Allow(t.Context(), "k", 1, time.Minute); !ok || err != nil {
		t.Fatal(ok, err)
	}
	for _, key := range server.Keys() {
		if !strings.HasPrefix(key, "tongzhen:") || server.TTL(key) != time.Minute {
			t.Errorf("%s ends after %s", key, server.TTL(key))
		}
	}
	server.FastForward(time.Minute)
	if keys := server.Keys(); len(keys) != 0 {
		t.Errorf("left: %v", keys)
	}
}

func TestRedisAwayIsAnErrorAndComingBackIsEnough(t *testing.T) {
	t.Parallel()
	server, s := mini(t)
	server.Close()
	if _, _, err := s.Get(t.Context(), "k"); err == nil {
		t.Error("got from nobody")
	}
	if ok, _, err := s.Allow(t.Context(), "k", 1, time.Minute); ok || err == nil {
		t.Error("nobody allowed it")
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	if err := s.Set(t.Context(), "k", []byte("v"), time.Minute); err != nil {
		t.Errorf("set after it came back: %v", err)
	}
}

func TestRedisNeedNotBeThereAtTheStart(t *testing.T) {
	t.Parallel()
	s, err := cache.Redis(t.Context(), "redis://127.0.0.1:1", fixed())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, _, err := s.Get(t.Context(), "k"); err == nil {
		t.Error("got from nobody")
	}
}

func TestABadURLIsRefusedWithoutShowingIt(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "http://x", "redis://user:hunter2@[::1", "redis://user:hunter2@host:port"} {
		if _, err := cache.Redis(t.Context(), url, fixed()); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestAForeignValueIsNoValue(t *testing.T) {
	t.Parallel()
	server, s := mini(t)
	if err := server.Set("tongzhen:v:k", "short"); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.Get(t.Context(), "k"); ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
}
