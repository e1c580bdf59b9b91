package live_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/live"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/clock"
)

// directory knows everybody as the same person.
type directory struct {
	directoryv1.DirectoryServiceClient
}

func (directory) ExchangeSession(context.Context, *directoryv1.ExchangeSessionRequest, ...grpc.CallOption) (*directoryv1.CallToken, error) {
	end := timestamppb.New(clock.System().Now().Add(12 * time.Hour))
	return &directoryv1.CallToken{ExpiresAt: end, SessionExpiresAt: end, Account: &directoryv1.Account{Id: "desk", OrganizationId: "hospital"}}, nil
}

// storm is a stream of that many facts for the hospital.
type storm struct {
	bus.Bus
	facts uint64
}

func (s storm) LastSequence(context.Context) (uint64, error) { return 0, nil }

func (s storm) Tail(_ context.Context, _ uint64, _ []string, fn func(bus.Msg)) error {
	payload, err := proto.Marshal(&referralv1.Submitted{Meta: &commonv1.FactMeta{AggregateId: "r", Audience: []string{"org:hospital"}}})
	for n := range s.facts {
		fn(bus.Msg{Subject: "referral.v1.450321.submitted", Type: "tongzhen.referral.v1.Submitted", Payload: payload, Sequence: n + 1})
	}
	return err
}

func hub(b bus.Bus) (*live.Hub, http.Handler) {
	h := live.New(b, clock.System(), slog.New(slog.DiscardHandler))
	d := door.New(directory{}, clock.System(), h.End)
	return h, d.Cookie(h, func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusServiceUnavailable) })
}

func TestAStormOfFactsIsNotKeptWholeAndWhoMissedSomeStartsAfresh(t *testing.T) {
	t.Parallel()
	const facts = 21_000
	h, handler := hub(storm{facts: facts})
	if err := h.Run(t.Context(), func(string) {}); err != nil {
		t.Fatal(err)
	}
	h.Close()
	for seen, want := range map[uint64]string{1: "event: reset", facts - 1: fmt.Sprintf("id: %d\nevent: referral", facts)} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/events", nil)
		r.AddCookie(&http.Cookie{Name: door.CookieName, Value: "secret"})
		r.Header.Set("Last-Event-ID", fmt.Sprint(seen))
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), want) || strings.Count(w.Body.String(), "event:") != 1 {
			t.Errorf("who has seen %d is told %.200q", seen, w.Body)
		}
	}
}

// Who opened a page before this process knew its place in the stream may have missed what came until then.
func TestWhoCameBeforeThePlaceWasKnownStartsAfresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, handler := hub(storm{facts: 3})
		open := func() (answer *httptest.ResponseRecorder, ended chan struct{}) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/events", nil)
			r.AddCookie(&http.Cookie{Name: door.CookieName, Value: "secret"})
			answer, ended = httptest.NewRecorder(), make(chan struct{})
			go func() {
				defer close(ended)
				handler.ServeHTTP(answer, r)
			}()
			synctest.Wait()
			return answer, ended
		}
		early, earlyEnded := open()
		if err := h.Run(t.Context(), func(string) {}); err != nil {
			t.Fatal(err)
		}
		<-earlyEnded
		if body := early.Body.String(); !strings.HasSuffix(body, "event: reset\ndata: {}\n\n") {
			t.Errorf("%q", body)
		}
		late, lateEnded := open()
		h.Close()
		<-lateEnded
		if body := late.Body.String(); strings.Contains(body, "reset") || !strings.Contains(body, "id: 3\n") {
			t.Errorf("%q", body)
		}
	})
}

// one is a listener of one connection.
type one struct {
	conn chan net.Conn
	done chan struct{}
}

func (l one) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l one) Close() error   { close(l.done); return nil }
func (l one) Addr() net.Addr { return &net.TCPAddr{} }

func TestAStreamWhoseBrowserTakesNothingAnyMoreEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, handler := hub(nil)
		ended := make(chan struct{})
		l := one{make(chan net.Conn, 1), make(chan struct{})}
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer close(ended)
			handler.ServeHTTP(w, r)
		})}
		served := make(chan error)
		go func() { served <- server.Serve(l) }()
		browser, conn := net.Pipe()
		l.conn <- conn
		if _, err := io.WriteString(browser, "GET /events HTTP/1.1\r\nHost: x\r\nCookie: tongzhen_session=secret\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAtLeast(browser, make([]byte, 4096), 100); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ended:
		case <-time.After(5 * time.Minute):
			t.Error("the stream stays open")
		}
		_ = browser.Close()
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// opened is a stream of two facts of a referral: somebody opened it, and it was accepted.
type opened struct{ bus.Bus }

func (opened) LastSequence(context.Context) (uint64, error) { return 0, nil }

func (opened) Tail(_ context.Context, _ uint64, _ []string, fn func(bus.Msg)) error {
	meta := &commonv1.FactMeta{AggregateId: "r", AggregateVersion: 3, Audience: []string{"org:hospital"}}
	for n, m := range []proto.Message{&referralv1.Submitted{Meta: meta}, &referralv1.Seen{Meta: meta}, &referralv1.Accepted{Meta: meta}} {
		payload, err := proto.Marshal(m)
		if err != nil {
			return err
		}
		name := m.ProtoReflect().Descriptor()
		fn(bus.Msg{Subject: "referral.v1.450321." + strings.ToLower(string(name.Name())), Type: string(name.FullName()), Payload: payload, Sequence: uint64(n + 1)})
	}
	return nil
}

// Who opens a referral and answers it at once is not told that it has just changed: it was they who opened it.
func TestThatAReferralWasOpenedIsToldApartFromWhatChangesIt(t *testing.T) {
	t.Parallel()
	h, handler := hub(opened{})
	if err := h.Run(t.Context(), func(string) {}); err != nil {
		t.Fatal(err)
	}
	h.Close()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/events", nil)
	r.AddCookie(&http.Cookie{Name: door.CookieName, Value: "secret"})
	r.Header.Set("Last-Event-ID", "1")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	for _, words := range []string{`data: {"id":"r","seen":true,"version":3}`, `data: {"id":"r","version":3}`} {
		if !strings.Contains(w.Body.String(), words) {
			t.Errorf("%s is not told: %s", words, w.Body)
		}
	}
}
