package gateway_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

const (
	registerMethod = patientrecordv1.PatientRecordService_RegisterPatient_FullMethodName
	searchMethod   = patientrecordv1.PatientRecordService_SearchPatients_FullMethodName
	holdMethod     = schedulingv1.SchedulingService_CreateHold_FullMethodName
	actionsMethod  = referralv1.ReferralService_ListActions_FullMethodName
	getMethod      = referralv1.ReferralService_GetReferral_FullMethodName
)

func TestSearchWordsStandInNoAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	for _, words := range []string{markName, markNumber} {
		got := b.post("/patients/search", form("query", " "+words+" "))
		if got.Code != http.StatusSeeOther {
			t.Fatal(got.Code)
		}
		page := b.get(got.Header().Get("Location"))
		if page.Code != 200 || !strings.Contains(page.Body.String(), `value="`+words+`"`) {
			t.Errorf("%d, the words are not in the field", page.Code)
		}
	}
	asked := called[*patientrecordv1.SearchPatientsRequest](w, searchMethod)
	if len(asked) != 2 || asked[0].GetQuery() != markName || asked[1].GetIdentityNumber() != markNumber {
		t.Errorf("%v", asked)
	}
	if strings.Contains(b.overt.String(), markNumber) || strings.Contains(b.overt.String(), url.QueryEscape(markName)) {
		t.Error(b.overt.String())
	}
	got := b.post("/patients/search", form("query", "x"))
	w.clk.Advance(11 * time.Minute)
	if later := b.get(got.Header().Get("Location")); later.Code != http.StatusSeeOther {
		t.Errorf("a search is still there after eleven minutes: %d", later.Code)
	}
}

// typed is a filled form with something in every field.
func typedPatient() url.Values {
	return form("requestId", "0192f0c1-0000-7000-8000-0000000000b1", "name", markName, "documentType", "NONE", "identityNumber", "", "noDocumentReason", "LOST", "sex", "FEMALE",
		"birthDate", "1990-03-07", "phone", markPhone, "village", "古板村", "address", "老街 1 号", "guardianName", "王某", "guardianPhone", "13800000000")
}

// keeps checks that every value is still in the page.
func keeps(t *testing.T, body string, values url.Values, but ...string) {
	t.Helper()
	for name, all := range values {
		for _, value := range all {
			if value != "" && !slices.Contains(but, name) && !strings.Contains(body, `value="`+value+`"`) && !strings.Contains(body, ">"+value+"</textarea>") {
				t.Errorf("%s %q is lost", name, value)
			}
		}
	}
}

func hidden(t *testing.T, body, name string) string {
	t.Helper()
	found := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(body)
	if found == nil {
		t.Fatalf("no field %s", name)
	}
	return found[1]
}

func TestARefusedRegistrationKeepsEverything(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		status int
		shows  string
		again  bool // the same request id
	}{
		"fields":  {errs.Invalid(errs.Bad("guardianName", errs.ReasonFieldInvalid), errs.Required("sex")), 400, `href="#f-guardianName"`, false},
		"ordered": {errs.Invalid(errs.Required("sex"), errs.Bad("guardianName", errs.ReasonFieldInvalid)), 400, `</a></li><li><a href="#f-guardianName"`, false},
		"known":   {errs.Conflict(errs.ReasonAlreadyRegistered, "x").With("patientId", patientID), 409, `href="/access/` + patientID + `/glass"`, false},
		"away":    {errs.Unavailable("patientrecord", nil), 503, "Try again in a few seconds", true},
		"checked": {errs.Invalid(errs.Bad("documentType", errs.ReasonFieldUnknown)), 400, `href="#f-documentType"`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.refuse(registerMethod, c.err)
			got := w.browser("township").post("/patients/new", typedPatient())
			body := got.Body.String()
			if got.Code != c.status || !strings.Contains(body, c.shows) || !strings.Contains(body, `data-refused="1"`) {
				t.Errorf("%d %s", got.Code, body)
			}
			keeps(t, body, typedPatient(), "requestId")
			if same := hidden(t, body, "requestId") == typedPatient().Get("requestId"); same != c.again {
				t.Errorf("the same request id: %v", same)
			}
			for _, problem := range htmlcheck.Page(body) {
				t.Error(problem)
			}
		})
	}
}

func TestARegisteredPatientIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	got := b.post("/patients/new", typedPatient())
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/patients/"+patientID {
		t.Fatal(got.Code, got.Header())
	}
	if body := b.get("/patients/" + patientID).Body.String(); !strings.Contains(body, "The patient is registered.") || !strings.Contains(body, "data-draft-done") {
		t.Error("not confirmed")
	}
	if body := b.get("/patients/" + patientID).Body.String(); strings.Contains(body, "The patient is registered.") || strings.Contains(body, "data-draft-done") {
		t.Error("confirmed twice: a form begun since would be dropped")
	}
}

