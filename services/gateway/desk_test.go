package gateway_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const (
	secondID, thirdID = "0192f0c1-0000-7000-8000-000000000a02", "0192f0c1-0000-7000-8000-000000000a03"
	slotsMethod       = schedulingv1.SchedulingService_ListSlots_FullMethodName
)

// waits puts three referrals into the queue.
func (w *world) waits(urgencies ...commonv1.Urgency_Code) {
	var list []*referralv1.Referral
	for i, id := range []string{referralID, secondID, thirdID} {
		r := sampleReferral(referralv1.State_SUBMITTED)
		r.Id, r.Urgency, r.HoldId = id, urgencies[i], ""
		list = append(list, r)
	}
	w.always(listMethod, &referralv1.ListReferralsResponse{Referrals: list, Counts: []*referralv1.StateCount{
		{State: referralv1.State_SUBMITTED, Count: 3, Late: 2}, {State: referralv1.State_ACCEPTED, Count: 4}, {State: referralv1.State_NO_SHOW, Count: 1},
	}})
	w.always(getMethod, list[0])
	w.always(actionsMethod, actionsOf("accept", "return"))
}

func routine() []commonv1.Urgency_Code {
	return []commonv1.Urgency_Code{commonv1.Urgency_ROUTINE, commonv1.Urgency_ROUTINE, commonv1.Urgency_ROUTINE}
}

func TestTheQueueIsNarrowedByItsAddressAndIsTheSameForWhoComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.waits(routine()...)
	b := w.browser("desk")
	body := b.get("/desk?tab=waiting&urgency=URGENT&direction=UP&department=0304&sender=" + townshipID).Body.String()
	shows(t, body, `To answer <span class="number">3</span>`, `Expected <span class="number">5</span>`, `<option value="URGENT" selected>`, `<option value="0304" selected>`, `<option value="`+townshipID+`" selected>`, "Show all")
	for range 2 {
		asked := lastly[*referralv1.ListReferralsRequest](t, w, listMethod)
		if asked.GetUrgency() != commonv1.Urgency_URGENT || asked.GetDirection() != commonv1.Direction_UP || asked.GetReceiverDepartment() != "0304" || asked.GetOriginatorOrganizationId() != townshipID || !asked.GetCount() {
			t.Errorf("%v", asked)
		}
		b.get("/desk") // as it was left
	}
	late := b.get("/desk?tab=waiting&late=1").Body.String()
	shows(t, late, "Only the 2 that are late", `href="/desk?tab=waiting">Show all`, `type="hidden" name="late" value="1"`, `To answer <span class="number">3</span>`)
	b.get("/desk") // as it was left
	if asked := lastly[*referralv1.ListReferralsRequest](t, w, listMethod); !asked.GetLate() {
		t.Errorf("the late alone are not remembered: %v", asked)
	}
	shows(t, b.get("/desk?tab=waiting").Body.String(), `href="/desk?late=1&amp;tab=waiting">Late only <span class="number">2</span>`)
	if asked := lastly[*referralv1.ListReferralsRequest](t, w, listMethod); asked.GetUrgency() != 0 || asked.GetReceiverDepartment() != "" {
		t.Errorf("what was cleared is kept: %v", asked)
	}
	w.always(listMethod, &referralv1.ListReferralsResponse{})
	shows(t, b.get("/desk?tab=waiting&urgency=URGENT").Body.String(), "No referral matches")
}

func TestTheQueueAnswersWithOneClick(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.waits(routine()...)
	w.always(slotsMethod, &schedulingv1.ListSlotsResponse{Slots: []*schedulingv1.Slot{{Id: otherSlotID, Start: in(-time.Hour)}, {Id: slotID, Start: in(0), PractitionerName: "张医生"}}})
	body := w.browser("desk").get("/desk").Body.String()
	shows(t, body, `action="/referrals/`+secondID+`/accept"`, `value="slot:`+slotID+`"`, "Accept and book <time", "today 09:30", "张医生")
	// Two slots for three who wait: no two are told the same one, and the third that there are too few.
	shows(t, body, `value="slot:`+otherSlotID+`"`, "Too few free slots")
	if n := strings.Count(body, `value="slot:`+slotID+`"`); n != 1 || strings.Contains(body, thirdID+"/accept") {
		t.Errorf("a slot is suggested %d times", n)
	}
	w.always(actionsMethod, actionsOf("message"))
	if body := w.browser("desk").get("/desk").Body.String(); strings.Contains(body, "/accept") {
		t.Error("who may not accept is offered it")
	}
}

