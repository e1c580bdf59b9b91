package gateway_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

const (
	editMethod   = referralv1.ReferralService_EditReferral_FullMethodName
	submitMethod = referralv1.ReferralService_Submit_FullMethodName
	answersUp    = "/down/" + patientID + "?reply_to=" + referralID
)

// typedDown is a filled form with something in every field; the second medicine is the one that the centre lacks.
func typedDown() url.Values {
	v := form("requestId", "0192f0c1-0000-7000-8000-0000000000d1", "kind", "CHRONIC", "urgency", "URGENT", "organization", townshipID,
		"form.diagnosis", "冠心病稳定期", "form.inpatientNumber", "ZY20260301", "form.examinationResults", "造影见狭窄", "form.treatment", "支架一枚",
		"form.nextPlan", "双抗一年", "form.rehabilitationAdvice", "每日步行", "plan.template", "CHD_STABLE", "plan.applied", "CHD_STABLE", "plan.condition", "CHD",
		"plan.goal", "血压达标", "consent.method", "SIGNED", "consent.givenBy", "王某", "consent.relation", "5", "transferNote", "行走不便", "transport", "OWN",
		"originatorPhone", "0773-2", "do", "send")
	v["diagnosis"] = []string{"I25.1|冠状动脉粥样硬化性心脏病", ""}
	v["medicine.name"] = []string{"阿司匹林肠溶片", "", "替格瑞洛片"}
	v["medicine.specification"] = []string{"100mg×30", "", "90mg×14"}
	v["medicine.dosage"] = []string{"每日一片", "", "每日两次"}
	v["medicine.days"] = []string{"28", "", "84"}
	v["medicine.decision"] = []string{"", "", "COUNTY_DISPENSES"}
	v["medicine.substitute"] = []string{"", "", "氯吡格雷片"}
	v["medicine.decisionNote"] = []string{"", "", "带足两个月"}
	v["visit.key"] = []string{"0", "4", "7"}
	v["visit.due"] = []string{"2026-04-20", "2026-03-16", ""}
	v["visit.mode"] = []string{"HOME", "PHONE", "CLINIC"}
	v["visit.items.0"], v["visit.items.4"] = []string{"BP", "LIPIDS"}, []string{"MEDICATION"}
	return v
}

// downAnswer is a down-referral in a state that answers the sample.
func downAnswer(state referralv1.State_Code) *referralv1.Referral {
	r := sampleDown(state)
	r.Id, r.ReplyTo, r.FamilyDoctor = downID, referralID, doctor().GetId()
	return r
}

func (w *world) concluded() {
	up := sampleReferral(referralv1.State_CONCLUDED)
	up.Reply.Medications = []*referralv1.ReplyMedication{{Name: "阿司匹林", Specification: "100mg", Dosage: "每日一片"}, {Name: "替格瑞洛"}}
	on(w, getMethod, func(_ context.Context, in *referralv1.GetReferralRequest) (*referralv1.Referral, error) {
		if in.GetId() == downID {
			return downAnswer(referralv1.State_DRAFT), nil
		}
		return up, nil
	})
}

func TestADownReferralIsFilledFromTheReply(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.concluded()
	body := w.browser("desk").get(answersUp).Body.String()
	for what, words := range map[string]string{
		"the reply": ">" + markText + "</textarea>", "a medicine of the reply": `name="medicine.name" value="阿司匹林"`, "its specification": `value="100mg"`,
		"the centre that sent": `<option value="` + townshipID + `" selected>`, "the diagnosis": `name="diagnosis" value="I10|原发性高血压"`,
		"the template that suits": `<option value="CHD_STABLE" selected>`, "its first visit": `name="visit.due" value="2026-03-16"`, "what the centre offers": "rehabilitation, traditional",
		"the number of the up-referral": "450321-26-0000123-4", "the criteria": "systolic 180 or more", "how certain": "original text",
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	asked := called[*referralv1.CheckMedicinesRequest](w, medicinesMethod)
	if len(asked) != 1 || asked[0].GetOrganizationId() != townshipID || len(asked[0].GetMedicines()) != 2 {
		t.Errorf("%v", asked)
	}
}

func TestWithoutMedicinesInTheReplyThoseOfTheRecordAreProposed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	up := sampleReferral(referralv1.State_CONCLUDED)
	up.Reply.Medications = nil
	w.always(getMethod, up)
	if body := w.browser("desk").get(answersUp).Body.String(); !strings.Contains(body, `name="medicine.name" value="氨氯地平"`) || !strings.Contains(body, `name="medicine.specification" value="5mg"`) {
		t.Error("the record's medicine is not proposed, its name apart from its specification")
	}
}

func TestAnotherPatientsReferralIsNotAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := sampleReferral(referralv1.State_CONCLUDED)
	other.PatientId = slotID
	w.always(getMethod, other)
	for _, query := range []string{"reply_to", "draft"} {
		if got := w.browser("desk").get("/down/" + patientID + "?" + query + "=" + referralID); got.Code != http.StatusNotFound {
			t.Errorf("%s: %d", query, got.Code)
		}
	}
}

func TestWhatTheDownFormSendsReachesTheService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.concluded()
	b := w.browser("desk")
	for range 2 { // a double click
		if got := b.post(answersUp, typedDown()); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/referrals/"+referralID {
			t.Fatal(got.Code, got.Body)
		}
	}
	made := called[*referralv1.CreateReferralRequest](w, createMethod)
	if len(made) != 2 || !proto.Equal(made[0], made[1]) {
		t.Fatalf("a double click is not the same request: %v", made)
	}
	got := made[0]
	if !got.GetSubmit() || got.GetReplyTo() != referralID || got.GetDirection() != commonv1.Direction_DOWN || got.GetKind() != commonv1.Kind_CHRONIC || got.GetReceiver().GetOrganizationId() != townshipID {
		t.Errorf("%v", got)
	}
	if f := got.GetForm(); f.GetTreatment() != "支架一枚" || f.GetNextPlan() != "双抗一年" || f.GetRehabilitationAdvice() != "每日步行" || f.GetInpatientNumber() != "ZY20260301" {
		t.Errorf("%v", f)
	}
	if m := got.GetMedicines(); len(m) != 2 || m[0].GetDays() != 28 || m[1].GetName() != "替格瑞洛片" || m[1].GetDecision() != "COUNTY_DISPENSES" || m[1].GetDecisionNote() != "带足两个月" {
		t.Errorf("%v", m)
	}
	visits := got.GetPlan().GetVisits()
	if len(visits) != 2 || visits[0].GetDue() != "2026-03-16" || visits[0].GetMode() != "PHONE" || !slices.Equal(visits[1].GetItems(), []string{"BP", "LIPIDS"}) {
		t.Errorf("the soonest visit is not first, with its own items: %v", visits)
	}
	if got.GetPlan().GetCondition() != "CHD" || got.GetPlan().GetTemplate() != "CHD_STABLE" {
		t.Errorf("%v", got.GetPlan())
	}
}

func TestAMissingMedicineWithoutADecisionIsShownAtItsRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.concluded()
	typed := typedDown()
	typed["medicine.decision"] = []string{"", "", ""}
	w.refuse(createMethod, errs.Invalid(errs.Required("medicines[1].decision")))
	got := w.browser("desk").post(answersUp, typed)
	body := got.Body.String()
	if got.Code != http.StatusBadRequest {
		t.Fatal(got.Code)
	}
	for _, words := range []string{
		`<a href="#f-medicines.1.decision">替格瑞洛片 (medicine 2): Please fill in “what to do about a missing medicine”</a>`,
		`<td class="wrong"><p class="error">替格瑞洛片 (medicine 2): Please`, "✗ missing", "Decide before sending", "Over 4 weeks", "No long prescription of this class",
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is not said", words)
		}
	}
	if at, row := strings.Index(body, `<p class="error">替格瑞洛片 (medicine 2)`), strings.Index(body, `value="替格瑞洛片"`); at < 0 || at > row || strings.Count(body[at:row], "<tr") != 0 {
		t.Error("the error is not in the row of its medicine")
	}
	keeps(t, body, typed, "requestId", "do", "visit.key")
	if hidden(t, body, "requestId") == typed.Get("requestId") {
		t.Error("the corrected form is the same request")
	}
}

