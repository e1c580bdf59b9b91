//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// How a person works a form: a Latin key or digit, a Chinese character from an input method (about 120 a minute), and looking for and hitting
// something with the mouse.
const (
	perKey, perCharacter, perClick = 180 * time.Millisecond, 500 * time.Millisecond, 800 * time.Millisecond
	// maxSteps and maxRequired are what a referral of a known patient may ask of a township doctor.
	maxSteps, maxRequired = 3, 12
)

// hand is a person at the keyboard and mouse of a window, who is counted.
type hand struct {
	*tab
	started      time.Time
	clicks, keys int
	// hands is how long the person took, without waiting for the system.
	hands time.Duration
	// steps are the pages that were sent or followed.
	steps int
}

// pause is as long as the person takes; this is what the test is about, and it waits for nothing.
func (h *hand) pause(d time.Duration) {
	h.hands += d
	ctx, cancel := context.WithTimeout(h.ctx, d)
	defer cancel()
	<-ctx.Done()
}

// types text into what has the focus: Latin key by key, Chinese as an input method hands it over.
func (h *hand) types(text string) {
	h.Helper()
	for _, r := range text {
		if r < 0x80 {
			h.pause(perKey)
			h.do(chromedp.KeyEvent(string(r)))
		} else {
			h.pause(perCharacter)
			_, err := chromedp.Call(h.ctx, input.InsertText, input.InsertTextParams{Text: string(r)})
			must(h.T, err)
		}
		h.keys++
	}
}

// presses a key as one event down and one up, so that a page that takes it keeps the browser from acting on it too.
func (h *hand) presses(key string) {
	h.Helper()
	h.pause(perKey)
	events := kb.Encode([]rune(key)[0])
	down, up := *events[0], *events[len(events)-1]
	if key == kb.Enter {
		down.Text = key
	}
	for _, event := range []input.DispatchKeyEventParams{down, up} {
		_, err := chromedp.Call(h.ctx, input.DispatchKeyEvent, event)
		must(h.T, err)
	}
	h.keys++
}

// clicks what a person sees, with the mouse.
func (h *hand) click(what, selector string) {
	h.Helper()
	h.until(what, fmt.Sprintf("document.querySelector(%q)", selector))
	h.pause(perClick)
	spot := eval[[]float64](h.tab, fmt.Sprintf(`(() => { const e = document.querySelector(%q), target = e.closest("label") ?? e; target.scrollIntoView({block: "center"});
		const r = target.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()`, selector))
	h.do(chromedp.MouseClickXY(spot[0], spot[1]))
	h.clicks++
}

// turns does what leads to the next page, which is a step.
func (h *hand) turns(act func()) {
	h.Helper()
	eval[bool](h.tab, "window.leaving = true")
	act()
	h.until("next page", "!window.leaving && document.readyState === 'complete'")
	h.steps++
}

// A township doctor refers a patient whose record is known, from the first page on, as a person types and clicks. The time is told and judged by
// nobody: it depends on the machine. Steps and required fields are the form's own and may not grow.
func TestAKnownPatientIsReferredInAFewStepsWithFewRequiredFields(t *testing.T) {
	s := harness.Together(t, binary, true)
	b := openBrowser(t, s)
	h := &hand{tab: b.open(t, "township")}
	h.signIn()
	h.goTo("/")
	if place := eval[string](h.tab, "location.pathname"); place != "/home" {
		t.Fatalf("a township doctor's day begins at %s", place)
	}
	h.look("home-empty", "dark")
	h.started = time.Now()
	h.click("the search", "#query")
	h.types("mdc")
	h.turns(func() { h.presses(kb.Enter) })
	h.turns(func() { h.click("the patient", `table a.primary[href^="/refer/"]`) })

	marked := eval[float64](h.tab, `[...document.querySelectorAll("form[data-draft] .required")].filter((mark) => mark.getClientRects().length > 0).length`)
	h.click("the diagnosis", "#f-diagnoses")
	h.types("I10")
	h.until("suggestions", `document.querySelector(".picker li[data-value]")`)
	h.presses(kb.Enter)
	h.until("chosen diagnosis", `document.querySelector('.chips [name="diagnosis"]')`)
	h.click("a text to start from", "button[data-template]:not([data-template=''])")
	h.until("the first blank", `document.activeElement.name === "form.presentIllness" && document.activeElement.value.slice(document.activeElement.selectionStart, document.activeElement.selectionEnd) === "____"`)
	for i, said := range []string{"10", "150/90", "3", "5", "168", "98", "头晕"} {
		if i > 0 {
			h.presses(kb.Tab)
		}
		h.types(said)
	}
	if illness := h.value(`[name="form.presentIllness"]`); !strings.Contains(illness, "均在168/98mmHg") || !strings.Contains(illness, "伴头晕。") || strings.Contains(illness, "__") {
		t.Errorf("the blanks were filled to %q", illness)
	}
	if impression := h.value(`[name="form.initialImpression"]`); impression != "高血压，血压控制不佳" {
		t.Errorf("the impression is %q", impression)
	}
	h.until("criteria with their source", `document.querySelector("#f-values .rules")`)
	if taken := h.value(`[name="form.treatment"]`); !strings.Contains(taken, "氨氯地平") {
		t.Errorf("the medicines on record are not filled in: %q", taken)
	}
	h.until("free slots of the proposed department", `document.querySelector('[name="department"]').value === "0304" && document.querySelector('[name="slot"]:not([value=""])')`)
	h.click("the first slot", `[name="slot"]:not([value=""])`)
	h.click("the consent", `[name="consent.method"][value="SIGNED"]`)
	h.turns(func() { h.click("send", `button[name="do"][value="send"]`) })
	spent := time.Since(h.started)

	if !referralPath.MatchString(eval[string](h.tab, "location.pathname")) || !h.has(".track .done") {
		h.fail(fmt.Errorf("the referral was not sent"))
	}
	h.look("referral-tracked", "dark")
	t.Logf("a known patient was referred in %.0f s (%.0f s of them a person's own pace), %d steps, %d clicks, %d keys, %.0f required fields", spent.Seconds(), h.hands.Seconds(), h.steps, h.clicks, h.keys, marked)
	if h.steps > maxSteps || marked > maxRequired {
		t.Errorf("%d steps (at most %d) and %.0f required fields (at most %d)", h.steps, maxSteps, marked, maxRequired)
	}
	h.goTo("/home")
	if !h.has(".part.waiting .tasks li") {
		t.Error("what waits at the county is not on the first page")
	}
	h.look("home", "dark")
}
