//go:build e2e

package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// impression is what the forms of these tests say of the patient; it must be readable nowhere on the PC.
const impression = "脑梗死待查"

// waits and told are the line at the top.
const (
	waits = `document.querySelector("#line li.waiting")`
	told  = `document.querySelector("#line li.sent")`
)

func TestAReferralWrittenWithoutALineIsSentOnceWhenItIsBack(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	w := openBrowser(t, s).open(t, "township")
	defer w.forgives("ERR_INTERNET_DISCONNECTED")
	w.signIn()
	sent := func(patientID string) []*referralv1.Referral {
		return get[referralv1.ListReferralsResponse](t, people.township, "/referrals?view=outbox&patientId="+patientID).GetReferrals()
	}

	// The line goes while the form is filled in, and the page is loaded anew before it is back.
	first := people.patient(t, "莫远村")
	w.fillsIn(first)
	w.offline(true)
	w.choose(`button[name="do"][value="send"]`)
	w.until("what waits", waits)
	if text := w.text("#line"); !strings.Contains(text, "等待网络，已保存在本机，恢复后自动发送") || !strings.Contains(text, "无网络") || !strings.Contains(text, "莫远村") {
		t.Errorf("without a line the page says %q", text)
	}
	w.readableNowhere()
	w.goneAway()
	if list := sent(first); len(list) != 0 {
		t.Fatalf("%d referrals before the line was back", len(list))
	}
	w.offline(false)
	w.goTo("/referrals")
	w.until("what was sent", told)
	list := sent(first)
	if len(list) != 1 || list[0].GetState() != referralv1.State_SUBMITTED || !strings.Contains(w.text("#line"), list[0].GetNumber()) {
		t.Errorf("%d referrals, and the page says %q", len(list), w.text("#line"))
	}

	// The server has it, and only its answer is lost: the form goes again by itself and finds the same referral.
	second := people.patient(t, "莫回音")
	w.fillsIn(second)
	eval[bool](w, `(() => { const real = fetch; let lost = false; window.fetch = async (...of) => { const answer = await real(...of);
		if (!lost && of[1]?.headers?.["X-Kept"]) { lost = true; throw new TypeError("lost"); } return answer; }; return true })()`)
	w.leave(`document.querySelector('button[name="do"][value="send"]').click()`)
	if list := sent(second); len(list) != 1 || !strings.HasSuffix(eval[string](w, "location.pathname"), list[0].GetId()) {
		t.Errorf("after a lost answer there are %d referrals at %s", len(list), eval[string](w, "location.pathname"))
	}

	// What is refused when it comes, because only the server knows what is wrong with it, is there to be mended.
	third := people.patient(t, "莫缺项")
	w.fillsIn(third)
	w.fill(`[name="blankNumber"]`, "450321")
	w.fill(`[name="writtenTime"]`, "2026-01-01T08:00")
	w.offline(true)
	w.choose(`button[name="do"][value="send"]`)
	w.until("what waits", waits)
	w.goneAway()
	w.offline(false)
	w.goTo("/referrals")
	w.until("what was refused", `document.querySelector("#line li.refused")`)
	if text := w.text("#line li.refused"); !strings.Contains(text, "空白单编号") {
		t.Errorf("the refusal says %q", text)
	}
	w.look("line")
	w.press("#line li.refused a")
	w.keeps()
	if got := w.value(`[name="form.presentIllness"]`); got != "头晕两天" || len(sent(third)) != 0 {
		t.Errorf("after a refusal the form holds %q", got)
	}
	w.fill(`[name="blankNumber"]`, "")
	w.fill(`[name="writtenTime"]`, "")
	w.leave(`document.querySelector('button[name="do"][value="send"]').click()`)
	if list := sent(third); len(list) != 1 {
		t.Errorf("the mended form made %d referrals", len(list))
	}
	w.keeps()
	w.until("the refusal gone", `!document.querySelector("#line li.refused")`)
}

