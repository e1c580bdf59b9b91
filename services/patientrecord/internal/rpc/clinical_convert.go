package rpc

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// toStatement reads what a person states; what it says is the domain's to judge.
func toStatement(path string, in *patientrecordv1.ClinicalEntry) (domain.Statement, error) {
	in = proto.CloneOf(in)
	if in == nil {
		in = &patientrecordv1.ClinicalEntry{}
	}
	in.SourceIdentity = "own" // the store names what people write
	e, err := toEntry(path, "", in)
	if err != nil {
		return domain.Statement{}, err
	}
	s := domain.Statement{Entry: e}
	s.SourceIdentity = ""
	switch r := in.GetResource().(type) {
	case *patientrecordv1.ClinicalEntry_Problem:
		s.Text, s.End = r.Problem.GetText(), timeOf(r.Problem.GetAbatementTime())
	case *patientrecordv1.ClinicalEntry_Allergy:
		s.Text = r.Allergy.GetText()
	case *patientrecordv1.ClinicalEntry_Medication:
		s.Text = r.Medication.GetText()
	case *patientrecordv1.ClinicalEntry_Observation:
		s.Text, s.Words, s.Measured = r.Observation.GetText(), r.Observation.GetValueText(), measuredIn(r.Observation)
	case *patientrecordv1.ClinicalEntry_Procedure:
		s.Text = r.Procedure.GetText()
	case *patientrecordv1.ClinicalEntry_Immunization:
		s.Text = r.Immunization.GetText()
	case *patientrecordv1.ClinicalEntry_Encounter:
		s.Text, s.End = r.Encounter.GetText(), timeOf(r.Encounter.GetEndTime())
	case *patientrecordv1.ClinicalEntry_DiagnosticReport:
		s.Text, s.Words = r.DiagnosticReport.GetText(), r.DiagnosticReport.GetConclusion()
	case *patientrecordv1.ClinicalEntry_Note:
		s.Text, s.Words = r.Note.GetTitle(), r.Note.GetText()
	}
	return s, nil
}

// result is what others are told of codes: what is no code stays in the record.
func result(codes ...*commonv1.Coding) *domain.Result {
	r := &domain.Result{}
	for _, c := range codes {
		if one := plain(c.GetSystem() + "|" + c.GetCode()); one != "" && !strings.HasSuffix(one, "|") {
			r.Codes = append(r.Codes, one)
		}
	}
	return r
}

// observed is what others are told of an observation.
func observed(p *patientrecordv1.Observation) *domain.Result {
	codes := p.GetCodes()
	for _, c := range p.GetComponents() {
		codes = append(codes[:len(codes):len(codes)], c.GetCode())
	}
	return result(codes...)
}

func fromWritten(list []app.ShownEntry) ([]*patientrecordv1.RecordEntry, error) {
	var out []*patientrecordv1.RecordEntry
	for _, w := range list {
		one, err := fromOne(w)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func fromOne(w app.ShownEntry) (*patientrecordv1.RecordEntry, error) {
	content, err := fromContent(w.Entry)
	if err != nil {
		return nil, fmt.Errorf("read content of entry %s: %w", w.ID, err)
	}
	out := &patientrecordv1.RecordEntry{
		Id: w.ID, Version: w.Version, PatientId: w.PatientID, Kind: string(w.Kind), Category: w.Category, Status: w.Status,
		EffectiveTime: stamp(w.Time), Content: content, OrganizationId: w.Organization, RecordTime: stamp(w.At), Change: string(w.Change),
		ReasonCode: w.Why.Code, Note: w.Why.Note, AfterSealing: w.AfterSealing, EncounterId: w.EncounterID, ReferralId: w.ReferralID, Sealed: w.Sealed,
	}
	if w.Change == "" {
		out.Change = string(domain.Imported)
	}
	if w.ByPerson() {
		out.Author = &commonv1.Actor{AccountId: w.Author.Account, Name: w.Author.Name, OrganizationId: w.Organization}
		out.Writer = &commonv1.Actor{AccountId: w.Writer.Account, Name: w.Writer.Name, OrganizationId: w.Organization}
	}
	if w.MayAmend {
		out.Actions = append(out.Actions, "AMEND")
	}
	if w.MayRight {
		out.Actions = append(out.Actions, "CORRECT", "MARK_ENTERED_IN_ERROR")
	}
	return out, nil
}

// fromContent reads a content back as the resource of its kind, with the entry's id.
func fromContent(e domain.Entry) (*patientrecordv1.ClinicalEntry, error) {
	out := &patientrecordv1.ClinicalEntry{}
	var err error
	switch e.Kind {
	case domain.KindProblem:
		m := &patientrecordv1.Problem{}
		err = proto.Unmarshal(e.Content, m)
		m.Id, out.Resource = e.ID, &patientrecordv1.ClinicalEntry_Problem{Problem: m}
	case domain.KindAllergy:
		m := &patientrecordv1.Allergy{}
		err = proto.Unmarshal(e.Content, m)
		m.Id, out.Resource = e.ID, &patientrecordv1.ClinicalEntry_Allergy{Allergy: m}
	case domain.KindMedication:
		m := &patientrecordv1.Medication{}
		err = proto.Unmarshal(e.Content, m)
		m.Id, out.Resource = e.ID, &patientrecordv1.ClinicalEntry_Medication{Medication: m}
	case domain.KindObservation:
		m := &patientrecordv1.Observation{}
		err = proto.Unmarshal(e.Content, m)
		m.Id, out.Resource = e.ID, &patientrecordv1.ClinicalEntry_Observation{Observation: m}
	case domain.KindProcedure:
		m := &patientrecordv1.Procedure{}
		err = proto.Unmarshal(e.Content, m)
		m.Id, out.Resource = e.ID, &patientrecordv1.ClinicalEntry_Procedure{Procedure: m}
	case domain.KindImmunization:
		m := &patientrecordv1.Immunization{}
		err = proto.Unmarshal(e.Content, m)
		m.Id, out.Resource = e.ID, &patientrecordv1.ClinicalEntry_Immunization{Immunization: m}
	case domain.KindEncounter:
		m := &patientrecordv1.Encounter{}
		err = proto.Unmarshal(e.Content, m)
		m.Id, out.Resource = e.ID, &patientrecordv1.ClinicalEntry_Encounter{Encounter: m}
	case domain.KindReport:
		m := &patientrecordv1.DiagnosticReport{}
		err = proto.Unmarshal(e.Content, m)
		m.Id, out.Resource = e.ID, &patientrecordv1.ClinicalEntry_DiagnosticReport{DiagnosticReport: m}
	case domain.KindNote:
		m := &patientrecordv1.Note{}
		err = proto.Unmarshal(e.Content, m)
		m.Id, out.Resource = e.ID, &patientrecordv1.ClinicalEntry_Note{Note: m}
	}
	return out, err
}