func actionsOf(names ...string) *referralv1.ListActionsResponse {
	out := &referralv1.ListActionsResponse{}
	for _, name := range names {
		action := &referralv1.Action{Name: name}
		if slices.Contains(reasonedActions, name) {
			action.Carries = []string{"reason_code", "note"}
		}
		out.Actions = append(out.Actions, action)
	}
	return out
}

var (
	reasonedActions = strings.Fields("return redirect decline cancel undo_arrive undo_admit correct")
	postedActions   = append(strings.Fields(`accept rebook arrive no_show admit conclude acknowledge answer begin_follow_up record_visit revise_plan complete
		depart message assess record_consent convert`), reasonedActions...)
)

func TestActionsAreDrawnFromTheListAndFromNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	drawn := func(body string) []string {
		found := regexp.MustCompile(`action="/referrals/`+referralID+`/([a-z_]+)"`).FindAllStringSubmatch(body, -1)
		var names []string
		for _, f := range found {
			names = append(names, f[1])
		}
		slices.Sort(names)
		return slices.Compact(names)
	}
	for _, name := range postedActions {
		w.always(actionsMethod, actionsOf(name, "edit"))
		if got := drawn(b.get("/referrals/" + referralID).Body.String()); !slices.Equal(got, []string{name}) {
			t.Errorf("%s: %v is drawn", name, got)
		}
	}
	w.always(actionsMethod, actionsOf())
	if got := drawn(b.get("/referrals/" + referralID).Body.String()); len(got) != 0 {
		t.Errorf("nothing is offered, %v is drawn", got)
	}
	for _, name := range []string{"submit", "resubmit"} {
		w.always(actionsMethod, actionsOf(name))
		body := b.get("/referrals/" + referralID).Body.String()
		if len(drawn(body)) != 0 || !strings.Contains(body, `href="/referrals/`+referralID+`/edit"`) {
			t.Errorf("%s does not lead to the form", name)
		}
	}
}

// sent is what the form of an action sends.
func sent(action string) url.Values {
	v := form("version", "3", "requestId", "0192f0c1-0000-7000-8000-0000000000c1", "note", "说明文字")
	switch action {
	case "accept", "rebook":
		return with(v, "choice", "walkin", "date", "2026-03-05", "from", "08:15", "to", "11:45")
	case "admit":
		return with(v, "ward", "心内一区", "bed", "12 床")
	case "conclude":
		return with(v, "outcomeCode", "IMPROVED", "reply.diagnosis", "稳定", "reply.findings", "心电图", "reply.treatment", "支架", "reply.nextSteps", "随访", "reply.medications", "阿司匹林 每日一次")
	case "redirect":
		return with(v, "reasonCode", "NO_BED", "receiver", hospitalID+"|20")
	default:
		return with(v, append(followed(action), "reasonCode", "NO_BED")...)
	}
}

// noteOf is what the form of an action calls its note.
func noteOf(action string) string {
	switch {
	case action == "return":
		return "What is missing"
	case action == "decline":
		return "Advice to the sender"
	case slices.Contains(reasonedActions, action):
		return "Note"
	default:
		return "note"
	}
}

func TestARefusedActionSaysWhyBesideItsFormAndKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	methods := map[string]string{
		"no_show": "NoShow", "undo_arrive": "UndoArrive", "undo_admit": "UndoAdmit", "begin_follow_up": "BeginFollowUp", "record_visit": "RecordVisit",
		"revise_plan": "RevisePlan", "message": "PostMessage", "record_consent": "RecordConsent",
	}
	for _, action := range postedActions {
		name := methods[action]
		if name == "" {
			name = strings.ToUpper(action[:1]) + action[1:]
		}
		w.always(actionsMethod, actionsOf(action))
		for reason, refusal := range map[string]error{
			"Reload, then decide": errs.Stale(4, "RETURNED"), "cannot be reached": errs.Unavailable("referral", nil), "Please fill in “" + noteOf(action) + "”": errs.Invalid(errs.Required("note")),
		} {
			w.refuse("/tongzhen.referral.v1.ReferralService/"+name, refusal)
			got := b.post("/referrals/"+referralID+"/"+action, sent(action))
			body := got.Body.String()
			if got.Code != errs.HTTPStatus(refusal) || !strings.Contains(body, reason) || strings.Contains(body, "{field}") {
				t.Errorf("%s: %d, %q is not said", action, got.Code, reason)
			}
			but := []string{"requestId", "note", "choice", "version", "reasonCode", "receiver", "outcomeCode", "diagnosis", "visit"}
			keeps(t, body, sent(action), but...)
			if slices.Contains(reasonedActions, action) && (!strings.Contains(body, "说明文字</textarea>") || !strings.Contains(body, `value="NO_BED" selected`)) {
				t.Errorf("%s: reason or note is lost", action)
			}
			if same := hidden(t, body, "requestId") == sent(action).Get("requestId"); same != (errs.KindOf(refusal) == errs.KindUnavailable) {
				t.Errorf("%s, %s: the same request id: %v", action, reason, same)
			}
			for _, problem := range htmlcheck.Page(body) {
				t.Errorf("%s: %s", action, problem)
			}
		}
		if action == "message" {
			w.always(messageMethod, &referralv1.Message{})
		} else {
			w.always("/tongzhen.referral.v1.ReferralService/"+name, sampleReferral(referralv1.State_ACCEPTED))
		}
		if got := b.post("/referrals/"+referralID+"/"+action, sent(action)); got.Code != http.StatusSeeOther {
			t.Errorf("%s: %d", action, got.Code)
		}
	}
	if got := b.post("/referrals/"+referralID+"/explode", sent("cancel")).Code; got != 404 {
		t.Errorf("an unknown action: %d", got)
	}
}

