package gateway_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const exchange = directoryv1.DirectoryService_ExchangeSession_FullMethodName

func exchanges(w *world) int { return len(called[*directoryv1.ExchangeSessionRequest](w, exchange)) }

func TestTheCookieCountsOnPagesOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	if got := b.get("/referrals").Code; got != http.StatusOK {
		t.Errorf("a page with the cookie: %d", got)
	}
	if got := b.get("/api/v1/sessions/current").Code; got != http.StatusUnauthorized {
		t.Errorf("the API with the cookie: %d", got)
	}
	if got := w.api("GET", "/sessions/current", "township", "").Code; got != http.StatusOK {
		t.Errorf("the API with the secret: %d", got)
	}
	bearer := []string{"Authorization", "Bearer township"}
	if got := w.browser("").get("/referrals", bearer...); got.Code != http.StatusSeeOther {
		t.Errorf("a page with the secret in the header: %d", got.Code)
	}
	if got := w.browser("").get("/events", bearer...).Code; got != http.StatusUnauthorized {
		t.Errorf("the stream with the secret in the header: %d", got)
	}
}

func TestATokenIsKeptUntilShortlyBeforeItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	b.get("/referrals")
	b.get("/referrals")
	if n := exchanges(w); n != 1 {
		t.Errorf("%d exchanges for two pages", n)
	}
	w.clk.Advance(3*time.Minute + 59*time.Second)
	if b.get("/referrals"); exchanges(w) != 1 {
		t.Error("the token was not kept for four of its five minutes")
	}
	w.clk.Advance(2 * time.Second)
	if b.get("/referrals"); exchanges(w) != 2 {
		t.Error("the token was not traded anew before its end")
	}
}

func TestSignOutEndsTheSessionAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	b.get("/referrals")
	if got := b.post("/sign-out", nil); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/sign-in" {
		t.Errorf("%d %s", got.Code, got.Header().Get("Location"))
	}
	if b.cookies["tongzhen_session"] != "" {
		t.Error("the cookie is still there")
	}
	if got := w.browser("township").get("/referrals"); got.Code != http.StatusSeeOther {
		t.Errorf("the secret still opens pages: %d", got.Code)
	}
}

func TestSignOutOfTheAPIEndsTheSessionAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.api("GET", "/sessions/current", "township", "")
	if got := w.api("DELETE", "/sessions/current", "township", ""); got.Code != http.StatusNoContent {
		t.Fatal(got.Code, got.Body)
	}
	if got := w.api("GET", "/sessions/current", "township", ""); got.Code != http.StatusUnauthorized {
		t.Errorf("the secret still counts: %d", got.Code)
	}
}

func TestAnExchangeOnItsWayDuringSignOutIsNotKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reached, proceed := make(chan struct{}), make(chan struct{})
	on(w, exchange, func(ctx context.Context, in *directoryv1.ExchangeSessionRequest) (*directoryv1.CallToken, error) {
		answer, err := w.exchange(ctx, in)
		select {
		case reached <- struct{}{}:
			<-proceed
		case <-proceed:
		}
		return answer, err
	})
	done := make(chan struct{})
	go func() { defer close(done); w.browser("township").get("/referrals") }()
	<-reached
	if got := w.api("DELETE", "/sessions/current", "township", ""); got.Code != http.StatusNoContent {
		t.Error(got.Code)
	}
	close(proceed)
	<-done
	if got := w.browser("township").get("/referrals").Code; got != http.StatusSeeOther {
		t.Errorf("a token that came after sign-out is used: %d", got)
	}
}

func TestAnEndedSessionIsSentToSignInAndComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("ended")
	got := b.get("/referrals/" + referralID)
	if loc := got.Header().Get("Location"); got.Code != http.StatusSeeOther || loc != "/sign-in?back=%2Freferrals%2F"+referralID {
		t.Errorf("%d %s", got.Code, loc)
	}
	if _, there := b.cookies["tongzhen_session"]; there {
		t.Error("the ended session's cookie was not taken back")
	}
	if got := b.get("/desk", "X-Fragment", "rows").Code; got != http.StatusUnauthorized {
		t.Errorf("a fragment must not be a redirect to a whole page: %d", got)
	}
}

func TestADirectoryThatIsAwayIsNoSignOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(exchange, errs.Unavailable("directory", nil))
	b := w.browser("township")
	if got := b.get("/referrals"); got.Code != http.StatusServiceUnavailable || got.Header().Get("Retry-After") == "" {
		t.Error(got.Code)
	}
	if b.cookies["tongzhen_session"] != "township" {
		t.Error("the cookie was taken back")
	}
}

