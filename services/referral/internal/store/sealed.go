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
	VillageClinicID      string `json:"villageClinicId,omitempty"`
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
	ExamItems       []sealedDiagnosis `json:"examItems,omitempty"`
	Modality        string            `json:"modality,omitempty"`
	Medicines       []sealedMedicine  `json:"medicines,omitempty"`
	Destination     string            `json:"destination,omitempty"`
	Values          []sealedValue     `json:"values,omitempty"`
}

type sealedValue struct {
	Name    string    `json:"name"`
	Number  *float64  `json:"number,omitempty"`
	Finding *bool     `json:"finding,omitempty"`
	Time    time.Time `json:"time,omitzero"`
}

type sealedMedicine struct {
	Name          string              `json:"name,omitempty"`
	Specification string              `json:"specification,omitempty"`
	Dosage        string              `json:"dosage,omitempty"`
	Days          int                 `json:"days,omitempty"`
	Availability  domain.Availability `json:"availability,omitempty"`
	Decision      string              `json:"decision,omitempty"`
	Substitute    string              `json:"substitute,omitempty"`
	DecisionNote  string              `json:"decisionNote,omitempty"`
}

func contentOf(s domain.Snapshot) sealedContent {
	c := sealedContent{
		Form: sealedForm(s.Form), Consent: sealedConsent(s.Consent), TransferNote: s.TransferNote, OriginatorPhone: s.OriginatorPhone,
		Diagnoses: make([]sealedDiagnosis, len(s.Diagnoses)), Destination: s.Destination, Modality: s.Modality,
	}
	for _, d := range s.ExamItems {
		c.ExamItems = append(c.ExamItems, sealedDiagnosis(d))
	}
	for _, v := range s.Values {
		c.Values = append(c.Values, sealedValue(v))
	}
	for _, m := range s.Medicines {
		c.Medicines = append(c.Medicines, sealedMedicine(m))
	}
	for i, d := range s.Diagnoses {
		c.Diagnoses[i] = sealedDiagnosis(d)
	}
	return c
}

func (c sealedContent) into(s *domain.Snapshot) {
	s.Form, s.Consent = domain.Form(c.Form), domain.Consent(c.Consent)
	s.TransferNote, s.OriginatorPhone, s.Destination, s.Modality = c.TransferNote, c.OriginatorPhone, c.Destination, c.Modality
	for _, d := range c.ExamItems {
		s.ExamItems = append(s.ExamItems, domain.Diagnosis(d))
	}
	for _, v := range c.Values {
		s.Values = append(s.Values, domain.ClinicalValue(v))
	}
	for _, m := range c.Medicines {
		s.Medicines = append(s.Medicines, domain.Medicine(m))
	}
	for _, d := range c.Diagnoses {
		s.Diagnoses = append(s.Diagnoses, domain.Diagnosis(d))
	}
}

type sealedMedication struct {
	Name   string `json:"name,omitempty"`
	Dosage string `json:"dosage,omitempty"`

	Specification string `json:"specification,omitempty"`
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
	Answer      string             `json:"answer,omitempty"`
	VerdictNote string             `json:"verdictNote,omitempty"`
	// Supplemented are names of fields.
	Supplemented []string `json:"supplemented,omitempty"`
}

func resultOf(s domain.Snapshot) sealedResult {
	r := sealedResult{
		Note: s.Note, Ward: s.Ward, Bed: s.Bed,
		Diagnosis: s.Reply.Diagnosis, Findings: s.Reply.Findings, Treatment: s.Reply.Treatment, NextSteps: s.Reply.NextSteps,
		Answer: s.Reply.Answer, VerdictNote: s.VerdictNote, Supplemented: s.Supplemented,
	}
	for _, m := range s.Reply.Medications {
		r.Medications = append(r.Medications, sealedMedication(m))
	}
	return r
}

