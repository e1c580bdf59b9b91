//go:build e2e

package e2e_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// referralPath is where a person stands after a referral was sent.
var referralPath = regexp.MustCompile(`/referrals/([0-9a-f-]{36})$`)

func TestThreePeopleSideBySideInBrowsers(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	b := openBrowser(t, s)
	township, desk, specialist := b.open(t, "township"), b.open(t, "desk"), b.open(t, "specialist")
	signInPage(township)
	for _, w := range []*tab{township, desk, specialist} {
		w.signIn()
	}
	desk.look("desk-empty", "dark")
	patientID := findPatient(township)
	fillForm(township, patientID)

	desk.goTo("/desk")
	desk.stays()
	referralID := sendTwice(township, people, patientID)
	desk.sees("row of the new referral", row(referralID))
	desk.look("desk-queue", "dark")
	township.look("referral-submitted", "dark")

	deskAccepts(township, desk, referralID)
	arrives(township, desk, people, referralID)
	treats(township, specialist, referralID)
	acknowledges(township, people, referralID)
	// It comes as a fact; nothing else is on its way to the desk then.
	eventually(t, "news of the acknowledgement", func() bool { return inbox(t, people.desk, referralID)["acknowledged"] == 1 })
	inboxes(township, desk)
	signsOut(township)
	people.rests(t, s, settleTime)
}

func row(referralID string) string {
	return fmt.Sprintf(`document.querySelector('[data-id="%s"]')`, referralID)
}

// signInPage: a wrong password keeps the account, says what is wrong, and lets nobody in.
func signInPage(w *tab) {
	w.goTo("/desk")
	if !strings.Contains(eval[string](w, "location.pathname"), "sign-in") {
		w.Error("a page is shown to somebody who is not signed in")
	}
	w.look("sign-in", "dark")
	w.fill("#f-account", w.who)
	w.fill("#f-password", "wrong")
	w.press("main form button.primary")
	if w.value("#f-account") != w.who || w.value("#f-password") != "" || w.text(".errors") == "" {
		w.Errorf("after a wrong password the form holds account %q and says %q", w.value("#f-account"), w.text(".errors"))
	}
	w.look("sign-in-refused")
}

// findPatient by initials, name and phone, opens the record.
func findPatient(w *tab) string {
	w.goTo("/patients")
	w.look("patients")
	var link string
	for _, words := range []string{"mdc", "德昌", "莫德昌"} {
		w.fill("#query", words)
		w.press("form[role=search] button.primary")
		if link = eval[string](w, `[...document.querySelectorAll("table a")].find(a => a.innerText.includes("莫德昌"))?.getAttribute("href") ?? ""`); link == "" {
			w.Fatalf("the patient is not found by %q", words)
		}
		if place := eval[string](w, "location.href"); strings.Contains(place, words) {
			w.Errorf("the address of the page holds the words searched for: %s", place)
		}
	}
	w.look("patients-found")
	w.goTo(link)
	if !strings.Contains(w.text("main"), "高血压病") || !strings.Contains(w.text("main"), "青霉素") {
		w.Errorf("the record shows no problems or allergies")
	}
	w.look("patient", "dark")
	return link[strings.LastIndex(link, "/")+1:]
}

// fillForm: half of it survives a reload; what is missing is named, and nothing that was typed is lost.
func fillForm(w *tab, patientID string) {
	w.goTo("/refer/" + patientID)
	w.look("refer-empty")
	const illness = "反复胸闷3天，加重2小时"
	w.fill(`[name="form.presentIllness"]`, illness)
	w.choose(`[name="urgency"][value="URGENT"]`)
	w.keeps()
	w.goTo("/refer/" + patientID)
	w.keeps()
	if got := w.value(`[name="form.presentIllness"]`); got != illness || w.value(`[name="urgency"]:checked`) != "URGENT" {
		w.Errorf("after a reload the form holds %q and %q", got, w.value(`[name="urgency"]:checked`))
	}
	if w.has("[data-draft-note][hidden]") {
		w.Error("nothing says that the draft was restored")
	}
	w.choose(`button[name="do"][value="send"]`)
	w.until("the refusal", `document.querySelector(".errors")`)
	errors := w.text(".errors")
	for _, field := range []string{"诊断", "初步印象", "接收科室", "知情同意"} {
		if !strings.Contains(errors, field) {
			w.Errorf("the refusal does not name %s: %q", field, errors)
		}
	}
	if got := w.value(`[name="form.presentIllness"]`); got != illness || w.value(`[name="urgency"]:checked`) != "URGENT" {
		w.Errorf("after a refusal the form holds %q and %q", got, w.value(`[name="urgency"]:checked`))
	}
	w.look("refer-refused", "dark")

	w.fill("#f-diagnoses", "I63")
	w.until("suggestions", `document.querySelector(".picker li[data-value]")`)
	w.look("refer-picker")
	eval[bool](w, `document.querySelector("#f-diagnoses").dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true})) || true`)
	w.until("chosen diagnosis", `document.querySelector('.chips [name="diagnosis"]')?.value.startsWith("I63")`)
	w.fill(`[name="form.initialImpression"]`, "脑梗死待查")
	w.fill(`[name="department"]`, neurology)
	w.until("free slots", `document.querySelector('[name="slot"]:not([value=""])')`)
	w.choose(`[name="slot"]:not([value=""])`)
	w.choose(`[name="consent.method"][value="SIGNED"]`)
	w.look("refer-filled", "dark")
}