// The page of a referral proposes what its row of the queue does, wherever it was opened from: not what a row before it gets.
func TestAnOpenReferralProposesWhatItsRowOfTheQueueDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.waits(routine()...)
	w.always(slotsMethod, &schedulingv1.ListSlotsResponse{Slots: []*schedulingv1.Slot{{Id: otherSlotID, Start: in(-time.Hour)}, {Id: slotID, Start: in(0), PractitionerName: "张医生"}}})
	for id, want := range map[string]string{referralID: otherSlotID, secondID: slotID, thirdID: "", downID: ""} {
		r := sampleReferral(referralv1.State_SUBMITTED)
		r.Id, r.HoldId = id, ""
		w.always(getMethod, r)
		body := w.browser("desk").get("/referrals/" + id).Body.String()
		suggested := strings.Contains(body, `class="suggestion"`)
		if want == "" {
			shows(t, body, "Too few times")
		}
		if suggested != (want != "") || want != "" && !strings.Contains(body, `type="hidden" name="choice" value="slot:`+want+`"`) {
			t.Errorf("%s is not told %q", id, want)
		}
	}
}

func TestAnAnswerLeadsToTheNextThatWaits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		urgencies []commonv1.Urgency_Code
		answered  string
		next      string
	}{
		"in the order":             {routine(), referralID, secondID},
		"from the last the first":  {routine(), thirdID, referralID},
		"an emergency before that": {[]commonv1.Urgency_Code{commonv1.Urgency_EMERGENCY, commonv1.Urgency_ROUTINE, commonv1.Urgency_ROUTINE}, secondID, referralID},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.waits(c.urgencies...)
			b := w.browser("desk")
			got := b.post("/referrals/"+c.answered+"/accept", with(sent("accept"), "queue", "1"))
			if to := got.Header().Get("Location"); got.Code != http.StatusSeeOther || to != "/referrals/"+c.next+"?queue=1" {
				t.Fatalf("%d, %s", got.Code, to)
			}
			on(w, referralv1.ReferralService_BatchGetReferrals_FullMethodName, func(_ context.Context, in *referralv1.BatchGetReferralsRequest) (*referralv1.BatchGetReferralsResponse, error) {
				done := sampleReferral(referralv1.State_ACCEPTED)
				done.Id = in.GetIds()[0]
				return &referralv1.BatchGetReferralsResponse{Referrals: []*referralv1.Referral{done}}, nil
			})
			body := b.get("/referrals/" + referralID + "?queue=1").Body.String()
			shows(t, body, "Accepted; the sender was told.", `href="/referrals/`+c.answered+`">Open it`, "1 of 3", `aria-current="true"`, "Back to the queue")
			if strings.Contains(b.get("/referrals/"+referralID+"?queue=1").Body.String(), "Accepted; the sender was told.") {
				t.Error("it is said twice")
			}
		})
	}
	w := newWorld(t)
	w.waits(routine()...)
	if to := w.browser("desk").post("/referrals/"+referralID+"/accept", sent("accept")).Header().Get("Location"); to != "/referrals/"+referralID {
		t.Errorf("who came from elsewhere is led to %s", to)
	}
	w.always(listMethod, &referralv1.ListReferralsResponse{})
	if to := w.browser("desk").post("/referrals/"+referralID+"/accept", with(sent("accept"), "queue", "1")).Header().Get("Location"); to != "/desk?tab=waiting" {
		t.Errorf("after the last one: %s", to)
	}
}

func TestASuggestionThatIsGoneIsFollowedByTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.waits(routine()...)
	w.always(slotsMethod, &schedulingv1.ListSlotsResponse{Slots: []*schedulingv1.Slot{{Id: otherSlotID, Start: in(0)}}, Days: []*schedulingv1.FreeDay{{Date: "2026-03-02", Free: 1}}})
	w.refuse(holdMethod, errs.Conflict(errs.ReasonSlotTaken, "x"))
	got := w.browser("desk").post("/referrals/"+referralID+"/accept", with(sent("accept"), "queue", "1", "choice", "slot:"+slotID, "note", "带好片子"))
	if got.Code != http.StatusConflict {
		t.Fatal(got.Code)
	}
	shows(t, got.Body.String(), "has just been taken", "Take the new suggestion", `value="slot:`+otherSlotID+`"`, "带好片子</textarea>", `name="queue" value="1"`, "1 of 3")
}

