package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

func TestBeforeAnAccountIsDisabledItSaysWhatIsInItsNameAndWhereThatGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.admin()
	body := sound(t, "ask", b.get(onePage+"/disable"))
	shows(t, body, "is still in the person&#39;s name", "8 sessions, 4 booked", "2026-03-04 – 2026-03-30", "陈&lt;b&gt;医生",
		`href="/schedules/templates/`+templateID+`?organization=`+hospitalID+`"`, `href="/sessions?from=2026-03-05&amp;organization=`+townshipID+`"`,
		`href="/rosters/post?department=DESK&amp;leaves=`+keptAccountID+`&amp;organization=`+hospitalID+`#replace"`,
		"2 open referrals were written", "12 open referrals name", "5 patients are followed up")
	if asked := lastly[*referralv1.CountOpenRequest](t, w, openMethod); asked.GetAccountId() != keptAccountID {
		t.Errorf("%v", asked)
	}
	if asked := lastly[*schedulingv1.CountComingRequest](t, w, comingMethod); asked.GetPractitionerIds()[0] != keptAccountID || asked.GetPractitionerName() != "陈<b>医生" {
		t.Errorf("%v", asked)
	}
	// Who keeps accounts alone plans nothing: the same is said, without the ways.
	if body := w.as("system", commonv1.Role_SYSTEM_ADMIN).get(onePage + "/disable").Body.String(); !strings.Contains(body, "8 sessions") || strings.Contains(body, "/schedules/templates/") {
		t.Error("a system administrator is sent where nothing opens")
	}
	// What cannot be read is said; the account can be disabled all the same.
	w.refuse(comingMethod, errs.Unavailable("scheduling", nil))
	shows(t, b.get(onePage+"/disable").Body.String(), "cannot be read at the moment", `class="danger"`)
	// Once it is disabled its page goes on saying so.
	off := keptDetail()
	off.State = directoryv1.AccountState_DISABLED
	w.always(getAccount, off)
	shows(t, b.get(onePage).Body.String(), "Disabled, but this is still", "5 patients are followed up")
	off.Posts = nil
	w.always(openMethod, &referralv1.OpenWork{})
	w.always(comingMethod, &schedulingv1.CountComingResponse{})
	shows(t, b.get(onePage+"/disable").Body.String(), "No duty, no clinic and no open referral")
}

func gonePerson() *directoryv1.Roster {
	roster := sampleRoster()
	roster.Shifts = append(roster.Shifts, &directoryv1.Shift{Weekday: 2, From: "08:00", To: "18:00", AccountId: slotID, LastDay: "2026-04-01"})
	return roster
}

func TestWhoLeftIsReplacedOnARosterAfterALookAtTheChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(rosterMethod, gonePerson())
	b := w.browser("desk")
	body := sound(t, "roster", b.get(deskPost))
	shows(t, body, "nobody is on their shifts", "nobody on duty</span>", "until 2026-04-01", `<option value="`+slotID+`" selected>已离职 · `, `id="replace"`, "Show the changes first")
	would := gonePerson()
	would.Shifts[2] = &directoryv1.Shift{Weekday: 2, From: "08:00", To: "18:00", AccountId: taskID}
	w.always(replaceMethod, would)
	sent := form("organization", hospitalID, "department", "DESK", "version", "4", "requestId", "r1", "leaverId", slotID, "successorId", taskID, "fromDay", "2026-03-05", "do", "preview")
	shows(t, b.post("/rosters/replace", sent).Body.String(), "<del>已离职 until 2026-04-01</del> → <ins>吴护士</ins>", `name="do" value="replace"`, `value="2026-03-05"`)
	if asked := lastly[*directoryv1.ReplaceOnRosterRequest](t, w, replaceMethod); !asked.GetPreview() || asked.GetVersion() != 4 || asked.GetFromDay() != "2026-03-05" {
		t.Errorf("%v", asked)
	}
	if got := b.post("/rosters/replace", with(sent, "do", "replace")); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code)
	}
	if asked := lastly[*directoryv1.ReplaceOnRosterRequest](t, w, replaceMethod); asked.GetPreview() || asked.GetFromAccountId() != slotID || asked.GetToAccountId() != taskID || asked.GetRequestId() != "r1" {
		t.Errorf("%v", asked)
	}
	shows(t, b.post("/rosters/replace", with(sent, "leaverId", "", "successorId", "")).Body.String(), "Instead of", `href="#f-leaverId"`, `href="#f-successorId"`)
	for reason, c := range map[string]struct {
		err  error
		want string
	}{
		"behind":  {errs.Invalid(errs.Bad("toAccountId", errs.ReasonFieldCombination)), "on another line at the same time"},
		"none":    {errs.WrongState("NO_DUTY", "replace"), "has no shift on this roster from that day on"},
		"the day": {errs.Invalid(errs.Bad("fromDay", errs.ReasonFieldOutOfRange)), "Choose today"},
	} {
		w.refuse(replaceMethod, c.err)
		if body := b.post("/rosters/replace", sent).Body.String(); !strings.Contains(body, c.want) || !strings.Contains(body, `<option value="`+taskID+`" selected>`) {
			t.Errorf("%s: not told, or what was chosen is lost", reason)
		}
	}
	w.refuse(planMethod, errs.Invalid(errs.Bad("shifts[1].accountId", errs.ReasonFieldCombination)))
	shows(t, b.post("/rosters/post", typedWeek()).Body.String(), "first and the second (or third) line", `value="20:00"`)
}

