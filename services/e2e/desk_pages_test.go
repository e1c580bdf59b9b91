//go:build e2e

package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// TestADayAtTheDesk is the main path of whoever answers: an emergency that nobody can miss, answers with one click that lead from one
// referral to the next, keys, and a patient who is checked in by the slip's code.
func TestADayAtTheDesk(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	desk := openBrowser(t, s).open(t, "desk")
	desk.signIn()
	first := post[referralv1.Referral](t, people.township, "/referrals", people.upward(people.patient(t, "覃先到"), neurology))
	second := post[referralv1.Referral](t, people.township, "/referrals", people.upward(people.patient(t, "覃后到"), neurology))
	third := post[referralv1.Referral](t, people.township, "/referrals", people.upward(people.patient(t, "覃再到"), neurology))
	desk.goTo("/desk")
	desk.until("all three", fmt.Sprintf(`document.querySelectorAll("#queue tbody tr").length === 3 && %s`, row(third.GetId())))
	desk.look("desk-waiting", "dark")

	emergency := comesAsEmergency(t, desk, people)
	desk.goTo("/desk")
	if clicks := eval[float64](desk, fmt.Sprintf(`document.querySelectorAll('[data-id="%s"] button[data-action="accept"]').length`, emergency)); clicks != 1 {
		desk.fail(fmt.Errorf("%.0f buttons accept the emergency", clicks))
	}
	desk.press(fmt.Sprintf(`[data-id="%s"] button[data-action="accept"]`, emergency))
	// An answer in the list stays there, with the focus in the row that comes next.
	desk.until("the focus on the next one", fmt.Sprintf(`location.pathname === "/desk" && document.activeElement.closest("tr")?.dataset.id === %q`, first.GetId()))
	if !strings.Contains(desk.text("main .flash"), "莫急诊") {
		desk.Errorf("it is not said what was done: %q", desk.text("main"))
	}
	desk.press("#queue tbody tr a")
	stands(desk, "from the list", first.GetId(), "第 1 / 3 条")
	desk.look("desk-split", "dark")
	worksByKeys(desk, second.GetId(), third.GetId())

	// From the last one the first is next, and the last answer leads back to the queue.
	stands(desk, "after the answer by key", third.GetId(), "第 2 / 2 条")
	tapsAgain(desk, people, third.GetId())
	desk.settled()
	desk.press(`.panel button[data-action="accept"]`)
	stands(desk, "from the last on the first", first.GetId(), "第 1 / 1 条")
	desk.settled()
	desk.press(`.panel button[data-action="accept"]`)
	if eval[string](desk, "location.pathname") != "/desk" || !strings.Contains(desk.text("main .flash"), "覃先到") {
		desk.fail(fmt.Errorf("the last answer does not lead back to the queue"))
	}
	for _, id := range []string{first.GetId(), second.GetId(), third.GetId(), emergency} {
		if r := get[referralv1.Referral](t, people.desk, "/referrals/"+id); r.GetState() != referralv1.State_ACCEPTED {
			t.Errorf("%s is %s", id, r.GetState())
		}
	}
	// The filter stays; who comes back sees first what waits for an answer.
	desk.goTo("/desk?tab=expected&urgency=URGENT")
	desk.goTo("/desk")
	if got := desk.value(`[name="urgency"]`) + " " + eval[string](desk, `document.querySelector(".tabs [aria-current]").innerText`); got != "URGENT 待接诊 0" {
		desk.Errorf("who comes back finds %q", got)
	}
	checksIn(desk, people, first)
	desk.inEnglish()
	desk.look("arrivals-english")
	desk.goTo("/referrals/" + second.GetId() + "?queue=1")
	desk.look("desk-split-english")
	desk.goTo("/desk?tab=expected")
	desk.look("desk-english")
	axe := axeScript(t)
	for name, path := range map[string]string{"/desk": "/desk?tab=expected", "/desk/open": "/referrals/" + second.GetId() + "?queue=1", "/desk/found": "/desk/arrivals?found=" + second.GetId()} {
		desk.goTo(path)
		desk.examine(name, axe)
	}
	desk.goTo("/desk?tab=expected")
	desk.key("?")
	desk.until("the list of keys", `document.getElementById("keys").open`)
	for _, problem := range desk.accessible() {
		desk.Errorf("the list of keys: %s", problem)
	}
}

