package gateway_test

import (
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
)

const batchMethod = referralv1.ReferralService_BatchGetReferrals_FullMethodName

// Whoever redirects reads where the patient goes now: on a page that shows the next one already.
func TestWhereAReferralWasRedirectedIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.waits(routine()...)
	w.always(actionsMethod, actionsOf("accept", "redirect"))
	b := w.browser("desk")
	gone := sampleReferral(referralv1.State_SUBMITTED)
	gone.Receiver = &commonv1.Party{OrganizationId: hospitalID, DepartmentCode: "0304"}
	w.always(batchMethod, &referralv1.BatchGetReferralsResponse{Referrals: []*referralv1.Referral{gone}})
	w.always("/tongzhen.referral.v1.ReferralService/Redirect", gone)
	to := b.post("/referrals/"+referralID+"/redirect", with(sent("redirect"), "queue", "1")).Header().Get("Location")
	body := b.get(to).Body.String()
	_, said, _ := strings.Cut(body, `data-draft-done="redirect:`+referralID+`"`)
	said, _, _ = strings.Cut(said, "</p>")
	_, where, _ := strings.Cut(said, "Redirected to ")
	if where, _, _ = strings.Cut(where, "."); !strings.HasSuffix(where, " Neurology") && !strings.HasSuffix(where, " Cardiology") {
		t.Errorf("it is said: %q", said)
	}
}

// A place that is kept for a referral which was returned is not one that the desk has to answer.
func TestAPlaceOfAReturnedReferralSaysSo(t *testing.T) {
	t.Parallel()
	for state, want := range map[referralv1.State_Code]string{
		referralv1.State_RETURNED:  `<span class="state RETURNED">place kept, returned for supplement</span>`,
		referralv1.State_SUBMITTED: `<span class="state SUBMITTED">place kept, not answered yet</span>`,
	} {
		w := newWorld(t)
		w.always(dayMethod, &schedulingv1.ListDayResponse{Sessions: []*schedulingv1.DaySession{{
			Id: sessionID, DepartmentCode: "0304", Kind: "CLINIC", Start: in(-time.Hour), End: in(2 * time.Hour), Slots: 16, Free: 15,
			Patients: []*schedulingv1.DayPatient{{SlotId: slotID, Start: in(time.Hour), End: in(2 * time.Hour), State: schedulingv1.HoldState_ATTACHED, ReferralId: referralID, SenderOrganizationId: townshipID}},
		}}})
		w.always(batchMethod, &referralv1.BatchGetReferralsResponse{Referrals: []*referralv1.Referral{sampleReferral(state)}})
		body := w.browser("desk").get("/desk/arrivals").Body.String()
		shows(t, body, want)
		if strings.Contains(body, `action="/referrals/`+referralID+`/arrive"`) {
			t.Errorf("who is %s is checked in", state)
		}
	}
}

// Who was taken to a bed from the clinic is one of those who came; an admission that is undone leaves a patient who came.
func TestWhoWasAdmittedFromTheClinicStaysOnItsDay(t *testing.T) {
	t.Parallel()
	for state, want := range map[referralv1.State_Code]string{
		referralv1.State_ADMITTED: "admitted</span>", referralv1.State_CONCLUDED: "admitted</span>", referralv1.State_ARRIVED: "has come</span>",
	} {
		w := newWorld(t)
		w.always(dayMethod, &schedulingv1.ListDayResponse{Sessions: []*schedulingv1.DaySession{{
			Id: sessionID, DepartmentCode: "0304", Kind: "CLINIC", Start: in(-time.Hour), End: in(2 * time.Hour), Slots: 16, Free: 16,
			Patients: []*schedulingv1.DayPatient{{SlotId: slotID, Start: in(-time.Hour), End: in(0), State: schedulingv1.HoldState_RELEASED, ReferralId: referralID, SenderOrganizationId: townshipID}},
		}}})
		w.always(batchMethod, &referralv1.BatchGetReferralsResponse{Referrals: []*referralv1.Referral{sampleReferral(state)}})
		shows(t, w.browser("desk").get("/desk/arrivals").Body.String(), `<span class="state CLOSED">`+want, "1 of 1 have come")
	}
}

// The key that accepts leads to the answer where that is in words.
func TestTheKeyOfAnAdviceLeadsToItsAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := sampleReferral(referralv1.State_SUBMITTED)
	asked.Kind = commonv1.Kind_ADVICE
	w.always(getMethod, asked)
	w.always(actionsMethod, actionsOf("answer", "decline"))
	body := w.browser("desk").get("/referrals/" + referralID).Body.String()
	_, field, _ := strings.Cut(body, `<textarea id="f-answer"`)
	if field, _, _ = strings.Cut(field, ">"); !strings.Contains(field, ` data-key="a"`) || strings.Count(body, `data-key="a"`) != 1 {
		t.Errorf("the field of the answer has %q", field)
	}
	// In the queue the key opens it.
	w.always(listMethod, &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{asked}})
	shows(t, w.browser("desk").get("/desk").Body.String(), `<a class="button" href="/referrals/`+referralID+`?queue=1" data-key="a">`)
}

// What adds to the record says so: its buttons are named as the filter's are.
func TestWhatAddsToTheRecordIsToldFromItsFilter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shows(t, w.browser("township").get(recordPage).Body.String(), `<strong>Add to the record</strong><a class="button primary" href="`+recordPage+`/new/values">`)
}

// A patient who comes with an open referral is not recorded as one without: the form leads to it, and stands without an answer too.
func TestWhoComesWithAnOpenReferralIsNotRecordedUnawares(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	const warning = "has a referral up that is not over"
	w.always(underWayMethod, &referralv1.ListUnderWayResponse{})
	if strings.Contains(b.get(arrivalPage).Body.String(), warning) {
		t.Error("it warns of nothing")
	}
	open := sampleReferral(referralv1.State_ACCEPTED)
	w.always(underWayMethod, &referralv1.ListUnderWayResponse{Hospitals: []*referralv1.UnderWay{{OrganizationId: hospitalID, Referrals: []*referralv1.Referral{open}}}})
	shows(t, b.get(arrivalPage).Body.String(), warning, `<a href="/referrals/`+referralID+`">`+open.GetNumber()+`</a>`)
	if sent := lastly[*referralv1.ListUnderWayRequest](t, w, underWayMethod); sent.GetPatientId() != patientID || !sent.GetReferralsOnly() {
		t.Errorf("%v", sent)
	}
}

// A bed that is to go out of service while somebody has it says when, and can be kept in use.
func TestABedThatGoesOutOfServiceLaterSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	board := sampleBoard()
	beds := board.GetWards()[0].GetBeds()
	occupied := beds[len(beds)-1]
	w.always(boardMethod, board)
	b := w.keeper()
	path := "/beds?bed=" + occupied.GetId()
	const later = "it goes out of service when it is free"
	body := b.get(path).Body.String()
	if shows(t, body, `name="do" value="out"`); strings.Contains(body, later) || strings.Contains(body, `name="do" value="in"`) {
		t.Error("a bed in service is said to go out of it")
	}
	occupied.OutReason = "INFECTION"
	body = b.get(path).Body.String()
	if shows(t, body, later, `name="do" value="in"`); strings.Contains(body, `name="do" value="out"`) {
		t.Error("what is to go out of service can be taken out of it")
	}
	b.post("/beds/"+occupied.GetId(), form("version", "1", "do", "in", "sex", ""))
	if sent := lastly[*schedulingv1.SetBedRequest](t, w, setBedMethod); !sent.GetInService() || sent.GetOutReason() != "" {
		t.Errorf("%v", sent)
	}
}
