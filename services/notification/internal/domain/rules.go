// Package domain holds who is told of what, and the entry in a person's inbox.
//
// Owns: the rules, as one table; the life of an entry (open, then acknowledged, never back).
// Refuses: an entry without a fact, a person and a referral.
package domain

import "slices"

// Fact is what the rules look at: ids and codes only.
type Fact struct {
	ID, Event                  string
	ReferralID, ReferralNumber string
	Urgency, PreviousState     string
	ReasonCode                 string
	OriginatorAccountID        string
	OriginatorOrganizationID   string
	ReceiverOrganizationID     string
	ReceiverDepartmentCode     string
	ActorOrganizationID        string
}

// To says whom a rule means.
type To uint8

// The people a rule may mean.
const (
	ReceiverDesk       To = iota + 1 // the intake desk of the receiving organisation
	ReceiverDepartment               // specialists and head of the receiving department
	Originator                       // who wrote the referral, or the centre's doctors when that account is gone
)

// When narrows a rule.
type When uint8

// The conditions.
const (
	Always    When = iota
	Emergency      // the referral is an emergency
	Sent           // the referral was sent before: nobody has seen a draft
)

// Rule is one row of the table.
type Rule struct {
	Event string
	To    To
	When  When
}

// Rules is the table: which fact reaches whom. A fact that is not in it reaches nobody.
func Rules() []Rule {
	return []Rule{
		{"submitted", ReceiverDesk, Always},
		{"submitted", ReceiverDepartment, Emergency},
		{"resubmitted", ReceiverDesk, Always},
		{"redirected", ReceiverDesk, Always},
		{"redirected", Originator, Always},
		{"accepted", Originator, Always},
		{"rebooked", Originator, Always},
		{"returned", Originator, Always},
		{"declined", Originator, Always},
		{"arrived", Originator, Always},
		{"admitted", Originator, Always},
		{"no_show", Originator, Always},
		{"concluded", Originator, Always},
		{"cancelled", ReceiverDesk, Sent},
		{"acknowledged", ReceiverDesk, Always},
	}
}

// Events are the events that the table names, sorted.
func Events() []string {
	var events []string
	for _, r := range Rules() {
		events = append(events, r.Event)
	}
	slices.Sort(events)
	return slices.Compact(events)
}

// Recipient is whom to look for: the account, if it is set and works in the organisation; else everybody of the
// organisation, and of the department if it is set, who holds one of the roles.
type Recipient struct {
	AccountID                      string
	OrganizationID, DepartmentCode string
	Roles                          []string
}

// Recipients applies the table to a fact.
func Recipients(f Fact) []Recipient {
	var out []Recipient
	for _, r := range Rules() {
		if r.Event != f.Event || !r.When.holds(f) {
			continue
		}
		switch r.To {
		case ReceiverDesk:
			out = append(out, Recipient{OrganizationID: f.ReceiverOrganizationID, Roles: []string{"INTAKE_DESK"}})
		case ReceiverDepartment:
			// Without a department nobody but the desk knows whose patient it is.
			if f.ReceiverDepartmentCode != "" {
				out = append(out, Recipient{OrganizationID: f.ReceiverOrganizationID, DepartmentCode: f.ReceiverDepartmentCode,
					Roles: []string{"SPECIALIST", "DEPARTMENT_HEAD"}})
			}
		case Originator:
			out = append(out, Recipient{AccountID: f.OriginatorAccountID, OrganizationID: f.OriginatorOrganizationID,
				Roles: []string{"TOWNSHIP_DOCTOR"}})
		}
	}
	return out
}

func (w When) holds(f Fact) bool {
	switch w {
	case Emergency:
		return f.Urgency == "EMERGENCY"
	case Sent:
		return f.PreviousState != "DRAFT"
	default:
		return true
	}
}
