package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

const (
	alarmsMethod      = notificationv1.AlarmService_ListAlarms_FullMethodName
	takeMethod        = notificationv1.AlarmService_AcknowledgeAlarm_FullMethodName
	callsMethod       = notificationv1.AlarmService_ListCalls_FullMethodName
	rungMethod        = notificationv1.AlarmService_GetRung_FullMethodName
	telephonedMethod  = notificationv1.AlarmService_RecordTelephoned_FullMethodName
	recordCallMethod  = notificationv1.AlarmService_RecordCall_FullMethodName
	preferencesMethod = notificationv1.AlarmService_GetPreferences_FullMethodName
	preferMethod      = notificationv1.AlarmService_SetPreferences_FullMethodName
	countyMethod      = notificationv1.AlarmService_GetCountyRules_FullMethodName
	ruleMethod        = notificationv1.AlarmService_SetCountyRules_FullMethodName
	rosterMethod      = directoryv1.RosterService_GetRoster_FullMethodName
	planMethod        = directoryv1.RosterService_SetRoster_FullMethodName
	versionMethod     = directoryv1.RosterService_ListRosterVersions_FullMethodName
	replaceMethod     = directoryv1.RosterService_ReplaceOnRoster_FullMethodName
	handMethod        = directoryv1.RosterService_HandOver_FullMethodName
	backMethod        = directoryv1.RosterService_TakeBack_FullMethodName
	staffMethod       = directoryv1.DirectoryService_ListAccounts_FullMethodName

	alarmID, callID = "0192f0c1-0000-7000-8000-0000000000c1", "0192f0c1-0000-7000-8000-0000000000c2"
	deskPost        = "/rosters/post?department=DESK&organization=" + hospitalID
)

// onDuty answers what the pages of duty ask: nothing rings.
func onDuty() map[string]proto.Message {
	rules := &notificationv1.CountyRules{
		Version: 2, Allowed: []string{"WECOM_APP", "SMS", "WECOM_ROBOT"}, AlwaysEmergency: []string{"SMS"}, AlwaysUrgent: []string{"WECOM_APP"}, QuietAllowed: true,
		QuietHoursMost: 10, RingSeconds: 60, CallMinutes: 5, PatientSms: true, PatientSmsWorks: true,
	}
	preferences := &notificationv1.Preferences{Version: 3, Urgent: []string{"WECOM_APP"}, QuietFrom: "22:00", QuietTo: "07:00", DigestTimes: []string{"08:00", "17:00"}, County: rules}
	return map[string]proto.Message{
		alarmsMethod: &notificationv1.ListAlarmsResponse{}, takeMethod: sampleAlarm(), callsMethod: &notificationv1.ListCallsResponse{Calls: sampleCalls(), NextPageToken: "next"},
		rungMethod: sampleRung(), telephonedMethod: sampleRung(), recordCallMethod: sampleCalls()[0], preferencesMethod: preferences, preferMethod: preferences, countyMethod: rules, ruleMethod: rules,
		notificationv1.AlarmService_ListRules_FullMethodName: &notificationv1.ListRulesResponse{Rules: []*notificationv1.Rule{
			{Event: "accepted", To: "PATIENT", When: "BOOKED", Channels: []string{"SMS"}, Text: "您的转诊", TextEnglish: "Your referral", County: true},
			{Event: "deadline_passed", To: "COUNTY_ADMIN", When: "ANSWER UP 3", Channels: []string{"WECOM_APP", "SMS"}},
			{Event: "deadline_passed", To: "ORIGINATOR", When: "CONSENT 1"},
		}},
		versionMethod: sampleRosterVersions(), rosterMethod: sampleRoster(), planMethod: sampleRoster(), replaceMethod: sampleRoster(), handMethod: sampleRoster(), backMethod: sampleRoster(),
		directoryv1.RosterService_ListOnDuty_FullMethodName: &directoryv1.ListOnDutyResponse{Posts: []*directoryv1.PostDuty{
			{DepartmentCode: "DESK", Duties: sampleRoster().GetDuties()}, {DepartmentCode: "0304"},
		}},
		staffMethod: &directoryv1.ListAccountsResponse{Accounts: []*directoryv1.Account{
			{Id: clerk().GetId(), Name: "周护士"}, {Id: taskID, Name: "吴护士"}, {Id: slotID, Name: "已离职", Disabled: true},
		}},
	}
}

