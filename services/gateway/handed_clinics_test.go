package gateway_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const (
	leaverID    = "0192f0c1-0000-7000-8000-0000000000a1"
	successorID = "0192f0c1-0000-7000-8000-0000000000a2"
)

// A clinic whose doctor is another one by name is the other's by number too: it would be the leaver's still, and named with the leaver's work.
func TestAClinicGoesToAnotherDoctorByNameAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	held, others := sampleTemplate(), sampleTemplate()
	others.Id, others.PractitionerId, others.PractitionerName = templateID[:len(templateID)-2]+"88", successorID, "李医生"
	saved := func(before, name, number string) string {
		held.PractitionerId = before
		w.always(listTemplatesMethod, &schedulingv1.ListTemplatesResponse{Templates: []*schedulingv1.Template{held, others}})
		typed := with(typedTemplate(), "version", "2", "template.practitionerName", name, "template.practitionerId", number)
		if got := b.post("/schedules/templates/"+templateID, typed); got.Code != http.StatusSeeOther {
			t.Fatal(got.Code, got.Body)
		}
		return lastly[*schedulingv1.SaveTemplateRequest](t, w, saveTemplateMethod).GetTemplate().GetPractitionerId()
	}
	for _, c := range [][4]string{
		{leaverID, "陈医生", "", leaverID},    // the same doctor stays, whose number the form does not show
		{leaverID, "李医生", "", successorID}, // who has sessions is known by name
		{leaverID, "赵医生", "", ""},          // and somebody new has no number
		{"P1001", "李医生", "P1001", successorID},
		{"P1001", "陈大夫", "P1001", "P1001"}, // a name that is written anew
		{"P1001", "李医生", "P2002", "P2002"},
	} {
		if got := saved(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("%v: saved with %q", c, got)
		}
	}
	held.PractitionerId = leaverID
	if body := b.get("/schedules/templates/" + templateID).Body.String(); strings.Contains(body, leaverID) {
		t.Error("an id of ours is shown as a staff number")
	}
}

// A doctor without a number is not whom every exception without a doctor is about.
func TestAnExceptionOfADepartmentNamesNoDoctor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	nobodys := sampleTemplate()
	nobodys.PractitionerId, nobodys.PractitionerName = "", "赵无号"
	w.always(listTemplatesMethod, &schedulingv1.ListTemplatesResponse{Templates: []*schedulingv1.Template{nobodys}})
	w.always(listExceptionsMethod, &schedulingv1.ListExceptionsResponse{Exceptions: []*schedulingv1.ScheduleException{{
		Id: exceptionID, OrganizationId: hospitalID, DepartmentCode: "0304", FirstDay: "2026-03-04", LastDay: "2026-03-04", Effect: schedulingv1.ExceptionEffect_CLOSED, ReasonCode: "LEAVE",
	}}})
	body := w.browser("desk").get("/schedules/exceptions").Body.String()
	shows(t, body, exceptionID)
	if strings.Contains(body, "赵无号") {
		t.Error("it names somebody")
	}
}

// The service answers for 400 days at most, as it does in the calendar of scheduling.
func TestAnExceptionOpensWhereverItIsInTheCalendar(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	day := ""
	on(w, listExceptionsMethod, func(_ context.Context, in *schedulingv1.ListExceptionsRequest) (*schedulingv1.ListExceptionsResponse, error) {
		from, ferr := time.Parse(time.DateOnly, in.GetFrom())
		to, terr := time.Parse(time.DateOnly, in.GetTo())
		if ferr != nil || terr != nil || to.After(from.AddDate(0, 0, 400)) {
			return nil, errs.Invalid(errs.Bad("to", errs.ReasonFieldOutOfRange))
		}
		out := &schedulingv1.ListExceptionsResponse{}
		if in.GetFrom() <= day && day < in.GetTo() {
			out.Exceptions = []*schedulingv1.ScheduleException{{Id: exceptionID, OrganizationId: hospitalID, FirstDay: day, LastDay: day, Effect: schedulingv1.ExceptionEffect_CLOSED, ReasonCode: "LEAVE"}}
		}
		return out, nil
	})
	for _, day = range []string{"2026-03-04", "2025-12-01", "2027-10-01", "2023-06-01"} {
		got := b.get("/schedules/exceptions/" + exceptionID)
		if got.Code != http.StatusOK {
			t.Errorf("%s: %d", day, got.Code)
		}
		shows(t, got.Body.String(), `value="`+day+`"`)
	}
	day = "2000-01-01"
	if got := b.get("/schedules/exceptions/" + exceptionID); got.Code != http.StatusNotFound {
		t.Error(got.Code)
	}
}
