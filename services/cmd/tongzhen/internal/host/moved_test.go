package host_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
)

func TestAHistoryNeedsANewFolderToItself(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		spoil func(t *testing.T, s *host.Settings)
		tells string
	}{
		"used":        {func(t *testing.T, s *host.Settings) { t.Helper(); touch(t, s, "directory.db") }, "time does not go backwards"},
		"interrupted": {func(t *testing.T, s *host.Settings) { t.Helper(); touch(t, s, "history.unfinished") }, "was interrupted"},
		"shared":      {func(_ *testing.T, s *host.Settings) { s.DatabaseURL = "postgres://127.0.0.1/none" }, "embedded parts"},
		"elsewhere":   {func(_ *testing.T, s *host.Settings) { s.ReferralAddr = "127.0.0.1:1" }, "embedded parts"},
		"running": {func(t *testing.T, s *host.Settings) {
			t.Helper()
			var config net.ListenConfig
			s.ControlAddr = "unix:" + filepath.Join(t.TempDir(), "c")
			listener, err := config.Listen(t.Context(), "unix", strings.TrimPrefix(s.ControlAddr, "unix:"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listener.Close() })
		}, "stop it first"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := host.Settings{DataDir: t.TempDir()}
			c.spoil(t, &settings)
			_, err := host.OpenMoved(t.Context(), settings, "450321", at)
			if err == nil || !strings.Contains(err.Error(), c.tells) {
				t.Errorf("%v, which does not tell %q", err, c.tells)
			}
			if errors.Is(err, host.ErrUsed) != (name == "used") {
				t.Errorf("%v: only a used folder is told as one", err)
			}
		})
	}
}

func touch(t *testing.T, s *host.Settings, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.DataDir, name), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAnInterruptedHistoryIsMarkedAndAFinishedOneIsNot(t *testing.T) {
	t.Parallel()
	settings := host.Settings{DataDir: t.TempDir(), LogLevel: "error"}
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	world, err := host.OpenMoved(t.Context(), settings, "450321", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	if !marked(settings) {
		t.Error("nothing says that the history is not finished")
	}
	if err := world.MoveTo(t.Context(), at.Add(36*time.Hour)); err != nil || !world.Now().Equal(at.Add(36*time.Hour)) {
		t.Errorf("the clock stands at %s: %v", world.Now(), err)
	}
	if err := world.MoveTo(t.Context(), at); err != nil || !world.Now().Equal(at.Add(36*time.Hour)) {
		t.Errorf("the clock went back to %s: %v", world.Now(), err)
	}
	if err := world.Finish(t.Context()); err != nil || marked(settings) {
		t.Errorf("the history is still said to be unfinished: %v", err)
	}
}

func marked(s host.Settings) bool {
	_, err := os.Stat(filepath.Join(s.DataDir, "history.unfinished"))
	return err == nil
}
