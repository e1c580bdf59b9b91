package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

const (
	admitMethod   = referralv1.ReferralService_Admit_FullMethodName
	bookingMethod = schedulingv1.SchedulingService_GetBooking_FullMethodName
)

// laid is a county hospital with beds, one of which is kept for the patient.
func (w *world) laid() *referralv1.Referral {
	r := sampleReferral(referralv1.State_ARRIVED)
	r.BookingId = bookingID
	w.always(getMethod, r)
	w.always(actionsMethod, actionsOf("admit"))
	w.always(bookingMethod, &schedulingv1.Booking{Id: bookingID, State: schedulingv1.BookingState_LIVE, Ward: "内一病区", Bed: "02", BedId: "bed-2"})
	bed := func(id, label string, state schedulingv1.BedState_Code, sex string) *schedulingv1.BoardBed {
		return &schedulingv1.BoardBed{Id: id, Label: label, State: state, Sex: sex}
	}
	w.always(boardMethod, &schedulingv1.ListBoardResponse{Wards: []*schedulingv1.BoardWard{
		{Id: "w1", Name: "内一病区", DepartmentCode: r.GetReceiver().GetDepartmentCode(), Beds: []*schedulingv1.BoardBed{
			bed("bed-1", "01", schedulingv1.BedState_FREE, ""), bed("bed-2", "02", schedulingv1.BedState_OCCUPIED, ""),
			bed("bed-3", "03", schedulingv1.BedState_OCCUPIED, ""), bed("bed-4", "04", schedulingv1.BedState_FREE, "NOBODY"),
		}},
		{Id: "w2", Name: "外科病区", DepartmentCode: "99", Beds: []*schedulingv1.BoardBed{bed("bed-9", "09", schedulingv1.BedState_FREE, "")}},
	}})
	w.always(admitMethod, sampleReferral(referralv1.State_ADMITTED))
	return r
}

func TestAPatientIsAdmittedToABedOfTheBoard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.laid()
	b := w.browser("desk")
	body := b.get("/referrals/" + referralID).Body.String()
	shows(t, body, `<optgroup label="内一病区">`, `<option value="bed-1">01</option>`, `<option value="bed-2" selected>02 · kept for the patient</option>`, `<option value="other">`, "内一病区 02 is kept")
	for _, not := range []string{"bed-3", "bed-4"} {
		if strings.Contains(body, not) {
			t.Errorf("%s is offered: it is taken, or does not suit", not)
		}
	}
	if own, lent := strings.Index(body, "bed-1"), strings.Index(body, "bed-9"); lent < own {
		t.Errorf("a bed of another department at %d, before the department's own at %d", lent, own)
	}
	shows(t, body, `<input type="hidden" name="keptBed" value="bed-2">`, " · other department\">")
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	admit := func(pairs ...string) *referralv1.AdmitRequest {
		t.Helper()
		if got := b.post("/referrals/"+referralID+"/admit", with(form("version", "3", "requestId", "0192f0c1-0000-7000-8000-0000000000e1"), pairs...)); got.Code != http.StatusSeeOther {
			t.Fatal(got.Code, got.Body)
		}
		all := called[*referralv1.AdmitRequest](w, admitMethod)
		return all[len(all)-1]
	}
	if got := admit("bedId", "bed-2"); got.GetHoldId() != "" || got.GetWard() != "内一病区" || got.GetBed() != "02" || got.GetInstead() {
		t.Errorf("the kept bed: %v", got)
	}
	if got := admit("bedId", "bed-1"); got.GetHoldId() == "" || got.GetWard() != "" {
		t.Errorf("another bed: %v", got)
	}
	holds := called[*schedulingv1.CreateHoldRequest](w, holdMethod)
	if len(holds) != 1 || holds[0].GetBed().GetBedId() != "bed-1" || holds[0].GetReferralId() != referralID || holds[0].GetPatientId() != r.GetPatientId() {
		t.Errorf("%v", holds)
	}
	if got := admit("bedId", "other", "ward", "内一病区", "bed", "加1"); got.GetHoldId() != "" || got.GetBed() != "加1" || !got.GetInstead() {
		t.Errorf("a bed that is not on the board: %v", got)
	}
}

func TestABedThatSomebodyElseGotIsSaidBesideTheChoice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.laid()
	b := w.browser("desk")
	typed := form("version", "3", "requestId", "0192f0c1-0000-7000-8000-0000000000e1", "bedId", "bed-1")
	w.refuse(holdMethod, errs.Conflict(errs.ReasonSlotTaken, "taken"))
	got := b.post("/referrals/"+referralID+"/admit", typed)
	if got.Code != http.StatusBadRequest || len(called[*referralv1.AdmitRequest](w, admitMethod)) != 0 {
		t.Error(got.Code)
	}
	shows(t, got.Body.String(), `<p class="error" id="e-admit-bed">Somebody else has this bed now`, "<details open><summary>Admit")
	shows(t, b.post("/referrals/"+referralID+"/admit", with(typed, "bedId", "")).Body.String(), `<p class="error" id="e-admit-bed">Please`)
}

