package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// Calls are counted where one looks all day; at a doctor the entry comes with the first.
func TestCallsToBeMadeAreCountedInTheRail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	desk, doctor := w.browser("desk"), w.browser("township")
	const entry = `<a href="/calls" data-nav="calls" data-count`
	if body := doctor.get("/inbox").Body.String(); !strings.Contains(body, entry+` hidden class="rest">`) {
		t.Error("a doctor without calls has the entry")
	}
	if body := desk.get("/inbox").Body.String(); !strings.Contains(body, entry+` class="rest">`) {
		t.Error("the desk has no entry")
	}
	w.always(alarmsMethod, &notificationv1.ListAlarmsResponse{OpenCallCount: 2, SoundForUrgent: true})
	for _, b := range []*browser{desk, doctor} {
		body := b.get("/inbox").Body.String()
		if !strings.Contains(body, entry+` class="rest">Calls to make <span class="count">2</span>`) || !strings.Contains(body, " data-urgent ") {
			t.Error("the calls are not counted, or urgent messages are silent")
		}
		count := b.get("/inbox/count", "X-Fragment", "count")
		if got := strings.TrimSpace(count.Body.String()); !strings.Contains(got, `"calls":2`) || !strings.Contains(got, `"inbox":`) {
			t.Errorf("counted anew: %s", got)
		}
	}
	part := desk.get("/calls", "X-Fragment", "calls").Body.String()
	if strings.Contains(part, "<html") || !strings.Contains(part, `action="/calls/`+callID) {
		t.Errorf("the part that is fetched again: %s", part)
	}
	if body := desk.get("/calls?show=all").Body.String(); !strings.Contains(body, `data-fragment="/calls?show=all"`) {
		t.Error("the list is not fetched again as it is shown")
	}
	w.refuse(recordCallMethod, errs.Invalid(errs.Bad("reachedAccountId", errs.ReasonFieldInvalid)))
	if got := desk.post("/calls/"+callID, form("version", "2", "outcome", "REACHED", "reachedAccountId", slotID)); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), "Who was reached") {
		t.Errorf("%d: nobody is told what is wrong", got.Code)
	}
}

// A page hears how urgent a message is, so that it can sound: of new ones only.
func TestAPageHearsHowUrgentAMessageIs(t *testing.T) {
	t.Parallel()
	l := newLiveWorld(t)
	desk := l.ready("desk")
	meta := func() *commonv1.FactMeta {
		return &commonv1.FactMeta{FactId: id.New(), AggregateId: id.New(), AggregateVersion: 1, Audience: []string{"account:" + clerk().GetId()}}
	}
	entry := &notificationv1.EntryFact{NotificationId: id.New(), AccountId: clerk().GetId(), Urgency: commonv1.Urgency_URGENT}
	for event, message := range map[string]proto.Message{
		"entry_created": &notificationv1.EntryCreated{Meta: meta(), Entry: entry}, "entry_acknowledged": &notificationv1.EntryAcknowledged{Meta: meta(), Entry: entry},
	} {
		payload, err := proto.Marshal(message)
		check(t, err)
		_, err = l.bus.Publish(t.Context(), bus.Msg{
			Subject: "notification.v1.450321." + event, ID: id.New(), Type: string(message.ProtoReflect().Descriptor().FullName()), Payload: payload, Time: now,
		})
		check(t, err)
		if name, data, _ := nextEvent(desk); name != "notification" || strings.Contains(data, `"urgency":"URGENT"`) != (event == "entry_created") {
			t.Errorf("%s: %s %s", event, name, data)
		}
	}
}

func TestAddressesSayWhichIsInForceAndWhoeverMaySetsThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	group := &notificationv1.Address{Channel: notificationv1.Channel_WEBHOOK, DepartmentCode: "0304", Masked: "https://…"}
	w.always(addressesMethod, &notificationv1.ListAddressesResponse{Addresses: []*notificationv1.Address{{Channel: notificationv1.Channel_SMS, Masked: "138****8000", FromDirectory: true}}})
	body := w.browser("township").get("/addresses").Body.String()
	shows(t, body, "138****8000", "from the directory")
	if strings.Contains(body, `value="remove"`) || strings.Contains(body, "not tested yet") {
		t.Error("what the directory says is offered for removal")
	}
	w.always(addressesMethod, &notificationv1.ListAddressesResponse{Addresses: []*notificationv1.Address{group}})
	const cardiology, whole = `<option value="0304"`, `<option value="" selected>the whole`
	for role, sees := range map[commonv1.Role_Code][2]bool{ // the department's, the house's
		commonv1.Role_INTAKE_DESK: {false, true}, commonv1.Role_DEPARTMENT_HEAD: {true, false}, commonv1.Role_COUNTY_ADMIN: {true, true},
	} {
		w.mu.Lock()
		w.sessions[role.String()] = &directoryv1.Account{Id: role.String(), Name: "x", OrganizationId: hospitalID, DepartmentCode: "0304", County: "450321", Roles: []commonv1.Role_Code{role}}
		w.mu.Unlock()
		_, groups, _ := strings.Cut(w.browser(role.String()).get("/addresses").Body.String(), "Groups of")
		form := groups[strings.Index(groups, `name="departmentCode">`)+1:]
		if got := [2]bool{strings.Contains(form, cardiology), strings.Contains(form, whole)}; got != sees {
			t.Errorf("%s may set the department's and the house's: %v, want %v", role, got, sees)
		}
		if removes := strings.Contains(groups, `value="remove"`); removes != sees[0] {
			t.Errorf("%s is offered to remove the department's: %v", role, removes)
		}
	}
}

func TestTheCountySeesWhomOfThoseOnDutyNothingReaches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin()
	w.always(channelsMethod, &notificationv1.ListChannelsResponse{OnDuty: &notificationv1.OnDutyReach{Count: 3, Unreached: []*notificationv1.Unreached{
		{AccountId: taskID, Name: "吴护士", OrganizationId: hospitalID}, {AccountId: slotID, Name: "陈主任", OrganizationId: hospitalID},
	}}})
	shows(t, admin.get("/deliveries").Body.String(), "3 on duty now", "does not reach 2 of them", "吴护士", "陈主任")
	w.always(channelsMethod, &notificationv1.ListChannelsResponse{OnDuty: &notificationv1.OnDutyReach{Count: 3}})
	shows(t, admin.get("/deliveries").Body.String(), "reaches all of them")
	// Reasons are worded; what the provider said stands beside.
	dead := sampleDelivery(notificationv1.DeliveryState_DEAD)
	dead.Reason = "REFUSED isv.MOBILE_NUMBER_ILLEGAL"
	w.always(listDeliveriesMethod, &notificationv1.ListDeliveriesResponse{Deliveries: []*notificationv1.Delivery{dead}})
	if body := admin.get("/deliveries").Body.String(); !strings.Contains(body, "refused <small>code isv.MOBILE_NUMBER_ILLEGAL</small>") || strings.Contains(body, "REFUSED") {
		t.Error("a code stands where words should")
	}
}
