package gateway_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// shows looks for words on a page.
func shows(t *testing.T, body string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(body, w) {
			t.Errorf("%q is not shown", w)
		}
	}
}

func typedTemplate() url.Values {
	v := form("requestId", "r1", "template.kind", "CLINIC", "template.departmentCode", "0304", "template.practitionerName", "陈医生", "template.grade", "GENERAL", "template.location", typedWords,
		"template.pattern", "WEEKLY", "template.every", "1", "template.anchor", "2026-03-02", "template.starts", "08:00", "template.ends", "12:00", "template.slotMinutes", "15",
		"template.firstDay", "2026-03-02", "template.digits", "3", "template.equipmentId", deviceID)
	v["template.weekdays"] = []string{"1", "3"}
	return v
}

func TestTheTemplatesAreListedInWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	shows(t, b.get("/schedules?ended=1").Body.String(), "Every Monday, Wednesday", "morning 08:00–12:00", "Cardiology", "general", "Days of the lunar month ending in 3, 6, 9", "Expert session", "ended")
	b.language = "zh-CN"
	shows(t, b.get("/schedules").Body.String(), "每周一、三", "上午 08:00–12:00", "普通号", "逢农历三、六、九")
	asked := lastly[*schedulingv1.ListTemplatesRequest](t, w, listTemplatesMethod)
	if asked.GetOrganizationId() != hospitalID {
		t.Errorf("asked for %v", asked)
	}
}

func TestACountyAdministratorPicksTheOrganisation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	shows(t, b.get("/schedules").Body.String(), `<option value="`+hospitalID+`" selected>`, "/schedules/templates/new?organization="+hospitalID)
	b.get("/schedules?organization=" + townshipID)
	if asked := lastly[*schedulingv1.ListTemplatesRequest](t, w, listTemplatesMethod); asked.GetOrganizationId() != townshipID {
		t.Errorf("asked for %v", asked)
	}
	if got := b.get("/schedules?organization=" + deviceID); got.Code != http.StatusNotFound {
		t.Error(got.Code)
	}
	// Others are asked nothing: what they add to the address changes nothing.
	w.browser("desk").get("/schedules?organization=" + townshipID)
	if asked := lastly[*schedulingv1.ListTemplatesRequest](t, w, listTemplatesMethod); asked.GetOrganizationId() != hospitalID {
		t.Errorf("asked for %v", asked)
	}
}

func TestATemplateIsSavedWithWhatItsKindAndPatternNeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	shows(t, b.get("/schedules/templates/new").Body.String(), "By weekday", "Days of the lunar month", `data-post="/schedules/preview"`, "CT 一号机")
	if got := b.post("/schedules/templates/"+templateID, typedTemplate()); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/schedules" {
		t.Fatal(got.Code, got.Body)
	}
	sent := lastly[*schedulingv1.SaveTemplateRequest](t, w, saveTemplateMethod)
	want := sampleTemplate()
	want.Version, want.Location, want.FirstDay = 0, typedWords, "2026-03-02"
	// The number of a doctor who has sessions already is filled in; digits and device belong to other choices.
	if !proto.Equal(sent.GetTemplate(), want) || sent.GetRequestId() != "r1" {
		t.Errorf("%v\nwant %v", sent.GetTemplate(), want)
	}
	lunar := with(typedTemplate(), "template.pattern", "LUNAR_DIGITS", "template.kind", "EXAM", "version", "2", "template.onHolidays", "1")
	lunar["template.digits"] = []string{"3", "6", "9"}
	b.post("/schedules/templates/"+templateID, lunar)
	got := lastly[*schedulingv1.SaveTemplateRequest](t, w, saveTemplateMethod).GetTemplate()
	if got.GetPractitionerName() != "" || got.GetEquipmentId() != deviceID || len(got.GetWeekdays()) != 0 || len(got.GetDigits()) != 3 || got.GetVersion() != 2 || !got.GetOnHolidays() {
		t.Errorf("%v", got)
	}
}

