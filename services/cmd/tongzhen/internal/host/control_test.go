package host_test

import (
	"path/filepath"
	"strings"
	"testing"

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
