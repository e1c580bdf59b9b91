package gateway_test

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

const resubmitMethod = referralv1.ReferralService_Resubmit_FullMethodName

// lossy is a referral service that remembers requests as the real one does: the same request is answered as it was then, another body under its id is
// refused. It carries out what it is asked; the answers of sending are lost while Lost, and not even carried out while Away.
type lossy struct {
	stands     *referralv1.Referral
	seen       map[string]proto.Message
	answers    map[string]*referralv1.Referral
	lost, away bool
	sent       int
}

func newLossy(w *world, stands *referralv1.Referral) *lossy {
	l := &lossy{stands: stands, seen: map[string]proto.Message{}, answers: map[string]*referralv1.Referral{}}
	on(w, getMethod, func(_ context.Context, in *referralv1.GetReferralRequest) (*referralv1.Referral, error) {
		if in.GetId() != l.stands.GetId() {
			return sampleReferral(referralv1.State_CONCLUDED), nil // which the down-referral answers
		}
		return proto.CloneOf(l.stands), nil
	})
	on(w, editMethod, func(_ context.Context, in *referralv1.EditReferralRequest) (*referralv1.Referral, error) {
		return l.once("edit"+in.GetRequestId(), in, in.GetVersion(), func() { l.stands.Form = in.GetReferral().GetForm() })
	})
	send := func(id string, in proto.Message, version int32, from referralv1.State_Code) (*referralv1.Referral, error) {
		if l.away {
			return nil, errs.Unavailable("referral", nil)
		}
		if _, done := l.answers["send"+id]; !done && l.stands.GetState() != from {
			return nil, errs.WrongState("submit", l.stands.GetState().String())
		}
		out, err := l.once("send"+id, in, version, func() { l.stands.State = referralv1.State_SUBMITTED; l.sent++ })
		if l.lost && err == nil {
			return nil, errs.Unavailable("referral", nil)
		}
		return out, err
	}
	on(w, submitMethod, func(_ context.Context, in *referralv1.SubmitRequest) (*referralv1.Referral, error) {
		return send(in.GetRequestId(), in, in.GetVersion(), referralv1.State_DRAFT)
	})
	on(w, resubmitMethod, func(_ context.Context, in *referralv1.ActionRequest) (*referralv1.Referral, error) {
		return send(in.GetRequestId(), in, in.GetVersion(), referralv1.State_RETURNED)
	})
	return l
}

func (l *lossy) once(id string, in proto.Message, version int32, do func()) (*referralv1.Referral, error) {
	if before, ok := l.seen[id]; ok {
		if !proto.Equal(before, in) {
			return nil, errs.Conflict(errs.ReasonRequestIDReused, "the request id was used with another body")
		}
		return proto.CloneOf(l.answers[id]), nil
	}
	if version != l.stands.GetVersion() {
		return nil, errs.Stale(l.stands.GetVersion(), l.stands.GetState().String())
	}
	do()
	l.stands.Version++
	l.seen[id], l.answers[id] = proto.Clone(in), proto.CloneOf(l.stands)
	return proto.CloneOf(l.stands), nil
}

// The two forms in which a referral is gone on with, each as a draft and as one that came back.
func goneOnWith(t *testing.T, test func(t *testing.T, w *world, l *lossy, page string, post func(again map[string]string) (int, string))) {
	t.Helper()
	for _, state := range []referralv1.State_Code{referralv1.State_DRAFT, referralv1.State_RETURNED} {
		t.Run("up "+state.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			l := newLossy(w, sampleReferral(state))
			page := "/referrals/" + referralID + "/edit"
			test(t, w, l, page, func(again map[string]string) (int, string) {
				form := with(typedReferral(), "version", "3", "form.treatment", typedWords)
				for name, value := range again {
					form.Set(name, value)
				}
				got := w.browser("township").post(page, form)
				return got.Code, got.Body.String()
			})
		})
		t.Run("down "+state.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.concluded()
			l := newLossy(w, downAnswer(state))
			page := "/down/" + patientID + "?draft=" + downID
			test(t, w, l, page, func(again map[string]string) (int, string) {
				form := with(typedDown(), "version", "3", "form.treatment", typedWords)
				for name, value := range again {
					form.Set(name, value)
				}
				got := w.browser("desk").post(page, form)
				return got.Code, got.Body.String()
			})
		})
	}
}