func (r sealedResult) into(s *domain.Snapshot) {
	s.Note, s.Ward, s.Bed, s.VerdictNote, s.Supplemented = r.Note, r.Ward, r.Bed, r.VerdictNote, r.Supplemented
	s.Reply = domain.Reply{Diagnosis: r.Diagnosis, Findings: r.Findings, Treatment: r.Treatment, NextSteps: r.NextSteps, Answer: r.Answer}
	for _, m := range r.Medications {
		s.Reply.Medications = append(s.Reply.Medications, domain.Medication(m))
	}
}

// sealedPlan is the follow-up plan. Its visits are those of the domain, named for storage.
type sealedPlan struct {
	Template  string        `json:"template,omitempty"`
	Condition string        `json:"condition,omitempty"`
	Goal      string        `json:"goal,omitempty"`
	Visits    []sealedVisit `json:"visits,omitempty"`
}

type sealedVisit struct {
	Number   int            `json:"number"`
	Due      string         `json:"due,omitempty"`
	Mode     string         `json:"mode,omitempty"`
	Items    []string       `json:"items,omitempty"`
	Done     bool           `json:"done,omitempty"`
	DoneTime time.Time      `json:"doneTime,omitzero"`
	DoneBy   sealedActor    `json:"doneBy,omitzero"`
	Findings sealedFindings `json:"findings,omitzero"`
}

type sealedActor struct {
	AccountID      string `json:"accountId,omitempty"`
	Name           string `json:"name,omitempty"`
	OrganizationID string `json:"organizationId,omitempty"`
}

type sealedFindings struct {
	Result           string           `json:"result,omitempty"`
	Values           []sealedMeasured `json:"values,omitempty"`
	MedicationTaking string           `json:"medicationTaking,omitempty"`
	AdverseReaction  bool             `json:"adverseReaction,omitempty"`
	Note             string           `json:"note,omitempty"`
}

type sealedMeasured struct {
	Name   string  `json:"name"`
	Number float64 `json:"number"`
	Unit   string  `json:"unit,omitempty"`
}

func planOf(s domain.Snapshot) sealedPlan {
	p := sealedPlan{Template: s.Plan.Template, Condition: s.Plan.Condition, Goal: s.Plan.Goal}
	for _, v := range s.Plan.Visits {
		one := sealedVisit{
			Number: v.Number, Due: v.Due, Mode: v.Mode, Items: v.Items, Done: v.Done, DoneTime: v.DoneTime, DoneBy: sealedActor(v.DoneBy),
			Findings: sealedFindings{
				Result: v.Findings.Result, MedicationTaking: v.Findings.MedicationTaking, AdverseReaction: v.Findings.AdverseReaction,
				Note: v.Findings.Note,
			},
		}
		for _, m := range v.Findings.Values {
			one.Findings.Values = append(one.Findings.Values, sealedMeasured(m))
		}
		p.Visits = append(p.Visits, one)
	}
	return p
}

func (p sealedPlan) plan() domain.FollowUpPlan {
	out := domain.FollowUpPlan{Template: p.Template, Condition: p.Condition, Goal: p.Goal}
	for _, v := range p.Visits {
		one := domain.PlannedVisit{
			Number: v.Number, Due: v.Due, Mode: v.Mode, Items: v.Items, Done: v.Done, DoneTime: v.DoneTime, DoneBy: domain.Actor(v.DoneBy),
			Findings: domain.Findings{
				Result: v.Findings.Result, MedicationTaking: v.Findings.MedicationTaking, AdverseReaction: v.Findings.AdverseReaction,
				Note: v.Findings.Note,
			},
		}
		for _, m := range v.Findings.Values {
			one.Findings.Values = append(one.Findings.Values, domain.Measured(m))
		}
		out.Visits = append(out.Visits, one)
	}
	return out
}

// remark is what was said with a transition.
type remark struct {
	Note   string            `json:"note,omitempty"`
	Detail map[string]string `json:"detail,omitempty"`
}

func remarkOf(c domain.Change) remark { return remark{c.Note, c.Detail} }
