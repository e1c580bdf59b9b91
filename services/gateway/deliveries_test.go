package gateway_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

func TestWhatWentOutIsListedWithItsChannels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin()
	body := admin.get("/deliveries?state=DEAD&channel=SMS").Body.String()
	shows(t, body, "SMS", "rests after failures", "7 given up", "not configured", "139****4321", "given up", "refused", "account is not taken; please check the settings <small>code 535", "Cardiology is not reached:", "code 93000", `href="/deliveries/`+deliveryID+`"`, "page=next", "Send again what was given up (7)")
	asked := lastly[*notificationv1.ListDeliveriesRequest](t, w, listDeliveriesMethod)
	if asked.GetState() != notificationv1.DeliveryState_DEAD || asked.GetChannel() != notificationv1.Channel_SMS {
		t.Errorf("%v", asked)
	}
	if body := w.browser("desk").get("/deliveries").Body.String(); strings.Contains(body, "/deliveries/replay") || !strings.Contains(body, "139****4321") {
		t.Error("the desk is offered what only administrators may do, or sees nothing")
	}
	w.refuse(channelsMethod, errs.Unavailable("notification", nil))
	shows(t, admin.get("/deliveries").Body.String(), "How the channels are cannot be read", "139****4321")
	w.refuse(listDeliveriesMethod, errs.Denied(errs.ReasonRole))
	if got := w.browser("township").get("/deliveries"); got.Code != http.StatusForbidden {
		t.Error(got.Code)
	}
}

func TestAMessageLeadsToWhatItsReaderMayRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, page := range []string{"/deliveries", "/deliveries/" + deliveryID} {
		if body := w.admin().get(page).Body.String(); !strings.Contains(body, `href="/statistics/cases/`+referralID+`"`) || strings.Contains(body, `href="/referrals/`+referralID) {
			t.Errorf("%s leads the administrator to a sheet that is refused", page)
		}
		if body := w.browser("desk").get(page).Body.String(); !strings.Contains(body, `href="/referrals/`+referralID+`"`) {
			t.Errorf("%s does not lead the desk to the sheet", page)
		}
	}
}

func TestAMessageShowsItsAttemptsAndIsSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin, page := w.admin(), "/deliveries/"+deliveryID
	shows(t, admin.get(page).Body.String(), "ILLEGAL-40001", "unknown, perhaps sent", ">again<", `data-confirm="Send this message again?"`)
	if got := admin.post(page+"/replay", form()); got.Code != http.StatusSeeOther || got.Header().Get("Location") != page {
		t.Error(got.Code)
	}
	shows(t, admin.post("/deliveries/replay", form("channel", "SMS", "since", "2026-03-01")).Body.String(), "5 messages will be sent again")
	sent := lastly[*notificationv1.ReplayDeliveriesRequest](t, w, replayAllMethod)
	if sent.GetChannel() != notificationv1.Channel_SMS || sent.GetSince().AsTime().Format("2006-01-02T15:04") != "2026-02-28T16:00" {
		t.Errorf("%v", sent)
	}
	if got := admin.post("/deliveries/replay", form("channel", "SMS")); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), `href="#f-since"`) {
		t.Error("without a day:", got.Code)
	}
	w.refuse(replayMethod, errs.WrongState("replay", "SENT"))
	if got := admin.post(page+"/replay", form()); got.Code != http.StatusPreconditionFailed || !strings.Contains(got.Body.String(), "ILLEGAL-40001") {
		t.Error(got.Code)
	}
	w.always(getDeliveryMethod, sampleDelivery(notificationv1.DeliveryState_SENT))
	if strings.Contains(admin.get(page).Body.String(), page+"/replay") {
		t.Error("what was sent can be sent again")
	}
}

func TestAddressesAreSetTestedAndRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	body := b.get("/addresses").Body.String()
	shows(t, body, "139****4321", "WeCom")
	if strings.Contains(body, "Groups of") {
		t.Error("a doctor is offered the groups")
	}
	if got := b.post("/addresses", form("requestId", "r1", "group", "", "channel", "SMS", "address.value", " 13900004321 ")); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code, got.Body)
	}
	own := lastly[*notificationv1.SetAddressRequest](t, w, setAddressMethod)
	if own.GetOrganizationId() != "" || own.GetChannel() != notificationv1.Channel_SMS || own.GetValue() != "13900004321" {
		t.Errorf("%v", own)
	}
	desk := w.browser("desk")
	shows(t, desk.get("/addresses").Body.String(), "Groups of", "with a secret", "Cardiology")
	desk.post("/addresses", form("group", "1", "channel", "WEBHOOK", "departmentCode", "0304", "address.value", "https://example.org/hook", "address.secret", "s3cret"))
	group := lastly[*notificationv1.SetAddressRequest](t, w, setAddressMethod)
	if group.GetOrganizationId() != hospitalID || group.GetDepartmentCode() != "0304" || group.GetSecret() != "s3cret" {
		t.Errorf("%v", group)
	}
	desk.post("/addresses", form("group", "1", "channel", "WEBHOOK", "departmentCode", "0304", "do", "remove"))
	if removed := lastly[*notificationv1.SetAddressRequest](t, w, setAddressMethod); removed.GetValue() != "" || removed.GetChannel() != notificationv1.Channel_WEBHOOK {
		t.Errorf("%v", removed)
	}
	shows(t, b.post("/addresses/test", form("group", "", "channel", "SMS")).Body.String(), `class="flash" role="status"`, "139****4321")
	if tested := lastly[*notificationv1.SendTestRequest](t, w, testMethod); tested.GetChannel() != notificationv1.Channel_SMS || tested.GetOrganizationId() != "" {
		t.Errorf("%v", tested)
	}
	w.refuse(setAddressMethod, errs.Invalid(errs.Bad("address.value", errs.ReasonFieldInvalid)))
	got := desk.post("/addresses", form("group", "1", "channel", "WEBHOOK", "address.value", typedWords, "address.secret", "s3cret"))
	if body := got.Body.String(); got.Code != http.StatusBadRequest || !strings.Contains(body, `value="`+typedWords+`"`) || strings.Contains(body, "s3cret") {
		t.Error("what was typed is lost, or the secret comes back:", got.Code)
	}
	if n := len(called[proto.Message](w, setAddressMethod)); n != 4 {
		t.Errorf("%d calls", n)
	}
	b.post("/addresses", form("channel", "SMS", "address.value", " "))
	if n := len(called[proto.Message](w, setAddressMethod)); n != 4 {
		t.Error("an empty address is sent")
	}
}

// plannedForms are those of what can be booked, with something in them that must never be lost.
func plannedForms() map[string]typedForm {
	exception := form("requestId", "r1", "version", "2", "exception.effect", "CLOSED", "exception.firstDay", "2026-03-04", "exception.reasonCode", "LEAVE", "exception.note", typedWords)
	device := form("requestId", "r1", "version", "1", "equipment.name", typedWords, "equipment.modality", "MR", "equipment.departmentCode", "0304")
	session, page := form("requestId", "r1", "version", "4", "reasonCode", "LEAVE", "note", typedWords), "/sessions/"+sessionID
	policy := form("requestId", "r1", "version", "3", "policy.reservePercent", "40", "policy.expertPercent", "50", "policy.commonDays", "14", "policy.reserveLeadDays", "14", "policy.fallbackHours", "24")
	return map[string]typedForm{
		"a template":    {"/schedules/templates/" + templateID, saveTemplateMethod, "desk", with(typedTemplate(), "version", "2"), []string{`name="template.weekdays" value="3" checked`, `name="version" value="2"`}},
		"an exception":  {"/schedules/exceptions/" + exceptionID, saveExceptionMethod, "desk", exception, []string{`value="LEAVE" checked`}},
		"a device":      {"/schedules/equipment/" + deviceID, saveEquipmentMethod, "desk", device, []string{`value="MR" checked`}},
		"the reserve":   {"/schedules/policy", setPolicyMethod, "admin", with(policy, "policy.commonDays", "99"), []string{`value="99"`}},
		"a cancelling":  {page + "/cancel", cancelSessionMethod, "desk", session, []string{`value="LEAVE" selected`}},
		"a stand-in":    {page + "/substitute", substituteMethod, "desk", with(session, "practitionerName", typedWords), nil},
		"an address":    {"/addresses", setAddressMethod, "desk", form("requestId", "r1", "group", "", "channel", "SMS", "address.value", typedWords), nil},
		"a place in it": {"/waitlist", joinMethod, "desk", form("requestId", "r1", "referralId", referralID, "kind", "BED", "firstDay", typedWords), []string{`value="BED" checked`}},
	}
}

