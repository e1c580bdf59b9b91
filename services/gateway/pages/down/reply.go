package down

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// waits tells that an up-referral waits for its reply.
func waits(up *referralv1.Referral) bool {
	return up.GetState() == referralv1.State_ARRIVED || up.GetState() == referralv1.State_ADMITTED
}

// replied tells that an up-referral was replied to. One that neither waits nor was replied to is one whose arrival was taken back.
func replied(up *referralv1.Referral) bool {
	return up.GetState() == referralv1.State_CONCLUDED || up.GetState() == referralv1.State_CLOSED
}

// mayReply tells that the visitor may reply to the up-referral along with this. Without an answer the reply has its own form.
func (p *Pages) mayReply(r *http.Request, up *referralv1.Referral) bool {
	if !waits(up) {
		return false
	}
	list, err := p.Referral.ListActions(r.Context(), &referralv1.ListActionsRequest{Id: up.GetId()})
	return err == nil && slices.ContainsFunc(list.GetActions(), func(a *referralv1.Action) bool { return a.GetName() == "conclude" })
}

// replies tells that the reply is to go out with this form.
func replies(form url.Values, data formData) bool { return form.Get("reply") != "" && data.Up != nil }

// replyOf is the reply as the form says it.
func replyOf(form url.Values) *referralv1.Reply {
	request := createRequest(form, formData{})
	return parts.ReplyFrom(request.GetForm(), request.GetMedicines())
}

// standing is the version of an up-referral, as the form carries the one that it was drawn with.
func standing(up *referralv1.Referral) string { return strconv.Itoa(int(up.GetVersion())) }

// overtaken refuses a form whose reply was written for an earlier version of the up-referral: of two that go out together neither does. One that was replied
// to meanwhile is left to the reply itself, which knows its own request again.
func overtaken(form url.Values, data formData) error {
	if !replies(form, data) || replied(data.Up) || form.Get("replyVersion") == standing(data.Up) {
		return nil
	}
	return errs.Stale(data.Up.GetVersion(), data.Up.GetState().String())
}

// rest puts the reply upon the up-referral as it stands, and tells what somebody did to that since the form was drawn.
func (p *Pages) rest(r *http.Request, data *formData) {
	seen, _ := strconv.ParseInt(data.Form.Value("replyVersion"), 10, 32)
	data.Stale = &parts.Stale{
		Words: p.Shell.T(r, "down.reply.stale"), ReferralID: data.Up.GetId(), Direction: data.Up.GetDirection().String(),
		Since: parts.Since(r.Context(), p.Referral, data.Up.GetId(), seen),
	}
	data.Form.Values.Set("replyVersion", standing(data.Up))
	data.Problem, data.RequestID = "", id.New()
}

// reply answers the up-referral once the patient is sent down, and tells which text the next page says and where it leads, "" for the
// down-referral. Neither is lost: without the reply it leads to the reply's own form, which is filled from the down-referral. Neither is doubled: the
// request follows from the form's own.
func (p *Pages) reply(r *http.Request, data formData) (flash, next string) {
	up := data.Up.GetId()
	version, err := strconv.ParseInt(r.PostFormValue("replyVersion"), 10, 32)
	if err != nil {
		err = errs.Invalid(errs.Bad("replyVersion", errs.ReasonFieldInvalid))
	} else {
		_, err = p.Referral.Conclude(r.Context(), &referralv1.ConcludeRequest{
			Id: up, Version: int32(version), RequestId: id.FromFact(r.PostFormValue("requestId"), "reply"),
			OutcomeCode: r.PostFormValue("outcomeCode"), Reply: replyOf(r.PostForm),
		})
	}
	if err == nil {
		return "down.sent-replied", ""
	}
	// A colleague may have replied meanwhile, or the answer to this one was lost.
	now, unknown := p.Referral.GetReferral(r.Context(), &referralv1.GetReferralRequest{Id: up})
	switch kind := errs.KindOf(err); {
	case unknown != nil || !replied(now):
		return "down.sent-unreplied", "/referrals/" + up + "#actions"
	case kind == errs.KindStale || kind == errs.KindWrongState:
		return "down.sent-replied-before", ""
	}
	return "down.sent-replied", ""
}
