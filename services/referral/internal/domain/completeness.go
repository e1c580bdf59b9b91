package domain

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// CompleteFrom is the score from which on a hand-over counts as complete. Suggested here; no source gives a number.
const CompleteFrom = 80

// CompletenessItem is one piece of information that a hand-over (转诊信息交接) should carry, and how it is judged.
type CompletenessItem struct {
	// Code is its name for ever.
	Code         string
	Name, NameEn string
	Weight       int
	// Directions, Kinds and Urgencies say when it applies; an empty list is always.
	Directions []Direction
	Kinds      []Kind
	Urgencies  []Urgency
	// Field is the path of the form's field where it is mended.
	Field string
	// Filled are paths of which one is to hold at least Length characters (1 if not given).
	Filled []string
	Length int
	// Mentions are words of which one in any of the paths Within is enough.
	Mentions []string
	Within   []string
	// Record is what, in the patient's record, is enough: one of [RecordParts].
	Record            string
	Judged, JudgedEn  string
	Source, Certainty string
}

// The parts of a record that completeness may be judged by.
const (
	RecordMedicines = "MEDICINES"
	RecordAllergies = "ALLERGIES"
	RecordProblems  = "PROBLEMS"
	RecordResults   = "RESULTS_90_DAYS"
)

// RecordParts lists them.
func RecordParts() []string {
	return []string{RecordMedicines, RecordAllergies, RecordProblems, RecordResults}
}

// RecordFacts are what the patient's record holds; Read is false when it could not be read.
type RecordFacts struct {
	Read bool
	Has  []string
}

// ItemStatus is how an item was found.
type ItemStatus string

// The statuses. Unknown: only the record could tell, and it could not be read; it does not count.
const (
	ItemPresent ItemStatus = "PRESENT"
	ItemMissing ItemStatus = "MISSING"
	ItemUnknown ItemStatus = "UNKNOWN"
)

// Completeness is how complete a hand-over is. The zero value was not judged.
type Completeness struct {
	Judged bool
	// Score is from 0 to 100.
	Score int
	// Statuses of the items that apply, by code.
	Statuses map[string]ItemStatus
}

// Complete tells whether it counts as complete.
func (c Completeness) Complete() bool { return c.Judged && c.Score >= CompleteFrom }

// Missing are the codes of what is not there, in order of the alphabet.
func (c Completeness) Missing() []string {
	var out []string
	for code, status := range c.Statuses {
		if status == ItemMissing {
			out = append(out, code)
		}
	}
	slices.Sort(out)
	return out
}

// JudgeCompleteness holds a referral against the items: the share of the weights that apply and can be told, in whole percent rounded
// down, so that only what is whole is 100. Nothing that applies is not judged.
func JudgeCompleteness(items []CompletenessItem, s Snapshot, record RecordFacts) Completeness {
	out := Completeness{Statuses: map[string]ItemStatus{}}
	possible, there := 0, 0
	for _, item := range items {
		if !item.applies(s) {
			continue
		}
		status := item.judge(s, record)
		out.Statuses[item.Code] = status
		if status == ItemUnknown {
			continue
		}
		possible += item.Weight
		if status == ItemPresent {
			there += item.Weight
		}
	}
	if possible == 0 {
		return Completeness{}
	}
	out.Judged, out.Score = true, there*100/possible
	return out
}

func (i CompletenessItem) applies(s Snapshot) bool {
	return (len(i.Directions) == 0 || slices.Contains(i.Directions, s.Direction)) &&
		(len(i.Kinds) == 0 || slices.Contains(i.Kinds, s.Kind)) &&
		(len(i.Urgencies) == 0 || slices.Contains(i.Urgencies, s.Urgency))
}

func (i CompletenessItem) judge(s Snapshot, record RecordFacts) ItemStatus {
	for _, path := range i.Filled {
		text, _ := HandoverText(s, path)
		if utf8.RuneCountInString(strings.TrimSpace(text)) >= max(i.Length, 1) {
			return ItemPresent
		}
	}
	for _, path := range i.Within {
		text, _ := HandoverText(s, path)
		if slices.ContainsFunc(i.Mentions, func(word string) bool { return strings.Contains(text, word) }) {
			return ItemPresent
		}
	}
	switch {
	case i.Record == "" || record.Read && !slices.Contains(record.Has, i.Record):
		return ItemMissing
	case !record.Read:
		return ItemUnknown
	}
	return ItemPresent
}

// HandoverText is the text at a path of a referral, in the names of the contract's messages; false for a path that has none.
func HandoverText(s Snapshot, path string) (string, bool) {
	if name, ok := strings.CutPrefix(path, "form."); ok {
		text, ok := s.Form.field(name)
		if !ok {
			return "", false
		}
		return *text, true
	}
	switch path {
	case "diagnoses":
		return words(s.Diagnoses), true
	case "exam_items":
		return words(s.ExamItems), true
	case "consent":
		return s.Consent.GivenBy, true
	case "transfer_note":
		return s.TransferNote, true
	case "transport":
		return s.Transport, true
	case "originator_phone":
		return s.OriginatorPhone, true
	case "medicines":
		return medicineText(s.Medicines, func(m Medicine) string { return m.Name }), true
	case "medicines.dosage":
		return medicineText(s.Medicines, func(m Medicine) string { return m.Dosage }), true
	case "plan":
		if len(s.Plan.Visits) > 0 {
			return s.Plan.Visits[0].Due, true
		}
		return "", true
	}
	return "", false
}

// medicineText is empty unless every medicine has the part.
func medicineText(medicines []Medicine, part func(Medicine) string) string {
	var all []string
	for _, m := range medicines {
		if part(m) == "" {
			return ""
		}
		all = append(all, part(m))
	}
	return strings.Join(all, " ")
}
