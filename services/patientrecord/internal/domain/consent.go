package domain

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// ConsentScope is what somebody agrees to.
type ConsentScope string

// Scopes. Each is agreed to apart (个人信息保护法 art. 29): the record goes with a referral to its receiver; an organisation is shown what is
// sensitive; messages go to a telephone.
const (
	ConsentReferral  ConsentScope = "REFERRAL"
	ConsentSensitive ConsentScope = "SENSITIVE"
	// ConsentSMS: the patient, or who agrees for the patient, is told by SMS where to go and when.
	ConsentSMS ConsentScope = "SMS"
)

// ConsentState is where a consent stands.
type ConsentState string

// States of a consent.
const (
	ConsentDeferred  ConsentState = "DEFERRED"
	ConsentGiven     ConsentState = "GIVEN"
	ConsentWithdrawn ConsentState = "WITHDRAWN"
	ConsentExpired   ConsentState = "EXPIRED"
)

// ConsentText is the version of the text that is shown today.
const ConsentText = "2026-1"

// DeferredWithin is how long a consent that an emergency puts off may take.
const DeferredWithin = 24 * time.Hour

// Self is the GB/T relation of a patient to the patient.
const Self = "0"

// Why somebody of 14 or more does not agree in person.
const (
	OnBehalfMinor      = "MINOR"
	OnBehalfUnable     = "UNABLE"
	OnBehalfAuthorised = "AUTHORISED"
)

// MinorAge: a younger patient has a guardian who may agree.
const MinorAge = 18

// CauseChild tells that the patient is under 14, so that a guardian has to do it.
const CauseChild = "CHILD"

const (
	maxPerson        = 60
	maxConsentReason = 500
)

// Recorder is who writes something down, and when.
type Recorder struct {
	Account, AccountName, Organization string
	At                                 time.Time
}

// Giving is who agreed, and how. OnBehalf and Phone are of somebody who is not the patient.
type Giving struct {
	Name, Relation, OnBehalf, Phone string
	Method, Witness                 string
	At                              time.Time
	TextVersion                     string
	// Until is zero without a limit.
	Until time.Time
	// AttachmentID is the signed sheet; may be empty.
	AttachmentID string
	By           Recorder
}

// Withdrawal is who took a consent back, and why.
type Withdrawal struct {
	Name, Relation, Reason string
	By                     Recorder
}

// Consent is what somebody agreed to, once: it is put off, given and withdrawn at most once each. Exactly one of Deferred and Giving may be
// missing; Withdrawal ends it.
type Consent struct {
	ID        string
	Version   int32
	PatientID string
	Scope     ConsentScope
	// ReferralID of scope REFERRAL; Ordinal counts the referral's consents from 1: after a withdrawal there may be another.
	ReferralID string
	Ordinal    int
	// Receiver is the organisation that it covers.
	Receiver string
	// Recorded is who wrote it down first. For a referral's that is the sender.
	Recorded Recorder
	// DeferredReason is why it comes later, Due is when; kept after it came.
	DeferredReason string
	Due            time.Time
	Giving         *Giving
	Withdrawal     *Withdrawal
}

// Format prints the id in every verb.
func (c Consent) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "consent %s", c.ID) }

// Format prints no name in any verb.
func (Giving) Format(f fmt.State, _ rune) { fmt.Fprint(f, "giving") }

// Format prints no name in any verb.
func (Withdrawal) Format(f fmt.State, _ rune) { fmt.Fprint(f, "withdrawal") }

// State at a moment.
func (c Consent) State(at time.Time) ConsentState {
	switch {
	case c.Withdrawal != nil:
		return ConsentWithdrawn
	case c.Giving == nil:
		return ConsentDeferred
	case !c.Giving.Until.IsZero() && !at.Before(c.Giving.Until):
		return ConsentExpired
	}
	return ConsentGiven
}

// Overdue reports whether it should be there by now.
func (c Consent) Overdue(at time.Time) bool {
	return c.State(at) == ConsentDeferred && at.After(c.Due)
}

// Covers reports whether nothing more need be asked: it is given, or promised.
func (c Consent) Covers(at time.Time) bool {
	s := c.State(at)
	return s == ConsentGiven || s == ConsentDeferred
}

// KnownRelation reports whether it is a code of the short table of GB/T 4761.
func KnownRelation(code string) bool { return len(code) == 1 && code[0] >= '0' && code[0] <= '9' }

// complete fills in what follows from the rest.
func (g Giving) complete(by Recorder) Giving {
	g.Name, g.Witness, g.By = strings.TrimSpace(g.Name), strings.TrimSpace(g.Witness), by
	if g.At.IsZero() {
		g.At = by.At
	}
	if g.TextVersion == "" {
		g.TextVersion = ConsentText
	}
	return g
}

