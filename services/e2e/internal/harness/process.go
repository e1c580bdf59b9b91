package harness

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// stopTime bounds a polite stop; it is longer than the product's own bound.
const stopTime = 40 * time.Second

// Process is one process of the product, started, killed and started again on the same settings.
type Process struct {
	Name   string
	Binary string
	Args   []string
	Env    []string
	Log    string // file that every run appends to
	Admin  string // address of /readyz

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
	end  error
}

// Start runs it.
func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	// Not bound to a context: a process ends by Stop and Kill, never by the end of a test's context under its feet.
	cmd := exec.Command(p.Binary, p.Args...) //nolint:noctx // see above
	cmd.Env, cmd.Stdout, cmd.Stderr = p.Env, log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	done := make(chan struct{})
	p.cmd, p.done = cmd, done
	go func() {
		err := cmd.Wait()
		p.mu.Lock()
		p.end = err
		p.mu.Unlock()
		close(done)
	}()
	return nil
}

// Kill ends it as a power cut does, and waits for the end.
func (p *Process) Kill() { _, _ = p.signal(syscall.SIGKILL) }

// Stop asks it to end and answers how it did; an error if it has to be killed or ends badly. Stopping twice is harmless.
func (p *Process) Stop() error {
	ended, err := p.signal(syscall.SIGTERM)
	if !ended {
		p.Kill()
		return fmt.Errorf("%s did not stop within %s", p.Name, stopTime)
	}
	if err != nil {
		return fmt.Errorf("stop %s: %w", p.Name, err)
	}
	return nil
}

// signal answers false if the process still runs after stopTime, else how it ended.
func (p *Process) signal(s syscall.Signal) (ended bool, end error) {
	p.mu.Lock()
	cmd, done := p.cmd, p.done
	p.mu.Unlock()
	if cmd == nil {
		return true, nil
	}
	_ = cmd.Process.Signal(s)
	timer := time.NewTimer(stopTime)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		return false, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd = nil
	return true, p.end
}

// WaitReady waits until the process says that it can work. It fails at once when the process ends.
func (p *Process) WaitReady(ctx context.Context) error {
	p.mu.Lock()
	done := p.done
	p.mu.Unlock()
	return poll(ctx, "readiness of "+p.Name, done, func() bool { return answers(ctx, "http://"+p.Admin+"/readyz") })
}

// Tail is the end of its log.
func (p *Process) Tail() string {
	text, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	const most = 6000
	return string(text[max(0, len(text)-most):])
}

// answers tells whether a GET is answered 200.
func answers(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

var errEnded = errors.New("the process ended")

// poll asks until the answer is yes, the context ends, or the channel is closed.
func poll(ctx context.Context, what string, ended <-chan struct{}, ask func() bool) error {
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for !ask() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, ctx.Err())
		case <-ended:
			return fmt.Errorf("wait for %s: %w", what, errEnded)
		case <-tick.C:
		}
	}
	return nil
}

// Ports below those that the system gives to outgoing connections: one of these would otherwise take a port between two
// starts of the process that it was chosen for.
const (
	firstPort = 15000
	lastPort  = 32000
)

// nextPort makes every port of this run another one; the start differs so that two runs side by side rarely meet.
var nextPort = func() *atomic.Int64 {
	var n atomic.Int64
	n.Store(rand.Int64N(lastPort - firstPort))
	return &n
}()

// freeAddr is an address of the loopback that was free a moment ago and is given to nobody else in this run.
func freeAddr() (string, error) {
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", firstPort+nextPort.Add(1)%(lastPort-firstPort))
		listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
		if err == nil {
			return addr, listener.Close()
		}
	}
	return "", errors.New("a hundred ports in a row are taken")
}