func sampleAlarm() *notificationv1.Alarm {
	return &notificationv1.Alarm{
		Id: alarmID, ReferralId: referralID, ReferralNumber: "450321-26-0000123-4", Event: "submitted", FromOrganizationId: townshipID, CreateTime: in(-2 * time.Minute), Rings: 3,
		CallId: callID,
	}
}

func sampleRung() *notificationv1.Rung {
	return &notificationv1.Rung{
		State: "RINGING", CreateTime: in(-2 * time.Minute), Rings: 3, LastRingTime: in(-10 * time.Second),
		People: []*notificationv1.RungPerson{
			{AccountId: alarmID, Name: "韦护士", Roles: []string{"INTAKE_DESK"}, ToldTime: in(-2 * time.Minute), Ways: []*notificationv1.RungWay{{Channel: "SMS", State: "SENT"}}},
			{AccountId: callID, Name: "陈主任", Roles: []string{"DEPARTMENT_HEAD"}, ToldTime: in(-time.Minute), AcknowledgeTime: in(0)},
		},
		Calls: []*notificationv1.CallRecord{{Outcome: "TELEPHONED", ReachedName: "急诊分诊台", AccountName: "李医生", Time: in(-time.Minute), Note: "请准备导管室"}},
	}
}

func sampleCalls() []*notificationv1.Call {
	open := &notificationv1.Call{
		Id: callID, Version: 2, State: "OPEN", ReferralId: referralID, ReferralNumber: "450321-26-0000123-4", Urgency: commonv1.Urgency_EMERGENCY, OrganizationId: hospitalID,
		CreateTime: in(-time.Minute), Callees: []*notificationv1.Callee{
			{AccountId: clerk().GetId(), Name: "周护士", Phone: "12010000001", As: "ON_DUTY"}, {AccountId: taskID, Name: "吴护士", As: "SECOND_LINE"},
			{AccountId: slotID, Name: "陈主任", Phone: "12010000002", As: "HEAD"}, {Phone: "0000-8820120", As: "SWITCHBOARD"},
		},
		Records: []*notificationv1.CallRecord{{Outcome: "BUSY", AccountName: "周护士", Time: in(-30 * time.Second), Note: "占线"}},
	}
	done, _ := proto.Clone(open).(*notificationv1.Call)
	done.Id, done.State = bookingID, "OBSOLETE"
	return []*notificationv1.Call{open, done}
}

func sampleRoster() *directoryv1.Roster {
	return &directoryv1.Roster{
		OrganizationId: hospitalID, DepartmentCode: "DESK", Version: 4,
		Shifts:    []*directoryv1.Shift{{Weekday: 1, From: "08:00", To: "18:00", AccountId: clerk().GetId()}, {Weekday: 1, From: "18:00", To: "08:00", AccountId: taskID, Line: 1}},
		HandOvers: []*directoryv1.HandOverRecord{{Id: holdID, FromAccountId: clerk().GetId(), ToAccountId: taskID, Start: in(time.Hour), End: in(3 * time.Hour), Note: "门诊"}},
		Duties: []*directoryv1.Duty{
			{AccountId: clerk().GetId(), AccountName: "周护士", Phone: "12010000001", Start: in(-time.Hour), End: in(time.Hour)},
			{AccountId: taskID, AccountName: "吴护士", Start: in(time.Hour), End: in(3 * time.Hour), InsteadOfAccountId: clerk().GetId()},
		},
	}
}

