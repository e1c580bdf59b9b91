package door_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// directory knows the secret "right" and counts who asks; before runs while it is being asked about that one.
type directory struct {
	directoryv1.DirectoryServiceClient
	clk    clock.Clock
	asked  int
	idle   []bool
	before func()
}

func (d *directory) ExchangeSession(_ context.Context, in *directoryv1.ExchangeSessionRequest, _ ...grpc.CallOption) (*directoryv1.CallToken, error) {
	d.asked++
	d.idle = append(d.idle, in.GetIdle())
	if in.GetAccessToken() != "right" {
		return nil, errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "no such session", nil)
	}
	if d.before != nil {
		d.before()
	}
	now := d.clk.Now()
	return &directoryv1.CallToken{
		Token: "token", ExpiresAt: timestamppb.New(now.Add(5 * time.Minute)), SessionExpiresAt: timestamppb.New(now.Add(time.Hour)),
	}, nil
}

func TestWrongSecretsOfOthersDoNotKeepATokenFromBeingKept(t *testing.T) {
	t.Parallel()
	clk := clock.NewFixed(time.Date(2026, 3, 18, 1, 30, 0, 0, time.UTC))
	peer := &directory{clk: clk}
	d := door.New(peer, clk, func(door.Session) {})
	peer.before = func() {
		if _, err := d.Resolve(t.Context(), "wrong"); errs.ReasonOf(err) != errs.ReasonSessionExpired {
			t.Errorf("a wrong secret: %v", err)
		}
	}
	for range 3 {
		if v, err := d.Resolve(t.Context(), "right"); err != nil || v.Token != "token" {
			t.Fatalf("%v, %v", v, err)
		}
	}
	if peer.asked != 2 {
		t.Errorf("directory was asked %d times, want once for each secret", peer.asked)
	}
}

// What a page asks by itself must not keep the session of somebody who is gone; who comes back counts at once.
func TestWhatAPageAsksByItselfIsNoUseOfTheSession(t *testing.T) {
	t.Parallel()
	clk := clock.NewFixed(time.Date(2026, 3, 18, 1, 30, 0, 0, time.UTC))
	peer := &directory{clk: clk}
	d := door.New(peer, clk, func(door.Session) {})
	over := false
	handler := d.Cookie(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { over = over || door.Ended(r.Context()) }), func(http.ResponseWriter, *http.Request, error) {})
	ask := func(path, header string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.AddCookie(&http.Cookie{Name: door.CookieName, Value: "right"})
		if header != "" {
			r.Header.Set("X-Idle", header)
		}
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	ask("/events", "")
	ask("/desk", "1")
	ask("/desk", "")
	ask("/desk", "1")
	if over {
		t.Error("the session is said to be over")
	}
	if want := []bool{true, false}; !slices.Equal(peer.idle, want) {
		t.Errorf("directory was asked %v, want %v", peer.idle, want)
	}
}
