// Package bustest owns the conformance suite of the bus and the servers that tests run it on. What it starts belongs to
// one test and ends with it.
package bustest

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// Quick are options with short delays, so that what a test waits for comes soon.
func Quick() bus.Options {
	return bus.Options{Backoff: []time.Duration{5 * time.Millisecond}, AckWait: 2 * time.Second}
}

// Embedded is a bus with its server inside the process, on a directory of the test.
func Embedded(t *testing.T) bus.Bus {
	t.Helper()
	o := Quick()
	o.Dir = t.TempDir()
	return Open(t, o)
}

// Remote is a bus on a server elsewhere, kept apart by a prefix: that of TEST_NATS_URL, or when it is not set one that
// listens on the loopback for this test. TEST_REQUIRE_SERVICES=1 without TEST_NATS_URL fails.
func Remote(t *testing.T) bus.Bus {
	t.Helper()
	o := Quick()
	o.URL = os.Getenv("TEST_NATS_URL")
	if o.URL == "" {
		if os.Getenv("TEST_REQUIRE_SERVICES") == "1" {
			t.Fatal("TEST_NATS_URL is not set, and TEST_REQUIRE_SERVICES=1")
		}
		o.URL = StartServer(t).URL
	}
	o.Prefix = "T" + strings.ReplaceAll(id.New(), "-", "")
	t.Cleanup(func() { dropStreams(t, o.URL, o.Prefix) })
	return Open(t, o)
}

// Open opens a bus that the test closes at its end.
func Open(t *testing.T, o bus.Options) bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// Each runs fn with the embedded server and with a remote one.
func Each(t *testing.T, fn func(t *testing.T, b bus.Bus)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { t.Parallel(); fn(t, Embedded(t)) })
	t.Run("remote", func(t *testing.T) { t.Parallel(); fn(t, Remote(t)) })
}

// waitTime bounds every wait of the suite. It is long: it only decides how late a failure is told.
const waitTime = 30 * time.Second

// Receive takes one value, or fails the test.
func Receive[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	timer := time.NewTimer(waitTime)
	defer timer.Stop()
	select {
	case v := <-c:
		return v
	case <-timer.C:
		t.Fatalf("no %s within %s", what, waitTime)
		panic("unreachable")
	}
}

// Start runs Consume until stop is called or the test ends; stop answers what Consume returned.
func Start(t *testing.T, b bus.Bus, c bus.Consumer, handler func(ctx context.Context, m bus.Msg) error) (stop func() error) {
	t.Helper()
	return background(t, func(ctx context.Context) error { return b.Consume(ctx, c, handler) })
}

func background(t *testing.T, f func(ctx context.Context) error) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	var err error
	stopped := false
	stop = func() error {
		if !stopped {
			stopped = true
			cancel()
			err = Receive(t, done, "end of what runs in the background")
		}
		return err
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}
