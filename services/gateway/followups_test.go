package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

func TestTheWorkListSaysWhoIsToBeSeenAndHow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	body := b.get("/follow-ups").Body.String()
	for what, words := range map[string]string{
		"how many": "2 to follow up today", "how late in all": `<strong class="late">, 1 overdue</strong>`, "how late": `<strong class="late">3 days overdue</strong>`, "by phone": `href="tel:` + markPhone + `"`,
		"how": "home visit", "what to check": "blood pressure, medicines taken", "the page of the visit": `href="/referrals/` + downID + `?list=%2ffollow-ups%3ftab%3dtoday#visit"`, "a check": "did the patient with hypertension go", "whose": "<small>mine</small>",
		"the number of others": "<small>+1</small>", "more": `href="/follow-ups?tab=today&amp;page=next"`, "live": `data-fragment="/follow-ups?tab=today" data-fragment-name="rows" data-kinds="referral"`,
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	if late, today := strings.Index(body, "3 days overdue"), strings.Index(body, "<strong>Today</strong>"); late < 0 || today < late {
		t.Error("the overdue one is not first")
	}
	if part := b.get("/follow-ups", "X-Fragment", "rows").Body.String(); strings.Contains(part, "<html") || !strings.Contains(part, taskID) {
		t.Error("the list is not fetched alone")
	}
}

func TestTheWorkListIsAskedForAsItIsChosen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	for query, want := range map[string]*referralv1.ListFollowUpsRequest{
		"":                                {Due: "today", PageSize: 50},
		"?tab=week&who=mine":              {Due: "week", FamilyDoctor: "me", PageSize: 50},
		"?tab=done&page=next":             {Due: "done", PageSize: 50, PageToken: "next"},
		"?tab=nonsense&who=somebody-else": {Due: "today", PageSize: 50},
		"?tab=week&village=" + downID:     {Due: "week", VillageClinicId: downID, PageSize: 50},
	} {
		b.get("/follow-ups" + query)
		if got := lastly[*referralv1.ListFollowUpsRequest](t, w, followUpsMethod); !proto.Equal(got, want) {
			t.Errorf("%q: %v", query, got)
		}
	}
}

func TestAVillageDoctorReadsWhoVisitsAndRecordsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(followUpsMethod, &referralv1.ListFollowUpsResponse{DueToday: 1, FollowUps: []*referralv1.FollowUp{{
		Id: taskID, ReferralId: downID, PatientId: patientID, Patient: &referralv1.PatientSummary{Name: markName}, Source: "PLAN", State: "OPEN", Due: "2026-03-18", Mode: "HOME",
		Theirs: true, OrganizationId: townshipID,
	}}})
	body := w.browser("township").get("/follow-ups").Body.String()
	if !strings.Contains(body, `<a href="/patients/`+patientID+`"><strong>`+markName) || strings.Contains(body, "/referrals/"+downID) || !strings.Contains(body, " visits</small>") {
		t.Errorf("the village doctor is led to the referral, or not told who visits")
	}
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
}

func TestTheWorkListIsLookedThroughVillageByVillage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if body := w.browser("township").get("/follow-ups").Body.String(); strings.Contains(body, "By village") {
		t.Error("villages are offered where the centre has none")
	}
	w = newWorld(t)
	w.always(directoryv1.DirectoryService_ListOrganizations_FullMethodName, &directoryv1.ListOrganizationsResponse{Organizations: []*directoryv1.Organization{
		{Id: townshipID, Name: "白沙镇卫生院", Type: directoryv1.OrganizationType_TOWNSHIP_CENTRE},
		{Id: downID, Name: "竹桥村卫生室", NameEn: "Zhuqiao clinic", Type: directoryv1.OrganizationType_VILLAGE_CLINIC, ParentId: townshipID},
		{Id: bookingID, Name: "别处卫生室", NameEn: "Another clinic", Type: directoryv1.OrganizationType_VILLAGE_CLINIC, ParentId: hospitalID},
	}})
	due := sampleCheck()
	due.VillageClinicId = downID
	w.always(followUpsMethod, &referralv1.ListFollowUpsResponse{FollowUps: []*referralv1.FollowUp{due}, DueToday: 1})
	body := w.browser("township").get("/follow-ups?tab=week&village=" + downID).Body.String()
	for what, words := range map[string]string{
		"the village": `href="/follow-ups?tab=week&amp;village=` + downID + `" aria-current="true">Zhuqiao clinic`, "all": `href="/follow-ups?tab=week">All villages`, "where each lives": "<small>Zhuqiao clinic</small>",
		"other tabs stay in it": `href="/follow-ups?tab=overdue&amp;village=` + downID, "and the form comes back to it": `name="village" value="` + downID,
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	if strings.Contains(body, "Another clinic") {
		t.Error("a village of another centre is offered")
	}
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
}

