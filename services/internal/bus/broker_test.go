package bus_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
)

const (
	submitted = "referral.v1.450321.submitted"
	all       = "referral.v1.>"
)

var silent = slog.New(slog.DiscardHandler)

// broker is a connection of the test's own to look behind the bus.
func broker(t *testing.T, url string) jetstream.JetStream {
	t.Helper()
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func options(url string) bus.Options {
	o := bustest.Quick()
	o.URL = url
	return o
}

func publish(t *testing.T, b bus.Bus, msgs ...bus.Msg) {
	t.Helper()
	if _, err := b.Publish(t.Context(), msgs...); err != nil {
		t.Fatal(err)
	}
}

// publishWhenBack repeats, as the outbox does.
func publishWhenBack(t *testing.T, b bus.Bus, m bus.Msg) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		_, err := b.Publish(ctx, m)
		if err == nil {
			return
		}
		timer := time.NewTimer(50 * time.Millisecond)
		select {
		case <-ctx.Done():
			t.Fatalf("still not published: %v", err)
		case <-timer.C:
		}
	}
}

func TestTheStreamsAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	url := bustest.StartServer(t).URL
	bustest.Open(t, options(url))
	js := broker(t, url)
	facts, err := js.Stream(t.Context(), "FACTS")
	if err != nil {
		t.Fatal(err)
	}
	c := facts.CachedInfo().Config
	if want := []string{"referral.v1.>", "record.v1.>", "scheduling.v1.>", "directory.v1.>", "notification.v1.>"}; !slices.Equal(c.Subjects, want) {
		t.Errorf("subjects %v, want %v", c.Subjects, want)
	}
	if c.MaxAge != 14*24*time.Hour || c.Duplicates != 2*time.Minute || c.Storage != jetstream.FileStorage || c.Replicas != 1 {
		t.Errorf("facts: %+v", c)
	}
	dead, err := js.Stream(t.Context(), "DEADLETTER")
	if err != nil {
		t.Fatal(err)
	}
	if c := dead.CachedInfo().Config; !slices.Equal(c.Subjects, []string{"deadletter.*"}) || c.MaxAge != 0 {
		t.Errorf("dead letters: %+v", c)
	}
}

func TestAnOlderReleaseTakesNoSubjectAwayAndANewerAgeIsSet(t *testing.T) {
	t.Parallel()
	url := bustest.StartServer(t).URL
	js := broker(t, url)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "FACTS", Subjects: []string{"referral.v1.>", "future.v1.>"}, MaxAge: time.Hour, MaxBytes: 1 << 30,
	}); err != nil {
		t.Fatal(err)
	}
	bustest.Open(t, options(url))
	s, err := js.Stream(t.Context(), "FACTS")
	if err != nil {
		t.Fatal(err)
	}
	c := s.CachedInfo().Config
	if !slices.Contains(c.Subjects, "future.v1.>") || !slices.Contains(c.Subjects, "directory.v1.>") {
		t.Errorf("subjects %v", c.Subjects)
	}
	if c.MaxAge != 14*24*time.Hour || c.MaxBytes != 1<<30 {
		t.Errorf("age %v, bytes %d", c.MaxAge, c.MaxBytes)
	}
}