func TestAReferralThatWasStoredAndNotSentIsSentAgain(t *testing.T) {
	t.Parallel()
	goneOnWith(t, func(t *testing.T, _ *world, l *lossy, _ string, post func(map[string]string) (int, string)) {
		l.away = true
		code, body := post(nil)
		if code != http.StatusServiceUnavailable || !strings.Contains(body, typedWords) {
			t.Fatalf("the first: %d", code)
		}
		shown := map[string]string{"version": hidden(t, body, "version"), "requestId": hidden(t, body, "requestId"), "stored": hidden(t, body, "stored")}
		// What is changed in the form before it goes again is stored, too.
		shown["form.treatment"] = typedWords + "，又改"
		code, body = post(shown)
		if code != http.StatusServiceUnavailable || !strings.Contains(body, shown["form.treatment"]) {
			t.Fatalf("the second: %d", code)
		}
		l.away = false
		shown["stored"] = hidden(t, body, "stored")
		if code, _ = post(shown); code != http.StatusSeeOther || l.sent != 1 || l.stands.GetForm().GetTreatment() != shown["form.treatment"] {
			t.Errorf("the third: %d, sent %d times, %q", code, l.sent, l.stands.GetForm().GetTreatment())
		}
	})
}

func TestAReferralWhoseAnswerWasLostIsSentOnceAndShownAsSent(t *testing.T) {
	t.Parallel()
	goneOnWith(t, func(t *testing.T, _ *world, l *lossy, _ string, post func(map[string]string) (int, string)) {
		l.lost = true
		code, body := post(nil)
		if code != http.StatusServiceUnavailable {
			t.Fatalf("the first: %d", code)
		}
		l.lost = false
		// As the script repeats it, and as a person does who sends what the answer shows.
		if code, _ := post(nil); code != http.StatusSeeOther {
			t.Errorf("the script's: %d", code)
		}
		shown := map[string]string{"version": hidden(t, body, "version"), "requestId": hidden(t, body, "requestId"), "stored": hidden(t, body, "stored")}
		if code, _ := post(shown); code != http.StatusSeeOther || l.sent != 1 {
			t.Errorf("the person's: %d, sent %d times", code, l.sent)
		}
	})
}

// A hold that became part of the referral is not taken anew when its ten minutes are over: the repeated request would be another.
func TestAFormThatWaitedForLongNamesTheHoldThatItTook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hold := &schedulingv1.Hold{Id: holdID, State: schedulingv1.HoldState_HELD, ExpireTime: timestamppb.New(now.Add(10 * time.Minute))}
	w.always(schedulingv1.SchedulingService_CreateHold_FullMethodName, hold)
	w.always(schedulingv1.SchedulingService_GetHold_FullMethodName, &schedulingv1.Hold{Id: holdID, State: schedulingv1.HoldState_ATTACHED})
	typed := with(typedReferral(), "slot", slotID, "slotKind", "CLINIC")
	w.browser("township").post("/refer/"+patientID, typed)
	w.clk.Advance(time.Hour)
	w.browser("township").post("/refer/"+patientID, typed)
	made := called[*referralv1.CreateReferralRequest](w, createMethod)
	if len(made) != 2 || made[0].GetHoldId() != holdID || !proto.Equal(made[0], made[1]) {
		t.Errorf("%v", made)
	}
}

