//go:build e2e

package e2e_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// beside opens another tab of the same browser for the same person, who is signed in.
func (w *tab) beside() *tab {
	w.Helper()
	ctx, cancel := chromedp.NewContext(w.ctx)
	w.Cleanup(cancel)
	must(w.T, chromedp.Do(ctx)) // opens it, for as long as the test takes: what is opened within a time limit ends with it
	return &tab{T: w.T, ctx: ctx, who: w.who, base: w.base, sights: w.sights}
}

// A browser opens six connections to a server that speaks HTTP/1.1: with a stream for every tab the seventh would hang, and the first to close must not take
// the others' news along.
func TestManyTabsHearThroughOneStream(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	first := openBrowser(t, s).open(t, "desk")
	first.signIn()
	var tabs []*tab
	for _, path := range []string{"/desk", "/inbox", "/desk/arrivals", "/rosters", "/waitlist", "/beds", "/sessions", "/desk"} {
		one := first.beside()
		one.goTo(path)
		one.until("the page", "document.readyState === 'complete' && document.querySelector('nav.rail')")
		one.stays()
		tabs = append(tabs, one)
	}
	emergency := func(name string) {
		request := people.upward(people.patient(t, name), "0304")
		request.Kind, request.Urgency = commonv1.Kind_EMERGENCY, commonv1.Urgency_EMERGENCY
		request.Consent = &referralv1.Consent{DeferredReason: "抢救中"}
		post[referralv1.Referral](t, people.township, "/referrals", request)
	}
	emergency("莫一")
	for _, one := range append(tabs, first) {
		one.until("the first alarm", "document.querySelectorAll('.alarms .alarm').length === 1")
	}
	first.do(chromedp.Navigate("about:blank")) // it had the stream
	emergency("莫二")
	for _, one := range tabs {
		one.until("the second alarm", "document.querySelectorAll('.alarms .alarm').length === 2")
		one.stayed()
	}
}