// comesAsEmergency: without a click the banner, the sound and the title tell of it; the desk takes it.
func comesAsEmergency(t *testing.T, desk *tab, people cast) string {
	desk.stays()
	desk.do(chromedp.MouseClickXY(5, 600)) // a browser plays nothing before somebody touched the page
	// The pointer comes down on the moment the list moves: whatever it hits is not answered.
	eval[bool](desk, `(() => { new MutationObserver((_, watch) => {
		const button = document.querySelector('#queue .EMERGENCY button[data-action="accept"]');
		if (!button) return;
		watch.disconnect();
		button.dispatchEvent(new MouseEvent("click", {detail: 1, bubbles: true, cancelable: true}));
		window.told = document.getElementById("again").textContent;
	}).observe(document.getElementById("queue"), {childList: true}); return true })()`)
	request := people.upward(people.patient(t, "莫急诊"), "0304")
	request.Kind, request.Urgency = commonv1.Kind_EMERGENCY, commonv1.Urgency_EMERGENCY
	request.Consent = &referralv1.Consent{DeferredReason: "抢救中"}
	id := post[referralv1.Referral](t, people.township, "/referrals", request).GetId()
	desk.sees("emergency on top", fmt.Sprintf(`document.querySelector("#queue tbody tr")?.dataset.id === %q`, id))
	desk.until("banner", `document.querySelector(".alarms .alarm")?.getBoundingClientRect().width >= innerWidth - 40`)
	desk.until("sound", "Number(document.body.dataset.heard) >= 1")
	desk.until("title", "document.title.startsWith(document.body.dataset.alarm)")
	desk.until("why nothing was accepted", `window.told === "列表刚更新，请再点一次。"`)
	desk.stayed()
	desk.look("desk-alarm", "dark")
	desk.press(".alarms .alarm button.primary")
	desk.until("silence", `!document.querySelector(".alarms .alarm")`)
	return id
}

// stands tells that the desk has a referral open at a place of the queue.
func stands(w *tab, what, id, place string) {
	w.Helper()
	if got := eval[string](w, "location.pathname") + " " + w.text(".queue-bar strong"); got != "/referrals/"+id+" "+place {
		w.fail(fmt.Errorf("%s stands %s", what, got))
	}
}

func (w *tab) key(key string) {
	w.Helper()
	eval[bool](w, fmt.Sprintf(`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: %q, bubbles: true, cancelable: true})) || true`, key))
}

// worksByKeys: the next one without loading the page anew, the list of keys, no key while typing or when turned off, an answer by key.
func worksByKeys(w *tab, second, third string) {
	w.stays()
	w.key("j")
	w.until("the second one", fmt.Sprintf(`location.pathname === "/referrals/%s" && document.querySelector('.panel [data-action="accept"]')?.form.getAttribute("action").includes(%q)`, second, second))
	w.stayed()
	if current := eval[string](w, `document.querySelector(".queue-list [aria-current]").pathname`); current != "/referrals/"+second {
		w.Errorf("the list marks %s", current)
	}
	w.key("?")
	w.until("the list of keys", `document.getElementById("keys").open`)
	if !eval[bool](w, `document.activeElement.matches("#keys form button")`) {
		w.Error("the focus is not on what closes the list of keys")
	}
	w.shoot("desk-keys")
	w.choose("[data-keys-on]")
	eval[bool](w, `document.getElementById("keys").close() || true`)
	w.key("j")
	w.key("?")
	if eval[bool](w, `document.getElementById("keys").open`) {
		w.Error("keys that were turned off work")
	}
	w.choose("[data-keys-on]")
	w.key("r")
	w.until("the form of a return", `document.activeElement.form?.getAttribute("action").endsWith("/return")`)
	w.key("a")
	stands(w, "who typed", second, "第 2 / 3 条")
	w.key("Escape")
	if !eval[bool](w, `document.activeElement.matches('summary[data-key="r"]')`) {
		w.Error("Escape does not leave the form of a return")
	}
	w.settled()
	w.tapsOn()
	w.leave(`document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "a", bubbles: true, cancelable: true}))`)
}

// settled waits until the page takes an answer: not at once where the next patient has just come.
func (w *tab) settled() {
	w.Helper()
	w.until("the page takes an answer", `!("settling" in document.body.dataset)`)
}

