//go:build e2e

package e2e_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// An emergency stands across every page, in the title and in the ears, until it is taken on: on whichever device.
func TestAnEmergencyIsSeenAndHeardUntilItIsTakenOnOnAnyDevice(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	b := openBrowser(t, s)
	ward, office := b.open(t, "desk"), b.open(t, "desk")
	for _, device := range []*tab{ward, office} {
		device.signIn()
	}
	ward.goTo("/inbox")
	office.goTo("/rosters")
	for _, device := range []*tab{ward, office} {
		device.stays()
		device.until("the line to the server", "document.readyState === 'complete'")
	}
	click := func(device *tab) { device.do(chromedp.MouseClickXY(5, 600)) }
	click(ward) // a browser plays nothing before somebody touched the page

	request := people.upward(people.patient(t, "莫响铃"), "0304")
	request.Kind, request.Urgency = commonv1.Kind_EMERGENCY, commonv1.Urgency_EMERGENCY
	request.Consent = &referralv1.Consent{DeferredReason: "抢救中"}
	r := post[referralv1.Referral](t, people.township, "/referrals", request)
	for _, device := range []*tab{ward, office} {
		device.until("the banner", "document.querySelector('.alarms .alarm')")
		device.until("the badge", "document.title.startsWith('【急诊】')")
	}
	ward.until("the sound", "Number(document.body.dataset.heard) >= 1")
	if eval[bool](ward, "!!document.querySelector('.alarms .silent')") {
		t.Error("a page that was touched asks to be touched")
	}
	office.until("the sound, or that there is none yet", "Number(document.body.dataset.heard) >= 1 || document.querySelector('.alarms .silent')")
	if eval[bool](office, "!!document.querySelector('.alarms .silent')") {
		office.look("alarm-silent", "dark")
		click(office)
	}
	office.until("the sound after a click", "Number(document.body.dataset.heard) >= 1 && !document.querySelector('.alarms .silent')")
	ward.look("alarm")

	ward.press(".alarms .alarm button.primary")
	ward.until("the referral", "location.pathname === '/referrals/"+r.GetId()+"' && !document.querySelector('.alarms .alarm')")
	office.until("silence on the other device", "!document.querySelector('.alarms .alarm') && !document.title.includes('【急诊】')")
	office.stayed()

	// An urgent message is one tone, for who wants it.
	heard := eval[float64](office, "Number(document.body.dataset.heard)")
	urgent := people.upward(people.patient(t, "莫加急"), neurology)
	post[referralv1.Referral](t, people.township, "/referrals", urgent)
	office.until("the urgent tone", "document.querySelector('[data-nav=inbox] .count')?.textContent >= '1' && Number(document.body.dataset.heard) === "+fmt.Sprint(heard+1))
	office.goTo("/preferences")
	office.choose(`[name="preferences.soundForUrgent"]`)
	office.press("main form button.primary")
	office.goTo("/rosters")
	if office.has("body[data-urgent]") {
		t.Error("urgent messages sound for who does not want it")
	}
}
