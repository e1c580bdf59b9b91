package parts

import (
	"strings"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// ReplyFrom is the reply to an up-referral that says what a down-referral says: nobody types it twice. What was stopped is no medicine of it.
func ReplyFrom(form *referralv1.Form, medicines []*referralv1.DischargeMedicine) *referralv1.Reply {
	reply := &referralv1.Reply{
		Diagnosis: form.GetDiagnosis(), Findings: form.GetExaminationResults(), Treatment: form.GetTreatment(), NextSteps: form.GetNextPlan(),
	}
	for _, m := range medicines {
		if m.GetDecision() != "STOPPED" {
			reply.Medications = append(reply.Medications, &referralv1.ReplyMedication{Name: m.GetName(), Specification: m.GetSpecification(), Dosage: m.GetDosage()})
		}
	}
	return reply
}

// MedicationLine is a medicine as a reply's form has it: one a line.
func MedicationLine(m *referralv1.ReplyMedication) string {
	return strings.Join(strings.Fields(m.GetName()+" "+m.GetSpecification()+" "+m.GetDosage()), " ")
}
