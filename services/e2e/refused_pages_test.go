//go:build e2e

package e2e_test

import (
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// A refusal is an answer, which is not asked for once more: it takes the place of the form, and whatever helps to write works in it.
func TestARefusedFormIsSentOnceAndCanBeMended(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	w := openBrowser(t, s).open(t, "township")
	w.signIn()
	patient := people.patient(t, "莫退回")
	w.fillsIn(patient)
	w.fill(`[name="form.presentIllness"]`, "")
	// What a browser fills in again by itself is not folded away.
	if !eval[bool](w, `(() => { const field = document.querySelector('details.filled [name="consent.givenBy"]'), fold = field.closest("details"), was = field.value;
		field.value = "莫家属"; dispatchEvent(new Event("pageshow")); const { open } = fold; field.value = was; return open })()`) {
		t.Error("what is not the record's is folded")
	}
	// The doctor writes on while the form is on its way.
	eval[bool](w, `(() => { const real = fetch; window.sent = 0; window.fetch = (...of) => { if (of[1]?.headers?.["X-Kept"]) { window.sent++;
		const field = document.querySelector('[name="form.treatment"]'); field.value = "已给阿司匹林"; field.dispatchEvent(new Event("input", { bubbles: true })); } return real(...of); }; return true })()`)
	w.choose(`button[name="do"][value="send"]`)
	w.until("what is wrong", `document.activeElement.matches(".errors")`)
	if n := eval[float64](w, "window.sent ?? -1"); n != 1 || w.has("#line li") {
		t.Errorf("sent %v times; the line says %q", n, w.text("#line"))
	}
	w.look("refer-refused")
	for _, problem := range w.accessible() {
		t.Error(problem)
	}
	if got := w.value(`[name="form.initialImpression"]`); got != impression || !w.has(`.chips [name="diagnosis"]`) {
		t.Errorf("after the refusal the form holds %q", got)
	}
	if got := w.value(`[name="form.treatment"]`); got != "已给阿司匹林" {
		t.Errorf("of what was typed while it was on its way there is %q", got)
	}
	w.fill("#f-diagnoses", "I10")
	w.until("suggestions", `document.querySelector('.picker li[data-value^="I10"]')`)
	eval[bool](w, `document.querySelector("#f-diagnoses").dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true})) || true`)
	w.until("both diagnoses", `document.querySelectorAll('.chips [name="diagnosis"]').length === 2`)
	w.until("the criteria of both", `document.querySelector("#f-values .choices, #f-values .rules")`)
	w.fill(`[name="form.presentIllness"]`, "头晕两天")
	w.keeps()
	w.leave(`document.querySelector('button[name="do"][value="send"]').click()`)
	list := get[referralv1.ListReferralsResponse](t, people.township, "/referrals?view=outbox&patientId="+patient).GetReferrals()
	if len(list) != 1 || list[0].GetState() != referralv1.State_SUBMITTED || len(list[0].GetDiagnoses()) != 2 {
		t.Errorf("the mended form made %v", list)
	}
}

// On a bad line the scripts come after the form: who writes in it by then is not taken to its first field.
func TestWhoWritesBeforeTheScriptsCameWritesOn(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	w := openBrowser(t, s).open(t, "township")
	w.signIn()
	patient := people.patient(t, "莫先写")
	w.goTo("/refer/" + patient)
	w.until("the first choice", `document.activeElement.name === "kind"`)
	_, err := chromedp.Call(w.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		document.addEventListener("readystatechange", () => { if (document.readyState === "interactive") document.querySelector('[name="form.presentIllness"]')?.focus(); });`})
	must(t, err)
	w.goTo("/refer/" + patient)
	w.keeps()
	if at := eval[string](w, "document.activeElement.name"); at != "form.presentIllness" {
		t.Errorf("who wrote is taken to %q", at)
	}
}
