package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/config"
)

type settings struct {
	Address string        `default:"127.0.0.1:9000" env:"CONFIG_TEST_ADDRESS" help:"where to listen"`
	Timeout time.Duration `default:"5s" help:"how long to wait"`
	Workers int           `default:"2" env:"CONFIG_TEST_WORKERS" help:"how many"`
	Demo    bool          `help:"with the demo county"`
	Peers   []string      `help:"peers"`
}

func (s settings) Check(p *config.Problems) {
	if s.Workers < 1 {
		p.Add("workers", "must be at least 1")
	}
	if s.Timeout <= 0 {
		p.Add("timeout", "must be above 0")
	}
}

func TestWithoutAnySettingTheDefaultsHold(t *testing.T) {
	t.Parallel()
	var s settings
	if err := config.Load(&s, nil, nil); err != nil {
		t.Fatal(err)
	}
	if s.Address != "127.0.0.1:9000" || s.Timeout != 5*time.Second || s.Workers != 2 || s.Demo {
		t.Errorf("got %+v", s)
	}
}

func TestAFlagBeatsTheEnvironmentAndThatTheFile(t *testing.T) {
	file := []byte("address: 127.0.0.1:1\nworkers: 7\ntimeout: 9s\ndemo: true\npeers: [a, b]\n")
	t.Setenv("CONFIG_TEST_ADDRESS", "127.0.0.1:2")
	t.Setenv("CONFIG_TEST_WORKERS", "3")
	var s settings
	if err := config.Load(&s, []string{"--workers=4"}, file); err != nil {
		t.Fatal(err)
	}
	if s.Workers != 4 {
		t.Errorf("workers %d, want the flag's 4", s.Workers)
	}
	if s.Address != "127.0.0.1:2" {
		t.Errorf("address %s, want the environment's", s.Address)
	}
	if s.Timeout != 9*time.Second || !s.Demo || strings.Join(s.Peers, " ") != "a b" {
		t.Errorf("the file's values are lost: %+v", s)
	}
}

func TestEveryUnknownKeyOfTheFileIsNamed(t *testing.T) {
	t.Parallel()
	err := config.Load(&settings{}, nil, []byte("adress: x\nworkers: 1\nwrkers: 2\n"))
	if err == nil || !strings.Contains(err.Error(), "adress") || !strings.Contains(err.Error(), "wrkers") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNotUnderstoodIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		file string
	}{
		"unknown flag":     {args: []string{"--wrkers=1"}},
		"no number":        {args: []string{"--workers=many"}},
		"no duration":      {file: "timeout: soon"},
		"stray argument":   {args: []string{"serve"}},
		"not a map":        {file: "- a\n- b\n"},
		"two documents":    {file: "workers: 1\n---\nworkers: 2\n"},
		"key twice":        {file: "workers: 1\nworkers: 2\n"},
		"not YAML":         {file: "workers: [1\n"},
		"list for a value": {file: "workers: [1, 2]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := config.Load(&settings{}, c.args, []byte(c.file)); err == nil {
				t.Error("it was accepted")
			}
		})
	}
}

func TestAllProblemsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	err := config.Load(&settings{}, []string{"--workers=0", "--timeout=0s"}, nil)
	if err == nil || !strings.Contains(err.Error(), "workers: must") || !strings.Contains(err.Error(), "timeout: must") {
		t.Errorf("got %v", err)
	}
	var none config.Problems
	none.Wrap("address", nil)
	if none.Err() != nil {
		t.Errorf("problems without any: %v", none.Err())
	}
}
