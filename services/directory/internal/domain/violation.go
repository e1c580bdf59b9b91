// Package domain holds the rules of who and where: organisations with their departments, medicines and capabilities,
// accounts with their roles, sessions, and the lock that wrong passwords close. It owns what may exist; it refuses I/O, time, randomness and
// wire formats, which are given. Values are immutable: what changes answers a new one.
package domain

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Reasons of a Violation; the words are those of the contract.
const (
	ReasonRequired    = "FIELD_REQUIRED"
	ReasonInvalid     = "FIELD_INVALID"
	ReasonTooLong     = "FIELD_TOO_LONG"
	ReasonOutOfRange  = "FIELD_OUT_OF_RANGE"
	ReasonUnknown     = "FIELD_UNKNOWN"
	ReasonCombination = "FIELD_COMBINATION"
)

// Violation is one field that breaks a rule. Field is the JSON name within the value, e.g. "roles".
type Violation struct {
	Field  string
	Reason string
	Max    int // with ReasonTooLong
}

// Violations is the error of every constructor: all that is wrong, in the order of the fields.
type Violations []Violation

// Error names fields and reasons, never a value.
func (v Violations) Error() string {
	parts := make([]string, len(v))
	for i, one := range v {
		parts[i] = one.Field + " " + one.Reason
	}
	return strings.Join(parts, ", ")
}

// Within names the fields as parts of path, e.g. "organizations[3].organization"; "" leaves them as they are.
func (v Violations) Within(path string) Violations {
	out := make(Violations, len(v))
	for i, one := range v {
		one.Field = strings.TrimPrefix(path+"."+one.Field, ".")
		out[i] = one
	}
	return out
}

func (v Violations) err() error {
	if len(v) == 0 {
		return nil
	}
	return v
}

func (v *Violations) add(field, reason string) {
	*v = append(*v, Violation{Field: field, Reason: reason})
}

// text checks a line of text for people: length in characters, no control characters.
func (v *Violations) text(field, value string, required bool, limit int) {
	switch {
	case value == "" && required:
		v.add(field, ReasonRequired)
	case utf8.RuneCountInString(value) > limit:
		*v = append(*v, Violation{Field: field, Reason: ReasonTooLong, Max: limit})
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		v.add(field, ReasonInvalid)
	}
}

func at(list string, i int, field string) string {
	return list + "[" + strconv.Itoa(i) + "]." + field
}

func digits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}

// ValidCounty tells whether s is a county code: six digits (GB/T 2260).
func ValidCounty(s string) bool { return len(s) == 6 && digits(s) }
