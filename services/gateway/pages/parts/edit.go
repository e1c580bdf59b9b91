package parts

import (
	"context"
	"net/url"
	"strconv"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// stored is the field of a form with the version that its own storing made, when what came after that failed.
const stored = "stored"

// Edit stores the form of a draft or returned referral on the version that the form names, under a request that follows from the form's own: the same
// form again is answered as it was then. What was changed in the form after it was stored, before it could be sent, is stored on that.
func Edit(ctx context.Context, referrals referralv1.ReferralServiceClient, form url.Values, edit *referralv1.EditReferralRequest) (*referralv1.Referral, error) {
	version, err := strconv.ParseInt(form.Get("version"), 10, 32)
	if err != nil {
		return nil, errs.Invalid(errs.Bad("version", errs.ReasonFieldInvalid))
	}
	edit.Version, edit.RequestId = int32(version), id.FromFact(form.Get("requestId"), "edit")
	made, err := referrals.EditReferral(ctx, edit)
	if on, bad := strconv.ParseInt(form.Get(stored), 10, 32); bad == nil && errs.ReasonOf(err) == errs.ReasonRequestIDReused {
		edit.Version, edit.RequestId = int32(on), id.FromFact(form.Get("requestId"), "edit", form.Get(stored))
		made, err = referrals.EditReferral(ctx, edit)
	}
	if err == nil {
		form.Set(stored, strconv.Itoa(int(made.GetVersion())))
	}
	return made, err
}

// Stored puts a refused form that was stored, and is another request now, on the version that this made.
func Stored(again shell.Refused) {
	values := again.Form.Values
	if on := values.Get(stored); on != "" && again.RequestID != values.Get("requestId") {
		values.Set("version", on)
		values.Del(stored)
	}
}
