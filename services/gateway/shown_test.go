package gateway_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// says opens the page of the referral and looks for words on it.
func says(t *testing.T, b *browser, words ...string) string {
	t.Helper()
	body := b.get("/referrals/" + referralID).Body.String()
	for _, w := range words {
		if !strings.Contains(body, w) {
			t.Errorf("%q is not shown", w)
		}
	}
	return body
}

func TestADownReferralShowsItsFormMedicinesAndPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(getMethod, sampleDown(referralv1.State_FOLLOW_UP))
	says(t, w.browser("township"), "ZY0001", "已行支架", "继续抗血小板", "每天步行", `<dt class="paper">Treatment, next plan and rehabilitation advice</dt>`,
		"替格瑞洛", "Missing", "The county hospital dispenses it", "✓ 2026-02-20", "Worse", "2026-04-05", "Recorded afterwards")
}

func TestACorrectedFieldShowsWhatStoodThereBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := sampleReferral(referralv1.State_CLOSED)
	r.Corrections = 1
	w.always(getMethod, r)
	says(t, w.browser("desk"), "Corrected</summary>", "Before: 以前的文字", "Before: CURED")
}

func TestThePageShowsVerdictBounceBackAndWhoIsOnTheWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := sampleReferral(referralv1.State_ACCEPTED)
	r.Verdict, r.VerdictNote, r.BounceBackOf, r.Transport = "MANAGEABLE_WITH_ADVICE", "可先调药", bookingID, "AMBULANCE"
	r.DepartTime, r.ExpectedArrival = in(-time.Minute), in(time.Hour)
	w.always(getMethod, r)
	says(t, w.browser("township"), "Could be managed locally with advice", "可先调药", `href="/referrals/`+bookingID+`"`, "On the way:", "Ambulance (120)", "Linked referrals")
}

func TestTheTimelineKeepsBothLimitsAndWhomALateOneCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(historyMethod, &referralv1.ListHistoryResponse{History: []*referralv1.HistoryRow{
		{Kind: "TRANSITION", Action: "submit", Time: in(-2 * time.Hour), Detail: map[string]string{"dueTime": "2026-03-02T02:00:00Z"}},
		{Kind: "MARK", Action: "deadline_passed", Time: in(-time.Hour), Detail: map[string]string{"step": "ANSWER", "level": "1"}},
		{Kind: "TRANSITION", Action: "redirect", Time: in(-time.Minute), Detail: map[string]string{"dueTime": "2026-03-02T04:00:00Z"}},
	}})
	says(t, w.browser("desk"), "today 10:00", "today 12:00", "Time limit passed (level 1): intake desk", "Told 2 times", "陈主任", "not acknowledged", "head of the department")
	w.always(getMethod, sampleDown(referralv1.State_SUBMITTED))
	says(t, w.browser("township"), "Time limit passed (level 1): the centre&#39;s staff")
	w.refuse(toldMethod, errs.Unavailable("notification", nil))
	if body := says(t, w.browser("desk"), "Time limit passed"); strings.Contains(body, "Told 2 times") {
		t.Error("somebody is said to be told although nobody answered")
	}
}

func TestTheThreadStandsOpenToBothSides(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(actionsMethod, actionsOf("message"))
	says(t, w.browser("township"), `class="mine"><p>`+markText, "<p>收到</p>", "data-send")
	w.refuse(messagesMethod, errs.Unavailable("referral", nil))
	says(t, w.browser("township"), "The messages cannot be read now")
	w.refuse(messageMethod, errs.Invalid(errs.Required("text")))
	got := w.browser("township").post("/referrals/"+referralID+"/message", sent("message"))
	if got.Code != 400 || !strings.Contains(got.Body.String(), "患者家属同意手术</textarea>") {
		t.Errorf("%d", got.Code)
	}
}

func TestOnlyTheReceivingHospitalIsLedToSendDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	link := `href="/down/` + patientID + `?reply_to=` + referralID + `"`
	for state, offered := range map[referralv1.State_Code]bool{
		referralv1.State_ARRIVED: true, referralv1.State_ADMITTED: true, referralv1.State_CONCLUDED: true, referralv1.State_SUBMITTED: false, referralv1.State_CLOSED: false,
	} {
		w.always(getMethod, sampleReferral(state))
		if got := strings.Contains(w.browser("desk").get("/referrals/"+referralID).Body.String(), link); got != offered {
			t.Errorf("%s: offered %v", state, got)
		}
		if strings.Contains(w.browser("township").get("/referrals/"+referralID).Body.String(), link) {
			t.Errorf("%s: the township is led to send down", state)
		}
	}
	answered := sampleReferral(referralv1.State_CONCLUDED)
	answered.DownReferral = bookingID
	w.always(getMethod, answered)
	if strings.Contains(w.browser("desk").get("/referrals/"+referralID).Body.String(), link) {
		t.Error("a second one is offered")
	}
}

