package domain

import "strings"

// Reasons of a Problem; the names are those of the contract's ErrorReason.
const (
	ReasonRequired        = "FIELD_REQUIRED"
	ReasonInvalid         = "FIELD_INVALID"
	ReasonTooLong         = "FIELD_TOO_LONG"
	ReasonOutOfRange      = "FIELD_OUT_OF_RANGE"
	ReasonUnknown         = "FIELD_UNKNOWN"
	ReasonIdentityNumber  = "FIELD_IDENTITY_NUMBER"
	ReasonCombination     = "FIELD_COMBINATION"
	ReasonRecognisable    = "FIELD_RECOGNISABLE"
	ReasonNotRecognisable = "FIELD_NOT_RECOGNISABLE"
)

// Problem is one thing wrong with what was given: which input and why, never its value.
type Problem struct {
	// Field is the input's JSON name, e.g. "identityNumber".
	Field  string
	Reason string
	// Cause tells cases of one reason apart (see identity.go); with ReasonCombination the other field. May be empty.
	Cause string
}

// Problems is all that is wrong at once, in the order of the form.
type Problems []Problem

// Error names fields and reasons only.
func (p Problems) Error() string {
	parts := make([]string, len(p))
	for i, one := range p {
		parts[i] = one.Field + " " + one.Reason
	}
	return strings.Join(parts, ", ")
}

func (p *Problems) add(field, reason, cause string) {
	*p = append(*p, Problem{Field: field, Reason: reason, Cause: cause})
}
