package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

func TestTheFormShowsHowLongOneWaitsAndTheEarliestPlaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	expert := sampleSlot("e", 50*time.Hour)
	expert.Kind, expert.Location = "EXPERT", "二楼"
	on(w, findSlotsMethod, func(_ context.Context, in *schedulingv1.FindSlotsRequest) (*schedulingv1.FindSlotsResponse, error) {
		if in.GetKind() == "EXPERT" {
			return &schedulingv1.FindSlotsResponse{Slots: []*schedulingv1.Slot{expert}}, nil
		}
		elsewhere, reserved := sampleSlot("other", 27*time.Hour), sampleSlot(otherSlotID, 26*time.Hour)
		elsewhere.DepartmentCode, reserved.Pool = "20", "RESERVED"
		return &schedulingv1.FindSlotsResponse{Slots: []*schedulingv1.Slot{reserved, elsewhere}}, nil
	})
	b := w.browser("township")
	shows(t, b.get("/refer/"+patientID).Body.String(), "Cardiology · about 3 days", "Emergency · full for two weeks")
	body := b.get("/refer/slots?kind=OUTPATIENT&organization="+hospitalID+"&department=0304", "X-Fragment", "1").Body.String()
	shows(t, body, "about 3 days", "2 on the waiting list", `value="`+otherSlotID+`"`, "township reserve", `value="other@`+hospitalID+`|20"`, `value="`+slotID+`"`)
	// A referral up has another receiver than the own centre.
	if strings.Contains(body, "二楼") {
		t.Error("a session at the own centre is shown, which cannot be booked for a referral to the hospital")
	}
}

func TestAPlaceElsewhereTakesTheReferralThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := w.browser("township").post("/refer/"+patientID, with(typedReferral(), "slot", otherSlotID+"@"+hospitalID+"|20")); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code, got.Body)
	}
	made := lastly[*referralv1.CreateReferralRequest](t, w, createMethod)
	if made.GetReceiver().GetDepartmentCode() != "20" || lastly[*schedulingv1.CreateHoldRequest](t, w, holdMethod).GetSlotId() != otherSlotID {
		t.Errorf("%v", made.GetReceiver())
	}
}

func TestAnExaminationIsBookedByItsKind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ct := sampleSlot(otherSlotID, 26*time.Hour)
	ct.Kind, ct.Modality, ct.EquipmentName, ct.PreparationEnglish, ct.DepartmentCode = "EXAM", "CT", "CT 一号机", "Nothing to eat for 4 hours", "32"
	w.always(findSlotsMethod, &schedulingv1.FindSlotsResponse{Slots: []*schedulingv1.Slot{ct}})
	b := w.browser("township")
	body := b.get("/refer/slots?kind=EXAM&organization="+hospitalID+"&department=&modality=CT", "X-Fragment", "1").Body.String()
	shows(t, body, "CT 一号机", "Nothing to eat for 4 hours", `name="slotKind" value="EXAM"`, `value="`+otherSlotID+`@`+hospitalID+`|32"`)
	if asked := lastly[*schedulingv1.FindSlotsRequest](t, w, findSlotsMethod); asked.GetModality() != "CT" || asked.GetKind() != "EXAM" || len(asked.GetDepartments()) != 0 {
		t.Errorf("%v", asked)
	}
	typed := with(typedReferral(), "kind", "EXAM", "modality", "CT", "slotKind", "EXAM", "slot", otherSlotID+"@"+hospitalID+"|32", "examItem", "CT")
	if got := b.post("/refer/"+patientID, typed); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code, got.Body)
	}
	if held := lastly[*schedulingv1.CreateHoldRequest](t, w, holdMethod); held.GetSlotId() != otherSlotID {
		t.Errorf("%v", held)
	}
}

