package gateway_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

const (
	arrivalMethod = referralv1.ReferralService_RecordArrival_FullMethodName
	outMethod     = referralv1.ReferralService_RecordOut_FullMethodName
	arrivalPage   = "/record/arrival/" + patientID
	outPage       = "/record/out/" + patientID
)

func typedArrival() url.Values {
	v := form("requestId", "0192f0c1-0000-7000-8000-0000000000e1", "originator", townshipID, "kind", "INPATIENT", "urgency", "URGENT", "department", "0304",
		"reasonCode", "NO_BED", "note", "电话联系来的", "date", "2026-03-01", "hour", "22:15")
	v["diagnosis"] = []string{"I20.0|不稳定性心绞痛", ""}
	return v
}

func typedOut() url.Values {
	v := form("requestId", "0192f0c1-0000-7000-8000-0000000000e2", "organization", externalID, "destination", "心脏中心", "reasonCode", "NO_BED", "note", "家属要求", "date", "2026-03-01")
	v["diagnosis"] = []string{"I20.0|不稳定性心绞痛", ""}
	return v
}

func TestWhoComesWithoutAReferralIsFoundAndRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	if body := b.get("/record/arrival").Body.String(); !strings.Contains(body, `action="/patients/search"`) {
		t.Error("no patient can be looked up")
	}
	found := b.get(b.post("/patients/search", form("query", markName)).Header().Get("Location")).Body.String()
	if !strings.Contains(found, `href="`+arrivalPage+`"`) || !strings.Contains(found, `href="`+outPage+`"`) || strings.Contains(found, `href="/refer/`) {
		t.Error("the county is not offered what it can do, or what it cannot")
	}
	if body := b.get(arrivalPage).Body.String(); !strings.Contains(body, `value="2026-03-02"`) || !strings.Contains(body, `value="09:30"`) || !strings.Contains(body, `<option value="`+townshipID+`" selected>`) {
		t.Error("the present moment and the patient's own centre are not proposed")
	}
	for range 2 { // a double click
		if got := b.post(arrivalPage, typedArrival()); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/referrals/"+referralID {
			t.Fatal(got.Code, got.Body)
		}
	}
	made := called[*referralv1.RecordArrivalRequest](w, arrivalMethod)
	if len(made) != 2 || !proto.Equal(made[0], made[1]) {
		t.Fatalf("%v", made)
	}
	if got := made[0]; got.GetKind() != commonv1.Kind_INPATIENT || got.GetOriginator().GetOrganizationId() != townshipID || got.GetDepartmentCode() != "0304" || got.GetReasonCode() != "NO_BED" ||
		!got.GetArriveTime().AsTime().Equal(time.Date(2026, 3, 1, 14, 15, 0, 0, time.UTC)) || len(got.GetDiagnoses()) != 1 {
		t.Errorf("%v", got)
	}
	b.post(arrivalPage, with(typedArrival(), "kind", "EMERGENCY"))
	if made := called[*referralv1.RecordArrivalRequest](w, arrivalMethod); made[2].GetUrgency() != commonv1.Urgency_EMERGENCY {
		t.Errorf("%v", made[2])
	}
}

func TestWhoLeavesTheCountyIsRecordedByBothSides(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, who := range []string{"township", "desk"} {
		b := w.browser(who)
		body := b.get(outPage).Body.String()
		if !strings.Contains(body, `<option value="`+externalID+`">`) || strings.Contains(body, `<option value="`+hospitalID+`"`) || !strings.Contains(body, "cannot be taken back") {
			t.Errorf("%s: wrong destinations, or it is not said that it is final", who)
		}
		if got := b.post(outPage, typedOut()); got.Code != http.StatusSeeOther {
			t.Errorf("%s: %d", who, got.Code)
		}
	}
	b := w.browser("township")
	b.post(outPage, with(typedOut(), "organization", ""))
	made := called[*referralv1.RecordOutRequest](w, outMethod)
	if len(made) != 3 || made[0].GetReceiver().GetOrganizationId() != externalID || made[0].GetDate() != "2026-03-01" || made[2].GetReceiver() != nil || made[2].GetDestination() != "心脏中心" {
		t.Errorf("%v", made)
	}
}

func TestARefusedRecordKeepsEverything(t *testing.T) {
	t.Parallel()
	open := errs.Conflict(errs.ReasonOpenReferralExists, "x").With("referralId", downID).With("number", "450321-26-0000125-1")
	for name, c := range map[string]struct {
		page, method string
		typed        url.Values
		err          error
		shows        string
		again        bool
	}{
		"arrival": {arrivalPage, arrivalMethod, typedArrival(), errs.Invalid(errs.Required("departmentCode"), errs.Bad("arriveTime", errs.ReasonFieldOutOfRange)), `href="#f-arriveTime"`, false},
		"open":    {arrivalPage, arrivalMethod, typedArrival(), open, `href="/referrals/` + downID + `"`, false},
		"away":    {arrivalPage, arrivalMethod, typedArrival(), errs.Unavailable("referral", nil), "A service cannot be reached", true},
		"out":     {outPage, outMethod, typedOut(), errs.Invalid(errs.Required("destination")), `href="#f-destination"`, false},
		"lost":    {outPage, outMethod, typedOut(), errs.Unavailable("referral", nil), "A service cannot be reached", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.refuse(c.method, c.err)
			got := w.browser("desk").post(c.page, c.typed)
			body := got.Body.String()
			if got.Code != errs.HTTPStatus(c.err) || !strings.Contains(body, c.shows) {
				t.Errorf("%d %s", got.Code, body)
			}
			keeps(t, body, c.typed, "requestId")
			if same := hidden(t, body, "requestId") == c.typed.Get("requestId"); same != c.again {
				t.Errorf("the same request id: %v", same)
			}
			for _, problem := range htmlcheck.Page(body) {
				t.Error(problem)
			}
		})
	}
}

func TestTheReasonOfAnArrivalIsCalledWhatTheFormCallsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(arrivalMethod, errs.Invalid(errs.Required("reasonCode")))
	if body := w.browser("desk").post(arrivalPage, typedArrival()).Body.String(); !strings.Contains(body, "Please choose “How the patient came”") {
		t.Error("the error speaks of another field")
	}
}

func TestEveryRefusedFieldOfARecordIsLinkedAndExplainedInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	for _, c := range []struct {
		page, method, names string
		typed               url.Values
	}{
		{arrivalPage, arrivalMethod, "originator.organizationId reasonCode note kind urgency departmentCode diagnoses[0].code arriveTime", typedArrival()},
		{outPage, outMethod, "receiver.organizationId destination reasonCode note diagnoses date", typedOut()},
	} {
		for _, name := range strings.Fields(c.names) {
			w.refuse(c.method, errs.Invalid(errs.Bad(name, errs.ReasonFieldInvalid)))
			body := b.post(c.page, c.typed).Body.String()
			for _, problem := range htmlcheck.Page(body) {
				t.Errorf("%s: %s", name, problem)
			}
			if n := strings.Count(body, "is not right"); n != 2 {
				t.Errorf("%s is explained %d times, not on top and in place", name, n)
			}
		}
	}
	if body := b.post(arrivalPage, with(typedArrival(), "hour", "half past")).Body.String(); !strings.Contains(body, `href="#f-arriveTime"`) {
		t.Error("a time that is none is sent")
	}
}