// The answer to an admission was lost, and the form is sent once more: by then the bed of the first time is the one that is kept.
func TestAnAdmissionThatIsSentTwiceAsksForTheSame(t *testing.T) {
	t.Parallel()
	for _, chosen := range []string{"bed-1", "bed-2", "other"} {
		w := newWorld(t)
		r := w.laid()
		b := w.browser("desk")
		typed := form("version", "3", "requestId", "0192f0c1-0000-7000-8000-0000000000e1", "keptBed", "bed-2", "bedId", chosen, "ward", "内一病区", "bed", "加1")
		b.post("/referrals/"+referralID+"/admit", typed)
		switch chosen {
		case "bed-1":
			w.always(bookingMethod, &schedulingv1.Booking{Id: bookingID, State: schedulingv1.BookingState_LIVE, Ward: "内一病区", Bed: "01", BedId: "bed-1"})
		case "other":
			r.BookingId = ""
			w.always(getMethod, r)
		}
		b.post("/referrals/"+referralID+"/admit", typed)
		asked := called[*referralv1.AdmitRequest](w, admitMethod)
		if len(asked) != 2 || !proto.Equal(asked[0], asked[1]) {
			t.Errorf("%s: %v", chosen, asked)
		}
		if holds := called[*schedulingv1.CreateHoldRequest](w, holdMethod); chosen == "bed-1" && (len(holds) != 2 || !proto.Equal(holds[0], holds[1])) || chosen != "bed-1" && len(holds) != 0 {
			t.Errorf("%s: %v", chosen, holds)
		}
	}
}

// Whoever was too late chooses again, and from all beds: the one that was held for it is not kept from them.
func TestTheBedOfARefusedAdmissionIsGivenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.laid()
	b := w.browser("desk")
	w.refuse(admitMethod, errs.Stale(4, "ARRIVED"))
	typed := form("version", "3", "requestId", "0192f0c1-0000-7000-8000-0000000000e1", "keptBed", "bed-2", "bedId", "bed-1")
	b.post("/referrals/"+referralID+"/admit", typed)
	asked := called[*referralv1.AdmitRequest](w, admitMethod)
	back := called[*schedulingv1.ReleaseHoldRequest](w, schedulingv1.SchedulingService_ReleaseHold_FullMethodName)
	if len(asked) != 1 || len(back) != 1 || back[0].GetId() == "" || back[0].GetId() != asked[0].GetHoldId() {
		t.Errorf("%v, given back %v", asked, back)
	}
	w.refuse(admitMethod, errs.Unavailable("referral", nil))
	b.post("/referrals/"+referralID+"/admit", with(typed, "requestId", "0192f0c1-0000-7000-8000-0000000000e2"))
	if back = called[*schedulingv1.ReleaseHoldRequest](w, schedulingv1.SchedulingService_ReleaseHold_FullMethodName); len(back) != 1 {
		t.Errorf("it may have been carried out: %v", back)
	}
	holds := called[*schedulingv1.CreateHoldRequest](w, holdMethod)
	if len(holds) != 2 || holds[0].GetRequestId() == holds[1].GetRequestId() {
		t.Errorf("the hold that was given back is asked for again: %v", holds)
	}
}

// What the department has not, others lend; a hospital without a board names its beds in words.
func TestBedsAreLentAndWithoutABoardNamedInWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.laid()
	r.BookingId = ""
	r.Receiver.DepartmentCode = "77"
	w.always(getMethod, r)
	b := w.browser("desk")
	shows(t, b.get("/referrals/"+referralID).Body.String(), `<option value="bed-9">`, `<option value="bed-1">`, "these are of other departments")
	w.refuse(boardMethod, errs.Unavailable("scheduling", nil))
	body := b.get("/referrals/" + referralID).Body.String()
	shows(t, body, `name="ward" type="text"`)
	if strings.Contains(body, `name="bedId"`) {
		t.Error("a choice without beds")
	}
	if got := b.post("/referrals/"+referralID+"/admit", with(sent("admit"))); got.Code != http.StatusSeeOther {
		t.Error(got.Code)
	}
	if got := called[*referralv1.AdmitRequest](w, admitMethod); len(got) != 1 || got[0].GetWard() != "心内一区" || got[0].GetInstead() {
		t.Errorf("%v", got)
	}
}

// A bed that was left is not kept any more, whether scheduling has heard of it or not.
func TestNoBedIsKeptForWhoWasRepliedAbout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.laid()
	b := w.browser("desk")
	if body := b.get("/referrals/" + referralID).Body.String(); strings.Count(body, "内一病区") < 2 {
		t.Error("the bed is not told")
	}
	r.State = referralv1.State_ADMITTED
	w.always(getMethod, r)
	shows(t, b.get("/referrals/"+referralID).Body.String(), "In bed 内一病区 02")
	r.State, r.ConcludeTime = referralv1.State_CONCLUDED, in(0)
	w.always(getMethod, r)
	w.always(actionsMethod, actionsOf())
	if body := b.get("/referrals/" + referralID).Body.String(); strings.Contains(body, "内一病区") {
		t.Error("the bed is still kept")
	}
}
