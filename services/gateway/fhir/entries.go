package fhir

import (
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

func about(subject reference, entry *patientrecordv1.ClinicalEntry) *clinical {
	return &clinical{subject: subject, subjectField: "subject", entry: entry}
}

func conditionEntry(r condition, d *dates) *clinical {
	return about(r.Subject, &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Problem{
		Problem: &patientrecordv1.Problem{
			Codes: codings(r.Code), Text: r.Code.words(), ClinicalStatus: status(r.ClinicalStatus, r.VerificationStatus),
			OnsetTime:     d.at("onsetDateTime", r.OnsetDateTime, "onsetPeriod.start", r.OnsetPeriod.Start),
			AbatementTime: d.at("abatementDateTime", r.AbatementDateTime, "abatementPeriod.end", r.AbatementPeriod.End),
			RecordedTime:  d.at("recordedDate", r.RecordedDate),
		},
	}})
}

func allergyEntry(r allergyIntolerance, d *dates) *clinical {
	c := about(r.Patient, &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Allergy{
		Allergy: &patientrecordv1.Allergy{
			Codes: codings(r.Code), Text: r.Code.words(), ClinicalStatus: status(r.ClinicalStatus, r.VerificationStatus),
			Categories: r.Category, Criticality: r.Criticality,
			RecordedTime: d.at("recordedDate", r.RecordedDate, "onsetDateTime", r.OnsetDateTime),
		},
	}})
	c.subjectField = "patient"
	return c
}

func medicationEntry(r medicationRequest, d *dates) *clinical {
	concept, elsewhere := r.Concept, ""
	if name, inside := strings.CutPrefix(r.Reference.Reference, "#"); inside {
		for _, one := range r.Contained {
			if one.ID == name {
				concept = one.Code
			}
		}
	} else if name != "" {
		elsewhere = name
	}
	text := concept.words()
	if text == "" {
		text = r.Reference.Display
	}
	var how []string
	for _, one := range r.DosageInstruction {
		words := strings.TrimSpace(one.Text)
		if words == "" && one.AsNeededBoolean {
			words = "as needed"
		}
		how = append(how, nonEmpty(words)...)
	}
	c := about(r.Subject, &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Medication{
		Medication: &patientrecordv1.Medication{
			Codes: codings(concept), Text: text, Status: r.Status, AuthoredTime: d.at("authoredOn", r.AuthoredOn), Dosage: strings.Join(how, "; "),
		},
	}})
	c.medicine = elsewhere
	return c
}

func observationEntry(r observation, d *dates) *clinical {
	out := &patientrecordv1.Observation{
		Codes: codings(r.Code), Text: r.Code.words(), Category: firstOf(r.Category).code(), Status: r.Status,
		EffectiveTime: d.at("effectiveDateTime", r.EffectiveDateTime, "effectiveInstant", r.EffectiveInstant,
			"effectivePeriod.start", r.EffectivePeriod.Start, "issued", r.Issued),
		Quantity: r.quantity(), ValueText: r.text(), Interpretation: firstOf(r.Interpretation).code(),
		Method: r.Method.words(),
	}
	if len(r.ReferenceRange) > 0 {
		out.ReferenceRange = r.ReferenceRange[0].words()
	}
	for _, c := range r.Component {
		part := &patientrecordv1.ObservationComponent{Quantity: c.quantity(), ValueText: c.text()}
		if len(c.Code.Coding) > 0 {
			part.Code = codings(c.Code)[0]
		} else {
			part.Code = &commonv1.Coding{Display: c.Code.Text}
		}
		out.Components = append(out.Components, part)
	}
	c := about(r.Subject, &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Observation{Observation: out}})
	c.performers = performersOf(r.Performer, r.Contained)
	return c
}

func procedureEntry(r procedure, d *dates) *clinical {
	return about(r.Subject, &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Procedure{
		Procedure: &patientrecordv1.Procedure{
			Codes: codings(r.Code), Text: r.Code.words(), Status: r.Status,
			PerformedTime: d.at("performedDateTime", r.PerformedDateTime, "performedPeriod.start", r.PerformedPeriod.Start),
		},
	}})
}

func immunizationEntry(r immunization, d *dates) *clinical {
	c := about(r.Patient, &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Immunization{
		Immunization: &patientrecordv1.Immunization{
			Codes: codings(r.VaccineCode), Text: r.VaccineCode.words(), Status: r.Status,
			OccurrenceTime: d.at("occurrenceDateTime", r.OccurrenceDateTime),
		},
	}})
	c.subjectField = "patient"
	return c
}

func reportEntry(r diagnosticReport, d *dates) *clinical {
	out := &patientrecordv1.DiagnosticReport{
		Codes: codings(r.Code), Text: r.Code.words(), Category: firstOf(r.Category).code(), Status: r.Status, Conclusion: r.Conclusion,
		EffectiveTime: d.at("effectiveDateTime", r.EffectiveDateTime, "effectivePeriod.start", r.EffectivePeriod.Start, "issued", r.Issued),
	}
	for _, one := range r.Result {
		out.ResultIdentities = append(out.ResultIdentities, one.Reference)
		out.ResultNames = append(out.ResultNames, one.Display)
	}
	c := about(r.Subject, &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_DiagnosticReport{DiagnosticReport: out}})
	c.performers = performersOf(r.Performer, r.Contained)
	return c
}
