package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

func TestACandidateIsShownWithReasonCentreAndMedicines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := w.browser("desk").get("/candidates").Body.String()
	for what, words := range map[string]string{
		"the patient": markName, "the diagnosis": "冠心病", "why": "Stable after a stent", "by which rule": "DN-CHD-01 · ", "since when": "since 2026-02-22", "until when": "discharged 2026-03-01",
		"the centre": "Baisha Township Health Centre", "the family doctor": "Family doctor 李医生", "in stock": "✓ in stock", "instead": "氯吡格雷", "to be ordered": "○ ", "missing": "✗ missing",
		"the time left": "2 d", "the up-referral": `href="/referrals/` + referralID + `"`, "the department": "Cardiology", "how many": "1 patients on this page", "more": `href="/candidates?tab=OPEN&amp;page=next"`,
		"what dismissing means": `data-confirm="Not send this patient down?`,
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
}

func TestTheTimeToDecideIsCountedInDays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for left, words := range map[time.Duration]string{50 * time.Hour: "2 d", -30 * time.Hour: "1 d", 3 * time.Hour: "3 h"} {
		c := sampleCandidate("OPEN")
		c.DueTime = in(left)
		w.always(candidatesMethod, &referralv1.ListCandidatesResponse{Candidates: []*referralv1.Candidate{c}})
		body := w.browser("desk").get("/candidates").Body.String()
		if over := left < 0; !strings.Contains(body, words) || strings.Contains(body, "clock over") != over || strings.Contains(body, "1 of them beyond") != over {
			t.Errorf("%s: %q is not shown", left, words)
		}
	}
}

// Who is sent up again stays on the list, with the referral, and nobody is late.
func TestWhoIsSentUpAgainIsNotUrgedAbout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := sampleCandidate("OPEN")
	c.DueTime, c.UpAgainId, c.UpAgainNumber = in(-30*time.Hour), downID, "450321-26-0000456-7"
	w.always(candidatesMethod, &referralv1.ListCandidatesResponse{Candidates: []*referralv1.Candidate{c}})
	body := w.browser("desk").get("/candidates").Body.String()
	shows(t, body, "Sent up again", `<a href="/referrals/`+downID+`">450321-26-0000456-7</a>`, "nobody is urged", `action="/candidates/`)
	if strings.Contains(body, "clock over") || strings.Contains(body, "beyond") || strings.Contains(body, `class="late"`) {
		t.Error("the department is urged")
	}
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
}

func TestTheDeskChoosesADepartmentAndADoctorHasTheOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := w.browser("desk").get("/candidates?department=0304&tab=DISMISSED").Body.String()
	if !strings.Contains(body, `<option value="0304" selected>Cardiology</option>`) || !strings.Contains(body, `href="/candidates?tab=CLOSED&amp;department=0304"`) {
		t.Error("the department is not kept")
	}
	want := &referralv1.ListCandidatesRequest{State: "DISMISSED", Department: "0304", PageSize: 50}
	if got := lastly[*referralv1.ListCandidatesRequest](t, w, candidatesMethod); !proto.Equal(got, want) {
		t.Errorf("%v", got)
	}
	specialist := w.as("specialist", commonv1.Role_SPECIALIST)
	w.sessions["specialist"].DepartmentCode = "0304"
	if body := specialist.get("/candidates").Body.String(); strings.Contains(body, "All departments") {
		t.Error("a specialist is offered other departments")
	}
}

func TestOneClickLeadsToTheFilledDownReferral(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	request := hidden(t, b.get("/candidates").Body.String(), "requestId")
	got := b.post("/candidates/"+candidateID+"/refer", form("requestId", request))
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/down/"+patientID+"?draft="+downID {
		t.Fatal(got.Code, got.Header())
	}
	if sent := lastly[*referralv1.ReferCandidateRequest](t, w, referMethod); sent.GetId() != candidateID || sent.GetRequestId() != request || request == "" {
		t.Errorf("%v", sent)
	}
	w.always(candidatesMethod, &referralv1.ListCandidatesResponse{Candidates: []*referralv1.Candidate{sampleCandidate("REFERRED")}})
	if body := b.get("/candidates").Body.String(); !strings.Contains(body, `href="/down/`+patientID+`?draft=`+downID+`"`) || strings.Contains(body, "/refer\"") {
		t.Error("the draft is not gone on with")
	}
}

