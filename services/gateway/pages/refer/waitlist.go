package refer

import (
	"context"
	"net/url"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// wait puts a referral that was sent without a place on the fallback list, if the form asks for it, and answers what to tell the doctor. A list that
// cannot be joined takes nothing back: the referral is sent, and the desk finds a time.
func (p *Pages) wait(ctx context.Context, form url.Values, sent *referralv1.Referral) (flash string) {
	kind := sessionKind(form.Get("kind"))
	if form.Get("waitlist") == "" || kind == "" || sent.GetHoldId() != "" {
		return ""
	}
	request := &schedulingv1.JoinWaitlistRequest{ReferralId: sent.GetId(), Kind: kind, RequestId: id.FromFact(form.Get("requestId"), "waitlist")}
	switch kind {
	case "EXAM":
		request.Modality = form.Get("modality")
	case "BED":
		request.Sex = shell.BedSex(sent.GetPatient().GetSex())
	}
	if _, err := p.Allocation.JoinWaitlist(ctx, request); err != nil {
		return "refer.sent-not-waiting"
	}
	return "refer.sent-waiting"
}
