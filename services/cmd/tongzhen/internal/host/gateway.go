package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"

	"github.com/tongzhen/tongzhen/services/gateway"
	"github.com/tongzhen/tongzhen/services/gateway/rest"
	"github.com/tongzhen/tongzhen/services/internal/run"
)

// gatewayPart is the gateway with its HTTP server.
type gatewayPart struct {
	service *gateway.Service
	addr    string
	cert    string
	key     string
	logger  *slog.Logger
}

func (h *Host) openGateway(ctx context.Context) (*gatewayPart, error) {
	conns := map[string]*grpc.ClientConn{}
	for _, name := range Backends() {
		conn, err := h.dial(ctx, Gateway, name)
		if err != nil {
			return nil, err
		}
		conns[name] = conn
	}
	s, err := gateway.New(ctx, gateway.Config{Secure: h.settings.TLSCertFile != "" || h.settings.SecureCookie, Demo: h.options.Demo}, gateway.Deps{
		Conns: rest.Conns{
			Directory: conns[Directory], Referral: conns[Referral], PatientRecord: conns[PatientRecord],
			Scheduling: conns[Scheduling], Notification: conns[Notification],
		},
		Bus: h.bus, Cache: h.cache, Ring: h.keys.ring, Clock: h.clock, Logger: h.telemetry.Logger,
	})
	if err != nil {
		return nil, err
	}
	return &gatewayPart{service: s, addr: h.settings.HTTPAddr, cert: h.settings.TLSCertFile, key: h.settings.TLSKeyFile, logger: h.telemetry.Logger}, nil
}

// Run serves HTTP until ctx ends: open streams are ended, requests in flight are finished.
func (g *gatewayPart) Run(ctx context.Context) error {
	server := &http.Server{
		Handler: g.service.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 60 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(g.logger.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(g.service.Close)
	return run.Group(ctx, stopTimeout,
		run.Part{Name: "live", Runner: run.Func(g.service.Run)},
		run.Part{Name: "http", Runner: run.Func(func(ctx context.Context) error { return serveHTTP(ctx, server, g.addr, g.cert, g.key) })},
	)
}

// serveHTTP serves until ctx ends, then finishes what is in flight, bounded.
func serveHTTP(ctx context.Context, server *http.Server, addr, cert, key string) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		stopped <- server.Shutdown(bounded)
	})
	defer stop()
	if cert != "" {
		err = server.ServeTLS(listener, cert, key)
	} else {
		err = server.Serve(listener)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP on %s: %w", addr, err)
	}
	return <-stopped
}
