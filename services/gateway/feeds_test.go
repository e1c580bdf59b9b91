package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const messageID = "0192f0c1-0000-7000-8000-0000000000c1"

func sampleMessage() *patientrecordv1.FeedMessage {
	return &patientrecordv1.FeedMessage{
		Id: messageID, Version: 1, OrganizationId: hospitalID, Sender: "HIS|YSX", Type: "ADT^A01", State: patientrecordv1.FeedState_QUARANTINED,
		Problem: &patientrecordv1.FeedProblem{Reason: "HL7_DEPARTMENT", Position: "PV1-3"}, ReceiveTime: in(-1),
	}
}

// feedWorld has one message in quarantine and two senders, one of them quiet.
func feedWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.always(patientrecordv1.FeedService_ListFeedMessages_FullMethodName, &patientrecordv1.ListFeedMessagesResponse{
		Messages: []*patientrecordv1.FeedMessage{sampleMessage()}, NextPageToken: "next",
	})
	w.always(patientrecordv1.FeedService_ListFeedSenders_FullMethodName, &patientrecordv1.ListFeedSendersResponse{Senders: []*patientrecordv1.FeedSender{
		{OrganizationId: hospitalID, Sender: "HIS|YSX", LastTime: in(-1), Stored: 321, Quarantined: 1},
		{OrganizationId: hospitalID, Sender: "LIS|YSX", LastTime: in(-26 * 3600 * 1e9)},
	}})
	whole := sampleMessage()
	whole.Raw = []byte("MSH|^~\\&|HIS|YSX\rPID|1||B1||" + markName + "\r")
	w.always(patientrecordv1.FeedService_GetFeedMessage_FullMethodName, whole)
	return w
}

func TestTheQuarantineIsListedWithSendersAndReasons(t *testing.T) {
	t.Parallel()
	w := feedWorld(t)
	body := w.browser("desk").get("/feeds").Body.String()
	for what, words := range map[string]string{
		"the sender": "HIS|YSX", "what was stored": "<td>321</td>", "that one is quiet": "nothing for more than a day", "the reason": "The department is not in the settings",
		"the place": "<small>PV1-3</small>", "the way in": `href="/feeds/` + messageID + `"`, "more": `href="/feeds?state=QUARANTINED&amp;page=next"`,
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	if n := strings.Count(body, "nothing for more than a day"); n != 1 {
		t.Errorf("%d senders are quiet", n)
	}
	if body := w.as("system", commonv1.Role_SYSTEM_ADMIN).get("/feeds").Body.String(); strings.Contains(body, "/feeds/"+messageID) || !strings.Contains(body, "PV1-3") {
		t.Error("an administrator is offered the content")
	}
	w.browser("desk").get("/feeds?state=SETTLED")
	if got := lastly[*patientrecordv1.ListFeedMessagesRequest](t, w, patientrecordv1.FeedService_ListFeedMessages_FullMethodName); got.GetState() != patientrecordv1.FeedState_SETTLED {
		t.Errorf("asked for %v", got)
	}
}

func TestAMessageIsShownTakenAgainAndSettled(t *testing.T) {
	t.Parallel()
	w := feedWorld(t)
	b := w.browser("desk")
	body := b.get("/feeds/" + messageID).Body.String()
	for _, words := range []string{markName, "PID|1||B1||", "each look is recorded", `data-confirm="The content is erased`} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is missing", words)
		}
	}
	w.always(patientrecordv1.FeedService_ReplayMessage_FullMethodName, &patientrecordv1.FeedAnswer{State: patientrecordv1.FeedState_STORED})
	got := b.post("/feeds/"+messageID+"/replay", form("version", hidden(t, body, "version")))
	sent := lastly[*patientrecordv1.ReplayMessageRequest](t, w, patientrecordv1.FeedService_ReplayMessage_FullMethodName)
	// The settings of this gateway name no sender, so that is how the message reads today.
	if got.Code != http.StatusSeeOther || sent.GetVersion() != 1 || sent.GetProblem().GetReason() != "HL7_SENDER" || sent.GetRecord() != nil {
		t.Errorf("%d, sent %v", got.Code, sent)
	}
	w.always(patientrecordv1.FeedService_SettleMessage_FullMethodName, sampleMessage())
	got = b.post("/feeds/"+messageID+"/settle", form("version", "1", "reason", "TEST"))
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/feeds" {
		t.Errorf("%d %v", got.Code, got.Header())
	}
	w.refuse(patientrecordv1.FeedService_SettleMessage_FullMethodName, errs.Invalid(errs.Bad("reason", errs.ReasonFieldUnknown)))
	if got := b.post("/feeds/"+messageID+"/settle", form("version", "1")); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), `class="warning" role="alert"`) {
		t.Errorf("without a reason: %d", got.Code)
	}
}

func TestWhoMayNotSeeAnAreaIsToldWhomToAsk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(patientrecordv1.FeedService_ListFeedSenders_FullMethodName, errs.New(errs.KindDenied, errs.ReasonRole, "no", nil))
	b := w.admin()
	got := b.get("/feeds")
	if body := got.Body.String(); got.Code != http.StatusForbidden || !strings.Contains(body, "ask the system administrator") || strings.Contains(body, "ask your administrator for the role") {
		t.Errorf("%d: the administrator is not told whom to ask", got.Code)
	}
	w.refuse(listMethod, errs.New(errs.KindDenied, errs.ReasonRole, "no", nil))
	if body := b.get("/referrals").Body.String(); !strings.Contains(body, "ask your administrator for the role") {
		t.Error("elsewhere nobody is named")
	}
}
