package referrals

import (
	"net/http"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// recognised is what of the patient is still valid at the receiver.
type recognised struct {
	// Known: it was asked and answered.
	Known   bool
	Setting string
	Items   []*patientrecordv1.Recognisable
}

// Count of items.
func (r recognised) Count() int { return len(r.Items) }

// recognised asks for the receiver what can be recognised. Without an answer the page is still worth having.
func (p *Pages) recognised(r *http.Request, data *pageData) {
	if !data.Receiving || data.GetKind() == commonv1.Kind_ADVICE {
		return
	}
	setting := "OUTPATIENT"
	switch data.GetKind() {
	case commonv1.Kind_INPATIENT:
		setting = "INPATIENT"
	case commonv1.Kind_EMERGENCY:
		setting = "EMERGENCY"
	}
	answer, err := p.Recognition.ListRecognisable(r.Context(), &patientrecordv1.ListRecognisableRequest{
		PatientId: data.GetPatientId(), ReferralId: data.GetId(), Setting: setting,
	})
	if err == nil {
		data.Recognised = recognised{Known: true, Setting: setting, Items: answer.GetRecognisable()}
	}
}
