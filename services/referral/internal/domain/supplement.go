package domain

import (
	"reflect"
	"slices"
)

// supplement notes what a sender changed of a referral that was returned, beside what they changed before: names of fields as errors write them, no text.
// It stands until the receiver asks again.
func (s *Snapshot) supplement(before *Snapshot) {
	medicines := func(all []Medicine) []Medicine { // what the centre has is looked up, not written
		out := slices.Clone(all)
		for i := range out {
			out[i].Availability = ""
		}
		return out
	}
	for _, part := range []struct {
		name    string
		was, is any
	}{
		{"diagnoses", before.Diagnoses, s.Diagnoses}, {"examItems", before.ExamItems, s.ExamItems}, {"modality", before.Modality, s.Modality},
		{"urgency", before.Urgency, s.Urgency}, {"receiver.departmentCode", before.Receiver.DepartmentCode, s.Receiver.DepartmentCode},
		{"form.initialImpression", before.Form.InitialImpression, s.Form.InitialImpression}, {"form.presentIllness", before.Form.PresentIllness, s.Form.PresentIllness},
		{"form.pastHistory", before.Form.PastHistory, s.Form.PastHistory}, {"form.treatment", before.Form.Treatment, s.Form.Treatment},
		{"form.diagnosis", before.Form.Diagnosis, s.Form.Diagnosis}, {"form.inpatientNumber", before.Form.InpatientNumber, s.Form.InpatientNumber},
		{"form.examinationResults", before.Form.ExaminationResults, s.Form.ExaminationResults}, {"form.nextPlan", before.Form.NextPlan, s.Form.NextPlan},
		{"form.rehabilitationAdvice", before.Form.RehabilitationAdvice, s.Form.RehabilitationAdvice},
		{"medicines", medicines(before.Medicines), medicines(s.Medicines)}, {"plan", before.Plan, s.Plan}, {"consent", before.Consent, s.Consent},
		{"transport", before.Transport, s.Transport}, {"transferNote", before.TransferNote, s.TransferNote}, {"originatorPhone", before.OriginatorPhone, s.OriginatorPhone},
	} {
		if !reflect.DeepEqual(part.was, part.is) && !slices.Contains(s.Supplemented, part.name) {
			s.Supplemented = append(slices.Clone(s.Supplemented), part.name)
		}
	}
}
