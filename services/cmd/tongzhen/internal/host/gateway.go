package host

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"

	"github.com/tongzhen/tongzhen/services/gateway"
	"github.com/tongzhen/tongzhen/services/gateway/hl7"
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
	mllp    mllpSettings
}

// mllpSettings are where hospitals' systems send; empty = off.
type mllpSettings struct{ addr, cert, key string }

func (h *Host) openGateway(ctx context.Context) (*gatewayPart, error) {
	conns := map[string]*grpc.ClientConn{}
	for _, name := range Backends() {
		conn, err := h.dial(ctx, Gateway, name)
		if err != nil {
			return nil, err
		}
		conns[name] = conn
	}
	senders, err := hl7.LoadSenders(h.settings.MLLPSendersFile)
	if err != nil {
		return nil, err
	}
	s, err := gateway.New(ctx, gateway.Config{
		Secure: h.settings.TLSCertFile != "" || h.settings.SecureCookie, Demo: h.options.Demo, Senders: senders,
		Proxies: h.settings.TrustedProxies,
	}, gateway.Deps{
		Conns: rest.Conns{
			Directory: conns[Directory], Referral: conns[Referral], PatientRecord: conns[PatientRecord],
			Scheduling: conns[Scheduling], Notification: conns[Notification],
		},
		Bus: h.bus, Cache: h.cache, Ring: h.keys.ring, Clock: h.clock, Logger: h.telemetry.Logger,
	})
	if err != nil {
		return nil, err
	}
	return &gatewayPart{
		service: s, addr: h.settings.HTTPAddr, cert: h.settings.TLSCertFile, key: h.settings.TLSKeyFile, logger: h.telemetry.Logger,
		mllp: mllpSettings{h.settings.MLLPAddr, h.settings.MLLPCertFile, h.settings.MLLPKeyFile},
	}, nil
}

// Run serves HTTP until ctx ends: open streams are ended, requests in flight are finished.
func (g *gatewayPart) Run(ctx context.Context) error {
	server := &http.Server{
		Handler: g.service.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 60 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(g.logger.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(g.service.Close)
	parts := []run.Part{
		{Name: "live", Runner: run.Func(g.service.Run)},
		{Name: "http", Runner: run.Func(func(ctx context.Context) error { return serveHTTP(ctx, server, g.addr, g.cert, g.key) })},
	}
	if g.mllp.addr != "" {
		parts = append(parts, run.Part{Name: "hl7", Runner: run.Func(g.serveHL7)})
	}
	return run.Group(ctx, stopTimeout, parts...)
}

// serveHL7 takes messages until ctx ends.
func (g *gatewayPart) serveHL7(ctx context.Context) error {
	var config *tls.Config
	if g.mllp.cert != "" {
		pair, err := tls.LoadX509KeyPair(g.mllp.cert, g.mllp.key)
		if err != nil {
			return fmt.Errorf("load the certificate for HL7: %w", err)
		}
		config = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", g.mllp.addr)
	if err != nil {
		return fmt.Errorf("listen for HL7 on %s: %w", g.mllp.addr, err)
	}
	return g.service.ServeHL7(ctx, listener, config)
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
