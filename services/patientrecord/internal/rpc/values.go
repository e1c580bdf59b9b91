package rpc

import (
	"errors"
	"slices"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// fromValues answers entries, newest first, as clinical values.
func fromValues(entries []domain.Entry) (*patientrecordv1.ClinicalValues, error) {
	by := map[domain.EntryKind][]domain.Entry{}
	for _, e := range entries {
		by[e.Kind] = append(by[e.Kind], e)
	}
	out := &patientrecordv1.ClinicalValues{AllergiesRecorded: len(by[domain.KindAllergy]) > 0}
	var e1, e2, e3 error
	out.Observations, e1 = observations(by[domain.KindObservation])
	out.Problems, e2 = fromEntries(by[domain.KindProblem], func(m *patientrecordv1.Problem, id string) { m.Id = id })
	out.Medications, e3 = fromEntries(by[domain.KindMedication], func(m *patientrecordv1.Medication, id string) { m.Id = id })
	out.Observations = latest(out.GetObservations())
	visits, e4 := fromEntries(by[domain.KindEncounter], func(m *patientrecordv1.Encounter, id string) { m.Id = id })
	for _, v := range visits {
		if v.GetClassCode() == "IMP" && slices.Contains(domain.OpenStatuses(), v.GetStatus()) && v.GetEndTime() == nil {
			out.Stays = append(out.Stays, v)
		}
	}
	return out, errors.Join(e1, e2, e3, e4)
}

// latest takes panels apart and keeps the first of each code: a blood pressure becomes a systolic and a diastolic one, each with the
// panel's id, status and time, and gives way to a newer value that was measured alone.
func latest(list []*patientrecordv1.Observation) []*patientrecordv1.Observation {
	var out []*patientrecordv1.Observation
	known := map[string]bool{}
	add := func(o *patientrecordv1.Observation) {
		if key := code(o.GetCodes(), o.GetText()); !known[key] {
			known[key] = true
			out = append(out, o)
		}
	}
	for _, o := range list {
		parts := o.GetComponents()
		o.Components = nil
		if o.GetQuantity() != nil || o.GetValueText() != "" || len(parts) == 0 {
			add(o)
		}
		for _, part := range parts {
			if part.GetQuantity() == nil && part.GetValueText() == "" {
				continue // not measured this time
			}
			one := proto.CloneOf(o)
			one.Codes, one.Text = []*commonv1.Coding{part.GetCode()}, part.GetCode().GetDisplay()
			one.Quantity, one.ValueText = part.GetQuantity(), part.GetValueText()
			one.ReferenceRange, one.Interpretation = "", ""
			add(one)
		}
	}
	return out
}
