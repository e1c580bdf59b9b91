// Package run owns how things that run are started and stopped: a Group of parts, and Every for what is repeated.
// It refuses to know what the parts do.
//
// Invariants:
//  1. Parts begin in their order; they are told to stop in the reverse order, the next one only when the one before
//     has ended or its time is up. A part may therefore use every part before it until its own end.
//  2. One part that fails stops all, and its error is returned with its name.
//  3. Stopping takes at most the number of parts times the timeout, and stopping twice is the same as once.
package run

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Runner is something that runs until its context ends, and then ends in a bounded time and returns nil.
// Returning nil earlier says that the work is done; returning an error says that it cannot go on.
type Runner interface {
	Run(ctx context.Context) error
}

// Func is a function as a Runner.
type Func func(ctx context.Context) error

// Run calls f.
func (f Func) Run(ctx context.Context) error { return f(ctx) }

// Part is one member of a Group. Name is for the operator.
type Part struct {
	Name string
	Runner
}

// ErrTimeout is in the error of a Group whose part did not end in time. Such a part is left behind, running.
var ErrTimeout = errors.New("did not stop in time")

// Group runs the parts until ctx ends, one of them fails or all of them are done; it returns after all have ended
// or the timeout of each is over. That ctx ended is no error, neither of the group nor of a part. The values of ctx
// reach the parts, its end does not: each part is told by the group, when it is its turn.
func Group(ctx context.Context, timeout time.Duration, parts ...Part) error {
	running := make([]*member, 0, len(parts))
	ended := make(chan *member, len(parts))
	for _, p := range parts {
		running = append(running, start(context.WithoutCancel(ctx), p, ended))
	}
	var failed *member
	for left := len(running); left > 0 && failed == nil; left-- {
		select {
		case m := <-ended:
			if m.err != nil {
				failed = m
			}
			continue
		case <-ctx.Done():
		}
		break
	}
	var problems []error
	if failed != nil {
		problems = append(problems, failed.err)
	}
	for i := len(running) - 1; i >= 0; i-- {
		m := running[i]
		if err := m.stop(timeout); err != nil && m != failed {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

type member struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{}
	err    error // to be read after done is closed
}

// start returns when the part's goroutine runs.
func start(ctx context.Context, p Part, ended chan<- *member) *member {
	m := &member{name: p.Name, done: make(chan struct{})}
	ctx, m.cancel = context.WithCancel(ctx)
	begun := make(chan struct{})
	go func() {
		close(begun)
		err := p.Run(ctx)
		if err != nil && (ctx.Err() == nil || !errors.Is(err, context.Canceled)) {
			m.err = fmt.Errorf("%s: %w", p.Name, err)
		}
		close(m.done)
		ended <- m
	}()
	<-begun
	return m
}

func (m *member) stop(timeout time.Duration) error {
	m.cancel()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-m.done:
		return m.err
	case <-timer.C:
		return fmt.Errorf("%s: %w", m.name, ErrTimeout)
	}
}
