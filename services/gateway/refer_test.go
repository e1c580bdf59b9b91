package gateway_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

func typedReferral() url.Values {
	v := form("requestId", "0192f0c1-0000-7000-8000-0000000000b2", "holdKey", "0192f0c1-0000-7000-8000-0000000000b3", "kind", "OUTPATIENT", "urgency", "URGENT", "organization", hospitalID, "department", "0304",
		"slot", slotID, "form.initialImpression", "心绞痛？", "form.presentIllness", "胸闷三天", "form.pastHistory", "高血压", "form.treatment", "硝酸甘油",
		"consent.method", "SIGNED", "consent.givenBy", "王某", "consent.relation", "5", "transferNote", "行走不便", "transport", "ESCORTED", "originatorPhone", "0773-1", "anyway", hospitalID, "do", "send")
	v["diagnosis"] = []string{"I20.0|不稳定性心绞痛", "I10|原发性高血压", ""}
	return v
}

func TestARefusedReferralKeepsEverything(t *testing.T) {
	t.Parallel()
	const sameID, newID = true, false
	for name, c := range map[string]struct {
		method  string
		err     error
		status  int
		shows   string
		again   bool // the same request id
		holding bool // the same hold
		but     []string
	}{
		"fields":    {createMethod, errs.Invalid(errs.Required("form.presentIllness"), errs.Bad("diagnoses[1].code", errs.ReasonFieldInvalid), errs.Required("consent.method")), 400, `href="#f-form.presentIllness"`, newID, true, nil},
		"duplicate": {createMethod, errs.Conflict(errs.ReasonOpenReferralExists, "x").With("referralId", referralID).With("number", "450321-26-0000123-4"), 409, `href="/referrals/` + referralID + `"`, newID, true, nil},
		"slot":      {holdMethod, errs.Conflict(errs.ReasonSlotTaken, "x"), 409, `href="#f-slot"`, newID, false, []string{"slot"}},
		"away":      {createMethod, errs.Unavailable("referral", nil), 503, "A service cannot be reached", sameID, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.refuse(c.method, c.err)
			got := w.browser("township").post("/refer/"+patientID, typedReferral())
			body := got.Body.String()
			if got.Code != c.status || !strings.Contains(body, c.shows) || !strings.Contains(body, `data-refused="1"`) {
				t.Errorf("%d %s", got.Code, body)
			}
			keeps(t, body, typedReferral(), append(c.but, "requestId", "holdKey", "do")...)
			if same := hidden(t, body, "requestId") == typedReferral().Get("requestId"); same != c.again {
				t.Errorf("the same request id: %v", same)
			}
			if same := hidden(t, body, "holdKey") == typedReferral().Get("holdKey"); same != c.holding {
				t.Errorf("the same hold: %v", same)
			}
			for _, problem := range htmlcheck.Page(body) {
				t.Error(problem)
			}
		})
	}
}

// Every field that the referral service can refuse in this form, by what its domain names.
func TestEveryRefusedFieldIsLinkedAndExplainedInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := strings.Fields(`kind urgency receiver.organizationId receiver.departmentCode diagnoses form.initialImpression form.presentIllness form.pastHistory
		form.treatment consent consent.givenBy consent.relation consent.method consent.deferredReason transport transferNote originatorPhone`)
	for _, name := range names {
		w.refuse(createMethod, errs.Invalid(errs.Bad(name, errs.ReasonFieldInvalid)))
		body := w.browser("township").post("/refer/"+patientID, typedReferral()).Body.String()
		for _, problem := range htmlcheck.Page(body) {
			t.Errorf("%s: %s", name, problem)
		}
		if n := strings.Count(body, "is not right"); n != 2 {
			t.Errorf("%s is explained %d times, not on top and in place", name, n)
		}
	}
	for _, name := range strings.Fields("name sex birthDate documentType identityNumber noDocumentReason phone address village guardianName guardianPhone") {
		w.refuse(registerMethod, errs.Invalid(errs.Bad(name, errs.ReasonFieldInvalid)))
		body := w.browser("township").post("/patients/new", typedPatient()).Body.String()
		for _, problem := range htmlcheck.Page(body) {
			t.Errorf("%s: %s", name, problem)
		}
		if n := strings.Count(body, "is not right"); n != 2 {
			t.Errorf("%s is explained %d times, not on top and in place", name, n)
		}
	}
}

