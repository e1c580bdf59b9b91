package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

const (
	addBedsMethod   = schedulingv1.AllocationService_AddBeds_FullMethodName
	closeWardMethod = schedulingv1.AllocationService_CloseWard_FullMethodName
)

// keeper is the bed manager of the sample's hospital.
func (w *world) keeper() *browser {
	b := w.as("beds", commonv1.Role_BED_MANAGER)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sessions["beds"].OrganizationId = hospitalID
	return b
}

func wardNo(i int) string   { return fmt.Sprintf("0192f0c1-0000-7000-8000-00000000b%03d", i) }
func bedNo(i, j int) string { return fmt.Sprintf("0192f0c1-0000-7000-8000-0000000be%01d%02d", i, j) }

// wards is a hospital with so many wards of 20 beds each: a free, a kept, a taken and a closed one, the rest in cleaning.
func wards(n int) *schedulingv1.ListBoardResponse {
	states := []schedulingv1.BedState_Code{schedulingv1.BedState_FREE, schedulingv1.BedState_BOOKED, schedulingv1.BedState_OCCUPIED, schedulingv1.BedState_OUT_OF_SERVICE}
	board := &schedulingv1.ListBoardResponse{}
	for i := range n {
		w := &schedulingv1.BoardWard{Id: wardNo(i), Name: fmt.Sprintf("病区%d", i), DepartmentCode: "0304", Class: "GENERAL", Total: 19, Free: 1, Version: 3}
		for j := range 20 {
			b := &schedulingv1.BoardBed{Id: bedNo(i, j), Label: fmt.Sprintf("%02d", j+1), State: schedulingv1.BedState_CLEANING, Version: 1}
			if j < len(states) {
				b.State = states[j]
			}
			if j == 3 {
				b.OutReason = "CLOSED"
			}
			w.Beds = append(w.Beds, b)
		}
		board.Wards = append(board.Wards, w)
	}
	return board
}

func TestManyBedsAreFoldedByWardWithTheirNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(boardMethod, wards(5))
	b := w.keeper()
	body := b.get("/beds").Body.String()
	shows(t, body, "1 of 19 free · kept 1 · taken 1 · cleaning or out 16", `data-read="ward-`+wardNo(0)+`">`, "Closed beds", ">04</a>")
	if strings.Contains(body, `data-read="ward-`+wardNo(0)+`" open`) || strings.Contains(body, `data-id="`+bedNo(0, 3)+`"`) {
		t.Error("a ward is not folded, or a closed bed is on the board")
	}
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	// What was changed just now is open, and the page begins with what is said about it.
	body = b.get("/beds?ward=" + wardNo(3)).Body.String()
	shows(t, body, `data-read="ward-`+wardNo(3)+`" open`, `<a href="#ward-`+wardNo(3)+`">See`)
	// The ward of the bed that is looked at is open too.
	body = b.get("/beds?bed=" + bedNo(2, 1)).Body.String()
	shows(t, body, `data-read="ward-`+wardNo(2)+`" open`)
	if strings.Contains(body, `data-read="ward-`+wardNo(0)+`" open`) {
		t.Error("the other wards are open as well")
	}
	body = b.get("/beds?part=taken").Body.String()
	shows(t, body, `data-id="`+bedNo(4, 2)+`"`, `data-read="ward-`+wardNo(0)+`" open`, `<option value="taken" selected>`)
	shows(t, body, "<td>5</td><td>95</td>") // the totals are those of all
	if strings.Contains(body, `data-id="`+bedNo(4, 0)+`"`) {
		t.Error("a free bed is among those that are taken")
	}
	w.always(boardMethod, wards(2))
	shows(t, b.get("/beds").Body.String(), `data-read="ward-`+wardNo(0)+`" open`)
	shows(t, b.get("/beds?part=held").Body.String(), `name="part"`)
}

