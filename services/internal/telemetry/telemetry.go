// Package telemetry owns what the process tells about itself: logs, spans and metrics. It refuses patient data: of a
// log record and of a span only attributes whose keys are on the list of keys.go leave the process, and of an error
// only what describe.go lets through.
//
// Invariants:
//  1. A key that is not on the list is dropped with its value, and counted.
//  2. A log record made within a span carries trace_id and span_id.
//  3. Without an OTLP endpoint nothing is sent anywhere; the figures are at Registry.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// Config says where things go. The zero value logs to standard error from level info on and sends no spans.
type Config struct {
	Service      string // "tongzhen" when empty
	Version      string
	OTLPEndpoint string // URL of a collector that speaks OTLP over gRPC; http:// is without TLS
	LogLevel     string // debug, info, warn, error
	Output       io.Writer
	SpanExporter sdktrace.SpanExporter // gets each span as it ends, before OTLPEndpoint is looked at; for tests
}

// Telemetry is what a process holds; all of it is safe for concurrent use.
type Telemetry struct {
	Logger         *slog.Logger
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
	Tracer         trace.Tracer
	Meter          metric.Meter
	Propagator     propagation.TextMapPropagator
	Registry       *prometheus.Registry

	stop func(context.Context) error
}

const scope = "github.com/tongzhen/tongzhen/services"

// New starts telemetry. An unreachable collector is no error: spans are lost, and that is logged.
//
// It also sets the defaults of slog and OpenTelemetry, because packages that are not given a logger or a provider
// (bus, run, instrumentation of drivers) use those; the last call wins.
func New(ctx context.Context, c Config) (*Telemetry, error) {
	t, err := build(ctx, c)
	if err != nil {
		return nil, err
	}
	slog.SetDefault(t.Logger)
	otel.SetTracerProvider(t.TracerProvider)
	otel.SetMeterProvider(t.MeterProvider)
	otel.SetTextMapPropagator(t.Propagator)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		t.Logger.Warn("telemetry reports", "error", err)
	}))
	return t, nil
}

// Discard tells nobody anything and touches no defaults. It is for tests of what needs a Telemetry.
func Discard() *Telemetry {
	tracers, meters := tracenoop.NewTracerProvider(), metricnoop.NewMeterProvider()
	return &Telemetry{
		Logger:         slog.New(slog.DiscardHandler),
		TracerProvider: tracers, MeterProvider: meters,
		Tracer: tracers.Tracer(scope), Meter: meters.Meter(scope),
		Propagator: propagation.TraceContext{},
		Registry:   prometheus.NewRegistry(),
		stop:       func(context.Context) error { return nil },
	}
}

func build(ctx context.Context, c Config) (*Telemetry, error) {
	if c.Service == "" {
		c.Service = "tongzhen"
	}
	if c.Output == nil {
		c.Output = os.Stderr
	}
	var level slog.Level
	if c.LogLevel != "" {
		if err := level.UnmarshalText([]byte(strings.ToUpper(c.LogLevel))); err != nil {
			return nil, fmt.Errorf("log level %q: it is one of debug, info, warn, error", c.LogLevel)
		}
	}
	registry := prometheus.NewRegistry()
	dropped := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "tongzhen_log_attributes_dropped_total", Help: "Log attributes whose key is not on the list.",
	})
	registry.MustRegister(dropped, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	about := resource.NewSchemaless(attribute.String("service.name", c.Service),
		attribute.String("service.version", c.Version))
	tracers, err := newTracers(ctx, c, about)
	if err != nil {
		return nil, err
	}
	reader, err := otelprom.New(otelprom.WithRegisterer(registry))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the Prometheus exporter: %w", err), tracers.Shutdown(ctx))
	}
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithResource(about))
	handler := newHandler(c.Output, level, dropped)
	return &Telemetry{
		Logger:         slog.New(handler).With("service", c.Service, "version", c.Version),
		TracerProvider: tracers, MeterProvider: meters,
		Tracer: tracers.Tracer(scope), Meter: meters.Meter(scope),
		Propagator: propagation.TraceContext{},
		Registry:   registry,
		stop: func(ctx context.Context) error {
			return errors.Join(tracers.Shutdown(ctx), meters.Shutdown(ctx))
		},
	}, nil
}

// newTracers records no span when there is nowhere to send it, but still makes ids, so that logs can be joined.
func newTracers(ctx context.Context, c Config, about *resource.Resource) (*sdktrace.TracerProvider, error) {
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(about)}
	switch {
	case c.SpanExporter != nil:
		options = append(options, sdktrace.WithSyncer(guard{c.SpanExporter}))
	case c.OTLPEndpoint != "":
		exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(c.OTLPEndpoint))
		if err != nil {
			return nil, fmt.Errorf("make the OTLP exporter: %w", err)
		}
		options = append(options, sdktrace.WithBatcher(guard{exporter}))
	default:
		options = append(options, sdktrace.WithSampler(sdktrace.NeverSample()))
	}
	return sdktrace.NewTracerProvider(options...), nil
}

// Shutdown sends what is left, within ctx. Repeating it is harmless.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	err := t.stop(ctx)
	if errors.Is(err, sdkmetric.ErrReaderShutdown) {
		return nil // a repetition
	}
	return err
}
