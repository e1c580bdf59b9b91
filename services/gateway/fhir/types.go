package fhir

import (
	"encoding/json"
	"math"
	"strings"
)

// The thin structs: of each resource what we keep, in the names of FHIR R4, for reading and for writing. What is empty is not written.

type coding struct {
	System  string `json:"system,omitzero"`
	Code    string `json:"code,omitzero"`
	Display string `json:"display,omitzero"`
}

type codeableConcept struct {
	Coding []coding `json:"coding,omitzero"`
	Text   string   `json:"text,omitzero"`
}

// words of a concept: its text, else the first display, else the first code.
func (c codeableConcept) words() string {
	if c.Text != "" {
		return c.Text
	}
	for _, one := range c.Coding {
		if one.Display != "" {
			return one.Display
		}
	}
	return c.code()
}

// code is the first code.
func (c codeableConcept) code() string {
	for _, one := range c.Coding {
		if one.Code != "" {
			return one.Code
		}
	}
	return ""
}

// has tells whether any coding has the code.
func (c codeableConcept) has(code string) bool {
	for _, one := range c.Coding {
		if one.Code == code {
			return true
		}
	}
	return false
}

func firstOf(list []codeableConcept) codeableConcept {
	if len(list) == 0 {
		return codeableConcept{}
	}
	return list[0]
}

type identifier struct {
	Use    string          `json:"use,omitzero"`
	Type   codeableConcept `json:"type,omitzero"`
	System string          `json:"system,omitzero"`
	Value  string          `json:"value,omitzero"`
}

type reference struct {
	Reference  string     `json:"reference,omitzero"`
	Type       string     `json:"type,omitzero"`
	Display    string     `json:"display,omitzero"`
	Identifier identifier `json:"identifier,omitzero"`
}

type period struct {
	Start string `json:"start,omitzero"`
	End   string `json:"end,omitzero"`
}

type quantity struct {
	Value  *float64 `json:"value,omitzero"`
	Unit   string   `json:"unit,omitzero"`
	System string   `json:"system,omitzero"`
	Code   string   `json:"code,omitzero"`
}

// unit is the UCUM code, else what is printed.
func (q quantity) unit() string {
	if q.Code != "" {
		return q.Code
	}
	return q.Unit
}

type humanName struct {
	Use    string   `json:"use,omitzero"`
	Text   string   `json:"text,omitzero"`
	Family string   `json:"family,omitzero"`
	Given  []string `json:"given,omitzero"`
}

type contactPoint struct {
	System string `json:"system,omitzero"`
	Value  string `json:"value,omitzero"`
	Use    string `json:"use,omitzero"`
}

type address struct {
	Text     string   `json:"text,omitzero"`
	Line     []string `json:"line,omitzero"`
	City     string   `json:"city,omitzero"`
	District string   `json:"district,omitzero"`
	State    string   `json:"state,omitzero"`
}

// head is what every resource has.
type head struct {
	ResourceType string `json:"resourceType,omitzero"`
	ID           string `json:"id,omitzero"`
}

type patientResource struct {
	Identifier []identifier   `json:"identifier,omitzero"`
	Name       []humanName    `json:"name,omitzero"`
	Telecom    []contactPoint `json:"telecom,omitzero"`
	Gender     string         `json:"gender,omitzero"`
	BirthDate  string         `json:"birthDate,omitzero"`
	Address    []address      `json:"address,omitzero"`
	Contact    []contact      `json:"contact,omitzero"`
}

type contact struct {
	Relationship []codeableConcept `json:"relationship,omitzero"`
	Name         humanName         `json:"name,omitzero"`
	Telecom      []contactPoint    `json:"telecom,omitzero"`
}

type condition struct {
	ClinicalStatus     codeableConcept `json:"clinicalStatus,omitzero"`
	VerificationStatus codeableConcept `json:"verificationStatus,omitzero"`
	Code               codeableConcept `json:"code,omitzero"`
	Subject            reference       `json:"subject,omitzero"`
	OnsetDateTime      string          `json:"onsetDateTime,omitzero"`
	OnsetPeriod        period          `json:"onsetPeriod,omitzero"`
	AbatementDateTime  string          `json:"abatementDateTime,omitzero"`
	AbatementPeriod    period          `json:"abatementPeriod,omitzero"`
	RecordedDate       string          `json:"recordedDate,omitzero"`
}

// value is value[x] of an observation or a component.
type value struct {
	Quantity         *quantity        `json:"valueQuantity,omitzero"`
	CodeableConcept  *codeableConcept `json:"valueCodeableConcept,omitzero"`
	String           *string          `json:"valueString,omitzero"`
	Integer          *int64           `json:"valueInteger,omitzero"`
	Boolean          *bool            `json:"valueBoolean,omitzero"`
	DataAbsentReason *codeableConcept `json:"dataAbsentReason,omitzero"`
}

type component struct {
	Code codeableConcept `json:"code,omitzero"`
	value
}

type referenceRange struct {
	Low  *quantity `json:"low,omitzero"`
	High *quantity `json:"high,omitzero"`
	Text string    `json:"text,omitzero"`
}

