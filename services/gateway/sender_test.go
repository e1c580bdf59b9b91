package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

// What is wrong with a visit leads to its field: on a telephone that is folded, or out of sight.
func TestWhatIsWrongWithAVisitLeadsToItsField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(getMethod, followedUp("CHD"))
	w.always(actionsMethod, actionsOf("record_visit"))
	b := w.browser("township")
	for name, field := range map[string]string{
		"findings.result": "f-findings.result", "findings.values[0]": "f-value.sbp", "findings.medicationTaking": "f-findings.medicationTaking",
		"findings.note": "f-findings.note", "plan.visits": "f-nextDue",
	} {
		w.refuse(visitMethod, errs.Invalid(errs.Bad(name, errs.ReasonFieldInvalid)))
		body := b.post("/referrals/"+referralID+"/record_visit", sent("record_visit")).Body.String()
		if !strings.Contains(body, `href="#`+field+`"`) || !strings.Contains(body, `id="`+field+`"`) {
			t.Errorf("%s does not lead to %s", name, field)
		}
		for _, problem := range htmlcheck.Page(body) {
			t.Errorf("%s: %s", name, problem)
		}
	}
}

func TestATelephoneThatNobodyCanCallIsRefusedBeforeItIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	for typed, fine := range map[string]bool{
		"": true, "0773-8812345": true, "13900001111 转 12": true, "（0773）881 2345、8812346": true, "6120": true, "王医生 13900001111": true, "0773-8812345 ext 12": true,
		"0773-8822123转801": true, "138 1234 5678": true, "+86 138-1234-5678": true, "内线 801": true, "13900001111 微信同号": true, "13900001111（V同号）": true,
		"Tel:0773-8812345": true, "tel13900001111": true, "Dr. Li 13900001111": true, "０７７３－８８１２３４５": true,
		"12ab": false, "1398O001111": false, "陈医生": false, "12": false, "--": false,
	} {
		got := b.post("/refer/"+patientID, with(typedReferral(), "originatorPhone", typed))
		body := got.Body.String()
		if fine && got.Code != http.StatusSeeOther {
			t.Errorf("%q: %d %s", typed, got.Code, body)
		}
		if refused := got.Code == http.StatusBadRequest && strings.Contains(body, `href="#f-originatorPhone"`) && strings.Contains(body, "is no number to call"); refused == fine {
			t.Errorf("%q: %d, explained: %v", typed, got.Code, refused)
		}
		if !fine {
			keeps(t, body, with(typedReferral(), "originatorPhone", typed), "requestId", "do")
		}
	}
	for _, asked := range called[*referralv1.CreateReferralRequest](w, createMethod) {
		if phone := asked.GetOriginatorPhone(); !asked.GetValidateOnly() && (phone == "12ab" || phone == "1398O001111" || phone == "陈医生" || phone == "12" || phone == "--") {
			t.Errorf("%q was sent", phone)
		}
	}
}

func TestATextThatIsTooShortToCountIsNotCalledMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(judgeMethod, &referralv1.Completeness{Judged: true, Items: []*referralv1.CompletenessItem{
		{Code: "PRESENT_ILLNESS", NameEn: "Present illness", JudgedEn: "at least 15 characters", Status: "MISSING", Field: "form.presentIllness"},
		{Code: "RESULTS", NameEn: "Results", JudgedEn: "in the record", Status: "MISSING", Field: "form.presentIllness"},
	}})
	b := w.browser("township")
	told := func(pairs ...string) string {
		return b.post(completeOnForm, with(typedReferral(), pairs...), "X-Fragment", "1").Body.String()
	}
	if part := told("form.presentIllness", "头晕"); strings.Count(part, "(too short:") != 1 || !strings.Contains(part, ">Present illness</a> <small>(too short: at least 15 characters)") {
		t.Errorf("begun: %s", part)
	}
	if part := told("form.presentIllness", " "); strings.Contains(part, "too short") {
		t.Errorf("empty: %s", part)
	}
	if part := told("kind", "ADVICE", "form.presentIllness", ""); !strings.Contains(part, ">your question</a>") || strings.Contains(part, ">Present illness<") {
		t.Errorf("a question is not called as on its form: %s", part)
	}
}

func TestWhoDidNotComeIsCalledFromThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(getMethod, sampleReferral(referralv1.State_NO_SHOW))
	w.always(actionsMethod, actionsOf("depart", "cancel", "message"))
	says(t, w.browser("township"), `class="call" href="tel:`+markPhone+`"`, "tell the hospital in a message")
	// Who is at the hospital is not told to write to it.
	if body := says(t, w.as("specialist", commonv1.Role_SPECIALIST), "or the sender cancels the referral"); strings.Contains(body, "tell the hospital in a message") {
		t.Error("the hospital's own doctor is told to tell the hospital")
	}
}

