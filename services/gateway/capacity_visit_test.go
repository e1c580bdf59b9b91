package gateway_test

import (
	"net/http/httptest"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// visitCapacity opens the pages of what can be booked and of what goes out of the house, full, refused and empty.
func (w *world) visitCapacity(doctor, clerk *browser, see func(*browser, string, ...string), look func(string, *browser, *httptest.ResponseRecorder)) {
	admin := w.admin()
	admin.language = clerk.language
	paths := strings.Fields(`/schedules /schedules?ended=1 /schedules/templates/new /schedules/exceptions /schedules/exceptions/new /schedules/equipment /schedules/equipment/new
		/schedules/history /schedules/policy /schedules/files /sessions /sessions?department=0304 /beds /beds?department=0304 /beds/wards/new /deliveries /deliveries?state=DEAD /addresses`)
	paths = append(paths, "/schedules/templates/"+templateID, "/schedules/exceptions/"+exceptionID, "/schedules/equipment/"+deviceID, "/sessions/"+sessionID, "/sessions/"+sessionID+"?move="+slotID, "/deliveries/"+deliveryID)
	paths = append(paths, "/schedules/history/templates/"+templateID, "/schedules/history/exceptions/"+exceptionID)
	for n := range 8 {
		paths = append(paths, "/beds?bed="+bedID[:len(bedID)-2]+"2"+string(rune('0'+n)))
	}
	paths = append(paths, "/beds?bed="+bedID)
	open := func() {
		for _, path := range paths {
			see(admin, path)
			see(clerk, path)
		}
		see(doctor, "/waitlist")
		see(clerk, "/waitlist?ended=1")
		see(clerk, "/desk/arrivals")
		see(clerk, "/sessions", "X-Fragment", "days")
		see(clerk, "/beds", "X-Fragment", "board")
	}
	w.always(waitlistMethod, &schedulingv1.ListWaitlistResponse{Entries: []*schedulingv1.WaitlistEntry{sampleEntryOf(schedulingv1.WaitlistState_OFFERED), sampleEntryOf(schedulingv1.WaitlistState_WAITING)}, NextPageToken: "next"})
	open()
	w.visitPlaces(doctor, clerk, see, look)
	look("preview", clerk, clerk.post("/schedules/preview", with(typedTemplate(), "id", templateID), "X-Fragment", "1"))
	look("file", clerk, clerk.sendFile("/schedules/files", "a.csv", "x"))
	look("file", clerk, clerk.post("/schedules/files", form("do", "try")))
	look("cancelled", clerk, clerk.post("/sessions/"+sessionID+"/cancel", form("version", "4", "reasonCode", "LEAVE")))
	for _, undoable := range []bool{true, false} {
		w.always(changesMethod, &schedulingv1.ListCalendarChangesResponse{Changes: sampleSessionChanges(undoable)})
		see(clerk, "/schedules/history/sessions/"+sessionID)
	}
	for of, changes := range sampleRuleChanges() {
		w.always(changesMethod, &schedulingv1.ListCalendarChangesResponse{Changes: changes})
		see(admin, "/schedules/history/"+of+"?organization="+hospitalID+"&restore="+changeID(1))
	}
	look("tested", clerk, clerk.post("/addresses/test", form("group", "1", "channel", "WEBHOOK")))
	look("replayed", admin, admin.post("/deliveries/replay", form("since", "2026-03-01")))
	w.always(saveTemplateMethod, &schedulingv1.SaveTemplateResponse{Template: sampleTemplate(), Conflicts: []*schedulingv1.Session{sampleSession()}})
	look("conflicts", clerk, clerk.post("/schedules/templates/"+templateID, typedTemplate()))
	for name, f := range plannedForms() {
		w.refuse(f.method, errs.Unavailable("scheduling", nil))
		b := map[string]*browser{"desk": clerk, "admin": admin}[f.session]
		look(name, b, b.post(f.path, f.values))
	}
	w.always(changesMethod, &schedulingv1.ListCalendarChangesResponse{})
	w.always(waitlistMethod, &schedulingv1.ListWaitlistResponse{})
	w.always(listTemplatesMethod, &schedulingv1.ListTemplatesResponse{})
	w.always(schedulingv1.CalendarService_ListEquipment_FullMethodName, &schedulingv1.ListEquipmentResponse{})
	w.always(schedulingv1.CalendarService_ListExceptions_FullMethodName, &schedulingv1.ListExceptionsResponse{})
	w.always(listSessionsMethod, &schedulingv1.ListSessionsResponse{})
	w.always(boardMethod, &schedulingv1.ListBoardResponse{})
	w.always(listDeliveriesMethod, &notificationv1.ListDeliveriesResponse{})
	w.always(addressesMethod, &notificationv1.ListAddressesResponse{})
	open()
	w.mu.Lock()
	w.answers = w.defaults()
	w.mu.Unlock()
}

// visitPlaces opens referrals that wait for a place, are offered one, and lost theirs.
func (w *world) visitPlaces(doctor, clerk *browser, see func(*browser, string, ...string), look func(string, *browser, *httptest.ResponseRecorder)) {
	page := "/referrals/" + referralID
	for _, kind := range []commonv1.Kind_Code{commonv1.Kind_OUTPATIENT, commonv1.Kind_EXAM, commonv1.Kind_INPATIENT} {
		r := sampleReferral(referralv1.State_SUBMITTED)
		r.Kind = kind
		w.always(getMethod, r)
		w.always(actionsMethod, actionsOf("accept"))
		see(clerk, page+"?bed="+bedID)
		see(doctor, page, "X-Fragment", "place")
		booked := sampleReferral(referralv1.State_ACCEPTED)
		booked.Kind, booked.BookingId = kind, bookingID
		w.always(getMethod, booked)
		w.always(schedulingv1.SchedulingService_GetBooking_FullMethodName, &schedulingv1.Booking{Id: bookingID, SlotId: slotID, Displaced: true, Start: in(0), Preparation: "空腹"})
		see(doctor, page)
		w.refuse(moveMethod, errs.Conflict(errs.ReasonSlotTaken, "x"))
		look("move", doctor, doctor.post(page+"/move", form("place", bookingID, "slot", otherSlotID)))
	}
	full := w.defaults()
	w.always(findSlotsMethod, &schedulingv1.FindSlotsResponse{})
	w.always(schedulingv1.SchedulingService_ListSlots_FullMethodName, &schedulingv1.ListSlotsResponse{})
	w.always(schedulingv1.SchedulingService_ListBeds_FullMethodName, &schedulingv1.ListBedsResponse{})
	for _, kind := range []string{"OUTPATIENT", "INPATIENT", "EXAM"} {
		look("full", doctor, doctor.post("/refer/"+patientID, with(typedReferral(), "kind", kind, "modality", "CT", "waitlist", "1", "do", "slots")))
	}
	w.mu.Lock()
	for _, method := range []string{findSlotsMethod, schedulingv1.SchedulingService_ListSlots_FullMethodName, schedulingv1.SchedulingService_ListBeds_FullMethodName, getMethod, actionsMethod} {
		w.answers[method] = full[method]
	}
	w.mu.Unlock()
}
