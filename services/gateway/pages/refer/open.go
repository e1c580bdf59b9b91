package refer

import (
	"net/http"
	"slices"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// openShown is how many open referrals the form names; a patient hardly ever has more.
const openShown = 20

// open are the referrals of a patient that are not over, so that nobody fills the form to be refused as a duplicate. Without an answer the
// form is worth having all the same.
func (p *Pages) open(r *http.Request, patientID, editing string) []shell.Row {
	list, err := p.Referral.ListReferrals(r.Context(), &referralv1.ListReferralsRequest{View: "all", PatientId: patientID, PageSize: openShown, State: []referralv1.State_Code{
		referralv1.State_DRAFT, referralv1.State_SUBMITTED, referralv1.State_RETURNED, referralv1.State_ACCEPTED, referralv1.State_NO_SHOW,
		referralv1.State_ARRIVED, referralv1.State_ADMITTED, referralv1.State_CONCLUDED, referralv1.State_FOLLOW_UP,
	}})
	if err != nil {
		return nil
	}
	return p.Shell.Rows(r, slices.DeleteFunc(list.GetReferrals(), func(one *referralv1.Referral) bool { return one.GetId() == editing }))
}