func TestTheErrorsOnTopStandInTheOrderOfTheForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(createMethod, errs.Invalid(errs.Required("consent.method"), errs.Required("receiver.departmentCode"), errs.Required("form.presentIllness"), errs.Required("diagnoses"), errs.Required("urgency")))
	body := w.browser("township").post("/refer/"+patientID, typedReferral()).Body.String()
	at := 0
	for _, name := range strings.Fields("urgency diagnoses form.presentIllness receiver.departmentCode consent.method") {
		next := strings.Index(body, `href="#f-`+name+`"`)
		if next < at {
			t.Errorf("%s stands too early", name)
		}
		at = next
	}
}

func TestAnEmergencyIsProposedToTheEmergencyDepartment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	if body := b.get("/refer/" + patientID).Body.String(); !strings.Contains(body, `data-preset="kind=EMERGENCY:20"`) {
		t.Error("the script is not told")
	}
	// Without scripts it is proposed when the form is shown anew.
	body := b.post("/refer/"+patientID, with(typedReferral(), "kind", "EMERGENCY", "department", "", "do", "kind")).Body.String()
	if !strings.Contains(body, `<option value="20" selected>`) {
		t.Error("nothing is proposed")
	}
	body = b.post("/refer/"+patientID, with(typedReferral(), "kind", "EMERGENCY", "do", "kind")).Body.String()
	if !strings.Contains(body, `<option value="0304" selected>`) {
		t.Error("what was chosen is lost")
	}
}

func TestThePatientsPageLeadsToTheReferralsThatTheVisitorMaySee(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	body := b.get("/patients/" + patientID).Body.String()
	asked := lastly[*referralv1.ListReferralsRequest](t, w, listMethod)
	if !strings.Contains(body, `<a href="/referrals/`+referralID+`">450321-26-0000123-4</a>`) || asked.GetPatientId() != patientID || asked.GetView() != "all" || asked.GetPageSize() != 10 {
		t.Errorf("%v", asked)
	}
	w.refuse(listMethod, errs.Unavailable("referral", nil))
	if got := b.get("/patients/" + patientID); got.Code != http.StatusOK || strings.Contains(got.Body.String(), "Latest referrals") {
		t.Error("without the referrals the page does not stand")
	}
}

func TestTheFormNamesThePatientsOpenReferralsBeforeItIsFilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	link := `<a href="/referrals/` + referralID + `">450321-26-0000123-4</a>`
	body := b.get("/refer/" + patientID).Body.String()
	asked := lastly[*referralv1.ListReferralsRequest](t, w, listMethod)
	if at := strings.Index(body, link); at < 0 || at > strings.Index(body, "<form method=\"post\" action=\"/refer/") {
		t.Errorf("the open referral does not stand above the form: %d", at)
	}
	over := []referralv1.State_Code{referralv1.State_CLOSED, referralv1.State_CANCELLED, referralv1.State_DECLINED}
	if asked.GetPatientId() != patientID || len(asked.GetState()) == 0 || slices.ContainsFunc(asked.GetState(), func(s referralv1.State_Code) bool { return slices.Contains(over, s) }) {
		t.Errorf("asked for %v", asked)
	}
	if body := b.get("/referrals/" + referralID + "/edit").Body.String(); strings.Contains(body, link) {
		t.Error("the referral that is edited is named as another one")
	}
	w.refuse(listMethod, errs.Unavailable("referral", nil))
	if got := b.get("/refer/" + patientID); got.Code != http.StatusOK {
		t.Errorf("without the list the form does not stand: %d", got.Code)
	}
}

func TestTheFormStaysWhenTheRecordIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(patientrecordv1.PatientRecordService_GetSummary_FullMethodName, errs.Unavailable("patientrecord", nil))
	w.refuse(createMethod, errs.Unavailable("patientrecord", nil))
	got := w.browser("township").post("/refer/"+patientID, typedReferral())
	if got.Code != 503 {
		t.Error(got.Code)
	}
	keeps(t, got.Body.String(), typedReferral(), "do")
	for _, problem := range htmlcheck.Page(got.Body.String()) {
		t.Error(problem)
	}
}

func TestACorrectedFormFindsItsOwnHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	w.refuse(createMethod, errs.Invalid(errs.Required("form.presentIllness")))
	first := b.post("/refer/"+patientID, typedReferral()).Body.String()
	w.always(createMethod, sampleReferral(referralv1.State_SUBMITTED))
	second := b.post("/refer/"+patientID, with(typedReferral(), "requestId", hidden(t, first, "requestId"), "holdKey", hidden(t, first, "holdKey")))
	if second.Code != http.StatusSeeOther {
		t.Fatal(second.Code)
	}
	holds := called[*schedulingv1.CreateHoldRequest](w, holdMethod)
	if len(holds) != 2 || holds[0].GetRequestId() == "" || holds[0].GetRequestId() != holds[1].GetRequestId() {
		t.Errorf("%v", holds)
	}
	made := called[*referralv1.CreateReferralRequest](w, createMethod)
	if len(made) != 2 || made[0].GetRequestId() == made[1].GetRequestId() || made[1].GetHoldId() != holdID || len(made[1].GetDiagnoses()) != 2 {
		t.Errorf("%v", made)
	}
}

func TestAnExpiredHoldIsTakenAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(schedulingv1.SchedulingService_GetHold_FullMethodName, &schedulingv1.Hold{Id: holdID, State: schedulingv1.HoldState_EXPIRED})
	n := 0
	on(w, holdMethod, func(context.Context, *schedulingv1.CreateHoldRequest) (*schedulingv1.Hold, error) {
		n++
		if n == 1 {
			return &schedulingv1.Hold{Id: holdID, ExpireTime: in(-time.Minute)}, nil
		}
		return &schedulingv1.Hold{Id: bookingID, ExpireTime: in(10 * time.Minute)}, nil
	})
	w.always(schedulingv1.SchedulingService_GetHold_FullMethodName, &schedulingv1.Hold{Id: holdID, State: schedulingv1.HoldState_EXPIRED})
	w.browser("township").post("/refer/"+patientID, typedReferral())
	holds := called[*schedulingv1.CreateHoldRequest](w, holdMethod)
	if len(holds) != 2 || holds[0].GetRequestId() == holds[1].GetRequestId() {
		t.Errorf("%v", holds)
	}
	if made := called[*referralv1.CreateReferralRequest](w, createMethod); len(made) != 1 || made[0].GetHoldId() != bookingID {
		t.Errorf("%v", made)
	}
}

func TestWithoutSchedulingTheReferralGoesWithoutAHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(holdMethod, errs.Unavailable("scheduling", nil))
	b := w.browser("township")
	got := b.post("/refer/"+patientID, typedReferral())
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/referrals/"+referralID {
		t.Fatal(got.Code)
	}
	if made := called[*referralv1.CreateReferralRequest](w, createMethod); len(made) != 1 || made[0].GetHoldId() != "" || !made[0].GetSubmit() {
		t.Errorf("%v", made)
	}
	if body := b.get("/referrals/" + referralID).Body.String(); !strings.Contains(body, "could not be held") {
		t.Error("it is not said that the slot was lost")
	}
}

// Sent back for information is no answer: the township is told what it still has.
func TestAReturnedReferralShowsWhatItStillHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	sees := func(what, words string) {
		t.Helper()
		body := b.get("/referrals/" + referralID + "/edit").Body.String()
		if !strings.Contains(body, words) || strings.Contains(body, `name="slot"`) {
			t.Errorf("%s: %q is not said, or another slot is offered", what, words)
		}
		for _, problem := range htmlcheck.Page(body) {
			t.Error(problem)
		}
	}
	returned := sampleReferral(referralv1.State_RETURNED)
	w.always(getMethod, returned)
	sees("no hold", "No slot or bed is held")
	returned.HoldId = holdID
	sees("slot", "Held for the patient: ")
	getHold := schedulingv1.SchedulingService_GetHold_FullMethodName
	w.always(getHold, &schedulingv1.Hold{Id: holdID, State: schedulingv1.HoldState_ATTACHED, Ward: "心内一病区"})
	sees("bed", "A bed is held")
	w.always(getHold, &schedulingv1.Hold{Id: holdID, State: schedulingv1.HoldState_EXPIRED, SlotId: slotID})
	sees("the slot has begun", "No slot or bed is held")
	w.refuse(getHold, errs.Unavailable("scheduling", nil))
	sees("away", "cannot be looked up now")
}

