package domain

import (
	"slices"
	"time"
)

// Forms that are printed blank.
const (
	FormOut       = "OUT"
	FormBack      = "BACK"
	FormEmergency = "EMERGENCY"
)

const (
	// BlankMost is how many forms a batch has at most.
	BlankMost = 50
	// BlankDays is for how many days after printing a form may be written on: a quarter, so that no pile outlives the people who know of it.
	BlankDays = 90
	// BlankLate is for how many days after it was written on a form can be entered.
	BlankLate = 30
)

// Blank is a form that was printed with a number allotted to an organisation.
type Blank struct {
	Number         Number
	BatchID, Form  string
	OrganizationID string
	PrintedBy      Actor
	PrintTime      time.Time
	ValidUntil     time.Time
	// ReferralID is the referral that was entered under the number.
	ReferralID           string
	VoidReason, VoidNote string
	VoidTime             time.Time
}

// BlankUntil is until when a form that is printed at an instant may be written on: to the last second of the day that stands on it.
func (c Calendar) BlankUntil(printed time.Time) time.Time {
	return c.endOfDay(printed.AddDate(0, 0, BlankDays)).Add(-time.Second)
}

// Outstanding: neither entered nor taken back.
func (b Blank) Outstanding() bool { return b.ReferralID == "" && b.VoidTime.IsZero() }

// CheckAllotment finds what is wrong with a batch that is asked for.
func CheckAllotment(form string, count int) []Field {
	var bad []Field
	switch {
	case form == "":
		bad = append(bad, required("form"))
	case !slices.Contains([]string{FormOut, FormBack, FormEmergency}, form):
		bad = append(bad, invalid("form"))
	}
	if count < 1 || count > BlankMost {
		bad = append(bad, outOfRange("count"))
	}
	return bad
}

// CheckVoid finds what is wrong with a reason to take a form back.
func CheckVoid(reason, note string) []Field {
	switch {
	case reason == "":
		return []Field{required("reasonCode")}
	case !slices.Contains([]string{"LOST", "SPOILED", "EXPIRED", reasonOther}, reason):
		return []Field{invalid("reasonCode")}
	case reason == reasonOther && note == "":
		return []Field{required("note")}
	}
	return nil
}

// reasonOther needs a note.
const reasonOther = "OTHER"

// CheckEntry finds what is wrong with entering, at an instant, what was written on the form at another. The number is told apart from its owner's
// others only to its owner.
func (b Blank) CheckEntry(organization string, d Direction, k Kind, written, at time.Time) []Field {
	if b.Number == "" || b.OrganizationID != organization {
		return []Field{unknown("blankNumber")}
	}
	var bad []Field
	if !b.Outstanding() || (b.Form == FormBack) != (d == Down) || (b.Form == FormEmergency) != (k == KindEmergency) {
		bad = append(bad, combination("blankNumber"))
	}
	// The clock on the wall of a centre may be a little ahead.
	const ahead = 5 * time.Minute
	if written.After(at.Add(ahead)) || written.Before(b.PrintTime.Add(-ahead)) || written.After(b.ValidUntil) || written.Before(at.AddDate(0, 0, -BlankLate)) {
		bad = append(bad, outOfRange("writtenTime"))
	}
	return bad
}