// Without a line a diagnosis is chosen from the list that the page has, and what the form lacks is said before it waits.
func TestWithoutALineADiagnosisIsChosenAndWhatLacksIsSaid(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	w := openBrowser(t, s).open(t, "township")
	defer w.forgives("ERR_INTERNET_DISCONNECTED")
	w.signIn()
	patient := people.patient(t, "莫山里")
	w.goTo("/refer/" + patient)
	w.keeps()
	w.until("the list of diagnoses", `document.querySelector(".picker").dataset.whole > 1000`)
	w.offline(true)
	w.fill(`[name="form.presentIllness"]`, "头晕____天")
	w.choose(`[name="consent.method"][value="SIGNED"]`)
	w.choose(`button[name="do"][value="send"]`)
	w.until("what is wrong", `document.activeElement.matches("form > .errors")`)
	for _, field := range []string{"“诊断”", "“初步印象”", "“接收科室”", "“主要现病史（转出原因）”里还有没补完的"} {
		if text := w.text("form > .errors"); !strings.Contains(text, field) || strings.Contains(text, "知情同意") {
			t.Errorf("of %s it is said: %q", field, text)
		}
	}
	if w.has("#line li") {
		t.Errorf("an unfinished form waits: %s", w.text("#line"))
	}
	for _, problem := range w.accessible() {
		t.Error(problem)
	}
	w.fill("#f-diagnoses", "脑梗")
	w.until("suggestions", `document.querySelector('.picker li[data-value="I63|脑梗死"][aria-selected="true"]')`)
	eval[bool](w, `document.querySelector("#f-diagnoses").dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true})) || true`)
	w.fill(`[name="form.initialImpression"]`, impression)
	w.fill(`[name="form.presentIllness"]`, "头晕两天")
	w.fill(`[name="department"]`, neurology)
	w.choose(`button[name="do"][value="send"]`)
	w.until("what waits", waits)
	if w.has("form > .errors") {
		t.Error("what was mended is still called wrong")
	}
	w.goneAway()
	w.offline(false)
	w.goTo("/referrals")
	w.until("what was sent", told)
	list := get[referralv1.ListReferralsResponse](t, people.township, "/referrals?view=outbox&patientId="+patient).GetReferrals()
	if len(list) != 1 || list[0].GetState() != referralv1.State_SUBMITTED || list[0].GetDiagnoses()[0].GetCode() != "I63" {
		t.Errorf("sent %v", list)
	}
}

// Who could not sign out is signed in, and has what was written.
func TestASignOutThatFailsLosesNothing(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	w := openBrowser(t, s).open(t, "township")
	defer w.forgives("ERR_INTERNET_DISCONNECTED")
	w.signIn()
	form := "/refer/" + people.patient(t, "莫下班")
	w.goTo(form)
	w.keeps()
	w.fill(`[name="form.initialImpression"]`, impression)
	w.fill(`[name="form.presentIllness"]`, "头晕两天")
	w.keeps()
	w.offline(true)
	w.choose(`form[action="/sign-out"] button`)
	w.until("that it failed", `document.querySelector("#line .stays")`)
	w.readableNowhere()
	w.offline(false)
	w.goTo(form)
	w.keeps()
	if got := w.value(`[name="form.initialImpression"]`); got != impression {
		t.Errorf("after a sign-out that failed the form holds %q", got)
	}
	w.press(`form[action="/sign-out"] button`)
	if n := w.rows(); n != 0 || !strings.Contains(eval[string](w, "location.pathname"), "sign-in") {
		t.Errorf("%d rows are left at %s", n, eval[string](w, "location.pathname"))
	}
}

func TestAFormOnWhichTheServerFailsDoesNotHoldUpTheNext(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	w := openBrowser(t, s).open(t, "township")
	defer w.forgives("ERR_INTERNET_DISCONNECTED")
	w.signIn()
	first, second := people.patient(t, "莫先写"), people.patient(t, "莫后写")
	_, err := chromedp.Call(w.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: fmt.Sprintf(`{ const real = fetch; window.fetch = async (...of) => of[1]?.headers?.["X-Kept"] && String(of[0]).includes(%q)
			? new Response("", { status: 500, headers: { "X-Kept": "1" } }) : real(...of) }`, first),
	})
	must(t, err)
	w.fillsIn(first)
	w.choose(`button[name="do"][value="send"]`)
	w.until("what waits", waits)
	w.fillsIn(second)
	w.offline(true)
	w.choose(`button[name="do"][value="send"]`)
	w.until("both", `document.querySelectorAll("#line li.waiting").length === 2`)
	w.goneAway()
	w.offline(false)
	w.goTo("/referrals")
	w.until("what was sent", told)
	if list := get[referralv1.ListReferralsResponse](t, people.township, "/referrals?view=outbox&patientId="+second).GetReferrals(); len(list) != 1 {
		t.Errorf("behind a form on which the server fails %d referrals were sent", len(list))
	}
}