// visitDuty opens the pages of duty as those who may change them and as those who may not, and as they were refused; an emergency rings.
func (w *world) visitDuty(clerk *browser, see func(*browser, string, ...string), look func(string, *browser, *httptest.ResponseRecorder)) {
	w.always(alarmsMethod, &notificationv1.ListAlarmsResponse{Alarms: []*notificationv1.Alarm{sampleAlarm()}})
	admin := w.admin()
	admin.language = clerk.language
	for _, b := range []*browser{clerk, admin} {
		for _, path := range strings.Fields("/alarms /calls /calls?show=all /preferences /preferences/county /preferences/table /rosters /rosters?organization=" + townshipID + " " + deskPost + " " + strings.Replace(deskPost, "post", "history", 1)) {
			see(b, path)
		}
	}
	see(clerk, "/alarms", "X-Fragment", "alarms")
	look("replacement", clerk, clerk.post("/rosters/replace", form("organization", hospitalID, "department", "DESK", "version", "4", "leaverId", slotID, "successorId", taskID, "do", "preview")))
	look("no replacement", clerk, clerk.post("/rosters/replace", form("organization", hospitalID, "department", "DESK", "version", "4", "leaverId", "", "successorId", "")))
	see(clerk, strings.Replace(deskPost, "post", "history", 1)+"&restore=2")
	look("call", clerk, clerk.post("/calls/"+callID, form("version", "2")))
	wrong := errs.Invalid(errs.Bad("preferences.urgent", errs.ReasonFieldCombination), errs.Bad("preferences.quietTo", errs.ReasonFieldInvalid), errs.Bad("preferences.digestTimes", errs.ReasonFieldInvalid))
	w.refuse(preferMethod, wrong)
	look("preferences", clerk, clerk.post("/preferences", form("version", "3", "preferences.quietFrom", "23:00")))
	w.refuse(ruleMethod, errs.Invalid(errs.Bad("rules.ringSeconds", errs.ReasonFieldInvalid), errs.Bad("rules.alwaysUrgent", errs.ReasonFieldCombination)))
	look("county", admin, admin.post("/preferences/county", form("version", "2", "rules.ringSeconds", "x")))
	w.refuse(planMethod, errs.Invalid(errs.Bad("shifts[0].accountId", errs.ReasonFieldUnknown)))
	look("week", clerk, clerk.post("/rosters/post", typedWeek()))
	w.refuse(handMethod, errs.Invalid(errs.Bad("toAccountId", errs.ReasonFieldUnknown), errs.Bad("end", errs.ReasonFieldInvalid)))
	look("hand over", clerk, clerk.post("/rosters/hand-over", typedHandOver()))
	w.refuse(staffMethod, errs.Unavailable("directory", nil))
	see(clerk, deskPost)
	w.always(callsMethod, &notificationv1.ListCallsResponse{})
	see(clerk, "/calls")
	w.always(rosterMethod, &directoryv1.Roster{})
	see(clerk, deskPost)
	w.always(alarmsMethod, &notificationv1.ListAlarmsResponse{})
	see(clerk, "/alarms")
}

func typedWeek() map[string][]string {
	return map[string][]string{
		"organization": {hospitalID}, "department": {"DESK"}, "version": {"4"}, "requestId": {id.New()},
		"weekday": {"1", "8", "3"}, "from": {"08:00", "20:00", ""}, "to": {"18:00", "06:00", ""}, "account": {clerk().GetId(), taskID, ""}, "line": {"0", "1", "0"},
	}
}

func typedHandOver() map[string][]string {
	return map[string][]string{
		"organization": {hospitalID}, "department": {"DESK"}, "requestId": {id.New()}, "toAccountId": {taskID}, "start": {"2026-03-02T12:00"}, "end": {"2026-03-02T18:00"}, "note": {"门诊"},
	}
}

func TestAnEmergencyThatRingsStandsAcrossEveryPageUntilItIsTakenOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	if page := b.get("/desk").Body.String(); strings.Contains(page, `class="alarm `) || !strings.Contains(page, `data-fragment="/alarms"`) {
		t.Error("a page rings for nothing, or does not ask")
	}
	w.always(alarmsMethod, &notificationv1.ListAlarmsResponse{Alarms: []*notificationv1.Alarm{sampleAlarm()}})
	for _, path := range []string{"/desk", "/inbox", "/referrals/" + referralID} {
		page := b.get(path).Body.String()
		for _, want := range []string{`data-id="` + alarmID + `-3"`, "450321-26-0000123-4", `action="/alarms/` + alarmID + `/acknowledge"`} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: no %s", path, want)
			}
		}
	}
	part := b.get("/alarms", "X-Fragment", "alarms").Body.String()
	if strings.Contains(part, "<html") || !strings.Contains(part, alarmID) {
		t.Errorf("the part that is fetched again: %s", part)
	}
	answer := b.post("/alarms/"+alarmID+"/acknowledge", form())
	if answer.Code != http.StatusSeeOther || answer.Header().Get("Location") != "/referrals/"+referralID+"?queue=1" {
		t.Errorf("taken on: %d to %s", answer.Code, answer.Header().Get("Location"))
	}
	if in := called[*notificationv1.AcknowledgeAlarmRequest](w, takeMethod); len(in) != 1 || in[0].GetId() != alarmID {
		t.Errorf("%v", in)
	}
	// The banner waits for nobody: without the service the page is there.
	w.refuse(alarmsMethod, errs.Unavailable("notification", nil))
	if answer := b.get("/desk"); answer.Code != http.StatusOK {
		t.Errorf("without the service: %d", answer.Code)
	}
	// A part that is empty would take the banner away, and fall silent, for an emergency that nobody has taken on.
	if part := b.get("/alarms", "X-Fragment", "alarms"); part.Code < http.StatusInternalServerError {
		t.Errorf("the part without the service: %d %q", part.Code, part.Body)
	}
}