func TestNoRefusalLosesWhatWasPlanned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admin()
	for name, f := range plannedForms() {
		t.Run(name, func(t *testing.T) {
			for kind := errs.KindDenied; kind <= errs.KindInternal; kind++ {
				w.refuse(f.method, errs.New(kind, "", "no", nil))
				got := w.browser(f.session).post(f.path, f.values)
				body := got.Body.String()
				for _, want := range append(f.kept, `action="`+f.path+`"`) {
					if !strings.Contains(body, want) {
						t.Errorf("%v: %s is lost", kind, want)
					}
				}
				if !strings.Contains(f.values.Encode(), url.QueryEscape(typedWords)) == strings.Contains(body, typedWords) || got.Code < http.StatusBadRequest || !strings.Contains(body, `role="alert"`) {
					t.Errorf("%v: %d, or what was typed is lost", kind, got.Code)
				}
				// What may have been carried out is repeated as the same request, what was not is another.
				if same := kind == errs.KindUnavailable || kind == errs.KindInternal; strings.Contains(body, `name="requestId" value="r1"`) != same {
					t.Errorf("%v: %v", kind, requestIDs.FindAllString(body, -1))
				}
			}
		})
	}
}

func TestAnOutageLosesNothingThatWasPlanned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admin()
	w.away("scheduling")
	for name, f := range plannedForms() {
		if !strings.HasPrefix(f.path, "/schedules") {
			continue
		}
		got := w.browser(f.session).post(f.path, f.values)
		body := got.Body.String()
		for _, want := range append(f.kept, `name="requestId" value="r1"`, `action="`+f.path) {
			if !strings.Contains(body, want) {
				t.Errorf("%s: %s is lost", name, want)
			}
		}
		if got.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", name, got.Code)
		}
	}
}

// The pages let the services decide: whoever they refuse is told so, and sees nothing.
func TestWhoMayNotPlanIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, method := range []string{
		listTemplatesMethod, "/tongzhen.scheduling.v1.CalendarService/ListExceptions", "/tongzhen.scheduling.v1.CalendarService/ListEquipment", listSessionsMethod, getSessionMethod, boardMethod, waitlistMethod,
	} {
		w.refuse(method, errs.Denied(errs.ReasonRole))
	}
	b := w.as("auditor", commonv1.Role_AUDITOR)
	for _, path := range strings.Fields("/schedules /schedules/templates/new /schedules/exceptions /schedules/equipment /sessions /sessions/" + sessionID + " /beds /waitlist") {
		if got := b.get(path); got.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
	for _, path := range strings.Fields("/schedules /sessions /beds /waitlist /deliveries /addresses") {
		if got := w.browser("").get(path); got.Code != http.StatusSeeOther || !strings.HasPrefix(got.Header().Get("Location"), "/sign-in") {
			t.Errorf("%s without sign-in: %d", path, got.Code)
		}
	}
}
