package domain

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// KindNote is a text that somebody wrote into the record.
const KindNote EntryKind = "NOTE"

// OwnSystem is the source of what people write here; an entry is its own identity in it.
const OwnSystem = "tongzhen"

// ReplySystem is the source of what comes back with a referral.
const ReplySystem = "referral reply"

// ReplyIdentity names in it the medicine at a place, from 1, of what came back with a referral.
func ReplyIdentity(referral string, place int) string { return referral + "/" + strconv.Itoa(place) }

// FeedSystem begins the source of a hospital's messages; the organisation follows.
const FeedSystem = "hl7:"

// ReservedSystem tells a source that this system writes under itself: whoever else named it would write over what is kept there.
func ReservedSystem(name string) bool {
	return name == OwnSystem || name == ReplySystem || strings.HasPrefix(name, FeedSystem)
}

// EnteredInError is the status of what never was.
const EnteredInError = "entered-in-error"

// Kinds are all that a record holds.
func Kinds() []EntryKind {
	return []EntryKind{
		KindProblem, KindAllergy, KindMedication, KindObservation, KindProcedure, KindImmunization, KindEncounter, KindReport, KindNote,
	}
}

// Change is how a version came to be.
type Change string

// Changes. Imported is one that another system gave, and the zero Change is one that was written before changes were kept.
const (
	Recorded  Change = "RECORDED"
	Amended   Change = "AMENDED"
	Rectified Change = "CORRECTED"
	Withdrawn Change = "ENTERED_IN_ERROR"
	Imported  Change = "IMPORTED"
)

// Person is who wrote, with the name borne at that moment.
type Person struct{ Account, Name string }

// Written is one version of an entry with who wrote it, where, when and why.
type Written struct {
	Entry
	PatientID string
	// Author wrote the first version, Writer this one; both empty for what another system gave before that was kept.
	Author, Writer Person
	// Organization is where the entry was written; it stays that of the first version.
	Organization string
	Change       Change
	Why          Why
	AfterSealing bool
	// EncounterID or ReferralID is what it was written under; both may be empty.
	EncounterID, ReferralID string
	// Began is when the first version was written, At when this one was.
	Began, At time.Time
	// Ended: the visit or referral that it was written under, or the visit that it is, is over.
	Ended bool
}

// ByPerson tells what a person wrote from what another system gave.
func (w Written) ByPerson() bool { return w.Change != Imported && w.Change != "" }

// Why is the reason of a correction: a code, and words that are patient data.
type Why struct{ Code, Note string }

// Reasons for correcting what was written (SUGGESTED).
const (
	WrongValue   = "WRONG_VALUE"
	WrongPatient = "WRONG_PATIENT"
	WrongTime    = "WRONG_TIME"
	Incomplete   = "INCOMPLETE"
	NewFinding   = "NEW_FINDING"
	Duplicate    = "DUPLICATE"
)

// ArrivalUndone is why what an arrival brought was ended: the patient had not come. No person gives it.
const ArrivalUndone = "ARRIVAL_UNDONE"

// Check is what is wrong with a reason.
func (y Why) Check() Problems {
	var p Problems
	known := []string{WrongValue, WrongPatient, WrongTime, Incomplete, NewFinding, Duplicate, OtherReason}
	switch {
	case y.Code == "":
		p.add("reasonCode", ReasonRequired, "")
	case !slices.Contains(known, y.Code):
		p.add("reasonCode", ReasonUnknown, "")
	case y.Code == OtherReason && y.Note == "":
		p.add("note", ReasonRequired, "")
	}
	return p
}

// OpenSpan is how long what was written under no visit and no referral may still be amended (SUGGESTED: a day's work and its night).
const OpenSpan = 24 * time.Hour

