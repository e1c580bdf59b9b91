package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// timetable answers ListSlots from slots in order of their start, as scheduling does, and FindSlots with the first of those that fit.
func (w *world) timetable(slots ...*schedulingv1.Slot) {
	zone := time.FixedZone("", 8*60*60)
	on(w, slotsMethod, func(_ context.Context, in *schedulingv1.ListSlotsRequest) (*schedulingv1.ListSlotsResponse, error) {
		out, skipped := &schedulingv1.ListSlotsResponse{}, 0
		skip := 0
		_, _ = fmt.Sscan(in.GetPageToken(), &skip)
		for _, s := range slots {
			date := s.GetStart().AsTime().In(zone).Format(time.DateOnly)
			switch {
			case in.GetFreeOnly() && !s.GetFree(), in.GetDepartment() != "" && s.GetDepartmentCode() != in.GetDepartment(), s.GetKind() != in.GetKind(),
				in.GetModality() != "" && s.GetModality() != in.GetModality(), in.GetSlotId() != "" && s.GetId() != in.GetSlotId(),
				in.GetFrom() != "" && (date < in.GetFrom() || date >= in.GetTo()):
				continue
			}
			if in.GetCountDays() {
				if len(out.GetDays()) == 0 || out.GetDays()[len(out.GetDays())-1].GetDate() != date {
					out.Days = append(out.Days, &schedulingv1.FreeDay{Date: date})
				}
				out.GetDays()[len(out.GetDays())-1].Free++
			}
			if skipped++; skipped <= skip {
				continue
			}
			if int32(len(out.GetSlots())) == in.GetPageSize() && in.GetPageSize() > 0 {
				out.NextPageToken = fmt.Sprint(skip + len(out.GetSlots()))
				continue
			}
			out.Slots = append(out.Slots, s)
		}
		return out, nil
	})
	w.always(findSlotsMethod, &schedulingv1.FindSlotsResponse{})
}

// clinicDays are the slots of a large department: so many an hour from 8 to 12 and 14 to 17 on so many days.
func clinicDays(days, anHour int) []*schedulingv1.Slot {
	var out []*schedulingv1.Slot
	for day := 1; day <= days; day++ {
		for _, hour := range []int{8, 9, 10, 11, 14, 15, 16} {
			for i := range anHour {
				at := time.Date(2026, 3, 2+day, hour-8, 0, 0, 0, time.UTC)
				s := sampleSlot(fmt.Sprintf("day%d-%d-%d", day, hour, i), at.Sub(now))
				s.PractitionerName = fmt.Sprintf("医生%d", i%8)
				out = append(out, s)
			}
		}
	}
	return out
}

func device(id, modality string, at time.Duration) *schedulingv1.Slot {
	s := sampleSlot(id, at)
	s.Kind, s.Modality, s.EquipmentName, s.PractitionerName, s.DepartmentCode = "EXAM", modality, modality+"-1", "", "32"
	return s
}

