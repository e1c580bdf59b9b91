package gateway_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

// followed is what the forms beyond the answer send, as pairs.
func followed(action string) []string {
	switch action {
	case "answer":
		return []string{"answer", "先查心肌酶谱"}
	case "begin_follow_up", "revise_plan":
		return []string{"plan.template", "CHD", "plan.condition", "CHD", "plan.rows", "3", "plan.due.0", "2026-04-09", "plan.mode.0", "HOME", "plan.items.0", "BP", "plan.goal", "血压达标"}
	case "record_visit":
		return []string{"visit", "2", "findings.result", "WORSE", "value.sbp", "１８２", "value.hba1c", "7,5", "findings.medicationTaking", "IRREGULAR", "findings.note", "头晕两天", "nextProposed", "2026-04-05", "nextDue", "2026-04-05"}
	case "complete":
		return []string{"outcomeCode", "IMPROVED"}
	case "depart":
		return []string{"transport", "AMBULANCE", "expectedArrival", "2026-03-02T11:20"}
	case "message":
		return []string{"text", "患者家属同意手术"}
	case "assess":
		return []string{"verdict", "TOO_LATE"}
	case "correct":
		return []string{"path", "form.present_illness", "after", "胸痛三小时，不是三天"}
	case "record_consent":
		return []string{"consent.method", "SIGNED", "consent.givenBy", "王小某", "consent.relation", "1"}
	case "convert":
		return []string{"kind", "INPATIENT"}
	}
	return nil
}

// lastly is the one call of a method.
func lastly[In proto.Message](t *testing.T, w *world, method string) In {
	t.Helper()
	all := called[In](w, method)
	if len(all) == 0 {
		t.Fatalf("%s was not called", method)
	}
	return all[len(all)-1]
}