func TestBedsAreAddedAndWardsAndBedsClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	board := wards(2)
	for _, b := range board.GetWards()[1].GetBeds() {
		b.State = schedulingv1.BedState_FREE
	}
	gone := wards(3).GetWards()[2]
	for _, b := range gone.GetBeds() {
		b.State, b.OutReason = schedulingv1.BedState_OUT_OF_SERVICE, "CLOSED"
	}
	board.Wards = append(board.Wards, gone)
	w.always(boardMethod, board)
	b := w.keeper()
	body := b.get("/beds").Body.String()
	shows(t, body, "Somebody has a bed here; the ward can be closed", `action="/beds/wards/`+wardNo(1)+`/close" data-confirm="`, "Closed wards", `action="/beds/wards/`+wardNo(2)+`/close" class="inline"`)
	if strings.Contains(body, `/beds/wards/`+wardNo(0)+`/close`) || strings.Contains(body, `id="ward-`+wardNo(2)+`"`) {
		t.Error("a ward with patients can be closed, or a closed one is on the board")
	}
	got := b.post("/beds/wards/"+wardNo(1)+"/beds", form("version", "3", "requestId", "r1", "beds", " 5 "))
	if to := got.Header().Get("Location"); got.Code != http.StatusSeeOther || to != "/beds?ward="+wardNo(1) {
		t.Errorf("%d, %s", got.Code, to)
	}
	if sent := lastly[*schedulingv1.AddBedsRequest](t, w, addBedsMethod); sent.GetId() != wardNo(1) || sent.GetBeds() != 5 || sent.GetVersion() != 3 || sent.GetRequestId() != "r1" {
		t.Errorf("%v", sent)
	}
	shows(t, b.post("/beds/wards/"+wardNo(1)+"/beds", form("version", "3", "beds", "many")).Body.String(), `value="many"`)
	for do, open := range map[string]bool{"close": false, "open": true} {
		if got := b.post("/beds/wards/"+wardNo(2)+"/close", form("version", "3", "requestId", "r1", "do", do)); got.Code != http.StatusSeeOther {
			t.Error(do, got.Code)
		}
		if sent := lastly[*schedulingv1.CloseWardRequest](t, w, closeWardMethod); sent.GetOpen() != open || sent.GetId() != wardNo(2) {
			t.Errorf("%v", sent)
		}
	}
	w.refuse(closeWardMethod, errs.Invalid(errs.Bad("closed", errs.ReasonFieldCombination)))
	shows(t, b.post("/beds/wards/"+wardNo(1)+"/close", form("version", "3", "do", "close")).Body.String(), "Somebody has a bed here; close it when all are free")

	shows(t, b.get("/beds?bed="+bedNo(0, 0)).Body.String(), `name="do" value="close"`)
	if strings.Contains(b.get("/beds?bed="+bedNo(0, 2)).Body.String(), "Close this bed") {
		t.Error("the bed of a patient can be closed")
	}
	shows(t, b.get("/beds?bed="+bedNo(0, 3)).Body.String(), `name="do" value="in"`, "closed, not on the board")
	b.post("/beds/"+bedNo(0, 0), form("version", "1", "do", "close", "sex", "MALE"))
	if sent := lastly[*schedulingv1.SetBedRequest](t, w, setBedMethod); sent.GetInService() || sent.GetOutReason() != "CLOSED" || sent.GetSex() != "MALE" {
		t.Errorf("%v", sent)
	}
}

// Whoever treats patients finds the board, who has a bed and who waits for one; what the ward keeps is not offered to who may not.
func TestADoctorFindsTheBoardAndIsOfferedNothingThatOnlyTheWardMayDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(boardMethod, wards(1))
	for name, role := range map[string]commonv1.Role_Code{"specialist2": commonv1.Role_SPECIALIST, "head2": commonv1.Role_DEPARTMENT_HEAD} {
		b := w.as(name, role)
		body := sound(t, name, b.get("/beds?bed="+bedNo(0, 0)))
		shows(t, body, `href="/beds" aria-current="page"`, `id="bed"`, "Free", "Who waits for a bed")
		if strings.Contains(body, `name="do"`) {
			t.Errorf("%s is offered what the ward alone may do", name)
		}
	}
	shows(t, w.keeper().get("/beds?bed="+bedNo(0, 0)).Body.String(), `name="do" value="out"`)
}
