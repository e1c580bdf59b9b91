package gateway_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// liveWorld is a gateway behind a real server, on a real stream.
type liveWorld struct {
	*world
	bus    bus.Bus
	server *httptest.Server
	stop   func()
}

func newLiveWorld(t *testing.T) *liveWorld {
	t.Helper()
	b := bustest.Embedded(t)
	l := &liveWorld{world: newWorldOn(t, b), bus: b}
	l.server = httptest.NewServer(l.service.Handler())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.service.Run(ctx) }()
	stopped := false
	l.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			check(t, bustest.Receive(t, done, "end of the live reader"))
		}
	}
	t.Cleanup(func() { l.service.Close(); l.server.Close(); l.stop() })
	return l
}

// publish tells a fact about an aggregate to an audience.
func (l *liveWorld) publish(aggregate string, audience ...string) {
	l.t.Helper()
	fact := &referralv1.Submitted{Meta: &commonv1.FactMeta{FactId: id.New(), AggregateId: aggregate, AggregateVersion: 4, Audience: audience}}
	payload, err := proto.Marshal(fact)
	check(l.t, err)
	_, err = l.bus.Publish(l.t.Context(), bus.Msg{Subject: "referral.v1.450321.submitted", ID: fact.GetMeta().GetFactId(), Type: "tongzhen.referral.v1.Submitted", Payload: payload, Time: now})
	check(l.t, err)
}

// streamTime bounds every stream, and so every wait for its end.
const streamTime = 2 * time.Minute

// listener is an open stream.
type listener struct {
	t      *testing.T
	blocks chan string // one event each, "" at the end; no heartbeats: who waits for an event must not wait for ever
	close  func()
}

func (l *liveWorld) listen(session, lastID string) *listener {
	l.t.Helper()
	return l.listenAt("/events", session, lastID)
}

func (l *liveWorld) listenAt(address, session, lastID string) *listener {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), streamTime)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, l.server.URL+address, nil)
	check(l.t, err)
	r.AddCookie(&http.Cookie{Name: "tongzhen_session", Value: session})
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	answer, err := l.server.Client().Do(r) //nolint:bodyclose // closed by the listener
	check(l.t, err)
	if ct := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || ct != "text/event-stream" {
		l.t.Fatal(answer.StatusCode, ct)
	}
	out := &listener{t: l.t, blocks: make(chan string, 1000), close: func() { cancel(); _ = answer.Body.Close() }}
	l.t.Cleanup(out.close)
	go func() {
		defer close(out.blocks)
		lines, block := bufio.NewScanner(answer.Body), ""
		for lines.Scan() {
			switch line := lines.Text(); {
			case strings.HasPrefix(line, ":"):
			case line != "":
				block += line + "\n"
			case block != "":
				out.blocks <- strings.TrimSpace(block)
				block = ""
			}
		}
	}()
	if first := out.next(); first != "retry: 2000" {
		l.t.Fatalf("the stream begins with %q", first)
	}
	return out
}

func (l *listener) next() string {
	l.t.Helper()
	return bustest.Receive(l.t, l.blocks, "event")
}

// event takes one block apart.
func (l *listener) event() (name, data, eventID string) {
	l.t.Helper()
	block := l.next()
	if block == "" {
		l.t.Fatal("the stream has ended")
	}
	for line := range strings.Lines(block) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "event":
			name = value
		case "data":
			data = value
		case "id":
			eventID = value
		}
	}
	return name, data, eventID
}

// What happens after a page was drawn and before its stream is open would be seen by nobody.
func TestAPageHearsOfWhatHappenedSinceItWasDrawn(t *testing.T) {
	t.Parallel()
	l := newLiveWorld(t)
	l.ready("township")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.server.URL+"/desk", nil)
	check(t, err)
	request.AddCookie(&http.Cookie{Name: "tongzhen_session", Value: "desk"})
	page, err := l.server.Client().Do(request)
	check(t, err)
	body, err := io.ReadAll(page.Body)
	check(t, err)
	check(t, page.Body.Close())
	_, address, _ := strings.Cut(string(body), `data-live="`)
	address, _, _ = strings.Cut(address, `"`)
	if !strings.HasPrefix(address, "/events?since=") {
		t.Fatalf("the page is told %q", address)
	}
	l.publish("between", "org:"+hospitalID)
	name, _, _ := l.listenAt(address, "desk", "").event()
	if name != "referral" {
		t.Errorf("the page hears %q", name)
	}
}

func TestThePageOfAnotherAccountHearsAndFetchesNothing(t *testing.T) {
	t.Parallel()
	l := newLiveWorld(t)
	for path, header := range map[string]string{"/events?account=" + clerk().GetId(): "", "/inbox/count": clerk().GetId()} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.server.URL+path, nil)
		check(t, err)
		r.AddCookie(&http.Cookie{Name: "tongzhen_session", Value: "township"})
		r.Header.Set("X-Fragment", "count")
		r.Header.Set("X-Account", header)
		answer, err := l.server.Client().Do(r)
		check(t, err)
		check(t, answer.Body.Close())
		if answer.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %d", path, answer.StatusCode)
		}
	}
}