func TestWhereNothingIsFreeTheFallbackListIsJoinedAfterSending(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(findSlotsMethod, &schedulingv1.FindSlotsResponse{})
	w.always(schedulingv1.SchedulingService_ListSlots_FullMethodName, &schedulingv1.ListSlotsResponse{})
	b := w.browser("township")
	shows(t, b.get("/refer/slots?kind=OUTPATIENT&organization="+hospitalID+"&department=0304", "X-Fragment", "1").Body.String(), `name="waitlist"`)
	made := sampleReferral(referralv1.State_SUBMITTED)
	made.HoldLost = false
	w.always(createMethod, made)
	typed := with(typedReferral(), "slot", "", "waitlist", "1")
	if got := b.post("/refer/"+patientID, typed); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code, got.Body)
	}
	joined := lastly[*schedulingv1.JoinWaitlistRequest](t, w, joinMethod)
	if joined.GetReferralId() != referralID || joined.GetKind() != "CLINIC" || joined.GetRequestId() == "" {
		t.Errorf("%v", joined)
	}
	shows(t, b.get("/referrals/"+referralID).Body.String(), "the patient is on the waiting list")
	w.refuse(joinMethod, errs.Unavailable("scheduling", nil))
	if got := b.post("/refer/"+patientID, typed); got.Code != http.StatusSeeOther {
		t.Error("a list that is away takes the referral back:", got.Code)
	}
	shows(t, b.get("/referrals/"+referralID).Body.String(), "could not be put on the waiting list")
}

func TestAReferralShowsItsPlaceOnTheFallbackList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	page := "/referrals/" + referralID
	shows(t, b.get(page).Body.String(), `action="`+page+`/join-waitlist"`)
	b.post(page+"/join-waitlist", form("requestId", "r1", "kind", "CLINIC", "lastDay", "2026-03-20"))
	if sent := lastly[*schedulingv1.JoinWaitlistRequest](t, w, joinMethod); sent.GetReferralId() != referralID || sent.GetLastDay() != "2026-03-20" {
		t.Errorf("%v", sent)
	}
	w.always(waitlistMethod, &schedulingv1.ListWaitlistResponse{Entries: []*schedulingv1.WaitlistEntry{sampleEntryOf(schedulingv1.WaitlistState_WAITING)}})
	body := b.get(page).Body.String()
	shows(t, body, "no. 2", "waiting", `action="`+page+`/leave-waitlist"`)
	if strings.Contains(body, "/join-waitlist") {
		t.Error("it can be joined twice")
	}
	b.post(page+"/leave-waitlist", form("requestId", "r1", "entry", entryID2))
	if sent := lastly[*schedulingv1.LeaveWaitlistRequest](t, w, leaveMethod); sent.GetId() != entryID2 {
		t.Errorf("%v", sent)
	}
	w.always(waitlistMethod, &schedulingv1.ListWaitlistResponse{Entries: []*schedulingv1.WaitlistEntry{sampleEntryOf(schedulingv1.WaitlistState_OFFERED)}})
	shows(t, b.get(page).Body.String(), "A place became free", "tomorrow 11:30")
	// Whose session was cancelled before there was an answer stays on the list, and can be moved.
	lost, attached := sampleEntryOf(schedulingv1.WaitlistState_WAITING), sampleReferral(referralv1.State_SUBMITTED)
	lost.DisplacedBookingId, attached.HoldId = holdID, holdID
	w.always(waitlistMethod, &schedulingv1.ListWaitlistResponse{Entries: []*schedulingv1.WaitlistEntry{lost}})
	w.always(getMethod, attached)
	w.always(schedulingv1.SchedulingService_GetHold_FullMethodName, &schedulingv1.Hold{Id: holdID, SlotId: slotID, State: schedulingv1.HoldState_ATTACHED, Start: in(time.Hour), Modality: "CT"})
	body = b.get(page).Body.String()
	shows(t, body, "The booked session was cancelled", `action="`+page+`/move"`, `name="place" value="`+holdID+`"`)
	if strings.Contains(body, "/leave-waitlist") {
		t.Error("who lost a place can be taken off the list")
	}
	if asked := lastly[*schedulingv1.FindSlotsRequest](t, w, findSlotsMethod); asked.GetModality() != "CT" {
		t.Errorf("moves are looked for by %v", asked)
	}
	w.always(getMethod, sampleReferral(referralv1.State_SUBMITTED))
	w.always(waitlistMethod, &schedulingv1.ListWaitlistResponse{Entries: []*schedulingv1.WaitlistEntry{sampleEntryOf(schedulingv1.WaitlistState_OFFERED)}})
	// The desk accepts with what the list keeps.
	w.always(actionsMethod, actionsOf("accept"))
	body = w.browser("desk").get(page).Body.String()
	shows(t, body, `value="hold:`+holdID+`"`, "kept by the waiting list")
	// When an offer comes while the page is open, what is proposed beside it is fetched again.
	shows(t, body, `data-mark="OFFERED `+holdID+`"`, `data-fragment-name="place" data-kinds="referral booking" data-referral="`+referralID+`"`)
}

