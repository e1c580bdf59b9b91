package domain

import (
	"reflect"
	"slices"
)

// edited names what a sender wrote otherwise than it was before, as errors write it, no text. What is looked up is not written.
func (s *Snapshot) edited(before *Snapshot) (names []string) {
	medicines := func(all []Medicine) []Medicine {
		out := slices.Clone(all)
		for i := range out {
			out[i].Availability = ""
		}
		return out
	}
	plan := func(p FollowUpPlan) FollowUpPlan {
		p.Visits = slices.Clone(p.Visits)
		for i, v := range p.Visits {
			p.Visits[i].Items = none(v.Items)
		}
		p.Visits = none(p.Visits)
		return p
	}
	for _, part := range []struct {
		name    string
		was, is any
	}{
		{"diagnoses", none(before.Diagnoses), none(s.Diagnoses)}, {"examItems", none(before.ExamItems), none(s.ExamItems)}, {"modality", before.Modality, s.Modality},
		{"kind", before.Kind, s.Kind}, {"urgency", before.Urgency, s.Urgency},
		{"receiver.organizationId", before.Receiver.OrganizationID, s.Receiver.OrganizationID}, {"receiver.departmentCode", before.Receiver.DepartmentCode, s.Receiver.DepartmentCode},
		{"receiver.practitionerId", before.Receiver.PractitionerID, s.Receiver.PractitionerID},
		{"form.initialImpression", before.Form.InitialImpression, s.Form.InitialImpression}, {"form.presentIllness", before.Form.PresentIllness, s.Form.PresentIllness},
		{"form.pastHistory", before.Form.PastHistory, s.Form.PastHistory}, {"form.treatment", before.Form.Treatment, s.Form.Treatment},
		{"form.diagnosis", before.Form.Diagnosis, s.Form.Diagnosis}, {"form.inpatientNumber", before.Form.InpatientNumber, s.Form.InpatientNumber},
		{"form.examinationResults", before.Form.ExaminationResults, s.Form.ExaminationResults}, {"form.nextPlan", before.Form.NextPlan, s.Form.NextPlan},
		{"form.rehabilitationAdvice", before.Form.RehabilitationAdvice, s.Form.RehabilitationAdvice},
		{"medicines", none(medicines(before.Medicines)), none(medicines(s.Medicines))}, {"plan", plan(before.Plan), plan(s.Plan)}, {"consent", before.Consent, s.Consent},
		{"transport", before.Transport, s.Transport}, {"transferNote", before.TransferNote, s.TransferNote}, {"originatorPhone", before.OriginatorPhone, s.OriginatorPhone},
		{"values", true, sameValues(before.Values, s.Values)}, {"familyDoctor", before.FamilyDoctor, s.FamilyDoctor},
	} {
		if !reflect.DeepEqual(part.was, part.is) {
			names = append(names, part.name)
		}
	}
	return names
}

// none is a list, nil when it is empty.
func none[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

// supplement notes what a sender changed of a referral that was returned, beside what they changed before. It stands until the receiver asks again.
func (s *Snapshot) supplement(before *Snapshot) {
	for _, name := range s.edited(before) {
		// The criteria tell of values, the plan of the family doctor; whom it is meant for is no information that was missing.
		told := !slices.Contains([]string{"values", "familyDoctor", "receiver.practitionerId"}, name)
		if told && !slices.Contains(s.Supplemented, name) {
			s.Supplemented = append(slices.Clone(s.Supplemented), name)
		}
	}
}