func TestThePlanIsProposedByTheCountyElseByTheTemplateThatIsChosen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	w.always(templatesMethod, &referralv1.ListFollowUpTemplatesResponse{Templates: []*referralv1.FollowUpTemplate{
		{Code: "GENERAL", Name: "一般", NameEn: "General", Plan: &referralv1.FollowUpPlan{Template: "GENERAL", Condition: "GENERAL", Visits: []*referralv1.PlannedVisit{{Due: "2026-03-09", Mode: "PHONE"}}}},
		{Code: "COPD", Name: "慢阻肺", NameEn: "COPD", Plan: &referralv1.FollowUpPlan{Template: "COPD", Condition: "COPD", Visits: []*referralv1.PlannedVisit{{Due: "2026-03-11", Mode: "HOME"}}}},
	}})
	w.always(actionsMethod, actionsOf("begin_follow_up"))
	proposed := sampleDown(referralv1.State_ARRIVED)
	w.always(getMethod, proposed)
	// What the county had planned from the 20th of February begins today, the days between kept.
	says(t, b, `name="plan.due.0" value="2026-03-02"`, `name="plan.due.1" value="2026-03-15"`, "now start today", `name="plan.condition" value="CHD"`)
	revised := w.browser("township")
	w.always(getMethod, sampleDown(referralv1.State_FOLLOW_UP))
	w.always(actionsMethod, actionsOf("revise_plan"))
	if body := revised.get("/referrals/" + referralID + "?template=COPD").Body.String(); !strings.Contains(body, `open class="shown"><summary>Change the plan`) {
		t.Error("the chosen template is folded away")
	}
	w.always(getMethod, proposed)
	w.always(actionsMethod, actionsOf("begin_follow_up"))
	if body := b.get("/referrals/" + referralID + "?template=COPD").Body.String(); !strings.Contains(body, `name="plan.due.0" value="2026-03-11"`) || !strings.Contains(body, `name="plan.template" value="COPD"`) {
		t.Error("another template was chosen in vain")
	}
	proposed.Plan = nil
	w.always(getMethod, proposed)
	says(t, b, `name="plan.due.0" value="2026-03-09"`, `name="plan.template" value="GENERAL"`)
	w.refuse(templatesMethod, errs.Unavailable("referral", nil))
	says(t, b, `name="plan.due.0" value=""`, "(me)")
}

func TestAfterTheLastVisitThePageOffersToEndOrToGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := sampleDown(referralv1.State_FOLLOW_UP)
	r.Plan.Visits = r.GetPlan().GetVisits()[:1]
	w.always(getMethod, r)
	w.always(actionsMethod, actionsOf("record_visit", "revise_plan", "complete", "escalate"))
	body := says(t, w.browser("township"), "Extend the plan", "All planned visits were made", `data-action="complete"`, `class="button primary" href="/referrals/`+referralID+`/escalate"`, "worse at the visit", "blood pressure very high")
	if strings.Contains(body, `data-action="record_visit"`) {
		t.Error("a visit is asked for that nobody planned")
	}
}

func TestNobodyPlansOnForAPatientWhoDied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := sampleDown(referralv1.State_FOLLOW_UP)
	r.GetPlan().GetVisits()[0].GetFindings().Result = "DIED"
	w.always(getMethod, r)
	w.always(actionsMethod, actionsOf("record_visit", "revise_plan", "complete"))
	body := says(t, w.browser("township"), `<details open class="shown"><summary>End the follow-up`)
	if strings.Contains(body, "Extend the plan") || strings.Contains(body, `data-action="record_visit"`) {
		t.Error("further visits are asked for")
	}
}

func TestATownshipReceivesInItsOwnWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	down := sampleDown(referralv1.State_SUBMITTED)
	w.always(listMethod, &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{down}})
	body := w.browser("township").get("/desk?tab=waiting&direction=DOWN").Body.String()
	for _, words := range []string{"Referrals received", "To take over", "In follow-up", "Down · Chronic care", `href="/desk?direction=DOWN&amp;tab=expected"`} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is not shown", words)
		}
	}
	asked := lastly[*referralv1.ListReferralsRequest](t, w, listMethod)
	if asked.GetDirection() != commonv1.Direction_DOWN || asked.GetView() != "inbox" {
		t.Errorf("%v", asked)
	}
	w.always(getMethod, down)
	w.always(actionsMethod, actionsOf("accept", "decline", "redirect"))
	says(t, w.browser("township"), "Take the patient", "Cannot take the patient", "Redirect to another centre", `name="until" value="2026-03-09"`)
	if body := w.browser("desk").get("/desk").Body.String(); !strings.Contains(body, "To answer") || strings.Contains(body, "In follow-up") {
		t.Error("the county speaks as a township")
	}
}

func TestWhoIsOnTheWayStandsAboveTodaysList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	soon, later := sampleReferral(referralv1.State_SUBMITTED), sampleReferral(referralv1.State_ACCEPTED)
	later.Id = bookingID
	soon.DepartTime, soon.ExpectedArrival, soon.Transport = in(-time.Minute), in(20*time.Minute), "AMBULANCE"
	later.DepartTime, later.ExpectedArrival = in(-time.Minute), in(2*time.Hour)
	on(w, listMethod, func(_ context.Context, in *referralv1.ListReferralsRequest) (*referralv1.ListReferralsResponse, error) {
		if !in.GetOnTheWay() {
			return &referralv1.ListReferralsResponse{}, nil
		}
		return &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{later, soon}}, nil
	})
	body := w.browser("desk").get("/desk/arrivals").Body.String()
	first, second := strings.Index(body, `data-id="`+referralID), strings.Index(body, `data-id="`+bookingID)
	if first < 0 || second < first || !strings.Contains(body, "Ambulance (120)") {
		t.Errorf("%d %d", first, second)
	}
}

func TestTheRailShowsEachRoleItsPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for role, want := range map[commonv1.Role_Code]string{
		commonv1.Role_TOWNSHIP_DOCTOR: "home patients referrals received followups formulary waitlist rosters calls inbox",
		commonv1.Role_CENTRE_HEAD:     "home patients referrals received followups formulary waitlist sessions overview statistics reviews rosters downtime calls feeds deliveries inbox",
		commonv1.Role_INTAKE_DESK:     "desk arrivals candidates sent waitlist sessions beds rosters downtime calls feeds deliveries inbox",
		commonv1.Role_DEPARTMENT_HEAD: "desk arrivals candidates sent waitlist sessions beds overview statistics rosters calls deliveries inbox",
		commonv1.Role_BED_MANAGER:     "desk arrivals sent waitlist sessions beds rosters inbox",
		commonv1.Role_COUNTY_ADMIN:    "overview statistics settings sessions beds rosters downtime calls deliveries inbox",
		commonv1.Role_SYSTEM_ADMIN:    "accounts feeds deliveries inbox",
		commonv1.Role_AUDITOR:         "reviews audit exports inbox",
	} {
		w.mu.Lock()
		w.sessions[role.String()] = &directoryv1.Account{Id: role.String(), Name: "x", OrganizationId: hospitalID, County: "450321", Roles: []commonv1.Role_Code{role}}
		w.mu.Unlock()
		body := w.browser(role.String()).get("/inbox").Body.String()
		var got []string
		for _, part := range strings.Split(body, `data-nav="`)[1:] {
			name, _, _ := strings.Cut(part, `"`)
			got = append(got, name)
		}
		if !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %v, want %s", role, got, want)
		}
	}
}

func TestTheCriteriaThatWereMetAreWorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	met := sampleReferral(referralv1.State_SUBMITTED)
	met.MatchedCriteria = []string{"UP-HTN-01", "UP-OLD-01"}
	w.always(getMethod, met)
	b := w.browser("desk")
	says(t, b, `<a href="/criteria">`, "<div>systolic 180 or more</div><div>UP-OLD-01</div>")
	says(t, b)
	if n := len(called[*referralv1.ListCriteriaRequest](w, criteriaMethod)); n != 1 {
		t.Errorf("they are asked for %d times within a minute", n)
	}
	w.refuse(criteriaMethod, errs.Unavailable("referral", nil))
	w.clk.Advance(2 * time.Minute)
	says(t, b, "systolic 180 or more")
}

