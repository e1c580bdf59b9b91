package gateway_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

func TestADoctorReadsWhatTheCountySaidCaseByCaseAndMonthByMonth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	necessary, late := sampleReferral(referralv1.State_CLOSED), sampleReferral(referralv1.State_CLOSED)
	necessary.Verdict, late.Id, late.Verdict, late.VerdictNote = "NECESSARY", bookingID, "TOO_LATE", markText
	w.always(casesMethod, &referralv1.ListStatisticCasesResponse{Cases: []*referralv1.StatisticCase{{ReferralId: referralID, Day: "2026-02-11"}, {ReferralId: bookingID, Day: "2026-03-01"}}})
	w.always(referralv1.ReferralService_BatchGetReferrals_FullMethodName, &referralv1.BatchGetReferralsResponse{Referrals: []*referralv1.Referral{necessary, late}})
	body := w.browser("township").get("/statistics/mine").Body.String()
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	asked := lastly[*referralv1.ListStatisticCasesRequest](t, w, casesMethod)
	if want := (&referralv1.ListStatisticCasesRequest{Measure: "VERDICT-NECESSARY", Part: "DENOMINATOR", From: "2026-01-01", To: "2027-01-01", Doctor: doctor().GetId(), PageSize: 50}); !proto.Equal(asked, want) {
		t.Errorf("asked %v", asked)
	}
	march, february := strings.Index(body, "<h2>2026-03"), strings.Index(body, "<h2>2026-02")
	if march < 0 || february < march {
		t.Error("the months are missing, or the newest is not first")
	}
	for _, words := range []string{"rather late", markText, `href="/referrals/` + bookingID + `"`, markName} {
		if !strings.Contains(strings.ToLower(body[march:max(march, february)]), strings.ToLower(words)) {
			t.Errorf("%q is missing in March", words)
		}
	}
}