func TestABookingIsMovedByEitherSideAndADisplacedOneWarns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := sampleReferral(referralv1.State_ACCEPTED)
	r.BookingId, r.WalkIn = bookingID, nil
	w.always(getMethod, r)
	booking := &schedulingv1.Booking{Id: bookingID, SlotId: slotID, State: schedulingv1.BookingState_LIVE, Start: in(time.Hour), PractitionerName: "陈医生", PreparationEnglish: "Nothing to eat", Preparation: "空腹"}
	w.always(schedulingv1.SchedulingService_GetBooking_FullMethodName, booking)
	page := "/referrals/" + referralID
	for _, who := range []string{"township", "desk"} {
		b := w.browser(who)
		shows(t, b.get(page).Body.String(), "Before the examination:</strong> Nothing to eat", `action="`+page+`/move"`, `value="`+otherSlotID+`"`)
		b.post(page+"/move", form("requestId", "r1", "place", bookingID, "from", slotID, "slot", otherSlotID))
		if sent := lastly[*schedulingv1.MoveBookingRequest](t, w, moveMethod); sent.GetId() != bookingID || sent.GetFromSlotId() != slotID || sent.GetSlotId() != otherSlotID {
			t.Errorf("%s: %v", who, sent)
		}
	}
	w.refuse(moveMethod, errs.Conflict(errs.ReasonSlotTaken, "x"))
	got := w.browser("desk").post(page+"/move", form("requestId", "r1", "place", bookingID, "from", slotID, "slot", otherSlotID))
	if got.Code != http.StatusConflict || !strings.Contains(got.Body.String(), "has just been taken") {
		t.Error(got.Code)
	}
	booking.Displaced = true
	w.always(schedulingv1.SchedulingService_GetBooking_FullMethodName, booking)
	shows(t, w.browser("township").get(page).Body.String(), "The booked session was cancelled and there is no new time yet")
}

func TestTheDeskPicksASuitedBed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := sampleReferral(referralv1.State_SUBMITTED)
	r.Kind = commonv1.Kind_INPATIENT
	w.always(getMethod, r)
	w.always(actionsMethod, actionsOf("accept"))
	b := w.browser("desk")
	body := b.get("/referrals/" + referralID + "?bed=" + bedID).Body.String()
	shows(t, body, `<option value="`+bedID+`" selected>`)
	// Wards with so many free beds, not each bed; a certain one is on the board.
	ward := `<option value="ward:` + wardID + `"`
	shows(t, body, ward+">心内一区 · ", " · 1 free</option>", `href="/beds?department=0304"`)
	if strings.Contains(body, "监护") {
		t.Error("a woman is offered a bed among men")
	}
	if body = b.get("/referrals/" + referralID).Body.String(); strings.Contains(body, `<option value="`+bedID) {
		t.Error("a bed is named that nobody picked")
	}
	b.post("/referrals/"+referralID+"/accept", with(sent("accept"), "choice", "bed:", "bedId", "ward:"+wardID))
	if held := lastly[*schedulingv1.CreateHoldRequest](t, w, holdMethod); held.GetBed().GetWardId() != wardID || held.GetBed().GetBedId() != "" {
		t.Errorf("%v", held)
	}
	b.post("/referrals/"+referralID+"/accept", with(sent("accept"), "choice", "bed:", "bedId", bedID))
	held := lastly[*schedulingv1.CreateHoldRequest](t, w, holdMethod)
	if held.GetBed().GetBedId() != bedID || held.GetBed().GetSex() != "FEMALE" || held.GetReferralId() != referralID {
		t.Errorf("%v", held)
	}
}

func TestTheFallbackListStandsInItsOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	displaced := sampleEntryOf(schedulingv1.WaitlistState_OFFERED)
	displaced.Id, displaced.DisplacedBookingId, displaced.ReferralId = "d", bookingID, downID
	w.always(waitlistMethod, &schedulingv1.ListWaitlistResponse{Entries: []*schedulingv1.WaitlistEntry{displaced, sampleEntryOf(schedulingv1.WaitlistState_WAITING)}, NextPageToken: "next"})
	b := w.browser("desk")
	body := b.get("/waitlist").Body.String()
	shows(t, body, "Cardiology", "2 waiting", "session was cancelled", "Place kept:", markName, `action="/waitlist/`+entryID2+`/leave"`, "page=next")
	if strings.Contains(body, `action="/waitlist/d/leave"`) {
		t.Error("a displaced booking can be taken off the list")
	}
	if strings.Index(body, `data-id="d"`) > strings.Index(body, `data-id="`+entryID2+`"`) {
		t.Error("the order of the list is lost")
	}
	b.post("/waitlist", form("requestId", "r1", "referralId", referralID, "kind", "BED"))
	if sent := lastly[*schedulingv1.JoinWaitlistRequest](t, w, joinMethod); sent.GetKind() != "BED" || sent.GetReferralId() != referralID ||
		sent.GetSex() != "FEMALE" {
		t.Errorf("%v", sent)
	}
	b.post("/waitlist", form("requestId", "r1", "referralId", referralID, "kind", "EXAM", "modality", "CT"))
	if sent := lastly[*schedulingv1.JoinWaitlistRequest](t, w, joinMethod); sent.GetKind() != "EXAM" || sent.GetModality() != "CT" || sent.GetSex() != "" {
		t.Errorf("%v", sent)
	}
	b.post("/waitlist/"+entryID2+"/leave", form("requestId", "r1"))
	if sent := lastly[*schedulingv1.LeaveWaitlistRequest](t, w, leaveMethod); sent.GetId() != entryID2 {
		t.Errorf("%v", sent)
	}
	shows(t, b.post("/waitlist", form("kind", "BED")).Body.String(), `href="#f-referralId"`)
	w.always(waitlistMethod, &schedulingv1.ListWaitlistResponse{})
	// What is waited for is asked: any other examination is of no use.
	shows(t, b.post("/waitlist", form("requestId", "r1", "referralId", referralID, "kind", "EXAM")).Body.String(), `href="#f-modality"`, `value="EXAM" checked`, `<select id="f-modality"`)
	shows(t, w.browser("township").get("/waitlist").Body.String(), "Nobody is waiting", "Your patients who wait", "How to add somebody", `href="/referrals">Referrals that we sent`)
	shows(t, b.get("/waitlist").Body.String(), "How to add somebody", `href="/desk?tab=waiting"`, `<details class="card" open>`)
	// What was typed stays, though meanwhile nobody can be put on the list any more.
	w.always(listMethod, &referralv1.ListReferralsResponse{})
	body = b.post("/waitlist", form("requestId", "r1", "referralId", referralID, "kind", "EXAM", "lastDay", "2026-04-01")).Body.String()
	shows(t, body, `href="#f-modality"`, `value="EXAM" checked`, `value="2026-04-01"`, `<option value="`+referralID+`" selected>`)
	if body := b.get("/waitlist").Body.String(); strings.Contains(body, `id="f-referralId"`) {
		t.Error("a form for nobody")
	}
}