func TestASuccessorIsAColleagueOfTheDepartmentWhoIsNotYetOnTheWeek(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(rosterMethod, gonePerson())
	role := []commonv1.Role_Code{commonv1.Role_INTAKE_DESK}
	w.always(staffMethod, &directoryv1.ListAccountsResponse{Accounts: []*directoryv1.Account{
		{Id: clerk().GetId(), Name: "周护士", Roles: role}, {Id: holdID, Name: "别科室", Roles: role, DepartmentCode: "0304"}, {Id: bookingID, Name: "新人", Roles: role}, {Id: taskID, Name: "吴护士", Roles: role},
		{Id: slotID, Name: "已离职", Disabled: true, Roles: role},
	}})
	_, successor, _ := strings.Cut(w.browser("desk").get(deskPost).Body.String(), `name="successorId"`)
	shows(t, successor, `<option value="`+bookingID+`" selected>新人`)
	// Of those on the week only one of the same line can be: the clerk is, the nurse is behind.
	w.always(staffMethod, &directoryv1.ListAccountsResponse{Accounts: []*directoryv1.Account{
		{Id: taskID, Name: "吴护士", Roles: role}, {Id: clerk().GetId(), Name: "周护士", Roles: role}, {Id: slotID, Name: "已离职", Disabled: true, Roles: role},
	}})
	_, successor, _ = strings.Cut(w.browser("desk").get(deskPost).Body.String(), `name="successorId"`)
	shows(t, successor, `<option value="`+clerk().GetId()+`" selected>周护士`)
}

func TestTheListOfRostersSaysWhereNobodyIsOnDuty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(directoryv1.RosterService_ListOnDuty_FullMethodName, &directoryv1.ListOnDutyResponse{Posts: []*directoryv1.PostDuty{{DepartmentCode: "0304", LeftShifts: 3}}})
	shows(t, w.browser("desk").get("/rosters").Body.String(), "nobody on duty now", "3 shifts are of people who left", "no roster yet")
}

func TestBookedSessionsGoToTheSubstituteInOneStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	changed := sampleTemplate()
	changed.PractitionerId, changed.PractitionerName = "P2", "李医生"
	cancelled, _ := proto.Clone(sampleSession()).(*schedulingv1.Session)
	cancelled.Id, cancelled.State = slotID, schedulingv1.SessionState_CANCELLED
	w.always(saveTemplateMethod, &schedulingv1.SaveTemplateResponse{Template: changed, Conflicts: []*schedulingv1.Session{sampleSession(), cancelled}})
	b := w.browser("desk")
	body := b.post("/schedules/templates/"+templateID, with(typedTemplate(), "version", "2")).Body.String()
	shows(t, body, "李医生 holds these 1 sessions", `name="session" value="`+sessionID+` 4"`, `action="/schedules/substitute"`)
	if strings.Contains(body, `value="`+slotID+` `) {
		t.Error("a cancelled session is given to somebody")
	}
	sent := form("requestId", "r1", "practitionerId", "P2", "practitionerName", "李医生", "session", sessionID+" 4")
	if got := b.post("/schedules/substitute", sent); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code)
	}
	asked := lastly[*schedulingv1.SubstituteSessionRequest](t, w, substituteMethod)
	if asked.GetId() != sessionID || asked.GetVersion() != 4 || asked.GetPractitionerName() != "李医生" || asked.GetPractitionerId() != "P2" {
		t.Errorf("%v", asked)
	}
	w.refuse(substituteMethod, errs.Stale(5, ""))
	if got := b.post("/schedules/substitute", sent); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code)
	}
	shows(t, b.get("/sessions").Body.String(), "had just been changed by somebody else")
	if got := b.post("/schedules/substitute", with(sent, "session", "none")); got.Code != http.StatusBadRequest {
		t.Error(got.Code)
	}
}

func TestAHandOverThatPutsOnePersonOnTwoLinesIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	const words = "one person is on two lines"
	if strings.Contains(b.get(deskPost).Body.String(), words) {
		t.Error("one line is taken for two")
	}
	roster := sampleRoster()
	roster.Duties = append(roster.Duties, &directoryv1.Duty{AccountId: taskID, AccountName: "吴护士", Line: 1, Start: in(2 * time.Hour), End: in(9 * time.Hour)})
	w.always(rosterMethod, roster)
	local := now.In(time.FixedZone("", 8*60*60))
	const form = "2006-01-02 15:04"
	shows(t, sound(t, "doubled", b.get(deskPost)), words, local.Add(2*time.Hour).Format(form)+" – "+local.Add(3*time.Hour).Format(form)+" 吴护士")
}
