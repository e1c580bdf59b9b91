//go:build e2e

package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// How bad the line of a township is: a round trip, and packets lost in a hundred.
const (
	roundTrip = 200 * time.Millisecond
	lost      = 2
)

// The township doctor's main task, from the home page to the referral that was sent, once over a bad line, and once more with the answer lost.
func TestAReferralIsSentOnceOverABadLine(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	line := s.Bad(t, roundTrip, lost)
	w := openBrowser(t, s).open(t, "township")
	w.base = line.URL
	defer w.forgives("net::ERR_")
	w.signIn()
	for _, name := range []string{"the line is slow", "the answer is lost"} {
		patientID := people.patient(t, "莫远村")
		began := time.Now()
		w.goTo("/")
		if place := eval[string](w, "location.pathname"); place != "/home" {
			w.fail(fmt.Errorf("home is %s", place))
		}
		w.goTo("/refer/" + patientID)
		w.writesReferral()
		sent := func() []*referralv1.Referral {
			return get[referralv1.ListReferralsResponse](t, people.township, "/referrals?view=outbox&patientId="+patientID).GetReferrals()
		}
		if name == "the answer is lost" {
			w.losesTheAnswer(line, func() bool { return len(sent()) > 0 })
		} else {
			w.leave(`const send = document.querySelector('button[name="do"][value="send"]'); send.click(); send.click()`)
		}
		w.until("the referral's page", `document.readyState === "complete" && /\/referrals\/[0-9a-f-]{36}$/.test(location.pathname)`)
		list := sent()
		if len(list) != 1 || list[0].GetState() != referralv1.State_SUBMITTED || !strings.HasSuffix(eval[string](w, "location.pathname"), list[0].GetId()) {
			t.Errorf("%s: %d referrals: %v", name, len(list), list)
		}
		t.Logf("%s: %s from home to the referral", name, time.Since(began).Round(time.Millisecond))
	}
}

// writesReferral fills in the form as far as it must be.
func (w *tab) writesReferral() {
	w.choose(`[name="urgency"][value="ROUTINE"]`)
	w.fill("#f-diagnoses", "I63")
	w.until("suggestions", `document.querySelector(".picker li[data-value]")`)
	eval[bool](w, `document.querySelector("#f-diagnoses").dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true})) || true`)
	w.until("chosen diagnosis", `document.querySelector('.chips [name="diagnosis"]')`)
	w.fill(`[name="form.initialImpression"]`, "脑梗死待查")
	w.fill(`[name="form.presentIllness"]`, "头晕两天")
	w.fill(`[name="department"]`, neurology)
	w.choose(`[name="consent.method"][value="SIGNED"]`)
}

// losesTheAnswer sends the form over a line that swallows the answer; the form waits in the browser and goes again by itself when the line is back.
func (w *tab) losesTheAnswer(line *harness.Line, arrived func() bool) {
	line.Swallow(3 * time.Second)
	eval[bool](w, `(() => { setTimeout(() => document.querySelector('button[name="do"][value="send"]').click()); return true })()`)
	eventually(w.T, "referral behind the lost answer", arrived)
	w.until("what waits", `document.querySelector("#line li.waiting")`)
	line.Mend()
}