func TestEveryDayWithFreeTimesCanBeChosen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.timetable(clinicDays(5, 40)...)
	w.always(actionsMethod, actionsOf("accept"))
	r := sampleReferral(referralv1.State_SUBMITTED)
	r.HoldId = ""
	w.always(getMethod, r)
	doctor, desk := w.browser("township"), w.browser("desk")
	for page, b := range map[string]*browser{"/refer/slots?kind=OUTPATIENT&organization=" + hospitalID + "&department=0304": doctor, "/referrals/" + referralID + "?x=1": desk} {
		fragment := "times"
		body := b.get(page, "X-Fragment", fragment).Body.String()
		shows(t, body, `name="day" value="2026-03-03" checked`, `name="day" value="2026-03-07"`, "280 free", ">280<", "day1-8-0", "day1-16-39", "医生7")
		body = b.get(page+"&day=2026-03-06", "X-Fragment", fragment).Body.String()
		shows(t, body, `value="2026-03-06" checked`, "day4-14-0", "day4-16-39")
		if strings.Contains(body, "day1-8-0") {
			t.Error("times of another day are shown")
		}
	}
	body := desk.get("/referrals/" + referralID).Body.String()
	shows(t, body, `value="slot:day1-8-0" checked`, `data-load="/referrals/`+referralID+`"`)
	// Without scripts a button shows the day, and what was typed stays.
	got := desk.post("/referrals/"+referralID+"/accept", with(sent("accept"), "do", "times", "choice", "slot:day1-8-0", "day", "2026-03-05", "note", typedWords))
	shows(t, got.Body.String(), `value="slot:day3-8-0">`, typedWords)
	if strings.Contains(got.Body.String(), `value="slot:day3-8-0" checked`) {
		t.Error("a time that nobody chose is in the place of the one that was sent")
	}
	if n := len(called[*referralv1.AcceptRequest](w, referralv1.ReferralService_Accept_FullMethodName)); n != 0 || got.Code != http.StatusOK {
		t.Error("looking accepts", got.Code)
	}
	w.timetable(clinicDays(1, 150)...)
	shows(t, doctor.get("/refer/slots?kind=OUTPATIENT&organization="+hospitalID+"&department=0304", "X-Fragment", "1").Body.String(), "more times than are listed")
}

// A time that the desk chose is held before the referral is accepted. When that fails, the form stays with its hold and books no other time.
func TestAnAcceptanceThatFailedIsSentAgainWithItsHold(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]error{"refused": errs.Stale(4, "SUBMITTED"), "lost": errs.Unavailable("referral", nil)} {
		w := newWorld(t)
		chosen, other := sampleSlot(slotID, time.Hour), sampleSlot(otherSlotID, 2*time.Hour)
		w.timetable(chosen, other)
		w.always(actionsMethod, actionsOf("accept"))
		r := sampleReferral(referralv1.State_SUBMITTED)
		r.HoldId = ""
		w.always(getMethod, r)
		hold := &schedulingv1.Hold{
			Id: holdID, SlotId: slotID, State: schedulingv1.HoldState_HELD, OrganizationId: hospitalID, Start: chosen.GetStart(), PractitionerName: "覃医生", ExpireTime: in(time.Hour),
		}
		on(w, holdMethod, func(context.Context, *schedulingv1.CreateHoldRequest) (*schedulingv1.Hold, error) {
			chosen.Free = false
			return hold, nil
		})
		w.always(schedulingv1.SchedulingService_GetHold_FullMethodName, hold)
		w.refuse(acceptMethod, refusal)
		b := w.browser("desk")
		body := b.post("/referrals/"+referralID+"/accept", with(sent("accept"), "choice", "slot:"+slotID)).Body.String()
		shows(t, body, `type="radio" name="choice" value="hold:`+holdID+`" checked`, `type="hidden" name="choice" value="hold:`+holdID+`"`, "Held for this patient", `value="slot:`+otherSlotID+`"`)
		if strings.Contains(body, `value="slot:`+otherSlotID+`" checked`) || strings.Contains(body, "Take the new suggestion") {
			t.Errorf("%s: another time is proposed", name)
		}
		w.always(acceptMethod, sampleReferral(referralv1.State_ACCEPTED))
		b.post("/referrals/"+referralID+"/accept", with(sent("accept"), "choice", "hold:"+holdID))
		accepts := called[*referralv1.AcceptRequest](w, acceptMethod)
		if holds := len(called[*schedulingv1.CreateHoldRequest](w, holdMethod)); holds != 1 || len(accepts) != 2 || accepts[1].GetHoldId() != holdID {
			t.Errorf("%s: %d holds, %v", name, holds, accepts)
		}
		// One that was let go is neither shown nor replaced unasked.
		hold.State = schedulingv1.HoldState_EXPIRED
		w.refuse(acceptMethod, errs.Conflict(errs.ReasonHoldExpired, "x"))
		body = b.post("/referrals/"+referralID+"/accept", with(sent("accept"), "choice", "hold:"+holdID)).Body.String()
		if strings.Contains(body, "hold:"+holdID) || strings.Contains(body, `value="slot:`+otherSlotID+`" checked`) {
			t.Errorf("%s: after the hold is gone", name)
		}
	}
}

