// Package rpctest is test help: services of one process that talk gRPC over memory as they do in the product, with keys
// of their own. What it starts ends with the test.
package rpctest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

// Mesh connects the services of one test.
type Mesh struct {
	Signer  *authn.Signer
	t       *testing.T
	network *rpc.Network
	logger  *slog.Logger
}

// New makes a mesh whose servers log to logger.
func New(t *testing.T, logger *slog.Logger) *Mesh {
	t.Helper()
	key, err := authn.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := authn.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	return &Mesh{Signer: signer, t: t, network: rpc.InProcess(), logger: logger}
}

// Serve serves a service behind its real gate.
func (m *Mesh) Serve(service string, table authz.Table, register func(grpc.ServiceRegistrar)) {
	m.t.Helper()
	server, err := rpc.NewServer(rpc.ServerConfig{
		Service: service, Table: table, Logger: m.logger,
		Verifier: authn.NewVerifier(authn.KeysOf(m.Signer), clock.System()), Clock: clock.System(),
	}, register)
	if err != nil {
		m.t.Fatal(err)
	}
	m.Background(func(ctx context.Context) error { return server.Serve(ctx, m.network.Listen(service)) })
}

// Background runs run until the test ends, and fails the test if it ends with an error.
func (m *Mesh) Background(run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	m.t.Cleanup(func() {
		cancel()
		if err := bustest.Receive(m.t, done, "end of a service"); err != nil {
			m.t.Error(err)
		}
	})
}

// Dial connects the service self to the target.
func (m *Mesh) Dial(self, target string) *grpc.ClientConn {
	m.t.Helper()
	conn, err := m.network.Dial(m.t.Context(), self, target, rpc.ClientConfig{Signer: m.Signer, Clock: clock.System()})
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Stranger connects to the target without being anybody: calls carry no token.
func (m *Mesh) Stranger(target string) *grpc.ClientConn {
	m.t.Helper()
	conn, err := m.network.Dial(m.t.Context(), "stranger", target, rpc.ClientConfig{})
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// As is a context in which the person calls.
func (m *Mesh) As(person authn.Identity) context.Context {
	m.t.Helper()
	token, err := m.Signer.Sign(person, time.Minute, clock.System().Now())
	if err != nil {
		m.t.Fatal(err)
	}
	return rpc.WithToken(m.t.Context(), token)
}
