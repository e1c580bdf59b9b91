package gateway_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

func TestTheHistoryOfSchedulesSaysWhoDidWhatAndLeadsToEach(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	body := b.get("/schedules/history").Body.String()
	shows(t, body, "王主任", "removed", `href="/schedules/history/templates/`+templateID+`"`, `href="/schedules/history/exceptions/`+exceptionID+`"`)
	if strings.Contains(body, `name="restore"`) || strings.Contains(body, "before there were notes") {
		t.Error("all at once are restored from, or what nobody did is listed")
	}
	if asked := lastly[*schedulingv1.ListCalendarChangesRequest](t, w, changesMethod); asked.GetOrganizationId() != hospitalID || asked.GetSubject() != "" {
		t.Errorf("%v", asked)
	}
	shows(t, b.get("/schedules").Body.String(), `href="/schedules/history"`)
	shows(t, b.get("/schedules/templates/"+templateID).Body.String(), `href="/schedules/history/templates/`+templateID+`"`)
	shows(t, b.get("/schedules/exceptions/"+exceptionID).Body.String(), `href="/schedules/history/exceptions/`+exceptionID+`"`)
	shows(t, b.get("/sessions/"+sessionID).Body.String(), "/schedules/history/sessions/"+sessionID)
	if got := b.get("/schedules/history/anything/" + templateID); got.Code != http.StatusNotFound {
		t.Error(got.Code)
	}
}

func TestAnOlderTemplateAndARemovedExceptionAreWrittenAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	page := "/schedules/history/templates/" + templateID
	w.always(changesMethod, &schedulingv1.ListCalendarChangesResponse{Changes: sampleChanges()[:2]})
	body := b.get(page).Body.String()
	shows(t, body, "<del>李医生 P1001</del> → <ins>陈医生 P1001</ins>", "stands", `name="restore" value="`+changeID(1)+`"`, `name="version" value="2"`)
	again := form("version", "2", "requestId", "r1", "restore", changeID(1))
	if got := b.post(page, again); got.Code != http.StatusSeeOther || got.Header().Get("Location") != page {
		t.Fatal(got.Code)
	}
	if sent := lastly[*schedulingv1.SaveTemplateRequest](t, w, saveTemplateMethod); sent.GetTemplate().GetPractitionerName() != "李医生" || sent.GetTemplate().GetVersion() != 2 || sent.GetRequestId() != "r1" {
		t.Errorf("%v", sent)
	}
	w.refuse(saveTemplateMethod, errs.Stale(5, ""))
	if got := b.post(page, again); got.Code != http.StatusConflict && got.Code != http.StatusPreconditionFailed {
		t.Error(got.Code)
	}
	w.always(saveTemplateMethod, &schedulingv1.SaveTemplateResponse{Template: sampleTemplate(), Made: 1, Removed: 4, Conflicts: []*schedulingv1.Session{sampleSession()}})
	shows(t, b.post(page, again).Body.String(), `href="/sessions/`+sessionID+`"`, "1 sessions with bookings do not fit")
	if got := b.post(page, with(again, "restore", changeID(9))); got.Code != http.StatusNotFound {
		t.Error(got.Code)
	}
	// One that is gone is set as a new one.
	removed, saved := sampleChanges()[2], proto.CloneOf(sampleChanges()[2])
	saved.Id, saved.Action = changeID(8), "SAVED"
	w.always(changesMethod, &schedulingv1.ListCalendarChangesResponse{Changes: []*schedulingv1.CalendarChange{removed, saved}})
	w.always(schedulingv1.CalendarService_ListExceptions_FullMethodName, &schedulingv1.ListExceptionsResponse{})
	page = "/schedules/history/exceptions/" + exceptionID
	shows(t, b.get(page).Body.String(), `name="version" value="0"`, `name="restore" value="`+changeID(8)+`"`)
	b.post(page, form("version", "0", "requestId", "r2", "restore", changeID(8)))
	if sent := lastly[*schedulingv1.SaveExceptionRequest](t, w, saveExceptionMethod); sent.GetException().GetVersion() != 0 || sent.GetException().GetDepartmentCode() != "0304" {
		t.Errorf("%v", sent)
	}
}