func TestAScannedSlipLeadsToItsPatient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	accepted := sampleReferral(referralv1.State_ACCEPTED)
	w.always(referralv1.ReferralService_FindReferral_FullMethodName, accepted)
	w.always(referralv1.ReferralService_BatchGetReferrals_FullMethodName, &referralv1.BatchGetReferralsResponse{Referrals: []*referralv1.Referral{accepted}})
	w.always(actionsMethod, actionsOf("arrive"))
	code := url.Values{"number": {"https://county.example" + verifyPage}}
	w.always(verifyMethod, &referralv1.Verification{})
	if got := b.post("/desk/find", code); got.Code != http.StatusNotFound || !strings.Contains(got.Body.String(), "does not verify") || !strings.Contains(got.Body.String(), `value="https://county.example`) {
		t.Errorf("a slip whose key is wrong: %d", got.Code)
	}
	w.always(verifyMethod, &referralv1.Verification{Genuine: true})
	got := b.post("/desk/find", code)
	if asked := lastly[*referralv1.VerifySlipRequest](t, w, verifyMethod); asked.GetNumber() != "450321-26-0000123-4" || asked.GetKey() != slipKey {
		t.Errorf("%v", asked)
	}
	if asked := lastly[*referralv1.FindReferralRequest](t, w, referralv1.ReferralService_FindReferral_FullMethodName); asked.GetNumber() != "450321-26-0000123-4" {
		t.Errorf("%v", asked)
	}
	to := got.Header().Get("Location")
	if to != "/desk/arrivals?found="+referralID {
		t.Fatal(to)
	}
	body := b.get(to).Body.String()
	shows(t, body, markName, `action="/referrals/`+referralID+`/arrive"`, `name="back" value="/desk/arrivals"`)
	w.always("/tongzhen.referral.v1.ReferralService/Arrive", sampleReferral(referralv1.State_ARRIVED))
	if to := b.post("/referrals/"+referralID+"/arrive", with(sent("arrive"), "back", "/desk/arrivals")).Header().Get("Location"); to != "/desk/arrivals" {
		t.Error(to)
	}
	shows(t, b.get("/desk/arrivals").Body.String(), "Arrival recorded.", `<a href="/referrals/`+referralID+`">Wrong patient? Open it to undo</a>`)
	w.always(actionsMethod, actionsOf())
	shows(t, b.get("/desk/arrivals?found="+referralID).Body.String(), "cannot be checked in now")
	w.refuse(referralv1.ReferralService_FindReferral_FullMethodName, errs.NotFound("referral"))
	shows(t, b.post("/desk/find", url.Values{"number": {"https://elsewhere.example/x"}}).Body.String(), `value="https://elsewhere.example/x"`)
}

func TestAReplyStartsFromTheRecordOfTheStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := sampleReferral(referralv1.State_ADMITTED)
	r.ArriveTime = in(-48 * time.Hour)
	w.always(getMethod, r)
	w.always(actionsMethod, actionsOf("conclude"))
	entry := func(c *patientrecordv1.ClinicalEntry) *patientrecordv1.RecordEntry {
		return &patientrecordv1.RecordEntry{Content: c}
	}
	w.always(listEntriesMethod, &patientrecordv1.ListEntriesResponse{Entries: []*patientrecordv1.RecordEntry{
		entry(&patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Note{Note: &patientrecordv1.Note{Category: "PROGRESS", Text: "病程不带"}}}),
		entry(&patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Note{Note: &patientrecordv1.Note{Category: "DISCHARGE", Text: "入院后予支架植入"}}}),
		entry(&patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_DiagnosticReport{DiagnosticReport: &patientrecordv1.DiagnosticReport{Text: "冠脉造影", Conclusion: "前降支狭窄"}}}),
	}})
	b := w.browser("desk")
	body := b.get("/referrals/" + referralID).Body.String()
	shows(t, body, "入院后予支架植入</textarea>", "冠脉造影：前降支狭窄", "血压 151.23/92 mmHg</textarea>", "氨氯地平 5mg 每日一次</textarea>", r.GetDiagnoses()[0].GetDisplay(), "What the record knows is filled in")
	if strings.Contains(body, "病程不带") {
		t.Error("a course is taken for the discharge summary")
	}
	asked := lastly[*patientrecordv1.ListEntriesRequest](t, w, listEntriesMethod)
	if !asked.GetFrom().AsTime().Equal(r.GetArriveTime().AsTime()) {
		t.Errorf("%v", asked)
	}
	w.refuse(listEntriesMethod, errs.Unavailable("patientrecord", nil))
	shows(t, b.get("/referrals/"+referralID).Body.String(), "氨氯地平 5mg 每日一次</textarea>")
	w.refuse(summaryMethod, errs.Unavailable("patientrecord", nil))
	shows(t, b.get("/referrals/"+referralID).Body.String(), `name="reply.treatment"`)
}

