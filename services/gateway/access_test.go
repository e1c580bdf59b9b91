package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

const (
	purposeMethod = patientrecordv1.AccessService_StatePurpose_FullMethodName
	breakMethod   = patientrecordv1.AccessService_BreakGlass_FullMethodName
	declareMethod = patientrecordv1.AccessService_DeclareVisit_FullMethodName
	reviewMethod  = patientrecordv1.AccessService_ReviewGlass_FullMethodName
	glassMethod   = patientrecordv1.AccessService_GetGlass_FullMethodName
	patientMethod = patientrecordv1.PatientRecordService_GetPatient_FullMethodName
	glassID       = "0192f0c1-0000-7000-8000-0000000000f1"
)

func sampleGlass() *patientrecordv1.Glass {
	return &patientrecordv1.Glass{
		Id: glassID, Version: 2, PatientId: patientID, AccountId: "somebody", AccountName: "赵医生", OrganizationId: hospitalID, HomeOrganizationId: townshipID,
		Way: "BREAK_GLASS", Reason: "CONSULTATION", Note: "会诊需要既往史", StartTime: in(-80 * time.Hour), ExpireTime: in(-56 * time.Hour), Open: true, Overdue: true,
		DueTime: in(-8 * time.Hour), Reviews: []*patientrecordv1.GlassReview{{Verdict: "ASKS", Note: "请说明", AccountName: "钱审计", OrganizationId: hospitalID, Time: in(-time.Hour)}},
		Reads: []*patientrecordv1.GlassRead{{Action: "record.summary", ObjectType: "patient", Time: in(-79 * time.Hour)}},
	}
}

// accessing answers the methods of who may look.
func accessing() map[string]proto.Message {
	return map[string]proto.Message{
		purposeMethod: &patientrecordv1.Opening{Id: glassID, PatientId: patientID, Purpose: patientrecordv1.Purpose_TREATMENT, ExpireTime: in(4 * time.Hour)},
		breakMethod:   sampleGlass(), declareMethod: sampleGlass(), reviewMethod: sampleGlass(), glassMethod: sampleGlass(),
		patientrecordv1.AccessService_ListGlasses_FullMethodName: &patientrecordv1.ListGlassesResponse{
			Glasses: []*patientrecordv1.Glass{sampleGlass(), {Id: glassID, Way: "VISIT", AccountId: "a", StartTime: in(0)}}, NextPageToken: "next",
		},
	}
}

// auditor opens a browser of one who sees no records.
func (w *world) auditor() *browser {
	w.sessions["auditor"] = &directoryv1.Account{
		Id: "0192f0c1-0000-7000-8000-0000000000f2", Name: "钱审计", OrganizationId: hospitalID, Roles: []commonv1.Role_Code{commonv1.Role_AUDITOR},
	}
	return w.browser("auditor")
}

func sound(t *testing.T, what string, answer *httptest.ResponseRecorder) string {
	t.Helper()
	body := answer.Body.String()
	for _, problem := range htmlcheck.Page(body) {
		t.Errorf("%s: %s", what, problem)
	}
	return body
}

func TestWhatIsSensitiveIsShownAfterAPurpose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	hidden := sampleSummary()
	hidden.Withheld = &patientrecordv1.Withheld{Count: 3}
	w.always(summaryMethod, hidden)
	page, at := "/patients/"+patientID, "/access/"+patientID
	body := sound(t, "summary", b.get(page))
	if !strings.Contains(body, "3 sensitive entries are hidden") || !strings.Contains(body, `href="`+at+`/purpose"`) {
		t.Error("the page does not say that something is hidden")
	}
	body = sound(t, "purpose", b.get(at+"/purpose", "Referer", "http://example.com/referrals/"+referralID))
	if !strings.Contains(body, `name="purpose" value="PUBLIC_HEALTH"`) || !strings.Contains(body, `name="back" value="/referrals/`+referralID+`"`) {
		t.Error("the form does not lead back")
	}
	got := b.post(at+"/purpose", form("purpose", "TREATMENT", "requestId", "r1", "back", "/referrals/"+referralID))
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/referrals/"+referralID {
		t.Errorf("%d to %s", got.Code, got.Header().Get("Location"))
	}
	if made := called[*patientrecordv1.StatePurposeRequest](w, purposeMethod); len(made) != 1 || made[0].GetPurpose() != patientrecordv1.Purpose_TREATMENT || made[0].GetRequestId() != "r1" {
		t.Errorf("%v", made)
	}
	if got := b.post(at+"/purpose", form("purpose", "TREATMENT", "back", "https://elsewhere/")); got.Header().Get("Location") != page {
		t.Errorf("led to %s", got.Header().Get("Location"))
	}
	w.refuse(purposeMethod, errs.Invalid(errs.Bad("purpose", errs.ReasonFieldUnknown)))
	if got := b.post(at+"/purpose", form("requestId", "r1")); got.Code != http.StatusBadRequest || !strings.Contains(sound(t, "refused", got), `class="field wrong"`) {
		t.Errorf("%d", got.Code)
	}
	open := sampleSummary()
	open.Opening = &patientrecordv1.Opening{Id: glassID, Purpose: patientrecordv1.Purpose_FOLLOW_UP, ExpireTime: in(time.Hour)}
	w.always(summaryMethod, open)
	if body := sound(t, "opened", b.get(page)); !strings.Contains(body, "Follow-up") {
		t.Error("what is open is not said")
	}
}