func TestACancellationIsUndoneOrItIsSaidWhyNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	page := "/schedules/history/sessions/" + sessionID
	detail := sampleDetail()
	detail.Session.State = schedulingv1.SessionState_CANCELLED
	w.always(getSessionMethod, detail)
	w.always(changesMethod, &schedulingv1.ListCalendarChangesResponse{Changes: sampleSessionChanges(true)})
	// The version before it is what is restored; slots of a cancelled session are not given back one by one.
	body := b.get(page).Body.String()
	shows(t, body, "Undo the cancellation", `name="restore" value="`+changeID(5)+`"`, "<del>李医生</del> → <ins>陈医生</ins>")
	if strings.Contains(body, "Give these slots back") {
		t.Error("slots of a cancelled session are given back")
	}
	b.post(page, form("version", "4", "requestId", "r1", "restore", changeID(5)))
	if sent := lastly[*schedulingv1.RestoreSessionRequest](t, w, restoreMethod); sent.GetId() != sessionID || sent.GetVersion() != 4 || sent.GetChangeId() != changeID(5) {
		t.Errorf("%v", sent)
	}
	for state, words := range map[string]string{"REBOOKED": "would have two places", "PLAN_CHANGED": "Change those first", "PAST": "has begun or is over"} {
		w.refuse(restoreMethod, errs.WrongState("restore", state))
		shows(t, b.post(page, form("version", "4", "requestId", "r1", "restore", changeID(5))).Body.String(), words)
	}
	w.always(changesMethod, &schedulingv1.ListCalendarChangesResponse{Changes: sampleSessionChanges(false)})
	body = b.get(page).Body.String()
	shows(t, body, "The cancellation cannot be undone", "make a template for that one day")
	if strings.Contains(body, `name="restore"`) {
		t.Error("something is offered")
	}
	// One that takes place: a substitution is undone, slots are given back.
	w.always(getSessionMethod, sampleDetail())
	w.always(changesMethod, &schedulingv1.ListCalendarChangesResponse{Changes: sampleSessionChanges(false)[1:]})
	shows(t, b.get(page).Body.String(), "Give these slots back", `name="restore" value="`+changeID(6)+`"`)
	b.post(page, form("version", "4", "requestId", "r1", "restore", changeID(4)))
	if sent := lastly[*schedulingv1.UnblockSlotsRequest](t, w, unblockMethod); len(sent.GetSlotIds()) != 1 || sent.GetSlotIds()[0] != otherSlotID {
		t.Errorf("%v", sent)
	}
	given := sampleSessionChanges(false)[1:]
	given[0].Action = "UNBLOCKED"
	w.always(changesMethod, &schedulingv1.ListCalendarChangesResponse{Changes: given})
	b.post(page, form("version", "4", "requestId", "r1", "restore", changeID(4)))
	if sent := lastly[*schedulingv1.BlockSlotsRequest](t, w, blockMethod); sent.GetReasonCode() != "BREAK" {
		t.Errorf("%v", sent)
	}
	// One that is over stays as it was.
	over := sampleDetail()
	over.Session.End = in(-time.Minute)
	w.always(getSessionMethod, over)
	if strings.Contains(b.get(page).Body.String(), `name="restore"`) {
		t.Error("a session that is over is changed")
	}
}

func TestWhoeverWaitsBeyondTheFirstHundredCanBePutOnTheList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	on(w, listMethod, func(_ context.Context, in *referralv1.ListReferralsRequest) (*referralv1.ListReferralsResponse, error) {
		one := sampleReferral(referralv1.State_SUBMITTED)
		one.HoldId = ""
		if in.GetPageToken() == "" {
			one.Id = secondID
			return &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{one}, NextPageToken: "next"}, nil
		}
		one.Id = thirdID
		return &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{one}}, nil
	})
	shows(t, w.browser("desk").get("/waitlist").Body.String(), `<option value="`+secondID+`"`, `<option value="`+thirdID+`"`)
}