// Each live event of a referral that is to be concluded is no further read of the patient's record.
func TestALiveRefreshReadsTheRecordNoMoreThanThePageDid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r, later := sampleReferral(referralv1.State_ADMITTED), sampleReferral(referralv1.State_ADMITTED)
	r.ArriveTime, later.ArriveTime, later.Version = in(-48*time.Hour), in(-48*time.Hour), r.GetVersion()+1
	w.always(getMethod, r)
	w.always(actionsMethod, actionsOf("conclude"))
	w.always(listEntriesMethod, &patientrecordv1.ListEntriesResponse{})
	b := w.browser("desk")
	_, rest, _ := strings.Cut(b.get("/referrals/"+referralID).Body.String(), `data-seen="`)
	seen, _, _ := strings.Cut(rest, `"`)
	reads := func() int { return len(called[*patientrecordv1.ListEntriesRequest](w, listEntriesMethod)) }
	before := reads()
	if got := b.get("/referrals/"+referralID, "X-Fragment", "actions", "X-Seen", seen); got.Code != http.StatusNoContent || reads() != before {
		t.Errorf("nothing has changed: %d, %d reads", got.Code, reads()-before)
	}
	w.always(getMethod, later)
	if got := b.get("/referrals/"+referralID, "X-Fragment", "actions", "X-Seen", seen); got.Code != http.StatusOK || reads() != before+1 {
		t.Errorf("a new version: %d, %d reads", got.Code, reads()-before)
	}
}

// What is half written stays while another referral is looked at, and goes when it was sent.
func TestWhatIsWrittenBesideTheQueueIsADraft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.waits(routine()...)
	w.always(actionsMethod, actionsOf("accept", "return", "redirect", "decline"))
	b := w.browser("desk")
	body := b.get("/referrals/" + referralID + "?queue=1").Body.String()
	for _, action := range []string{"accept", "return", "redirect", "decline"} {
		shows(t, body, `data-draft="`+action+":"+referralID+`"`)
	}
	done := sampleReferral(referralv1.State_RETURNED)
	w.always(referralv1.ReferralService_BatchGetReferrals_FullMethodName, &referralv1.BatchGetReferralsResponse{Referrals: []*referralv1.Referral{done}})
	w.always("/tongzhen.referral.v1.ReferralService/Return", done)
	to := b.post("/referrals/"+referralID+"/return", with(sent("return"), "queue", "1", "reasonCode", "INCOMPLETE")).Header().Get("Location")
	shows(t, b.get(to).Body.String(), `data-draft-done="return:`+referralID+`"`)
}

// Who has no place in a session is checked in on the line too: emergencies, inpatients, and whoever is on the way.
func TestWhoStandsInNoSessionIsCheckedInOnTheLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	today, coming, advice := sampleReferral(referralv1.State_ACCEPTED), sampleReferral(referralv1.State_SUBMITTED), sampleReferral(referralv1.State_ACCEPTED)
	today.Id, today.Kind, today.Version = secondID, commonv1.Kind_INPATIENT, 7
	coming.Id, coming.Kind = thirdID, commonv1.Kind_EMERGENCY
	advice.Id, advice.Kind = downID, commonv1.Kind_ADVICE
	on(w, listMethod, func(_ context.Context, in *referralv1.ListReferralsRequest) (*referralv1.ListReferralsResponse, error) {
		if in.GetOnTheWay() {
			return &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{coming}}, nil
		}
		return &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{today, advice}}, nil
	})
	on(w, actionsMethod, func(_ context.Context, in *referralv1.ListActionsRequest) (*referralv1.ListActionsResponse, error) {
		if in.GetId() == downID {
			return actionsOf("cancel"), nil
		}
		return actionsOf("arrive"), nil
	})
	body := w.browser("desk").get("/desk/arrivals").Body.String()
	_, line, _ := strings.Cut(body, `data-id="`+secondID+`"`)
	line, _, _ = strings.Cut(line, "</tr>")
	shows(t, line, `action="/referrals/`+secondID+`/arrive"`, `name="version" value="7"`, `name="back" value="/desk/arrivals"`)
	shows(t, body, `action="/referrals/`+thirdID+`/arrive"`)
	if strings.Contains(body, downID+"/arrive") {
		t.Error("who is not to come is checked in")
	}
}

