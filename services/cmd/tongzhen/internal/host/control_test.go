package host_test

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/test/bufconn"

	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
)

func TestTheControlSocketIsAFileThatCanBeOpened(t *testing.T) {
	t.Parallel()
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	for name, s := range map[string]host.Settings{
		"a port of this machine": {ControlAddr: "127.0.0.1:7000"},
		"a path without unix:":   {ControlAddr: "/run/tongzhen.sock"},
		"no path":                {ControlAddr: "unix:"},
		"a path too long":        {ControlAddr: "unix:" + long},
		"a data folder too deep": {DataDir: long},
	} {
		if s.DataDir == "" {
			s.DataDir = t.TempDir()
		}
		h, err := host.Open(t.Context(), s, host.Options{})
		if err == nil {
			t.Errorf("%s: opened", name)
			_ = h.Close()
		} else if !strings.Contains(err.Error(), "TONGZHEN_CONTROL_ADDR") || !strings.Contains(err.Error(), "unix:PATH") {
			t.Errorf("%s: %v does not say what to do", name, err)
		}
		if c, err := host.Connect(t.Context(), s, "450321"); err == nil {
			t.Errorf("%s: connected", name)
			_ = c.Close()
		} else if !strings.Contains(err.Error(), "TONGZHEN_CONTROL_ADDR") {
			t.Errorf("%s: %v does not name the setting", name, err)
		}
	}
}

// Whoever is connected and asks now and then whether the other side is still there, as our clients do, is not cut off.
func TestAConnectionToTheControlSocketLastsWhileNobodyCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		listener := bufconn.Listen(1 << 16)
		serving, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- host.ServeControl(serving, listener) }()
		conn, err := grpc.NewClient("passthrough:///control", grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second, PermitWithoutStream: true}))
		check(t, err)
		conn.Connect()
		for state := conn.GetState(); state != connectivity.Ready; state = conn.GetState() {
			conn.WaitForStateChange(t.Context(), state)
		}
		// After half an hour without a call it rests by itself.
		quiet, over := context.WithTimeout(t.Context(), 29*time.Minute)
		defer over()
		if began := time.Now(); conn.WaitForStateChange(quiet, connectivity.Ready) {
			t.Errorf("it was %s after %s", conn.GetState(), time.Since(began))
		}
		check(t, conn.Close())
		stop()
		check(t, <-ended)
	})
}
