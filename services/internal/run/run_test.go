package run_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tongzhen/tongzhen/services/internal/run"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// journal is written by one goroutine after the other, as the group orders them.
type journal struct{ lines chan string }

func newJournal() *journal { return &journal{make(chan string, 100)} }

func (j *journal) part(name string, stopping time.Duration, result error) run.Part {
	return run.Part{Name: name, Runner: run.Func(func(ctx context.Context) error {
		j.lines <- "start " + name
		<-ctx.Done()
		<-time.After(stopping)
		j.lines <- "stop " + name
		return result
	})}
}

func (j *journal) read() []string {
	close(j.lines)
	var out []string
	for line := range j.lines {
		out = append(out, line)
	}
	return out
}

func TestPartsStopInReverseOrderEachAfterTheOneBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- run.Group(ctx, time.Minute, j.part("a", time.Second, nil), j.part("b", 3*time.Second, nil), j.part("c", 0, nil))
		}()
		synctest.Wait()
		before := time.Now()
		cancel()
		cancel() // twice is once
		if err := <-done; err != nil {
			t.Errorf("got %v", err)
		}
		if took := time.Since(before); took != 4*time.Second {
			t.Errorf("stopping took %s", took)
		}
		lines := j.read()
		if got := lines[3:]; !slices.Equal(got, []string{"stop c", "stop b", "stop a"}) {
			t.Errorf("stopped %v", got)
		}
		if started := slices.Sorted(slices.Values(lines[:3])); !slices.Equal(started, []string{"start a", "start b", "start c"}) {
			t.Errorf("started %v", started)
		}
	})
}

func TestOnePartThatFailsStopsAllAndIsNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		broken := errors.New("broken")
		err := run.Group(t.Context(), time.Minute,
			j.part("a", 0, nil),
			run.Part{Name: "b", Runner: run.Func(func(context.Context) error {
				<-time.After(time.Hour)
				return broken
			})},
			j.part("c", 0, nil))
		if !errors.Is(err, broken) || err.Error() != "b: broken" {
			t.Errorf("got %v", err)
		}
		if got := j.read()[2:]; !slices.Equal(got, []string{"stop c", "stop a"}) {
			t.Errorf("stopped %v", got)
		}
	})
}

func TestAPartThatDoesNotStopIsLeftBehindAfterItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		release := make(chan struct{})
		before := time.Now()
		err := run.Group(ctx, 10*time.Second, j.part("a", 0, nil),
			run.Part{Name: "stuck", Runner: run.Func(func(context.Context) error { <-release; return nil })})
		if !errors.Is(err, run.ErrTimeout) || !strings.HasPrefix(err.Error(), "stuck: ") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(before); took != 10*time.Second {
			t.Errorf("it took %s", took)
		}
		if got := j.read(); got[len(got)-1] != "stop a" {
			t.Errorf("the other did not stop: %v", got)
		}
		close(release)
	})
}

func TestErrorsWhileStoppingAreToldTheEndOfTheContextIsNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		late := errors.New("late")
		err := run.Group(ctx, time.Second, j.part("a", 0, late), j.part("b", 0, context.Canceled))
		if !errors.Is(err, late) || errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAGroupEndsWhenAllItsPartsAreDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		short := run.Func(func(context.Context) error { return nil })
		long := run.Func(func(context.Context) error { <-time.After(time.Hour); return nil })
		before := time.Now()
		if err := run.Group(t.Context(), time.Second, run.Part{Name: "a", Runner: short}, run.Part{Name: "b", Runner: long}); err != nil {
			t.Error(err)
		}
		if took := time.Since(before); took != time.Hour {
			t.Errorf("it took %s", took)
		}
		if err := run.Group(t.Context(), time.Second); err != nil {
			t.Error(err)
		}
	})
}

func TestEveryRunsAtOnceAfterTheIntervalAndWhenWoken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		wake := make(chan struct{}, 1)
		var at []time.Duration
		done := make(chan struct{})
		go func() {
			run.Every(ctx, 10*time.Second, wake, func(context.Context) error {
				at = append(at, time.Since(begin))
				<-time.After(time.Second)
				return errors.New("does not end the loop")
			})
			close(done)
		}()
		<-time.After(15 * time.Second)
		wake <- struct{}{}
		<-time.After(13 * time.Second)
		cancel()
		<-done
		want := []time.Duration{0, 11 * time.Second, 15 * time.Second, 26 * time.Second}
		if !slices.Equal(at, want) {
			t.Errorf("ran at %v, want %v", at, want)
		}
	})
}

func TestEveryDoesNotRunWhenTheContextHasEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	run.Every(ctx, time.Second, nil, func(context.Context) error { t.Error("it ran"); return nil })
}
