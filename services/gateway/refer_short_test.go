package gateway_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

// folded tells which lines of the form are folded because the record filled them in.
func folded(body string) (out []string) {
	for _, part := range strings.Split(body, `<details class="filled">`)[1:] {
		fold, _, _ := strings.Cut(part, "</details>")
		for _, name := range []string{"form.pastHistory", "form.treatment", "consent.givenBy"} {
			if strings.Contains(fold, `name="`+name+`"`) {
				out = append(out, name)
			}
		}
	}
	return out
}

// What the record fills in takes one line that tells it, until somebody types something else there or it is wrong.
func TestWhatTheRecordFilledInIsFoldedUntilItIsTypedIntoOrWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, page := w.browser("township"), "/refer/"+patientID
	body := b.get(page).Body.String()
	form := formAt(t, body, page)
	if got := strings.Join(folded(body), " "); got != "form.pastHistory form.treatment consent.givenBy" {
		t.Errorf("folded is %q", got)
	}
	// The record has the medicines, not what was done this time.
	shows(t, body, "from the record, open to change", "open to add what was done now")
	shows(t, body, "<span data-told>"+form.Get("form.pastHistory")+"</span>", "<span data-told>"+form.Get("consent.givenBy")+" · ")
	w.refuse(createMethod, errs.Invalid(errs.Required("form.presentIllness")))
	body = b.post(page, with(form, "form.pastHistory", "糖尿病十年", "do", "send")).Body.String()
	if got := strings.Join(folded(body), " "); got != "form.treatment consent.givenBy" {
		t.Errorf("after something was typed folded is %q", got)
	}
	w.refuse(createMethod, errs.Invalid(errs.Bad("form.treatment", errs.ReasonFieldInvalid), errs.Bad("consent.relation", errs.ReasonFieldInvalid)))
	body = b.post(page, with(form, "do", "send")).Body.String()
	if got := strings.Join(folded(body), " "); got != "form.pastHistory" {
		t.Errorf("with errors folded is %q", got)
	}
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
}

// The days stand behind the earliest times, and are open for who chose one of them.
func TestTheDaysAreFoldedBehindTheEarliestTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	early := &schedulingv1.Slot{Id: slotID, Free: true, Start: in(0), PractitionerName: "张医生", OrganizationId: hospitalID, DepartmentCode: "0304"}
	late := &schedulingv1.Slot{Id: otherSlotID, Free: true, Start: timestamppb.New(early.GetStart().AsTime().Add(time.Hour)), PractitionerName: "张医生", OrganizationId: hospitalID, DepartmentCode: "0304"}
	w.always(slotsMethod, &schedulingv1.ListSlotsResponse{Slots: []*schedulingv1.Slot{early, late}, Days: []*schedulingv1.FreeDay{{Date: "2026-03-03", Free: 2}}})
	w.always(findSlotsMethod, &schedulingv1.FindSlotsResponse{Slots: []*schedulingv1.Slot{early}})
	const asked = "/refer/slots?kind=OUTPATIENT&organization=" + hospitalID + "&department=0304"
	open := func(query string) bool {
		t.Helper()
		body := b.get(asked + query).Body.String()
		at := strings.Index(body, "<details")
		if at < 0 || !strings.Contains(body[at:], otherSlotID) || strings.Contains(body[at:], `value="`+slotID+`"`) {
			t.Fatalf("the other times are not behind the earliest: %s", body)
		}
		return strings.HasPrefix(body[at:], "<details open>")
	}
	if open("") {
		t.Error("the days are open for nobody")
	}
	if !open("&day=2026-03-03") || !open("&slot="+otherSlotID) {
		t.Error("what was chosen is folded")
	}
}
