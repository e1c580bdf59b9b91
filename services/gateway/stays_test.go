package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

func TestTheHomeCentreReadsOfADischargeInItsMessagesAndOpensTheRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(notificationv1.NotificationService_ListNotifications_FullMethodName, &notificationv1.ListNotificationsResponse{
		OpenCount: 1, Notifications: []*notificationv1.Notification{{
			Id: messageID, Event: "encounter_closed", PatientId: patientID, EncounterId: messageID, ReasonCode: "3", FromOrganizationId: hospitalID,
			State: notificationv1.NotificationState_OPEN, CreateTime: in(-time.Hour),
		}},
	})
	body := w.browser("township").get("/inbox").Body.String()
	for _, words := range []string{"One of our residents was discharged", `href="/patients/` + patientID + `"`, "Left by: to a community or township centre by advice", "Yangshuo County People&#39;s Hospital"} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is missing", words)
		}
	}
	if strings.Contains(body, `href="/referrals/"`) {
		t.Error("a referral that is none is linked")
	}
}

func TestThePatientsPageShowsTheStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	summary := sampleSummary()
	summary.RecentEncounters = []*patientrecordv1.Encounter{
		{ClassCode: "IMP", Status: "in-progress", OrganizationId: hospitalID, StartTime: in(-time.Hour)},
		{ClassCode: "IMP", Status: "finished", OrganizationId: hospitalID, StartTime: in(-100 * time.Hour), EndTime: in(-50 * time.Hour), DischargeWay: "4", Reason: "肺炎"},
		{ClassCode: "IMP", Status: "cancelled", OrganizationId: hospitalID, StartTime: in(-200 * time.Hour), Reason: "never"},
	}
	w.always(patientrecordv1.PatientRecordService_GetSummary_FullMethodName, summary)
	body := w.browser("township").get("/patients/" + patientID).Body.String()
	_, card, found := strings.Cut(body, "Stays and emergencies")
	card, _, _ = strings.Cut(card, "</section>")
	if !found || strings.Count(card, "Yangshuo County People&#39;s Hospital") != 2 || strings.Count(card, "in hospital") != 1 || !strings.Contains(card, "Left by: against advice · 肺炎") || strings.Contains(card, "never") {
		t.Errorf("%s", card)
	}
}

func TestTheDeskRecordsOrDismissesWhomTheHospitalRegistered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	desk := w.browser("desk")
	body := desk.get("/desk/arrivals").Body.String()
	for what, words := range map[string]string{
		"who": "<strong>" + markName + "</strong>", "one click": `href="/record/arrival/` + patientID + "?registration=" + messageID + `"`,
		"the reasons": `<option value="NO_BED">`, "the undo": `action="/referrals/` + referralID + `/undo_arrive"`, "more": `registered=next`,
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	form1 := desk.get("/record/arrival/" + patientID + "?registration=" + messageID).Body.String()
	for what, words := range map[string]string{
		"the centre": `<option value="` + townshipID + `" selected>`, "the department": `<option value="0304" selected>`, "the kind": `value="INPATIENT" checked`,
	} {
		if !strings.Contains(form1, words) {
			t.Errorf("prefilled, %s: %q is missing", what, words)
		}
	}
	w.refuse(referralv1.ReferralService_DismissRegistration_FullMethodName, errs.Invalid(errs.Required("note")))
	answer := desk.post("/desk/registrations/"+messageID+"/dismiss", form("requestId", messageID, "reasonCode", "OTHER", "note", ""))
	if answer.Code != http.StatusBadRequest || !strings.Contains(answer.Body.String(), `<option value="OTHER" selected>`) || !strings.Contains(answer.Body.String(), "<details open>") {
		t.Errorf("refused: %d", answer.Code)
	}
	w.refuse(referralv1.ReferralService_DismissRegistration_FullMethodName, nil)
	answer = desk.post("/desk/registrations/"+messageID+"/dismiss", form("requestId", messageID, "reasonCode", "NOT_SENT"))
	got := lastly[*referralv1.DismissRegistrationRequest](t, w, referralv1.ReferralService_DismissRegistration_FullMethodName)
	if answer.Code != http.StatusSeeOther || got.GetId() != messageID || got.GetReasonCode() != "NOT_SENT" || got.GetRequestId() != messageID {
		t.Errorf("%d, %v", answer.Code, got)
	}
	w.always(referralv1.ReferralService_ListRegistrations_FullMethodName, &referralv1.ListRegistrationsResponse{})
	if body := desk.get("/desk/arrivals").Body.String(); !strings.Contains(body, "No registration waits for a decision") || strings.Contains(body, "undo_arrive") {
		t.Error("the empty list")
	}
}

func TestDischargesAndDownReferralsStandSideBySide(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := w.browser("desk").get("/statistics/discharges?period=custom&from=2026-02-01&to=2026-02-28").Body.String()
	asked := lastly[*referralv1.ReconcileDischargesRequest](t, w, referralv1.StatisticsService_ReconcileDischarges_FullMethodName)
	if asked.GetFrom() != "2026-02-01" || asked.GetTo() != "2026-03-01" {
		t.Errorf("asked of %v", asked)
	}
	for what, words := range map[string]string{
		"the count": "<dd><strong>2</strong></dd>", "the stay": `href="/patients/` + patientID + `"`, "the referral": `href="/referrals/` + referralID + `"`,
		"the way": "by advice <small>", "more": "page=next",
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	admin := w.as("admin", commonv1.Role_COUNTY_ADMIN).get("/statistics/discharges?organization=" + hospitalID).Body.String()
	if strings.Contains(admin, "/referrals/"+referralID) || !strings.Contains(admin, `<option value="`+hospitalID+`" selected>`) {
		t.Error("an administrator sees figures by organisation, and opens no record")
	}
	w.always(referralv1.StatisticsService_ReconcileDischarges_FullMethodName, &referralv1.ReconcileDischargesResponse{})
	if body := w.browser("desk").get("/statistics/discharges").Body.String(); !strings.Contains(body, "Both sides agree") {
		t.Error("the empty report")
	}
}
