// Package rpc is the one place that builds gRPC servers and clients. It owns what every call must have: a deadline, an
// identity, a trace, admission by the service's table, a validated request, and an error of the errs vocabulary. It
// refuses methods that stream both ways and knows no service.
//
// Invariants:
//  1. A server whose table does not fit its methods one to one is not made.
//  2. A service's token is good only on a connection that proves the same service: by certificate between processes,
//     by the in-memory handshake inside one.
//  3. Without TLS nothing listens or dials but loopback, sockets of the machine and memory.
//  4. A panic ends the call, not the process, and its text does not leave.
//
// All types are safe for concurrent use.
package rpc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"buf.build/go/protovalidate"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc/filters"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/clock"
)

const (
	// maxMessage lets an import of 20,000 clinical entries through.
	maxMessage = 32 << 20
	// serverTimeout ends a call whose caller set no deadline.
	serverTimeout = 10 * time.Second
	// drainTimeout is how long calls in flight may go on after the server was told to stop: as long as our clients wait.
	drainTimeout = 5 * time.Second
	// pingAfter finds a peer that vanished without closing the connection.
	pingAfter, pingTimeout = 30 * time.Second, 10 * time.Second
)

// ServerConfig is what a server needs. Only TLS may be nil: then it serves loopback and memory alone.
type ServerConfig struct {
	Service  string // e.g. "referral"
	Table    authz.Table
	Verifier *authn.Verifier
	Logger   *slog.Logger
	Clock    clock.Clock
	TLS      *tls.Config // LoadTLS; client certificates are required and verified whatever it says
}

// Server is a gRPC server with health and reflection, which are open to everybody who can connect.
type Server struct {
	cfg    ServerConfig
	grpc   *grpc.Server
	health *health.Server
}

// NewServer makes a server of the methods that register adds. It fails when a method has no rule, a rule no method, a
// rule admits nobody, or a method streams both ways.
func NewServer(cfg ServerConfig, register func(grpc.ServiceRegistrar)) (*Server, error) {
	if cfg.Service == "" || cfg.Verifier == nil || cfg.Logger == nil || cfg.Clock == nil {
		return nil, errors.New("make gRPC server: service, verifier, logger and clock are needed")
	}
	creds, err := newServerCreds(cfg.TLS)
	if err != nil {
		return nil, fmt.Errorf("make gRPC server of %s: %w", cfg.Service, err)
	}
	// One validator for all servers of the process: it compiles the rules of a message once, and the making of it reads every descriptor.
	g := gate{ServerConfig: cfg, validator: protovalidate.GlobalValidator}
	s := &Server{cfg: cfg, health: health.NewServer(), grpc: grpc.NewServer(
		grpc.Creds(creds),
		grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithFilter(filters.Not(filters.HealthCheck())))),
		grpc.UnaryInterceptor(g.unary),
		grpc.StreamInterceptor(g.stream),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: pingAfter, Timeout: pingTimeout}),
		Pinged(),
	)}
	register(s.grpc)
	if err := check(cfg.Table, s.grpc.GetServiceInfo()); err != nil {
		return nil, fmt.Errorf("make gRPC server of %s: %w", cfg.Service, err)
	}
	healthv1.RegisterHealthServer(s.grpc, s.health)
	reflection.Register(s.grpc)
	s.health.Shutdown()
	return s, nil
}

// Pinged lets clients of Dial find out whether the server is still there, also between two calls. Every server that they may reach needs it: one
// without cuts a connection off, and whatever is under way on it, that was idle for some minutes.
func Pinged() grpc.ServerOption {
	return grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingTimeout, PermitWithoutStream: true})
}

// check holds the table against what was registered and tells everything that does not fit.
func check(table authz.Table, services map[string]grpc.ServiceInfo) error {
	problems := []error{table.Validate()}
	registered := map[string]bool{}
	for name, info := range services {
		for _, m := range info.Methods {
			method := "/" + name + "/" + m.Name
			registered[method] = true
			if m.IsClientStream && m.IsServerStream {
				problems = append(problems, fmt.Errorf("%s streams both ways", method))
			}
			if _, ok := table[method]; !ok {
				problems = append(problems, fmt.Errorf("%s has no rule", method))
			}
		}
	}
	for method := range table {
		if !registered[method] {
			problems = append(problems, fmt.Errorf("the rule %s has no method", method))
		}
	}
	return errors.Join(problems...)
}

// Serve answers calls on lis until ctx ends; then health turns to NOT_SERVING, no new call is taken, and those in
// flight have a few seconds to end. It closes lis. A server that was stopped does not serve again.
func (s *Server) Serve(ctx context.Context, lis net.Listener) error {
	if s.cfg.TLS == nil && !local(lis.Addr()) {
		return errors.Join(fmt.Errorf("serve %s on %s: without certificates only loopback is allowed", s.cfg.Service, lis.Addr()),
			lis.Close())
	}
	drained := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(drained)
		s.drain()
	})
	if ctx.Err() == nil {
		s.health.Resume()
	}
	err := s.grpc.Serve(lis)
	if !cancel() {
		<-drained
		return nil
	}
	if err != nil {
		s.drain()
		return fmt.Errorf("serve %s: %w", s.cfg.Service, err)
	}
	return nil // stopped by the end of another Serve
}

func (s *Server) drain() {
	s.health.Shutdown()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.grpc.GracefulStop()
	}()
	patience := time.NewTimer(drainTimeout)
	defer patience.Stop()
	select {
	case <-done:
	case <-patience.C:
		s.grpc.Stop()
		<-done
	}
}

// ListenLoopback listens on host:port of this machine alone and refuses every other address; port 0 takes a free one.
func ListenLoopback(ctx context.Context, addr string) (net.Listener, error) {
	lis, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if !local(lis.Addr()) {
		return nil, errors.Join(fmt.Errorf("listen on %s: without certificates only loopback is allowed", addr), lis.Close())
	}
	return lis, nil
}

// local tells whether only this machine can connect.
func local(addr net.Addr) bool {
	if tcp, ok := addr.(*net.TCPAddr); ok {
		return tcp.IP.IsLoopback()
	}
	return slices.Contains([]string{"unix", memNetwork}, addr.Network())
}