type observation struct {
	Status            string            `json:"status,omitzero"`
	Category          []codeableConcept `json:"category,omitzero"`
	Code              codeableConcept   `json:"code,omitzero"`
	Subject           reference         `json:"subject,omitzero"`
	EffectiveDateTime string            `json:"effectiveDateTime,omitzero"`
	EffectivePeriod   period            `json:"effectivePeriod,omitzero"`
	EffectiveInstant  string            `json:"effectiveInstant,omitzero"`
	Issued            string            `json:"issued,omitzero"`
	Interpretation    []codeableConcept `json:"interpretation,omitzero"`
	ReferenceRange    []referenceRange  `json:"referenceRange,omitzero"`
	Method            codeableConcept   `json:"method,omitzero"`
	Component         []component       `json:"component,omitzero"`
	Performer         []reference       `json:"performer,omitzero"`
	Contained         []json.RawMessage `json:"contained,omitzero"`
	value
}

type dosage struct {
	Text            string `json:"text,omitzero"`
	AsNeededBoolean bool   `json:"asNeededBoolean,omitzero"`
}

type contained struct {
	ResourceType string          `json:"resourceType,omitzero"`
	ID           string          `json:"id,omitzero"`
	Code         codeableConcept `json:"code,omitzero"`
}

type medicationRequest struct {
	Status            string          `json:"status,omitzero"`
	Intent            string          `json:"intent,omitzero"`
	Concept           codeableConcept `json:"medicationCodeableConcept,omitzero"`
	Reference         reference       `json:"medicationReference,omitzero"`
	Contained         []contained     `json:"contained,omitzero"`
	Subject           reference       `json:"subject,omitzero"`
	AuthoredOn        string          `json:"authoredOn,omitzero"`
	DosageInstruction []dosage        `json:"dosageInstruction,omitzero"`
}

// coded is all that is read of a resource for the sake of those that refer to it.
type coded struct {
	Code codeableConcept `json:"code,omitzero"`
}

type allergyIntolerance struct {
	ClinicalStatus     codeableConcept `json:"clinicalStatus,omitzero"`
	VerificationStatus codeableConcept `json:"verificationStatus,omitzero"`
	Category           []string        `json:"category,omitzero"`
	Criticality        string          `json:"criticality,omitzero"`
	Code               codeableConcept `json:"code,omitzero"`
	Patient            reference       `json:"patient,omitzero"`
	RecordedDate       string          `json:"recordedDate,omitzero"`
	OnsetDateTime      string          `json:"onsetDateTime,omitzero"`
}

type procedure struct {
	Status            string          `json:"status,omitzero"`
	Code              codeableConcept `json:"code,omitzero"`
	Subject           reference       `json:"subject,omitzero"`
	PerformedDateTime string          `json:"performedDateTime,omitzero"`
	PerformedPeriod   period          `json:"performedPeriod,omitzero"`
}

type immunization struct {
	Status             string          `json:"status,omitzero"`
	VaccineCode        codeableConcept `json:"vaccineCode,omitzero"`
	Patient            reference       `json:"patient,omitzero"`
	OccurrenceDateTime string          `json:"occurrenceDateTime,omitzero"`
	OccurrenceString   string          `json:"occurrenceString,omitzero"`
}

type encounter struct {
	Status          string               `json:"status,omitzero"`
	Class           coding               `json:"class,omitzero"`
	Type            []codeableConcept    `json:"type,omitzero"`
	ServiceType     codeableConcept      `json:"serviceType,omitzero"`
	Subject         reference            `json:"subject,omitzero"`
	Period          period               `json:"period,omitzero"`
	ReasonCode      []codeableConcept    `json:"reasonCode,omitzero"`
	Diagnosis       []encounterDiagnosis `json:"diagnosis,omitzero"`
	Hospitalization hospitalization      `json:"hospitalization,omitzero"`
	ServiceProvider provider             `json:"serviceProvider,omitzero"`
}

type encounterDiagnosis struct {
	Condition reference `json:"condition,omitzero"`
	Rank      int       `json:"rank,omitzero"`
}

// rank is from 1; a diagnosis without one comes last.
func (d encounterDiagnosis) rank() int {
	if d.Rank <= 0 {
		return math.MaxInt32
	}
	return d.Rank
}

type hospitalization struct {
	DischargeDisposition codeableConcept `json:"dischargeDisposition,omitzero"`
}

type provider struct {
	Identifier identifier `json:"identifier,omitzero"`
	Display    string     `json:"display,omitzero"`
}

type diagnosticReport struct {
	Status            string            `json:"status,omitzero"`
	Category          []codeableConcept `json:"category,omitzero"`
	Code              codeableConcept   `json:"code,omitzero"`
	Subject           reference         `json:"subject,omitzero"`
	EffectiveDateTime string            `json:"effectiveDateTime,omitzero"`
	EffectivePeriod   period            `json:"effectivePeriod,omitzero"`
	Issued            string            `json:"issued,omitzero"`
	Conclusion        string            `json:"conclusion,omitzero"`
	Result            []reference       `json:"result,omitzero"`
	Performer         []reference       `json:"performer,omitzero"`
	Contained         []json.RawMessage `json:"contained,omitzero"`
}

func nonEmpty(parts ...string) []string {
	var out []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}
