package bustest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// Suite is the contract of bus.Bus as tests. open gives a bus with empty streams and delays as short as Quick's.
func Suite(t *testing.T, open func(t *testing.T) bus.Bus) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, bus.Bus){
		"what is published arrives whole":                       arrivesWhole,
		"many messages are all stored and all handled":          manyMessages,
		"a repeated id is stored once":                          storedOnce,
		"a message that says too little is refused alone":       refusedAlone,
		"a message that is too large is refused for good":       tooLarge,
		"publishing ends with its context":                      publishingEnds,
		"a consumer gets its subjects only":                     itsSubjectsOnly,
		"two consumers get every message, two workers share":    everyConsumer,
		"a new consumer begins with the oldest message":         beginsWithOldest,
		"an error brings the message again":                     errorComesAgain,
		"a panic is an error":                                   panicIsError,
		"after eight failures a message no longer comes":        deadAfterEight,
		"a slow handler keeps its message":                      slowHandler,
		"the handler continues the publisher's trace":           tracePropagates,
		"a stored traceparent wins over the context's":          storedTrace,
		"a consumer that can never work is told so":             impossibleConsumer,
		"what runs when consuming ends is handled to its end":   drains,
		"tail begins at a sequence and keeps the order":         tailFrom,
		"tail from zero sees what comes":                        tailNew,
		"tail refuses a place that is not there":                tailTooOld,
		"closing ends everything, twice":                        closing,
		"ready and the last sequence tell the stream's present": present,
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// Fact is a message with everything in it.
func Fact(subject string) bus.Msg {
	return bus.Msg{
		Subject: subject, ID: id.New(), Type: "tongzhen.test.v1.Happened", Payload: []byte{8, 1, 0, 255},
		Time: time.Date(2026, 3, 2, 1, 2, 3, 456789000, time.UTC),
	}
}

const (
	submitted = "referral.v1.450321.submitted"
	accepted  = "referral.v1.450321.accepted"
	all       = "referral.v1.>"
)

func publish(t *testing.T, b bus.Bus, msgs ...bus.Msg) {
	t.Helper()
	if failed, err := b.Publish(t.Context(), msgs...); err != nil || failed != nil {
		t.Fatalf("published, but %d failed: %v", len(failed), err)
	}
}

// collect consumes into a channel.
func collect(t *testing.T, b bus.Bus, name string, subjects ...string) <-chan bus.Msg {
	t.Helper()
	got := make(chan bus.Msg, 1000)
	Start(t, b, bus.Consumer{Name: name, Subjects: subjects}, func(_ context.Context, m bus.Msg) error {
		got <- m
		return nil
	})
	return got
}

func arrivesWhole(t *testing.T, b bus.Bus) {
	want := Fact(submitted)
	publish(t, b, want)
	got := Receive(t, collect(t, b, "test-whole", all), "message")
	if got.Subject != want.Subject || got.ID != want.ID || got.Type != want.Type || !got.Time.Equal(want.Time) ||
		string(got.Payload) != string(want.Payload) || got.Sequence != 1 {
		t.Errorf("got %+v, want %+v", got, want)
	}
	header := map[string]string{
		"Nats-Msg-Id": want.ID, "ce-id": want.ID, "ce-specversion": "1.0", "ce-type": want.Type,
		"ce-source": "/tongzhen/referral", "ce-time": "2026-03-02T01:02:03.456789Z",
		"ce-datacontenttype": "application/protobuf",
	}
	for key, value := range header {
		if got.Header[key] != value {
			t.Errorf("header %s is %q, want %q", key, got.Header[key], value)
		}
	}
}

func manyMessages(t *testing.T, b bus.Bus) {
	const n = 1000
	msgs := make([]bus.Msg, n)
	want := make(map[string]bool, n)
	for i := range msgs {
		msgs[i] = Fact(submitted)
		want[msgs[i].ID] = true
	}
	publish(t, b, msgs...)
	got := make(chan string, 2*n)
	Start(t, b, bus.Consumer{Name: "test-many", Subjects: []string{all}, Workers: 4},
		func(_ context.Context, m bus.Msg) error { got <- m.ID; return nil })
	for len(want) > 0 {
		delete(want, Receive(t, got, "message"))
	}
}

func storedOnce(t *testing.T, b bus.Bus) {
	m := Fact(submitted)
	publish(t, b, m, m)
	publish(t, b, m)
	if last, err := b.LastSequence(t.Context()); err != nil || last != 1 {
		t.Errorf("last sequence %d, %v, want 1", last, err)
	}
}

func refusedAlone(t *testing.T, b bus.Bus) {
	good, noType := Fact(submitted), Fact(submitted)
	noType.Type = ""
	wrong := []bus.Msg{noType}
	for _, subject := range []string{"", "referral", "other.v1.450321.x", "referral.v1.*.submitted", "referral.v1..x"} {
		wrong = append(wrong, Fact(subject))
	}
	failed, err := b.Publish(t.Context(), append(slices.Clone(wrong), good)...)
	if errs.KindOf(err) != errs.KindInvalid {
		t.Errorf("error %v, want an invalid one", err)
	}
	if len(failed) != len(wrong) || failed[good.ID] != nil {
		t.Errorf("%d refused, want %d: %v", len(failed), len(wrong), slices.Sorted(maps.Keys(failed)))
	}
	if last, err := b.LastSequence(t.Context()); err != nil || last != 1 {
		t.Errorf("last sequence %d, %v, want that of the good one", last, err)
	}
}

func tooLarge(t *testing.T, b bus.Bus) {
	m := Fact(submitted)
	m.Payload = make([]byte, 64<<20)
	failed, err := b.Publish(t.Context(), m)
	if errs.KindOf(failed[m.ID]) != errs.KindInvalid || errs.KindOf(err) != errs.KindInvalid {
		t.Errorf("got %v and %v, want invalid", failed[m.ID], err)
	}
}

func publishingEnds(t *testing.T, b bus.Bus) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := Fact(submitted)
	failed, err := b.Publish(ctx, m)
	if errs.KindOf(err) != errs.KindUnavailable || failed[m.ID] == nil {
		t.Errorf("got %v, %v", failed, err)
	}
}

