package gateway_test

import (
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

// shownForm is what a browser would send back of a form that was just drawn, with some fields typed over.
func shownForm(t *testing.T, w *world, typed ...string) url.Values {
	t.Helper()
	r := sampleReferral(referralv1.State_RETURNED)
	form := url.Values{}
	for name, value := range map[string]string{
		"kind": "OUTPATIENT", "urgency": "URGENT", "organization": hospitalID, "department": "0304", "transport": r.GetTransport(), "transferNote": markText, "originatorPhone": r.GetOriginatorPhone(),
		"form.initialImpression": markText, "form.presentIllness": markText, "form.pastHistory": markText, "form.treatment": markText,
		"consent.givenBy": markName, "consent.relation": "0", "consent.method": "SIGNED", "consent.deferredReason": "",
	} {
		form.Set(name, value)
		form.Set("was."+name, value)
	}
	form["diagnosis"] = []string{"I10|原发性高血压", "I20.0|不稳定性心绞痛"}
	form.Set("was.diagnosis", strings.Join(form["diagnosis"], "；"))
	form.Set("was.examItem", "")
	body := w.browser("township").get("/referrals/" + referralID + "/edit").Body.String()
	for name := range form {
		if strings.HasPrefix(name, "was.") && hidden(t, body, name) != form.Get(name) {
			t.Errorf("the form says that %s is %q", name, hidden(t, body, name))
		}
	}
	maps.Copy(form, url.Values{"version": {"3"}, "requestId": {"0192f0c1-0000-7000-8000-0000000000c9"}, "do": {"send"}})
	return with(form, typed...)
}

func TestAReferralThatSomebodyChangedMeanwhileSaysWhatAndByWhomAndIsSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(getMethod, sampleReferral(referralv1.State_RETURNED))
	typed := shownForm(t, w, "form.treatment", "我写的治疗", "form.pastHistory", "我写的既往史")
	now := sampleReferral(referralv1.State_RETURNED)
	now.Version, now.Form.Treatment, now.Form.InitialImpression = 4, "别人写的治疗", "别人写的印象"
	now.Diagnoses = []*commonv1.Coding{{Code: "E11.9", Display: "2型糖尿病"}}
	w.always(getMethod, now)
	w.always(historyMethod, &referralv1.ListHistoryResponse{History: []*referralv1.HistoryRow{
		{Kind: "TRANSITION", Action: "return", Version: 3, Actor: &commonv1.Actor{Name: "早先的人"}, Time: in(0)},
		{Kind: "TRANSITION", Action: "edit", Version: 4, Actor: &commonv1.Actor{Name: "同事甲"}, Time: in(0)},
	}})
	w.refuse(editMethod, errs.Stale(4, "RETURNED"))
	got := w.browser("township").post("/referrals/"+referralID+"/edit", typed)
	body := got.Body.String()
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	if got.Code != http.StatusConflict || hidden(t, body, "version") != "4" || hidden(t, body, "requestId") == typed.Get("requestId") {
		t.Errorf("%d, version %s", got.Code, hidden(t, body, "version"))
	}
	for what, words := range map[string]string{
		"who": "同事甲", "mine stays": ">我写的治疗</textarea>", "what it is now": "is now: 别人写的治疗", "and mine": "yours: 我写的治疗", "not touched, so theirs": `value="别人写的印象"`,
		"untouched by them": ">我写的既往史</textarea>", "their diagnosis": `name="diagnosis" value="E11.9|2型糖尿病"`,
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	if strings.Contains(body, "早先的人") || strings.Contains(body, `value="I10|`) {
		t.Error("what was before the form was shown is told, or a diagnosis that was taken away is still chosen")
	}
}

func TestAReferralThatCannotBeChangedAnyMoreKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(getMethod, sampleReferral(referralv1.State_RETURNED))
	typed := shownForm(t, w, "form.treatment", "我写的治疗")
	w.refuse(editMethod, errs.WrongState("edit", "CANCELLED"))
	got := w.browser("township").post("/referrals/"+referralID+"/edit", typed)
	if body := got.Body.String(); got.Code != http.StatusPreconditionFailed || !strings.Contains(body, ">我写的治疗</textarea>") || !strings.Contains(body, `href="/referrals/`+referralID+`">Look at the referral first`) {
		t.Errorf("%d", got.Code)
	}
}