func TestEachMedicineIsHeldAgainstTheCentreWhileItIsTyped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	typed := typedDown()
	typed["medicine.decision"] = []string{"", "", ""}
	body := b.post("/down/"+patientID+"/medicines", typed, "X-Fragment", "1").Body.String()
	first, second, _ := strings.Cut(body, `value="替格瑞洛片"`)
	if !strings.Contains(first, "✓ in stock") || strings.Contains(first, "<select") || !strings.Contains(second, "✗ missing") || strings.Count(second, "<select") != 1 {
		t.Error("a decision is asked about what is there, or not about what is missing")
	}
	// Every line sends every field, so that they stay together.
	for _, name := range []string{"name", "specification", "dosage", "days", "decision", "substitute", "decisionNote"} {
		if n := strings.Count(body, ` name="medicine.`+name+`"`); n != 5 {
			t.Errorf("%s is there %d times in 5 lines", name, n)
		}
	}
	b.post("/down/"+patientID+"/medicines", with(typed, "organization", ""), "X-Fragment", "1")
	if asked := called[*referralv1.CheckMedicinesRequest](w, medicinesMethod); len(asked) != 1 || asked[0].GetMedicines()[1].GetDays() != 84 {
		t.Errorf("%v", asked)
	}
}

func TestDaysInWordsAreNotSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.concluded()
	typed := typedDown()
	typed["medicine.days"] = []string{"四周", "", "84"}
	body := w.browser("desk").post(answersUp, typed).Body.String()
	if !strings.Contains(body, `href="#f-medicines.0.days"`) || !strings.Contains(body, `value="四周"`) ||
		slices.ContainsFunc(called[*referralv1.CreateReferralRequest](w, createMethod), func(in *referralv1.CreateReferralRequest) bool { return !in.GetValidateOnly() }) {
		t.Error("days in words are sent, or lost")
	}
}

func TestARefusedDownReferralKeepsEverything(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		status int
		shows  string
		again  bool // the same request id
	}{
		"fields":    {errs.Invalid(errs.Required("form.nextPlan"), errs.Required("kind"), errs.Bad("diagnoses[0].code", errs.ReasonFieldInvalid)), 400, `href="#f-form.nextPlan"`, false},
		"a visit":   {errs.Invalid(errs.Bad("plan.visits[1].due", errs.ReasonFieldOutOfRange)), 400, `href="#f-plan.visits.1.due">Visit 2: `, false},
		"the plan":  {errs.Invalid(errs.Required("plan.condition")), 400, `href="#f-plan"`, false},
		"a value":   {errs.Invalid(errs.Bad("values[0].number", errs.ReasonFieldOutOfRange)), 400, `href="#f-values"`, false},
		"duplicate": {errs.Conflict(errs.ReasonOpenReferralExists, "x").With("referralId", downID).With("number", "450321-26-0000125-1"), 409, `href="/referrals/` + downID + `"`, false},
		"away":      {errs.Unavailable("referral", nil), 503, "A service cannot be reached", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.concluded()
			w.refuse(createMethod, c.err)
			typed := with(typedDown(), "value.egfr", "33", "finding.not", "chest_pain")
			got := w.browser("desk").post(answersUp, typed)
			body := got.Body.String()
			if got.Code != c.status || !strings.Contains(body, c.shows) || !strings.Contains(body, `data-refused="1"`) || !strings.Contains(body, `action="/down/`+patientID+`?reply_to=`+referralID+`"`) {
				t.Errorf("%d %s", got.Code, body)
			}
			keeps(t, body, typed, "requestId", "do", "visit.key")
			if !strings.Contains(body, `name="visit.items.1" value="LIPIDS" checked`) {
				t.Error("what is looked at in a visit is lost")
			}
			if same := hidden(t, body, "requestId") == typed.Get("requestId"); same != c.again {
				t.Errorf("the same request id: %v", same)
			}
			for _, problem := range htmlcheck.Page(body) {
				t.Error(problem)
			}
		})
	}
}

func TestEveryRefusedFieldOfADownReferralIsLinkedAndExplainedInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.concluded()
	for _, name := range strings.Fields(`kind urgency receiver.organizationId diagnoses form.diagnosis form.inpatientNumber form.examinationResults form.treatment
		form.nextPlan form.rehabilitationAdvice medicines medicines[0].name medicines[1].specification medicines[1].dosage medicines[1].days medicines[1].decision
		medicines[1].substitute medicines[1].decisionNote plan plan.template plan.goal plan.visits[0].due plan.visits[1].mode plan.visits[1].items[0] values[2].number
		consent consent.givenBy consent.relation consent.method transport transferNote originatorPhone`) {
		w.refuse(createMethod, errs.Invalid(errs.Bad(name, errs.ReasonFieldInvalid)))
		body := w.browser("desk").post(answersUp, typedDown()).Body.String()
		for _, problem := range htmlcheck.Page(body) {
			t.Errorf("%s: %s", name, problem)
		}
		if n := strings.Count(body, "is not right"); n != 2 {
			t.Errorf("%s is explained %d times, not on top and in place", name, n)
		}
	}
}

func TestADraftGoesOnAndIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.concluded()
	b := w.browser("desk")
	const page = "/down/" + patientID + "?draft=" + downID
	if got := b.get("/referrals/" + downID + "/edit"); got.Code != http.StatusSeeOther || got.Header().Get("Location") != page {
		t.Errorf("the form for sending up is shown for a down-referral: %d", got.Code)
	}
	body := b.get(page).Body.String()
	for _, words := range []string{`name="version" value="3"`, `value="CHRONIC" checked`, `value="2026-04-05"`, `value="COUNTY_DISPENSES" selected`, "family doctor is named already", `value="28"`} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is not in the form", words)
		}
	}
	w.always(editMethod, downAnswer(referralv1.State_DRAFT))
	w.always(submitMethod, downAnswer(referralv1.State_SUBMITTED))
	if got := b.post(page, with(typedDown(), "version", "3")); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/referrals/"+downID {
		t.Fatal(got.Code, got.Body)
	}
	edited, sent := called[*referralv1.EditReferralRequest](w, editMethod), called[*referralv1.SubmitRequest](w, submitMethod)
	if len(edited) != 1 || len(sent) != 1 || edited[0].GetVersion() != 3 || sent[0].GetId() != downID {
		t.Fatalf("%v %v", edited, sent)
	}
	if paths := edited[0].GetUpdateMask().GetPaths(); !slices.Contains(paths, "medicines") || !slices.Contains(paths, "plan") || edited[0].GetReferral().GetReplyTo() != referralID {
		t.Errorf("%v", edited[0])
	}
	returned := downAnswer(referralv1.State_RETURNED)
	w.always(getMethod, returned)
	returned.ReplyTo = ""
	if body := b.get(page).Body.String(); !strings.Contains(body, "The township centre asks for more") || !strings.Contains(body, "Another reason") {
		t.Error("it is not said why it came back")
	}
	w.always(editMethod, returned)
	w.always(referralv1.ReferralService_Resubmit_FullMethodName, returned)
	if got := b.post(page, with(typedDown(), "version", "3")); got.Code != http.StatusSeeOther {
		t.Error(got.Code)
	}
	if again := called[*referralv1.ActionRequest](w, referralv1.ReferralService_Resubmit_FullMethodName); len(again) != 1 {
		t.Errorf("%v", again)
	}
}

// What a candidate was made into and nobody has written on is a new one; what somebody kept is changed.
func TestADraftOfACandidateIsTitledAsANewOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	draft := downAnswer(referralv1.State_DRAFT)
	draft.ReplyTo = ""
	w.always(getMethod, draft)
	for version, title := range map[int32]string{1: "Refer down", 2: "Change the down-referral"} {
		draft.Version = version
		shows(t, w.browser("desk").get("/down/"+patientID+"?draft="+downID).Body.String(), "</span> "+title)
	}
}

func TestAnotherTemplateLaysOutItsVisits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.concluded()
	b := w.browser("desk")
	other := with(typedDown(), "plan.template", "HYPERTENSION")
	for what, body := range map[string]string{
		"live": b.post("/down/"+patientID+"/plan?reply_to="+referralID, other, "X-Fragment", "1").Body.String(), "without scripts": b.post(answersUp, with(other, "do", "plan")).Body.String(),
	} {
		if !strings.Contains(body, `value="2026-03-09"`) || strings.Contains(body, `value="2026-04-20"`) || !strings.Contains(body, `name="plan.condition" value="HYPERTENSION"`) {
			t.Errorf("%s: the template is not laid out", what)
		}
	}
	same := b.post("/down/"+patientID+"/plan?reply_to="+referralID, typedDown(), "X-Fragment", "1").Body.String()
	if !strings.Contains(same, `value="2026-04-20"`) {
		t.Error("edited visits are lost without another template")
	}
}

func TestTheDownFormStandsWithoutItsPeers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.concluded()
	for _, method := range []string{medicinesMethod, templatesMethod, evaluateMethod} {
		w.refuse(method, errs.Unavailable("referral", nil))
	}
	got := w.browser("desk").get(answersUp)
	body := got.Body.String()
	if got.Code != http.StatusOK {
		t.Fatal(got.Code)
	}
	for _, words := range []string{"stock cannot be looked up", "templates cannot be read", "criteria cannot be looked up"} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is not said", words)
		}
	}
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
}
