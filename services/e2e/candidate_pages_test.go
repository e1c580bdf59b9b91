//go:build e2e

package e2e_test

import (
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// emptyRequired names the fields of the form that must be filled in and are not.
const emptyRequired = `[...document.querySelectorAll("main form[data-draft] .required")].map(mark => {
	const field = mark.closest(".field, fieldset");
	const filled = [...field.querySelectorAll("input, select, textarea")].some(f => f.type === "radio" || f.type === "checkbox" ? f.checked : f.type !== "search" && f.value.trim() !== "");
	return filled ? "" : mark.parentElement.innerText.replace("*", "").trim();
}).filter(Boolean).join("、")`

// TestACandidateGoesDownWithFewInputs: what the record and the reply know stands in the form; what is left to say is counted.
func TestACandidateGoesDownWithFewInputs(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	up := people.treated(t, "韦下转")
	candidate := people.stocked(t, up)
	w := openBrowser(t, s).open(t, "specialist")
	w.signIn()
	w.goTo("/candidates")
	w.look("candidates", "dark")
	w.press(`form[action="/candidates/` + candidate.GetId() + `/refer"] button`)
	left := eval[string](w, emptyRequired)
	t.Logf("left to fill in: %s", left)
	w.look("candidate-down", "dark")
	if n := strings.Count(left, "、") + 1; left != "" && n > 3 {
		t.Errorf("%d inputs are left: %s", n, left)
	}
	w.choose(`[name="consent.method"][value="SIGNED"]`)
	if eval[bool](w, `!document.querySelector('[name="kind"]:checked')`) {
		w.choose(`[name="kind"][value="REHABILITATION"]`)
	}
	// The centre lacks a medicine: what is to be done about it is the doctor's decision.
	if w.has(`select[name="medicine.decision"]`) {
		w.fill(`select[name="medicine.decision"]`, "COUNTY_DISPENSES")
	}
	w.press(`button[name="do"][value="send"]`)
	if found := referralPath.FindStringSubmatch(eval[string](w, "location.pathname")); found == nil {
		t.Errorf("it is not sent: %s", w.text(".errors"))
	}
	w.look("candidate-sent")
}
