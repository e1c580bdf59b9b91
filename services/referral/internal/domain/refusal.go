package domain

import "fmt"

// Why says which check refused, in the order in which they are made.
type Why int

// The checks: version, state, content.
const (
	NoVersion Why = iota + 1
	Stale
	NotAvailable
	Content
)

// Field names one thing to correct, by its path in the request (lowerCamel), and the stable reason.
type Field struct {
	Name   string
	Reason string
	// Low and High, in Unit (UCUM), are the range of a number that is out of it; both 0 where no range is told.
	Low, High float64
	Unit      string
}

// Refusal is the domain's no. It carries codes and field names only, never what was typed.
type Refusal struct {
	Why     Why
	Action  Action
	State   State
	Version int32
	Fields  []Field
}

func (r *Refusal) Error() string {
	switch r.Why {
	case NoVersion:
		return "the version that was seen is required"
	case Stale:
		return fmt.Sprintf("the referral is at version %d", r.Version)
	case NotAvailable:
		return fmt.Sprintf("%s is not available in %s", r.Action, r.State)
	case Content:
	}
	return fmt.Sprintf("%s: %d fields to correct, first %s", r.Action, len(r.Fields), r.Fields[0].Name)
}

func required(name string) Field    { return Field{Name: name, Reason: "FIELD_REQUIRED"} }
func invalid(name string) Field     { return Field{Name: name, Reason: "FIELD_INVALID"} }
func unknown(name string) Field     { return Field{Name: name, Reason: "FIELD_UNKNOWN"} }
func outOfRange(name string) Field  { return Field{Name: name, Reason: "FIELD_OUT_OF_RANGE"} }
func combination(name string) Field { return Field{Name: name, Reason: "FIELD_COMBINATION"} }
