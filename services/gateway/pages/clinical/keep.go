package clinical

import (
	"google.golang.org/protobuf/proto"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// keep takes over what the forms do not show: codes of what is still called the same, and what a feed or another hospital told.
func keep(to, from *patientrecordv1.ClinicalEntry) {
	if o, was := to.GetObservation(), from.GetObservation(); o != nil {
		keepObservation(o, was)
	}
	if p, was := to.GetProblem(), from.GetProblem(); p != nil {
		p.RecordedTime = was.GetRecordedTime()
		if len(p.GetCodes()) == 0 && p.GetText() == was.GetText() && !icdCoded(was) { // a diagnosis stands on the form, and was taken away there
			p.Codes = was.GetCodes()
		}
	}
	if a, was := to.GetAllergy(), from.GetAllergy(); a != nil && len(a.GetCodes()) == 0 && a.GetText() == was.GetText() {
		a.Codes = was.GetCodes()
	}
	if m, was := to.GetMedication(), from.GetMedication(); m != nil && m.GetText() == was.GetText() {
		m.Codes = was.GetCodes()
	}
	if p, was := to.GetProcedure(), from.GetProcedure(); p != nil && p.GetText() == was.GetText() {
		p.Codes = was.GetCodes()
	}
	if i, was := to.GetImmunization(), from.GetImmunization(); i != nil && i.GetText() == was.GetText() {
		i.Codes = was.GetCodes()
	}
	if e, was := to.GetEncounter(), from.GetEncounter(); e != nil {
		e.OrganizationId, e.DepartmentCode, e.DiagnosisCodes, e.DischargeWay = was.GetOrganizationId(), was.GetDepartmentCode(), was.GetDiagnosisCodes(), was.GetDischargeWay()
	}
	if d, was := to.GetDiagnosticReport(), from.GetDiagnosticReport(); d != nil {
		d.Codes, d.ResultIdentities, d.ResultNames = was.GetCodes(), was.GetResultIdentities(), was.GetResultNames()
		d.Findings, d.PerformerId, d.PerformerName = was.GetFindings(), was.GetPerformerId(), was.GetPerformerName()
	}
}

// keepObservation keeps of a measurement who made it and how, and as long as it is of the same thing the range; the judgement holds for the value alone.
func keepObservation(o, was *patientrecordv1.Observation) {
	o.Method, o.PerformerId, o.PerformerName = was.GetMethod(), was.GetPerformerId(), was.GetPerformerName()
	if o.GetText() != was.GetText() {
		return
	}
	if o.ReferenceRange = was.GetReferenceRange(); len(o.GetCodes()) == 0 {
		o.Codes, o.Category = was.GetCodes(), was.GetCategory()
	}
	if proto.Equal(o.GetQuantity(), was.GetQuantity()) && o.GetValueText() == was.GetValueText() {
		o.Interpretation = was.GetInterpretation()
	}
}

func icdCoded(p *patientrecordv1.Problem) bool {
	for _, c := range p.GetCodes() {
		if c.GetSystem() == icd10 {
			return true
		}
	}
	return false
}
