package gateway_test

import (
	"strings"
	"testing"
	"time"

	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
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