func TestAVisitShowsWhatEachNumberWasTheLastTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(getMethod, sampleDown(referralv1.State_FOLLOW_UP))
	w.always(actionsMethod, actionsOf("record_visit"))
	body := w.browser("township").get("/referrals/" + downID).Body.String()
	for _, words := range []string{`id="b-value.sbp">last time 182 (2026-02-20)`, `id="b-value.dbp">last time 110`, `aria-describedby="b-value.sbp"`} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is missing", words)
		}
	}
	if strings.Contains(body, `id="b-value.weight"`) {
		t.Error("a number that was never taken has one of the last time")
	}
}

func TestAnEmptyWorkListSaysWhatItMeans(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(followUpsMethod, &referralv1.ListFollowUpsResponse{})
	for tab, words := range map[string]string{"today": "Nobody is to be followed up today.", "overdue": "Nothing is overdue", "all": "once they have a plan"} {
		if body := w.browser("township").get("/follow-ups?tab=" + tab).Body.String(); !strings.Contains(body, words) || !strings.Contains(body, "0 to follow up today") {
			t.Errorf("%s: %q is not said", tab, words)
		}
	}
}

func TestACheckIsRecordedWhereItStands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	body := b.get("/follow-ups?tab=week&who=mine").Body.String()
	typed := form("requestId", hidden(t, body, "requestId"), "tab", "week", "who", "mine", "result", "NOT_GONE", "note", " 患者在外打工 ")
	got := b.post("/follow-ups/"+taskID+"/check", typed)
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/follow-ups?tab=week&who=mine" {
		t.Fatal(got.Code, got.Header())
	}
	want := &referralv1.RecordCheckRequest{Id: taskID, RequestId: typed.Get("requestId"), Result: "NOT_GONE", Note: "患者在外打工"}
	if sent := lastly[*referralv1.RecordCheckRequest](t, w, checkMethod); !proto.Equal(sent, want) || want.GetRequestId() == "" {
		t.Errorf("%v", sent)
	}
	if body := b.get("/follow-ups").Body.String(); !strings.Contains(body, "The result is saved.") {
		t.Error("not confirmed")
	}
}

func TestARefusedCheckKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		status int
		shows  string
		again  bool // the same request id
	}{
		"fields": {errs.Invalid(errs.Required("result")), 400, `<p class="error" role="alert">Please choose “result”</p>`, false},
		"away":   {errs.Unavailable("referral", nil), 503, "A service cannot be reached", true},
	} {
		w := newWorld(t)
		w.refuse(checkMethod, c.err)
		typed := form("requestId", "0192f0c1-0000-7000-8000-0000000000f1", "tab", "today", "result", "NOT_REACHED", "note", markText)
		got := w.browser("township").post("/follow-ups/"+taskID+"/check", typed)
		body := got.Body.String()
		if got.Code != c.status || !strings.Contains(body, c.shows) || !strings.Contains(body, "<details open>") || !strings.Contains(body, `value="NOT_REACHED" checked`) || !strings.Contains(body, markText+"</textarea>") {
			t.Errorf("%s: %d %s", name, got.Code, body)
		}
		if same := hidden(t, body, "requestId") == typed.Get("requestId"); same != c.again {
			t.Errorf("%s: the same request id: %v", name, same)
		}
		for _, problem := range htmlcheck.Page(body) {
			t.Error(problem)
		}
	}
}

func TestACheckThatAColleagueMadeMeanwhileLosesNoNote(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(checkMethod, errs.WrongState("record", "DONE"))
	w.always(followUpsMethod, &referralv1.ListFollowUpsResponse{})
	got := w.browser("township").post("/follow-ups/"+taskID+"/check", form("result", "WENT", "note", markText))
	if body := got.Body.String(); got.Code != http.StatusPreconditionFailed || !strings.Contains(body, `<p class="typed">`+markText) {
		t.Errorf("%d %s", got.Code, body)
	}
}

func TestWhoDoesNotFollowUpIsToldSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(followUpsMethod, errs.Denied(errs.ReasonRole))
	w.refuse(candidatesMethod, errs.Denied(errs.ReasonRole))
	for _, path := range []string{"/follow-ups", "/candidates"} {
		if got := w.admin().get(path); got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), `class="failure"`) {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
}
