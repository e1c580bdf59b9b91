package clinical

import (
	"net/http"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// row is a version of an entry as it is shown.
type row struct {
	*patientrecordv1.RecordEntry
	// Name is what it is called, Words what it says besides a value.
	Name, Words string
	// Observation has the value; nil for everything else.
	Observation *patientrecordv1.Observation
	End         *timestamppb.Timestamp
	// Where it was written.
	Where string
	// Changes after the first version.
	Changes                        int32
	Gone, Past, Amend, Right, Loud bool
}

func (p *Pages) rows(r *http.Request, entries []*patientrecordv1.RecordEntry) []row {
	county, err := p.Shell.Names().County(r.Context())
	language := p.Shell.Language(r)
	var out []row
	for _, e := range entries {
		one := row{
			RecordEntry: e, Changes: e.GetVersion() - 1, Gone: e.GetStatus() == "entered-in-error",
			Amend: slices.Contains(e.GetActions(), "AMEND"), Right: slices.Contains(e.GetActions(), "CORRECT"),
			Past: slices.Contains([]string{"resolved", "inactive", "remission", "stopped", "completed", "not-done"}, e.GetStatus()) && e.GetKind() != "PROCEDURE" && e.GetKind() != "IMMUNIZATION",
		}
		one.words(e.GetContent())
		if err == nil {
			one.Where = county.OrganizationName(language, e.GetOrganizationId())
		}
		out = append(out, one)
	}
	return out
}

// words fills what is shown of a content.
func (o *row) words(c *patientrecordv1.ClinicalEntry) {
	switch e := c.GetResource().(type) {
	case *patientrecordv1.ClinicalEntry_Problem:
		o.Name, o.Words, o.End = named(e.Problem.GetText(), e.Problem.GetCodes()), icd(e.Problem.GetCodes()), e.Problem.GetAbatementTime()
	case *patientrecordv1.ClinicalEntry_Allergy:
		o.Name = named(e.Allergy.GetText(), e.Allergy.GetCodes())
		o.Loud = !o.Gone && !shell.NoKnownAllergy(e.Allergy)
	case *patientrecordv1.ClinicalEntry_Medication:
		o.Name, o.Words = named(e.Medication.GetText(), e.Medication.GetCodes()), e.Medication.GetDosage()
	case *patientrecordv1.ClinicalEntry_Observation:
		o.Name, o.Observation = named(e.Observation.GetText(), e.Observation.GetCodes()), e.Observation
	case *patientrecordv1.ClinicalEntry_Procedure:
		o.Name = named(e.Procedure.GetText(), e.Procedure.GetCodes())
	case *patientrecordv1.ClinicalEntry_Immunization:
		o.Name = named(e.Immunization.GetText(), e.Immunization.GetCodes())
	case *patientrecordv1.ClinicalEntry_Encounter:
		o.Name, o.Words, o.End = e.Encounter.GetText(), e.Encounter.GetReason(), e.Encounter.GetEndTime()
	case *patientrecordv1.ClinicalEntry_DiagnosticReport:
		o.Name, o.Words = named(e.DiagnosticReport.GetText(), e.DiagnosticReport.GetCodes()), strings.TrimSpace(e.DiagnosticReport.GetFindings()+"\n"+e.DiagnosticReport.GetConclusion())
	case *patientrecordv1.ClinicalEntry_Note:
		o.Name, o.Words = e.Note.GetTitle(), e.Note.GetText()
	}
}

func named(text string, codes []*commonv1.Coding) string {
	if text == "" && len(codes) > 0 {
		return codes[0].GetDisplay()
	}
	return text
}

// icd is the code of an illness as a doctor reads it.
func icd(codes []*commonv1.Coding) string {
	for _, c := range codes {
		if c.GetSystem() == icd10 {
			return c.GetCode()
		}
	}
	return ""
}
