// Package channeltest holds the conformance suite of channel.Adapter and local simulators of the providers. A simulator verifies what its provider
// verifies and fails in the ways that providers fail.
package channeltest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Fault is how a provider fails.
type Fault string

// The ways. The zero value works.
const (
	Works         Fault = ""
	TimeoutBefore Fault = "no answer, nothing taken"
	TimeoutAfter  Fault = "taken, no answer"
	HalfAnswer    Fault = "taken, half an answer"
	Garbled       Fault = "taken, an answer that is none"
	TooMany       Fault = "too many"
	Busy          Fault = "not now"
	BadAddress    Fault = "no such address"
	Broken        Fault = "an error of its own"
	Redirect      Fault = "elsewhere"
	BusyTaken     Fault = "taken, and not now on the way back" // a gateway's 503 for an answer that it did not wait for
	Unauthorized  Fault = "who are you"
	Forbidden     Fault = "not you"
	Missing       Fault = "nothing here"
)

// Taken is a message as the provider has it.
type Taken struct{ ID, To, Text string }

// Simulator is what all simulators share. Safe for concurrent use.
type Simulator struct {
	URL string

	mu     sync.Mutex
	faults []Fault
	decide func() Fault
	taken  []Taken
	calls  int
	close  func()
}

// Next are the faults of the calls to come, in order; after them everything works.
func (s *Simulator) Next(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Decide asks for the fault of every call.
func (s *Simulator) Decide(f func() Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.decide = f
}

// Taken is what was taken so far.
func (s *Simulator) Taken() []Taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Taken(nil), s.taken...)
}

// Calls is how often a message was to be taken.
func (s *Simulator) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// Close ends it: nobody answers at its address any more.
func (s *Simulator) Close() { s.close() }

// fault of this call.
func (s *Simulator) fault() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.decide != nil {
		return s.decide()
	}
	if len(s.faults) == 0 {
		return Works
	}
	f := s.faults[0]
	s.faults = s.faults[1:]
	return f
}

func (s *Simulator) take(t Taken) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = append(s.taken, t)
}

// reply is an answer over HTTP.
type reply struct {
	status int
	header http.Header
	body   string
}

// provider is what differs between those that are called over HTTP.
type provider struct {
	// verify reads a call as the provider does; a reply is its refusal.
	verify func(r *http.Request, body []byte) (Taken, *reply)
	// taken is the answer for a message that was.
	taken func() reply
	// answers are its own for a fault; what is missing here is answered by the plain HTTP status.
	answers map[Fault]reply
	// aside serves what is no message; nil for nothing.
	aside func(w http.ResponseWriter, r *http.Request) bool
}

// overHTTP serves a provider until the test ends.
func overHTTP(t testing.TB, p provider) *Simulator {
	t.Helper()
	s := &Simulator{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, p) }))
	s.URL = server.URL
	var once sync.Once
	s.close = func() {
		once.Do(func() {
			server.CloseClientConnections()
			server.Close()
		})
	}
	t.Cleanup(s.close)
	return s
}

func (s *Simulator) serve(w http.ResponseWriter, r *http.Request, p provider) {
	if p.aside != nil && p.aside(w, r) {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	fault := s.fault()
	if fault == TimeoutBefore {
		<-r.Context().Done()
		return
	}
	message, refused := p.verify(r, body)
	if refused != nil {
		refused.write(w)
		return
	}
	if answer, ok := p.answers[fault]; ok {
		answer.write(w)
		return
	}
	switch fault {
	case Works:
		s.take(message)
		p.taken().write(w)
	case TimeoutAfter:
		s.take(message)
		<-r.Context().Done()
	case HalfAnswer:
		s.take(message)
		half(w, p.taken())
	case Garbled:
		s.take(message)
		reply{status: http.StatusOK, body: "<html>proxy</html>"}.write(w)
	case TooMany:
		reply{status: http.StatusTooManyRequests, header: http.Header{"Retry-After": {"1"}}}.write(w)
	case BusyTaken:
		s.take(message)
		reply{status: http.StatusServiceUnavailable}.write(w)
	case Unauthorized:
		reply{status: http.StatusUnauthorized}.write(w)
	case Forbidden:
		reply{status: http.StatusForbidden}.write(w)
	case Missing:
		reply{status: http.StatusNotFound}.write(w)
	case Busy:
		reply{status: http.StatusServiceUnavailable}.write(w)
	case BadAddress:
		reply{status: http.StatusGone}.write(w)
	case Redirect:
		reply{status: http.StatusTemporaryRedirect, header: http.Header{"Location": {s.URL + "/elsewhere"}}}.write(w)
	default:
		reply{status: http.StatusInternalServerError}.write(w)
	}
}

func (a reply) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

// half announces the whole answer and breaks the line within it.
func half(w http.ResponseWriter, a reply) {
	w.Header().Set("Content-Length", "1000")
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body[:len(a.body)/2])
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}
