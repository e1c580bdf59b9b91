package referrals

import (
	"net/http"
	"net/url"
	"strings"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/parts"
)

// consenter proposes who consents: without the record, the patient.
func (p *Pages) consenter(r *http.Request, referral *referralv1.Referral) url.Values {
	patient, err := p.Record.GetPatient(r.Context(), &patientrecordv1.GetPatientRequest{Id: referral.GetPatientId()})
	if err != nil {
		patient = &patientrecordv1.Patient{Name: referral.GetPatient().GetName()}
	}
	form := url.Values{}
	parts.SetConsent(form, nil, patient)
	return form
}

// replyOf starts a reply from the down-referral by which the patient was sent back, if there is one, else from the record: the diagnoses as they were sent, what was found and the discharge summary since the arrival, and
// the medicines that are taken now, a line each. What happens next is the doctor's to say. Without the record it is empty.
func (p *Pages) replyOf(r *http.Request, referral *referralv1.Referral) url.Values {
	if down := referral.GetDownReferral(); down != "" {
		if sent, err := p.Referral.GetReferral(r.Context(), &referralv1.GetReferralRequest{Id: down}); err == nil {
			return repliedBy(sent)
		}
	}
	summary, err := p.Record.GetSummary(r.Context(), &patientrecordv1.GetSummaryRequest{PatientId: referral.GetPatientId()})
	if err != nil {
		return url.Values{}
	}
	stay := parts.StayOf(p.Shell, r, p.Clinical, summary, referral.GetArriveTime())
	var diagnoses, medicines []string
	for _, d := range referral.GetDiagnoses() {
		diagnoses = append(diagnoses, d.GetDisplay())
	}
	for _, m := range stay.Medicines {
		medicines = append(medicines, strings.TrimSpace(m.GetText()+" "+m.GetDosage()))
	}
	return url.Values{
		"reply.diagnosis": {strings.Join(diagnoses, "；")}, "reply.findings": {stay.Findings}, "reply.treatment": {stay.Course},
		"reply.medications": {strings.Join(medicines, "\n")},
	}
}

// repliedBy is a reply as the down-referral says it.
func repliedBy(down *referralv1.Referral) url.Values {
	reply := parts.ReplyFrom(down.GetForm(), down.GetMedicines())
	var medicines []string
	for _, m := range reply.GetMedications() {
		medicines = append(medicines, parts.MedicationLine(m))
	}
	return url.Values{
		"reply.diagnosis": {reply.GetDiagnosis()}, "reply.findings": {reply.GetFindings()}, "reply.treatment": {reply.GetTreatment()},
		"reply.nextSteps": {reply.GetNextSteps()}, "reply.medications": {strings.Join(medicines, "\n")},
	}
}