// A draft of the way back that a colleague changed meanwhile: what, by whom, and what was typed stays.
func TestADownReferralThatSomebodyChangedMeanwhileSaysWhatAndByWhomAndIsSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.concluded()
	const page = "/down/" + patientID + "?draft=" + downID
	shown := w.browser("desk").get(page).Body.String()
	typed := url.Values{}
	for _, one := range inputs(shown) {
		typed.Add(one[0], one[1])
	}
	was := typed.Get("was.form.treatment")
	if was == "" || typed.Get("was.medicines") == "" || typed.Get("was.plan") == "" || typed.Has("was.medicine.name") {
		t.Fatalf("the form does not say what it began with: %v", typed)
	}
	r := downAnswer(referralv1.State_DRAFT)
	typed.Set("form.treatment", "我写的治疗")
	typed.Set("form.nextPlan", r.GetForm().GetNextPlan())
	typed.Set("form.diagnosis", r.GetForm().GetDiagnosis())
	typed.Set("do", "send")
	now := downAnswer(referralv1.State_DRAFT)
	now.Version, now.Form.Treatment, now.Form.NextPlan = 4, "别人写的治疗", "别人写的打算"
	now.Medicines = []*referralv1.DischargeMedicine{{Name: "别人开的药", Dosage: "每晚一片", Days: 14}}
	w.always(getMethod, now)
	w.always(historyMethod, &referralv1.ListHistoryResponse{History: []*referralv1.HistoryRow{
		{Kind: "TRANSITION", Action: "edit", Version: 4, Actor: &commonv1.Actor{Name: "同事甲"}, Time: in(0)},
	}})
	w.refuse(editMethod, errs.Stale(4, "DRAFT"))
	// The referral that is answered is now the draft itself for this world: without one the page is of the draft alone.
	now.ReplyTo = ""
	got := w.browser("desk").post(page, typed)
	body := got.Body.String()
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	if got.Code != http.StatusConflict || hidden(t, body, "version") != "4" || hidden(t, body, "requestId") == typed.Get("requestId") {
		t.Errorf("%d, version %s", got.Code, hidden(t, body, "version"))
	}
	for what, words := range map[string]string{
		"who": "同事甲", "mine stays": ">我写的治疗</textarea>", "what it is now": "is now: 别人写的治疗", "and mine": "yours: 我写的治疗",
		"not touched, so theirs": ">别人写的打算</textarea>", "their medicines": `value="别人开的药"`, "told": "别人开的药 每晚一片",
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	if strings.Contains(body, `value="替格瑞洛片"`) {
		t.Error("a medicine that somebody took away is still in the form")
	}
	// What cannot be changed any more keeps what was typed.
	w.refuse(editMethod, errs.WrongState("edit", "CANCELLED"))
	if again := w.browser("desk").post(page, typed); again.Code != http.StatusPreconditionFailed || !strings.Contains(again.Body.String(), ">我写的治疗</textarea>") {
		t.Errorf("%d", again.Code)
	}
}

var (
	field  = regexp.MustCompile(`(?s)<input[^>]*>|<select[^>]*>.*?</select>`)
	name   = regexp.MustCompile(` name="([^"]*)"`)
	value  = regexp.MustCompile(` value="([^"]*)"`)
	chosen = regexp.MustCompile(` value="([^"]*)" selected`)
)

// inputs are the fields of a page that a browser would send, texts apart, in their order: name and value.
func inputs(page string) (out [][2]string) {
	for _, whole := range field.FindAllString(page, -1) {
		named, said := name.FindStringSubmatch(whole), value.FindStringSubmatch(whole)
		if strings.HasPrefix(whole, "<select") {
			said = chosen.FindStringSubmatch(whole)
		} else if (strings.Contains(whole, `type="radio"`) || strings.Contains(whole, `type="checkbox"`)) && !strings.Contains(whole, " checked") {
			continue
		}
		switch {
		case named == nil:
		case said == nil:
			out = append(out, [2]string{named[1], ""})
		default:
			out = append(out, [2]string{named[1], html.UnescapeString(said[1])})
		}
	}
	return out
}
