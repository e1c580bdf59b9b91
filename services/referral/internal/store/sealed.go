package store

import (
	"time"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// The sealed columns as JSON. The names are stored: they may be added to, never changed.

type sealedPatient struct {
	Name                 string `json:"name,omitempty"`
	Sex                  string `json:"sex,omitempty"`
	BirthDate            string `json:"birthDate,omitempty"`
	MaskedIdentityNumber string `json:"maskedIdentityNumber,omitempty"`
	Phone                string `json:"phone,omitempty"`
	Address              string `json:"address,omitempty"`
	HealthRecordNumber   string `json:"healthRecordNumber,omitempty"`
}

func patientOf(s domain.Snapshot) sealedPatient {
	return sealedPatient(s.Patient)
}

type sealedDiagnosis struct {
	System  string `json:"system,omitempty"`
	Code    string `json:"code,omitempty"`
	Display string `json:"display,omitempty"`
}

type sealedForm struct {
	InitialImpression    string `json:"initialImpression,omitempty"`
	PresentIllness       string `json:"presentIllness,omitempty"`
	PastHistory          string `json:"pastHistory,omitempty"`
	Treatment            string `json:"treatment,omitempty"`
	Diagnosis            string `json:"diagnosis,omitempty"`
	InpatientNumber      string `json:"inpatientNumber,omitempty"`
	ExaminationResults   string `json:"examinationResults,omitempty"`
	NextPlan             string `json:"nextPlan,omitempty"`
	RehabilitationAdvice string `json:"rehabilitationAdvice,omitempty"`
}

type sealedConsent struct {
	GivenBy        string    `json:"givenBy,omitempty"`
	Relation       string    `json:"relation,omitempty"`
	Method         string    `json:"method,omitempty"`
	At             time.Time `json:"at,omitzero"`
	TextVersion    string    `json:"textVersion,omitempty"`
	DeferredReason string    `json:"deferredReason,omitempty"`
}

type sealedContent struct {
	Diagnoses       []sealedDiagnosis `json:"diagnoses"`
	Form            sealedForm        `json:"form,omitzero"`
	Consent         sealedConsent     `json:"consent,omitzero"`
	TransferNote    string            `json:"transferNote,omitempty"`
	OriginatorPhone string            `json:"originatorPhone,omitempty"`
}

func contentOf(s domain.Snapshot) sealedContent {
	c := sealedContent{
		Form: sealedForm(s.Form), Consent: sealedConsent(s.Consent), TransferNote: s.TransferNote, OriginatorPhone: s.OriginatorPhone,
		Diagnoses: make([]sealedDiagnosis, len(s.Diagnoses)),
	}
	for i, d := range s.Diagnoses {
		c.Diagnoses[i] = sealedDiagnosis(d)
	}
	return c
}

func (c sealedContent) into(s *domain.Snapshot) {
	s.Form, s.Consent = domain.Form(c.Form), domain.Consent(c.Consent)
	s.TransferNote, s.OriginatorPhone = c.TransferNote, c.OriginatorPhone
	for _, d := range c.Diagnoses {
		s.Diagnoses = append(s.Diagnoses, domain.Diagnosis(d))
	}
}

type sealedMedication struct {
	Name   string `json:"name,omitempty"`
	Dosage string `json:"dosage,omitempty"`
}

type sealedResult struct {
	Note        string             `json:"note,omitempty"`
	Ward        string             `json:"ward,omitempty"`
	Bed         string             `json:"bed,omitempty"`
	Diagnosis   string             `json:"diagnosis,omitempty"`
	Findings    string             `json:"findings,omitempty"`
	Treatment   string             `json:"treatment,omitempty"`
	NextSteps   string             `json:"nextSteps,omitempty"`
	Medications []sealedMedication `json:"medications,omitempty"`
}

func resultOf(s domain.Snapshot) sealedResult {
	r := sealedResult{
		Note: s.Note, Ward: s.Ward, Bed: s.Bed,
		Diagnosis: s.Reply.Diagnosis, Findings: s.Reply.Findings, Treatment: s.Reply.Treatment, NextSteps: s.Reply.NextSteps,
	}
	for _, m := range s.Reply.Medications {
		r.Medications = append(r.Medications, sealedMedication(m))
	}
	return r
}

func (r sealedResult) into(s *domain.Snapshot) {
	s.Note, s.Ward, s.Bed = r.Note, r.Ward, r.Bed
	s.Reply = domain.Reply{Diagnosis: r.Diagnosis, Findings: r.Findings, Treatment: r.Treatment, NextSteps: r.NextSteps}
	for _, m := range r.Medications {
		s.Reply.Medications = append(s.Reply.Medications, domain.Medication(m))
	}
}

// remark is what was said with a transition.
type remark struct {
	Note   string            `json:"note,omitempty"`
	Detail map[string]string `json:"detail,omitempty"`
}

func remarkOf(c domain.Change) remark { return remark{c.Note, c.Detail} }
