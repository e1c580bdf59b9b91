package rpc

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Bounds of what is stored in the clear, and of one entry as a whole.
const (
	maxWord  = 60
	maxEntry = 256 << 10
)

// toEntry is one clinical entry of the contract; path names it in the request, e.g. "entries[3]". Its content is the resource in
// deterministic protobuf without its id, which is ours to give.
func toEntry(path, system string, in *patientrecordv1.ClinicalEntry) (domain.Entry, error) {
	e := domain.Entry{SourceSystem: system, SourceIdentity: in.GetSourceIdentity()}
	if e.SourceIdentity == "" {
		return e, errs.Invalid(errs.Required(path + ".sourceIdentity"))
	}
	resource := describe(&e, in)
	if resource == nil {
		return e, errs.Invalid(errs.Required(path + ".resource"))
	}
	if len(e.Category) > maxWord || len(e.Status) > maxWord {
		return e, errs.Invalid(errs.Bad(path, errs.ReasonFieldTooLong))
	}
	if strings.ContainsFunc(e.Category+e.Status, unicode.IsControl) {
		return e, errs.Invalid(errs.Bad(path, errs.ReasonFieldInvalid))
	}
	content, err := proto.MarshalOptions{Deterministic: true}.Marshal(resource)
	if err != nil {
		return e, errs.Invalid(errs.Bad(path, errs.ReasonFieldInvalid))
	}
	if len(content) > maxEntry {
		return e, errs.Invalid(errs.Bad(path, errs.ReasonFieldTooLong))
	}
	e.Content = content
	return e, nil
}

// describe fills what is known of an entry besides its content, and answers with the resource without its id; nil when there is none.
func describe(e *domain.Entry, in *patientrecordv1.ClinicalEntry) proto.Message {
	switch r := proto.CloneOf(in).GetResource().(type) {
	case *patientrecordv1.ClinicalEntry_Problem:
		p := r.Problem
		p.Id = ""
		e.Kind, e.Status, e.Code = domain.KindProblem, p.GetClinicalStatus(), code(p.GetCodes(), p.GetText())
		e.Time = first(p.GetOnsetTime(), p.GetRecordedTime())
		return p
	case *patientrecordv1.ClinicalEntry_Allergy:
		p := r.Allergy
		p.Id = ""
		e.Kind, e.Status, e.Code = domain.KindAllergy, p.GetClinicalStatus(), code(p.GetCodes(), p.GetText())
		e.Time = timeOf(p.GetRecordedTime())
		return p
	case *patientrecordv1.ClinicalEntry_Medication:
		p := r.Medication
		p.Id = ""
		e.Kind, e.Status, e.Code = domain.KindMedication, p.GetStatus(), code(p.GetCodes(), p.GetText())
		e.Time = timeOf(p.GetAuthoredTime())
		return p
	case *patientrecordv1.ClinicalEntry_Observation:
		p := r.Observation
		p.Id = ""
		e.Kind, e.Status, e.Code = domain.KindObservation, p.GetStatus(), code(p.GetCodes(), p.GetText())
		e.Category, e.Time, e.Result = p.GetCategory(), timeOf(p.GetEffectiveTime()), observed(p)
		return p
	case *patientrecordv1.ClinicalEntry_Procedure:
		p := r.Procedure
		p.Id = ""
		e.Kind, e.Status, e.Code = domain.KindProcedure, p.GetStatus(), code(p.GetCodes(), p.GetText())
		e.Time = timeOf(p.GetPerformedTime())
		return p
	case *patientrecordv1.ClinicalEntry_Immunization:
		p := r.Immunization
		p.Id = ""
		e.Kind, e.Status, e.Code = domain.KindImmunization, p.GetStatus(), code(p.GetCodes(), p.GetText())
		e.Time = timeOf(p.GetOccurrenceTime())
		return p
	case *patientrecordv1.ClinicalEntry_Encounter:
		p := r.Encounter
		p.Id = ""
		e.Kind, e.Status, e.Code = domain.KindEncounter, p.GetStatus(), p.GetClassCode()
		e.Time = first(p.GetStartTime(), p.GetEndTime())
		e.Stay = stay(p)
		return p
	case *patientrecordv1.ClinicalEntry_DiagnosticReport:
		p := r.DiagnosticReport
		p.Id = ""
		e.Kind, e.Status, e.Code = domain.KindReport, p.GetStatus(), code(p.GetCodes(), p.GetText())
		e.Category, e.Time, e.Result = p.GetCategory(), timeOf(p.GetEffectiveTime()), result(p.GetCodes()...)
		return p
	case *patientrecordv1.ClinicalEntry_Note:
		p := r.Note
		p.Id = ""
		e.Kind, e.Status, e.Category, e.Time = domain.KindNote, p.GetStatus(), p.GetCategory(), timeOf(p.GetWrittenTime())
		return p
	}
	return nil
}

// stay is what others may be told of an encounter. What is no code stays in the record: another system may have put words there.
func stay(p *patientrecordv1.Encounter) *domain.Stay {
	s := &domain.Stay{
		Organization: plain(p.GetOrganizationId()), Department: plain(p.GetDepartmentCode()), Class: plain(p.GetClassCode()),
		DischargeWay: plain(p.GetDischargeWay()), Start: timeOf(p.GetStartTime()), End: timeOf(p.GetEndTime()),
	}
	for _, c := range p.GetDiagnosisCodes() {
		if c = plain(c); c != "" {
			s.Diagnoses = append(s.Diagnoses, c)
		}
	}
	return s
}

// plain is s if it can be an id or a code, else nothing.
func plain(s string) string {
	odd := func(r rune) bool { return r <= ' ' || r == 0x7f || unicode.Is(unicode.Han, r) }
	if len(s) > maxWord || strings.ContainsFunc(s, odd) {
		return ""
	}
	return s
}

// code tells one kind of entry from another: the first code, or the words where there is none.
func code(codes []*commonv1.Coding, text string) string {
	for _, c := range codes {
		if c.GetCode() != "" {
			return c.GetSystem() + "|" + c.GetCode()
		}
	}
	return text
}

func timeOf(t *timestamppb.Timestamp) time.Time {
	if t == nil || t.CheckValid() != nil {
		return time.Time{}
	}
	return t.AsTime()
}

func first(times ...*timestamppb.Timestamp) time.Time {
	for _, t := range times {
		if at := timeOf(t); !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}

// resource is the message of the contract with an id.
type resource[T any] interface {
	*T
	proto.Message
}

// fromEntries reads contents back, in order, and sets each one's id.
func fromEntries[T any, M resource[T]](entries []domain.Entry, setID func(M, string)) ([]M, error) {
	out := make([]M, 0, len(entries))
	for _, e := range entries {
		m := M(new(T))
		if err := proto.Unmarshal(e.Content, m); err != nil {
			return nil, fmt.Errorf("read content of entry %s: %w", e.ID, err)
		}
		setID(m, e.ID)
		out = append(out, m)
	}
	return out, nil
}

func observations(entries []domain.Entry) ([]*patientrecordv1.Observation, error) {
	return fromEntries(entries, func(m *patientrecordv1.Observation, id string) { m.Id = id })
}
