package harness

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// County is the demo county, 阳朔县.
const County = "450321"

// Password of the demo accounts.
const Password = "tongzhen-demo"

// startTime bounds a start; it only decides how late a failure is told.
const startTime = 90 * time.Second

// System is a running Tongzhen. Its methods are for use by one goroutine, those of the people it signs in by many.
type System struct {
	// URL of the gateway; empty if there is none.
	URL string
	// Processes in the order in which they start; the last one is, or has, the gateway.
	Processes []*Process

	binary  string
	dir     string
	env     []string
	signing string            // file of the key that signs call tokens
	dial    map[string]string // service → gRPC address
	data    map[string]sqldb.Config
	nats    *bustest.Server // nil when it is embedded
}

// Together starts everything in one process on embedded parts. demo: with the demo county, again; else an empty county.
func Together(t testing.TB, binary string, demo bool, env ...string) *System {
	t.Helper()
	s := newSystem(t, binary, env)
	if demo {
		s.must(t, copyDemo(t.Context(), s.DataDir()))
	}
	return s.together(t, demo)
}

// Lived is Together with the demo county after months in which about so many referrals were made.
func Lived(t testing.TB, binary string, referrals, months int, env ...string) *System {
	t.Helper()
	s := newSystem(t, binary, env)
	_, err := s.Command(t.Context(), "seed", "--county", County, "--referrals", strconv.Itoa(referrals), "--months", strconv.Itoa(months))
	s.must(t, err)
	return s.together(t, true)
}

func (s *System) together(t testing.TB, demo bool) *System {
	t.Helper()
	args := []string{"serve"}
	if demo {
		args = append(args, "--demo")
	}
	s.add(t, "tongzhen", args)
	control := "unix:" + filepath.Join(s.dir, "data", "control.sock")
	for _, name := range backends() {
		s.dial[name] = control
		s.data[name] = sqldb.Config{URL: "sqlite:" + filepath.Join(s.dir, "data", name+".db")}
	}
	s.signing = filepath.Join(s.dir, "data", "signing.pem")
	s.Start(t)
	if demo {
		s.must(t, s.Processes[0].demoReady(t.Context()))
	}
	return s
}

func backends() []string {
	return []string{"directory", "patientrecord", "scheduling", "referral", "notification"}
}

func newSystem(t testing.TB, binary string, env []string) *System {
	t.Helper()
	dir, err := os.MkdirTemp("", "tz-e2e-") //nolint:usetesting // in t.TempDir the path of the control socket may be too long
	if err != nil {
		t.Fatal(err)
	}
	s := &System{binary: binary, dir: dir, dial: map[string]string{}, data: map[string]sqldb.Config{}}
	s.env = append(append(plainEnv(), "TONGZHEN_DATA_DIR="+filepath.Join(dir, "data"), "TONGZHEN_LOG_LEVEL=info"), env...)
	t.Cleanup(func() {
		for i := len(s.Processes) - 1; i >= 0; i-- {
			s.Processes[i].Kill()
		}
		if t.Failed() {
			for _, p := range s.Processes {
				t.Logf("--- end of the log of %s\n%s", p.Name, p.Tail())
			}
		}
		_ = os.RemoveAll(dir)
	})
	return s
}

// add a process that has addresses of its own.
func (s *System) add(t testing.TB, name string, args []string, env ...string) {
	t.Helper()
	web, admin := s.address(t), s.address(t)
	p := &Process{
		Name: name, Binary: s.binary, Args: args, Admin: admin, Log: filepath.Join(s.dir, name+".log"),
		Env: append(append([]string{}, s.env...), append(env, "TONGZHEN_HTTP_ADDR="+web, "TONGZHEN_ADMIN_ADDR="+admin)...),
	}
	s.Processes = append(s.Processes, p)
	s.URL = "http://" + web
}

func (s *System) address(t testing.TB) string {
	t.Helper()
	addr, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// Start starts every process and waits until all can work.
func (s *System) Start(t testing.TB) {
	t.Helper()
	for _, p := range s.Processes {
		s.must(t, p.Start())
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTime)
	defer cancel()
	s.must(t, s.WaitReady(ctx))
}

// WaitReady waits until every process, and the gateway if there is one, answer.
func (s *System) WaitReady(ctx context.Context) error {
	for _, p := range s.Processes {
		if err := p.WaitReady(ctx); err != nil {
			return err
		}
	}
	if s.URL == "" {
		return nil
	}
	last := s.Processes[len(s.Processes)-1]
	last.mu.Lock()
	done := last.done
	last.mu.Unlock()
	return poll(ctx, "the gateway", done, func() bool { return answers(ctx, s.URL+"/sign-in") })
}

// Stop ends every process politely, the last one first, and fails the test if one does not end well.
func (s *System) Stop(t testing.TB) {
	t.Helper()
	for i := len(s.Processes) - 1; i >= 0; i-- {
		if err := s.Processes[i].Stop(); err != nil {
			t.Error(err)
		}
	}
}

// Command runs `tongzhen args…` beside the system and answers what it printed and how it ended.
func (s *System) Command(ctx context.Context, args ...string) (output string, err error) {
	cmd := exec.CommandContext(ctx, s.binary, args...)
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("tongzhen %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// DataDir is the folder of the system that runs in one process.
func (s *System) DataDir() string { return filepath.Join(s.dir, "data") }

// Kill starts a command and kills it once it has printed something, or when it ended before.
func (s *System) Kill(t testing.TB, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), s.binary, args...)
	cmd.Env = s.env
	out, err := cmd.StdoutPipe()
	s.must(t, err)
	s.must(t, cmd.Start())
	_, _ = out.Read(make([]byte, 1))
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// Seed fills the county.
func (s *System) Seed(t testing.TB) {
	t.Helper()
	_, err := s.Command(t.Context(), "seed", "--county", County)
	s.must(t, err)
}

// Dial connects to a service in the name of the machine's commands.
func (s *System) Dial(t testing.TB, service string) *grpc.ClientConn {
	t.Helper()
	return s.DialAs(t, service, "cli")
}

// DialAs connects to a service, or to one of its replicas by name, in the name of another. Calls under a person's token are that person's.
func (s *System) DialAs(t testing.TB, service, self string) *grpc.ClientConn {
	t.Helper()
	conn, err := rpc.Dial(t.Context(), s.dial[service], rpc.ClientConfig{Self: self, Signer: s.Signer(t), Clock: clock.System(), Timeout: 20 * time.Second})
	s.must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Signer signs call tokens as the system's own services do.
func (s *System) Signer(t testing.TB) *authn.Signer {
	t.Helper()
	signer, err := authn.LoadSigner(s.signing)
	s.must(t, err)
	return signer
}

// Logs is everything that the processes have written.
func (s *System) Logs(t testing.TB) string {
	t.Helper()
	var all strings.Builder
	for _, p := range s.Processes {
		text, err := os.ReadFile(p.Log)
		s.must(t, err)
		all.Write(text)
	}
	return all.String()
}

// Metrics is what every process shows at /metrics.
func (s *System) Metrics(t testing.TB) string {
	t.Helper()
	var all strings.Builder
	for _, p := range s.Processes {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.Admin+"/metrics", nil)
		s.must(t, err)
		answer, err := http.DefaultClient.Do(request)
		s.must(t, err)
		_, err = io.Copy(&all, answer.Body)
		_ = answer.Body.Close()
		s.must(t, err)
	}
	return all.String()
}

func (s *System) must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