// Check tells what is wrong with a giving as it was typed, for this patient on the county's day.
func (g *Giving) Check(p Patient, today Date, now time.Time) Problems {
	var ps Problems
	person(&ps, "giving.name", g.Name, true)
	checkPhone(&ps, "giving.phone", &g.Phone)
	switch {
	case g.Relation == "":
		ps.add("giving.relation", ReasonRequired, "")
	case !KnownRelation(g.Relation):
		ps.add("giving.relation", ReasonUnknown, "")
	case g.Relation != Self:
		if g.Phone == "" {
			ps.add("giving.phone", ReasonRequired, "")
		}
		g.onBehalf(&ps, p, today)
	case p.IsChild(today):
		ps.add("giving.relation", ReasonInvalid, CauseChild)
	default:
		g.OnBehalf = ""
	}
	switch g.Method {
	case "SIGNED", "ELECTRONIC":
		g.Witness = ""
	case "VERBAL_WITNESSED":
		person(&ps, "giving.witness", g.Witness, true)
	case "":
		ps.add("giving.method", ReasonRequired, "")
	default:
		ps.add("giving.method", ReasonUnknown, "")
	}
	if g.At.After(now) {
		ps.add("giving.time", ReasonOutOfRange, "")
	}
	if at := g.At; !g.Until.IsZero() && (!g.Until.After(at) || !g.Until.After(now)) {
		ps.add("giving.until", ReasonOutOfRange, "")
	}
	return ps
}

// onBehalf: somebody agrees for the patient. Under 14 that is the rule; later it needs a reason.
func (g *Giving) onBehalf(ps *Problems, p Patient, today Date) {
	switch {
	case p.IsChild(today):
		g.OnBehalf = OnBehalfMinor
	case g.OnBehalf == "":
		ps.add("giving.onBehalf", ReasonRequired, "")
	case g.OnBehalf == OnBehalfMinor && !p.IsMinor(today):
		ps.add("giving.onBehalf", ReasonInvalid, "")
	case g.OnBehalf != OnBehalfMinor && g.OnBehalf != OnBehalfUnable && g.OnBehalf != OnBehalfAuthorised:
		ps.add("giving.onBehalf", ReasonUnknown, "")
	}
}

// IsMinor on the given local day. An unknown birth date is nobody's youth.
func (p Patient) IsMinor(today Date) bool {
	birth := p.demographics.d.BirthDate
	return !birth.IsZero() && birth.AgeOn(today) < MinorAge
}

func person(ps *Problems, field, name string, required bool) {
	switch n := utf8.RuneCountInString(strings.TrimSpace(name)); {
	case n == 0 && required:
		ps.add(field, ReasonRequired, "")
	case n > maxPerson:
		ps.add(field, ReasonTooLong, "")
	}
}

// CheckReason tells what is wrong with why a consent comes later.
func CheckReason(field, reason string) Problems {
	var ps Problems
	switch n := utf8.RuneCountInString(strings.TrimSpace(reason)); {
	case n == 0:
		ps.add(field, ReasonRequired, "")
	case n > maxConsentReason:
		ps.add(field, ReasonTooLong, "")
	}
	return ps
}

// Check tells what is wrong with a withdrawal as it was typed. A child's is a guardian's.
func (w Withdrawal) Check(p Patient, today Date) Problems {
	ps := CheckReason("withdrawal.reason", w.Reason)
	switch {
	case w.Relation == "":
		ps.add("withdrawal.relation", ReasonRequired, "")
	case !KnownRelation(w.Relation):
		ps.add("withdrawal.relation", ReasonUnknown, "")
	case w.Relation == Self && p.IsChild(today):
		ps.add("withdrawal.relation", ReasonInvalid, CauseChild)
	}
	person(&ps, "withdrawal.name", w.Name, w.Relation != Self)
	return ps
}

// Defer is a new consent that comes later: c says what is covered.
func (c Consent) Defer(reason string, due time.Time, by Recorder) Consent {
	c.Version, c.Recorded, c.DeferredReason, c.Due = 1, by, strings.TrimSpace(reason), due
	return c
}

// Give is the consent with who agreed: a new one, or one that was put off. What was given or withdrawn stays as it is.
func (c Consent) Give(g Giving, by Recorder) Consent {
	if c.Giving != nil || c.Withdrawal != nil {
		return c
	}
	if c.Version == 0 {
		c.Recorded = by
	}
	c.Version++
	c.Giving = new(g.complete(by))
	return c
}

// Withdraw ends the consent; one that was ended stays as it is.
func (c Consent) Withdraw(w Withdrawal, by Recorder) Consent {
	if c.Withdrawal != nil {
		return c
	}
	c.Version++
	w.Name, w.Reason, w.By = strings.TrimSpace(w.Name), strings.TrimSpace(w.Reason), by
	c.Withdrawal = &w
	return c
}

// Withheld: with this as a referral's last consent, nothing more of the record goes to its receiver.
func (c Consent) Withheld() bool { return c.Scope == ConsentReferral && c.Withdrawal != nil }

// SameGiving reports whether what a referral says now is what was taken from it before.
func (c Consent) SameGiving(g Giving) bool {
	old := c.Giving
	return old != nil && old.Name == g.Name && old.Relation == g.Relation && old.Method == g.Method && old.At.Equal(g.At)
}
