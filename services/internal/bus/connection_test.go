package bus_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
)

func TestEverythingGoesOnAfterTheServerRestarts(t *testing.T) {
	t.Parallel()
	server := bustest.StartServer(t)
	b := bustest.Open(t, options(server.URL))
	got, tailed := make(chan string, 100), make(chan string, 100)
	bustest.Start(t, b, bus.Consumer{Name: "test-restart", Subjects: []string{all}},
		func(_ context.Context, m bus.Msg) error { got <- m.ID; return nil })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Tail(ctx, 1, []string{all}, func(m bus.Msg) { tailed <- m.ID }) }()

	for round := range 3 {
		m := bustest.Fact(submitted)
		publishWhenBack(t, b, m)
		for bustest.Receive(t, got, fmt.Sprintf("message of round %d", round)) != m.ID {
			continue // a repetition is allowed
		}
		if id := bustest.Receive(t, tailed, fmt.Sprintf("tailed message of round %d", round)); id != m.ID {
			t.Errorf("round %d: tailed %s, want %s", round, id, m.ID)
		}
		server.Stop()
		lost := bustest.Fact(submitted)
		if failed, err := b.Publish(t.Context(), lost); err == nil || failed[lost.ID] == nil {
			t.Error("published without a server")
		}
		if b.Ready(t.Context()) == nil {
			t.Error("ready without a server")
		}
		server.Start(t)
	}
	cancel()
	if err := bustest.Receive(t, done, "end of the tail"); err != nil {
		t.Error(err)
	}
}

func TestAClusterKeepsThreeCopiesAndSurvivesTheLossOfItsLeader(t *testing.T) {
	t.Parallel()
	cluster := bustest.StartCluster(t, 3)
	b := bustest.Open(t, options(bustest.URLs(cluster)))
	got := make(chan string, 100)
	bustest.Start(t, b, bus.Consumer{Name: "test-cluster", Subjects: []string{all}},
		func(_ context.Context, m bus.Msg) error { got <- m.ID; return nil })
	expect := func(m bus.Msg) {
		t.Helper()
		publishWhenBack(t, b, m)
		for bustest.Receive(t, got, "message") != m.ID {
			continue // a repetition is allowed
		}
	}
	expect(bustest.Fact(submitted))
	s, err := broker(t, bustest.URLs(cluster)).Stream(t.Context(), "FACTS")
	if err != nil {
		t.Fatal(err)
	}
	info := s.CachedInfo()
	if info.Config.Replicas != 3 {
		t.Errorf("%d copies, want 3", info.Config.Replicas)
	}
	leader := slices.IndexFunc(cluster, func(s *bustest.Server) bool { return s.Name == info.Cluster.Leader })
	cluster[leader].Stop()
	expect(bustest.Fact(submitted))
	cluster[leader].Start(t)
	expect(bustest.Fact(submitted))
	// It catches up. A server that is stopped while it does leaves goroutines behind.
	js := broker(t, bustest.URLs(cluster))
	for _, name := range []string{"FACTS", "DEADLETTER"} {
		waitUntil(t, func() bool {
			s, err := js.Stream(t.Context(), name)
			return err == nil && caughtUp(s.CachedInfo().Cluster)
		})
	}
	waitUntil(t, func() bool {
		c, err := js.Consumer(t.Context(), "FACTS", "test-cluster")
		return err == nil && caughtUp(c.CachedInfo().Cluster)
	})
}

func caughtUp(c *jetstream.ClusterInfo) bool {
	return len(c.Replicas) == 2 && !slices.ContainsFunc(c.Replicas, func(p *jetstream.PeerInfo) bool { return !p.Current || p.Offline })
}

// ancient speaks just enough of the protocol for a client to connect and learn the version.
func ancient(t *testing.T, version string) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				fmt.Fprintf(conn, "INFO {\"server_id\":\"x\",\"version\":%q,\"max_payload\":1048576,\"headers\":true}\r\n", version)
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					if strings.HasPrefix(lines.Text(), "PING") {
						fmt.Fprint(conn, "PONG\r\n")
					}
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
	return "nats://" + l.Addr().String()
}

func TestAServerThatIsTooOldIsRefusedByName(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.9.10", "1.4.1", "what"} {
		b, err := bus.Connect(t.Context(), ancient(t, version), silent)
		if err == nil {
			b.Close()
			t.Fatalf("%s was taken", version)
		}
		if !strings.Contains(err.Error(), version) || !strings.Contains(err.Error(), "2.10") {
			t.Errorf("%v: it names not both versions", err)
		}
	}
}

func TestConnectingWaitsForTheServerAndNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	server := bustest.StartServer(t)
	server.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if b, err := bus.Connect(ctx, server.URL, silent); err == nil {
		b.Close()
		t.Fatal("connected to nobody")
	}
	type result struct {
		b   bus.Bus
		err error
	}
	connected := make(chan result, 1)
	go func() {
		b, err := bus.Connect(context.Background(), server.URL, silent)
		connected <- result{b, err}
	}()
	server.Start(t)
	r := bustest.Receive(t, connected, "connection")
	if r.err != nil {
		t.Fatal(r.err)
	}
	defer r.b.Close()
	publish(t, r.b, bustest.Fact(submitted))
}

func TestNoErrorOrLogShowsAPasswordInTheURL(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	for _, url := range []string{"nats://user:hunter2@127.0.0.1:1", "nats://user:hunter2@[::1", "nats://user:hunter2@127.0.0.1:port"} {
		b, err := bus.Connect(ctx, url, slog.New(slog.NewTextHandler(&log, nil)))
		if err == nil {
			b.Close()
			t.Fatal("connected")
		}
		if strings.Contains(err.Error()+log.String(), "hunter2") {
			t.Errorf("%v\n%s", err, log.String())
		}
	}
}
