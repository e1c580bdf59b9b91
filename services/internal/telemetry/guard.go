package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// guard lets only allowed attributes of spans, events and links through, and no text of a status: instrumentation puts
// the texts of errors there.
type guard struct{ sdktrace.SpanExporter }

func (g guard) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	out := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, s := range spans {
		out[i] = guarded{s}
	}
	return g.SpanExporter.ExportSpans(ctx, out)
}

type guarded struct{ sdktrace.ReadOnlySpan }

func (s guarded) Attributes() []attribute.KeyValue { return allowed(s.ReadOnlySpan.Attributes()) }

func (s guarded) Events() []sdktrace.Event {
	events := s.ReadOnlySpan.Events()
	out := make([]sdktrace.Event, len(events))
	for i, e := range events {
		e.Attributes = allowed(e.Attributes)
		out[i] = e
	}
	return out
}

func (s guarded) Links() []sdktrace.Link {
	links := s.ReadOnlySpan.Links()
	out := make([]sdktrace.Link, len(links))
	for i, l := range links {
		l.Attributes = allowed(l.Attributes)
		out[i] = l
	}
	return out
}

func (s guarded) Status() sdktrace.Status {
	return sdktrace.Status{Code: s.ReadOnlySpan.Status().Code}
}

func allowed(in []attribute.KeyValue) []attribute.KeyValue {
	var out []attribute.KeyValue
	for _, a := range in {
		if spanKey(string(a.Key)) {
			out = append(out, a)
		}
	}
	return out
}
