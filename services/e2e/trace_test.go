//go:build e2e

package e2e_test

import (
	"context"
	"encoding/hex"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/prototext"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// collector takes the spans of every process.
type collector struct {
	collectorv1.UnimplementedTraceServiceServer
	url string

	mu    sync.Mutex
	spans map[string]*tracev1.Span // by span id
	text  strings.Builder          // everything that was sent, as text
}

// Export implements the collector's contract.
func (c *collector) Export(_ context.Context, r *collectorv1.ExportTraceServiceRequest) (*collectorv1.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text.WriteString(prototext.MarshalOptions{EmitASCII: false}.Format(r))
	for _, resource := range r.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				c.spans[hex.EncodeToString(span.GetSpanId())] = span
			}
		}
	}
	return &collectorv1.ExportTraceServiceResponse{}, nil
}

func collect(t *testing.T) *collector {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	c := &collector{url: "http://" + listener.Addr().String(), spans: map[string]*tracev1.Span{}}
	server := grpc.NewServer()
	collectorv1.RegisterTraceServiceServer(server, c)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return c
}

// path is the chain of spans from one to the root of its trace; "" as the last parent means that it is unbroken.
func (c *collector) path(span *tracev1.Span) (chain []*tracev1.Span, missing string) {
	for {
		chain = append(chain, span)
		parent := hex.EncodeToString(span.GetParentSpanId())
		if parent == "" {
			return chain, ""
		}
		next, ok := c.spans[parent]
		if !ok {
			return chain, parent
		}
		span = next
	}
}

// notified are the spans in which notification took the fact that a referral was submitted.
func (c *collector) notified() []*tracev1.Span {
	var out []*tracev1.Span
	for _, s := range c.spans {
		if s.GetKind() == tracev1.Span_SPAN_KIND_CONSUMER && strings.HasSuffix(s.GetName(), "referral.v1.Submitted") &&
			strings.HasPrefix(attribute(s, "messaging.consumer.group.name"), "notification-") {
			out = append(out, s)
		}
	}
	return out
}

func attribute(s *tracev1.Span, key string) string {
	for _, a := range s.GetAttributes() {
		if a.GetKey() == key {
			return a.GetValue().GetStringValue()
		}
	}
	return ""
}

// marked are words that only patient data holds.
const (
	markedName    = "覃谧踪"
	markedIllness = "独一无二之主诉"
	markedNumber  = "990122195705010010" // of no region that there is
	markedPhone   = "16698761234"
)

func TestOneTraceFromTheRequestToTheInboxAndNoPatientInIt(t *testing.T) {
	for name, start := range map[string]func(t *testing.T, env string) *harness.System{
		"together": func(t *testing.T, env string) *harness.System { return harness.Together(t, binary, true, env) },
		"separate": func(t *testing.T, env string) *harness.System { return harness.Separate(t, binary, env) },
	} {
		t.Run(name, func(t *testing.T) {
			c := collect(t)
			s := start(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.url)
			people := signInAll(t, s)
			request := people.upward(people.marked(t), neurology)
			request.Form.PresentIllness = markedIllness
			request.HoldId = people.holdSlot(t, people.township, neurology, request.GetPatientId()).GetId()
			r := post[referralv1.Referral](t, people.township, "/referrals", request)
			eventually(t, "entry in the desk's inbox", func() bool { return inbox(t, people.desk, r.GetId())["submitted"] == 1 })
			metrics := s.Metrics(t)
			s.Stop(t) // sends the spans that are left
			c.mu.Lock()
			defer c.mu.Unlock()
			c.checkChain(t)
			for where, text := range map[string]string{"spans": c.text.String(), "logs": s.Logs(t), "metrics": metrics} {
				for _, secret := range []string{markedName, markedIllness, markedNumber, markedPhone} {
					if strings.Contains(text, secret) {
						t.Errorf("the %s hold %q", where, secret)
					}
				}
			}
		})
	}
}