// tapsOn lets the next page be tapped as soon as it takes keys, by who taps on, whatever the machine does meanwhile. Its first picture comes when the
// test lets it, and what the page then waits for is over at once.
func (w *tab) tapsOn() {
	w.Helper()
	_, err := chromedp.Call(w.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		if (sessionStorage.tapsOn) {
			window.requestAnimationFrame = (draw) => { window.picture = draw; };
			window.setTimeout = ((later) => (act, ms, ...more) => later(act, ms > 900 && ms <= 1000 ? 0 : ms, ...more))(setTimeout);
		}
		new MutationObserver((_, watch) => {
			if (!("settling" in (document.body?.dataset ?? {}))) return;
			watch.disconnect();
			if (!sessionStorage.tapsOn) return;
			delete sessionStorage.tapsOn;
			window.stays = true;
			for (let taps = 0; taps < 3; taps++) document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true, cancelable: true }));
			document.querySelector('.panel button[data-action="accept"]').click();
			window.tapped = !document.querySelector("[data-keys-wait]").hidden;
		}).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-settling"] });`})
	must(w.T, err)
	eval[string](w, `sessionStorage.tapsOn = "1"`)
}

// tapsAgain: whoever taps a key or clicks twice answers for one patient only; the next one, who has just come, waits for a tap of its own.
func tapsAgain(w *tab, people cast, next string) {
	if !eval[bool](w, "!!window.tapped") {
		w.Error("it is not said why nothing was accepted")
	}
	w.stayed()
	if !eval[bool](w, `"settling" in document.body.dataset`) {
		w.Error("the page takes an answer before it is seen")
	}
	eval[bool](w, "(picture(), true)")
	w.settled()
	// A tap within a second of the last one, however slow the machine is between them.
	told := eval[bool](w, `(() => {
		const note = document.querySelector("[data-keys-wait]");
		note.hidden = true;
		sessionStorage.setItem("accept", String(Date.now()));
		document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true, cancelable: true }));
		return !note.hidden;
	})()`)
	w.stayed()
	if r := get[referralv1.Referral](w.T, people.desk, "/referrals/"+next); !told || r.GetState() != referralv1.State_SUBMITTED {
		w.fail(fmt.Errorf("the second tap of a key answers for the next patient: %s, told %v", r.GetState(), told))
	}
}

// checksIn: a scanner types the address of the slip's code and Enter; one click says that the patient has come.
func checksIn(w *tab, people cast, r *referralv1.Referral) {
	slip := get[referralv1.Slip](w.T, people.township, "/referrals/"+r.GetId()+"/slip")
	w.goTo("/desk/arrivals")
	const ready = `document.activeElement.id === "f-number"`
	w.until("the focus where a scanner types", ready)
	w.fill("#f-number", "450321000000")
	w.leave(`document.querySelector("#f-number").form.requestSubmit()`)
	w.until("what was not found selected, so that the next scan takes its place", `(f => f === document.activeElement && f.value !== "" && f.selectionStart === 0 && f.selectionEnd === f.value.length)(document.querySelector("#f-number"))`)
	w.fill("#f-number", "https://tongzhen.example/verify/"+slip.GetNumber()+"?k="+slip.GetVerificationKey())
	w.leave(`document.querySelector("#f-number").form.requestSubmit()`)
	if !strings.Contains(w.text(".found"), "覃先到") {
		w.fail(fmt.Errorf("the slip's code does not lead to its patient"))
	}
	w.until("the focus where the next scan types", ready)
	w.look("arrivals-scanned", "dark")
	w.press(`.found form[action$="/arrive"] button`) // the next free time may be on a later day: then it is behind a question
	if got := get[referralv1.Referral](w.T, people.desk, "/referrals/"+r.GetId()); got.GetState() != referralv1.State_ARRIVED || !strings.Contains(w.text("main .flash"), "覃先到") {
		w.Errorf("checked in: %s, %q", got.GetState(), w.text("main .flash"))
	}
	w.look("arrivals-checked-in")
}

// A session of 专家下沉 is an expert's until somebody says otherwise, and what was said stays.
func TestAnExpertsTemplateStartsAsAnExperts(t *testing.T) {
	s := harness.Together(t, binary, true)
	w := openBrowser(t, s).open(t, "desk")
	w.signIn()
	w.goTo("/schedules/templates/new")
	for _, step := range []struct{ choose, grade string }{
		{"kind=CLINIC", "GENERAL"}, {"kind=EXPERT", "EXPERT"}, {"kind=CLINIC", "GENERAL"}, {"grade=EXPERT", "EXPERT"}, {"kind=EXAM", "EXPERT"}, {"kind=CLINIC", "EXPERT"},
	} {
		name, value, _ := strings.Cut(step.choose, "=")
		w.choose(fmt.Sprintf(`[name="template.%s"][value="%s"]`, name, value))
		if got := w.value(`[name="template.grade"]:checked`); got != step.grade {
			t.Errorf("after %s the grade is %q, want %s", step.choose, got, step.grade)
		}
	}
}
