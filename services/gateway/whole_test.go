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
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// unreachable is what a peer that is down answers.
func unreachable() error { return errs.Unavailable("x", nil) }

func TestArrivalsAndBedsShowEverybodyHoweverManyPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all []*referralv1.Referral
	for n := range 230 {
		one := sampleReferral(referralv1.State_ACCEPTED)
		one.Id, one.Patient.Name = id.New(), fmt.Sprintf("病人%03d号", n)
		all = append(all, one)
	}
	on(w, listMethod, func(_ context.Context, in *referralv1.ListReferralsRequest) (*referralv1.ListReferralsResponse, error) {
		if in.GetOnTheWay() {
			return &referralv1.ListReferralsResponse{}, nil
		}
		if in.GetPageToken() == "" {
			return &referralv1.ListReferralsResponse{Referrals: all[:in.GetPageSize()], NextPageToken: "more"}, nil
		}
		return &referralv1.ListReferralsResponse{Referrals: all[200:]}, nil
	})
	shows(t, w.browser("desk").get("/desk/arrivals").Body.String(), "病人000号", "病人229号")

	bed := w.as("beds", commonv1.Role_BED_MANAGER)
	w.mu.Lock()
	w.sessions["beds"].OrganizationId = hospitalID
	w.mu.Unlock()
	shows(t, bed.get("/beds?bed="+bedID).Body.String(), "病人000号", "病人229号")
	asked := lastly[*referralv1.ListReferralsRequest](t, w, listMethod)
	if !asked.GetWithoutHold() || !slices.Equal(asked.GetKind(), []commonv1.Kind_Code{commonv1.Kind_INPATIENT}) || asked.GetReceiverDepartment() == "" {
		t.Errorf("%v", asked)
	}
	w.refuse(listMethod, unreachable())
	if body := bed.get("/beds?bed=" + bedID).Body.String(); !strings.Contains(body, "cannot be read just now") || strings.Contains(body, "No referred patient") {
		t.Error("nobody could be asked, and the page says that nobody waits")
	}
}

func TestASlipNeverSendsAPatientToATimeThatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := sampleReferral(referralv1.State_ACCEPTED)
	r.BookingId, r.WalkIn, r.ExpectedFrom = bookingID, nil, in(26*time.Hour)
	w.always(getMethod, r)
	booking := schedulingv1.SchedulingService_GetBooking_FullMethodName
	page := func() string { return w.browser("township").get(slipPage).Body.String() }

	w.always(booking, &schedulingv1.Booking{Id: bookingID, State: schedulingv1.BookingState_LIVE, Start: in(26 * time.Hour), PractitionerName: "赵主任"})
	shows(t, page(), "赵主任")
	w.always(booking, &schedulingv1.Booking{Id: bookingID, State: schedulingv1.BookingState_LIVE, Displaced: true, Start: in(26 * time.Hour), PractitionerName: "赵主任"})
	if body := page(); strings.Contains(body, "赵主任") || !strings.Contains(body, "原预约场次已取消") {
		t.Error("a slip names a session that was cancelled")
	}
	w.always(booking, &schedulingv1.Booking{Id: bookingID, State: schedulingv1.BookingState_RELEASED, Start: in(26 * time.Hour), PractitionerName: "赵主任"})
	if strings.Contains(page(), "赵主任") {
		t.Error("a slip names a booking that was given back")
	}
	w.refuse(booking, unreachable())
	shows(t, page(), "就诊时间、地点", "地点到导诊台询问")
}

func TestAPackageThatCannotBeReadIsNotCalledMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := sampleReferral(referralv1.State_CONCLUDED)
	r.ConcludeTime = in(0)
	w.always(getMethod, r)
	for reason, want := range map[error]string{
		unreachable():            "It is not missing",
		errs.NotFound("package"): "not ready yet",
	} {
		w.refuse(patientrecordv1.PatientRecordService_GetPackage_FullMethodName, reason)
		got := w.browser("desk").get("/referrals/" + referralID)
		if got.Code != http.StatusOK || strings.Count(got.Body.String(), want) != 2 {
			t.Errorf("%v: %d, said %d times", reason, got.Code, strings.Count(got.Body.String(), want))
		}
	}
}
