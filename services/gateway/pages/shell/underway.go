package shell

import (
	"net/http"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// UnderWay are a patient's referrals up that a hospital has, or may expect. Without an answer there are none: the page stands without them.
func (s *Shell) UnderWay(r *http.Request, referrals referralv1.ReferralServiceClient, patientID string) []Row {
	answer, err := referrals.ListUnderWay(r.Context(), &referralv1.ListUnderWayRequest{PatientId: patientID, ReferralsOnly: true})
	if err != nil {
		return nil
	}
	var open []*referralv1.Referral
	for _, hospital := range answer.GetHospitals() {
		open = append(open, hospital.GetReferrals()...)
	}
	return s.Rows(r, open)
}
