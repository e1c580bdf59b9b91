package check

import (
	"fmt"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// links: referrals that follow one another name each other. One that was not read is not judged.
func (w World) links() []string {
	byID := map[string]Referral{}
	for _, r := range w.Referrals {
		byID[r.GetId()] = r
	}
	var bad []string
	hold := func(r Referral, how, otherID string, named func(*referralv1.Referral) bool) {
		if other, read := byID[otherID]; read && !named(other.Referral) {
			bad = append(bad, fmt.Sprintf("referral %s is %s %s, which does not say so", r.GetId(), how, otherID))
		}
	}
	for _, r := range w.Referrals {
		id := r.GetId()
		hold(r, "answered by", r.GetDownReferral(), func(down *referralv1.Referral) bool {
			return down.GetReplyTo() == id && down.GetLinkKind() == "ANSWERS" && !ended(down)
		})
		hold(r, "escalated to", r.GetEscalatedTo(), func(up *referralv1.Referral) bool { return up.GetReplyTo() == id && up.GetLinkKind() == "WORSENED" })
		hold(r, "a bounce-back of", r.GetBounceBackOf(), func(down *referralv1.Referral) bool { return down.GetBouncedBy() == id })
		hold(r, "bounced by", r.GetBouncedBy(), func(up *referralv1.Referral) bool { return up.GetBounceBackOf() == id })
		switch {
		case r.GetLinkKind() == "WORSENED":
			hold(r, "what was escalated from", r.GetReplyTo(), func(down *referralv1.Referral) bool { return down.GetEscalatedTo() == id })
		case r.GetLinkKind() == "ANSWERS" && r.GetNumber() != "" && !ended(r.Referral):
			hold(r, "the answer to", r.GetReplyTo(), func(up *referralv1.Referral) bool { return up.GetDownReferral() != "" })
		}
	}
	return bad
}

// ended: it leads nowhere any more.
func ended(r *referralv1.Referral) bool {
	return r.GetState() == referralv1.State_DECLINED || r.GetState() == referralv1.State_CANCELLED
}

// candidates: one stay has at most one, and it is off the list exactly when the patient was sent down or somebody decided otherwise.
func (w World) candidates() []string {
	byID, stays := map[string]Referral{}, map[string]string{}
	for _, r := range w.Referrals {
		byID[r.GetId()] = r
	}
	var bad []string
	for _, c := range w.Candidates {
		if up := c.GetReferralId(); up != "" {
			if other, twice := stays[up]; twice {
				bad = append(bad, fmt.Sprintf("the stay of referral %s has the candidates %s and %s", up, other, c.GetId()))
			}
			stays[up] = c.GetId()
		}
		down, read := byID[c.GetDownReferralId()]
		sent := read && down.GetNumber() != "" && !ended(down.Referral)
		switch {
		case c.GetState() == "DISMISSED", c.GetDownReferralId() != "" && !read:
		case (c.GetState() == "CLOSED") != sent:
			bad = append(bad, fmt.Sprintf("candidate %s is %s, but its down-referral is %q", c.GetId(), c.GetState(), stateOf(down)))
		case read && down.GetDirection() != commonv1.Direction_DOWN:
			bad = append(bad, fmt.Sprintf("candidate %s went down by referral %s, which goes %s", c.GetId(), down.GetId(), down.GetDirection()))
		}
	}
	return bad
}

func stateOf(r Referral) string {
	if r.Referral == nil {
		return ""
	}
	return r.GetState().String()
}

// figures: what is counted is what a recount from history gives.
func (w World) figures() []string {
	var bad []string
	for _, d := range w.Figures {
		bad = append(bad, fmt.Sprintf("figure %s of %s for %v is %d, history gives %d", d.GetCounter(), d.GetDay(), d.GetKey(), d.GetStored(), d.GetRecomputed()))
	}
	return bad
}