// An ultrasound must not be booked on the MRI scanner because that is free first.
func TestAnExaminationIsOfferedTheDeviceThatItAsksFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.timetable(device("mr", "MR", time.Hour), device("us", "US", 3*time.Hour))
	w.always(actionsMethod, actionsOf("accept"))
	r := sampleReferral(referralv1.State_SUBMITTED)
	r.Kind, r.HoldId, r.ExamItems, r.Modality = commonv1.Kind_EXAM, "", []*commonv1.Coding{{Display: "腹部彩超"}}, "US"
	w.always(getMethod, r)
	w.always(referralv1.ReferralService_ListReferrals_FullMethodName, &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{r}})
	b := w.browser("desk")
	page := "/referrals/" + referralID
	shows(t, b.get("/desk").Body.String(), `value="slot:us"`)
	body := b.get(page).Body.String()
	shows(t, body, `value="slot:us" checked`, "腹部彩超", "Ultrasound")
	if strings.Contains(body, "slot:mr") {
		t.Error("another device is offered")
	}
	r.Modality = ""
	if body := b.get("/desk").Body.String(); strings.Contains(body, "slot:") {
		t.Error("a device is suggested that nobody asked for")
	}
	body = b.get(page).Body.String()
	shows(t, body, `name="modality" value="US"`, "does not say which device")
	_, form, _ := strings.Cut(body, `action="`+page+`/accept"`)
	form, _, _ = strings.Cut(form, "</form>")
	if strings.Contains(form, "slot:") || strings.Contains(form, "checked") {
		t.Error("something is chosen beforehand")
	}
	body = b.get(page+"?modality=US", "X-Fragment", "times").Body.String()
	shows(t, body, `value="slot:us"`, `name="modality" value="US" checked`)
	if strings.Contains(body, "slot:mr") || strings.Contains(body, `value="slot:us" checked`) {
		t.Error("another device is offered, or a time is chosen beforehand")
	}
	doctor := w.browser("township")
	typed := with(typedReferral(), "kind", "EXAM", "examItem", "腹部彩超", "modality", "US", "slot", "")
	doctor.post("/refer/"+patientID, typed)
	if made := lastly[*referralv1.CreateReferralRequest](t, w, createMethod); made.GetModality() != "US" {
		t.Errorf("the device is forgotten: %v", made)
	}
	r.State, r.Modality = referralv1.State_DRAFT, "US"
	shows(t, doctor.get(page+"/edit").Body.String(), `name="modality" value="US" checked`)
	doctor.post(page+"/edit", with(typed, "version", "3", "do", "draft"))
	if edited := lastly[*referralv1.EditReferralRequest](t, w, editMethod); edited.GetReferral().GetModality() != "US" || !slices.Contains(edited.GetUpdateMask().GetPaths(), "modality") {
		t.Errorf("%v", edited)
	}
}