// sendTwice sends the form as a browser does that repeats a lost request, then clicks twice: one referral comes of it.
func sendTwice(w *tab, people cast, patientID string) string {
	eval[float64](w, `(async () => (await fetch(document.querySelector("form[data-draft]").getAttribute("action"), {method: "POST",
		body: new URLSearchParams([...new FormData(document.querySelector("form[data-draft]")), ["do", "send"]])})).status)().then(s => window.repeated = s) && 0`)
	w.until("answer to the first sending", "window.repeated === 200")
	w.leave(`const send = document.querySelector('button[name="do"][value="send"]'); send.click(); send.click()`)
	found := referralPath.FindStringSubmatch(eval[string](w, "location.pathname"))
	if found == nil {
		w.fail(fmt.Errorf("the referral was not sent"))
	}
	list := get[referralv1.ListReferralsResponse](w.T, people.township, "/referrals?view=outbox&patientId="+patientID).GetReferrals()
	if len(list) != 1 || list[0].GetId() != found[1] || list[0].GetHoldId() == "" {
		w.Errorf("two clicks and a repetition made %d referrals", len(list))
	}
	w.goTo("/refer/" + patientID)
	w.keeps()
	if w.value(`[name="form.initialImpression"]`) != "" {
		w.Error("the draft is still there after the referral was sent")
	}
	w.goTo("/referrals/" + found[1])
	return found[1]
}

// deskAccepts: the township, who looks at the referral, sees it being seen and accepted.
func deskAccepts(township, desk *tab, referralID string) {
	township.stays()
	desk.goTo("/desk")
	desk.press(fmt.Sprintf(`[data-id="%s"] a`, referralID))
	if !strings.Contains(desk.text("main"), "青霉素") {
		desk.Error("the desk does not see the allergies on the referral's page")
	}
	desk.look("referral-desk", "dark")
	desk.press(`form[action$="/accept"] [data-action="accept"]`)
	desk.goTo("/referrals/" + referralID)
	desk.until("acceptance", `document.querySelector(".state.ACCEPTED")`)
	township.sees("acceptance", `document.querySelector("main h1 ~ p .state.ACCEPTED, .state.ACCEPTED")`)
	township.sees("acceptance on the timeline", `document.querySelector(".timeline").innerText.includes("接受") || document.querySelectorAll(".timeline li.TRANSITION").length >= 3`)
	township.look("referral-accepted")
	desk.look("referral-accepted-desk")
}

func arrives(township, desk *tab, people cast, referralID string) {
	number := get[referralv1.Referral](desk.T, people.desk, "/referrals/"+referralID).GetNumber()
	desk.goTo("/desk/arrivals")
	desk.look("arrivals")
	desk.fill("#f-number", "450321-26-9999999-9")
	desk.press(`form[action="/desk/find"] button.primary`)
	if desk.value("#f-number") != "450321-26-9999999-9" {
		desk.Error("a number that is not found is not kept in its field")
	}
	desk.fill("#f-number", strings.ReplaceAll(number, "-", " "))
	desk.press(`form[action="/desk/find"] button.primary`)
	township.stays()
	desk.press(`[data-action="arrive"]`)
	township.sees("arrival", `document.querySelector(".state.ARRIVED")`)
}