func TestWhatTheFormsOfTheWholeLifeSendReachesTheService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	w.always(getMethod, sampleDown(referralv1.State_FOLLOW_UP))
	post := func(action string, form url.Values) string {
		t.Helper()
		method := "/tongzhen.referral.v1.ReferralService/" + map[string]string{
			"answer": "Answer", "begin_follow_up": "BeginFollowUp", "record_visit": "RecordVisit", "revise_plan": "RevisePlan", "complete": "Complete", "depart": "Depart",
			"message": "PostMessage", "assess": "Assess", "correct": "Correct", "record_consent": "RecordConsent", "convert": "Convert", "accept": "Accept", "redirect": "Redirect",
		}[action]
		if action != "message" {
			w.always(method, &referralv1.Referral{Id: bookingID})
		}
		got := b.post("/referrals/"+referralID+"/"+action, form)
		if got.Code != http.StatusSeeOther {
			t.Errorf("%s: %d %s", action, got.Code, got.Body)
		}
		return got.Header().Get("Location")
	}
	post("answer", sent("answer"))
	if got := lastly[*referralv1.AnswerRequest](t, w, referralv1.ReferralService_Answer_FullMethodName); got.GetAnswer() != "先查心肌酶谱" || got.GetVersion() != 3 {
		t.Errorf("%v", got)
	}
	post("begin_follow_up", with(sent("begin_follow_up"), "plan.rows", "4", "plan.due.1", "2026-03-09", "plan.mode.1", "PHONE", "plan.due.2", "2026-05-01", "plan.drop.2", "1", "familyDoctor", doctor().GetId()))
	want := &referralv1.FollowUpPlan{Template: "CHD", Condition: "CHD", Goal: "血压达标", Visits: []*referralv1.PlannedVisit{
		{Due: "2026-03-09", Mode: "PHONE"}, {Due: "2026-04-09", Mode: "HOME", Items: []string{"BP"}},
	}}
	if got := lastly[*referralv1.BeginFollowUpRequest](t, w, referralv1.ReferralService_BeginFollowUp_FullMethodName); !proto.Equal(got.GetPlan(), want) || got.GetFamilyDoctor() != doctor().GetId() {
		t.Errorf("%v", got)
	}
	post("revise_plan", sent("revise_plan"))
	if got := lastly[*referralv1.RevisePlanRequest](t, w, referralv1.ReferralService_RevisePlan_FullMethodName); len(got.GetPlan().GetVisits()) != 1 {
		t.Errorf("%v", got)
	}
	post("complete", sent("complete"))
	if got := lastly[*referralv1.CompleteRequest](t, w, referralv1.ReferralService_Complete_FullMethodName); got.GetOutcomeCode() != "IMPROVED" || got.GetNote() == "" {
		t.Errorf("%v", got)
	}
	post("depart", sent("depart"))
	if got := lastly[*referralv1.DepartRequest](t, w, referralv1.ReferralService_Depart_FullMethodName); got.GetTransport() != "AMBULANCE" || !got.GetExpectedArrival().AsTime().Equal(time.Date(2026, 3, 2, 3, 20, 0, 0, time.UTC)) {
		t.Errorf("%v", got)
	}
	if to := post("message", sent("message")); to != "/referrals/"+referralID+"#thread" {
		t.Error(to)
	}
	if got := lastly[*referralv1.PostMessageRequest](t, w, messageMethod); got.GetText() != "患者家属同意手术" || got.GetRequestId() == "" {
		t.Errorf("%v", got)
	}
	post("assess", sent("assess"))
	if got := lastly[*referralv1.AssessRequest](t, w, referralv1.ReferralService_Assess_FullMethodName); got.GetVerdict() != "TOO_LATE" {
		t.Errorf("%v", got)
	}
	post("record_consent", sent("record_consent"))
	if got := lastly[*referralv1.RecordConsentRequest](t, w, referralv1.ReferralService_RecordConsent_FullMethodName).GetConsent(); got.GetGivenBy() != "王小某" || got.GetRelation() != "1" {
		t.Errorf("%v", got)
	}
	if to := post("convert", sent("convert")); to != "/referrals/"+bookingID+"/edit" {
		t.Error(to)
	}
	post("accept", with(sent("accept"), "choice", "days", "date", "2026-03-02", "until", "2026-03-09"))
	if got := lastly[*referralv1.AcceptRequest](t, w, acceptMethod).GetWalkIn(); !got.GetFrom().AsTime().Equal(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)) || !got.GetTo().AsTime().Equal(time.Date(2026, 3, 9, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("%v", got)
	}
	post("redirect", with(sent("redirect"), "receiver", townshipID+"|"))
	if got := lastly[*referralv1.RedirectRequest](t, w, referralv1.ReferralService_Redirect_FullMethodName).GetReceiver(); got.GetOrganizationId() != townshipID || got.GetDepartmentCode() != "" {
		t.Errorf("%v", got)
	}
}

func TestAVisitSendsNumbersWithTheirUnitsAndMovesThePlanOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	w.always(getMethod, sampleDown(referralv1.State_FOLLOW_UP))
	b.post("/referrals/"+referralID+"/record_visit", sent("record_visit"))
	got := lastly[*referralv1.RecordVisitRequest](t, w, visitMethod)
	want := &referralv1.Findings{Result: "WORSE", MedicationTaking: "IRREGULAR", Note: "头晕两天", Values: []*referralv1.Measured{
		{Name: "sbp", Number: 182, Unit: "mm[Hg]"}, {Name: "hba1c", Number: 7.5, Unit: "%"},
	}}
	if !proto.Equal(got.GetFindings(), want) || got.GetVisit() != 2 || got.GetPlan() != nil {
		t.Errorf("%v", got)
	}
	b.post("/referrals/"+referralID+"/record_visit", with(sent("record_visit"), "nextDue", "2026-03-16"))
	got = lastly[*referralv1.RecordVisitRequest](t, w, visitMethod)
	if rest := got.GetPlan().GetVisits(); len(rest) != 1 || rest[0].GetDue() != "2026-03-16" || rest[0].GetMode() != "HOME" || got.GetPlan().GetCondition() != "CHD" {
		t.Errorf("%v", got.GetPlan())
	}
	b.post("/referrals/"+referralID+"/record_visit", with(sent("record_visit"), "visit", "0", "nextDue", "2026-03-08"))
	rest := lastly[*referralv1.RecordVisitRequest](t, w, visitMethod).GetPlan().GetVisits()
	if len(rest) != 2 || rest[0].GetDue() != "2026-03-08" || rest[1].GetDue() != "2026-04-08" {
		t.Errorf("the visits behind are not as far away as they were: %v", rest)
	}
	last := sampleDown(referralv1.State_FOLLOW_UP)
	last.Plan.Visits = last.GetPlan().GetVisits()[:2]
	w.always(getMethod, last)
	b.post("/referrals/"+referralID+"/record_visit", with(sent("record_visit"), "nextProposed", "", "nextDue", "2026-05-05"))
	rest = lastly[*referralv1.RecordVisitRequest](t, w, visitMethod).GetPlan().GetVisits()
	if len(rest) != 1 || rest[0].GetMode() != "CLINIC" || !slices.Equal(rest[0].GetItems(), []string{"BP", "MEDICATION"}) {
		t.Errorf("one more of the same kind was asked for: %v", rest)
	}
}

func TestACorrectionNamesItsFieldAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	method := referralv1.ReferralService_Correct_FullMethodName
	w.always(method, sampleReferral(referralv1.State_CLOSED))
	correct := func(pairs ...string) *referralv1.CorrectRequest {
		t.Helper()
		b.post("/referrals/"+referralID+"/correct", with(sent("correct"), pairs...))
		return lastly[*referralv1.CorrectRequest](t, w, method)
	}
	got := correct()
	if !slices.Equal(got.GetUpdateMask().GetPaths(), []string{"form.present_illness"}) || got.GetReferral().GetForm().GetPresentIllness() != "胸痛三小时，不是三天" || got.GetReasonCode() != "NO_BED" {
		t.Errorf("%v", got)
	}
	if got = correct("path", "reply.next_steps"); got.GetReferral().GetReply().GetNextSteps() == "" || got.GetReferral().GetForm().GetPresentIllness() != "" {
		t.Errorf("%v", got)
	}
	if got = correct("path", "outcome_code", "outcomeCode", "CURED"); got.GetReferral().GetOutcomeCode() != "CURED" {
		t.Errorf("%v", got)
	}
	if got = correct("path", "diagnoses", "diagnosis", "I10|高血压"); !proto.Equal(got.GetReferral().GetDiagnoses()[0], &commonv1.Coding{Code: "I10", Display: "高血压"}) {
		t.Errorf("%v", got)
	}
	before := len(called[*referralv1.CorrectRequest](w, method))
	if answer := b.post("/referrals/"+referralID+"/correct", with(sent("correct"), "path", "patient.name")); answer.Code != 400 || len(called[*referralv1.CorrectRequest](w, method)) != before {
		t.Errorf("a field that cannot be corrected: %d", answer.Code)
	}
}

func TestAWrongLineOrNumberIsExplainedBesideItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	w.always(getMethod, sampleDown(referralv1.State_FOLLOW_UP))
	w.always(actionsMethod, actionsOf("record_visit", "revise_plan"))
	explained := func(action, where string, form url.Values) {
		t.Helper()
		body := b.post("/referrals/"+referralID+"/"+action, form).Body.String()
		i := strings.Index(body, where)
		if i < 0 {
			t.Fatalf("%s is not there", where)
		}
		if near := body[max(0, i-300) : i+300]; !strings.Contains(near, `class="error"`) {
			t.Errorf("%s: nothing is said beside it: %s", where, near)
		}
		for _, problem := range htmlcheck.Page(body) {
			t.Error(problem)
		}
	}
	w.refuse(referralv1.ReferralService_RevisePlan_FullMethodName, errs.Invalid(errs.Bad("plan.visits[1].due", errs.ReasonFieldCombination)))
	explained("revise_plan", `type="date" name="plan.due.1"`, with(sent("revise_plan"), "plan.due.1", "2026-04-09"))
	w.refuse(visitMethod, errs.Invalid(errs.Bad("findings.values[1].number", errs.ReasonFieldOutOfRange)))
	explained("record_visit", `name="value.hba1c"`, sent("record_visit"))
	explained("record_visit", `name="value.sbp"`, with(sent("record_visit"), "value.sbp", "many"))
	if body := b.post("/referrals/"+referralID+"/record_visit", with(sent("record_visit"), "value.sbp", "many")).Body.String(); !strings.Contains(body, "“Systolic pressure” is not right") {
		t.Error("the number is not called by its name")
	}
	w.refuse(visitMethod, errs.Invalid(errs.Bad("findings.values[0].number", errs.ReasonFieldOutOfRange, "cause", "RANGE", "min", "40", "max", "300", "unit", "mm[Hg]")))
	if body := b.post("/referrals/"+referralID+"/record_visit", sent("record_visit")).Body.String(); !strings.Contains(body, "should be between 40 and 300 mmHg") {
		t.Error("the range is not told")
	}
}

func TestATakenDecisionIsToldAndCanBeRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	history := &referralv1.ListHistoryResponse{History: []*referralv1.HistoryRow{
		{Kind: "TRANSITION", Action: "submit", Version: 3, Actor: &commonv1.Actor{Name: "李医生"}, Time: in(-time.Hour)},
		{Kind: "TRANSITION", Action: "redirect", Version: 4, Actor: &commonv1.Actor{Name: "吴护士", OrganizationId: hospitalID}, Time: in(-time.Minute)},
	}}
	w.always(historyMethod, history)
	now := sampleReferral(referralv1.State_SUBMITTED)
	now.Version = 4
	w.always(getMethod, now)
	w.always(actionsMethod, actionsOf("return"))
	w.refuse(referralv1.ReferralService_Return_FullMethodName, errs.Stale(4, "SUBMITTED"))
	body := b.post("/referrals/"+referralID+"/return", sent("return")).Body.String()
	_, since, _ := strings.Cut(body, "What changed meanwhile")
	since, _, _ = strings.Cut(since, "</ul>")
	if !strings.Contains(since, "吴护士") || !strings.Contains(since, "Redirected") || strings.Contains(since, "李医生") {
		t.Errorf("%s", since)
	}
	if !strings.Contains(body, "说明文字</textarea>") || hidden(t, body, "version") != "4" || !strings.Contains(body, "check it and send it again") {
		t.Error("it cannot be repeated on what stands now")
	}
	w.always(actionsMethod, actionsOf())
	body = b.post("/referrals/"+referralID+"/return", sent("return")).Body.String()
	if !strings.Contains(body, "cannot be done any more") || !strings.Contains(body, "说明文字") {
		t.Error("what was typed is lost with its form")
	}
}

func TestALostAnswerIsAskedForAgainWithTheSameVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(actionsMethod, actionsOf("answer"))
	later := sampleReferral(referralv1.State_SUBMITTED)
	later.Version = 9
	w.always(getMethod, later)
	w.refuse(referralv1.ReferralService_Answer_FullMethodName, errs.Unavailable("referral", nil))
	body := w.browser("desk").post("/referrals/"+referralID+"/answer", sent("answer")).Body.String()
	if hidden(t, body, "version") != "3" || hidden(t, body, "requestId") != sent("answer").Get("requestId") {
		t.Error("the same request would be another one")
	}
}

func typedEscalation() url.Values {
	v := form("version", "3", "requestId", "0192f0c1-0000-7000-8000-0000000000d1", "kind", "INPATIENT", "urgency", "URGENT", "receiver", hospitalID+"|0304",
		"form.initialImpression", "心衰加重", "form.presentIllness", "夜间不能平卧", "form.treatment", "利尿", "originatorPhone", "0773-1",
		"consent.method", "SIGNED", "consent.givenBy", "王某", "consent.relation", "5")
	v["diagnosis"] = []string{"I50|心力衰竭", ""}
	return v
}

