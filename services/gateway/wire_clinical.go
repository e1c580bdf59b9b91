package gateway

import (
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/clinical"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// clinicalPages are a patient's record and trends.
func clinicalPages(mux shell.Mux, _ Config, deps Deps, sh *shell.Shell) error {
	pages, err := clinical.New(clinical.Deps{
		Shell: sh, Record: patientrecordv1.NewPatientRecordServiceClient(deps.Conns.PatientRecord),
		Clinical: patientrecordv1.NewClinicalRecordServiceClient(deps.Conns.PatientRecord),
		Referral: referralv1.NewReferralServiceClient(deps.Conns.Referral),
	})
	if err != nil {
		return err
	}
	pages.Routes(mux)
	return nil
}