func TestARingReachesThePagesOfItsAudienceAndIsRepeatedAfterALostLine(t *testing.T) {
	t.Parallel()
	l := newLiveWorld(t)
	desk, other := l.ready("desk"), l.ready("township")
	seen := ""
	for ring, message := range []proto.Message{
		&notificationv1.AlarmRang{Meta: ringMeta(2), AlarmId: alarmID}, &notificationv1.AlarmRang{Meta: ringMeta(3), AlarmId: alarmID},
		&notificationv1.AlarmAcknowledged{Meta: ringMeta(4), AlarmId: alarmID},
	} {
		payload, err := proto.Marshal(message)
		check(t, err)
		event := "alarm_rang"
		if ring == 2 {
			event = "alarm_acknowledged"
		}
		_, err = l.bus.Publish(t.Context(), bus.Msg{
			Subject: "notification.v1.450321." + event, ID: id.New(), Type: string(message.ProtoReflect().Descriptor().FullName()), Payload: payload, Time: now,
		})
		check(t, err)
		name, data, at := nextEvent(desk)
		if name != "alarm" || !strings.Contains(data, alarmID) {
			t.Fatalf("event %s %s", name, data)
		}
		if ring == 0 {
			seen = at
		}
	}
	// Who lost the line after the first ring hears of the second and of the end.
	again := l.listen("desk", seen)
	for range 2 {
		if name, _, _ := nextEvent(again); name != "alarm" {
			t.Errorf("after the lost line: %q", name)
		}
	}
	l.publish("later", "account:"+doctor().GetId())
	if name, _, _ := nextEvent(other); name != "referral" {
		t.Errorf("somebody else hears %q", name)
	}
}

func ringMeta(version int32) *commonv1.FactMeta {
	return &commonv1.FactMeta{FactId: id.New(), AggregateId: alarmID, AggregateVersion: version, Audience: []string{"account:" + clerk().GetId()}}
}

// nextEvent skips what is no event.
func nextEvent(l *listener) (name, data, at string) {
	for name == "" {
		name, data, at = l.event()
	}
	return name, data, at
}

func TestACallIsListedWithNumbersAndRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	page := b.get("/calls").Body.String()
	for _, want := range []string{`href="tel:12010000001"`, "Switchboard", "Second line", "Not known at the moment"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Count(page, `action="/calls/`) != 1 {
		t.Error("a call that is over can be recorded")
	}
	answer := b.post("/calls/"+callID, form("version", "2", "outcome", "REACHED", "reachedAccountId", taskID, "note", "马上来", "requestId", id.New()))
	in := called[*notificationv1.RecordCallRequest](w, recordCallMethod)
	if answer.Code != http.StatusSeeOther || len(in) != 1 || in[0].GetOutcome() != "REACHED" || in[0].GetReachedAccountId() != taskID || in[0].GetVersion() != 2 {
		t.Errorf("%d, %v", answer.Code, in)
	}
	w.refuse(recordCallMethod, errs.Stale(3, "OPEN"))
	refused := b.post("/calls/"+callID, form("version", "2", "outcome", "BUSY", "note", "占线两次"))
	if refused.Code != http.StatusConflict || !strings.Contains(refused.Body.String(), "占线两次") {
		t.Errorf("what was typed is lost: %d", refused.Code)
	}
}