// treats: the specialist admits and concludes; a reply that lacks something keeps what was written.
func treats(township, specialist *tab, referralID string) {
	w := specialist
	w.goTo("/referrals/" + referralID)
	w.look("referral-specialist")
	open := func(action string) {
		eval[bool](w, fmt.Sprintf(`(() => { const d = document.querySelector('form[action$="/%s"]').closest("details"); if (d) d.open = true; return true })()`, action))
	}
	open("admit")
	bed := eval[string](w, `document.querySelector('form[action$="/admit"] [name="bedId"] optgroup option').value`)
	w.fill(`form[action$="/admit"] [name="bedId"]`, bed)
	w.press(`[data-action="admit"]`)
	w.until("admission", `document.querySelector(".state.ADMITTED")`)
	w.goTo("/beds?bed=" + bed)
	w.until("the bed is taken", `document.querySelector('.bedstate.OCCUPIED')`)
	w.goTo("/referrals/" + referralID)
	open("conclude")
	w.fill(`[name="outcomeCode"]`, "IMPROVED")
	w.fill(`[name="reply.diagnosis"]`, "急性脑梗死")
	w.fill(`[name="reply.findings"]`, "MRI：左侧基底节急性梗死灶")
	w.fill(`[name="reply.nextSteps"]`, "两周后复查，继续康复训练")
	w.leave(`document.querySelector('form[action$="/conclude"]').noValidate = true; document.querySelector('[data-action="conclude"]').click()`)
	if w.value(`[name="reply.diagnosis"]`) != "急性脑梗死" || !strings.Contains(w.text("main"), "治疗经过") || !w.has(`[name="reply.treatment"]`) {
		w.Errorf("an incomplete reply: the field holds %q", w.value(`[name="reply.diagnosis"]`))
	}
	w.look("conclude-refused")
	w.fill(`[name="reply.treatment"]`, "抗血小板、调脂")
	w.fill(`[name="reply.medications"]`, "阿司匹林肠溶片 100mg 每日1次\n阿托伐他汀钙片 20mg 每晚1次")
	township.stays()
	w.press(`[data-action="conclude"]`)
	township.sees("conclusion", `document.querySelector(".state.CONCLUDED")`)
	w.look("referral-concluded-specialist")
}

func acknowledges(w *tab, people cast, referralID string) {
	w.goTo("/referrals/" + referralID)
	if !strings.Contains(w.text("main"), "两周后复查，继续康复训练") || !strings.Contains(w.text("main"), "阿司匹林肠溶片") {
		w.Error("the township does not see the reply")
	}
	w.look("referral-concluded", "dark")
	w.press(`[data-action="acknowledge"]`)
	w.until("end", `document.querySelector(".state.CLOSED")`)
	w.look("referral-closed")
	w.goTo("/referrals")
	w.look("referrals", "dark")
	checkTimeline(w.T, people.township, referralID,
		step{"create", referralv1.State_UNSPECIFIED, referralv1.State_DRAFT, people.township},
		step{"submit", referralv1.State_DRAFT, referralv1.State_SUBMITTED, people.township},
		step{"accept", referralv1.State_SUBMITTED, referralv1.State_ACCEPTED, people.desk},
		step{"arrive", referralv1.State_ACCEPTED, referralv1.State_ARRIVED, people.desk},
		step{"admit", referralv1.State_ARRIVED, referralv1.State_ADMITTED, people.specialist},
		step{"conclude", referralv1.State_ADMITTED, referralv1.State_CONCLUDED, people.specialist},
		step{"acknowledge", referralv1.State_CONCLUDED, referralv1.State_CLOSED, people.township},
	)
}

func inboxes(township, desk *tab) {
	desk.goTo("/inbox")
	desk.look("inbox", "dark")
	if n := eval[float64](desk, `document.querySelectorAll("[data-id]").length`); n == 0 {
		desk.Error("the desk's inbox is empty although the township has just acknowledged")
	} else {
		desk.press(`form[action$="/acknowledge"] button`)
		if left := eval[float64](desk, `document.querySelectorAll("[data-id]").length`); left != n-1 {
			desk.Errorf("after an acknowledgement %.0f entries are open of %.0f", left, n)
		}
	}
	township.goTo("/inbox?show=all")
	township.look("inbox-all")
	township.goTo("/referrals/" + id.New())
	township.look("not-found")
	township.inEnglish()
	township.goTo("/referrals")
	township.look("referrals-english")
}

// signsOut: nothing that was typed about a patient stays in a browser that others use too.
func signsOut(w *tab) {
	w.goTo("/patients/new")
	w.fill(`[name="name"]`, "莫留痕")
	w.keeps()
	if w.rows() == 0 {
		w.Error("no draft is kept: this proves nothing")
	}
	w.press(`form[action="/sign-out"] button`)
	if n := w.rows(); n != 0 || !strings.Contains(eval[string](w, "location.pathname"), "sign-in") {
		w.Errorf("%d drafts are left at %s", n, eval[string](w, "location.pathname"))
	}
}

