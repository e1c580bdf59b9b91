package domain

import "fmt"

// RelativeKind is how another patient is related.
type RelativeKind string

// Kinds of relatives.
const (
	IsMother RelativeKind = "MOTHER"
	IsChild  RelativeKind = "CHILD"
)

// Motherhood says whose child a patient is.
type Motherhood struct{ ChildID, MotherID string }

// Relative is another patient and how they are related.
type Relative struct {
	Patient
	Kind RelativeKind
}

// Format prints the patient's id in every verb.
func (r Relative) Format(f fmt.State, verb rune) { r.Patient.Format(f, verb) }

// CauseMother tells a mother who is not found from other refusals.
const CauseMother = "MOTHER"

// youngestMother is the age below which nobody is taken for a mother (SUGGESTED: far below any real one).
const youngestMother = 10

// CheckMother is what speaks against a patient as the mother of a child, on a local day: that the child is not new, that she is a man, or a child
// herself.
func CheckMother(child Details, mother Patient, today Date) Problems {
	var ps Problems
	m := mother.Demographics().Details()
	switch {
	case child.BirthDate.IsZero() || child.BirthDate.AgeOn(today) > 0:
		ps.add("motherIdentityNumber", ReasonCombination, "birthDate")
	case m.Sex == Male, !m.BirthDate.IsZero() && m.BirthDate.AgeOn(child.BirthDate) < youngestMother:
		ps.add("motherIdentityNumber", ReasonCombination, CauseMother)
	}
	return ps
}