func TestEverybodyHearsOnlyWhatConcernsThem(t *testing.T) {
	t.Parallel()
	l := newLiveWorld(t)
	township, desk := l.ready("township"), l.ready("desk")
	l.publish("for-the-township", "org:"+townshipID)
	l.publish("for-the-clerk", "account:"+clerk().GetId())
	l.publish("for-nobody")
	l.publish("for-both", "org:"+townshipID, "org:"+hospitalID)
	for who, want := range map[*listener][]string{township: {"for-the-township", "for-both"}, desk: {"for-the-clerk", "for-both"}} {
		for _, aggregate := range want {
			name, data, _ := who.event()
			if name != "referral" || data != `{"id":"`+aggregate+`","version":4}` {
				t.Errorf("%s %s, want %s", name, data, aggregate)
			}
		}
	}
}

// ready is a stream of a hub that is known to follow the bus: it has passed one event on.
func (l *liveWorld) ready(session string) *listener {
	l.t.Helper()
	account := l.sessions[session]
	for range 100 {
		out, first := l.listen(session, ""), id.New()
		l.publish(first, "account:"+account.GetId())
		timer := time.NewTimer(200 * time.Millisecond) // the reader may have begun after this fact: then another is told
		for waiting := true; waiting; {
			select {
			case block := <-out.blocks:
				if strings.Contains(block, first) {
					timer.Stop()
					return out
				}
			case <-timer.C:
				waiting = false
			}
		}
		out.close()
	}
	l.t.Fatal("the hub does not follow the bus")
	return nil
}

func TestALostLineMissesNothing(t *testing.T) {
	t.Parallel()
	l := newLiveWorld(t)
	first := l.ready("township")
	l.publish("seen", "org:"+townshipID)
	_, _, last := first.event()
	first.close()
	l.publish("missed-1", "org:"+townshipID)
	l.publish("not-mine", "org:"+hospitalID)
	l.publish("missed-2", "org:"+townshipID)
	l.ready("desk") // whatever was published before has been fanned out
	again := l.listen("township", last)
	for _, want := range []string{"missed-1", "missed-2"} {
		if _, data, _ := again.event(); !strings.Contains(data, want) {
			t.Errorf("%s, want %s", data, want)
		}
	}
	// Even before anything happened the browser knows where it stands.
	quiet := l.listen("township", "")
	name, _, position := quiet.event()
	if name != "" || position == "" {
		t.Fatalf("no position: %q", position)
	}
	quiet.close()
	l.publish("missed-3", "org:"+townshipID)
	l.ready("desk")
	if _, data, _ := l.listen("township", position).event(); !strings.Contains(data, "missed-3") {
		t.Error(data)
	}
}

func TestWhoWasAwayTooLongStartsAfresh(t *testing.T) {
	t.Parallel()
	l := newLiveWorld(t)
	first := l.ready("township")
	l.publish("old", "org:"+townshipID)
	_, _, old := first.event()
	l.publish("old too", "org:"+townshipID)
	first.event()
	l.clk.Advance(11 * time.Minute)
	l.publish("new", "org:"+townshipID)
	_, _, recent := first.event()
	if name, _, _ := l.listen("township", old).event(); name != "reset" {
		t.Errorf("after eleven minutes: %q", name)
	}
	if name, _, position := l.listen("township", recent).event(); name != "" || position != recent {
		t.Errorf("nothing was missed: %q", name)
	}
	if name, _, _ := l.listen("township", "999999").event(); name != "reset" {
		t.Errorf("a place in a stream that is gone: %q", name)
	}
}

func TestStreamsEndWhenTheGatewayStops(t *testing.T) {
	t.Parallel()
	l := newLiveWorld(t)
	open := l.ready("township")
	l.stop()
	for block := open.next(); block != ""; block = open.next() {
		if !strings.HasPrefix(block, "id:") {
			t.Errorf("%q", block)
		}
	}
}

func TestSigningOutEndsTheStreamsOfThatSession(t *testing.T) {
	t.Parallel()
	l := newLiveWorld(t)
	l.sessions["elsewhere"] = doctor()
	here, elsewhere := l.ready("township"), l.ready("elsewhere")
	l.browser("township").post("/sign-out", nil)
	here.ends()
	l.publish("news", "org:"+townshipID)
	if _, data, _ := elsewhere.event(); !strings.Contains(data, "news") {
		t.Errorf("the other session hears %q", data)
	}
}

func TestAnAccountHasABoundedNumberOfStreams(t *testing.T) {
	t.Parallel()
	l := newLiveWorld(t)
	oldest := l.ready("township")
	var others []*listener
	for range 20 {
		others = append(others, l.listen("township", ""))
	}
	oldest.ends()
	l.publish("news", "org:"+townshipID)
	for i, other := range others {
		for name := ""; name == ""; {
			name, _, _ = other.event()
			if name != "" && name != "referral" {
				t.Errorf("stream %d hears %q", i, name)
			}
		}
	}
}

// ends waits for the end of the stream.
func (l *listener) ends() {
	l.t.Helper()
	for l.next() != "" {
	}
}
