package refer

import (
	"cmp"
	"net/http"
	"strconv"

	"google.golang.org/protobuf/types/known/fieldmaskpb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// edited are the fields that the form can change.
func edited() *fieldmaskpb.FieldMask {
	return &fieldmaskpb.FieldMask{Paths: []string{
		"kind", "urgency", "receiver", "diagnoses", "form", "consent", "transfer_note", "transport", "originator_phone", "exam_items", "modality", "values",
	}}
}

// edit shows a draft, or a referral that came back for information, in the same form.
func (p *Pages) edit(w http.ResponseWriter, r *http.Request) error {
	referral, err := p.Referral.GetReferral(r.Context(), &referralv1.GetReferralRequest{Id: r.PathValue("id")})
	if err != nil {
		return err
	}
	if referral.GetDirection() == commonv1.Direction_DOWN {
		http.Redirect(w, r, "/down/"+referral.GetPatientId()+"?draft="+referral.GetId(), http.StatusSeeOther)
		return nil
	}
	data, err := p.prepareEdit(r, referral)
	if err != nil {
		return err
	}
	data.Form.Values = parts.Original(valuesOf(referral, data.Patient), p.groups(r))
	data.Form.Values.Set("version", strconv.Itoa(int(referral.GetVersion())))
	parts.SetCriteria(data.Form.Values, referral)
	data.RequestID, data.HoldKey = id.New(), id.New()
	return p.render(w, r, http.StatusOK, data)
}

func (p *Pages) prepareEdit(r *http.Request, referral *referralv1.Referral) (formData, error) {
	data, err := p.prepare(r, referral.GetPatientId())
	data.Editing = referral.GetId()
	data.Action = "/referrals/" + referral.GetId() + "/edit"
	data.Draft = "edit:" + referral.GetId()
	if referral.GetState() == referralv1.State_RETURNED {
		data.Returned, data.Reason, data.Missing = referral, p.Shell.ReasonOf(r, referral), parts.AskedOf(referral)
		data.Kept, data.KeptUnknown = p.kept(r, referral)
	}
	return data, err
}

// kept is what the referral still holds; a slot that has begun is gone.
func (p *Pages) kept(r *http.Request, referral *referralv1.Referral) (hold *schedulingv1.Hold, unknown bool) {
	if referral.GetHoldId() == "" {
		return nil, false
	}
	hold, err := p.Scheduling.GetHold(r.Context(), &schedulingv1.GetHoldRequest{Id: referral.GetHoldId()})
	if err != nil {
		return nil, errs.KindOf(err) != errs.KindNotFound
	}
	if hold.GetState() != schedulingv1.HoldState_ATTACHED {
		return nil, false
	}
	return hold, false
}

// change stores the form and, unless it is only kept, sends it: submit for a draft, resubmit for one that came back.
func (p *Pages) change(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	referral, err := p.Referral.GetReferral(r.Context(), &referralv1.GetReferralRequest{Id: r.PathValue("id")})
	if err != nil {
		return p.answer(w, r, err, func(shell.Refused) error { return err })
	}
	flash := "refer.drafted"
	settle(r.PostForm)
	p.applyTemplate(r)
	if onlyLooks(r) {
		return p.changeAgain(w, r, referral, nil)
	}
	lost := false
	if r.PostFormValue("do") != "draft" {
		lost, err = p.ready(r, createRequest(r.PostForm, referral.GetPatientId()))
	}
	var stored *referralv1.Referral
	if err == nil {
		stored, err = p.store(r, referral)
	}
	if err == nil && r.PostFormValue("do") != "draft" {
		flash, err = p.sendEdited(r, stored)
	}
	if lost {
		flash = "refer.sent-without-sms"
	}
	if err != nil {
		return p.changeAgain(w, r, referral, err)
	}
	p.Shell.Flash(w, flash)
	http.Redirect(w, r, "/referrals/"+referral.GetId(), http.StatusSeeOther)
	return nil
}

// store stores the form. It can be repeated: the same form is answered as it was then.
func (p *Pages) store(r *http.Request, referral *referralv1.Referral) (*referralv1.Referral, error) {
	return parts.Edit(r.Context(), p.Referral, r.PostForm, &referralv1.EditReferralRequest{
		Id: referral.GetId(), UpdateMask: edited(), Referral: createRequest(r.PostForm, referral.GetPatientId()),
	})
}

// sendEdited sends what was stored, and answers what to tell the doctor. What it sends follows from the form and from what was stored, never from what
// stands now: the same form again is the same request.
func (p *Pages) sendEdited(r *http.Request, stored *referralv1.Referral) (flash string, err error) {
	request := id.FromFact(r.PostFormValue("requestId"), "send")
	if stored.GetState() == referralv1.State_RETURNED {
		_, err = p.Referral.Resubmit(r.Context(), &referralv1.ActionRequest{Id: stored.GetId(), Version: stored.GetVersion(), RequestId: request})
		return "refer.sent", err
	}
	hold, err := p.hold(r.Context(), r.PostForm, stored.GetPatientId())
	if err != nil {
		return "", err
	}
	sent, err := p.Referral.Submit(r.Context(), &referralv1.SubmitRequest{
		Id: stored.GetId(), Version: stored.GetVersion(), RequestId: request, HoldId: hold, Values: parts.Values(r.PostForm),
	})
	if err != nil {
		return "", err
	}
	if sent.GetHoldLost() {
		return "refer.sent-without-hold", nil
	}
	return cmp.Or(p.wait(r.Context(), r.PostForm, sent), "refer.sent"), nil
}

func (p *Pages) changeAgain(w http.ResponseWriter, r *http.Request, referral *referralv1.Referral, cause error) error {
	return p.answer(w, r, cause, func(again shell.Refused) error {
		data, err := p.prepareEdit(r, referral)
		if err != nil && errs.KindOf(err) != errs.KindUnavailable {
			return err
		}
		parts.Stored(again)
		kind := errs.KindOf(cause)
		if cause == nil || kind != errs.KindStale && kind != errs.KindWrongState {
			return p.refused(w, r, data, again)
		}
		data.Form, data.HoldKey = again.Form, r.PostFormValue("holdKey")
		p.reapply(r, &data, referral, cause)
		return p.render(w, r, again.Status, data)
	})
}
