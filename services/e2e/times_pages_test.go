//go:build e2e

package e2e_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// Times that are shown belong to what was chosen last: an answer that comes late is dropped, one that does not come leaves none of another department.
func TestTimesBelongToWhatWasChosenLast(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	w := openBrowser(t, s).open(t, "township")
	w.signIn()
	w.goTo("/refer/" + people.patient(t, "莫择日"))
	w.fill(`[name="department"]`, neurology)
	w.until("times", `document.querySelector('.holder [name="slot"]')`)

	// By arrow keys to another day; the focus stays, and so does what was chosen.
	eval[bool](w, `(() => { document.querySelector("#f-slot details").open = true; return true })()`)
	w.choose(`.holder [name="slot"]`)
	chosen, day := w.value(`[name="slot"]:checked`), w.value(`[name="day"]:checked`)
	eval[bool](w, `(() => { const days = [...document.querySelectorAll('[name="day"]')]; days[1].focus(); days[1].click(); return true })()`)
	w.until("the other day", `document.querySelector('[name="day"]:checked').value !== "`+day+`" && document.querySelector('.holder [name="slot"]')`)
	if w.value(`[name="slot"]:checked`) != chosen || eval[string](w, "document.activeElement.name") != "day" {
		w.Errorf("chosen is %q, the focus is on %q", w.value(`[name="slot"]:checked`), eval[string](w, "document.activeElement.name"))
	}
	w.look("refer-days")

	// The answer for cardiology is late, that for neurology is not.
	eval[bool](w, `(() => { const real = window.fetch; window.real = real;
		window.fetch = async (url, options) => { if (window.lost && String(url).includes("/refer/")) throw new TypeError("lost");
			const late = String(url).includes("department=0304"); const answer = await real(url, options);
			if (late) { await new Promise((r) => setTimeout(r, 700)); setTimeout(() => { window.late = true; }, 300); } return answer; }; return true })()`)
	w.fill(`[name="department"]`, "0304")
	w.fill(`[name="department"]`, neurology)
	w.until("the late answer", "window.late")
	const first = `document.querySelector(".holder strong").textContent` // it may be folded
	doctors := eval[string](w, first)
	w.fill(`[name="department"]`, "0304")
	w.until("times of cardiology", `document.querySelector('.holder [name="slot"]')`)
	if eval[string](w, first) == doctors {
		w.Error("neurology shows the times of cardiology")
	}

	// The line is lost: nothing of cardiology is left to be sent.
	eval[bool](w, "window.lost = true")
	w.fill(`[name="department"]`, neurology)
	w.until("what to do", `document.querySelector('#f-slot [role="alert"] button')`)
	if w.has(`[name="slot"]`) {
		w.Error("times of another department are left")
	}
	eval[bool](w, "(() => { window.lost = false; return true })()")
	w.choose(`#f-slot [role="alert"] button`)
	w.until("times again", `document.querySelector('.holder [name="slot"]')`)

	// The departments go with the hospital; when they come, the times are asked for again.
	eval[bool](w, `(() => { const list = document.querySelector('[name="organization"]'); list.add(new Option("另一家医院", "0192f0c1-0000-7000-8000-0000000000e1")); return true })()`)
	w.fill(`[name="organization"]`, "0192f0c1-0000-7000-8000-0000000000e1")
	w.until("the departments of the other hospital", `document.querySelector('[name="department"]')?.options.length === 1 && !document.querySelector('[name="slot"]')`)
}