func TestARegistrationAndAReturnedReferralInTheBrowser(t *testing.T) {
	s := harness.Together(t, binary, true)
	people := signInAll(t, s)
	b := openBrowser(t, s)
	township, desk := b.open(t, "township"), b.open(t, "desk")
	township.signIn()
	desk.signIn()
	patientID := registers(township)
	created := people.upward(patientID, neurology)
	r := post[referralv1.Referral](t, people.township, "/referrals", created)

	desk.goTo("/referrals/" + r.GetId())
	township.goTo("/referrals/" + r.GetId())
	township.stays()
	eval[bool](desk, `document.querySelector('form[action$="/return"]').closest("details").open = true`)
	desk.fill(`form[action$="/return"] [name="reasonCode"]`, "OTHER")
	desk.press(`[data-action="return"]`)
	if !strings.Contains(desk.text("main"), "说明") || desk.value(`form[action$="/return"] [name="reasonCode"]`) != "OTHER" {
		desk.Error("a reason without its note is not asked for, or the reason is lost")
	}
	desk.look("return-refused")
	desk.fill(`form[action$="/return"] [name="note"]`, "请补头颅CT报告")
	desk.press(`[data-action="return"]`)
	township.sees("return", `document.querySelector(".state.RETURNED")`)
	township.until("what is missing", `document.querySelector("main").innerText.includes("请补头颅CT报告")`) // each part of the page comes by itself
	township.look("referral-returned", "dark")
	township.press(`a[href$="/edit"]`)
	township.look("refer-returned")
	township.fill(`[name="form.treatment"]`, "头颅CT未见出血")
	desk.goTo("/desk")
	desk.stays()
	township.press(`button[name="do"][value="send"]`)
	desk.sees("referral sent again", row(r.GetId()))
	back := get[referralv1.Referral](t, people.township, "/referrals/"+r.GetId())
	if back.GetState() != referralv1.State_SUBMITTED || back.GetForm().GetTreatment() != "头颅CT未见出血" {
		t.Errorf("sent again: state %s, treatment %q", back.GetState(), back.GetForm().GetTreatment())
	}
	emergency(township, desk, people)
	people.rests(t, s, settleTime)
}

// registers: a wrong identity number is named and nothing is lost; a number that is known leads to its patient.
func registers(w *tab) string {
	w.goTo("/patients/new")
	w.look("register")
	w.fill("#f-name", "覃运生")
	w.fill(`[name="identityNumber"]`, "990122195705010011")
	w.fill(`[name="phone"]`, "13900000001")
	w.press("main form button.primary")
	if w.value("#f-name") != "覃运生" || w.value(`[name="phone"]`) != "13900000001" || !strings.Contains(w.text(".errors"), "身份证号码") {
		w.Errorf("after a wrong number the form holds %q and says %q", w.value("#f-name"), w.text(".errors"))
	}
	w.look("register-refused")
	w.fill(`[name="identityNumber"]`, "990122195705010010")
	w.press("main form button.primary")
	place := eval[string](w, "location.pathname")
	patientID := place[strings.LastIndex(place, "/")+1:]
	if !strings.HasPrefix(place, "/patients/") || len(patientID) != 36 {
		w.fail(fmt.Errorf("not registered"))
	}
	w.goTo("/patients/new")
	w.fill("#f-name", "覃运生")
	w.fill(`[name="identityNumber"]`, "990122195705010010")
	w.press("main form button.primary")
	w.look("register-known")
	// The way is that of a record which may be another's; whoever sees it comes straight to it.
	w.press(`.warning a[href^="/access/` + patientID + `"]`)
	if eval[string](w, "location.pathname") != place {
		w.Error("a number that is known does not lead to its patient")
	}
	w.goTo("/patients/new")
	w.choose(`[name="documentType"][value="NONE"]`)
	w.until("reason without a document", `!document.querySelector("#f-noDocumentReason").closest("[data-when]").hidden`)
	return patientID
}

// emergency: it stands first in the desk's queue, in its own colour.
func emergency(township, desk *tab, people cast) {
	p, err := harness.Call[patientrecordv1.SearchPatientsResponse](township.Context(), people.township, http.MethodPost, "/patients:search", &patientrecordv1.SearchPatientsRequest{Query: "莫德昌"})
	must(township.T, err)
	township.goTo("/refer/" + p.GetPatients()[0].GetId())
	township.choose(`[name="kind"][value="EMERGENCY"]`)
	township.fill("#f-diagnoses", "I21")
	township.until("suggestions", `document.querySelector(".picker li[data-value]")`)
	eval[bool](township, `document.querySelector("#f-diagnoses").dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true})) || true`)
	township.fill(`[name="form.initialImpression"]`, "急性心肌梗死")
	township.fill(`[name="form.presentIllness"]`, "持续胸痛1小时")
	township.fill(`[name="department"]`, "0304")
	township.fill(`[name="consent.deferredReason"]`, "抢救中，家属未到")
	township.look("refer-emergency", "dark")
	desk.goTo("/desk")
	desk.stays()
	township.press(`button[name="do"][value="send"]`)
	found := referralPath.FindStringSubmatch(eval[string](township, "location.pathname"))
	if found == nil {
		township.fail(fmt.Errorf("the emergency was not sent"))
	}
	desk.sees("emergency on top", fmt.Sprintf(`document.querySelector("#queue tbody tr")?.dataset.id === %q`, found[1]))
	desk.look("desk-emergency", "dark")
}
