package host

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// admin serves health, readiness, metrics and profiles. It belongs on loopback or an internal network.
func (h *Host) admin(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if ctx.Err() != nil {
			http.Error(w, "stopping", http.StatusServiceUnavailable)
			return
		}
		problems := h.health(r.Context())
		w.Header().Set("Content-Type", "application/json")
		if len(problems) > 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"ready": len(problems) == 0, "problems": problems})
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(h.telemetry.Registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	if !loopback(h.settings.AdminAddr) {
		h.telemetry.Logger.WarnContext(ctx, "TONGZHEN_ADMIN_ADDR is not loopback: it shows metrics and profiles of the process to whoever can connect and must be on an internal network",
			"addr", h.settings.AdminAddr)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	return serveHTTP(ctx, server, h.settings.AdminAddr, "", "")
}

// health names each part that cannot work now.
func (h *Host) health(ctx context.Context) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	problems := map[string]string{}
	for name, s := range h.services {
		if err := s.Health(ctx); err != nil {
			problems[name] = err.Error()
		}
	}
	if h.gateway != nil {
		if err := h.gateway.service.Health(ctx); err != nil {
			problems[Gateway] = err.Error()
		}
	}
	return problems
}

// whenReady calls ready once every part can work, then waits for the end.
func (h *Host) whenReady(ctx context.Context, ready func()) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for len(h.health(ctx)) > 0 {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
	ready()
	<-ctx.Done()
	return nil
}
