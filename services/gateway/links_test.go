package gateway_test

import (
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
	w.refuse(linkMethod, errs.NotFound("link"))
	for _, path := range []string{linkPage, "/k/short"} {
		if got := b.get(path); got.Code != http.StatusNotFound || !strings.Contains(got.Body.String(), "The link is unknown or too old") {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
}

func TestAnAddressMayTryTenLinksAMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(linkMethod, tokenState(false))
	b := w.browser("")
	for i := range 10 {
		if got := b.get(linkPage); got.Code != http.StatusOK {
			t.Fatalf("try %d: %d", i+1, got.Code)
		}
	}
	if got := b.get(linkPage); got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") == "" {
		t.Errorf("one more: %d", got.Code)
	}
	w.clk.Advance(time.Minute)
	if got := b.get(linkPage); got.Code != http.StatusOK {
		t.Errorf("a minute later: %d", got.Code)
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