// checkChain follows the parents from the notification back to the request.
func (c *collector) checkChain(t *testing.T) {
	t.Helper()
	ends := c.notified()
	if len(ends) != 1 {
		t.Fatalf("%d spans of notification consuming the fact, want one, among %d", len(ends), len(c.spans))
	}
	chain, missing := c.path(ends[0])
	var names []string
	at := -1
	want := []struct {
		kind tracev1.Span_SpanKind
		part string
	}{
		{tracev1.Span_SPAN_KIND_CONSUMER, "Submitted"},
		{tracev1.Span_SPAN_KIND_SERVER, "CreateReferral"},
		{tracev1.Span_SPAN_KIND_CLIENT, "CreateReferral"},
		{tracev1.Span_SPAN_KIND_SERVER, "POST /api"},
	}
	for _, s := range chain {
		names = append(names, s.GetKind().String()+" "+s.GetName())
		if at+1 < len(want) && s.GetKind() == want[at+1].kind && strings.Contains(s.GetName(), want[at+1].part) {
			at++
		}
	}
	if missing != "" || at != len(want)-1 {
		t.Errorf("the trace is broken (missing parent %q, %d of %d hops found):\n%s", missing, at+1, len(want), strings.Join(names, "\n"))
	}
	c.checkInserts(t, chain[0].GetTraceId())
}

// checkInserts: the same trace has the publication of the fact.
func (c *collector) checkInserts(t *testing.T, trace []byte) {
	t.Helper()
	services := map[string]bool{}
	for _, s := range c.spans {
		if string(s.GetTraceId()) == string(trace) && s.GetKind() == tracev1.Span_SPAN_KIND_SERVER {
			services[strings.TrimSuffix(s.GetName(), s.GetName()[strings.LastIndex(s.GetName(), "/")+1:])] = true
		}
	}
	for _, name := range []string{"tongzhen.patientrecord.v1.PatientRecordService/", "tongzhen.scheduling.v1.SchedulingService/", "tongzhen.referral.v1.ReferralService/"} {
		if !services[name] {
			t.Errorf("the trace does not pass %s; it passes %v", name, services)
		}
	}
}

// marked registers a patient with words that are looked for afterwards.
func (c cast) marked(t *testing.T) string {
	t.Helper()
	p := post[patientrecordv1.Patient](t, c.township, "/patients", &patientrecordv1.RegisterPatientRequest{
		RequestId: id.New(), Name: markedName, DocumentType: patientrecordv1.DocumentType_RESIDENT_IDENTITY_CARD,
		IdentityNumber: markedNumber, Phone: markedPhone,
	})
	for _, search := range []*patientrecordv1.SearchPatientsRequest{{Query: markedName}, {Query: markedPhone[7:]}, {IdentityNumber: markedNumber}} {
		if found := post[patientrecordv1.SearchPatientsResponse](t, c.township, "/patients:search", search).GetPatients(); len(found) != 1 || found[0].GetId() != p.GetId() {
			t.Errorf("%d patients are found by %v", len(found), search)
		}
	}
	// Refusals quote nothing either.
	again := &patientrecordv1.RegisterPatientRequest{RequestId: id.New(), Name: markedName, DocumentType: patientrecordv1.DocumentType_RESIDENT_IDENTITY_CARD, IdentityNumber: markedNumber}
	_, err := harness.Call[patientrecordv1.Patient](t.Context(), c.township, http.MethodPost, "/patients", again)
	refused(t, err, http.StatusConflict, "ALREADY_REGISTERED")
	incomplete := c.upward(p.GetId(), neurology)
	incomplete.Form = &referralv1.Form{PresentIllness: markedIllness}
	_, err = harness.Call[referralv1.Referral](t.Context(), c.township, http.MethodPost, "/referrals", incomplete)
	refused(t, err, http.StatusBadRequest, "")
	return p.GetId()
}