func itsSubjectsOnly(t *testing.T, b bus.Bus) {
	other, one, two := Fact("record.v1.450321.glass_broken"), Fact(submitted), Fact("scheduling.v1.450321.hold_attached")
	publish(t, b, other, one, two)
	got := collect(t, b, "test-subjects", "referral.v1.*.submitted", "scheduling.v1.>")
	ids := []string{Receive(t, got, "message").ID, Receive(t, got, "message").ID}
	slices.Sort(ids)
	want := []string{one.ID, two.ID}
	slices.Sort(want)
	if !slices.Equal(ids, want) {
		t.Errorf("got %v, want %v", ids, want)
	}
}

func everyConsumer(t *testing.T, b bus.Bus) {
	const n = 50
	var shared atomic.Int32
	sharedIDs := make(chan string, 2*n)
	for range 2 {
		Start(t, b, bus.Consumer{Name: "test-shared", Subjects: []string{all}}, func(_ context.Context, m bus.Msg) error {
			shared.Add(1)
			sharedIDs <- m.ID
			return nil
		})
	}
	other := collect(t, b, "test-other", all)
	for range n {
		publish(t, b, Fact(submitted))
	}
	seen := make(map[string]bool, n)
	for len(seen) < n {
		seen[Receive(t, sharedIDs, "shared message")] = true
	}
	for range n {
		Receive(t, other, "message of the other consumer")
	}
	if shared.Load() != n {
		t.Errorf("%d handled by those who share, want %d", shared.Load(), n)
	}
}

func beginsWithOldest(t *testing.T, b bus.Bus) {
	m := Fact(submitted)
	publish(t, b, m)
	stop := Start(t, b, bus.Consumer{Name: "test-first", Subjects: []string{all}},
		func(context.Context, bus.Msg) error { return nil })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := Receive(t, collect(t, b, "test-late", all), "old message"); got.ID != m.ID {
		t.Errorf("got %s, want %s", got.ID, m.ID)
	}
}

