package domain

import (
	"slices"
	"unicode/utf8"
)

// Equipment is a device for examinations.
type Equipment struct {
	ID                              string
	Version                         int32
	OrganizationID, DepartmentCode  string
	Modality, Name, Location        string
	Preparation, PreparationEnglish string // what the patient must do before
	InService                       bool
}

// Modalities are those of DICOM where there is one, else the product's own.
func Modalities() []string {
	return []string{"CT", "MR", "US", "DX", "MG", "NM", "ES", "ECG", "LAB", "PF", "OTHER"}
}

// Faults are the fields that a device may not have so.
func (e Equipment) Faults() []Fault {
	bad := missing("id", e.ID, "organization_id", e.OrganizationID, "department_code", e.DepartmentCode, "name", e.Name)
	if !slices.Contains(Modalities(), e.Modality) {
		bad = append(bad, Fault{"modality", FaultUnknown})
	}
	for _, f := range []struct {
		name, value string
		most        int
	}{{"name", e.Name, 60}, {"location", e.Location, 100}, {"preparation", e.Preparation, 500}, {"preparation_english", e.PreparationEnglish, 500}} {
		if utf8.RuneCountInString(f.value) > f.most {
			bad = append(bad, Fault{f.name, FaultLong})
		}
	}
	return bad
}
