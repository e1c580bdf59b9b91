package gateway_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

func TestATextToStartFromIsOfferedByTheDiagnosisAndByName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	part := b.post("/refer/"+patientID+"/templates", form("diagnosis", "I10.x02|原发性高血压"), "X-Fragment", "1").Body.String()
	if strings.Count(part, "data-template=") != 1 || !strings.Contains(part, `data-template="HYPERTENSION">Use “Hypertension not controlled”`) || strings.Count(part, "<option") != 25 {
		t.Errorf("offered: %s", part)
	}
	if part = b.post("/refer/"+patientID+"/templates", form("diagnosis", "T51|"), "X-Fragment", "1").Body.String(); strings.Count(part, "data-template=") != 0 {
		t.Error("a text is offered with one click for a diagnosis that it does not suit")
	}
	// All of them come at once, to be there without a line; they weigh little.
	got := b.get("/refer/templates?language=en")
	var all map[string]map[string]string
	check(t, json.Unmarshal(got.Body.Bytes(), &all))
	if !strings.HasPrefix(got.Header().Get("Cache-Control"), "private, max-age=") || len(all) != 24 || !strings.Contains(b.get("/refer/"+patientID).Body.String(), `data-templates="/refer/templates?language=en"`) {
		t.Errorf("%d texts, kept %q", len(all), got.Header().Get("Cache-Control"))
	}
	texts := all["HYPERTENSION"]
	if texts["department"] != "0304" || !strings.Contains(texts["form.presentIllness"], "____") || texts["form.initialImpression"] == "" || texts["form.treatment"] == "" {
		t.Errorf("%v", texts)
	}
}

func TestWithoutAScriptATextFillsWhatIsEmptyAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	typed := with(typedReferral(), "do", "template", "template", "HYPERTENSION", "form.presentIllness", "", "form.initialImpression", "mine")
	got := w.browser("township").post("/refer/"+patientID, typed)
	body := got.Body.String()
	if got.Code != http.StatusOK || len(called[*referralv1.CreateReferralRequest](w, createMethod)) != 0 {
		t.Fatalf("%d: the form was sent, or refused", got.Code)
	}
	if !strings.Contains(body, "above ____/____ mmHg") {
		t.Error("the empty field was not filled")
	}
	keeps(t, body, typed, "requestId", "do", "template", "form.presentIllness")
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
}

func TestNothingIsSentWhileABlankIsLeft(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		text string
		sent bool
	}{
		"a blank": {"血压升高____年", false}, "a choice": {"伴【头晕、头痛、胸闷、视物模糊、下肢水肿、无】", false}, "a doctor's own brackets": {"伴【明显头晕】", true}, "nothing left": {"血压升高 10 年", true},
	} {
		w := newWorld(t)
		got := w.browser("township").post("/refer/"+patientID, with(typedReferral(), "form.presentIllness", c.text))
		if sent := slices.ContainsFunc(called[*referralv1.CreateReferralRequest](w, createMethod), writes); sent != c.sent {
			t.Errorf("%s: sent %v, answered %d", what, sent, got.Code)
		}
		if told := strings.Contains(got.Body.String(), "is left; please complete or delete it"); told == c.sent {
			t.Errorf("%s: told %v", what, told)
		}
		if draft := w.browser("township").post("/refer/"+patientID, with(typedReferral(), "form.presentIllness", c.text, "do", "draft")); draft.Code != http.StatusSeeOther {
			t.Errorf("%s: a draft is refused: %d", what, draft.Code)
		}
	}
}

// writes tells a creation from one that only asks what is wrong.
func writes(in *referralv1.CreateReferralRequest) bool { return !in.GetValidateOnly() }

// What a template left, what the consent to SMS lacks and what the service finds is told at once.
func TestEverythingThatIsWrongIsToldAtOnce(t *testing.T) {
	t.Parallel()
	left := with(typedReferral(), "form.presentIllness", "血压升高____年", "consent.method", "", "sms.agreed", "1")
	for _, page := range []string{"/refer/" + patientID, "/referrals/" + referralID + "/edit"} {
		w := newWorld(t)
		w.always(getMethod, sampleReferral(referralv1.State_RETURNED))
		w.refuse(recordConsentMethod, errs.Invalid(errs.Required("giving.phone")))
		w.refuse(createMethod, errs.Invalid(errs.Required("consent"), errs.Required("receiver.departmentCode")))
		got := w.browser("township").post(page, with(left, "version", "3"))
		for _, anchor := range []string{"form.presentIllness", "consent", "receiver.departmentCode", "sms.phone"} {
			if !strings.Contains(got.Body.String(), `href="#f-`+anchor+`"`) {
				t.Errorf("%s: %d, %s is not told", page, got.Code, anchor)
			}
		}
		if slices.ContainsFunc(called[*referralv1.CreateReferralRequest](w, createMethod), writes) || len(called[*referralv1.EditReferralRequest](w, editMethod)) > 0 {
			t.Errorf("%s: something was written", page)
		}
	}
}

func TestTheFormKnowsWhatTheRecordKnows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(summaryMethod, &patientrecordv1.Summary{
		Patient:     &patientrecordv1.Patient{Id: patientID, Name: markName},
		Problems:    []*patientrecordv1.Problem{{Text: "高血压"}, {Text: "高血压"}, {Text: "冠心病"}},
		Allergies:   []*patientrecordv1.Allergy{{Text: "青霉素"}, {Text: "无", Codes: []*commonv1.Coding{{System: "http://snomed.info/sct", Code: "716186003"}}}},
		Medications: []*patientrecordv1.Medication{{Text: "氨氯地平 5mg", Dosage: "每日一次，28 天"}, {Text: "氨氯地平 5mg", Dosage: "每日一次"}, {Text: "阿司匹林"}},
	})
	body := w.browser("township").get("/refer/" + patientID).Body.String()
	for _, words := range []string{">高血压；冠心病；allergic to 青霉素</textarea>", ">Takes: 氨氯地平 5mg 每日一次，28 天；阿司匹林</textarea>", `name="consent.givenBy" type="text" value="` + markName, `value="0773-8880001"`} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is missing", words)
		}
	}
	asks := w.as("village", commonv1.Role_VILLAGE_DOCTOR).get("/refer/" + patientID).Body.String()
	if !strings.Contains(asks, `value="ADVICE" checked`) || strings.Contains(body, `value="ADVICE" checked`) {
		t.Error("a village doctor's form does not begin with a question, or a township doctor's does")
	}
}