// What was taken back to be changed may have reached the server: it goes under the request that it had.
func TestWhatIsTakenBackIsStillTheSameRequest(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	w := openBrowser(t, s).open(t, "township")
	w.signIn()
	w.fillsIn(people.patient(t, "莫取回"))
	request := w.value(`[name="requestId"]`)
	eval[bool](w, `(() => { const real = fetch; window.fetch = async (...of) => { const answer = await real(...of);
		if (of[1]?.headers?.["X-Kept"]) throw new TypeError("lost"); return answer; }; return true })()`)
	w.choose(`button[name="do"][value="send"]`)
	w.until("what waits", waits)
	w.leave(`document.querySelector("#line li.waiting button").click()`)
	w.keeps()
	w.until("what was typed", `document.querySelector('[name="form.presentIllness"]').value === "头晕两天"`)
	w.fill(`[name="form.presentIllness"]`, "头晕三天")
	if got := w.value(`[name="requestId"]`); got != request {
		t.Errorf("taken back it is another request: %s, not %s", got, request)
	}
}

// A reply that was written before somebody else changed the referral comes back upon the version on which it was written: who sends it is told of the change.
func TestAReplyThatWasKeptIsSentAfterALookAtWhatChanged(t *testing.T) {
	s := harness.Together(t, binary, true)
	c := signInAll(t, s)
	request := c.upward(c.patient(t, "莫久等"), cardiology)
	request.Submit = true
	r := post[referralv1.Referral](t, c.township, "/referrals", request)
	r = plainly(t, c.desk, acceptWalkIn(t, c.desk, r), "arrive")
	w := openBrowser(t, s).open(t, "specialist")
	w.signIn()
	w.goTo("/referrals/" + r.GetId())
	w.keeps()
	w.fill(`[name="reply.nextSteps"]`, "两周后复诊")
	w.keeps()
	act(t, c.desk, r, "admit", &referralv1.AdmitRequest{RequestId: id.New(), Version: r.GetVersion(), Ward: "一病区", Bed: "3"})
	w.goTo("/referrals/" + r.GetId())
	w.keeps()
	for field, typed := range map[string]string{"outcomeCode": "IMPROVED", "reply.diagnosis": "冠心病", "reply.treatment": "扩冠治疗"} {
		w.fill(`[name="`+field+`"]`, typed)
	}
	w.press(`[data-action="conclude"]`)
	if told := w.text("#actions .errors"); !strings.Contains(told, "收治") || w.value(`[name="reply.nextSteps"]`) != "两周后复诊" {
		t.Fatalf("sent upon what was changed meanwhile, or without what was typed: %q", told)
	}
	w.press(`[data-action="conclude"]`)
	if got := read(t, c.desk, r.GetId()); got.GetState() != referralv1.State_CONCLUDED || got.GetReply().GetNextSteps() != "两周后复诊" {
		t.Errorf("sent again it is %s", got.GetState())
	}
}

func TestASharedPCKeepsNothingReadable(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	w := openBrowser(t, s).open(t, "township")
	w.signIn()
	patient := people.patient(t, "莫共用")
	w.fillsIn(patient)
	w.keeps()
	w.readableNowhere()

	// The session ran out: somebody else who signs in sees nothing of it, the author finds it again.
	form := "/refer/" + patient
	_, err := chromedp.Call(w.ctx, network.ClearBrowserCookies, cdp.Empty{})
	must(t, err)
	w.who = "township2"
	w.signIn()
	w.readableNowhere()
	w.goTo("/patients/new")
	w.keeps()
	if n := w.rows(); n != 1 || w.has("#line li") {
		t.Errorf("%d rows of the other account are kept; the line says %q", n, w.text("#line"))
	}
	w.press(`form[action="/sign-out"] button`)
	w.who = "township"
	w.signIn()
	w.goTo(form)
	w.keeps()
	if got := w.value(`[name="form.initialImpression"]`); got != impression {
		t.Errorf("after the session ran out the form holds %q", got)
	}

	w.press(`form[action="/sign-out"] button`)
	if n := w.rows(); n != 0 || !strings.Contains(eval[string](w, "location.pathname"), "sign-in") {
		t.Errorf("%d rows are left at %s", n, eval[string](w, "location.pathname"))
	}
}