func TestSendingUpAgainStartsFromWhatTheLastVisitFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	w.always(getMethod, sampleDown(referralv1.State_FOLLOW_UP))
	body := b.get("/referrals/" + referralID + "/escalate").Body.String()
	for _, words := range []string{"Visit of 2026-02-20: Worse; Systolic pressure 182 mmHg; Diastolic pressure 110 mmHg", `value="` + hospitalID + `|0304" selected`, `value="I10|原发性高血压"`, "for good"} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is missing", words)
		}
	}
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	if got := b.post("/referrals/"+referralID+"/escalate", typedEscalation()); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/referrals/"+bookingID {
		t.Error(got.Code, got.Header())
	}
	sent := lastly[*referralv1.EscalateRequest](t, w, escalateMethod)
	if up := sent.GetReferral(); sent.GetVersion() != 3 || up.GetKind() != commonv1.Kind_INPATIENT || up.GetReceiver().GetDepartmentCode() != "0304" || len(up.GetDiagnoses()) != 1 || up.GetConsent().GetGivenBy() != "王某" {
		t.Errorf("%v", sent)
	}
	emergency := with(typedEscalation(), "kind", "EMERGENCY", "consent.method", "", "consent.deferredReason", "抢救中")
	b.post("/referrals/"+referralID+"/escalate", emergency)
	if up := lastly[*referralv1.EscalateRequest](t, w, escalateMethod).GetReferral(); up.GetUrgency() != commonv1.Urgency_EMERGENCY || up.GetConsent().GetDeferredReason() != "抢救中" {
		t.Errorf("%v", up)
	}
}

func TestARefusedEscalationKeepsEverything(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		shows string
		again bool
	}{
		"fields": {errs.Invalid(errs.Required("referral.form.presentIllness"), errs.Required("receiver.departmentCode"), errs.Bad("diagnoses[0].code", errs.ReasonFieldInvalid)), `href="#f-form.presentIllness"`, false},
		"stale":  {errs.Stale(4, "FOLLOW_UP"), "What changed meanwhile", false},
		"away":   {errs.Unavailable("referral", nil), "cannot be reached", true},
	} {
		w := newWorld(t)
		w.always(getMethod, sampleDown(referralv1.State_FOLLOW_UP))
		w.refuse(escalateMethod, c.err)
		w.always(historyMethod, &referralv1.ListHistoryResponse{History: []*referralv1.HistoryRow{{Kind: "TRANSITION", Action: "record_visit", Version: 4, Time: in(0)}}})
		got := w.browser("township").post("/referrals/"+referralID+"/escalate", typedEscalation())
		body := got.Body.String()
		if got.Code != errs.HTTPStatus(c.err) || !strings.Contains(body, `data-refused="1"`) {
			t.Errorf("%s: %d", name, got.Code)
		}
		if !strings.Contains(body, c.shows) {
			t.Errorf("%s: %q is not said", name, c.shows)
		}
		keeps(t, body, typedEscalation(), "requestId")
		if same := hidden(t, body, "requestId") == typedEscalation().Get("requestId"); same != c.again {
			t.Errorf("%s: the same request id: %v", name, same)
		}
		for _, problem := range htmlcheck.Page(body) {
			t.Errorf("%s: %s", name, problem)
		}
	}
}

func TestADownReferralIsToldInTheWordsOfTheCentre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(getMethod, sampleDown(referralv1.State_SUBMITTED))
	b := w.browser("township")
	if body := b.get("/referrals/" + referralID).Body.String(); !strings.Contains(body, ">Waiting for the centre</span>") || strings.Contains(body, "Waiting for an answer") {
		t.Error("it waits as an up-referral does")
	}
	w.always(getMethod, sampleReferral(referralv1.State_SUBMITTED))
	if body := b.get("/referrals/" + referralID).Body.String(); !strings.Contains(body, ">Waiting for an answer</span>") {
		t.Error("an up-referral waits otherwise")
	}
}

func TestNobodyIsSentBackFromAnAdvice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	answered := sampleReferral(referralv1.State_CONCLUDED)
	w.always(getMethod, answered)
	if !strings.Contains(b.get("/referrals/"+referralID).Body.String(), `href="/down/`) {
		t.Error("the patient cannot be sent back")
	}
	advice := sampleReferral(referralv1.State_CONCLUDED)
	advice.Kind = commonv1.Kind_ADVICE
	w.always(getMethod, advice)
	if strings.Contains(b.get("/referrals/"+referralID).Body.String(), `href="/down/`) {
		t.Error("who never came is sent back")
	}
}