// SMS to the patient is agreed to with the referral: off until somebody ticks it, by whom and how the form says of the referral.
func TestThePatientAgreesToSMSWithTheReferral(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(listConsentsMethod, &patientrecordv1.ListConsentsResponse{})
	b, page := w.browser("township"), "/refer/"+patientID
	if body := b.get(page).Body.String(); !strings.Contains(body, `name="sms.agreed" value="1"> `) {
		t.Error("the consent is not asked for, or is presumed")
	}
	// Where patients get none, nobody is asked; while that is not known, they are.
	w.always(countyMethod, &notificationv1.CountyRules{PatientSms: true})
	if body := b.get(page).Body.String(); strings.Contains(body, "sms.") {
		t.Error("a consent is asked for that nobody needs")
	}
	if admin := w.browser("desk"); !strings.Contains(admin.get("/preferences/county").Body.String(), "None can go out now") {
		t.Error("the county is not told that its SMS do not go out")
	}
	w.refuse(countyMethod, errs.Unavailable("notification", nil))
	if body := b.get(page).Body.String(); !strings.Contains(body, `name="sms.agreed"`) {
		t.Error("without notification the consent is not asked for")
	}
	w.always(countyMethod, &notificationv1.CountyRules{PatientSmsWorks: true})
	b.post(page, typedReferral())
	if n := len(called[*patientrecordv1.RecordConsentRequest](w, recordConsentMethod)); n != 0 {
		t.Errorf("%d consents that nobody gave", n)
	}
	typed := with(typedReferral(), "sms.agreed", "1", "sms.phone", "13800000001", "sms.onBehalf", "UNABLE", "sms.witness", "李护士")
	b.post(page, with(typed, "do", "draft"))
	if n := len(called[*patientrecordv1.RecordConsentRequest](w, recordConsentMethod)); n != 0 {
		t.Error("a draft is no submission")
	}
	if got := b.post(page, typed); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code)
	}
	made := lastly[*patientrecordv1.RecordConsentRequest](t, w, recordConsentMethod)
	if g := made.GetGiving(); made.GetScope() != patientrecordv1.ConsentScope_SMS || made.GetPatientId() != patientID || made.GetRequestId() == "" || g.GetName() != "王某" || g.GetRelation() != "5" ||
		g.GetMethod() != "SIGNED" || g.GetPhone() != "13800000001" || g.GetOnBehalf() != "UNABLE" {
		t.Errorf("%v", made)
	}
	// What is missing is said where it is filled in, and nothing was sent.
	sent := len(slices.DeleteFunc(called[*referralv1.CreateReferralRequest](w, createMethod), (*referralv1.CreateReferralRequest).GetValidateOnly))
	w.refuse(recordConsentMethod, errs.Invalid(errs.Required("giving.phone")))
	got := b.post(page, with(typed, "sms.phone", ""))
	if body := got.Body.String(); got.Code != http.StatusBadRequest || !strings.Contains(body, `href="#f-sms.phone"`) || !strings.Contains(body, `name="sms.agreed" value="1" checked`) {
		t.Errorf("%d %s", got.Code, body)
	}
	if n := len(slices.DeleteFunc(called[*referralv1.CreateReferralRequest](w, createMethod), (*referralv1.CreateReferralRequest).GetValidateOnly)); n != sent {
		t.Error("the referral is sent all the same")
	}
	// Who agreed before has agreed; a record that is away keeps no patient from being sent.
	for _, cause := range []error{errs.Conflict(errs.ReasonConsentExists, "x"), errs.Unavailable("record", nil)} {
		w.refuse(recordConsentMethod, cause)
		if got := b.post(page, typed); got.Code != http.StatusSeeOther {
			t.Errorf("%v: %d", cause, got.Code)
		}
	}
	w.always(listConsentsMethod, &patientrecordv1.ListConsentsResponse{Consents: []*patientrecordv1.ConsentRecord{
		{Scope: patientrecordv1.ConsentScope_SMS, State: patientrecordv1.ConsentState_GIVEN, Giving: &patientrecordv1.Giving{Name: "王某", Time: in(-time.Hour)}},
	}})
	if body := b.get(page).Body.String(); strings.Contains(body, `name="sms.agreed"`) || !strings.Contains(body, "Agreed to SMS") {
		t.Error("what was agreed to is asked for again")
	}
}