func TestTheTimelineSaysWhereAndHow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(historyMethod, &referralv1.ListHistoryResponse{History: []*referralv1.HistoryRow{
		{Kind: "TRANSITION", Action: "redirect", Time: in(-time.Hour), Detail: map[string]string{"fromOrganizationId": hospitalID, "fromDepartmentCode": "0304", "toOrganizationId": hospitalID, "toDepartmentCode": "20"}},
		{Kind: "MARK", Action: "depart", Time: in(-time.Minute), Detail: map[string]string{"transport": "AMBULANCE"}},
	}})
	body := says(t, w.browser("desk"))
	_, body, _ = strings.Cut(body, `class="timeline"`)
	for _, words := range []string{"Yangshuo County People&#39;s Hospital Cardiology → Yangshuo County People&#39;s Hospital Emergency", "Ambulance"} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is not told", words)
		}
	}
}

func TestAnEmergencyLeavesFirstAndConsentsLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(actionsMethod, actionsOf("record_consent", "depart"))
	b := w.browser("township")
	body := says(t, b, `name="consent.givenBy" type="text" value="王某"`, `value="5" selected`)
	if strings.Index(body, "/depart\"") > strings.Index(body, "/record_consent\"") || strings.Count(body, "/depart\"") != 1 {
		t.Error("the consent stands before the departure")
	}
	w.refuse(patientrecordv1.PatientRecordService_GetPatient_FullMethodName, errs.Unavailable("patientrecord", nil))
	left := sampleReferral(referralv1.State_SUBMITTED)
	left.DepartTime = in(-time.Minute)
	w.always(getMethod, left)
	says(t, b, `name="consent.givenBy" type="text" value="`+markName+`"`, `data-action="depart">Update the departure</button>`)
}

func TestARefusedActionTellsAllThatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(actionsMethod, actionsOf("admit"))
	w.refuse(referralv1.ReferralService_Admit_FullMethodName, errs.Invalid(errs.Required("ward"), errs.Required("bed")))
	body := w.browser("desk").post("/referrals/"+referralID+"/admit", sent("admit")).Body.String()
	_, top, _ := strings.Cut(body, `<div class="errors"`)
	top, _, _ = strings.Cut(top, "</div>")
	if strings.Count(top, "<li>") != 2 {
		t.Errorf("%s", top)
	}
}

func TestAnAdmissionStartsFromTheBedThatIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := sampleReferral(referralv1.State_ARRIVED)
	r.BookingId = bookingID
	w.always(getMethod, r)
	w.always(actionsMethod, actionsOf("admit"))
	booking := schedulingv1.SchedulingService_GetBooking_FullMethodName
	kept := &schedulingv1.Booking{Id: bookingID, State: schedulingv1.BookingState_LIVE, Ward: "骨科病区", Bed: "01"}
	w.always(booking, kept)
	b := w.browser("desk")
	says(t, b, `name="ward" type="text" value="骨科病区"`, `name="bed" type="text" value="01"`)
	w.refuse(referralv1.ReferralService_Admit_FullMethodName, errs.Unavailable("referral", nil))
	shows(t, b.post("/referrals/"+referralID+"/admit", with(sent("admit"), "bed", "02")).Body.String(), `name="bed" type="text" value="02"`)
	w.always(booking, &schedulingv1.Booking{Id: bookingID, State: schedulingv1.BookingState_RELEASED, Ward: "骨科病区", Bed: "01"})
	says(t, b, `name="ward" type="text" value=""`)
	w.refuse(booking, unreachable())
	says(t, b, `name="ward" type="text" value=""`)
}

func TestWhatARefusalLacksIsSaidInItsFormAndLeadsToTheField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(actionsMethod, actionsOf("accept", "decline"))
	w.refuse(referralv1.ReferralService_Decline_FullMethodName, errs.Invalid(errs.Required("note")))
	body := w.browser("desk").post("/referrals/"+referralID+"/decline", with(sent("decline"), "note", "")).Body.String()
	_, form, _ := strings.Cut(body, `action="/referrals/`+referralID+`/decline"`)
	form, _, _ = strings.Cut(form, "</form>")
	shows(t, form, `<div class="errors"`, `<a href="#f-decline-note">`, `<div class="field wrong"><label for="f-decline-note"`, `aria-invalid="true" aria-describedby="e-decline-note"`)
	if strings.Count(body, `<div class="errors"`) != 1 {
		t.Error("it is said above another form too")
	}
}
