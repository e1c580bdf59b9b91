package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

func sentEmergency() *referralv1.Referral {
	r := sampleReferral(referralv1.State_SUBMITTED)
	r.Kind, r.Urgency, r.SubmitTime = commonv1.Kind_EMERGENCY, commonv1.Urgency_EMERGENCY, in(-2*time.Minute)
	return r
}

func TestWhoSentAnEmergencySeesWhomItRangAndSaysThatTheyTelephoned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(getMethod, sentEmergency())
	b := w.browser("township")
	body := says(t, b, "Ringing, 3 times so far", "韦护士", "intake desk", "SMS sent", "no answer yet", "陈主任", "answered", "the sender has telephoned 急诊分诊台", "请准备导管室", "Telephone call", `action="/referrals/`+referralID+`/telephoned"`)
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	got := b.post("/referrals/"+referralID+"/telephoned", form("requestId", "x", "reachedName", "韦护士", "time", "", "note", "已通知"))
	asked := lastly[*notificationv1.RecordTelephonedRequest](t, w, telephonedMethod)
	if got.Code != http.StatusSeeOther || asked.GetReferralId() != referralID || asked.GetReachedName() != "韦护士" || asked.GetTime() != nil || asked.GetNote() != "已通知" || asked.GetRequestId() != "x" {
		t.Errorf("%d, %v", got.Code, asked)
	}
	b.post("/referrals/"+referralID+"/telephoned", form("requestId", "y", "time", "00:05"))
	if at := lastly[*notificationv1.RecordTelephonedRequest](t, w, telephonedMethod).GetTime(); at == nil || w.clk.Now().Sub(at.AsTime()).Abs() > 12*time.Hour {
		t.Errorf("%v is not the time of the call", at)
	}
	w.refuse(telephonedMethod, errs.Invalid(errs.Bad("time", errs.ReasonFieldOutOfRange, "cause", "FUTURE")))
	refused := b.post("/referrals/"+referralID+"/telephoned", form("requestId", "z", "reachedName", "韦护士", "time", "23:59"))
	if body := refused.Body.String(); refused.Code != http.StatusBadRequest || !strings.Contains(body, "“Time of the call” has not come yet") || !strings.Contains(body, `value="韦护士"`) || !strings.Contains(body, `value="23:59"`) {
		t.Errorf("%d: nothing is said, or what was typed is lost", refused.Code)
	}
	w.refuse(telephonedMethod, errs.WrongState("record_telephoned", "ACKNOWLEDGED"))
	if got := b.post("/referrals/"+referralID+"/telephoned", form("requestId", "z")); got.Code != http.StatusSeeOther {
		t.Errorf("taken on meanwhile: %d", got.Code)
	}
}

func TestTheLogSaysWhoTookAnEmergencyOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(getMethod, sentEmergency())
	taken := sampleRung()
	taken.State, taken.AcknowledgeTime, taken.AcknowledgeAccountName, taken.AcknowledgeChannel = "ACKNOWLEDGED", in(-time.Minute), "陈主任", "INBOX"
	w.always(rungMethod, taken)
	for who, sends := range map[string]bool{"township": true, "desk": false} {
		b := w.browser(who)
		body := says(t, b, "陈主任 has taken it on")
		if strings.Contains(body, "/telephoned") || strings.Contains(body, "It rings again and again") || strings.Contains(body, "or else 120") != sends {
			t.Errorf("%s: it still rings", who)
		}
		if part := b.get("/referrals/"+referralID, "X-Fragment", "timeline").Body.String(); !strings.Contains(part, "Emergency taken on") || !strings.Contains(part, "陈主任") {
			t.Errorf("%s: the log does not say who", who)
		}
		if part := b.get("/referrals/"+referralID, "X-Fragment", "rung").Body.String(); !strings.Contains(part, "陈主任 has taken it on") {
			t.Errorf("%s: the part is not fetched alone", who)
		}
	}
}

func TestWithoutAnAnswerAndForTheRestThePageSaysNothingOfRings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	w.always(getMethod, sampleReferral(referralv1.State_SUBMITTED))
	if strings.Contains(says(t, b), `id="rung"`) || len(called[*notificationv1.GetRungRequest](w, rungMethod)) != 0 {
		t.Error("a routine referral asks for rings")
	}
	w.always(getMethod, sentEmergency())
	w.refuse(rungMethod, errs.Unavailable("notification", nil))
	if strings.Contains(says(t, b, "or else 120"), `id="rung"`) {
		t.Error("there is a part without an answer")
	}
}

func TestTheBannerTellsOfWhomItIsToWhoMaySeeThePatient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(alarmsMethod, &notificationv1.ListAlarmsResponse{Alarms: []*notificationv1.Alarm{sampleAlarm()}})
	w.always(referralv1.ReferralService_BatchGetReferrals_FullMethodName, &referralv1.BatchGetReferralsResponse{Referrals: []*referralv1.Referral{sentEmergency()}})
	b := w.browser("desk")
	banner := b.get("/alarms", "X-Fragment", "alarms").Body.String()
	if !strings.Contains(banner, "female · 35") || !strings.Contains(banner, "原发性高血压") || strings.Contains(banner, markName) {
		t.Errorf("%s", banner)
	}
	w.refuse(referralv1.ReferralService_BatchGetReferrals_FullMethodName, errs.Denied(errs.ReasonRole))
	if banner = b.get("/alarms", "X-Fragment", "alarms").Body.String(); strings.Contains(banner, "female") || !strings.Contains(banner, "450321-26-0000123-4") {
		t.Errorf("who may not see the patient: %s", banner)
	}
}
