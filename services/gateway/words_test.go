package gateway_test

import (
	"strings"
	"testing"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

func TestWhoConsentsForThemselvesIsNamedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := sampleReferral(referralv1.State_ACCEPTED)
	b := w.browser("township")
	for name, want := range map[string]string{"本人": "<dd>本人", "覃某": "<dd>覃某（本人）"} {
		r.Consent = &referralv1.Consent{GivenBy: name, Relation: "0", Method: "SIGNED"}
		w.always(getMethod, r)
		body := b.get("/referrals/"+referralID, "Accept-Language", "zh-CN").Body.String()
		if !strings.Contains(body, want) || name == "本人" && strings.Contains(body, "本人（本人）") {
			t.Errorf("%s: not %q", name, want)
		}
	}
}