// Sealed: nothing but a correction with a reason is possible any more. What was written under a visit or a referral, and a visit itself, is
// sealed when that ends (电子病历应用管理规范: archived after the visit), everything else OpenSpan after it was first written, and what another system
// gave at once.
func (w Written) Sealed(now time.Time) bool {
	switch {
	case !w.ByPerson():
		return true
	case w.EncounterID != "" || w.ReferralID != "" || w.Kind == KindEncounter:
		return w.Ended
	}
	return !now.Before(w.Began.Add(OpenSpan))
}

// Actor is who wants to change an entry.
type Actor struct {
	Person
	Organization string
	Department   string
	// Head of a department or centre.
	Head bool
}

// Verdict is whether something may be done to an entry.
type Verdict uint8

// Verdicts, in the order in which they are found.
const (
	Allowed Verdict = iota
	// Elsewhere: another system gave it.
	Elsewhere
	// Gone: it was marked as entered in error.
	Gone
	// NotYours: another person wrote it, or another organisation.
	NotYours
	// IsSealed: only a correction is possible.
	IsSealed
)

// MayAmend: the author, where it was written, as long as it is not sealed.
func (w Written) MayAmend(who Actor, now time.Time) Verdict {
	switch {
	case !w.ByPerson():
		return Elsewhere
	case w.Status == EnteredInError:
		return Gone
	case who.Organization != w.Organization || who.Account != w.Author.Account:
		return NotYours
	case w.Sealed(now):
		return IsSealed
	}
	return Allowed
}

// MayCorrect: the author or a head, where it was written, sealed or not. The same goes for marking it as entered in error.
func (w Written) MayCorrect(who Actor) Verdict {
	switch {
	case !w.ByPerson():
		return Elsewhere
	case w.Status == EnteredInError:
		return Gone
	case who.Organization != w.Organization || who.Account != w.Author.Account && !who.Head:
		return NotYours
	}
	return Allowed
}

// Write is the first version of an entry.
func Write(id string, patient string, d Statement, who Actor, now time.Time) Written {
	e := d.Entry
	e.ID, e.Version, e.Department = id, 1, who.Department
	return Written{
		Entry: e, PatientID: patient, Author: who.Person, Writer: who.Person, Organization: who.Organization, Change: Recorded,
		EncounterID: d.EncounterID, ReferralID: d.ReferralID, Began: now, At: now, Ended: e.Kind == KindEncounter && d.over(),
	}
}

// Amend is the next version, by its author before it is sealed.
func (w Written) Amend(d Statement, who Actor, now time.Time) Written {
	out := w.next(d.Entry, who, now)
	out.Change, out.Why = Amended, Why{}
	return out
}

// Correct is the next version, with its reason.
func (w Written) Correct(d Statement, why Why, who Actor, now time.Time) Written {
	out := w.next(d.Entry, who, now)
	out.Change, out.Why, out.AfterSealing = Rectified, why, w.Sealed(now)
	return out
}

// Withdraw is the version that says the entry never was; what it said stays in it.
func (w Written) Withdraw(why Why, who Actor, now time.Time) Written {
	e := w.Entry
	e.Status = EnteredInError
	if e.Kind == KindObservation || e.Kind == KindReport {
		e.Result = &Result{}
	}
	out := w.next(e, who, now)
	out.Change, out.Why, out.AfterSealing = Withdrawn, why, w.Sealed(now)
	return out
}

// next is the version that follows. What tells no time of its own stays where it was first written.
func (w Written) next(e Entry, who Actor, now time.Time) Written {
	e.ID, e.Version, e.Department = w.ID, w.Version+1, w.Department
	if e.Time.IsZero() {
		e.Time = w.Began
	}
	w.Entry, w.Writer, w.At, w.AfterSealing = e, who.Person, now, false
	return w
}

// EncounterOver tells from an encounter's status and end whether it is over.
func EncounterOver(status string, end time.Time) bool {
	return !end.IsZero() || slices.Contains([]string{"finished", "completed", "cancelled", EnteredInError}, status)
}

// ReferralOver tells from a referral's state whether what was written under it is sealed.
func ReferralOver(s State) bool { return s == Closed || s == Declined || s == Cancelled }
