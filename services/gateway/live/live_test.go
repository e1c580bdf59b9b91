package live_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
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

// feed is a stream of facts under the test's hand.
type feed struct {
	bus.Bus
	last uint64
	err  error
	msgs chan bus.Msg
	lost chan struct{}
}

func newFeed() *feed { return &feed{msgs: make(chan bus.Msg), lost: make(chan struct{})} }

func (f *feed) LastSequence(context.Context) (uint64, error) { return f.last, f.err }

func (f *feed) Tail(ctx context.Context, _ uint64, _ []string, fn func(bus.Msg)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-f.lost:
			return fmt.Errorf("tail: %w", bus.ErrTooOld)
		case m := <-f.msgs:
			fn(m)
		}
	}
}

func (f *feed) tell(t *testing.T, sequence uint64, aggregate string) {
	t.Helper()
	payload, err := proto.Marshal(&referralv1.Submitted{Meta: &commonv1.FactMeta{AggregateId: aggregate, AggregateVersion: 1, Audience: []string{"org:o1"}}})
	if err != nil {
		t.Fatal(err)
	}
	f.msgs <- bus.Msg{Subject: "referral.v1.450321.submitted", Type: "tongzhen.referral.v1.Submitted", Payload: payload, Sequence: sequence}
}

// directory lets one person in until the session ends.
type directory struct {
	directoryv1.DirectoryServiceClient
	until time.Time
}

func (d directory) ExchangeSession(context.Context, *directoryv1.ExchangeSessionRequest, ...grpc.CallOption) (*directoryv1.CallToken, error) {
	return &directoryv1.CallToken{Token: "t", Account: &directoryv1.Account{Id: "a1", OrganizationId: "o1"}, SessionExpiresAt: timestamppb.New(d.until), ExpiresAt: timestamppb.New(d.until)}, nil
}

// browser is an open stream; while it is stuck it takes nothing.
type browser struct {
	*httptest.ResponseRecorder
	mu    sync.Mutex
	text  strings.Builder
	stuck chan struct{}
	done  chan struct{}
}

func (b *browser) Write(p []byte) (int, error) {
	if b.stuck != nil {
		<-b.stuck
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *browser) read() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *browser) SetWriteDeadline(time.Time) error { return nil }

type fixture struct {
	hub     *live.Hub
	feed    *feed
	handler http.Handler
	ended   chan error
	cancel  context.CancelFunc
}

// start is called inside a bubble.
func start(t *testing.T, f *feed) *fixture {
	t.Helper()
	hub := live.New(f, clock.System(), slog.New(slog.DiscardHandler))
	d := door.New(directory{until: time.Now().Add(time.Hour)}, clock.System(), false)
	ctx, cancel := context.WithCancel(t.Context())
	x := &fixture{hub: hub, feed: f, ended: make(chan error, 1), cancel: cancel}
	x.handler = d.Cookie(hub, func(http.ResponseWriter, *http.Request, error) { t.Error("refused") })
	go func() { x.ended <- hub.Run(ctx) }()
	synctest.Wait()
	return x
}

func (x *fixture) open(t *testing.T, lastID string, stuck chan struct{}) *browser {
	t.Helper()
	b := &browser{ResponseRecorder: httptest.NewRecorder(), stuck: stuck, done: make(chan struct{})}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/events", nil)
	r.AddCookie(&http.Cookie{Name: door.CookieName, Value: "secret"})
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	go func() { defer close(b.done); x.handler.ServeHTTP(b, r) }()
	synctest.Wait()
	return b
}

func (x *fixture) stop(t *testing.T) {
	t.Helper()
	x.cancel()
	if err := <-x.ended; err != nil {
		t.Error(err)
	}
	x.hub.Close()
}

func TestAQuietStreamIsKeptOpenUntilTheSessionEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		x := start(t, newFeed())
		b := x.open(t, "", nil)
		<-time.After(46 * time.Second)
		synctest.Wait()
		if n := strings.Count(b.read(), ":\n\n"); n != 3 {
			t.Errorf("%d signs of life in 46 s", n)
		}
		<-time.After(time.Hour)
		<-b.done
		x.stop(t)
	})
}

func TestASlowBrowserIsToldToStartAfresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		x := start(t, newFeed())
		stuck := make(chan struct{})
		slow, quick := x.open(t, "", stuck), x.open(t, "", nil)
		for i := range uint64(100) {
			x.feed.tell(t, i+1, fmt.Sprint("r", i))
			synctest.Wait()
		}
		close(stuck)
		<-slow.done
		if !strings.HasSuffix(slow.read(), "event: reset\ndata: {}\n\n") {
			t.Error(slow.read())
		}
		if n := strings.Count(quick.read(), "event: referral"); n != 100 {
			t.Errorf("the quick one got %d of 100", n)
		}
		x.stop(t)
		<-quick.done
	})
}

func TestAStreamMadeAnewTellsEverybodyToStartAfresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed()
		f.last = 500
		x := start(t, f)
		b := x.open(t, "500", nil)
		f.last = 0
		f.lost <- struct{}{}
		<-b.done
		if !strings.Contains(b.read(), "id: 500") || !strings.HasSuffix(b.read(), "event: reset\ndata: {}\n\n") {
			t.Error(b.read())
		}
		if again := x.open(t, "500", nil); !strings.Contains(again.read(), "event: reset") {
			t.Error(again.read())
		}
		x.stop(t)
	})
}

func TestWhileTheBusIsAwayNobodyIsToldThatNothingWasMissed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed()
		f.err = errors.New("away")
		x := start(t, f)
		if b := x.open(t, "7", nil); !strings.Contains(b.read(), "event: reset") {
			t.Error(b.read())
		}
		f.tell(t, 9, "r")
		synctest.Wait()
		if b := x.open(t, "8", nil); !strings.Contains(b.read(), `data: {"id":"r","version":1}`) {
			t.Error(b.read())
		}
		x.stop(t)
	})
}

func TestWhatCannotBeReadDisturbsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		x := start(t, newFeed())
		b := x.open(t, "", nil)
		for i, m := range []bus.Msg{
			{Subject: "other.v1.x.y"}, {Subject: "referral.v1.x.y", Type: "no.such.Type"}, {Subject: "referral.v1.x.y", Type: "tongzhen.referral.v1.Submitted", Payload: []byte{0xff}},
			{Subject: "referral.v1.x.y", Type: "tongzhen.common.v1.Coding"}, {Subject: "referral.v1.x.y", Type: "tongzhen.referral.v1.Submitted"},
		} {
			m.Sequence = uint64(i) + 1
			x.feed.msgs <- m
		}
		x.feed.tell(t, 9, "r")
		synctest.Wait()
		if n := strings.Count(b.read(), "event: "); n != 1 {
			t.Error(b.read())
		}
		x.stop(t)
	})
}