func TestTheDownFormKeepsWhatWasTypedWhateverRefusesIt(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"stale": errs.Stale(4, "DRAFT"), "internal": errs.New(errs.KindInternal, "", "x", nil), "reused": errs.Conflict(errs.ReasonRequestIDReused, "x"),
		"state": errs.WrongState("edit", "CANCELLED"), "limited": errs.New(errs.KindLimited, errs.ReasonRateLimited, "x", nil), "denied": errs.Denied(errs.ReasonRole),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.concluded()
			w.refuse(editMethod, err)
			got := w.browser("desk").post("/down/"+patientID+"?draft="+downID, with(typedDown(), "version", "3", "form.treatment", typedWords))
			if body := got.Body.String(); got.Code != errs.HTTPStatus(err) || !strings.Contains(body, typedWords) || !strings.Contains(body, `data-draft="edit:`+downID+`"`) {
				t.Errorf("%d", got.Code)
			}
		})
	}
}

// The service that refuses is the one that the page is read from.
func TestAFormWhosePageCannotBeShownIsShownBare(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pkg, session, path string
		values             []string
	}{
		"a return":        {"referral.v1", "desk", "/referrals/" + referralID + "/return", []string{"version", "3", "reasonCode", "INCOMPLETE", "note", typedWords}},
		"a message":       {"referral.v1", "desk", "/referrals/" + referralID + "/message", []string{"text", typedWords}},
		"a plan":          {"referral.v1", "township", "/referrals/" + referralID + "/begin_follow_up", []string{"version", "3", "note", typedWords, "plan.goal", "血压"}},
		"an escalation":   {"referral.v1", "township", "/referrals/" + referralID + "/escalate", []string{"version", "3", "form.presentIllness", typedWords}},
		"an edit":         {"referral.v1", "township", "/referrals/" + referralID + "/edit", []string{"version", "3", "form.treatment", typedWords}},
		"a down-referral": {"referral.v1", "desk", "/down/" + patientID + "?draft=" + downID, []string{"version", "3", "form.treatment", typedWords, "do", "send"}},
		"a check":         {"referral.v1", "township", "/follow-ups/" + referralID + "/check", []string{"result", "WENT", "note", typedWords}},
		"a candidate":     {"referral.v1", "desk", "/candidates/" + referralID + "/dismiss", []string{"version", "3", "reasonCode", "OTHER", "note", typedWords}},
		"a registration":  {"referral.v1", "desk", "/desk/registrations/" + referralID + "/dismiss", []string{"reasonCode", "OTHER", "note", typedWords}},
		"reasons":         {"referral.v1", "admin", "/settings/reasons", []string{"version", "3", "text.0", typedWords}},
		"a consent":       {"patientrecord.v1", "township", "/patients/" + patientID + "/consents", []string{"giving.name", typedWords, "do", "give"}},
		"a call":          {"notification.v1", "desk", "/calls/" + referralID, []string{"version", "1", "outcome", "REACHED", "note", typedWords}},
		"a substitute":    {"scheduling.v1", "desk", "/sessions/" + referralID + "/substitute", []string{"version", "1", "practitionerName", typedWords}},
		"a blank form":    {"referral.v1", "desk", "/downtime/void", []string{"number", "1", "reasonCode", "LOST", "note", typedWords}},
		"a hand-over":     {"directory.v1.RosterService", "township", "/rosters/hand-over", []string{"organization", townshipID, "toAccountId", clerk().GetId(), "end", "2026-03-03T08:00", "note", typedWords}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.admin()
			for _, method := range []string{"Return", "BeginFollowUp", "Escalate"} {
				w.always("/tongzhen.referral.v1.ReferralService/"+method, nil)
			}
			w.always(directoryv1.RosterService_HandOver_FullMethodName, nil)
			w.always(referralv1.DowntimeService_VoidBlankForm_FullMethodName, nil)
			w.away(c.pkg)
			got := w.browser(c.session).post(c.path, form(append([]string{"requestId", "0192f0c1-0000-7000-8000-0000000000aa"}, c.values...)...))
			body := got.Body.String()
			if got.Code != http.StatusServiceUnavailable || !strings.Contains(body, typedWords) || hidden(t, body, "requestId") != "0192f0c1-0000-7000-8000-0000000000aa" {
				t.Errorf("%d %s", got.Code, body)
			}
			if !strings.Contains(body, `action="`+c.path+`"`) {
				t.Error("it cannot be sent again")
			}
			for i := 0; i < len(c.values); i += 2 {
				if !strings.Contains(body, `name="`+c.values[i]+`"`) {
					t.Errorf("%s is lost", c.values[i])
				}
			}
			for _, problem := range htmlcheck.Page(body) {
				t.Error(problem)
			}
		})
	}
}

