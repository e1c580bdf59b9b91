package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc/status"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
)

// The tests are not parallel: New sets the process's defaults.

const mark = "张三丰330106"

func start(t *testing.T, c telemetry.Config) (*telemetry.Telemetry, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	c.Output = &out
	tel, err := telemetry.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 {
			if err := tel.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	return tel, &out
}

func line(t *testing.T, out *bytes.Buffer) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(out.Bytes(), &m); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return m
}

func counter(t *testing.T, r *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func TestOnlyListedKeysAreLoggedAndTheRestIsCounted(t *testing.T) {
	tel, out := start(t, telemetry.Config{Service: "referral", Version: "1.2"})
	tel.Logger.With("patient_name", mark, "consumer", "referral-projection").WithGroup("g").Info("submitted",
		"referral_id", "r1", "name", mark, "count", 3, "duration", 2*time.Second,
		slog.Group("patient", "phone", mark, "patient_id", "p1"),
		"id", struct{ Name string }{mark})
	got := line(t, out)
	for key, want := range map[string]any{
		"service": "referral", "version": "1.2", "consumer": "referral-projection", "msg": "submitted",
		"referral_id": "r1", "count": 3.0, "duration": "2s", "patient_id": "p1", "dropped": 3.0,
	} {
		if got[key] != want {
			t.Errorf("%s is %v, want %v", key, got[key], want)
		}
	}
	if strings.Contains(out.String(), mark) {
		t.Errorf("marked data in %s", out)
	}
	if n := counter(t, tel.Registry, "tongzhen_log_attributes_dropped_total"); n != 4 {
		t.Errorf("%v dropped, want 4", n)
	}
}

func TestOfAnErrorOnlyWhatIsSafeIsTold(t *testing.T) {
	ours := errs.New(errs.KindConflict, "SLOT_TAKEN", "the slot is taken", errors.New("driver says "+mark))
	for _, c := range []struct {
		err  error
		want string
	}{
		{ours, "conflict SLOT_TAKEN: the slot is taken: *errors.errorString"},
		{fmt.Errorf("accept referral r1: %w", ours), "accept referral r1: conflict SLOT_TAKEN: the slot is taken: *errors.errorString"},
		{errors.New(mark), "*errors.errorString"},
		{fmt.Errorf("encode %s: %w", mark, errors.New(mark)), "*errors.errorString"},
		{fmt.Errorf("call %s: %w", mark, context.DeadlineExceeded), "context deadline exceeded"},
		{errors.Join(context.Canceled, errors.New(mark)), "context canceled: *errors.errorString"},
		{pgError{}, "SQLSTATE 23505"},
		{status.Error(5, mark), "gRPC NotFound"},
		{nil, ""},
	} {
		if got := telemetry.Describe(c.err); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	tel, out := start(t, telemetry.Config{})
	tel.Logger.Error("not handled", "error", fmt.Errorf("x: %w", ours))
	if got := line(t, out)["error"]; got != "x: conflict SLOT_TAKEN: the slot is taken: *errors.errorString" {
		t.Errorf("logged %v", got)
	}
}

type pgError struct{}

func (pgError) Error() string    { return mark }
func (pgError) SQLState() string { return "23505" }

func TestALogLineWithinASpanCarriesTheTrace(t *testing.T) {
	tel, out := start(t, telemetry.Config{})
	ctx, span := tel.Tracer.Start(t.Context(), "work")
	defer span.End()
	tel.Logger.InfoContext(ctx, "in it")
	got := line(t, out)
	if got["trace_id"] != span.SpanContext().TraceID().String() || got["span_id"] != span.SpanContext().SpanID().String() {
		t.Errorf("got %v, want %v", got, span.SpanContext())
	}
}

func TestSpansLeaveWithoutWhatIsNotListed(t *testing.T) {
	exporter := tracetest.NewInMemoryExporter()
	tel, _ := start(t, telemetry.Config{SpanExporter: exporter})
	_, span := tel.Tracer.Start(t.Context(), "work")
	span.SetAttributes(attribute.String("referral_id", "r1"), attribute.String("patient.name", mark),
		attribute.String("rpc.method", "Submit"), attribute.String("db.statement", mark), attribute.String("url.full", mark),
		attribute.String("http.request.header.cookie", mark), attribute.String("db.query.parameter.0", mark))
	span.RecordError(errors.New(mark))
	span.SetStatus(codes.Error, mark)
	span.End()
	spans := exporter.GetSpans()
	if len(spans) != 1 {
		t.Fatalf("%d spans", len(spans))
	}
	if all := fmt.Sprintf("%+v", spans[0]); strings.Contains(all, mark) {
		t.Errorf("marked data in %s", all)
	}
	if len(spans[0].Attributes) != 2 || spans[0].Status.Code != codes.Error {
		t.Errorf("got %v, %v", spans[0].Attributes, spans[0].Status)
	}
}

func TestTheDefaultsAreSetOnce(t *testing.T) {
	tel, out := start(t, telemetry.Config{})
	slog.Info("by default", "count", 1)
	if line(t, out)["count"] != 1.0 {
		t.Errorf("got %s", out)
	}
	if otel.GetTracerProvider() != tel.TracerProvider || otel.GetMeterProvider() != tel.MeterProvider {
		t.Error("other providers")
	}
	ctx, span := tel.Tracer.Start(t.Context(), "work")
	defer span.End()
	carrier := propagation.MapCarrier{}
	otel.GetTextMapPropagator().Inject(ctx, carrier)
	if !strings.Contains(carrier["traceparent"], span.SpanContext().TraceID().String()) {
		t.Errorf("injected %v", carrier)
	}
}

func TestFiguresOfTheMeterAreInTheRegistry(t *testing.T) {
	tel, _ := start(t, telemetry.Config{})
	c, err := tel.Meter.Int64Counter("tongzhen_things")
	if err != nil {
		t.Fatal(err)
	}
	c.Add(t.Context(), 2)
	if n := counter(t, tel.Registry, "tongzhen_things_total"); n != 2 {
		t.Errorf("%v, want 2", n)
	}
}

func TestTheLevelIsKeptAndAWrongOneRefused(t *testing.T) {
	tel, out := start(t, telemetry.Config{LogLevel: "warn"})
	tel.Logger.Info("no")
	if out.Len() != 0 {
		t.Errorf("logged %s", out)
	}
	if _, err := telemetry.New(t.Context(), telemetry.Config{LogLevel: "loud"}); err == nil {
		t.Error("loud was taken")
	}
}

func TestAnUnreachableCollectorHindersNothing(t *testing.T) {
	var out bytes.Buffer
	tel, err := telemetry.New(t.Context(), telemetry.Config{OTLPEndpoint: "http://127.0.0.1:1", Output: &out})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tel.Tracer.Start(t.Context(), "work")
	span.End()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_ = tel.Shutdown(ctx) // it may tell that the span was lost; it must end
	if ctx.Err() == nil && span.IsRecording() {
		t.Error("still recording")
	}
}

func TestDiscardHasEveryPart(t *testing.T) {
	tel := telemetry.Discard()
	tel.Logger.Info("nobody hears it")
	_, span := tel.Tracer.Start(t.Context(), "work")
	span.End()
	if tel.Meter == nil || tel.Registry == nil || tel.Propagator == nil || tel.Shutdown(t.Context()) != nil {
		t.Errorf("incomplete: %+v", tel)
	}
}
