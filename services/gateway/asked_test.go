package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

func TestAReturnedReferralLeadsToWhatItLacks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	back := sampleReferral(referralv1.State_RETURNED)
	back.Note = "请附上心电图"
	b := w.browser("township")
	for reason, anchor := range map[string]string{
		"MISSING_RESULTS": "travels", "MISSING_HISTORY": "f-form.presentIllness", "MISSING_TREATMENT": "f-form.treatment", "DIAGNOSIS_UNCLEAR": "f-diagnoses", "MISSING_CONSENT": "f-consent", "WRONG_KIND": "f-kind",
	} {
		back.ReasonCode = reason
		w.always(getMethod, back)
		form := b.get("/referrals/" + referralID + "/edit").Body.String()
		if !strings.Contains(form, `href="#`+anchor+`"`) || !strings.Contains(form, `id="`+anchor+`"`) || !strings.Contains(form, "<q>请附上心电图</q>") {
			t.Errorf("%s: the form does not lead to %s", reason, anchor)
		}
		says(t, b, `href="/referrals/`+referralID+`/edit#`+anchor+`"`)
	}
	back.ReasonCode, back.Form.PastHistory = "MISSING_HISTORY", " "
	w.always(getMethod, back)
	says(t, b, `href="/referrals/`+referralID+`/edit#f-form.pastHistory"`)
	if strings.Contains(says(t, w.browser("desk")), "/edit#") {
		t.Error("who asked is led to the form of who was asked")
	}
	back.ReasonCode = "OTHER"
	w.always(getMethod, back)
	if strings.Contains(says(t, b, "请附上心电图"), "/edit#") {
		t.Error("a reason that is of no part leads somewhere")
	}
}

func TestWhenAPatientArrivesIsOneClick(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(getMethod, sampleReferral(referralv1.State_ACCEPTED))
	w.always(actionsMethod, actionsOf("depart"))
	w.always(referralv1.ReferralService_Depart_FullMethodName, sampleReferral(referralv1.State_ACCEPTED))
	b := w.browser("township")
	says(t, b, `name="arriveIn" value="0"`, "in 30 minutes", "in 60 minutes", `name="arriveIn" value="" checked`, `name="expectedArrival"`)
	send := func(pairs ...string) *referralv1.DepartRequest {
		if got := b.post("/referrals/"+referralID+"/depart", form(append([]string{"version", "3", "requestId", "x", "transport", "OWN"}, pairs...)...)); got.Code != http.StatusSeeOther {
			t.Fatalf("%v: %d", pairs, got.Code)
		}
		return lastly[*referralv1.DepartRequest](t, w, referralv1.ReferralService_Depart_FullMethodName)
	}
	if in := send("arriveIn", "30", "expectedArrival", "2026-03-02T10:00"); in.ExpectedMinutes == nil || in.GetExpectedMinutes() != 30 || in.GetExpectedArrival() != nil {
		t.Errorf("%v", in)
	}
	if now := send("arriveIn", "0"); now.ExpectedMinutes == nil || now.GetExpectedMinutes() != 0 {
		t.Errorf("%v", now)
	}
	if at := send("arriveIn", "", "expectedArrival", "2026-03-02T10:00"); at.ExpectedMinutes != nil || at.GetExpectedArrival() == nil {
		t.Errorf("%v", at)
	}
}
