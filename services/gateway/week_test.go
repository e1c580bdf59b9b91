package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Whoever enters the week of a hospital types what differs from one doctor to the next, and no more.
func TestTheNextTemplateStartsFromTheOneThatWasSaved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	b.get("/schedules")
	if got := b.post("/schedules/templates/"+templateID, with(typedTemplate(), "do", "next")); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/schedules/templates/new?like="+templateID {
		t.Fatalf("%d %s", got.Code, got.Header().Get("Location"))
	}
	body := b.get("/schedules/templates/new?like=" + templateID).Body.String()
	shows(t, body, `<option value="0304" selected>`, `value="`+sampleTemplate().GetStarts()+`"`, `name="template.practitionerName" value=""`)
	if strings.Contains(body, `name="version"`) {
		t.Error("the new one would be written over the other")
	}
	shows(t, b.get("/schedules/templates/"+templateID).Body.String(), `href="/schedules/templates/new?like=`+templateID+`"`)
	shows(t, b.get("/schedules/equipment").Body.String(), `href="/schedules/templates/new?equipment=`+deviceID+`"`)
	shows(t, b.get("/schedules/templates/new?equipment="+deviceID).Body.String(), `name="template.kind" value="EXAM" checked`, `<option value="`+deviceID+`" selected>`)
}

func TestTheNextFiveDaysOfAMarketAreSaidHoweverFarApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var days []*schedulingv1.PlannedDay
	first := time.Date(2026, time.March, 3, 0, 0, 0, 0, time.UTC)
	for n := range 9 {
		days = append(days, &schedulingv1.PlannedDay{Date: first.AddDate(0, 0, 20*n).Format(time.DateOnly), LunarDate: "初三"})
	}
	days[1].ClosedBy = "HOLIDAY"
	w.always(previewMethod, &schedulingv1.PreviewTemplateResponse{Days: days})
	body := w.browser("desk").post("/schedules/preview", with(typedTemplate(), "id", templateID, "template.pattern", "LUNAR_DIGITS", "template.digits", "3"), "X-Fragment", "1").Body.String()
	shows(t, body, "The next 5:", days[5].GetDate(), "初三")
	if strings.Contains(body, days[6].GetDate()) {
		t.Error("the days do not end")
	}
}

func TestANewExceptionStartsAsWhatItIsForAndNamesADoctor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, admin := w.browser("desk"), w.admin()
	shows(t, b.get("/schedules/exceptions").Body.String(), "Public holidays are known up to 20", `href="/schedules/exceptions/new?for=workday"`)
	shows(t, b.get("/schedules/exceptions/new").Body.String(), `value="CLOSED" checked`, `value="LEAVE" checked`, `<option value="P1001">陈医生</option>`)
	shows(t, b.get("/schedules/exceptions/new?for=substitute").Body.String(), `value="SUBSTITUTE" checked`, `value="LEAVE" checked`)
	shows(t, admin.get("/schedules/exceptions/new?for=workday").Body.String(), `value="WORKDAY" checked`, `value="HOLIDAY" checked`, `name="whole" value="1" checked`)
	b.post("/schedules/exceptions/"+exceptionID, form("exception.effect", "CLOSED", "exception.firstDay", "2026-03-04", "exception.reasonCode", "LEAVE", "exception.practitionerId", "P1001"))
	if sent := lastly[*schedulingv1.SaveExceptionRequest](t, w, saveExceptionMethod).GetException(); sent.GetPractitionerId() != "P1001" || sent.GetLastDay() != "2026-03-04" {
		t.Errorf("%v", sent)
	}
	// All that is missing is told by the service, at once.
	w.refuse(saveExceptionMethod, errs.Invalid(errs.Required("exception.firstDay"), errs.Required("exception.weekday")))
	unsaid := b.post("/schedules/exceptions/"+exceptionID, form("exception.effect", "WORKDAY", "exception.reasonCode", "HOLIDAY"))
	shows(t, unsaid.Body.String(), `href="#f-exception.weekday"`, `href="#f-exception.firstDay"`)
	if sent := lastly[*schedulingv1.SaveExceptionRequest](t, w, saveExceptionMethod).GetException(); sent.GetWeekday() != 0 || sent.GetFirstDay() != "" {
		t.Errorf("%v", sent)
	}
}

func TestAWardIsAddedWithItsBeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(schedulingv1.SchedulingService_CreateSchedules_FullMethodName, &schedulingv1.CreateSchedulesResponse{BedsCreated: 30})
	admin := w.admin()
	shows(t, admin.get("/beds?organization="+hospitalID).Body.String(), `href="/beds/wards/new?organization=`+hospitalID+`"`)
	if strings.Contains(w.browser("desk").get("/beds").Body.String(), "/beds/wards/new") {
		t.Error("it is offered to who may not")
	}
	body := admin.get("/beds/wards/new?organization=" + hospitalID).Body.String()
	_, rest, _ := strings.Cut(body, `action="/beds/wards/`)
	ward, _, _ := strings.Cut(rest, "/")
	to := "/beds/wards/" + ward + "/new?organization=" + hospitalID
	refused := admin.post(to, form("ward.name", "三病区", "ward.beds", "600"))
	shows(t, refused.Body.String(), `href="#f-ward.departmentCode"`, `href="#f-ward.beds"`, `value="三病区"`, `value="600"`)
	if n := len(called[proto.Message](w, schedulingv1.SchedulingService_CreateSchedules_FullMethodName)); n != 0 {
		t.Fatalf("%d calls", n)
	}
	if got := admin.post(to, form("ward.name", "三病区", "ward.beds", "30", "ward.departmentCode", "0304", "ward.class", "GENERAL", "ward.cleaningMinutes", "45")); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code)
	}
	sent := lastly[*schedulingv1.CreateSchedulesRequest](t, w, schedulingv1.SchedulingService_CreateSchedules_FullMethodName).GetWards()
	if len(sent) != 1 || sent[0].GetId() != ward || sent[0].GetOrganizationId() != hospitalID || sent[0].GetBeds() != 30 || sent[0].GetCleaningMinutes() != 45 || sent[0].GetName() != "三病区" {
		t.Errorf("%v", sent)
	}
}

func TestTheRosterOfAClosedOrganisationIsLookedAtAndNotPlanned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.admin()
	post := strings.Replace(deskPost, "DESK", "0304", 1)
	shows(t, admin.get(post).Body.String(), `name="weekday"`)
	w.always(directoryv1.DirectoryService_ListOrganizations_FullMethodName, &directoryv1.ListOrganizationsResponse{Organizations: []*directoryv1.Organization{
		{Id: hospitalID, Name: "县人民医院", Type: directoryv1.OrganizationType_COUNTY_HOSPITAL, Disabled: true},
		{Id: townshipID, Name: "白沙镇卫生院", Type: directoryv1.OrganizationType_TOWNSHIP_CENTRE},
	}})
	w.clk.Advance(2 * time.Minute)
	shows(t, admin.get("/rosters?organization="+hospitalID).Body.String(), "县人民医院", "It is closed", "/rosters/post?organization="+hospitalID)
	body := admin.get(post).Body.String()
	shows(t, body, "It is closed", "/rosters/history")
	for _, form := range []string{`name="weekday"`, `name="toAccountId"`, `action="/rosters/take-back"`} {
		if strings.Contains(body, form) {
			t.Errorf("%s is offered", form)
		}
	}
	if strings.Contains(admin.get(strings.Replace(post, "post", "history", 1)).Body.String(), `name="restore"`) {
		t.Error("an older week is offered")
	}
}
