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
	shows(t, body, "<del>李医生 P1001</del> → <ins>陈医生 P1001</ins>", "stands", `href="`+page+`?restore=`+changeID(1)+`#restore"`)
	// What it would change of what stands is shown before anything is done.
	shows(t, b.get(page+"?restore="+changeID(1)).Body.String(), "What restoring this version would change", "<del>陈医生 P1001</del> → <ins>李医生 P1001</ins>",
		`name="restore" value="`+changeID(1)+`"`, `name="version" value="2"`)
	if len(called[proto.Message](w, saveTemplateMethod)) != 0 {
		t.Error("looking restores")
	}
	again := form("version", "2", "requestId", "r1", "restore", changeID(1))
	if got := b.post(page, again); got.Code != http.StatusSeeOther || got.Header().Get("Location") != page {
		t.Fatal(got.Code)
	}
	if sent := lastly[*schedulingv1.SaveTemplateRequest](t, w, saveTemplateMethod); sent.GetTemplate().GetPractitionerName() != "李医生" || sent.GetTemplate().GetVersion() != 2 || sent.GetRequestId() != "r1" {
		t.Errorf("%v", sent)
	}
	w.refuse(saveTemplateMethod, errs.Stale(5, ""))
	stale := b.post(page, again)
	if stale.Code != http.StatusConflict && stale.Code != http.StatusPreconditionFailed {
		t.Error(stale.Code)
	}
	shows(t, stale.Body.String(), "<del>陈医生 P1001</del> → <ins>李医生 P1001</ins>", `name="restore" value="`+changeID(1)+`"`)
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
	shows(t, b.get(page+"?restore="+changeID(8)).Body.String(), `name="version" value="0"`, `name="restore" value="`+changeID(8)+`"`)
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
	shows(t, b.get(page).Body.String(), "Give these slots back", `href="`+page+`?restore=`+changeID(6)+`#restore"`)
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

// sampleRuleChanges are two versions of a device, of a ward and of a policy of the hospital's, which followed the county's before.
func sampleRuleChanges() map[string][]*schedulingv1.CalendarChange {
	device := sampleDevice()
	was := proto.CloneOf(device)
	was.Preparation, was.InService = "Drink a litre", false
	ward := proto.CloneOf(sampleBoard().GetWards()[0])
	before := proto.CloneOf(ward)
	before.Total--
	before.Class, before.CleaningMinutes = "ISOLATION", 90
	own := &schedulingv1.BookingPolicy{Version: 3, OrganizationId: hospitalID, ReservePercent: 45, ExpertPercent: 50, CommonDays: 14, ReserveLeadDays: 14, FallbackHours: 24}
	followed := &schedulingv1.BookingPolicy{OrganizationId: hospitalID, ReservePercent: 20, ExpertPercent: 50, CommonDays: 14, ReserveLeadDays: 14, FallbackHours: 24, Inherited: true}
	pair := func(subject, of string, now, then *schedulingv1.CalendarChange) []*schedulingv1.CalendarChange {
		now.Id, now.Subject, now.SubjectId, now.Action, now.AccountName, now.ChangeTime = changeID(0), subject, of, "SAVED", "王主任", in(-time.Hour)
		then.Id, then.Subject, then.SubjectId, then.Action = changeID(1), subject, of, "BEFORE"
		return []*schedulingv1.CalendarChange{now, then}
	}
	return map[string][]*schedulingv1.CalendarChange{
		"equipment/" + deviceID: pair("EQUIPMENT", deviceID, &schedulingv1.CalendarChange{Equipment: device}, &schedulingv1.CalendarChange{Equipment: was}),
		"wards/" + ward.GetId(): pair("WARD", ward.GetId(), &schedulingv1.CalendarChange{Ward: ward}, &schedulingv1.CalendarChange{Ward: before}),
		"policy/" + hospitalID:  pair("POLICY", hospitalID, &schedulingv1.CalendarChange{Policy: own}, &schedulingv1.CalendarChange{Policy: followed}),
	}
}

func TestDevicesWardsAndThePolicyAreMadeAgainWhatTheyWere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	on(w, schedulingv1.CalendarService_GetBookingPolicy_FullMethodName, func(_ context.Context, in *schedulingv1.GetBookingPolicyRequest) (*schedulingv1.BookingPolicy, error) {
		if in.GetOrganizationId() != "" {
			return sampleRuleChanges()["policy/"+hospitalID][0].GetPolicy(), nil
		}
		return &schedulingv1.BookingPolicy{Version: 9, ReservePercent: 30, ExpertPercent: 50, CommonDays: 14, ReserveLeadDays: 14, FallbackHours: 24}, nil
	})
	for of, changes := range sampleRuleChanges() {
		w.always(changesMethod, &schedulingv1.ListCalendarChangesResponse{Changes: changes})
		page := "/schedules/history/" + of + "?organization=" + hospitalID
		shows(t, b.get(page).Body.String(), "王主任", "restore="+changeID(1))
		body := b.get(page + "&restore=" + changeID(1)).Body.String()
		// The numbers of a policy that is inherited again are those that the county has now.
		shows(t, body, "What restoring this version would change", map[string]string{
			"EQUIPMENT": "<ins>Drink a litre</ins>", "WARD": "<ins>90</ins>", "POLICY": "<del>45 %</del> → <ins>30 %</ins>",
		}[changes[0].GetSubject()])
		// Beds that were added or closed are told, and not gone back to.
		_, would, _ := strings.Cut(body, "What restoring this version would change")
		would, _, _ = strings.Cut(would, "<form")
		if strings.Contains(would, "number of beds") || strings.Contains(body, "number of beds") != (changes[0].GetSubject() == "WARD") {
			t.Errorf("%s: %s", of, would)
		}
		if got := b.post(page, form("version", hidden(t, body, "version"), "requestId", "r1", "restore", changeID(1))); got.Code != http.StatusSeeOther {
			t.Errorf("%s: %d", of, got.Code)
		}
	}
	if sent := lastly[*schedulingv1.SaveEquipmentRequest](t, w, schedulingv1.CalendarService_SaveEquipment_FullMethodName).GetEquipment(); sent.GetPreparation() != "Drink a litre" || sent.GetVersion() != sampleDevice().GetVersion() {
		t.Errorf("%v", sent)
	}
	if sent := lastly[*schedulingv1.SetWardRequest](t, w, setWardMethod); sent.GetClass() != "ISOLATION" || sent.GetCleaningMinutes() != 90 || sent.GetRequestId() != "r1" {
		t.Errorf("%v", sent)
	}
	if sent := lastly[*schedulingv1.SetBookingPolicyRequest](t, w, setPolicyMethod).GetPolicy(); !sent.GetInherited() || sent.GetVersion() != 3 || sent.GetOrganizationId() != hospitalID {
		t.Errorf("%v", sent)
	}
	// Who may not set the policy sees what was changed, and no way back.
	if body := w.browser("desk").get("/schedules/history/policy/" + hospitalID).Body.String(); !strings.Contains(body, "王主任") || strings.Contains(body, "restore=") {
		t.Error("the desk is offered to restore the policy, or does not see its history")
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