func TestWhatWasChosenForAnArrivalStaysWithoutItsLists(t *testing.T) {
	t.Parallel()
	for _, pkg := range []string{"referral.v1", "directory.v1.DirectoryService/List"} {
		w := newWorld(t)
		w.away(pkg)
		w.refuse(arrivalMethod, errs.Unavailable("referral", nil))
		body := w.browser("desk").post(arrivalPage, typedArrival()).Body.String()
		for _, value := range []string{typedArrival().Get("reasonCode"), typedArrival().Get("department"), typedArrival().Get("originator")} {
			if !strings.Contains(body, `value="`+value+`" selected`) {
				t.Errorf("without %s: %s is lost", pkg, value)
			}
		}
		if pkg == "referral.v1" && strings.Count(body, "as you chose") != 1 {
			t.Error("the names of places do not come from referral")
		}
		for _, problem := range htmlcheck.Page(body) {
			t.Error(problem)
		}
	}
}

func TestSigningInComesBackToTheWholeAddress(t *testing.T) {
	t.Parallel()
	got := newWorld(t).browser("").get(answersUp)
	if there := got.Header().Get("Location"); there != "/sign-in?back="+strings.NewReplacer("/", "%2F", "?", "%3F", "=", "%3D").Replace(answersUp) {
		t.Error(there)
	}
}

// A visit that was recorded changes the plan, and the repeated request must not change with it.
func TestAVisitWhoseAnswerWasLostIsTheSameRequestAgain(t *testing.T) {
	t.Parallel()
	due := func(number int32, day string) *referralv1.PlannedVisit {
		return &referralv1.PlannedVisit{Number: number, Due: day, Mode: "HOME", Items: []string{"BP"}}
	}
	for name, visits := range map[string][]*referralv1.PlannedVisit{
		"the last one": {due(1, "2026-03-02")}, "one of three": {due(1, "2026-03-02"), due(2, "2026-04-01"), due(3, "2026-05-01")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			stands := sampleDown(referralv1.State_FOLLOW_UP)
			stands.Plan = &referralv1.FollowUpPlan{Template: "T", Condition: "CHD", Goal: "血压达标", Visits: visits}
			on(w, getMethod, func(context.Context, *referralv1.GetReferralRequest) (*referralv1.Referral, error) {
				return proto.CloneOf(stands), nil
			})
			w.always(actionsMethod, actionsOf("record_visit"))
			on(w, referralv1.ReferralService_RecordVisit_FullMethodName, func(context.Context, *referralv1.RecordVisitRequest) (*referralv1.Referral, error) {
				stands.Plan = &referralv1.FollowUpPlan{Template: "T", Condition: "CHD", Visits: []*referralv1.PlannedVisit{{Number: 1, Done: true}, due(2, "2026-04-08")}}
				return nil, errs.Unavailable("referral", nil)
			})
			b := w.browser("township")
			sent := shownFields(t, b.get("/referrals/"+referralID).Body.String(), `id="visit"`)
			sent.Set("nextDue", "2026-04-08")
			sent.Set("findings.result", "STABLE")
			for range 2 {
				b.post("/referrals/"+referralID+"/record_visit", sent, "X-Kept", doctor().GetId())
			}
			made := called[*referralv1.RecordVisitRequest](w, referralv1.ReferralService_RecordVisit_FullMethodName)
			if len(made) != 2 || !proto.Equal(made[0], made[1]) {
				t.Fatalf("%v", made)
			}
			plan := made[0].GetPlan()
			if plan.GetGoal() != "血压达标" || plan.GetVisits()[0].GetDue() != "2026-04-08" || plan.GetVisits()[0].GetMode() != "HOME" || len(plan.GetVisits()) != max(1, len(visits)-1) {
				t.Errorf("%v", plan)
			}
		})
	}
}

