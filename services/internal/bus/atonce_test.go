package bus_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
)

func TestManyMessagesAreStoredOnceAlsoWhenSomeWereThereBefore(t *testing.T) {
	t.Parallel()
	b, err := bus.OpenEmbedded(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	var msgs []bus.Msg
	for i := range 40 {
		msgs = append(msgs, bus.Msg{ID: fmt.Sprintf("m-%d", i), Subject: "referral.v1.450321.submitted", Type: "t", Payload: []byte{byte(i)}})
	}
	for _, step := range []struct {
		from, to int
		want     uint64
	}{{0, 20, 20}, {10, 40, 40}, {0, 40, 40}} {
		if failed, err := b.Publish(t.Context(), msgs[step.from:step.to]...); err != nil || len(failed) != 0 {
			t.Fatalf("publish %v: %v, %v", step, failed, err)
		}
		if n, err := b.LastSequence(t.Context()); err != nil || n != step.want {
			t.Errorf("after %v the stream holds %d messages, %v", step, n, err)
		}
	}
	bad := append([]bus.Msg{{ID: "bad", Subject: "no.fact", Type: "t"}}, msgs[:10]...)
	bad = append(bad, bus.Msg{ID: "new", Subject: "referral.v1.450321.created", Type: "t"})
	failed, err := b.Publish(t.Context(), bad...)
	if err == nil || len(failed) != 1 || failed["bad"] == nil {
		t.Errorf("failed %v, %v", failed, err)
	}
	if n, _ := b.LastSequence(t.Context()); n != 41 {
		t.Errorf("the stream holds %d messages, want 41", n)
	}
}

// buried counts the log records of dead letters, stored and not.
type buried struct {
	slog.Handler
	told chan string
}

func (b buried) Enabled(context.Context, slog.Level) bool { return true }

func (b buried) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "dead letter") {
		b.told <- r.Message
	}
	return nil
}

func TestAMessageOfABatchBecomesADeadLetterLikeAnyOther(t *testing.T) {
	t.Parallel()
	const n = 8
	log := buried{slog.DiscardHandler, make(chan string, 10*n)}
	b, err := bus.Open(t.Context(), bus.Options{Dir: t.TempDir(), Backoff: []time.Duration{time.Millisecond}}, slog.New(log))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	bustest.Start(t, b, bus.Consumer{Name: "test-poison", Subjects: []string{all}}, func(_ context.Context, m bus.Msg) error {
		if m.Header["Nats-Batch-Id"] == "" {
			t.Errorf("%s was not sent in a batch", m.ID)
		}
		return errors.New("never")
	})
	var msgs []bus.Msg
	for i := range n {
		msgs = append(msgs, bus.Msg{ID: fmt.Sprintf("m-%d", i), Subject: submitted, Type: "t"})
	}
	publish(t, b, msgs...)
	for range n {
		if text := <-log.told; text != "fact became a dead letter" {
			t.Fatal(text)
		}
	}
}
