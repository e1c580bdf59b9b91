package harness

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/config"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// Separate starts each service as a process of its own on PostgreSQL, a NATS server and Redis, with the demo county. Every
// run has its own database and its own NATS server; what Redis holds, it holds under ids. Without TEST_POSTGRES_URL and
// TEST_REDIS_URL the test is skipped, or fails with TEST_REQUIRE_SERVICES=1.
func Separate(t testing.TB, binary string, env ...string) *System {
	t.Helper()
	s := apart(t, binary, env)
	for _, name := range append(backends(), "gateway") {
		env := []string{"TONGZHEN_DATA_DIR=" + filepath.Join(s.dir, name)}
		if addr := s.dial[name]; addr != "" {
			env = append(env, "TONGZHEN_GRPC_ADDR="+addr)
		}
		s.add(t, name, []string{"serve", name}, env...)
	}
	s.Start(t)
	s.Seed(t)
	return s
}

// Replicas starts n processes of one service on PostgreSQL, a NATS server and Redis; its peers are away. Names are service-0, service-1, …, and there is
// no gateway. Without the servers' addresses as with Separate.
func Replicas(t testing.TB, binary, service string, n int) *System {
	t.Helper()
	s := apart(t, binary, nil)
	for i := range n {
		name := fmt.Sprintf("%s-%d", service, i)
		s.dial[name] = s.address(t)
		s.add(t, name, []string{"serve", service}, "TONGZHEN_DATA_DIR="+filepath.Join(s.dir, name), "TONGZHEN_GRPC_ADDR="+s.dial[name])
	}
	s.URL = ""
	s.Start(t)
	return s
}

// apart makes the surroundings of services that run as processes of their own.
func apart(t testing.TB, binary string, env []string) *System {
	t.Helper()
	postgres, redis := server(t, "TEST_POSTGRES_URL"), server(t, "TEST_REDIS_URL")
	database, nats := freshDatabase(t, postgres), startNATS(t)
	s := newSystem(t, binary, append(env, "TONGZHEN_DATABASE_URL="+database, "TONGZHEN_NATS_URL="+nats.URL, "TONGZHEN_REDIS_URL="+redis))
	s.nats = nats
	s.signing = filepath.Join(s.dir, "signing.pem")
	s.must(t, authn.GenerateKeyFile(s.signing))
	ring, err := crypt.NewRing()
	s.must(t, err)
	s.must(t, config.CreateSecretFile(filepath.Join(s.dir, "keyring.json"), ring))
	s.env = append(s.env, "TONGZHEN_KEYRING_FILE="+filepath.Join(s.dir, "keyring.json"), "TONGZHEN_SIGNING_KEY_FILE="+s.signing)
	for _, name := range backends() {
		s.dial[name] = s.address(t)
		s.data[name] = sqldb.Config{URL: database, Schema: name}
		s.env = append(s.env, fmt.Sprintf("TONGZHEN_%s_ADDR=%s", strings.ToUpper(name), s.dial[name]))
	}
	_, err = s.Command(t.Context(), "migrate")
	s.must(t, err)
	return s
}

// Bus connects to the NATS server that stands beside the processes.
func (s *System) Bus(t testing.TB) bus.Bus {
	t.Helper()
	b, err := bus.Connect(t.Context(), s.nats.URL, slog.New(slog.DiscardHandler))
	s.must(t, err)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// server is the address of a server that the test needs.
func server(t testing.TB, variable string) string {
	t.Helper()
	address := os.Getenv(variable)
	if address == "" {
		Missing(t, variable+" is not set")
	}
	return address
}

// Missing skips a test whose surroundings lack something, or fails it with TEST_REQUIRE_SERVICES=1.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("TEST_REQUIRE_SERVICES") == "1" {
		t.Fatal(what + ", and TEST_REQUIRE_SERVICES=1")
	}
	t.Skip(what)
}

func startNATS(t testing.TB) *bustest.Server {
	t.Helper()
	plain, ok := t.(*testing.T)
	if !ok {
		t.Fatal("a NATS server is started for tests only")
	}
	return bustest.StartServer(plain)
}

// InterruptBus takes the NATS server away until restore is called; false when the bus is embedded.
func (s *System) InterruptBus() (restore func(*testing.T), ok bool) {
	if s.nats == nil {
		return nil, false
	}
	s.nats.Stop()
	return s.nats.Start, true
}

// freshDatabase makes a database for this run and drops it at its end.
func freshDatabase(t testing.TB, server string) string {
	t.Helper()
	name := "tz_e2e_" + strings.ReplaceAll(id.New(), "-", "")
	execute := func(ctx context.Context, statement string) error {
		conn, err := pgx.Connect(ctx, server)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(ctx) }()
		_, err = conn.Exec(ctx, statement)
		return err
	}
	if err := execute(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatalf("make a database: %v", err)
	}
	t.Cleanup(func() {
		if err := execute(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the database: %v", err)
		}
	})
	address, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	address.Path = "/" + name
	return address.String()
}
