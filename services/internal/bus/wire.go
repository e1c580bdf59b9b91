package bus

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/propagation"
)

// The headers, CloudEvents in binary mode. Names are case-sensitive on the wire.
const (
	headerID          = "ce-id"
	headerVersion     = "ce-specversion"
	headerType        = "ce-type"
	headerSource      = "ce-source"
	headerTime        = "ce-time"
	headerContentType = "ce-datacontenttype"
	headerTrace       = "traceparent"
)

// wire is what m looks like on its way.
func wire(ctx context.Context, m Msg, n names) *nats.Msg {
	root, _, _ := strings.Cut(m.Subject, ".")
	h := nats.Header{
		jetstream.MsgIDHeader: {m.ID},
		headerID:              {m.ID},
		headerVersion:         {"1.0"},
		headerType:            {m.Type},
		headerSource:          {"/tongzhen/" + root},
		headerContentType:     {"application/protobuf"},
	}
	if !m.Time.IsZero() {
		h[headerTime] = []string{m.Time.UTC().Format(time.RFC3339Nano)}
	}
	if parent := m.Header[headerTrace]; parent != "" {
		h[headerTrace] = []string{parent}
	} else {
		propagation.TraceContext{}.Inject(ctx, traceCarrier(h))
	}
	return &nats.Msg{Subject: n.subject(m.Subject), Header: h, Data: m.Payload}
}

// unwire is the message that came.
func unwire(m jetstream.Msg, meta *jetstream.MsgMetadata, n names) Msg {
	h := m.Headers()
	out := Msg{
		Subject: n.bare(m.Subject()), ID: first(h, headerID), Type: first(h, headerType), Payload: m.Data(),
		Header: make(map[string]string, len(h)), Sequence: meta.Sequence.Stream, Time: meta.Timestamp.UTC(),
	}
	for key := range h {
		out.Header[key] = first(h, key)
	}
	if at, err := time.Parse(time.RFC3339Nano, first(h, headerTime)); err == nil {
		out.Time = at.UTC()
	}
	return out
}

func first(h nats.Header, key string) string {
	if v := h[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// traceCarrier writes and reads lower-case names. The carrier for HTTP would write "Traceparent", which readers in
// other languages do not find, and a tracestate, which is not among the headers.
type traceCarrier nats.Header

var _ propagation.TextMapCarrier = traceCarrier(nil)

func (c traceCarrier) Get(key string) string { return first(nats.Header(c), key) }
func (c traceCarrier) Keys() []string        { return slices.Collect(maps.Keys(c)) }
func (c traceCarrier) Set(key, value string) {
	if key == headerTrace {
		c[key] = []string{value}
	}
}