func TestAPatientOfAnotherOrganisationIsOpenedByVisitOrBreakGlass(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	page, at := "/patients/"+patientID, "/access/"+patientID
	if got := b.get(at + "/glass"); got.Header().Get("Location") != page {
		t.Errorf("who sees the record anyway is led to %q", got.Header().Get("Location"))
	}
	w.refuse(patientMethod, errs.NotFound("patient"))
	body := sound(t, "glass", b.get(at+"/glass"))
	if !strings.Contains(body, "every use is reviewed") || strings.Contains(body, markName) {
		t.Error("no warning, or a name")
	}
	typed := form("reason", "CONSULTATION", "note", "会诊需要既往史", "requestId", "r1")
	if got := b.post(at+"/glass", typed); got.Code != http.StatusSeeOther || got.Header().Get("Location") != page {
		t.Errorf("%d", got.Code)
	}
	if made := called[*patientrecordv1.BreakGlassRequest](w, breakMethod); len(made) != 1 || made[0].GetPatientId() != patientID || made[0].GetNote() == "" || made[0].GetRequestId() != "r1" {
		t.Errorf("%v", made)
	}
	w.refuse(breakMethod, errs.Invalid(errs.Bad("note", errs.ReasonFieldInvalid)))
	if got := b.post(at+"/glass", with(typed, "note", "看看病历")); got.Code != http.StatusBadRequest || !strings.Contains(sound(t, "short", got), "看看病历</textarea>") {
		t.Errorf("what was typed is lost: %d", got.Code)
	}
	if got := b.post(at+"/visit", form("identityNumber", markNumber, "requestId", "r2")); got.Code != http.StatusSeeOther || got.Header().Get("Location") != page {
		t.Errorf("%d", got.Code)
	}
	w.refuse(declareMethod, errs.NotFound("patient"))
	if got := b.post(at+"/visit", form("identityNumber", markNumber, "requestId", "r3")); got.Code != http.StatusNotFound || !strings.Contains(sound(t, "other", got), "not the patient") {
		t.Errorf("another number: %d", got.Code)
	}
}

func TestReviewersSeeUsesAndJudgeThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.auditor()
	body := sound(t, "reviews", b.get("/reviews"))
	if !strings.Contains(body, `href="/reviews/`+glassID+`"`) || !strings.Contains(body, "Overdue since") || !strings.Contains(body, `href="/reviews?page=next"`) {
		t.Error("the list misses a use, that it is late, or the next page")
	}
	body = sound(t, "review", b.get("/reviews/"+glassID))
	if !strings.Contains(body, "Saw the record&#39;s summary") || strings.Contains(body, "record.summary") || !strings.Contains(body, patientID) || !strings.Contains(body, "请说明") || strings.Contains(body, markName) {
		t.Error("the page misses what was read, or shows a patient")
	}
	if strings.Contains(body, `href="/patients/`+patientID+`"`) {
		t.Error("an auditor, who sees no record, is led to one")
	}
	if body := sound(t, "review at home", w.as("head", commonv1.Role_CENTRE_HEAD).get("/reviews/"+glassID)); strings.Contains(body, `href="/patients/`+patientID+`"`) {
		t.Error("the head of another organisation is led to the record")
	}
	w.sessions["home"] = &directoryv1.Account{Id: "home", Name: "x", OrganizationId: townshipID, Roles: []commonv1.Role_Code{commonv1.Role_CENTRE_HEAD}}
	if body := sound(t, "review at home", w.browser("home").get("/reviews/"+glassID)); !strings.Contains(body, `href="/patients/`+patientID+`"`) {
		t.Error("the head of the home centre has no way to the record")
	}
	typed := form("verdict", "NOT_JUSTIFIED", "note", "与诊疗无关", "version", "2", "requestId", "r1")
	if got := b.post("/reviews/"+glassID, typed); got.Code != http.StatusSeeOther {
		t.Errorf("%d", got.Code)
	}
	if made := called[*patientrecordv1.ReviewGlassRequest](w, reviewMethod); len(made) != 1 || made[0].GetVersion() != 2 || made[0].GetVerdict() != "NOT_JUSTIFIED" {
		t.Errorf("%v", made)
	}
	w.refuse(reviewMethod, errs.Stale(3, ""))
	if got := b.post("/reviews/"+glassID, typed); got.Code != http.StatusConflict && got.Code != http.StatusPreconditionFailed || !strings.Contains(sound(t, "stale", got), "与诊疗无关</textarea>") {
		t.Errorf("stale: %d", got.Code)
	}
	on(w, glassMethod, func(context.Context, *patientrecordv1.GetGlassRequest) (*patientrecordv1.Glass, error) {
		g := sampleGlass()
		g.AccountId = "0192f0c1-0000-7000-8000-0000000000f2"
		return g, nil
	})
	if body := sound(t, "own", b.get("/reviews/"+glassID)); strings.Contains(body, `name="verdict"`) {
		t.Error("somebody may review the own use")
	}
}