// The list of a day asks for all its referrals, as many at once as the referral service answers.
func TestADayWithManyPatientsShowsThemAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := &schedulingv1.DaySession{Id: sessionID, DepartmentCode: "0304", Kind: "CLINIC", Start: in(-time.Hour), End: in(time.Hour), Slots: 450}
	for n := range 450 {
		session.Patients = append(session.Patients, &schedulingv1.DayPatient{SlotId: fmt.Sprint("s", n), Start: in(0), End: in(time.Hour),
			State: schedulingv1.HoldState_BOOKED, ReferralId: fmt.Sprintf("r%03d", n), ReferralState: "ACCEPTED"})
	}
	w.always(dayMethod, &schedulingv1.ListDayResponse{Sessions: []*schedulingv1.DaySession{session}})
	on(w, referralv1.ReferralService_BatchGetReferrals_FullMethodName, func(_ context.Context, in *referralv1.BatchGetReferralsRequest) (*referralv1.BatchGetReferralsResponse, error) {
		out := &referralv1.BatchGetReferralsResponse{}
		if len(in.GetIds()) > 200 {
			return nil, errs.Invalid(errs.Bad("ids", errs.ReasonFieldOutOfRange))
		}
		for _, id := range in.GetIds() {
			r := sampleReferral(referralv1.State_ACCEPTED)
			r.Id = id
			out.Referrals = append(out.Referrals, r)
		}
		return out, nil
	})
	body := w.browser("desk").get("/desk/arrivals").Body.String()
	if n := strings.Count(body, "/arrive\""); n != 450 {
		t.Errorf("%d of 450 can be checked in", n)
	}
}

func TestTheDayShowsWhoHasComeAndChecksInByOneClick(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := sampleReferral(referralv1.State_ACCEPTED)
	w.always(referralv1.ReferralService_BatchGetReferrals_FullMethodName, &referralv1.BatchGetReferralsResponse{Referrals: []*referralv1.Referral{r}})
	on(w, listMethod, func(_ context.Context, in *referralv1.ListReferralsRequest) (*referralv1.ListReferralsResponse, error) {
		if in.GetOnTheWay() {
			return &referralv1.ListReferralsResponse{}, nil
		}
		return &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{r}}, nil
	})
	b := w.browser("desk")
	body := b.get("/desk/arrivals").Body.String()
	shows(t, body, "0 of 1 have come", "time has passed", `action="/referrals/`+referralID+`/arrive"`, `name="back" value="/desk/arrivals"`, "Others expected today", "1 other sessions today")
	// Once more among the arrivals that the hospital's own system made.
	if n := strings.Count(body, `data-id="`+referralID+`"`); n != 1 {
		t.Error("who stands in a session stands in the list too")
	}
	w.always(referralv1.ReferralService_Arrive_FullMethodName, sampleReferral(referralv1.State_ARRIVED))
	got := b.post("/referrals/"+referralID+"/arrive", form("requestId", "r1", "version", "3", "back", "/desk/arrivals"))
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/desk/arrivals" {
		t.Errorf("%d %v", got.Code, got.Header())
	}
	if got := b.post("/referrals/"+referralID+"/arrive", form("requestId", "r1", "version", "3", "back", "//elsewhere.example")); got.Header().Get("Location") != "/" {
		t.Errorf("it leads to %s", got.Header().Get("Location"))
	}
	come := sampleReferral(referralv1.State_ARRIVED)
	come.ArriveTime = in(-time.Minute)
	w.always(referralv1.ReferralService_BatchGetReferrals_FullMethodName, &referralv1.BatchGetReferralsResponse{Referrals: []*referralv1.Referral{come}})
	shows(t, b.get("/desk/arrivals").Body.String(), "1 of 1 have come", "has come")
	w.refuse(dayMethod, errs.Unavailable("scheduling", nil))
	shows(t, b.get("/desk/arrivals").Body.String(), `data-id="`+referralID+`"`)
}