func TestADeadLetterNamesTheConsumerAndKeepsTheFact(t *testing.T) {
	t.Parallel()
	url := bustest.StartServer(t).URL
	b := bustest.Open(t, options(url))
	js := broker(t, url)
	m := bustest.Fact(submitted)
	publish(t, b, m)
	bustest.Start(t, b, bus.Consumer{Name: "test-poison", Subjects: []string{all}},
		func(context.Context, bus.Msg) error { return errors.New("never") })

	dead, err := js.OrderedConsumer(t.Context(), "DEADLETTER", jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	letter, err := dead.Next(jetstream.FetchMaxWait(30 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if letter.Subject() != "deadletter.test-poison" || !bytes.Equal(letter.Data(), m.Payload) {
		t.Errorf("subject %s, payload %v", letter.Subject(), letter.Data())
	}
	for key, want := range map[string]string{
		"Nats-Msg-Id": "test-poison " + m.ID, "ce-id": m.ID, "ce-type": m.Type,
		"tz-subject": submitted, "tz-sequence": "1", "tz-delivered": "8",
	} {
		if got := letter.Headers()[key]; !slices.Equal(got, []string{want}) {
			t.Errorf("header %s is %v, want %s", key, got, want)
		}
	}
	// The fact is over for this consumer.
	waitUntil(t, func() bool {
		c, err := js.Consumer(t.Context(), "FACTS", "test-poison")
		return err == nil && c.CachedInfo().NumAckPending == 0 && c.CachedInfo().NumPending == 0
	})
}

func waitUntil(t *testing.T, ok func() bool) {
	t.Helper()
	for range 3000 {
		if ok() {
			return
		}
		timer := time.NewTimer(10 * time.Millisecond)
		<-timer.C
	}
	t.Fatal("it did not come to that")
}

func TestTheConsumersSpanIsAChildOfThePublishers(t *testing.T) {
	// Not parallel: the provider is the process's.
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	before := otel.GetTracerProvider()
	otel.SetTracerProvider(provider)
	t.Cleanup(func() { otel.SetTracerProvider(before) })
	b := bustest.Embedded(t)
	ctx, parent := provider.Tracer("test").Start(t.Context(), "command")
	m := bustest.Fact(submitted)
	if _, err := b.Publish(ctx, m); err != nil {
		t.Fatal(err)
	}
	parent.End()
	tried := make(chan struct{}, 10)
	stop := bustest.Start(t, b, bus.Consumer{Name: "test-span", Subjects: []string{all}},
		func(context.Context, bus.Msg) error { tried <- struct{}{}; return errors.New("no") })
	bustest.Receive(t, tried, "attempt")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(spans.Ended(), func(s sdktrace.ReadOnlySpan) bool { return s.Name() == "consume "+m.Type })
	if i < 0 {
		t.Fatal("no span of the consumer")
	}
	span := spans.Ended()[i]
	if span.Parent().SpanID() != parent.SpanContext().SpanID() || span.SpanContext().TraceID() != parent.SpanContext().TraceID() {
		t.Errorf("parent %v, want %v", span.Parent(), parent.SpanContext())
	}
	if span.Status().Description != "internal" {
		t.Errorf("status %+v, want the kind of the error only", span.Status())
	}
}

func TestADeletedConsumerIsMadeAgain(t *testing.T) {
	t.Parallel()
	url := bustest.StartServer(t).URL
	b := bustest.Open(t, options(url))
	got := make(chan string, 100)
	bustest.Start(t, b, bus.Consumer{Name: "test-deleted", Subjects: []string{all}},
		func(_ context.Context, m bus.Msg) error { got <- m.ID; return nil })
	first, second := bustest.Fact(submitted), bustest.Fact(submitted)
	publish(t, b, first)
	bustest.Receive(t, got, "first")
	if err := broker(t, url).DeleteConsumer(t.Context(), "FACTS", "test-deleted"); err != nil {
		t.Fatal(err)
	}
	publish(t, b, second)
	for bustest.Receive(t, got, "message after the deletion") != second.ID {
		continue // the new one begins with the oldest
	}
}

func TestPrefixesKeepThoseWhoShareAServerApart(t *testing.T) {
	t.Parallel()
	url := bustest.StartServer(t).URL
	one, err := bus.ConnectPrefix(t.Context(), url, "one", silent)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	two, err := bus.ConnectPrefix(t.Context(), url, "two", silent)
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	m := bustest.Fact(submitted)
	publish(t, one, m)
	if last, err := two.LastSequence(t.Context()); err != nil || last != 0 {
		t.Errorf("the other has %d, %v", last, err)
	}
	if bad, err := bus.ConnectPrefix(t.Context(), url, "a.b", silent); err == nil {
		t.Error("a prefix with a dot was taken")
		bad.Close()
	}
}

func TestEmbeddedKeepsFactsAndPlaceThroughARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, second := bustest.Fact(submitted), bustest.Fact(submitted)
	for i, m := range []bus.Msg{first, second} {
		b, err := bus.OpenEmbedded(dir, silent)
		if err != nil {
			t.Fatal(err)
		}
		publish(t, b, m)
		got := make(chan string, 10)
		stop := bustest.Start(t, b, bus.Consumer{Name: "test-kept", Subjects: []string{all}},
			func(_ context.Context, m bus.Msg) error { got <- m.ID; return nil })
		if id := bustest.Receive(t, got, "message"); id != m.ID {
			t.Errorf("run %d: handled %s, want %s", i, id, m.ID)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		if last, err := b.LastSequence(t.Context()); err != nil || last != uint64(i)+1 {
			t.Errorf("run %d: %d messages, %v", i, last, err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestASecondOneOnTheSameDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, err := bus.OpenEmbedded(dir, silent)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if second, err := bus.OpenEmbedded(dir, silent); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
		if second != nil {
			second.Close()
		}
	}
	publish(t, b, bustest.Fact(submitted))
}