func errorComesAgain(t *testing.T, b bus.Bus) {
	m := Fact(submitted)
	publish(t, b, m)
	handled := make(chan int32, 10)
	var tries atomic.Int32
	Start(t, b, bus.Consumer{Name: "test-again", Subjects: []string{all}}, func(context.Context, bus.Msg) error {
		n := tries.Add(1)
		if n < 4 {
			return errors.New("not now")
		}
		handled <- n
		return nil
	})
	if n := Receive(t, handled, "success"); n != 4 {
		t.Errorf("attempt %d", n)
	}
}

func panicIsError(t *testing.T, b bus.Bus) {
	publish(t, b, Fact(submitted))
	handled := make(chan bus.Msg, 10)
	var tries atomic.Int32
	Start(t, b, bus.Consumer{Name: "test-panic", Subjects: []string{all}}, func(_ context.Context, m bus.Msg) error {
		if tries.Add(1) == 1 {
			var none []int
			none[m.Sequence] = 1
		}
		handled <- m
		return nil
	})
	Receive(t, handled, "message after a panic")
}

func deadAfterEight(t *testing.T, b bus.Bus) {
	poison := Fact(submitted)
	publish(t, b, poison)
	var tries atomic.Int32
	eighth := make(chan struct{}, 10)
	good := make(chan bus.Msg, 10)
	stop := Start(t, b, bus.Consumer{Name: "test-dead", Subjects: []string{all}}, func(_ context.Context, m bus.Msg) error {
		if m.ID != poison.ID {
			good <- m
			return nil
		}
		if tries.Add(1) == bus.MaxDeliveries {
			eighth <- struct{}{}
		}
		return errors.New("never")
	})
	Receive(t, eighth, "eighth attempt")
	// The others go on. What follows the last failure is seen by the dead letter itself, in the tests of package bus.
	for range 20 {
		publish(t, b, Fact(submitted))
		Receive(t, good, "message after the poison")
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := tries.Load(); n != bus.MaxDeliveries {
		t.Errorf("handled %d times, want %d", n, bus.MaxDeliveries)
	}
}

func slowHandler(t *testing.T, b bus.Bus) {
	publish(t, b, Fact(submitted), Fact(submitted))
	var handled atomic.Int32
	done := make(chan struct{}, 10)
	Start(t, b, bus.Consumer{Name: "test-slow", Subjects: []string{all}}, func(ctx context.Context, _ bus.Msg) error {
		handled.Add(1)
		timer := time.NewTimer(1300 * time.Millisecond) // the second is held longer than Quick's AckWait
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		done <- struct{}{}
		return nil
	})
	Receive(t, done, "slow handling")
	Receive(t, done, "slow handling")
	if n := handled.Load(); n != 2 {
		t.Errorf("handled %d times, want 2", n)
	}
}

func tracePropagates(t *testing.T, b bus.Bus) {
	traceID, spanID := trace.TraceID{1, 2, 3}, trace.SpanID{4, 5}
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: traceID, SpanID: spanID, TraceFlags: trace.FlagsSampled,
	}))
	if _, err := b.Publish(ctx, Fact(submitted)); err != nil {
		t.Fatal(err)
	}
	expectTrace(t, b, traceID)
}

func storedTrace(t *testing.T, b bus.Bus) {
	m := Fact(submitted)
	want := trace.TraceID{0xab, 0xcd}
	m.Header = map[string]string{"traceparent": fmt.Sprintf("00-%s-00f067aa0ba902b7-01", want)}
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{9}, SpanID: trace.SpanID{9}, TraceFlags: trace.FlagsSampled,
	}))
	if _, err := b.Publish(ctx, m); err != nil {
		t.Fatal(err)
	}
	expectTrace(t, b, want)
}

func expectTrace(t *testing.T, b bus.Bus, want trace.TraceID) {
	t.Helper()
	got := make(chan trace.TraceID, 10)
	Start(t, b, bus.Consumer{Name: "test-trace", Subjects: []string{all}}, func(ctx context.Context, m bus.Msg) error {
		if !strings.HasPrefix(m.Header["traceparent"], "00-"+want.String()) {
			t.Errorf("header traceparent is %q", m.Header["traceparent"])
		}
		got <- trace.SpanContextFromContext(ctx).TraceID()
		return nil
	})
	if id := Receive(t, got, "message"); id != want {
		t.Errorf("trace %s, want %s", id, want)
	}
}
