//go:build e2e

package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

func TestSentDownFollowedUpAndSentUpAgainInBrowsers(t *testing.T) {
	s := harness.Together(t, binary, true)
	l := life{cast: signInAll(t, s)}
	l.patient = l.cast.patient(t, "莫来回")
	l.goesUp(t)
	l.stocked(t)
	b := openBrowser(t, s)
	specialist, township, admin := b.open(t, "specialist"), b.open(t, "township"), b.open(t, "admin")
	for _, w := range []*tab{specialist, township, admin} {
		w.signIn()
	}
	l.sendsDown(specialist)
	l.begins(township)
	l.visits(township)
	l.sendsUp(township)
	l.bouncesBack(t)
	l.opensFigures(admin)
	l.rests(t, s, settleTime)
}

// sendsDown: from the list of candidates, with a medicine that the centre lacks.
func (l *life) sendsDown(w *tab) {
	w.goTo("/candidates")
	w.until("candidate", `document.querySelector("tbody tr .stock.MISSING")`)
	w.look("candidates", "dark")
	w.press(`form[action$="/refer"] button`)
	if place := eval[string](w, "location.pathname"); place != "/down/"+l.patient {
		w.fail(fmt.Errorf("the click leads to %s", place))
	}
	if got := w.value(`[name="form.nextPlan"]`); got != reply().GetNextSteps() {
		w.Errorf("the form begins with the plan %q", got)
	}
	w.until("stock of the centre", `document.querySelectorAll("#f-medicines .stock").length === 4`)
	w.look("down", "dark")
	w.choose(`[name="consent.method"][value="SIGNED"]`)
	w.fill(`[name="form.rehabilitationAdvice"]`, "每日步行 30 分钟")
	w.press(`button[name="do"][value="send"]`)
	if n := eval[float64](w, `document.querySelectorAll(".errors li").length`); n != 1 || !strings.Contains(w.text(".errors"), "第 4 种药") ||
		!w.has(`.wrong [name="medicine.name"][value="盐酸伊伐布雷定片"]`) || w.value(`[name="form.rehabilitationAdvice"]`) != "每日步行 30 分钟" {
		w.Errorf("what is undecided is refused with %q", w.text(".errors"))
	}
	w.look("down-refused", "dark")
	w.fill(`tr:has(.stock.MISSING) [name="medicine.decision"]`, "COUNTY_DISPENSES")
	w.press(`button[name="do"][value="send"]`)
	found := referralPath.FindStringSubmatch(eval[string](w, "location.pathname"))
	if found == nil {
		w.fail(fmt.Errorf("not sent down"))
	}
	w.look("referral-down", "dark")
	l.down = read(w.T, l.specialist, found[1])
	if l.down.GetState() != referralv1.State_SUBMITTED || l.down.GetReplyTo() != l.up.GetId() {
		w.Errorf("sent down: state %s, answers %q", l.down.GetState(), l.down.GetReplyTo())
	}
	w.goTo("/candidates")
	if w.has("tbody tr") {
		w.Error("the candidate is still on the list")
	}
}

// begins: the township takes the patient and begins the follow-up with the plan that is proposed.
func (l *life) begins(w *tab) {
	r := plainly(w.T, l.township, acceptWalkIn(w.T, l.township, l.down), "arrive")
	w.goTo("/referrals/" + r.GetId())
	w.look("referral-down-arrived", "dark")
	w.until("plan", `document.querySelector('form[action$="/begin_follow_up"] [name="plan.due.0"]')`)
	w.fill(`form[action$="/begin_follow_up"] [name="plan.due.0"]`, day(0))
	w.press(`[data-action="begin_follow_up"]`)
	w.until("follow-up", `document.querySelector(".state.FOLLOW_UP")`)
	w.look("referral-follow-up", "dark")
}

