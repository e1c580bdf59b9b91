//go:build e2e

package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// What a down-referral of a candidate may ask of a specialist: pages, and required inputs that the record does not know.
const maxStepsDown, maxLeftDown = 2, 3

// A specialist sends a patient who could go down, from the list on, as a person clicks and types: discharge summary, medicines and centre stand in
// the form. The aim is two minutes; the time is told and judged by nobody, because it depends on the machine. Steps and inputs may not grow.
func TestASpecialistSendsAPatientDownWithinAFewSteps(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	candidate := people.stocked(t, people.treated(t, "韦快转"))
	h := &hand{tab: openBrowser(t, s).open(t, "specialist")}
	h.signIn()
	h.goTo("/candidates")
	h.started = time.Now()
	h.turns(func() {
		h.click("send this patient down", `form[action="/candidates/`+candidate.GetId()+`/refer"] button`)
	})
	required := eval[float64](h.tab, `[...document.querySelectorAll("form[data-draft] .required")].filter((mark) => mark.getClientRects().length > 0).length`)
	left := eval[string](h.tab, emptyRequired)
	for what, field := range map[string]string{"the diagnosis": "form.diagnosis", "the treatment": "form.treatment", "the plan": "form.nextPlan"} {
		if h.value(`[name="`+field+`"]`) == "" {
			t.Errorf("%s is not filled in from the record", what)
		}
	}
	medicines := eval[float64](h.tab, `[...document.querySelectorAll('[name="medicine.name"]')].filter((f) => f.value.trim() !== "").length`)
	if medicines == 0 {
		t.Error("no medicine is filled in from the record")
	}
	if cut := eval[string](h.tab, `[...document.querySelectorAll('[name="medicine.name"], [name="medicine.dosage"]')].filter((f) => f.scrollWidth > f.clientWidth).map((f) => f.value).join("、")`); cut != "" {
		t.Errorf("medicines and dosages are not read whole: %s", cut)
	}
	if eval[bool](h.tab, `!document.querySelector('[name="kind"]:checked')`) {
		h.click("the kind", `[name="kind"][value="REHABILITATION"]`)
	}
	if h.has(`select[name="medicine.decision"]`) {
		h.click("what is done about a medicine that the centre lacks", `select[name="medicine.decision"]`)
		h.fill(`select[name="medicine.decision"]`, "COUNTY_DISPENSES")
		h.presses(kb.Escape)
	}
	h.click("the consent", `[name="consent.method"][value="SIGNED"]`)
	h.turns(func() { h.click("send", `button[name="do"][value="send"]`) })
	spent := time.Since(h.started)
	found := referralPath.FindStringSubmatch(eval[string](h.tab, "location.pathname"))
	if found == nil {
		h.fail(fmt.Errorf("it is not sent: %s", h.text(".errors")))
	}
	sent := get[referralv1.Referral](t, people.specialist, "/referrals/"+found[1])
	if sent.GetState() != referralv1.State_SUBMITTED || sent.GetReplyTo() == "" {
		t.Errorf("%s, it answers %q", sent.GetState(), sent.GetReplyTo())
	}
	asked := 0
	if left != "" {
		asked = strings.Count(left, "、") + 1
	}
	t.Logf("a patient was sent down in %.0f s (%.0f s of them a person's own pace), %d steps, %d clicks, %d keys, %.0f required fields of which %d were left to fill in (%s), %.0f medicines",
		spent.Seconds(), h.hands.Seconds(), h.steps, h.clicks, h.keys, required, asked, left, medicines)
	if h.steps > maxStepsDown || asked > maxLeftDown {
		t.Errorf("%d steps (at most %d), %d inputs are left (at most %d): %s", h.steps, maxStepsDown, asked, maxLeftDown, left)
	}
}
