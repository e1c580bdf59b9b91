package run_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/run"
)

func TestUnderAPaceWorkIsDoneAtBeatsByItsClock(t *testing.T) {
	t.Parallel()
	clk := clock.NewFixed(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC))
	pace := run.NewPace(clk)
	ctx, stop := context.WithCancel(run.WithPace(t.Context(), pace))
	wake, worked := make(chan struct{}, 1), make(chan struct{}, 1)
	var n atomic.Int32
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run.Every(ctx, time.Minute, wake, func(context.Context) error {
			n.Add(1)
			worked <- struct{}{}
			return nil
		})
	}()
	<-worked // at once

	expect := func(what string, want int32) {
		t.Helper()
		if got := n.Load(); got != want {
			t.Errorf("%s: the work was done %d times, want %d", what, got, want)
		}
	}
	beat := func() {
		t.Helper()
		if err := pace.Beat(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	beat()
	expect("the clock has not moved", 1)
	clk.Advance(59 * time.Second)
	beat()
	expect("not far enough", 1)
	clk.Advance(time.Second)
	beat() // returns when the work is done
	expect("a minute", 2)
	<-worked
	clk.Advance(time.Hour)
	beat()
	expect("an hour is one beat", 3)
	<-worked
	wake <- struct{}{}
	<-worked
	expect("woken", 4)
	stop()
	<-ended
	clk.Advance(time.Hour)
	beat()
	expect("after its end", 4)
}

func TestABeatEndsWithItsContext(t *testing.T) {
	t.Parallel()
	clk := clock.NewFixed(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC))
	pace := run.NewPace(clk)
	ctx, stop := context.WithCancel(run.WithPace(t.Context(), pace))
	begun, release, ended := make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		run.Every(ctx, time.Minute, nil, func(context.Context) error {
			begun <- struct{}{}
			<-release
			return nil
		})
	}()
	<-begun
	clk.Advance(time.Hour)
	short, end := context.WithCancel(t.Context())
	end()
	if err := pace.Beat(short); err == nil {
		t.Error("the beat did not wait for the work")
	}
	close(release)
	stop()
	<-ended
}