func TestWhatTheActionFormsSendReachesTheService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	b.post("/referrals/"+referralID+"/accept", sent("accept"))
	b.post("/referrals/"+referralID+"/accept", with(sent("accept"), "choice", "slot:"+slotID))
	b.post("/referrals/"+referralID+"/accept", with(sent("accept"), "choice", "hold:"+holdID))
	got := called[*referralv1.AcceptRequest](w, acceptMethod)
	if len(got) != 3 {
		t.Fatal(got)
	}
	if from := got[0].GetWalkIn().GetFrom().AsTime(); !from.Equal(time.Date(2026, 3, 5, 0, 15, 0, 0, time.UTC)) || got[0].GetVersion() != 3 || got[0].GetHoldId() != "" {
		t.Errorf("walk-in: %v", got[0])
	}
	if got[1].GetHoldId() != holdID || got[2].GetHoldId() != holdID || got[2].GetWalkIn() != nil {
		t.Errorf("%v %v", got[1], got[2])
	}
	if holds := called[*schedulingv1.CreateHoldRequest](w, holdMethod); len(holds) != 1 || holds[0].GetSlotId() != slotID {
		t.Errorf("%v", holds)
	}
	w.always("/tongzhen.referral.v1.ReferralService/Conclude", sampleReferral(referralv1.State_CONCLUDED))
	b.post("/referrals/"+referralID+"/conclude", sent("conclude"))
	conclude := called[*referralv1.ConcludeRequest](w, "/tongzhen.referral.v1.ReferralService/Conclude")
	if len(conclude) != 1 || !proto.Equal(conclude[0].GetReply().GetMedications()[0], &referralv1.ReplyMedication{Name: "阿司匹林", Dosage: "每日一次"}) {
		t.Errorf("%v", conclude)
	}
}

func TestOpeningAReferralMarksItSeenButALiveUpdateDoesNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	seen := func() int {
		return len(called[*referralv1.MarkSeenRequest](w, referralv1.ReferralService_MarkSeen_FullMethodName))
	}
	if b.get("/referrals/"+referralID, "X-Fragment", "head"); seen() != 0 {
		t.Error("a fragment marks as seen")
	}
	if b.get("/referrals/" + referralID); seen() != 1 {
		t.Error("the page does not mark as seen")
	}
}

func TestLanguageAndTypeSizeComeBackToTheSamePlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	if body := b.get("/referrals?tab=ended").Body.String(); !strings.Contains(body, `name="back" value="/referrals?tab=ended"`) {
		t.Error("the switch leaves the tab")
	}
	w.refuse(createMethod, errs.Invalid(errs.Required("form.presentIllness")))
	body := b.post("/refer/"+patientID, typedReferral(), "Referer", "http://example.com/refer/"+patientID).Body.String()
	if !strings.Contains(body, `name="back" value="/refer/`+patientID+`"`) {
		t.Error("the switch leads to what can only be posted")
	}
	b.post("/display", form("language", "zh-CN", "back", "/inbox"))
	b.post("/display", form("type", "large", "back", "/inbox"))
	if body := b.get("/inbox").Body.String(); !strings.Contains(body, `lang="zh-CN" class="large"`) {
		t.Error("the choice does not count")
	}
}

func TestAReasonThatNeedsANoteSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(actionsMethod, actionsOf("decline"))
	body := w.browser("desk").get("/referrals/" + referralID).Body.String()
	for _, words := range []string{">No bed</option>", ">Another reason (please say)</option>"} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is not offered", words)
		}
	}
}
