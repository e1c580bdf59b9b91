//go:build e2e

package e2e_test

import (
	"net/url"
	"testing"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// A click calls a medicine as the centre does, and Enter in another field does not.
func TestACommonNameBecomesTheCentresWithAClick(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	up := people.treated(t, "韦通名")
	w := openBrowser(t, s).open(t, "specialist")
	w.signIn()
	w.goTo("/down/" + up.GetPatientId() + "?" + url.Values{"reply_to": {up.GetId()}}.Encode())
	first := `[name="medicine.name"]`
	w.fill(first, "氨氯地平片")
	w.until("the question", `document.querySelector('#medicine-lines [data-row-set="medicine.name"]')?.textContent === '苯磺酸氨氯地平片'`)
	w.look("down-named", "dark")
	if w.value(first) != "氨氯地平片" {
		t.Errorf("%q was taken by itself", w.value(first))
	}
	w.choose(`#medicine-lines [data-row-set="medicine.name"]`)
	w.until("its stock", `document.querySelector('#medicine-lines .stock.IN_STOCK') && !document.querySelector('#medicine-lines [data-row-set="medicine.name"]')`)
	if w.value(first) != "苯磺酸氨氯地平片" {
		t.Errorf("it is called %q", w.value(first))
	}
}

// A place that the waiting list offers while a referral is open is what one click books.
func TestAnOfferIsWhatTheOpenReferralProposes(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	r := post[referralv1.Referral](t, people.township, "/referrals", people.upward(people.patient(t, "韦候补"), neurology))
	desk := openBrowser(t, s).open(t, "desk")
	desk.signIn()
	desk.goTo("/referrals/" + r.GetId())
	proposes := `document.querySelector('#actions .suggestion [name=choice]')?.value`
	desk.until("a time", proposes+`.startsWith('slot:')`)
	desk.stays()
	post[schedulingv1.WaitlistEntry](t, people.township, "/waitlist", &schedulingv1.JoinWaitlistRequest{RequestId: id.New(), ReferralId: r.GetId(), Kind: "CLINIC"})
	desk.until("the offer in both places", `document.querySelector('#place[data-mark^=OFFERED]') && `+proposes+`.startsWith('hold:')`)
	desk.stayed()
}