// shownFields are what a browser would send of the form with a mark in its tag: hidden fields, and of the others what stands in their values.
func shownFields(t *testing.T, body, mark string) url.Values {
	t.Helper()
	_, rest, found := strings.Cut(body, mark)
	form, _, _ := strings.Cut(rest, "</form>")
	if !found {
		t.Fatalf("there is no form with %s", mark)
	}
	out := url.Values{}
	for _, one := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(form, -1) {
		out.Add(one[1], html.UnescapeString(one[2]))
	}
	for _, one := range regexp.MustCompile(`(?s)<select[^>]* name="([^"]+)".*?<option value="([^"]*)"`).FindAllStringSubmatch(form, -1) {
		out.Set(one[1], html.UnescapeString(one[2]))
	}
	return out
}

func TestACorrectedReportKeepsWhatItsFormDoesNotShow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := sampleEntry("NOTE", "final", "RECORDED", 2, "CORRECT")
	e.Kind = "REPORT"
	e.Content = &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_DiagnosticReport{DiagnosticReport: &patientrecordv1.DiagnosticReport{
		Text: "胸部CT", Findings: "右肺上叶结节 8mm", Conclusion: "建议随访", PerformerId: "p", PerformerName: "省人民医院", ResultNames: []string{"x"},
	}}}
	w.always(getEntryMethod, e)
	w.browser("township").post(entryPage+"/correct", form("requestId", "r", "version", "2", "entry.text", "胸部CT", "entry.words", "建议三月后复查", "category", "IMAGING",
		"date", "2026-03-02", "hour", "08:30", "reasonCode", "WRONG_VALUE", "note", "x"))
	got := lastly[*patientrecordv1.ChangeEntryRequest](t, w, correctMethod).GetContent().GetDiagnosticReport()
	if got.GetFindings() != "右肺上叶结节 8mm" || got.GetPerformerName() != "省人民医院" || got.GetPerformerId() != "p" || got.GetConclusion() != "建议三月后复查" || len(got.GetResultNames()) != 1 {
		t.Errorf("%v", got)
	}
	e.Kind = "OBSERVATION"
	e.Content = &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Observation{Observation: &patientrecordv1.Observation{
		Text: "尿酸", Quantity: &patientrecordv1.Quantity{Value: 520, Unit: "umol/L"}, ReferenceRange: "208-428", Interpretation: "H", Method: "酶法", PerformerName: "省人民医院",
	}}}
	correct := func(value string) *patientrecordv1.Observation {
		w.browser("township").post(entryPage+"/correct", form("requestId", "r", "version", "2", "entry.text", "尿酸", "value", value, "unit", "umol/L", "date", "2026-03-02",
			"hour", "08:30", "reasonCode", "WRONG_VALUE", "note", "x"))
		return lastly[*patientrecordv1.ChangeEntryRequest](t, w, correctMethod).GetContent().GetObservation()
	}
	if o := correct("５２０"); o.GetReferenceRange() != "208-428" || o.GetMethod() != "酶法" || o.GetPerformerName() != "省人民医院" || o.GetInterpretation() != "H" || o.GetQuantity().GetValue() != 520 {
		t.Errorf("%v", o)
	}
	if o := correct("320"); o.GetInterpretation() != "" || o.GetReferenceRange() != "208-428" {
		t.Errorf("the judgement of the old value stays: %v", o)
	}
}
