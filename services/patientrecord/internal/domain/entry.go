package domain

import (
	"fmt"
	"slices"
	"time"
)

// EntryKind is the kind of a clinical entry.
type EntryKind string

// Kinds that a record holds.
const (
	KindProblem      EntryKind = "PROBLEM"
	KindAllergy      EntryKind = "ALLERGY"
	KindMedication   EntryKind = "MEDICATION"
	KindObservation  EntryKind = "OBSERVATION"
	KindProcedure    EntryKind = "PROCEDURE"
	KindImmunization EntryKind = "IMMUNIZATION"
	KindEncounter    EntryKind = "ENCOUNTER"
	KindReport       EntryKind = "REPORT"
)

// Entry is one clinical statement about a patient. What it says is Content, in the form that the contract gave it;
// here it is opaque, and equal statements are equal bytes.
type Entry struct {
	// ID and Version are given when the entry is stored: one ID for an identity, one Version for each content.
	ID      string
	Version int32
	// SourceSystem and SourceIdentity together name the entry where it comes from.
	SourceSystem   string
	SourceIdentity string
	Kind           EntryKind
	// Category of an observation or report: vital-signs, laboratory, …
	Category string
	// Code tells one kind of observation from another: system and code.
	Code   string
	Status string
	// Time of what happened; zero when the source does not say.
	Time    time.Time
	Content []byte
	// Department whose person wrote it; empty for what systems gave.
	Department string
	// Because is the code of why another version is to be stored, where what gave it says so; what was stored is read without it.
	Because string
	// Stay is set for an encounter that is to be stored; what was stored is read without it.
	Stay *Stay
	// Result is set for an observation or report that is to be stored; what was stored is read without it.
	Result *Result
}

// ResultRecorded is the name of the fact that a value or report was written or changed. Published.
const ResultRecorded = "result_recorded"

// Result is what others are told of an observation or report besides its kind, category, status and time.
type Result struct {
	// Codes are system|code of what was measured, those of parts too.
	Codes []string
}

// Told reports whether a result stored at this moment is told to others: the import of an old history is no news.
func (e Entry) Told(now time.Time) bool {
	return e.Result != nil && !e.Time.Before(now.Add(-NewsSpan))
}

// Format prints kind and id only, in every verb.
func (e Entry) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%s %s", e.Kind, e.ID) }

// PastStatuses are those that take an entry off the summary: it is over, was refuted, or was never true.
func PastStatuses(k EntryKind) []string {
	switch k {
	case KindProblem:
		return []string{"inactive", "remission", "resolved", "refuted", "entered-in-error"}
	case KindAllergy:
		return []string{"inactive", "resolved", "refuted", "entered-in-error"}
	case KindMedication:
		return []string{"stopped", "completed", "cancelled", "draft", "entered-in-error"}
	case KindObservation:
		return []string{"cancelled", "registered", "entered-in-error"}
	case KindProcedure, KindImmunization:
		return []string{"not-done", "preparation", "entered-in-error"}
	case KindEncounter:
		return []string{"planned", "cancelled", "entered-in-error"}
	}
	return []string{"cancelled", "entered-in-error"}
}

// SummaryLimit bounds each list of a summary. Allergies and problems are bounded only against a broken source: leaving one out is
// worse than a long page.
func SummaryLimit(k EntryKind) int {
	switch k {
	case KindProblem, KindAllergy, KindMedication:
		return 500
	case KindObservation:
		return 100
	case KindEncounter:
		return 20
	}
	return 50
}

// Summary is what a doctor needs at a glance; every list is newest first.
type Summary struct {
	Patient Patient
	// Entries that are not past: of observations the latest of each code.
	Entries map[EntryKind][]Entry
}

// Agree leaves out what a later entry says is no longer so: "no known allergy" beside an allergy.
func (s Summary) Agree() {
	list := s.Entries[KindAllergy]
	known := func(e Entry) bool { return e.Code != NoKnownAllergy }
	if slices.ContainsFunc(list, known) {
		s.Entries[KindAllergy] = slices.DeleteFunc(list, func(e Entry) bool { return !known(e) })
	}
}

// PackageSpan is how far back a hand-over package goes for results.
const PackageSpan = 90 * 24 * time.Hour

// Package is what goes with a referral: the summary and the results as at submission, or as at one resubmission.
type Package struct {
	ReferralID string
	// ReferralVersion is the version of the referral, so of its form, that this goes with; 0 in packages from before it was kept.
	ReferralVersion int32
	// Resubmitted: it came again after it had been returned; it stands beside the packages before.
	Resubmitted bool
	// Reply: it came back with the referral's answer, assembled by the side that answered.
	Reply   bool
	Summary Summary
	Results []Entry
	// Attachments are the documents that go with it.
	Attachments []PackageAttachment
	Assembled   time.Time
}

// PackageAttachment is a document of a package: the version that was handed over, and what it is now.
type PackageAttachment struct {
	Version int32
	Attachment
}

// PackageItem names an entry as it stood when a package was assembled.
type PackageItem struct {
	Kind    EntryKind
	ID      string
	Version int32
}

// Items are what belongs to the package, each entry once, by kind and newest first.
func (p Package) Items() []PackageItem {
	var out []PackageItem
	seen := map[string]bool{}
	add := func(entries []Entry) {
		for _, e := range entries {
			if !seen[e.ID] {
				seen[e.ID] = true
				out = append(out, PackageItem{Kind: e.Kind, ID: e.ID, Version: e.Version})
			}
		}
	}
	for _, kind := range []EntryKind{KindProblem, KindAllergy, KindMedication, KindObservation, KindProcedure, KindImmunization, KindEncounter} {
		add(p.Summary.Entries[kind])
	}
	add(p.Results)
	return out
}

// PackageVersion is one package among those of a referral. Version is from 1 and counts submissions.
type PackageVersion struct {
	Version, ReferralVersion int32
	Assembled                time.Time
}

// Format prints the referral's id in every verb.
func (p Package) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "package of referral %s", p.ReferralID) }

// Format prints the patient's id in every verb.
func (s Summary) Format(f fmt.State, verb rune) { s.Patient.Format(f, verb) }