func TestPreferencesAreSentAndARefusalKeepsThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	page := b.get("/preferences").Body.String()
	if strings.Contains(page, `value="EMAIL"`) || !strings.Contains(page, `type="hidden" name="preferences.urgent" value="WECOM_APP"`) {
		t.Error("what the county does not allow is offered, or what it always uses can be turned off")
	}
	typed := map[string][]string{
		"version": {"3"}, "requestId": {id.New()}, "preferences.urgent": {"WECOM_APP", "SMS"}, "preferences.quietFrom": {"21:00"}, "preferences.quietTo": {"06:00"},
		"preferences.digestTimes": {"08：00，17:30"}, "preferences.language": {"en"}, "preferences.soundForUrgent": {"on"},
	}
	answer := b.post("/preferences", typed)
	in := called[*notificationv1.SetPreferencesRequest](w, preferMethod)
	if answer.Code != http.StatusSeeOther || len(in) != 1 {
		t.Fatalf("%d, %v", answer.Code, in)
	}
	if p := in[0].GetPreferences(); !slices.Equal(p.GetDigestTimes(), []string{"08:00", "17:30"}) || len(p.GetUrgent()) != 2 || p.GetVersion() != 3 || !p.GetSoundForUrgent() {
		t.Errorf("%v", p)
	}
	w.refuse(preferMethod, errs.Invalid(errs.Bad("preferences.quietTo", errs.ReasonFieldInvalid)))
	refused := b.post("/preferences", typed).Body.String()
	if !strings.Contains(refused, `value="21:00"`) || !strings.Contains(refused, `href="#f-preferences.quietTo"`) {
		t.Error("what was typed is lost, or what is wrong is not named")
	}
	if page := b.get("/preferences/county").Body.String(); strings.Contains(page, `<button class="primary">`) {
		t.Error("everybody may change the county's rules")
	}
	admin := w.admin()
	admin.post("/preferences/county", map[string][]string{"version": {"2"}, "rules.allowed": {"SMS"}, "rules.ringSeconds": {"90"}})
	if in := called[*notificationv1.SetCountyRulesRequest](w, ruleMethod); len(in) != 1 || in[0].GetRules().GetRingSeconds() != 90 || in[0].GetRules().GetPatientSms() {
		t.Errorf("%v", in)
	}
}

func TestAWeekIsPlannedAndADutyHandedOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	if page := b.get("/rosters").Body.String(); !strings.Contains(page, "周护士") || !strings.Contains(page, "Intake desk") {
		t.Error("who is on duty now is not shown")
	}
	page := b.get(deskPost).Body.String()
	for _, want := range []string{"In the coming seven days nobody is on duty", "吴护士", `name="weekday"`, `name="toAccountId"`, `action="/rosters/take-back"`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
	// The form is filled in for the shift that runs now, and what is taken back is named.
	local := now.In(time.FixedZone("", 8*60*60))
	for _, want := range []string{
		`name="start" type="datetime-local" value="` + local.Format("2006-01-02T15:04"), `name="end" type="datetime-local" value="` + local.Add(time.Hour).Format("2006-01-02T15:04"),
		`<option value="` + taskID + `" selected>`, "Take back: from 吴护士 to 周护士",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the hand-over is not filled in: no %s", want)
		}
	}
	if strings.Contains(page, "已离职") {
		t.Error("who left is offered")
	}
	b.post("/rosters/post", typedWeek())
	in := called[*directoryv1.SetRosterRequest](w, planMethod)
	if len(in) != 1 || len(in[0].GetShifts()) != 8 || in[0].GetVersion() != 4 || in[0].GetShifts()[7].GetWeekday() != 7 || in[0].GetShifts()[7].GetLine() != 1 {
		t.Errorf("%v", in)
	}
	b.post("/rosters/hand-over", typedHandOver())
	given := called[*directoryv1.HandOverRequest](w, handMethod)
	if len(given) != 1 || !given[0].GetStart().AsTime().Equal(time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)) || given[0].GetToAccountId() != taskID {
		t.Errorf("%v", given)
	}
	if answer := b.post("/rosters/take-back", form("id", holdID)); !strings.Contains(answer.Header().Get("Location"), "department=DESK") {
		t.Errorf("%v", answer.Header())
	}
	w.refuse(planMethod, errs.Stale(5, ""))
	if refused := b.post("/rosters/post", typedWeek()).Body.String(); !strings.Contains(refused, `value="20:00"`) {
		t.Error("what was typed is lost")
	}
	// Without the people of the organisation a form would lose who is planned.
	w.refuse(staffMethod, errs.Unavailable("directory", nil))
	if page := b.get(deskPost).Body.String(); strings.Contains(page, `name="weekday"`) {
		t.Error("a week can be changed without its people")
	}
}
