package fhir

import (
	"regexp"
	"slices"
	"strings"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// visit is what of an encounter is found out when the whole bundle was read.
type visit struct {
	// provider is the identifier of the service provider, if it has one.
	provider string
	// diagnoses are references to conditions, by rank.
	diagnoses []string
}

func encounterEntry(r encounter, d *dates) *clinical {
	c := about(r.Subject, &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Encounter{
		Encounter: &patientrecordv1.Encounter{
			ClassCode: r.Class.Code, Text: firstOf(r.Type).words(), Status: r.Status,
			StartTime: d.at("period.start", r.Period.Start), EndTime: d.at("period.end", r.Period.End),
			Reason: firstOf(r.ReasonCode).words(), DepartmentCode: departmentCode(r.ServiceType),
			DiagnosisCodes: icd10(nil, r.ReasonCode...), DischargeWay: dischargeWay(r.Hospitalization.DischargeDisposition),
		},
	}})
	slices.SortStableFunc(r.Diagnosis, func(a, b encounterDiagnosis) int { return a.rank() - b.rank() })
	c.visit = &visit{provider: r.ServiceProvider.Identifier.Value}
	for _, one := range r.Diagnosis {
		c.visit.diagnoses = append(c.visit.diagnoses, one.Condition.Reference)
	}
	return c
}

// attend completes an encounter: its diagnoses come before its reasons. A provider with an identifier that is none of the county is
// elsewhere; one without, or with none that we know to read, is whoever the import is for.
func (p *parser) attend(e *patientrecordv1.Encounter, v *visit) {
	var codes []string
	for _, name := range v.diagnoses {
		if code, known := lookUp(p.conditions, name); known {
			codes = icd10(codes, code)
		}
	}
	for _, code := range e.GetDiagnosisCodes() {
		if !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	e.DiagnosisCodes = codes
	e.OrganizationId = p.opt.Organization
	if v.provider != "" {
		e.OrganizationId = p.opt.Organizations[v.provider]
	}
}

// chinese is the arc under which WS/T 500 and its kin number their code tables.
const chinese = "urn:oid:2.16.156."

// national tells whether a coding may be of a national table: those have no canonical URI, so it names its OID or nothing.
func national(c coding) bool { return c.System == "" || strings.HasPrefix(c.System, chinese) }

var departmentPattern = regexp.MustCompile(`^[0-9]{2}(\.?[0-9]{2}){0,2}$`)

// departmentCode is the national code (医疗机构诊疗科目名录) without dots; a hospital's own code is not guessed at.
func departmentCode(c codeableConcept) string {
	for _, one := range c.Coding {
		if national(one) && departmentPattern.MatchString(one.Code) {
			return strings.ReplaceAll(one.Code, ".", "")
		}
	}
	return ""
}

// icd10 adds the ICD-10 codes of the concepts that are not there yet.
func icd10(to []string, concepts ...codeableConcept) []string {
	for _, concept := range concepts {
		for _, c := range concept.Coding {
			if c.Code != "" && isICD10(c.System) && !slices.Contains(to, c.Code) {
				to = append(to, c.Code)
			}
		}
	}
	return to
}

// isICD10 knows the names of ICD-10 and its national editions: the plain one that the contracts use, FHIR's
// (terminology of R4, "Using ICD-10 with FHIR"), HL7's OID, and that of WS/T 500.
func isICD10(system string) bool {
	switch system {
	case "ICD-10", "urn:oid:2.16.840.1.113883.6.3", "urn:oid:2.16.156.10011.2.3.3.11":
		return true
	}
	return strings.HasPrefix(system, "http://hl7.org/fhir/sid/icd-10")
}

// dischargeWay is the 离院方式 of the front page of the medical record (住院病案首页, 卫医政发〔2011〕84号, RC019): 1 home by the doctor's
// order, 2 to another hospital, 3 to a primary institution, 4 against advice, 5 dead, 9 other. The national code goes before FHIR's, which
// cannot say 3. Empty if there is neither.
func dischargeWay(c codeableConcept) string {
	for _, one := range c.Coding {
		if national(one) && slices.Contains([]string{"1", "2", "3", "4", "5", "9"}, one.Code) {
			return one.Code
		}
	}
	for _, one := range c.Coding {
		if way, known := dispositions()[one.Code]; known && one.System == dispositionSystem {
			return way
		}
	}
	return ""
}

// dispositionSystem is the code system of the value set "Discharge disposition" of FHIR R4.
const dispositionSystem = "http://terminology.hl7.org/CodeSystem/discharge-disposition"

// dispositions are its codes (hl7.org/fhir/R4/valueset-encounter-discharge-disposition.html) as 离院方式. A facility of any kind is a
// transfer; a hospice may be at home, so it is neither.
func dispositions() map[string]string {
	return map[string]string{
		"home": "1", "alt-home": "1", "other-hcf": "2", "long": "2", "psy": "2", "rehab": "2", "snf": "2",
		"aadvice": "4", "exp": "5", "hosp": "9", "oth": "9",
	}
}
