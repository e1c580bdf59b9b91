package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// handler writes JSON lines and lets only attributes of the list through. Groups are written flat: within a group the
// key counts, not the path.
type handler struct {
	json    slog.Handler
	dropped prometheus.Counter
}

func newHandler(w io.Writer, level slog.Level, dropped prometheus.Counter) handler {
	return handler{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}), dropped}
}

func (h handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.json.Enabled(ctx, level)
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	lost := 0
	r.Attrs(func(a slog.Attr) bool {
		kept, n := h.filter(nil, a)
		out.AddAttrs(kept...)
		lost += n
		return true
	})
	if lost > 0 {
		out.AddAttrs(slog.Int("dropped", lost))
	}
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		out.AddAttrs(slog.String("trace_id", sc.TraceID().String()), slog.String("span_id", sc.SpanID().String()))
	}
	return h.json.Handle(ctx, out)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var kept []slog.Attr
	for _, a := range attrs {
		kept, _ = h.filter(kept, a)
	}
	return handler{h.json.WithAttrs(kept), h.dropped}
}

func (h handler) WithGroup(string) slog.Handler { return h }

// filter appends what is left of a to kept, and answers how many attributes were dropped.
func (h handler) filter(kept []slog.Attr, a slog.Attr) ([]slog.Attr, int) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		lost := 0
		for _, inner := range v.Group() {
			var n int
			kept, n = h.filter(kept, inner)
			lost += n
		}
		return kept, lost
	}
	if logKey(a.Key) {
		if safe, ok := safeValue(v); ok {
			return append(kept, slog.Attr{Key: a.Key, Value: safe}), 0
		}
	}
	if a.Equal(slog.Attr{}) {
		return kept, 0
	}
	h.dropped.Inc()
	return kept, 1
}

// safeValue lets plain values through, errors as their description, durations as text, and no structure: what a struct
// holds is not known here.
func safeValue(v slog.Value) (slog.Value, bool) {
	if v.Kind() == slog.KindDuration {
		return slog.StringValue(v.Duration().String()), true
	}
	if v.Kind() != slog.KindAny {
		return v, true
	}
	switch x := v.Any().(type) {
	case error:
		return slog.StringValue(Describe(x)), true
	case []string, []int, []int64, nil:
		return v, true
	case time.Duration:
		return slog.StringValue(x.String()), true
	case fmt.Stringer:
		return slog.StringValue(x.String()), true
	}
	return slog.Value{}, false
}
