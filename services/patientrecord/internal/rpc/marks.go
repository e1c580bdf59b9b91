package rpc

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Marks reads what of an entry tells whether it is sensitive.
func Marks(e domain.Entry) (domain.Marks, error) {
	m := message(e.Kind)
	if m == nil {
		return domain.Marks{}, nil
	}
	if err := proto.Unmarshal(e.Content, m); err != nil {
		return domain.Marks{}, fmt.Errorf("read content of entry %s: %w", e.ID, err)
	}
	return marksOf(m), nil
}

// message of the contract that is the content of a kind of entry; nil for one that has no words.
func message(k domain.EntryKind) proto.Message {
	switch k {
	case domain.KindProblem:
		return &patientrecordv1.Problem{}
	case domain.KindAllergy:
		return &patientrecordv1.Allergy{}
	case domain.KindMedication:
		return &patientrecordv1.Medication{}
	case domain.KindObservation:
		return &patientrecordv1.Observation{}
	case domain.KindProcedure:
		return &patientrecordv1.Procedure{}
	case domain.KindImmunization:
		return &patientrecordv1.Immunization{}
	case domain.KindEncounter:
		return &patientrecordv1.Encounter{}
	case domain.KindReport:
		return &patientrecordv1.DiagnosticReport{}
	case domain.KindNote:
		return &patientrecordv1.Note{}
	}
	return nil
}

// coded is what all resources but encounters have.
type coded interface {
	GetCodes() []*commonv1.Coding
	GetText() string
}

func marksOf(m proto.Message) domain.Marks {
	var out domain.Marks
	code := func(c *commonv1.Coding) {
		out.Codes = append(out.Codes, domain.Coding{System: c.GetSystem(), Code: c.GetCode()})
		out.Words = append(out.Words, c.GetDisplay())
	}
	if r, ok := m.(coded); ok {
		for _, c := range r.GetCodes() {
			code(c)
		}
		out.Words = append(out.Words, r.GetText())
	}
	switch r := m.(type) {
	case *patientrecordv1.Observation:
		out.Words = append(out.Words, r.GetValueText())
		for _, c := range r.GetComponents() {
			code(c.GetCode())
			out.Words = append(out.Words, c.GetValueText())
		}
	case *patientrecordv1.Encounter:
		out.Department = r.GetDepartmentCode()
		out.Words = append(out.Words, r.GetText(), r.GetReason())
		for _, c := range r.GetDiagnosisCodes() {
			code(&commonv1.Coding{Code: c})
		}
	case *patientrecordv1.Note:
		out.Words = append(out.Words, r.GetTitle(), r.GetText())
	case *patientrecordv1.DiagnosticReport:
		out.Words = append(append(out.Words, r.GetFindings(), r.GetConclusion()), r.GetResultNames()...)
	}
	return out
}
