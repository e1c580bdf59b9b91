package shell

import patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"

// NoKnownAllergy tells "asked, and none known", which is said calmly, from an allergy.
func NoKnownAllergy(a *patientrecordv1.Allergy) bool {
	for _, c := range a.GetCodes() {
		if c.GetSystem() == "http://snomed.info/sct" && c.GetCode() == "716186003" {
			return true
		}
	}
	return false
}

// allergic are the allergies of a summary without "none known"; what is left of a list that says only that is empty.
func allergic(list []*patientrecordv1.Allergy) []*patientrecordv1.Allergy {
	out := make([]*patientrecordv1.Allergy, 0, len(list))
	for _, a := range list {
		if !NoKnownAllergy(a) {
			out = append(out, a)
		}
	}
	return out
}
