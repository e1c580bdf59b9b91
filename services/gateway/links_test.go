package gateway_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

const (
	linkMethod        = notificationv1.DeliveryService_GetByToken_FullMethodName
	acknowledgeMethod = notificationv1.DeliveryService_AcknowledgeByToken_FullMethodName
	linkToken         = "Zm9ydHktdHdvIGJ5dGVzIQ"
	linkPage          = "/k/" + linkToken
)

func tokenState(acknowledged bool) *notificationv1.TokenState {
	s := &notificationv1.TokenState{Event: "submitted", Urgency: commonv1.Urgency_EMERGENCY, ReferralNumber: "450321-26-0000123-4", Acknowledged: acknowledged}
	if acknowledged {
		s.AcknowledgeTime = in(0)
	}
	return s
}

func TestWhoHasTheLinkSeesUrgencyAndNumberAndAcknowledges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(linkMethod, tokenState(false))
	w.always(acknowledgeMethod, tokenState(true))
	b := w.browser("")
	got := b.get(linkPage)
	body := got.Body.String()
	if got.Code != http.StatusOK || !strings.Contains(body, "450321-26-0000123-4") || !strings.Contains(body, "I have seen it") || got.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", got.Code, body)
	}
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	if got = b.post(linkPage, url.Values{}); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "Acknowledged;") || strings.Contains(got.Body.String(), "<form method=\"post\"") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if asked := lastly[*notificationv1.TokenRequest](t, w, acknowledgeMethod); asked.GetToken() != linkToken {
		t.Errorf("%v", asked)
	}
	// Of a ring whoever acknowledges takes the patient on.
	ring := tokenState(false)
	ring.Event = "alarm_rang"
	w.always(linkMethod, ring)
	if body := b.get(linkPage).Body.String(); !strings.Contains(body, "I take it on") || strings.Contains(body, "I have seen it") {
		t.Error(body)
	}
	w.refuse(linkMethod, errs.NotFound("link"))
	for _, path := range []string{linkPage, "/k/short"} {
		if got := b.get(path); got.Code != http.StatusNotFound || !strings.Contains(got.Body.String(), "The link is unknown or too old") {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
}

// A county may come from one address: whoever guesses there keeps nobody from acknowledging.
func TestGuessesAreFewAndNobodyBehindTheSameAddressSuffers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(linkMethod, errs.NotFound("link"))
	b := w.browser("")
	for i := range 10 {
		if got := b.get(fmt.Sprintf("/k/guessed-token-%06d", i)); got.Code != http.StatusNotFound {
			t.Fatalf("guess %d: %d", i+1, got.Code)
		}
	}
	for _, path := range []string{"/k/guessed-token-more", "/k/short"} {
		if got := b.get(path); got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") == "" {
			t.Errorf("one more guess, %s: %d", path, got.Code)
		}
	}
	w.always(linkMethod, tokenState(false))
	w.always(acknowledgeMethod, tokenState(true))
	for i := range 40 {
		page := fmt.Sprintf("/k/known-token-of-desk-%03d", i)
		if got := b.get(page); got.Code != http.StatusOK {
			t.Fatalf("link %d: %d", i+1, got.Code)
		}
		if got := b.post(page, url.Values{}); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "Acknowledged;") {
			t.Fatalf("link %d is not acknowledged: %d", i+1, got.Code)
		}
	}
	w.refuse(linkMethod, errs.NotFound("link"))
	w.clk.Advance(time.Minute)
	if got := b.get("/k/guessed-token-again"); got.Code != http.StatusNotFound {
		t.Errorf("a minute later: %d", got.Code)
	}
}

func TestOneLinkIsLookedAtThirtyTimesAMinuteAndAnAddressTriesSixHundred(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(linkMethod, tokenState(false))
	b := w.browser("")
	for i := range 30 {
		if got := b.get(linkPage); got.Code != http.StatusOK {
			t.Fatalf("look %d: %d", i+1, got.Code)
		}
	}
	if got := b.get(linkPage); got.Code != http.StatusTooManyRequests {
		t.Errorf("one more look: %d", got.Code)
	}
	for i := range 600 - 31 {
		if got := b.get(fmt.Sprintf("/k/known-token-of-desk-%03d", i)); got.Code != http.StatusOK {
			t.Fatalf("try %d: %d", i+32, got.Code)
		}
	}
	if got := b.get("/k/known-token-of-desk-last"); got.Code != http.StatusTooManyRequests {
		t.Errorf("one more try: %d", got.Code)
	}
}

// visitLinks opens the page of a link as it goes.
func (w *world) visitLinks(stranger *browser, see func(*browser, string, ...string)) {
	w.always(linkMethod, tokenState(false))
	see(stranger, linkPage)
	w.always(linkMethod, tokenState(true))
	see(stranger, linkPage)
	see(stranger, "/k/short")
}