func TestTheWaitingListNamesTheBedOrTimeThatIsOffered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hold := schedulingv1.SchedulingService_BatchGetHolds_FullMethodName
	slot, bed := sampleEntryOf(schedulingv1.WaitlistState_OFFERED), sampleEntryOf(schedulingv1.WaitlistState_OFFERED)
	bed.Kind, bed.OfferStart = "BED", nil
	for _, c := range []struct {
		entry *schedulingv1.WaitlistEntry
		hold  *schedulingv1.Hold
		want  []string
	}{
		{bed, &schedulingv1.Hold{Id: holdID, Ward: "内分泌科病区", Bed: "24"}, []string{"Bed kept: 内分泌科病区 24</a>"}},
		{slot, &schedulingv1.Hold{Id: holdID, Start: slot.GetOfferStart(), PractitionerName: "莫磊"}, []string{"Place kept: <time", "tomorrow 11:30", "莫磊"}},
	} {
		w.always(waitlistMethod, &schedulingv1.ListWaitlistResponse{Entries: []*schedulingv1.WaitlistEntry{c.entry}})
		w.always(hold, &schedulingv1.BatchGetHoldsResponse{Holds: []*schedulingv1.Hold{c.hold}})
		_, offer, _ := strings.Cut(w.browser("desk").get("/waitlist").Body.String(), `<a class="state OFFERED"`)
		offer, _, _ = strings.Cut(offer, "</td>")
		shows(t, offer, append(c.want, `href="/referrals/`+referralID+`"`)...)
	}
	w.always(waitlistMethod, &schedulingv1.ListWaitlistResponse{Entries: []*schedulingv1.WaitlistEntry{bed}})
	w.refuse(hold, unreachable())
	shows(t, w.browser("desk").get("/waitlist").Body.String(), "Bed kept: ")
	asked := len(called[*schedulingv1.BatchGetHoldsRequest](w, hold))
	w.always(waitlistMethod, &schedulingv1.ListWaitlistResponse{Entries: []*schedulingv1.WaitlistEntry{bed, slot, bed}})
	w.browser("desk").get("/waitlist")
	if n := len(called[*schedulingv1.BatchGetHoldsRequest](w, hold)) - asked; n != 1 || len(lastly[*schedulingv1.BatchGetHoldsRequest](t, w, hold).GetIds()) != 3 {
		t.Errorf("%d calls for three offers", n)
	}
}

// Who joins the list although nobody need wait is told.
func TestWhoNeedNotWaitIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(waitlistMethod, &schedulingv1.ListWaitlistResponse{})
	r := sampleReferral(referralv1.State_SUBMITTED)
	r.HoldId, r.Kind = "", commonv1.Kind_INPATIENT
	w.always(getMethod, r)
	beds, slots := schedulingv1.SchedulingService_ListBeds_FullMethodName, schedulingv1.AllocationService_FindSlots_FullMethodName
	w.always(beds, &schedulingv1.ListBedsResponse{Beds: []*schedulingv1.BedCount{{Free: 2}, {Free: 1}}})
	b := w.browser("township")
	shows(t, b.get("/referrals/"+referralID).Body.String(), "Put a patient on the list", "The department has 3 free beds today")
	w.always(beds, &schedulingv1.ListBedsResponse{Beds: []*schedulingv1.BedCount{{Total: 9}}})
	if strings.Contains(b.get("/referrals/"+referralID).Body.String(), "free beds today") {
		t.Error("no bed is free")
	}
	r.Kind = commonv1.Kind_OUTPATIENT
	w.always(getMethod, r)
	w.always(slots, &schedulingv1.FindSlotsResponse{Slots: []*schedulingv1.Slot{{Id: slotID, Start: in(time.Hour), PractitionerName: "莫磊"}}})
	shows(t, b.get("/referrals/"+referralID).Body.String(), "There are free times, the first is <time", "莫磊")
	w.refuse(slots, unreachable())
	shows(t, b.get("/referrals/"+referralID).Body.String(), "Put a patient on the list")
}