func TestTheNoticeOfAnAcceptanceNamesWhatWasBooked(t *testing.T) {
	t.Parallel()
	booking := schedulingv1.SchedulingService_GetBooking_FullMethodName
	for name, c := range map[string]struct {
		booked *schedulingv1.Booking
		want   []string
	}{
		"a bed":  {&schedulingv1.Booking{Id: bookingID, Ward: "骨科病区", Bed: "01"}, []string{"Bed kept", "骨科病区 01"}},
		"a time": {&schedulingv1.Booking{Id: bookingID, Start: in(time.Hour), PractitionerName: "莫磊"}, []string{"Booked <time", "today 10:30", "莫磊"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.waits(routine()...)
			done := sampleReferral(referralv1.State_ACCEPTED)
			done.BookingId, done.WalkIn = bookingID, nil
			w.always(referralv1.ReferralService_BatchGetReferrals_FullMethodName, &referralv1.BatchGetReferralsResponse{Referrals: []*referralv1.Referral{done}})
			w.always(booking, c.booked)
			b := w.browser("desk")
			b.post("/referrals/"+referralID+"/accept", with(sent("accept"), "queue", "1"))
			_, notice, _ := strings.Cut(b.get("/desk").Body.String(), `data-draft-done="accept:`)
			notice, _, _ = strings.Cut(notice, "</p>")
			shows(t, notice, append(c.want, "Accepted; the sender was told.")...)
		})
	}
}

// One that was returned and sent again does not look like any old one.
func TestWhatWasSupplementedIsSaidInTheQueueAndOnThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	again := sampleReferral(referralv1.State_SUBMITTED)
	again.ReasonCode, again.Note, again.Supplemented = "INCOMPLETE", "补心电图", []string{"form.presentIllness", "diagnoses"}
	first := sampleReferral(referralv1.State_SUBMITTED)
	first.Id = secondID
	w.always(listMethod, &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{again, first}})
	w.always(getMethod, again)
	b := w.browser("desk")
	for what, body := range map[string]string{"the queue": b.get("/desk").Body.String(), "beside the open one": b.get("/desk", "X-Fragment", "list").Body.String()} {
		if strings.Count(body, "Supplemented</strong>") != 1 || !strings.Contains(body, "Supplemented</strong> present illness (reason for referral)") {
			t.Errorf("%s does not tell it, or of both", what)
		}
	}
	shows(t, b.get("/referrals/"+referralID).Body.String(), "Supplemented</strong> present illness (reason for referral)", "Asked for:", "补心电图")
	again.State = referralv1.State_ACCEPTED
	w.always(getMethod, again)
	if strings.Contains(b.get("/referrals/"+referralID).Body.String(), "Supplemented") {
		t.Error("it is still said when it was answered")
	}
}

// Who accepts in the list stays there: the notice on top, the focus in the row that comes next.
func TestAnAnswerInTheListStaysInTheList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.waits(routine()...)
	on(w, referralv1.ReferralService_BatchGetReferrals_FullMethodName, func(_ context.Context, in *referralv1.BatchGetReferralsRequest) (*referralv1.BatchGetReferralsResponse, error) {
		done := sampleReferral(referralv1.State_ACCEPTED)
		done.Id = in.GetIds()[0]
		return &referralv1.BatchGetReferralsResponse{Referrals: []*referralv1.Referral{done}}, nil
	})
	b := w.browser("desk")
	shows(t, b.get("/desk").Body.String(), `name="queue" value="list"`)
	got := b.post("/referrals/"+referralID+"/accept", with(sent("accept"), "queue", "list"))
	if to := got.Header().Get("Location"); got.Code != http.StatusSeeOther || to != "/desk?tab=waiting" {
		t.Fatalf("%d, %s", got.Code, to)
	}
	body := b.get("/desk?tab=waiting").Body.String()
	shows(t, body, "Accepted; the sender was told.", `href="/referrals/`+secondID+`?queue=1" autofocus`)
	if strings.Count(body, "autofocus") != 1 || strings.Contains(b.get("/desk?tab=waiting").Body.String(), "autofocus") {
		t.Error("the focus is in several rows, or is moved again")
	}
}