// visits: from the list of what is due today, on a phone.
func (l *life) visits(w *tab) {
	w.goTo("/follow-ups")
	w.look("follow-ups", "dark")
	w.view(360, 740)
	w.press(fmt.Sprintf(`section.work a[href^="/referrals/%s?list="][href$="#visit"]`, l.down.GetId()))
	w.choose(`[data-action="record_visit"]`)
	w.until("the refusal of a visit without a result", `document.querySelector('form[action$="/record_visit"] .wrong [name="findings.result"]')`)
	w.until("the button of the refused visit under the thumb", `(() => {
		const { x, y, width, height } = document.querySelector('[data-action="record_visit"]').getBoundingClientRect();
		return document.elementFromPoint(x + width / 2, y + height / 2)?.matches('[data-action="record_visit"]');
	})()`)
	w.choose(`[name="findings.result"][value="WORSE"]`)
	w.choose(`[name="findings.medicationTaking"][value="REGULAR"]`)
	w.fill(`[name="findings.note"]`, "胸闷较前加重")
	w.press(`[data-action="record_visit"]`)
	w.view(1366, 900)
	r := read(w.T, l.township, l.down.GetId())
	if v := r.GetPlan().GetVisits()[0]; !v.GetDone() || v.GetFindings().GetResult() != "WORSE" || v.GetFindings().GetNote() != "胸闷较前加重" {
		w.Errorf("the visit is kept as %v", v)
	}
	w.look("referral-worse", "dark")
	w.goTo("/follow-ups?tab=done")
	w.look("follow-ups-done")
}

// sendsUp: the form has what the visit found, and what is missing is named.
func (l *life) sendsUp(w *tab) {
	w.goTo("/referrals/" + l.down.GetId())
	w.press(`a[href$="/escalate"]`)
	if !strings.Contains(w.value(`[name="form.presentIllness"]`), "胸闷较前加重") {
		w.Errorf("the form begins with %q", w.value(`[name="form.presentIllness"]`))
	}
	w.look("escalate", "dark")
	w.fill(`[name="form.initialImpression"]`, "")
	w.press(`[data-action="escalate"]`)
	if !strings.Contains(w.text(".errors"), "初步印象") {
		w.Errorf("an incomplete referral up is refused with %q", w.text(".errors"))
	}
	w.look("escalate-refused")
	w.choose(`[name="kind"][value="INPATIENT"]`)
	w.choose(`[name="urgency"][value="URGENT"]`)
	w.fill(`[name="form.initialImpression"]`, "冠心病 不稳定型心绞痛")
	w.choose(`[name="consent.method"][value="SIGNED"]`)
	if w.value(`[name="receiver"]`) == "" {
		w.Error("the department that sent the patient down is not proposed")
	}
	w.press(`[data-action="escalate"]`)
	l.down = read(w.T, l.township, l.down.GetId())
	if l.down.GetState() != referralv1.State_CLOSED || l.down.GetEscalatedTo() == "" {
		w.fail(fmt.Errorf("after the escalation the follow-up is %s", l.down.GetState()))
	}
	l.again = read(w.T, l.township, l.down.GetEscalatedTo())
	w.look("referral-escalated")
}

// opensFigures: every number leads to the cases behind it, without a name.
func (l *life) opensFigures(w *tab) {
	w.goTo("/statistics?period=month") // in a month's first days the page opens on the one before
	w.look("statistics", "dark")
	w.press(`a[href*="/statistics/cases?"][href*="measure=BOUNCE&"], a[href*="/statistics/cases?"][href$="measure=BOUNCE"]`)
	if text := w.text("main"); !strings.Contains(text, l.down.GetNumber()) || strings.Contains(text, "莫来回") {
		w.Errorf("the cases are %.500s", text)
	}
	w.look("statistics-cases", "dark")
	_, err := harness.Call[referralv1.Referral](w.Context(), l.admin, http.MethodGet, "/referrals/"+l.down.GetId(), nil)
	refused(w.T, err, http.StatusForbidden, "ROLE")
	w.goTo("/statistics/mine")
	w.look("statistics-mine")
}