func TestThePreviewShowsTheDaysAndWhyOneIsClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	body := b.post("/schedules/preview", with(typedTemplate(), "id", templateID), "X-Fragment", "1").Body.String()
	shows(t, body, "Every Monday, Wednesday", "2 sessions within 35 days", "正月十四", "closed · leave", "the same doctor or device")
	// Without scripts a button does it, and saves nothing.
	shows(t, b.post("/schedules/templates/"+templateID, with(typedTemplate(), "do", "preview")).Body.String(), "2 sessions within 35 days", typedWords)
	if len(called[proto.Message](w, saveTemplateMethod)) != 0 {
		t.Error("looking saves")
	}
	unfinished := typedTemplate()
	unfinished.Del("template.weekdays")
	shows(t, b.post("/schedules/preview", unfinished, "X-Fragment", "1").Body.String(), "Choose department and days")
	w.refuse(previewMethod, errs.Invalid(errs.Bad("template.ends", errs.ReasonFieldOutOfRange)))
	shows(t, b.post("/schedules/preview", with(typedTemplate(), "id", templateID), "X-Fragment", "1").Body.String(), "“ends” is out of range")
}

func TestConflictsOfAChangeLeadToTheirSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(saveTemplateMethod, &schedulingv1.SaveTemplateResponse{Template: sampleTemplate(), Made: 1, Removed: 4, Conflicts: []*schedulingv1.Session{sampleSession()}})
	b := w.browser("desk")
	for _, got := range []*httptest.ResponseRecorder{
		b.post("/schedules/templates/"+templateID, with(typedTemplate(), "version", "2")),
		b.post("/schedules/templates/"+templateID+"/end", form("requestId", "r1", "version", "2", "template.lastDay", "2026-04-30")),
	} {
		shows(t, got.Body.String(), `href="/sessions/`+sessionID+`"`, "1 sessions with bookings do not fit", "1 sessions opened, 4 taken back")
	}
	ended := lastly[*schedulingv1.SaveTemplateRequest](t, w, saveTemplateMethod).GetTemplate()
	if ended.GetLastDay() != "2026-04-30" || ended.GetPractitionerName() != "陈医生" {
		t.Errorf("%v", ended)
	}
	w.always(saveExceptionMethod, &schedulingv1.SaveExceptionResponse{Exception: &schedulingv1.ScheduleException{Id: exceptionID}, Conflicts: []*schedulingv1.Session{sampleSession()}})
	shows(t, b.post("/schedules/exceptions/"+exceptionID, form("exception.effect", "CLOSED", "exception.firstDay", "2026-03-04", "exception.reasonCode", "LEAVE")).Body.String(), `href="/sessions/`+sessionID+`"`)
}

func TestExceptionsAreOfTheHouseOrOfTheCounty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	desk := w.browser("desk")
	body := desk.get("/schedules/exceptions").Body.String()
	shows(t, body, `href="/schedules/exceptions/`+exceptionID+`"`, "Closed", "Works as another weekday", "the whole county", "外出")
	if strings.Contains(body, `/schedules/exceptions/`+exceptionID[:len(exceptionID)-2]+"88") {
		t.Error("the county's own is offered to be changed")
	}
	typed := form("requestId", "r1", "exception.effect", "SUBSTITUTE", "exception.firstDay", "2026-03-04", "exception.reasonCode", "LEAVE", "exception.templateId", templateID,
		"exception.substitutePractitionerName", "李医生", "exception.weekday", "1")
	if got := desk.post("/schedules/exceptions/"+exceptionID, typed); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code, got.Body)
	}
	sent := lastly[*schedulingv1.SaveExceptionRequest](t, w, saveExceptionMethod).GetException()
	if sent.GetOrganizationId() != hospitalID || sent.GetLastDay() != "2026-03-04" || sent.GetWeekday() != 0 || sent.GetSubstitutePractitionerName() != "李医生" {
		t.Errorf("%v", sent)
	}
	w.admin().post("/schedules/exceptions/"+exceptionID+"?organization="+hospitalID, with(typed, "whole", "1", "exception.effect", "WORKDAY"))
	sent = lastly[*schedulingv1.SaveExceptionRequest](t, w, saveExceptionMethod).GetException()
	if sent.GetOrganizationId() != "" || sent.GetTemplateId() != "" || sent.GetWeekday() != 1 {
		t.Errorf("%v", sent)
	}
	if got := desk.post("/schedules/exceptions/"+exceptionID+"/remove", form("version", "2")); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code)
	}
	if removed := lastly[*schedulingv1.RemoveExceptionRequest](t, w, removeExceptionMethod); removed.GetId() != exceptionID || removed.GetVersion() != 2 {
		t.Errorf("%v", removed)
	}
	// One of the whole county is much work: it has more time than other calls, and when that is not enough nobody is told that it was not saved.
	left := make(chan time.Duration, 1)
	on(w, saveExceptionMethod, func(ctx context.Context, _ *schedulingv1.SaveExceptionRequest) (*schedulingv1.SaveExceptionResponse, error) {
		deadline, _ := ctx.Deadline()
		left <- time.Until(deadline)
		return nil, errs.Unavailable("scheduling", nil)
	})
	shows(t, desk.post("/schedules/exceptions/"+exceptionID, typed).Body.String(), "it may have been saved", "please save again: nothing is done twice", `name="requestId" value="r1"`)
	if got := <-left; got < 6*time.Second {
		t.Errorf("it has %v", got)
	}
	w.refuse(removeExceptionMethod, errs.Unavailable("scheduling", nil))
	if body := desk.post("/schedules/exceptions/"+exceptionID+"/remove", form("version", "2")).Body.String(); !strings.Contains(body, "it may have been removed") || strings.Contains(body, "please save again") {
		t.Error("who removed it is told to save it")
	}
}

func TestADeviceAndTheReserveAreSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	desk := w.browser("desk")
	shows(t, desk.get("/schedules/equipment").Body.String(), "CT 一号机", "Nothing to eat for 4 hours", "in service")
	desk.post("/schedules/equipment/"+deviceID, form("requestId", "r1", "version", "1", "equipment.name", "CT 二号机", "equipment.modality", "CT", "equipment.departmentCode", "0304", "equipment.preparation", "空腹"))
	if sent := lastly[*schedulingv1.SaveEquipmentRequest](t, w, saveEquipmentMethod).GetEquipment(); sent.GetName() != "CT 二号机" || sent.GetInService() || sent.GetVersion() != 1 {
		t.Errorf("%v", sent)
	}
	if body := desk.get("/schedules/policy").Body.String(); strings.Contains(body, `name="policy.`) || !strings.Contains(body, "Set by the county") {
		t.Error("whoever only plans is offered the rule")
	}
	admin := w.admin()
	shows(t, admin.get("/schedules/policy").Body.String(), `name="policy.reservePercent" value="30"`, `name="version" value="3"`)
	shows(t, admin.get("/schedules/policy?organization="+hospitalID).Body.String(), "has its own", `name="version" value="0"`)
	typed := form("requestId", "r1", "version", "3", "policy.reservePercent", "40", "policy.expertPercent", "50", "policy.commonDays", "14", "policy.reserveLeadDays", "14", "policy.fallbackHours", "24")
	if got := admin.post("/schedules/policy", typed); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code, got.Body)
	}
	if sent := lastly[*schedulingv1.SetBookingPolicyRequest](t, w, setPolicyMethod).GetPolicy(); sent.GetReservePercent() != 40 || sent.GetVersion() != 3 || sent.GetOrganizationId() != "" {
		t.Errorf("%v", sent)
	}
	shows(t, admin.post("/schedules/policy", with(typed, "policy.commonDays", "many")).Body.String(), `href="#f-policy.commonDays"`, `value="many"`)
}