// The form holds its slot: refused for something else it shows it again, whatever its day, and sends the same hold.
func TestARefusedFormKeepsItsSlot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	slots := clinicDays(3, 40)
	mine := slots[len(slots)-1]
	mine.Id, mine.Free = slotID, false // held by this form
	w.timetable(slots...)
	w.refuse(createMethod, errs.Invalid(errs.Required("form.presentIllness")))
	b := w.browser("township")
	body := b.post("/refer/"+patientID, with(typedReferral(), "day", "2026-03-03")).Body.String()
	shows(t, body, `value="`+slotID+`" checked`, "Chosen:", `name="hold" value="`+holdID+`"`, `name="day" value="2026-03-03" checked`)
	// While another day is looked at, it stays.
	body = b.get("/refer/slots?kind=OUTPATIENT&organization="+hospitalID+"&department=0304&day=2026-03-04&slot="+slotID+"&hold="+holdID, "X-Fragment", "1").Body.String()
	shows(t, body, `value="`+slotID+`" checked`, `name="day" value="2026-03-04" checked`)
	b.post("/refer/"+patientID, with(typedReferral(), "hold", holdID))
	holds := called[*schedulingv1.CreateHoldRequest](w, holdMethod)
	if len(holds) != 2 || holds[0].GetRequestId() != holds[1].GetRequestId() {
		t.Errorf("%v", holds)
	}
	// Another's slot, or one of another department, is gone.
	w.always(schedulingv1.SchedulingService_GetHold_FullMethodName, &schedulingv1.Hold{Id: holdID, SlotId: slotID, State: schedulingv1.HoldState_EXPIRED})
	for _, department := range []string{"0304", "20"} {
		body = b.get("/refer/slots?kind=OUTPATIENT&organization="+hospitalID+"&department="+department+"&slot="+slotID+"&hold="+holdID, "X-Fragment", "1").Body.String()
		shows(t, body, "was taken meanwhile")
		if strings.Contains(body, slotID) {
			t.Error("it is still shown for", department)
		}
	}
}

func TestASlotOfAnotherDepartmentIsToldBesideTheTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(createMethod, errs.Invalid(errs.Bad("holdId", errs.ReasonFieldCombination)))
	typed := typedReferral()
	body := w.browser("township").post("/refer/"+patientID, typed).Body.String()
	shows(t, body, `href="#f-slot"`, "another department or examination", typed.Get("form.presentIllness"))
	if strings.Contains(body, `name="holdKey" value="`+typed.Get("holdKey")) || strings.Contains(body, `value="`+slotID+`" checked`) {
		t.Error("the slot that was refused is chosen again")
	}
}

func TestTheDepartmentsAreThoseOfTheChosenHospital(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second := "0192f0c1-0000-7000-8000-0000000000e1"
	on(w, directoryv1.DirectoryService_ListOrganizations_FullMethodName, func(context.Context, *directoryv1.ListOrganizationsRequest) (*directoryv1.ListOrganizationsResponse, error) {
		list, _ := samples()[directoryv1.DirectoryService_ListOrganizations_FullMethodName].(*directoryv1.ListOrganizationsResponse)
		list.Organizations = append(list.Organizations, &directoryv1.Organization{Id: second, Name: "县中医院", Type: directoryv1.OrganizationType_COUNTY_HOSPITAL})
		return list, nil
	})
	on(w, directoryv1.DirectoryService_ListDepartments_FullMethodName, func(context.Context, *directoryv1.ListDepartmentsRequest) (*directoryv1.ListDepartmentsResponse, error) {
		list, _ := samples()[directoryv1.DirectoryService_ListDepartments_FullMethodName].(*directoryv1.ListDepartmentsResponse)
		for _, code := range []string{"50", "20"} {
			list.Departments = append(list.Departments, &directoryv1.Department{OrganizationId: second, Code: code, Name: "中医科" + code})
		}
		return list, nil
	})
	b := w.browser("township")
	body := b.get("/refer/departments?kind=OUTPATIENT&organization="+second+"&department=0304", "X-Fragment", "1").Body.String()
	shows(t, body, `<option value="50">`, `name="department"`)
	if strings.Contains(body, `value="0304"`) || strings.Contains(body, "selected") {
		t.Error("a department of the other hospital is left")
	}
	// The codes are national: what both have stays chosen.
	shows(t, b.get("/refer/departments?kind=OUTPATIENT&organization="+second+"&department=20", "X-Fragment", "1").Body.String(), `<option value="20" selected>`)
	shows(t, b.get("/refer/departments?kind=EMERGENCY&organization="+second+"&department=0304", "X-Fragment", "1").Body.String(), `<option value="20" selected>`)
	body = b.post("/refer/"+patientID, with(typedReferral(), "organization", second, "do", "departments")).Body.String()
	shows(t, body, `<option value="50">`, `data-load="/refer/departments"`, `data-loaded="organization=`+second+`"`)
	if n := len(called[*referralv1.CreateReferralRequest](w, createMethod)); n != 0 {
		t.Error("looking sends")
	}
}

func TestWhatTheFormTakesOverSaysWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	summary := &patientrecordv1.Summary{Patient: samplePatient()}
	for i := range 11 {
		summary.Problems = append(summary.Problems, &patientrecordv1.Problem{Text: fmt.Sprintf("旧病%02d", i)})
		summary.Medications = append(summary.Medications, &patientrecordv1.Medication{Text: fmt.Sprintf("药%02d", i)})
		summary.Allergies = append(summary.Allergies, &patientrecordv1.Allergy{Text: fmt.Sprintf("过敏原%02d", i)})
	}
	w.always(patientrecordv1.PatientRecordService_GetSummary_FullMethodName, summary)
	body := w.browser("township").get("/refer/" + patientID).Body.String()
	text := func(name string) string {
		_, text, _ := strings.Cut(body, `name="`+name+`"`)
		text, _, _ = strings.Cut(text, "</textarea>")
		return text
	}
	shows(t, text("form.pastHistory"), "旧病07", "3 more", "过敏原10")
	shows(t, text("form.treatment"), "药07", "3 more")
	if strings.Contains(text("form.pastHistory"), "旧病08") || strings.Contains(text("form.treatment"), "药08") {
		t.Error("the whole record is taken over")
	}
}

// The patient signs after all: the reason why it was to come later is over.
func TestAConsentThatWasGivenIsNotThrownAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	later := with(typedReferral(), "kind", "EMERGENCY", "slot", "", "consent.deferredReason", "昏迷")
	b.post("/refer/"+patientID, later)
	if given := lastly[*referralv1.CreateReferralRequest](t, w, createMethod).GetConsent(); given.GetMethod() != "SIGNED" || given.GetGivenBy() != "王某" || given.GetDeferredReason() != "" {
		t.Errorf("%v", given)
	}
	b.post("/refer/"+patientID, with(later, "consent.method", ""))
	if given := lastly[*referralv1.CreateReferralRequest](t, w, createMethod).GetConsent(); given.GetDeferredReason() != "昏迷" || given.GetGivenBy() != "" {
		t.Errorf("%v", given)
	}
}

// A hold that seems over by the gateway's clock, and lasts by scheduling's, is taken once.
func TestAClockThatIsAheadTakesNoSecondHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(holdMethod, &schedulingv1.Hold{Id: holdID, ExpireTime: in(-time.Minute), State: schedulingv1.HoldState_HELD})
	w.always(schedulingv1.SchedulingService_GetHold_FullMethodName, &schedulingv1.Hold{Id: holdID, SlotId: slotID, State: schedulingv1.HoldState_HELD})
	if got := w.browser("township").post("/refer/"+patientID, typedReferral()); got.Code != http.StatusSeeOther {
		t.Fatal(got.Code)
	}
	if n := len(called[*schedulingv1.CreateHoldRequest](w, holdMethod)); n != 1 {
		t.Errorf("%d holds", n)
	}
	w.always(schedulingv1.SchedulingService_GetHold_FullMethodName, &schedulingv1.Hold{Id: holdID, State: schedulingv1.HoldState_EXPIRED})
	w.browser("township").post("/refer/"+patientID, typedReferral())
	if n := len(called[*schedulingv1.CreateHoldRequest](w, holdMethod)); n > 40 {
		t.Errorf("%d holds", n)
	}
}
