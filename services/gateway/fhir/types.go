package fhir

import (
	"math"
	"strings"
)

// The thin structs: of each resource what we keep, in the names of FHIR R4.

type coding struct {
	System  string `json:"system"`
	Code    string `json:"code"`
	Display string `json:"display"`
}

type codeableConcept struct {
	Coding []coding `json:"coding"`
	Text   string   `json:"text"`
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
	Use    string          `json:"use"`
	Type   codeableConcept `json:"type"`
	System string          `json:"system"`
	Value  string          `json:"value"`
}

type reference struct {
	Reference  string     `json:"reference"`
	Display    string     `json:"display"`
	Identifier identifier `json:"identifier"`
}

type period struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

type quantity struct {
	Value *float64 `json:"value"`
	Unit  string   `json:"unit"`
	Code  string   `json:"code"`
}

// unit is the UCUM code, else what is printed.
func (q quantity) unit() string {
	if q.Code != "" {
		return q.Code
	}
	return q.Unit
}

type humanName struct {
	Use    string   `json:"use"`
	Text   string   `json:"text"`
	Family string   `json:"family"`
	Given  []string `json:"given"`
}

type contactPoint struct {
	System string `json:"system"`
	Value  string `json:"value"`
	Use    string `json:"use"`
}

type address struct {
	Text     string   `json:"text"`
	Line     []string `json:"line"`
	City     string   `json:"city"`
	District string   `json:"district"`
	State    string   `json:"state"`
}

// head is what every resource has.
type head struct {
	ResourceType string `json:"resourceType"`
	ID           string `json:"id"`
}

type patientResource struct {
	Identifier []identifier   `json:"identifier"`
	Name       []humanName    `json:"name"`
	Telecom    []contactPoint `json:"telecom"`
	Gender     string         `json:"gender"`
	BirthDate  string         `json:"birthDate"`
	Address    []address      `json:"address"`
}

type condition struct {
	ClinicalStatus     codeableConcept `json:"clinicalStatus"`
	VerificationStatus codeableConcept `json:"verificationStatus"`
	Code               codeableConcept `json:"code"`
	Subject            reference       `json:"subject"`
	OnsetDateTime      string          `json:"onsetDateTime"`
	OnsetPeriod        period          `json:"onsetPeriod"`
	AbatementDateTime  string          `json:"abatementDateTime"`
	AbatementPeriod    period          `json:"abatementPeriod"`
	RecordedDate       string          `json:"recordedDate"`
}

// value is value[x] of an observation or a component.
type value struct {
	Quantity         *quantity        `json:"valueQuantity"`
	CodeableConcept  *codeableConcept `json:"valueCodeableConcept"`
	String           *string          `json:"valueString"`
	Integer          *int64           `json:"valueInteger"`
	Boolean          *bool            `json:"valueBoolean"`
	DataAbsentReason *codeableConcept `json:"dataAbsentReason"`
}

type component struct {
	Code codeableConcept `json:"code"`
	value
}

type referenceRange struct {
	Low  *quantity `json:"low"`
	High *quantity `json:"high"`
	Text string    `json:"text"`
}

type observation struct {
	Status            string            `json:"status"`
	Category          []codeableConcept `json:"category"`
	Code              codeableConcept   `json:"code"`
	Subject           reference         `json:"subject"`
	EffectiveDateTime string            `json:"effectiveDateTime"`
	EffectivePeriod   period            `json:"effectivePeriod"`
	EffectiveInstant  string            `json:"effectiveInstant"`
	Issued            string            `json:"issued"`
	Interpretation    []codeableConcept `json:"interpretation"`
	ReferenceRange    []referenceRange  `json:"referenceRange"`
	Component         []component       `json:"component"`
	value
}

type dosage struct {
	Text            string `json:"text"`
	AsNeededBoolean bool   `json:"asNeededBoolean"`
}

type contained struct {
	ResourceType string          `json:"resourceType"`
	ID           string          `json:"id"`
	Code         codeableConcept `json:"code"`
}

type medicationRequest struct {
	Status            string          `json:"status"`
	Concept           codeableConcept `json:"medicationCodeableConcept"`
	Reference         reference       `json:"medicationReference"`
	Contained         []contained     `json:"contained"`
	Subject           reference       `json:"subject"`
	AuthoredOn        string          `json:"authoredOn"`
	DosageInstruction []dosage        `json:"dosageInstruction"`
}

// coded is all that is read of a resource for the sake of those that refer to it.
type coded struct {
	Code codeableConcept `json:"code"`
}

type allergyIntolerance struct {
	ClinicalStatus     codeableConcept `json:"clinicalStatus"`
	VerificationStatus codeableConcept `json:"verificationStatus"`
	Category           []string        `json:"category"`
	Criticality        string          `json:"criticality"`
	Code               codeableConcept `json:"code"`
	Patient            reference       `json:"patient"`
	RecordedDate       string          `json:"recordedDate"`
	OnsetDateTime      string          `json:"onsetDateTime"`
}

type procedure struct {
	Status            string          `json:"status"`
	Code              codeableConcept `json:"code"`
	Subject           reference       `json:"subject"`
	PerformedDateTime string          `json:"performedDateTime"`
	PerformedPeriod   period          `json:"performedPeriod"`
}

type immunization struct {
	Status             string          `json:"status"`
	VaccineCode        codeableConcept `json:"vaccineCode"`
	Patient            reference       `json:"patient"`
	OccurrenceDateTime string          `json:"occurrenceDateTime"`
}

type encounter struct {
	Status          string               `json:"status"`
	Class           coding               `json:"class"`
	Type            []codeableConcept    `json:"type"`
	ServiceType     codeableConcept      `json:"serviceType"`
	Subject         reference            `json:"subject"`
	Period          period               `json:"period"`
	ReasonCode      []codeableConcept    `json:"reasonCode"`
	Diagnosis       []encounterDiagnosis `json:"diagnosis"`
	Hospitalization hospitalization      `json:"hospitalization"`
	ServiceProvider provider             `json:"serviceProvider"`
}

type encounterDiagnosis struct {
	Condition reference `json:"condition"`
	Rank      int       `json:"rank"`
}

// rank is from 1; a diagnosis without one comes last.
func (d encounterDiagnosis) rank() int {
	if d.Rank <= 0 {
		return math.MaxInt32
	}
	return d.Rank
}

type hospitalization struct {
	DischargeDisposition codeableConcept `json:"dischargeDisposition"`
}

type provider struct {
	Identifier identifier `json:"identifier"`
}

type diagnosticReport struct {
	Status            string            `json:"status"`
	Category          []codeableConcept `json:"category"`
	Code              codeableConcept   `json:"code"`
	Subject           reference         `json:"subject"`
	EffectiveDateTime string            `json:"effectiveDateTime"`
	EffectivePeriod   period            `json:"effectivePeriod"`
	Issued            string            `json:"issued"`
	Conclusion        string            `json:"conclusion"`
	Result            []reference       `json:"result"`
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