func TestADraftThatCannotBeMadeIsExplainedAtItsCandidate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(referMethod, errs.Unavailable("referral", nil))
	got := w.browser("desk").post("/candidates/"+candidateID+"/refer", form("requestId", "0192f0c1-0000-7000-8000-0000000000f3", "tab", "OPEN"))
	body := got.Body.String()
	if got.Code != http.StatusServiceUnavailable || !strings.Contains(body, `<p class="warning" role="alert">A service cannot be reached`) || strings.Contains(body, "<details open>") || hidden(t, body, "requestId") != "0192f0c1-0000-7000-8000-0000000000f3" {
		t.Errorf("%d %s", got.Code, body)
	}
}

func typedDismissal() map[string]string {
	return map[string]string{"version": "4", "requestId": "0192f0c1-0000-7000-8000-0000000000f2", "tab": "OPEN", "department": "0304", "reasonCode": "OTHER", "note": markText}
}

func dismissal(t *testing.T, w *world) (int, string, string) {
	t.Helper()
	values := form()
	for name, value := range typedDismissal() {
		values.Set(name, value)
	}
	got := w.browser("desk").post("/candidates/"+candidateID+"/dismiss", values)
	return got.Code, got.Body.String(), got.Header().Get("Location")
}

func TestADismissalNeedsACodedReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, _, to := dismissal(t, w)
	if code != http.StatusSeeOther || to != "/candidates?tab=OPEN&department=0304" {
		t.Fatal(code, to)
	}
	want := &referralv1.DismissCandidateRequest{Id: candidateID, Version: 4, RequestId: typedDismissal()["requestId"], ReasonCode: "OTHER", Note: markText}
	if sent := lastly[*referralv1.DismissCandidateRequest](t, w, dismissMethod); !proto.Equal(sent, want) {
		t.Errorf("%v", sent)
	}
	w.browser("desk").get("/candidates")
	if asked := lastly[*referralv1.ListReasonsRequest](t, w, referralv1.ReferralService_ListReasons_FullMethodName); asked.GetAction() != "dismiss_candidate" {
		t.Errorf("%v", asked)
	}
}

func TestARefusedDismissalKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		status int
		shows  string
		again  bool // the same request id
	}{
		"fields": {errs.Invalid(errs.Required("note")), 400, `<p class="error" role="alert">Please fill in`, false},
		"stale":  {errs.Stale(5, "OPEN"), 409, "Somebody has just changed", false},
		"away":   {errs.Unavailable("referral", nil), 503, "A service cannot be reached", true},
	} {
		w := newWorld(t)
		w.refuse(dismissMethod, c.err)
		code, body, _ := dismissal(t, w)
		if code != c.status || !strings.Contains(body, "<details open>") || !strings.Contains(body, `value="OTHER" selected`) || !strings.Contains(body, markText+"</textarea>") {
			t.Errorf("%s: %d %s", name, code, body)
		}
		if name != "stale" && !strings.Contains(body, c.shows) {
			t.Errorf("%s: %q is not said", name, c.shows)
		}
		if same := hidden(t, body, "requestId") == typedDismissal()["requestId"]; same != c.again {
			t.Errorf("%s: the same request id: %v", name, same)
		}
		for _, problem := range htmlcheck.Page(body) {
			t.Error(problem)
		}
	}
	w := newWorld(t)
	w.refuse(dismissMethod, errs.WrongState("dismiss_candidate", "CLOSED"))
	w.always(candidatesMethod, &referralv1.ListCandidatesResponse{})
	if code, body, _ := dismissal(t, w); code != http.StatusPreconditionFailed || !strings.Contains(body, `<p class="typed">`+markText) || !strings.Contains(body, "Nobody waits for a decision") {
		t.Errorf("a note is lost with its candidate: %d", code)
	}
}

func TestWhatWasDecidedStandsOnItsOwnTab(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(candidatesMethod, &referralv1.ListCandidatesResponse{Candidates: []*referralv1.Candidate{sampleCandidate("DISMISSED")}})
	if body := w.browser("desk").get("/candidates?tab=DISMISSED").Body.String(); !strings.Contains(body, "<strong>Another reason</strong><br>"+markText) || strings.Contains(body, "/dismiss\"") {
		t.Error("why a patient was kept back is not said")
	}
	w.always(candidatesMethod, &referralv1.ListCandidatesResponse{Candidates: []*referralv1.Candidate{sampleCandidate("CLOSED")}})
	if body := w.browser("desk").get("/candidates?tab=CLOSED").Body.String(); !strings.Contains(body, `href="/referrals/`+downID+`"`) {
		t.Error("the down-referral cannot be opened")
	}
}