// A time that is kept is no appointment before the hospital has accepted.
func TestATimeThatIsKeptIsNotCalledBooked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	held := sampleReferral(referralv1.State_SUBMITTED)
	held.HoldId, held.WalkIn = holdID, nil
	w.always(getMethod, held)
	b := w.browser("township")
	if body := says(t, b, "yours once the hospital accepts:"); strings.Contains(body, "<p>Now: ") {
		t.Error("it is called booked")
	}
	booked := sampleReferral(referralv1.State_ACCEPTED)
	booked.BookingId, booked.WalkIn = bookingID, nil
	w.always(getMethod, booked)
	w.always(schedulingv1.SchedulingService_GetBooking_FullMethodName, &schedulingv1.Booking{Id: bookingID, SlotId: slotID, Start: in(time.Hour), End: in(2 * time.Hour), PreparationEnglish: "Nothing to eat", Preparation: "空腹"})
	if body := says(t, b, "<p>Now: ", "Nothing to eat"); strings.Contains(body, "yours once the hospital accepts:") {
		t.Error("it is still called kept")
	}
	booked = sampleReferral(referralv1.State_CONCLUDED)
	booked.BookingId, booked.WalkIn, booked.ConcludeTime = bookingID, nil, in(0)
	w.always(getMethod, booked)
	if strings.Contains(says(t, b), "Nothing to eat") {
		t.Error("how to prepare for an examination is told after it")
	}
}

func TestThePatientsSlipIsPrintedFromWhereTheReferralWasSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	slip := `<a class="button" href="` + slipPage + `">`
	panel := func() string {
		_, panel, _ := strings.Cut(says(t, b), `id="actions"`)
		panel, _, _ = strings.Cut(panel, "</section>")
		return panel
	}
	for state, offered := range map[referralv1.State_Code]bool{referralv1.State_SUBMITTED: true, referralv1.State_ACCEPTED: true, referralv1.State_ARRIVED: false, referralv1.State_CANCELLED: false} {
		w.always(getMethod, sampleReferral(state))
		if strings.Contains(panel(), slip) != offered {
			t.Errorf("%s: offered is not %v", state, offered)
		}
	}
	question := sampleReferral(referralv1.State_SUBMITTED)
	question.Kind = commonv1.Kind_ADVICE
	w.always(getMethod, question)
	if strings.Contains(panel(), slip) {
		t.Error("a question has no patient who travels")
	}
}

func TestANoticeOfNobodyBeginsWithItsTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(notificationsMethod, &notificationv1.ListNotificationsResponse{OpenCount: 1, Notifications: []*notificationv1.Notification{{Id: noticeID, Event: "no_show", CreateTime: in(0)}}})
	if part := w.browser("township").get("/home", "X-Fragment", "notices").Body.String(); strings.Contains(part, `<p class="by"> ·`) || !strings.Contains(part, `<p class="by"><time`) {
		t.Errorf("%s", part)
	}
}

// A colleague may have done what a message asks for.
func TestAMessageTellsHowItsReferralStandsNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(notificationsMethod, &notificationv1.ListNotificationsResponse{OpenCount: 1, Notifications: []*notificationv1.Notification{{Id: noticeID, Event: "submitted", ReferralId: referralID, CreateTime: in(0)}}})
	w.always(referralv1.ReferralService_BatchGetReferrals_FullMethodName, &referralv1.BatchGetReferralsResponse{Referrals: []*referralv1.Referral{sampleDown(referralv1.State_FOLLOW_UP)}})
	part := w.browser("township").get("/home", "X-Fragment", "notices").Body.String()
	if _, now, _ := strings.Cut(part, "· now "); !strings.HasPrefix(now, `<span class="state FOLLOW_UP"`) {
		t.Errorf("%s", part)
	}
}

func TestTheVillageReadsWhoVisitsAndFromWhenSomebodyIsExpectedBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(villageMethod, &referralv1.ListVillageResponse{Patients: []*referralv1.VillagePatient{
		{PatientId: patientID, Patient: &referralv1.PatientSummary{Name: markName}, State: referralv1.State_ACCEPTED, ExpectedFrom: in(time.Hour)},
	}})
	theirs := sampleVisit()
	theirs.Theirs, theirs.OrganizationId = true, townshipID
	w.always(followUpsMethod, &referralv1.ListFollowUpsResponse{FollowUps: []*referralv1.FollowUp{theirs}})
	body := w.as("village", commonv1.Role_VILLAGE_DOCTOR).get("/village").Body.String()
	away, back, _ := strings.Cut(body, "Coming back")
	if !strings.Contains(away, "agreed for") || !strings.Contains(back, "expected from") || strings.Contains(back, "agreed for") {
		t.Error("within which days somebody is expected is told as an appointment")
	}
	if !strings.Contains(back, " visits") {
		t.Error("who makes a visit that is not the clinic's is not told")
	}
}
