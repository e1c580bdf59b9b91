package criteria

import "time"

// The directions that have rules.
const (
	Up   = "UP"
	Down = "DOWN"
)

// The urgencies, most urgent first.
const (
	Emergency = "EMERGENCY"
	Urgent    = "URGENT"
	Routine   = "ROUTINE"
)

// What a rule says of a patient.
const (
	Met    = "MET"
	NotMet = "NOT_MET"
	// Unknown: what is missing decides.
	Unknown = "UNKNOWN"
)

// How sure a rule is (see the package's invariants 4 and 5).
const (
	Found       = "FOUND"
	FoundMirror = "FOUND_MIRROR" // on a mirror or a sharing site: the fact, not the wording
	OwnHigh     = "OWN_HIGH"
	OwnMedium   = "OWN_MEDIUM"
	OwnLow      = "OWN_LOW"
	Suggested   = "SUGGESTED" // a default of this product
)

// The types of a value.
const (
	Number  = "NUMBER"
	Finding = "FINDING" // yes or no, judged by the doctor
)

// Input is what is known of a patient.
type Input struct {
	Direction string   // Up or Down; for anything else there are no rules
	Diagnoses []string // ICD-10, a category or longer
	Age       int      // full years; negative: unknown
	Values    []Value
}

// Value is one measurement or finding. Of several with one name the latest counts; names that no rule knows are passed over.
type Value struct {
	Name    string
	Number  float64   // of a NUMBER, in the unit of its definition
	Finding bool      // of a FINDING; a finding that nobody asked for is left out, not false
	Time    time.Time // when it was measured; zero: now
	Source  string    // where it comes from, for whoever shows it
}

// Result is what one rule says of a patient.
type Result struct {
	Rule
	Status  string    // Met, NotMet, Unknown
	Missing []Missing // what would decide it; only with Unknown
	Used    []Used    // the values that the rule names and that are known
}

// Missing is a value that a rule needs and does not have, or cannot use.
type Missing struct {
	Name, Label, LabelEn string
	// TooOld: there is one, of Time, past the age at which it counts. Implausible: there is one, of Time, outside what a patient can have.
	TooOld, Implausible bool
	Time                time.Time
}

// Used is a value that went into a result.
type Used struct {
	ValueDefinition
	Number  float64
	Finding bool
	Time    time.Time // zero: given with the question
	Source  string
}

// Rule is one criterion.
type Rule struct {
	Code      string
	Condition string // code of its condition
	Direction string
	Urgency   string
	When      string   // the expression (CEL) over named values
	Values    []string // the values that it names, in its order
	Text      string   // for the doctor
	TextEn    string
	Source    string // the document
	SourceURL string // where it was read; empty if nowhere
	Certainty string
	Note      string // how the source was read where it leaves a choice; empty if it leaves none
	Version   string
	Effective string // 2026-11-01
	Approver  string // empty: to be reviewed by the county's clinicians
	County    bool   // from the county's own folder
}

// Condition is a disease or situation that has rules.
type Condition struct {
	Code, Name, NameEn string
	// Always: its rules are for every patient, whatever the diagnosis.
	Always bool
	// Categories are the ICD-10 categories that are the condition, "I10" or "I10-I15"; Suspected are further ones at which its rules are
	// looked at as well, such as chest pain for coronary heart disease.
	Categories, Suspected []string
	// Acute are those of the categories that are an emergency while the attack is fresh: a default of this product, at which the doctor is asked.
	Acute                        []string
	Department                   string // code of the department that usually receives (诊疗科目); empty: any
	Version, Effective, Approver string
	Handover                     []Handover
}

// Handover is something that a down-referral of the condition must tell the next doctor.
type Handover struct {
	Code, Text, TextEn, Certainty string
}

// ValueDefinition is a clinical value that rules may name.
type ValueDefinition struct {
	Name, Label, LabelEn string
	Type                 string        // Number or Finding
	Unit                 string        // UCUM, of a Number; "1" for a plain count
	Display              string        // the unit as it is shown
	MaxAge               time.Duration // older ones do not count; 0: no limit
	Min, Max             float64       // what a patient can have; a Number outside does not count
	Codes                []string      // LOINC and local codes under which a system sends it
}

// Stay is the usual length of a stay in a county ward; longer, and the patient may be ready to go down.
type Stay struct {
	Code, Text, TextEn string
	Days               int
	Source, SourceURL  string
	Certainty, Note    string
}