// fillsIn opens the form of a patient and fills in what it must have.
func (w *tab) fillsIn(patientID string) {
	w.Helper()
	w.goTo("/refer/" + patientID)
	w.keeps()
	w.choose(`[name="urgency"][value="ROUTINE"]`)
	w.fill("#f-diagnoses", "I63")
	w.until("suggestions", `document.querySelector(".picker li[data-value]")`)
	eval[bool](w, `document.querySelector("#f-diagnoses").dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true})) || true`)
	w.until("chosen diagnosis", `document.querySelector('.chips [name="diagnosis"]')`)
	w.fill(`[name="form.initialImpression"]`, impression)
	w.fill(`[name="form.presentIllness"]`, "头晕两天")
	w.fill(`[name="department"]`, neurology)
	w.choose(`[name="consent.method"][value="SIGNED"]`)
}

// keeps waits until what was kept is shown and what was typed is kept.
func (w *tab) keeps() {
	w.Helper()
	w.until("what is kept", `document.documentElement.dataset.kept === "ready"`)
}

// offline takes the line away from this window, or gives it back.
func (w *tab) offline(off bool) {
	w.Helper()
	_, err := chromedp.Call(w.ctx, network.Enable, network.EnableParams{})
	must(w.T, err)
	_, err = chromedp.Call(w.ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Offline: off, DownloadThroughput: -1, UploadThroughput: -1}},
	})
	must(w.T, err)
	_, err = chromedp.Call(w.ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: off, DownloadThroughput: -1, UploadThroughput: -1})
	must(w.T, err)
}

// goneAway loads the page anew without a line: the browser has nothing but its own page to show. What this window was told about the line ends
// with the page, so the page itself is kept from sending while it goes.
func (w *tab) goneAway() {
	w.Helper()
	eval[bool](w, `(() => { window.fetch = () => Promise.reject(new TypeError("no line")); setTimeout(() => location.reload()); return true })()`)
	w.until("the browser's own page", `location.protocol === "chrome-error:"`)
}

// kept reads everything that the browser keeps of the place: databases and storage, bytes as text.
const kept = `(async () => {
	const db = await new Promise((done) => { const asked = indexedDB.open("tongzhen", 1); asked.onupgradeneeded = () => asked.result.createObjectStore("kept"); asked.onsuccess = () => done(asked.result); });
	const all = (what) => new Promise((done) => { const asked = db.transaction("kept").objectStore("kept")[what](); asked.onsuccess = () => done(asked.result); });
	const rows = await all("getAll"), names = await all("getAllKeys");
	db.close();
	const text = rows.map((row) => JSON.stringify(row) + new TextDecoder().decode(row.sealed)).join() + JSON.stringify(names) + JSON.stringify(localStorage) + JSON.stringify(sessionStorage);
	return { rows: rows.length, text };
})().then((found) => { window.found = found; })`

func (w *tab) rows() int {
	w.Helper()
	eval[bool](w, `(() => { window.found = null; `+kept+`; return true })()`)
	w.until("what is kept", "window.found")
	return int(eval[float64](w, "window.found.rows"))
}

func (w *tab) readableNowhere() {
	w.Helper()
	if w.rows() == 0 {
		w.fail(fmt.Errorf("nothing is kept: this proves nothing"))
	}
	for _, word := range []string{impression, "头晕两天", "form.initialImpression"} {
		if strings.Contains(eval[string](w, "window.found.text"), word) {
			w.Errorf("the browser keeps %s in the clear", word)
		}
	}
}

// forgives drops what the console says of a line that was taken away on purpose.
func (w *tab) forgives(words string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var rest []string
	for _, p := range w.problems {
		if !strings.Contains(p, words) {
			rest = append(rest, p)
		}
	}
	w.problems = rest
}
