package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

func sampleRosterVersions() *directoryv1.ListRosterVersionsResponse {
	shift := func(account string) []*directoryv1.Shift {
		return []*directoryv1.Shift{{Weekday: 1, From: "08:00", To: "20:00", AccountId: account}}
	}
	return &directoryv1.ListRosterVersionsResponse{Names: map[string]string{taskID: "吴护士", slotID: "已离职"}, Versions: []*directoryv1.RosterVersion{
		{Version: 4, Action: "HAND_OVER", AccountName: "周护士", ChangeTime: in(-time.Minute), Shifts: shift(taskID), HandOver: &directoryv1.HandOverRecord{FromAccountId: taskID, ToAccountId: slotID, Start: in(0), End: in(time.Hour)}},
		{Version: 3, Action: "SET", AccountName: "周护士", ChangeTime: in(-time.Hour), Shifts: shift(taskID)},
		{Version: 2, Action: "BEFORE", Shifts: append(shift(slotID), &directoryv1.Shift{Weekday: 2, From: "08:00", To: "20:00", AccountId: slotID}, &directoryv1.Shift{Weekday: 5, From: "08:00", To: "20:00", AccountId: slotID})},
	}}
}

func TestTheHistoryOfARosterIsShownAndAnOlderWeekSetAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	page := "/rosters/history?department=DESK&organization=" + hospitalID
	body := b.get(page).Body.String()
	shows(t, body, "周护士", "handed over", "<del>已离职</del> → <ins>吴护士</ins>", "before there were notes", `restore=2#restore"`, "stands")
	shows(t, b.get(page+"&restore=2").Body.String(), "What going back to version 2 changes", "<del>吴护士</del> → <ins>已离职</ins>", `name="restore" value="2"`, `name="department" value="DESK"`)
	if strings.Contains(body, "restore=3#") {
		t.Error("the week that stands is offered")
	}
	_, before, _ := strings.Cut(body, "before there were notes")
	if tuesday, friday := strings.Index(before, "Tuesday 08:00"), strings.Index(before, "Friday 08:00"); tuesday < 0 || friday < tuesday {
		t.Errorf("the days are not in order: %d, %d", tuesday, friday)
	}
	again := form("organization", hospitalID, "department", "DESK", "version", "4", "requestId", "r1", "restore", "2")
	if got := b.post("/rosters/history", again); got.Code != http.StatusSeeOther || !strings.Contains(got.Header().Get("Location"), "department=DESK") {
		t.Fatal(got.Code)
	}
	sent := lastly[*directoryv1.SetRosterRequest](t, w, planMethod)
	if sent.GetVersion() != 4 || len(sent.GetShifts()) != 3 || sent.GetShifts()[0].GetAccountId() != slotID || sent.GetRequestId() != "r1" {
		t.Errorf("%v", sent)
	}
	if got := b.post("/rosters/history", with(again, "restore", "9")); got.Code != http.StatusNotFound {
		t.Error(got.Code)
	}
	// Somebody in it has left: the week stands in the form, to be mended.
	w.refuse(planMethod, errs.Invalid(errs.Bad("shifts[0].accountId", errs.ReasonFieldUnknown)))
	got := b.post("/rosters/history", again)
	if got.Code != http.StatusBadRequest {
		t.Error(got.Code)
	}
	shows(t, got.Body.String(), `value="08:00"`, `action="/rosters/post"`, `href="#f-shifts"`)
}