// sendFile sends a file in a form as a browser does.
func (b *browser) sendFile(path, name, content string, fields ...string) *httptest.ResponseRecorder {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i+1 < len(fields); i += 2 {
		_ = form.WriteField(fields[i], fields[i+1])
	}
	part, err := form.CreateFormFile("file", name)
	check(b.w.t, err)
	_, err = part.Write([]byte(content))
	check(b.w.t, err)
	check(b.w.t, form.Close())
	r := httptest.NewRequestWithContext(b.w.t.Context(), http.MethodPost, path, &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

func TestAFileIsTriedBeforeItIsImported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	body := b.sendFile("/schedules/files", "排班.ics", "BEGIN:VCALENDAR", "departmentCode", "0304", "slotMinutes", "20").Body.String()
	shows(t, body, "1 templates and 12 sessions would be new, 3 lines change nothing", `name="do" value="import"`)
	tried := lastly[*schedulingv1.ImportSchedulesRequest](t, w, importMethod)
	if !tried.GetDryRun() || tried.GetFormat() != "ICS" || tried.GetSlotMinutes() != 20 || string(tried.GetContent()) != "BEGIN:VCALENDAR" {
		t.Errorf("%v", tried)
	}
	confirmed := form("content", hidden(t, body, "content"), "name", hidden(t, body, "name"), "departmentCode", "0304", "slotMinutes", "20", "do", "import")
	shows(t, b.post("/schedules/files", confirmed).Body.String(), "Imported: 1 templates and 12 sessions")
	done := lastly[*schedulingv1.ImportSchedulesRequest](t, w, importMethod)
	if done.GetDryRun() || string(done.GetContent()) != "BEGIN:VCALENDAR" || done.GetFormat() != "ICS" {
		t.Errorf("%v", done)
	}
	w.always(importMethod, &schedulingv1.ImportSchedulesResponse{Problems: []*schedulingv1.ImportProblem{{Line: 7, Field: "starts", Reason: "FIELD_INVALID"}}})
	body = b.sendFile("/schedules/files", "a.csv", "x").Body.String()
	shows(t, body, "line 7", "starts", "is not right")
	if strings.Contains(body, `value="import"`) {
		t.Error("a file with problems can be imported")
	}
	shows(t, b.post("/schedules/files", form("do", "try")).Body.String(), `href="#f-file"`)
	got := b.get("/schedules/export?format=ICS&from=2026-03-02&to=2026-03-30&department=0304")
	if got.Code != http.StatusOK || !strings.Contains(got.Header().Get("Content-Disposition"), "sessions.ics") || got.Body.String() != "BEGIN:VCALENDAR" {
		t.Errorf("%d %v", got.Code, got.Header())
	}
}

func TestTheWeekShowsEachSessionAndHowFullItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := w.browser("desk").get("/sessions?from=2026-03-02&department=0304").Body.String()
	shows(t, body, `href="/sessions/`+sessionID+`"`, "1 free · 2 taken · 4 in all", "1 reserved for townships", `class="taken" x="0" y="0" width="50"`, "cancelled", "1 patients without a new time", "from=2026-03-09", "from=2026-02-23")
	asked := lastly[*schedulingv1.ListSessionsRequest](t, w, listSessionsMethod)
	if asked.GetFrom() != "2026-03-02" || asked.GetTo() != "2026-03-09" || asked.GetDepartment() != "0304" {
		t.Errorf("%v", asked)
	}
}

func TestASessionIsChangedFromItsPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	page := "/sessions/" + sessionID
	body := b.get(page).Body.String()
	shows(t, body, markName, "1 patients have a place: each moves to the earliest suitable slot", "break", "?move="+slotID, `value="`+otherSlotID+`"`)
	if strings.Contains(body, `name="slot" value="`+slotID+`"`) {
		t.Error("a slot that somebody has can be blocked")
	}
	v := form("requestId", "r1", "version", "4")
	for _, c := range []struct {
		path string
		form url.Values
		ask  func() bool
	}{
		{"/substitute", with(v, "practitionerName", "李医生"), func() bool {
			return lastly[*schedulingv1.SubstituteSessionRequest](t, w, substituteMethod).GetPractitionerName() == "李医生"
		}},
		{"/slots", with(v, "slot", otherSlotID, "do", "block", "reasonCode", "BREAK"), func() bool {
			return lastly[*schedulingv1.BlockSlotsRequest](t, w, blockMethod).GetReasonCode() == "BREAK"
		}},
		{"/slots", with(v, "slot", otherSlotID, "do", "unblock"), func() bool {
			return len(lastly[*schedulingv1.UnblockSlotsRequest](t, w, unblockMethod).GetSlotIds()) == 1
		}},
		{"/move", form("requestId", "r1", "place", bookingID, "from", slotID, "slot", otherSlotID), func() bool {
			m := lastly[*schedulingv1.MoveBookingRequest](t, w, moveMethod)
			return m.GetId() == bookingID && m.GetSlotId() == otherSlotID && m.GetFromSlotId() == slotID
		}},
	} {
		if got := b.post(page+c.path, c.form); got.Code != http.StatusSeeOther || got.Header().Get("Location") != page || !c.ask() {
			t.Errorf("%s: %d", c.path, got.Code)
		}
	}
	shows(t, b.get(page+"?move="+slotID).Body.String(), "Move a booking", `name="place" value="`+bookingID+`"`)
	w.refuse(moveMethod, errs.Conflict(errs.ReasonSlotTaken, "x"))
	shows(t, b.post(page+"/move", form("requestId", "r1", "place", bookingID, "from", slotID, "slot", otherSlotID)).Body.String(), "has just been taken", "Move a booking")
}

