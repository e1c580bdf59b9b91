package gateway_test

import (
	"strings"
	"testing"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

func TestWhoConsentsForThemselvesIsNamedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := sampleReferral(referralv1.State_ACCEPTED)
	b := w.browser("township")
	for name, want := range map[string]string{"本人": "<dd>本人signed", "覃某": "<dd>覃某（本人）"} {
		r.Consent = &referralv1.Consent{GivenBy: name, Relation: "0", Method: "SIGNED"}
		w.always(getMethod, r)
		body := b.get("/referrals/"+referralID, "Accept-Language", "zh-CN").Body.String()
		want = strings.TrimSuffix(want, "signed")
		if !strings.Contains(body, want) || name == "本人" && strings.Contains(body, "本人（本人）") {
			t.Errorf("%s: not %q", name, want)
		}
	}
}

// A question to a specialist has no present illness into which values could be written.
func TestAnAdviceIsToldWhereItsValuesBelong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	for kind, hidden := range map[commonv1.Kind_Code]string{commonv1.Kind_ADVICE: "OUTPATIENT", commonv1.Kind_OUTPATIENT: "ADVICE"} {
		body := b.post("/refer/"+patientID, with(typedReferral(), "kind", kind.String(), "do", "kind")).Body.String()
		shows(t, body, "belongs into your question")
		for _, help := range strings.SplitAfter(body, "<span data-when=") {
			if strings.Contains(help, "belongs into your question") && strings.Contains(help[:strings.Index(help, ">")+1], " hidden") != (hidden == "ADVICE") {
				t.Errorf("%s: the wrong words are shown", kind)
			}
		}
	}
}