func TestASessionThatAServiceRefusesDoesNotRunInCircles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse("/tongzhen.referral.v1.ReferralService/ListReferrals", errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "", nil))
	b := w.browser("township")
	loc := b.get("/referrals").Header().Get("Location")
	if got := b.get(loc); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `name="password"`) {
		t.Errorf("%s answers %d to %s", loc, got.Code, got.Header().Get("Location"))
	}
}

func TestAReturnAddressStaysHere(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/desk?tab=ended": "/desk?tab=ended", "//elsewhere.org": "/", "https://elsewhere.org": "/", `/\elsewhere.org`: "/", "": "/",
		"/\t/elsewhere.org": "/", "/\n/elsewhere.org": "/", "/\x00/x": "/", "elsewhere.org": "/", "javascript:alert(1)": "/",
	} {
		if got := shell.LocalPath(path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
	w := newWorld(t)
	got := w.browser("").post("/sign-in", form("account", "township", "password", "right", "back", "//elsewhere.org"))
	if got.Header().Get("Location") != "/" {
		t.Error(got.Header().Get("Location"))
	}
	got = w.browser("").post("/display", form("language", "en", "back", "/\t/elsewhere.org"))
	if got.Header().Get("Location") != "/" {
		t.Error(got.Header().Get("Location"))
	}
}

func TestSignInGivesANewSecretAndEndsTheOldOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk") // a session that somebody else put there
	got := b.post("/sign-in", form("account", "township", "password", "right", "back", "/inbox"))
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/inbox" {
		t.Errorf("%d %s", got.Code, got.Header().Get("Location"))
	}
	if b.cookies["tongzhen_session"] != "fresh" {
		t.Error("the old secret is still in use")
	}
	cookie := got.Header().Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("%q lacks %s", cookie, want)
		}
	}
	if out := called[*directoryv1.SignOutRequest](w, directoryv1.DirectoryService_SignOut_FullMethodName); len(out) != 1 || out[0].GetAccessToken() != "desk" {
		t.Error("the old session was not ended")
	}
}

func TestARefusedSignInKeepsTheAccountAndNeverThePassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.browser("").post("/sign-in", form("account", "township", "password", "geheim-77", "back", "/inbox"))
	body := got.Body.String()
	if got.Code != http.StatusUnauthorized || !strings.Contains(body, `value="township"`) || !strings.Contains(body, `value="/inbox"`) {
		t.Error(got.Code, body)
	}
	if strings.Contains(body, "geheim-77") || strings.Contains(w.log.String(), "geheim-77") || strings.Contains(got.Header().Get("Location"), "geheim") {
		t.Error("the password came back")
	}
	if len(got.Result().Cookies()) > 0 {
		t.Error("a cookie was given")
	}
	body = w.browser("").post("/sign-in", form("account", "", "password", "x")).Body.String()
	if strings.Contains(body, "{field}") || !strings.Contains(body, "Please fill in “account”") {
		t.Error("an empty account is not worded")
	}
}

func TestAFormFromAnotherSiteIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "", "Origin", "https://elsewhere.org"}} {
		got := w.browser("township").post("/referrals/"+referralID+"/accept", form("version", "3"), header...)
		if got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "Open the page here and send the form again.") {
			t.Errorf("%v: %d %s", header, got.Code, got.Body)
		}
	}
	if n := len(called[*directoryv1.SignInRequest](w, "/tongzhen.referral.v1.ReferralService/Accept")); n != 0 {
		t.Error("it was carried out")
	}
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	asset := b.get("/sign-in?back=/").Body.String()
	_, asset, _ = strings.Cut(asset, `<link rel="stylesheet" href="`)
	asset, _, _ = strings.Cut(asset, `"`)
	for path, status := range map[string]int{
		"/referrals": 200, "/nothing-here": 404, "/api/v1/sessions/current": 401, "/api/v1/nothing": 401, "/api/v1/openapi.json": 200, asset: 200, "/assets/none.css": 404,
	} {
		got := b.get(path)
		if got.Code != status {
			t.Errorf("%s: %d", path, got.Code)
		}
		h := got.Header()
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'self'") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" || h.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s: %v", path, h)
		}
		if cc := h.Get("Cache-Control"); path != asset && cc != "no-store" || path == asset && !strings.Contains(cc, "immutable") {
			t.Errorf("%s may be kept: %q", path, cc)
		}
	}
}
