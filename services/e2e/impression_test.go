//go:build e2e

package e2e_test

import (
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// The impression is the doctor's: a suggestion fills it only while nothing else was typed, and typing replaces the suggestion.
func TestTheImpressionIsTheDoctorsOwnWords(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	h := &hand{tab: openBrowser(t, s).open(t, "township")}
	h.signIn()
	h.goTo("/refer/" + people.patient(t, "莫心安"))
	const impression = `[name="form.initialImpression"]`
	chosen := 0
	choose := func(words string) {
		t.Helper()
		h.click("the diagnosis", "#f-diagnoses")
		h.types(words)
		h.presses(kb.Enter) // whatever is listed by then: it takes the first answer to the words
		chosen++
		h.until("chosen diagnosis", `document.querySelectorAll('.chips [name="diagnosis"]').length === `+string(rune('0'+chosen)))
	}
	holds := func(want string) {
		t.Helper()
		if got := h.value(impression); got != want {
			t.Errorf("the impression is %q, not %q", got, want)
		}
	}
	choose("ACS")
	holds("急性冠脉综合征")
	h.look("refer-suggestion", "dark")
	choose("mzf")
	holds("急性冠脉综合征；慢阻肺")
	h.click("the impression", impression)
	h.types("胸痛待查")
	holds("胸痛待查")
	choose("I10")
	holds("胸痛待查")
	h.fill(impression, "")
	h.click("a chip", ".chips li:last-child button")
	holds("急性冠脉综合征；慢阻肺")
	// What the doctor is sent back with is as it was, and Ctrl and Enter is the button.
	eval[bool](h.tab, `document.querySelector('[name="form.presentIllness"]').dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", ctrlKey: true, bubbles: true, cancelable: true})) || true`)
	h.until("the refusal", `document.querySelector(".errors")`)
	if !h.has(".errors") || !h.has(impression+".proposed") {
		t.Error("the form was not refused, or does not know its suggestion any more")
	}
	holds("急性冠脉综合征；慢阻肺")
}
