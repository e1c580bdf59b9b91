package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// What the script of the pages must be able to read from the answer to a form that waited in the browser.
func TestAKeptFormIsAnsweredForTheScriptAndOnlyToItsAuthor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	page := b.get("/refer/" + patientID).Body.String()
	_, rest, _ := strings.Cut(page, `data-account="`)
	author, _, _ := strings.Cut(rest, `"`)
	_, rest, _ = strings.Cut(page, `data-keep="`)
	key, _, _ := strings.Cut(rest, `"`)
	if author == "" || len(key) < 20 || !strings.Contains(page, `data-later=`) {
		t.Fatalf("author %q, key of %d characters", author, len(key))
	}
	if other := w.browser("desk").get("/desk").Body.String(); strings.Contains(other, key) {
		t.Error("another account is told the same key")
	}
	sent := b.post("/refer/"+patientID, typedReferral(), "X-Kept", author)
	if sent.Code != http.StatusNoContent || sent.Header().Get("X-Kept") == "" || sent.Header().Get("X-There") != "/referrals/"+referralID || sent.Header().Get("Location") != "" {
		t.Errorf("sent: %d %v", sent.Code, sent.Header())
	}
	made := len(called[*referralv1.CreateReferralRequest](w, createMethod))
	for name, who := range map[string]*browser{"somebody else": w.browser("desk"), "nobody": w.browser("")} {
		if got := who.post("/refer/"+patientID, typedReferral(), "X-Kept", author); got.Code != http.StatusUnauthorized || got.Header().Get("X-Kept") == "" {
			t.Errorf("%s: %d %v", name, got.Code, got.Header())
		}
	}
	if now := len(called[*referralv1.CreateReferralRequest](w, createMethod)); now != made {
		t.Errorf("%d referrals were made for others", now-made)
	}
	w.refuse(createMethod, errs.Invalid(errs.Required("form.presentIllness")))
	if got := b.post("/refer/"+patientID, typedReferral(), "X-Kept", author); got.Code != http.StatusBadRequest || got.Header().Get("X-Kept") == "" || !strings.Contains(got.Body.String(), `class="errors"`) {
		t.Errorf("refused: %d %v", got.Code, got.Header())
	}
	if got := b.post("/refer/"+patientID, typedReferral()); got.Header().Get("X-Kept") != "" {
		t.Error("a plain form is answered as a kept one")
	}
}
