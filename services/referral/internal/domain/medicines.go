package domain

import (
	"fmt"
	"regexp"
	"slices"
)

// Medicine is one that a patient goes down with. It never prints.
type Medicine struct {
	// Name is the generic one (通用名).
	Name, Specification, Dosage string
	// Days is how long it is to be taken; 0 is not said.
	Days int
	// Availability at the receiving centre when the referral was sent; Decision is what is done where it lacks the medicine.
	Availability                       Availability
	Decision, Substitute, DecisionNote string
}

// Format keeps clinical text out of whatever prints a medicine.
func (Medicine) Format(f fmt.State, _ rune) { hide(f) }

// Availability is what a centre can do about a medicine.
type Availability string

// The availabilities. NotKnown: the centre's list is not known, which asks for no decision.
const (
	InStock        Availability = "IN_STOCK"
	Unconfirmed    Availability = "UNCONFIRMED"
	HasSubstitute  Availability = "SUBSTITUTE"
	Orderable      Availability = "ORDERABLE"
	MedicineMissed Availability = "MISSING"
	NotKnown       Availability = "UNKNOWN"
)

// MedicineDecisions are what may be decided about a medicine that the centre lacks (domain.md 7.5).
func MedicineDecisions() []string {
	return []string{"SUBSTITUTED", "CENTRAL_ORDER", "COUNTY_DISPENSES", "PATIENT_BUYS", "STOPPED", "OTHER"}
}

// checkMedicines refuses what cannot be in a draft.
func checkMedicines(s *Snapshot) []Field {
	var bad []Field
	if s.Direction != Down && len(s.Medicines) > 0 {
		return []Field{combination("medicines")}
	}
	for i, m := range s.Medicines {
		if m.Name == "" {
			bad = append(bad, required(fmt.Sprintf("medicines[%d].name", i)))
		}
		if m.Days < 0 {
			bad = append(bad, outOfRange(fmt.Sprintf("medicines[%d].days", i)))
		}
		if m.Decision != "" && !slices.Contains(MedicineDecisions(), m.Decision) {
			bad = append(bad, unknown(fmt.Sprintf("medicines[%d].decision", i)))
		}
	}
	return bad
}

// strengthUnit and strengthPack are what a specification is counted in: 毫克, and what a box holds.
const (
	strengthUnit = `(?:mg|g|μg|µg|ug|ml|iu|u|毫克|克|微克|毫升|单位|万单位)`
	strengthPack = `(?:片|粒|丸|支|袋|瓶|盒|板|包|枚|贴|喷|揿|吸|s|t)`
)

// strength is a specification that stands alone: 100mg, 90mg×14, 0.1g×7片/盒, 100ml:0.9g. What goes on in any other way, 5mg/次 or 10mg*3/日, says
// how often.
var strength = regexp.MustCompile(`(?i)^[\d.]+ *` + strengthUnit +
	`(?: *[×x*:/：] *(?:[\d.]+ *(?:` + strengthUnit + `|` + strengthPack + `)?|` + strengthPack + `))*$`)

// saysHow tells that a text says how a medicine is taken; a strength alone does not.
func saysHow(dosage string) bool { return dosage != "" && !strength.MatchString(dosage) }

// checkDecisions asks, before a patient is sent down, for a decision about every medicine that the centre lacks, and for the name of the
// list, or a decision, where the list may call the medicine otherwise. How each is taken (用法用量) must be said, be it in words that leave
// it to the centre's doctor: a name alone is dispensed by guess. What is stopped is not taken.
func checkDecisions(medicines []Medicine) []Field {
	var bad []Field
	for i, m := range medicines {
		name := func(part string) string { return fmt.Sprintf("medicines[%d].%s", i, part) }
		if m.Name != "" && !saysHow(m.Dosage) && m.Decision != "STOPPED" {
			bad = append(bad, required(name("dosage")))
		}
		switch {
		case m.Availability == MedicineMissed && m.Decision == "":
			bad = append(bad, required(name("decision")))
		case m.Availability == Unconfirmed && m.Decision == "":
			bad = append(bad, unknown(name("name")))
		case m.Decision == "SUBSTITUTED" && m.Substitute == "":
			bad = append(bad, required(name("substitute")))
		case m.Decision == "OTHER" && m.DecisionNote == "":
			bad = append(bad, required(name("decisionNote")))
		}
	}
	return bad
}

// Long prescriptions (长期处方管理规范（试行）2021): normally up to 4 weeks, for stable patients up to 12; above 4 the doctor assesses
// strictly, notes it and has the patient sign.
const (
	LongPrescriptionDays    = 28
	LongestPrescriptionDays = 84
)

// LongPrescription names what of the rules on long prescriptions concerns so many days of a medicine of a restricted class ("" for
// none): OVER_4_WEEKS, OVER_12_WEEKS, EXCLUDED_CLASS.
func LongPrescription(days int, restrictedClass string) []string {
	var out []string
	switch {
	case days > LongestPrescriptionDays:
		out = append(out, "OVER_12_WEEKS")
	case days > LongPrescriptionDays:
		out = append(out, "OVER_4_WEEKS")
	}
	// A restricted medicine is prescribed for days, not for weeks.
	const short = 7
	if restrictedClass != "" && days > short {
		out = append(out, "EXCLUDED_CLASS")
	}
	return out
}
