package shell

import (
	"slices"
	"strings"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// Medications are those of a record, each once: what a reply and a down-referral both hand back stands in the record twice, with and without its course
// ("每日一次", "每日一次，28 天"). Another dosage is another line, whichever is right.
func Medications(all []*patientrecordv1.Medication) []*patientrecordv1.Medication {
	same := func(a, b *patientrecordv1.Medication) bool {
		return a.GetText() == b.GetText() && a.GetStatus() == b.GetStatus()
	}
	var out []*patientrecordv1.Medication
	for i, one := range all {
		said := slices.ContainsFunc(all[:i], func(other *patientrecordv1.Medication) bool {
			return same(one, other) && one.GetDosage() == other.GetDosage()
		}) ||
			slices.ContainsFunc(all, func(other *patientrecordv1.Medication) bool {
				return same(one, other) && strings.HasPrefix(other.GetDosage(), one.GetDosage()+"，")
			})
		if !said {
			out = append(out, one)
		}
	}
	return out
}