func TestACancelledSessionTellsWhatBecameOfEverybody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	v := form("requestId", "r1", "version", "4", "reasonCode", "LEAVE", "note", typedWords)
	body := b.post("/sessions/"+sessionID+"/cancel", v).Body.String()
	shows(t, body, "1 patients have a new time", "1 patients found no suitable slot", "Please call them", markName, `href="/waitlist"`)
	// Whoever may not open referrals sees the numbers.
	w.always(cancelSessionMethod, &schedulingv1.CancelSessionResponse{Session: sampleSession(), Displaced: 2, Moved: []*schedulingv1.Moved{{Slot: sampleSlot(otherSlotID, 26*time.Hour)}}})
	seen := w.admin().post("/sessions/"+sessionID+"/cancel", v).Body.String()
	shows(t, seen, "1 patients have a new time", "2 patients found no suitable slot")
	if _, after, _ := strings.Cut(seen, `role="status"`); strings.Contains(strings.SplitN(after, "</section>", 2)[0], "/referrals/") {
		t.Error("the administrator is led to referrals")
	}
	sent := lastly[*schedulingv1.CancelSessionRequest](t, w, cancelSessionMethod)
	if sent.GetVersion() != 4 || sent.GetReasonCode() != "LEAVE" || sent.GetNote() != typedWords || sent.GetRequestId() != "r1" {
		t.Errorf("%v", sent)
	}
	v.Del("reasonCode")
	if got := b.post("/sessions/"+sessionID+"/cancel", v); got.Code != http.StatusBadRequest || len(called[proto.Message](w, cancelSessionMethod)) != 2 || !strings.Contains(got.Body.String(), typedWords) {
		t.Errorf("without a reason: %d", got.Code)
	}
}

func TestTheBedBoardCountsShowsAndSetsBeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.as("beds", commonv1.Role_BED_MANAGER)
	b.w.mu.Lock()
	w.sessions["beds"].OrganizationId = hospitalID
	b.w.mu.Unlock()
	body := b.get("/beds").Body.String()
	shows(t, body, "心内一区", "1 of 6 free", "out of service", "cleaning", "intensive care", "<td>1</td><td>0</td><td>0</td><td>1</td>", "<td>0</td><td>0</td><td>1</td><td>6</td>")
	r := sampleReferral(referralv1.State_SUBMITTED)
	r.Kind = commonv1.Kind_INPATIENT
	w.always(listMethod, &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{r}})
	shows(t, b.get("/beds?bed="+bedID).Body.String(), `href="/referrals/`+referralID+`?bed=`+bedID+`#actions"`)
	shows(t, b.get("/beds?bed="+bedID[:len(bedID)-2]+"22").Body.String(), `<a href="/referrals/`+referralID+`">`+markName)
	for do, want := range map[string]*schedulingv1.SetBedRequest{
		"out":     {InService: false, OutReason: "REPAIR"},
		"in":      {InService: true},
		"cleaned": {InService: true, Cleaned: true},
	} {
		if got := b.post("/beds/"+bedID, form("requestId", "r1", "version", "1", "do", do, "outReason", "REPAIR", "sex", "MALE")); got.Code != http.StatusSeeOther {
			t.Error(do, got.Code)
		}
		want.Id, want.Version, want.RequestId, want.Sex = bedID, 1, "r1", "MALE"
		if sent := lastly[*schedulingv1.SetBedRequest](t, w, setBedMethod); !proto.Equal(sent, want) {
			t.Errorf("%s: %v", do, sent)
		}
	}
	// A bed that is out stays out when only the sex of its room is said.
	b.post("/beds/"+bedID, form("version", "1", "do", "sex", "sex", "FEMALE", "outReason", "REPAIR"))
	if sent := lastly[*schedulingv1.SetBedRequest](t, w, setBedMethod); sent.GetInService() || sent.GetOutReason() != "REPAIR" || sent.GetSex() != "FEMALE" {
		t.Errorf("%v", sent)
	}
	b.post("/beds/wards/"+wardID, form("requestId", "r1", "version", "3", "class", "ICU", "sex", "MALE", "cleaningMinutes", "90"))
	if sent := lastly[*schedulingv1.SetWardRequest](t, w, setWardMethod); sent.GetClass() != "ICU" || sent.GetCleaningMinutes() != 90 || sent.GetVersion() != 3 {
		t.Errorf("%v", sent)
	}
	shows(t, b.post("/beds/wards/"+wardID, form("version", "3", "cleaningMinutes", "two hours")).Body.String(), `value="two hours"`, "is not right")
}
